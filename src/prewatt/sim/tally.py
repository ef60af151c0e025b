"""What prices a meter's next pulse, and what it burned after each of its last ones: beside the meter, by rule.

A clock is a straight line from where it was set. A price that waits begins at its own second. A minute that ends gives
the next one its surcharge, by the mean angle of its seconds with current (docs/reference/meter.md).
"""

from collections import deque
from dataclasses import dataclass, field
from typing import Any, Final

from prewatt.sim.prices import Price, percent_at, surcharge_of
from prewatt.units import MINUTE_S

__all__ = ["Curve", "Run", "State", "pulses_between"]

# Pulses, and what each costs at least and at most; None where nobody knows the price.
Run = tuple[int, tuple[int, int] | None]

_MILLION: Final = 1_000_000
_QUALITY: Final = 100
# What may be fallen back to after a cut, in stretches of one price: more than a minute has.
_CURVE_MAX: Final = 64


@dataclass(slots=True)
class Curve:
    """What the meter has burned after so many pulses: (pulses, parts there, rate from there on), rising."""

    points: deque[tuple[int, int, int]] = field(default_factory=lambda: deque(maxlen=_CURVE_MAX))
    pulses: int = 0
    parts: int = 0

    def begin(self, pulses: int, parts: int) -> None:
        """From here on, and of what was before nothing is known."""
        self.points.clear()
        self.pulses, self.parts = pulses, parts

    def add(self, pulses: int, rate: int) -> None:
        """So many pulses more, each of them at this price."""
        if not self.points or self.points[-1][2] != rate:
            self.points.append((self.pulses, self.parts, rate))
        self.pulses += pulses
        self.parts += pulses * rate

    def read(self, pulses: int) -> int | None:
        """Parts after that many; None where they lie outside."""
        if pulses == self.pulses:
            return self.parts
        for begun, parts, rate in reversed(self.points):
            if begun <= pulses < self.pulses:
                return parts + (pulses - begun) * rate
        return None


@dataclass(slots=True)
class State:
    """A meter when it was last looked at, and what prices its next second. ``surcharge`` is None where several could
    hold, ``angle_sure`` False where not every second of the running minute is known."""

    device: Any
    world_s: int
    clock: Any
    minute: int
    tariff: Any
    force: Price | None
    waiting_tariff: Any
    waiting: Price | None
    from_s: int
    conducting: bool
    money: Any
    owed_max_micro: int
    total: int
    began_s: int
    """The world's second at which the running minute began, or earlier."""
    limited: bool = False
    """Whether contacts may close by themselves: after the pause of a load limit."""
    surcharge: int | None = 0
    angle_sum: int = 0
    angle_s: int = 0
    angle_sure: bool = True

    def own_s(self, world_s: int) -> int:
        """What its clock shows then."""
        clock = self.clock
        return int(clock.own_s + (world_s - clock.world_s) * (_MILLION + clock.drift_ppm) // _MILLION)

    def world_at(self, own_s: int) -> int:
        """The first second at which it shows that."""
        clock, speed = self.clock, _MILLION + self.clock.drift_ppm
        return int(clock.world_s + -((clock.own_s - own_s) * _MILLION // speed))

    def close_minute(self, next_minute: int, *, sure: bool) -> None:
        """The running minute ends; its mean angle prices the next one, if that follows."""
        followed = next_minute == self.minute + 1
        self.minute, self.began_s = next_minute, self.world_at(next_minute * MINUTE_S)
        if not followed:
            self.surcharge = 0
        elif self.angle_sure and sure and self.force is not None:
            self.surcharge = surcharge_of(self.force.table, self.angle_sum, self.angle_s)
        else:
            self.surcharge = None
        self.angle_sum = self.angle_s = 0
        self.angle_sure = sure

    def part(self, load: tuple[int, int, int], at_s: int, pulses: int) -> int:
        """The end of the second in which contacts can have parted first after so many pulses of a load; until the next
        pulse current may have flowed, which is nothing to the mean angle where all of it had the same."""
        start_s, count, angle_cdeg = load
        done = pulses_between(load, start_s, at_s)
        end_s = at_s if not pulses else start_s + MINUTE_S * (done + pulses - 1) // count + 1
        angle_s = self.angle_s + end_s - at_s
        self.angle_sure &= angle_s > 0 and self.angle_sum == angle_cdeg * self.angle_s
        return end_s

    def catch_up(self, own_s: int, *, sure: bool) -> None:
        """What its clock makes due: a minute's end, a price that waited."""
        if own_s // MINUTE_S > self.minute:
            self.close_minute(own_s // MINUTE_S, sure=sure)
        if self.waiting_tariff is not None and own_s >= self.from_s:
            self.force, self.tariff = self.waiting, self.waiting_tariff
            self.waiting = self.waiting_tariff = None

    def rates(self, own_s: int) -> tuple[int, int] | None:
        """What a pulse costs at that second of its clock, at least and at most; None where nobody knows the price."""
        percent = None if self.force is None else percent_at(self.force.table, own_s)
        if self.force is None or percent is None:
            return None
        base = self.force.unit_micro * percent
        if self.surcharge is not None:
            rate = base * (_QUALITY + self.surcharge)
            return rate, rate
        most = max((band.surcharge_percent for band in self.force.table.bands), default=0)
        return base * _QUALITY, base * (_QUALITY + most)


def pulses_between(load: tuple[int, int, int], from_s: int, until_s: int) -> int:
    """How many of a load's pulses stand in that time: pulse k of n at second floor(60 k / n) of the minute."""
    start_s, pulses, _ = load
    first, end = (min(max(at_s - start_s, 0), MINUTE_S) for at_s in (from_s, until_s))
    return -(-pulses * end // MINUTE_S) + (-pulses * first // MINUTE_S)
