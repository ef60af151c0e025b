"""The two times a driver gives a device with every step.

Line ticks run with the wall and carry what belongs to the line: session life, Hello rate, back-off. Meter time is
the world's UTC second and carries calendar, load and price; a driver may run it faster. A device's own clock is not
here: it is the device's, it may be wrong, and only an authenticated command corrects it.
"""

from dataclasses import dataclass

__all__ = ["Now"]


@dataclass(frozen=True, slots=True)
class Now:
    """``line_ms``: monotonic milliseconds of the line; ``meter_s``: true UTC second; ``speed``: seconds a second."""

    line_ms: int
    meter_s: int
    speed: int = 1
