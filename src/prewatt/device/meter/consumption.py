"""Consumption: from what the home takes to what the meter burns, second by second, in runs as long as nothing changes.

Between two steps of the meter nothing happens but time and load, so whatever was given is worked off in runs. A run
ends with the load's minute, the meter's own minute, the price run, a waiting table, a relay's pause: inside it pulses
are alike, and one division burns them all. Only the run in which the balance would reach zero is worked off second by
second, because the contacts part at the end of the very second.

The minute is the meter's own: when it ends, its readings go to the minute memory, the mean phase angle becomes the
surcharge of the next one, and at local midnight the registers roll.
"""

from collections import deque
from typing import Final, NamedTuple

from prewatt.codec.events import EventCode
from prewatt.device.meter.core import Core
from prewatt.device.meter.minutes import close_minute, turn_back
from prewatt.device.meter.money import ACC_PER_MICRO
from prewatt.device.meter.relay import Cause, RelayEvent
from prewatt.device.meter.tariff import PriceRun
from prewatt.device.meter.tokens import Rate, burn, rate_of
from prewatt.units import MINUTE_S

__all__ = ["LATE_MINUTES_MAX", "Consumption", "Profile"]

# A clock set back by no more than this lets the running minute last; further back, minutes come again.
LATE_MINUTES_MAX: Final = 2
# 0.1 Wh is 360 J.
_JOULE_PER_PULSE: Final = 360
_WATTS_PER_MINUTE_PULSE: Final = _JOULE_PER_PULSE // MINUTE_S


class Profile(NamedTuple):
    """What the home takes from one source from ``start_s`` to ``end_s`` of the world, evenly; ``watts`` rounded up."""

    start_s: int
    end_s: int
    pulses: int
    angle_cdeg: int | None
    watts: int

    @classmethod
    def of(cls, start_s: int, length_s: int, pulses: int, angle_cdeg: int | None) -> "Profile":
        """The profile of that many pulses in ``length_s`` seconds; ValueError below zero."""
        if pulses < 0:
            raise ValueError(f"pulses: {pulses} is not allowed; allowed is 0 or more")
        return cls(start_s, start_s + length_s, pulses, angle_cdeg, -(-pulses * _JOULE_PER_PULSE // length_s))

    def pulses_until(self, second: int) -> int:
        """How many of its pulses stand before ``second``: pulse k stands at floor(length x k / pulses)."""
        return -(-self.pulses * (second - self.start_s) // (self.end_s - self.start_s))


class Consumption:
    """Works off time and load on the core it is given."""

    __slots__ = (
        "_angle_s",
        "_angle_sum",
        "_checkpoint_s",
        "_core",
        "_day_end_s",
        "_rates",
        "_run",
        "minute_done_pulses",
        "pause_until_s",
        "profiles",
    )

    def __init__(self, core: Core) -> None:
        self._core = core
        self.profiles: list[deque[Profile]] = [deque() for _ in range(core.sources)]
        self._angle_sum = self._angle_s = 0
        self._run = PriceRun(0, 0, 0, 0)
        self._rates: tuple[Rate, ...] = ()
        self._day_end_s = self._checkpoint_s = 0
        self.minute_done_pulses = 0
        self.pause_until_s: int | None = None
        """When the pause after the load limit is over, in seconds of the world."""

    def take(self, source: int, profile: Profile) -> None:
        """Adds a load; one that is over, or of a source that the body does not have, is nothing."""
        if not 0 <= source < self._core.sources:
            raise ValueError(f"source: {source} is not allowed; allowed is 0 to {self._core.sources - 1}")
        queue = self.profiles[source]
        while queue and queue[-1].end_s > profile.start_s:
            queue.pop()
        if profile.end_s > self._core.world_s:
            queue.append(profile)

    def read_power_w(self) -> int:
        """The power that flows now, of all sources."""
        core, power = self._core, 0
        for source, queue in enumerate(self.profiles):
            if queue and queue[0].start_s <= core.world_s < queue[0].end_s and core.conducting[source]:
                power += queue[0].watts
        return power

    def reprice(self) -> None:
        """Forgets the prices that were looked up: the table, the clock or the surcharge changed."""
        self._run = PriceRun(0, 0, 0, 0)
        self._day_end_s = self._checkpoint_s = 0

    def advance(self, world_s: int) -> None:
        """Works off every second before ``world_s``."""
        core = self._core
        while core.world_s < world_s:
            own_s = core.own_s
            if own_s >= self._checkpoint_s:
                self._catch_up(own_s)
            end_s = self._run_end(world_s)
            core.world_s = self._burn_until(end_s)
            self._after_run()
        own_s = core.own_s
        if own_s >= self._checkpoint_s:
            self._catch_up(own_s)

    def catch_up_clock(self) -> None:
        """After the clock was set: minutes and registers go where it stands. Store a record at once."""
        core = self._core
        own_s = core.own_s
        minute = own_s // MINUTE_S
        self.reprice()
        if minute < core.minute - LATE_MINUTES_MAX:
            self._close_minute(core.minute + 1)
            position = turn_back(core.position, minute)
            core.minute, core.era, core.pulses = position.minute, position.era, list(position.pulses)
            core.changed = True
        self._catch_up(own_s)
        core.roll_registers(own_s)

    def _catch_up(self, own_s: int) -> None:
        """Minute, day and table go where the meter's own clock stands."""
        core = self._core
        if own_s // MINUTE_S > core.minute:
            self._close_minute(own_s // MINUTE_S)
        if core.waiting is not None and own_s >= core.waiting.table.valid_from_s:
            core.promote_tariff()
            self.reprice()
        if own_s >= self._day_end_s:
            self._roll_day(own_s)
        if not self._run.from_s <= own_s < self._run.until_s:
            self._look_up_price(own_s)
        minute_end_s = (core.minute + 1) * MINUTE_S
        ends = [minute_end_s, self._run.until_s, self._day_end_s]
        if core.waiting is not None:
            ends.append(core.waiting.table.valid_from_s)
        self._checkpoint_s = min(ends)

    def _roll_day(self, own_s: int) -> None:
        core = self._core
        if core.roll_registers(own_s):
            core.store()
        self._day_end_s = core.tariff.calendar.read_day_start_s(core.control.registers.day + 1)

    def _look_up_price(self, own_s: int) -> None:
        core = self._core
        self._run = run = core.tariff.price_run(own_s)
        quality = 100 + core.surcharge_percent
        self._rates = tuple(
            rate_of(core.tariff.source_price_micro(source), run.percent, quality) for source in range(core.sources)
        )

    def _run_end(self, world_s: int) -> int:
        """Until when, in seconds of the world, nothing changes but time; at most ``world_s``."""
        core = self._core
        end_s = min(world_s, core.control.clock.world_at(self._checkpoint_s))
        if self.pause_until_s is not None and self.pause_until_s > core.world_s:
            end_s = min(end_s, self.pause_until_s)
        begun_s, over_w = core.world_s, core.settings.over_current_w
        for source, queue in enumerate(self.profiles):
            while queue and queue[0].end_s <= begun_s:
                queue.popleft()
            if queue:
                first = queue[0]
                end_s = min(end_s, first.end_s if first.start_s <= begun_s else first.start_s)
                if first.watts > over_w and first.start_s <= begun_s and core.closed(source):
                    return begun_s + 1
        return max(end_s, begun_s + 1)

    def _burn_until(self, end_s: int) -> int:
        """Burns what flows up to ``end_s``, or only one second where the value may end; returns how far it came."""
        core = self._core
        flows = self._flows(end_s)
        if flows and end_s - core.world_s > 1 and self._may_end(flows):
            end_s = core.world_s + 1
            flows = self._flows(end_s)
        for source, pulses, angle_cdeg in flows:
            if angle_cdeg is not None:
                length_s = end_s - core.world_s
                self._angle_sum += angle_cdeg * length_s
                self._angle_s += length_s
            if pulses:
                self._burn(source, pulses)
        return end_s

    def _flows(self, end_s: int) -> list[tuple[int, int, int | None]]:
        """Source, pulses and angle of everything that flows from now to ``end_s``."""
        core, flows = self._core, []
        begun_s = core.world_s
        for source, queue in enumerate(self.profiles):
            if queue and queue[0].start_s <= begun_s and core.conducting[source]:
                first = queue[0]
                pulses = first.pulses_until(end_s) - first.pulses_until(begun_s)
                flows.append((source, pulses, first.angle_cdeg))
        return flows

    def _may_end(self, flows: list[tuple[int, int, int | None]]) -> bool:
        """Whether these pulses would use up the balance, or the emergency credit."""
        core = self._core
        money = core.money
        left: int = money.balance_micro
        if not left:
            if core.control.causes[0] & Cause.ZERO or not core.sells:
                return False
            left = max(0, core.settings.emergency_micro - money.owed_micro)
        cost = sum(pulses * self._rates[source] for source, pulses, _ in flows)
        return money.acc + cost >= left * ACC_PER_MICRO

    def _burn(self, source: int, pulses: int) -> None:
        core = self._core
        registers, step, rate = core.control.registers, self._run.step, self._rates[source]
        left = pulses
        while left:
            burned = burn(core.money, rate, left, core.limits, core.sam)
            taken = burned.pulses
            core.money = burned.money
            core.pulses[source] += taken
            registers.total_pulses += taken
            registers.step_pulses[step] += taken
            registers.source_pulses[source] += taken
            left -= taken
            if burned.write_due:
                if burned.owed_step and burned.money.owed_micro >= core.limits.owed_max_micro:
                    core.log(EventCode.OWED_LIMIT, burned.money.owed_micro.to_bytes(8, "big"))
                core.store()

    def _after_run(self) -> None:
        """Moves the relays where the second that has just passed gave reason to."""
        core = self._core
        if core.sells and not core.money.balance_micro:
            self._end_value()
        over_w, now_s = core.settings.over_current_w, core.world_s
        for source, queue in enumerate(self.profiles):
            if queue and queue[0].watts > over_w and queue[0].start_s < now_s and core.closed(source):
                core.relay(RelayEvent.OVER_CURRENT, range(source, source + 1))
                core.log(EventCode.OVER_CURRENT, bytes((source,)) + queue[0].watts.to_bytes(4, "big"))
        if self.pause_until_s is not None and now_s >= self.pause_until_s:
            self.pause_until_s = None
            core.relay(RelayEvent.LOAD_PAUSE_OVER)

    def _end_value(self) -> None:
        """Without balance the contacts part, unless emergency credit runs and is not used up."""
        core = self._core
        control = core.control
        if control.emergency and core.money.owed_micro < core.settings.emergency_micro:
            return
        if control.emergency or not control.causes[0] & Cause.ZERO:
            control.emergency = False
            core.changed = True
            core.relay(RelayEvent.BALANCE_ZERO)
            core.log(EventCode.ZERO_BALANCE, core.money.owed_micro.to_bytes(8, "big"))

    def _close_minute(self, next_minute: int) -> None:
        """Ends the running minute; its readings are stored, its mean angle prices the next one."""
        core = self._core
        followed = next_minute == core.minute + 1
        mean_cdeg = self._angle_sum // self._angle_s if self._angle_s and followed else None
        self._angle_sum = self._angle_s = 0
        self.minute_done_pulses = done = sum(core.pulses)
        closed = close_minute(core.memories, core.position, core.surcharge_percent, next_minute)
        core.minute, core.pulses = closed.position.minute, list(closed.position.pulses)
        surcharge = core.tariff.surcharge_percent(mean_cdeg)
        if surcharge != core.surcharge_percent:
            core.surcharge_percent = surcharge
            self._run = PriceRun(0, 0, 0, 0)
        if closed.write_due:
            core.store()
        limit_w = core.settings.load_limit_w
        if limit_w and done * _WATTS_PER_MINUTE_PULSE > limit_w and self.pause_until_s is None:
            self.pause_until_s = core.world_s + core.settings.load_pause_s
            core.relay(RelayEvent.LOAD_PASSED)
            core.log(EventCode.LOAD_LIMIT, (done * _WATTS_PER_MINUTE_PULSE).to_bytes(4, "big"))
