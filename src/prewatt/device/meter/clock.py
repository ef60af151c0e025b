"""The meter's own clock: UTC seconds from a crystal that may run a little wrong.

It is a straight line over the world's seconds: where it was set, and how many millionths it is fast. Only an
authenticated command moves it, and only as far as the command proves it wrong: the true time lies between the time the
host sent and that time plus how long the answer was under way, so a clock inside that window is left alone, and one
outside goes to the nearer end. Whoever delays a message can never make a right clock wrong (R11 of docs/protocol.md).
"""

from dataclasses import dataclass
from typing import Final

from prewatt.units import UTC_MAX_S

__all__ = ["CLOCK_EARLIEST_S", "CLOCK_LATEST_S", "CLOCK_STEP_EVENT_S", "Clock", "clamp"]

# A step above this is an event.
CLOCK_STEP_EVENT_S: Final = 120
# 2000-01-01 and the day before 32 bits end: no host is believed outside, whatever key it has.
CLOCK_EARLIEST_S: Final = 946_684_800
CLOCK_LATEST_S: Final = UTC_MAX_S - 86_400
_MILLION: Final = 1_000_000
_MS: Final = 1_000


@dataclass(frozen=True, slots=True)
class Clock:
    """Showed ``own_s`` at the world's second ``world_s`` and is ``drift_ppm`` millionths fast."""

    world_s: int
    own_s: int
    drift_ppm: int = 0

    def read(self, world_s: int) -> int:
        """What it shows at that second of the world. At the end of its 32 bits it stands still: a host that once set
        it to the last day must not stop the meter."""
        return min(UTC_MAX_S, self.own_s + (world_s - self.world_s) * (_MILLION + self.drift_ppm) // _MILLION)

    def world_at(self, own_s: int) -> int:
        """The first second of the world at which it shows ``own_s`` or more."""
        return self.world_s - (self.own_s - own_s) * _MILLION // (_MILLION + self.drift_ppm)

    def set(self, world_s: int, own_s: int) -> "Clock":
        """The same crystal, set."""
        return Clock(world_s, own_s, self.drift_ppm)


def clamp(own_s: int, time_s: int, elapsed_ms: int, speed: int) -> int:
    """What the clock has to show, given the host's whole second and the line ticks that passed.

    The upper end is rounded up, because the host's second was rounded down.
    """
    latest_s = time_s - (-elapsed_ms * speed // _MS)
    return min(max(own_s, time_s), latest_s)
