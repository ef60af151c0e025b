"""Energy: counted in pulses of 0.1 Wh (10,000 to the kilowatt-hour), as the metrology emits them.

A transformer's own meter counts in coarser pulses, since a minute's reading is 16 bits: 400 kVA at full load are 66,667
pulses of 0.1 Wh in a minute, and only 6,667 of 1 Wh.
"""

from typing import NewType

__all__ = ["PULSES_PER_CT_PULSE", "PULSES_PER_KWH", "PULSE_WH", "Pulses", "format_kwh"]

Pulses = NewType("Pulses", int)

PULSES_PER_KWH = 10_000
PULSE_WH = 0.1
# One pulse of a transformer's meter is 1 Wh: 65,534 in a minute are 3.9 MVA.
PULSES_PER_CT_PULSE = 10
_PULSE_DIGITS = 4


def format_kwh(pulses: int) -> str:
    """Kilowatt-hours to the pulse, such as ``12.3456``."""
    sign = "-" if pulses < 0 else ""
    whole, part = divmod(abs(pulses), PULSES_PER_KWH)
    return f"{sign}{whole}.{part:0{_PULSE_DIGITS}d}"
