"""The face of a meter as JSON: what a person standing before it sees, for the terminal, the API and the page."""

from dataclasses import asdict
from typing import Any

from prewatt.device.meter.view import MeterView
from prewatt.units import format_meter_id

__all__ = ["Face", "face_of"]

Face = dict[str, Any]


def face_of(view: MeterView) -> Face:
    """The fields of `MeterView`; ``id`` in hex, tuples as lists, the buzzer's pattern as its name."""
    face = {name: list(given) if isinstance(given, tuple) else given for name, given in asdict(view).items()}
    face["id"] = format_meter_id(view.meter_id)
    del face["meter_id"]
    face["buzzing"] = view.buzzing.value
    return face
