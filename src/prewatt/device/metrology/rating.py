"""What the meter's plate says: basic and maximum current, voltages, and the currents that follow from them.

The ratings are those of a direct connected meter of class 1. IEC 62053-21 gives its limits as fractions of the basic
current Ib and the maximum current Imax, and so does this package.
"""

from typing import Final

__all__ = [
    "ANGLE_CURRENT_MIN_MA",
    "BASIC_CURRENT_MA",
    "FREQUENCIES_HZ",
    "MAXIMUM_CURRENT_MA",
    "PHASES",
    "RANGES_V",
    "STARTING_CURRENT_MA",
    "allowed_one",
]

BASIC_CURRENT_MA: Final = 5_000
MAXIMUM_CURRENT_MA: Final = 60_000
# IEC 62053-21 8.3.3: a direct connected meter of class 1 starts, and goes on registering, at 0.004 Ib.
STARTING_CURRENT_MA: Final = BASIC_CURRENT_MA * 4 // 1_000
# The phase angle of less than 0.05 Ib (where class 1 begins to have error limits) says nothing about the load.
ANGLE_CURRENT_MIN_MA: Final = BASIC_CURRENT_MA * 5 // 100

RANGES_V: Final = (110, 117, 220, 240)
FREQUENCIES_HZ: Final = (50, 60)
PHASES: Final = (1, 3)


def allowed_one(field: str, value: int, allowed: tuple[int, ...], unit: str = "") -> int:
    """Gives ``value`` back if it is one of ``allowed``; ValueError that names field, value and the allowed ones."""
    if value not in allowed:
        listed = ", ".join(map(str, allowed))
        raise ValueError(f"{field}: {value!r} is not allowed; allowed is one of {listed} {unit}".rstrip())
    return value
