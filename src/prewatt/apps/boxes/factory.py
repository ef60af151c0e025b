"""The factory: writes the memory of an enrolled meter, with the terminal keys that the vault derives for it."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from prewatt.apps.boxes.meters import manufacture
from prewatt.apps.boxes.spoolfile import BoxMemoryError
from prewatt.apps.maker import maker_of
from prewatt.apps.settings import Settings
from prewatt.apps.vault import open_vault
from prewatt.device.meter import Birth, ct_birth
from prewatt.host.registry import CT
from prewatt.units import parse_meter_id

__all__ = ["make_memory"]


def make_memory(settings: Settings, meter: Mapping[str, Any], unit_price_micro: int, out: Path) -> None:
    """The memory of ``meter`` (its JSON as the host gives it), mode 0600. BoxMemoryError where the file is there."""
    if out.exists():
        raise BoxMemoryError(f"memory {out}: is there already, and is never written over")
    vault, meter_id = open_vault(settings), parse_meter_id(meter["id"])
    keys = {index: vault.terminal_key(index, meter_id) for index in meter["key_sets"]}
    if meter["kind"] == CT:
        birth = ct_birth(meter_id, meter["m_id"], meter["suite"], keys)
    else:
        birth = Birth(meter_id, meter["m_id"], meter["suite"], keys, unit_price_micro)
    manufacture(out, replace(birth, maker_key=maker_of(settings)))
