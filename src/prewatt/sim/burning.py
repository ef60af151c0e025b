"""What a meter burned, reckoned beside it to the last part of a micro-unit: from what its home took, the clock as it
was set, and the prices that people set (prewatt.sim.prices).

Every time a meter is looked at, the stretch of time since the last look is reckoned: which pulses the home took, at
which second of the meter's clock, at which price; a price that waits begins at its own second, a minute's mean angle
prices the next minute. What the meter burned meanwhile must be that sum, no part of a micro-unit more or less. A hard
cut takes pulses of the running minute away and of no other: how many, the meter's own count says; the last ones, and so
what is left must be what the others cost. Power that was away is neither counted nor paid.

What cannot be decided from outside is bounded by the cheapest and dearest of the prices of that stretch:

- contacts that a load limit opened and closed again, or a pause after it closed, inside a stretch that has several
  prices: which of its pulses flowed? The minute after it has one of the table's surcharges then. Where no limit is set
  contacts only part between two looks, at the end of a second: then the first pulses flowed, and the others did not;
- a price that only a database knew which is gone;
- after a memory that destroyed what it held, an older record counts again: everything begins anew there.

Beyond the limit of what may be owed energy flows and nobody pays: that is reckoned too.
"""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, Final

from prewatt.sim.home import Home
from prewatt.sim.prices import PARTS, Prices
from prewatt.sim.tally import Curve, Run, State, pulses_between
from prewatt.units import MINUTE_S

__all__ = ["Burning", "Reckoner"]

# A clock set back by so many minutes lets the running one last (docs/reference/meter.md).
_LATE_MINUTES_MAX: Final = 2


class Reckoner:
    """All bodies. ``rows`` reads the host's database past it."""

    def __init__(self, rows: Callable[[str], list[Any]], check: Callable[[bool, str], None]) -> None:
        self.prices = Prices(rows)
        self.bodies: dict[Home, Burning] = {}
        self._check = check

    def observe(self, home: Home) -> None:
        """A body with power, at an instant."""
        assert home.device is not None
        burning = self.bodies.get(home)
        if burning is None:
            burning = self.bodies[home] = Burning(home.meter, home.loads, self.prices, self._check)
        counted, fed = home.device.total_pulses, home.fed_pulses
        self._check(counted <= fed, f"{home.meter}: counted {counted} pulses, was fed {fed}")
        burning.observe(home.device, spoilt=home.nvm.spoilt or home.nvm.unmended)


class Burning:
    """One body. ``exact`` and ``bounded`` count the pulses whose price was known, or was not."""

    def __init__(
        self, meter: str, loads: deque[tuple[int, int, int]], prices: Prices, check: Callable[[bool, str], None]
    ) -> None:
        """``loads``: what its home takes from which second on for a minute, at which angle; used up here."""
        self._meter, self._loads, self._prices, self._check = meter, loads, prices, check
        self._state: State | None = None
        self._curve = Curve()
        self.exact = self.bounded = 0

    def observe(self, device: Any, *, spoilt: bool) -> None:  # noqa: ANN401 - the device
        """The meter now. ``spoilt``: its memory may have destroyed what stood in it, or lost its last write."""
        state, core = self._state, device._core
        if state is None or state.device is not device:
            if state is not None:
                self._after_cut(state, device, spoilt=spoilt)
            self._begin(device)
            return
        if core.world_s != state.world_s:
            self._reckon(state, core)
        self._adopt(state, core)

    # -- a stretch of time

    def _reckon(self, state: State, core: Any) -> None:  # noqa: ANN401
        counted, until_s = core.control.registers.total_pulses - state.total, core.world_s
        fed = self._fed_until(state.world_s, until_s)
        flows: bool | None = None
        most: int | None = None
        if state.conducting and counted == fed and (fed or core.conducting[0]):
            flows = True
        elif not state.conducting and not counted:
            flows = False
        elif state.conducting and 0 < counted < fed and not state.limited:
            flows, most = True, counted
        runs = list(self._runs(state, until_s, flows, most))
        if not counted:
            self._check_parts(state, core.money, [], 0)
        else:
            self._check_parts(state, core.money, runs if flows else _some_of(runs, counted), counted)
        state.world_s = until_s

    def _fed_until(self, from_s: int, until_s: int) -> int:
        loads = self._loads
        kept_s = from_s if self._state is None else min(from_s, self._state.began_s)
        while loads and loads[0][0] + MINUTE_S <= kept_s:
            loads.popleft()
        return sum(pulses_between(load, from_s, until_s) for load in loads)

    def _runs(self, state: State, until_s: int, flows: bool | None, most: int | None = None) -> Iterator[Run]:
        """Pulses that can have flowed, with what each costs at least and at most, in the order of time.

        Moves ``state`` there. ``flows``: all of them, none, or some. ``most``: contacts part after that many.
        """
        loads, at_s = (list(self._loads) if flows is not False else []), state.world_s
        while at_s < until_s:
            own_s = state.own_s(at_s)
            state.catch_up(own_s, sure=flows is not None)
            ends = [until_s, state.world_at((own_s // MINUTE_S + 1) * MINUTE_S)]
            if state.waiting_tariff is not None:
                ends.append(state.world_at(state.from_s))
            if not loads and not state.angle_s and state.surcharge == 0:
                # Nothing flows, and no minute has anything to price the next one with.
                break
            load = next((each for each in loads if each[0] <= at_s < each[0] + MINUTE_S), None)
            ends += [edge for each in loads for edge in (each[0], each[0] + MINUTE_S) if edge > at_s]
            end_s = max(min(ends), at_s + 1)
            if load is not None:
                pulses = pulses_between(load, at_s, end_s)
                if most is not None and pulses >= most:
                    end_s, pulses, loads = state.part(load, at_s, most), most, []
                most = most - pulses if most is not None else None
                state.angle_sum += load[2] * (end_s - at_s)
                state.angle_s += end_s - at_s
                if pulses:
                    yield pulses, state.rates(own_s)
            at_s = end_s
        state.catch_up(state.own_s(until_s), sure=flows is not None)
        state.angle_sure = state.angle_sure and flows is not None

    def _check_parts(
        self,
        state: State,
        money: Any,  # noqa: ANN401
        runs: list[Run],
        counted: int,
    ) -> None:
        """What was burned since the last look against what these pulses cost."""
        before, after = state.money, money.burned_micro * PARTS + money.acc
        begun = before.burned_micro * PARTS + before.acc
        if any(rates is None for _, rates in runs):
            self.bounded += counted
            self._curve.begin(state.total + counted, after)
            return
        least, most = (sum(pulses * rates[end] for pulses, rates in runs if rates is not None) for end in (0, 1))
        low, high = (self._paid(state, begun + cost) for cost in (least, most))
        told = f"{self._meter}: burned {after - begun} parts for {counted} pulses"
        self._check(low <= after <= high, f"{told}, predicted {low - begun} to {high - begun}")
        if least == most and low == begun + least:
            self.exact += counted
            if self._curve.pulses != state.total:
                self._curve.begin(state.total, begun)
            for pulses, rates in runs:
                assert rates is not None
                self._curve.add(pulses, rates[0])
        else:
            self.exact, self.bounded = self.exact + counted * (least == most), self.bounded + counted * (least != most)
            self._curve.begin(state.total + counted, after)

    @staticmethod
    def _paid(state: State, parts: int) -> int:
        """Of that much, what is burned: value, then what may be owed; from there on nobody pays."""
        money = state.money
        left = money.balance_micro + max(0, state.owed_max_micro - money.owed_micro)
        micro, acc = divmod(parts, PARTS)
        return int((money.burned_micro + min(micro - money.burned_micro, left)) * PARTS + acc)

    # -- what else happens to it

    def _after_cut(self, state: State, device: Any, *, spoilt: bool) -> None:  # noqa: ANN401
        """Some of the last pulses are gone, and those that are left cost what they cost."""
        core = device._core
        curve, total, money = replace(self._curve, points=self._curve.points.copy()), device.total_pulses, core.money
        lost, fed = state.total - total, self._fed_until(state.began_s, state.world_s)
        self._check(spoilt or lost <= fed, f"{self._meter}: a cut took {lost} pulses, of {fed} in the running minute")
        if curve.pulses != state.total:
            curve.begin(state.total, state.money.burned_micro * PARTS + state.money.acc)
        rates = None
        moved = state.conducting != core.conducting[0]
        self._fed_until(state.world_s, state.world_s)
        for pulses, rates in self._runs(state, core.world_s, bool(state.conducting)):
            if rates is None or rates[0] != rates[1] or (moved and curve.points and curve.points[-1][2] != rates[0]):
                break
            curve.add(pulses, rates[0])
        parts = curve.read(total)
        if parts is None or spoilt:
            self.bounded += max(0, total - state.total)
            return
        if parts > state.money.burned_micro * PARTS + state.money.acc:
            parts = self._paid(state, parts)
        after = money.burned_micro * PARTS + money.acc
        self._check(after == parts, f"{self._meter}: {after} parts after a cut at {total} pulses, predicted {parts}")
        self.exact += max(0, total - state.total)

    def _begin(self, device: Any) -> None:  # noqa: ANN401
        core = device._core
        clock, money = core.control.clock, core.money
        self._loads.clear()
        self._curve.begin(device.total_pulses, money.burned_micro * PARTS + money.acc)
        self._state = state = State(
            device, core.world_s, clock, core.minute, None, None, None, None, 0,
            core.conducting[0], money, core.limits.owed_max_micro, device.total_pulses, core.world_s,
        )  # fmt: skip
        self._adopt(state, core)

    def _adopt(self, state: State, core: Any) -> None:  # noqa: ANN401
        """What an event at this very second changed: clock, prices, contacts, money."""
        own_s = state.own_s(core.world_s)
        if core.control.clock is not state.clock:
            state.clock = core.control.clock
            own_s = state.own_s(core.world_s)
            if own_s // MINUTE_S < state.minute - _LATE_MINUTES_MAX:
                state.close_minute(state.minute + 1, sure=True)
                state.minute, state.began_s = own_s // MINUTE_S, core.world_s
            state.catch_up(own_s, sure=True)
        if core.tariff is not state.tariff:
            # One that held already when the power came back may have begun before the clock was set back.
            began = state.tariff is None
            state.tariff, state.force = core.tariff, self._prices.find(core.tariff.digest)
            due = began or state.force is None or state.force.table.valid_from_s <= own_s
            self._check(due, f"{self._meter}: burns at {own_s} at a price of {core.tariff.table.valid_from_s}")
        if core.waiting is not state.waiting_tariff:
            state.waiting_tariff = core.waiting
            if core.waiting is not None:
                state.waiting, state.from_s = self._prices.find(core.waiting.digest), core.waiting.table.valid_from_s
        state.conducting, state.money, state.total = core.conducting[0], core.money, core.control.registers.total_pulses
        state.owed_max_micro, state.limited = core.limits.owed_max_micro, bool(core.settings.load_limit_w)


def _some_of(runs: list[Run], counted: int) -> list[Run]:
    """That many of these pulses, and nobody knows which."""
    known = [rates for _, rates in runs if rates is not None]
    if len(known) < len(runs):
        return [(counted, None)]
    return [(counted, (min((low for low, _ in known), default=0), max((high for _, high in known), default=0)))]
