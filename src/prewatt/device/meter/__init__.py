"""The value store meter: `Meter.manufacture`, `Meter.power_up`, then `step` and `view`.

A power cut without warning is dropping the object; `power_up` from the same memory is what comes after it.
"""

from prewatt.device.meter.birth import Birth
from prewatt.device.meter.events import (
    Button,
    Buzz,
    Buzzing,
    Cover,
    Display,
    Effect,
    Event,
    KeyPress,
    LastGasp,
    LineFrame,
    LineSend,
    Load,
    Measured,
    RelayMoved,
    Sense,
    SourceAt,
    Surge,
    Tick,
    WakeAt,
)
from prewatt.device.meter.meter import Meter
from prewatt.device.meter.transformer import CtLoad, CtMeasured, CtMeter, ct_birth
from prewatt.device.meter.view import MeterState, MeterView

__all__ = [
    "Birth",
    "Button",
    "Buzz",
    "Buzzing",
    "Cover",
    "CtLoad",
    "CtMeasured",
    "CtMeter",
    "Display",
    "Effect",
    "Event",
    "KeyPress",
    "LastGasp",
    "LineFrame",
    "LineSend",
    "Load",
    "Measured",
    "Meter",
    "MeterState",
    "MeterView",
    "RelayMoved",
    "Sense",
    "SourceAt",
    "Surge",
    "Tick",
    "WakeAt",
    "ct_birth",
]
