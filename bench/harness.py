"""How a benchmark says what it found, and how two pieces of code are timed against each other.

A benchmark is a file ``bench/<area>_<what>.py`` with ``def run() -> list[Result]``. A figure that stands alone says
little, since machines differ; so a claim is a ratio, and both of its sides are measured in turns of a few
milliseconds, in one process, one after the other. The best turn of each side counts: whatever else the machine does
can only slow a turn down, never speed it up (the reasoning of timeit's documentation).
"""

import gc
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from time import perf_counter

__all__ = [
    "Area",
    "Rates",
    "Result",
    "at_least",
    "at_most",
    "best_rate",
    "compare",
    "figure",
    "rates_at_least",
    "ratio_at_least",
    "ratio_at_most",
]

# One turn is long beside the clock's grain (under a microsecond), short beside a scheduler's slice of noise.
TURN_S = 0.02
TURNS_MIN = 5


class Area(StrEnum):
    """What a benchmark's name begins with; ``make bench ONLY=`` takes one of these."""

    CORE = "core"
    FIELD = "field"
    HOST = "host"
    CARDS = "cards"
    SEAL = "seal"
    DEMAND = "demand"
    WEB = "web"


@dataclass(frozen=True, slots=True)
class Result:
    """One line of the table. ``name`` is ``area.what``; the goal is held against the ratio, or the value if none."""

    name: str
    value: float
    unit: str
    baseline: float | None = None
    ratio: float | None = None
    goal: float | None = None
    met: bool | None = None

    def __post_init__(self) -> None:
        """Refuses what the results file could not say truly: an unknown area, nan, half a ratio, half a goal."""
        area, dot, what = self.name.partition(".")
        if area not in set(Area) or not dot or not what:
            raise ValueError(f"name: {self.name!r} is not allowed; allowed is area.what, area one of {', '.join(Area)}")
        for field, number in (("value", self.value), ("baseline", self.baseline), ("ratio", self.ratio)):
            if number is not None and not math.isfinite(number):
                raise ValueError(f"{field}: {number!r} of {self.name} is not allowed; allowed is a finite number")
        if (self.baseline is None) != (self.ratio is None):
            raise ValueError(f"ratio: {self.name} has a baseline or a ratio alone; allowed is both or none")
        if (self.goal is None) != (self.met is None):
            raise ValueError(f"goal: {self.name} has a goal or a verdict alone; allowed is both or none")


@dataclass(frozen=True, slots=True)
class Rates:
    """Two rates from one run, in items per second."""

    ours_per_s: float
    baseline_per_s: float

    @property
    def ratio(self) -> float:
        """How much of the baseline's rate is ours; 1 is as fast."""
        return self.ours_per_s / self.baseline_per_s


def figure(name: str, value: float, unit: str) -> Result:
    """A figure to know, without a claim."""
    return Result(name, value, unit)


def at_least(name: str, value: float, unit: str, goal: float) -> Result:
    """A value that should reach ``goal``."""
    return Result(name, value, unit, goal=goal, met=value >= goal)


def at_most(name: str, value: float, unit: str, goal: float) -> Result:
    """A value that should stay within ``goal``: a latency in seconds, bytes a day."""
    return Result(name, value, unit, goal=goal, met=value <= goal)


def ratio_at_least(name: str, value: float, unit: str, baseline: float, goal: float | None = None) -> Result:
    """A value beside its baseline where more is better; ``goal`` is for the ratio, None where there is no claim."""
    ratio = value / baseline
    return Result(name, value, unit, baseline, ratio, goal, None if goal is None else ratio >= goal)


def ratio_at_most(name: str, value: float, unit: str, baseline: float, goal: float | None = None) -> Result:
    """A value beside its baseline where less is better, such as bytes against another coder's bytes."""
    ratio = value / baseline
    return Result(name, value, unit, baseline, ratio, goal, None if goal is None else ratio <= goal)


def rates_at_least(name: str, rates: Rates, unit: str, goal: float | None = None) -> Result:
    """What compare found, as a line of the table; ``goal`` is for the ratio."""
    return ratio_at_least(name, rates.ours_per_s, unit, rates.baseline_per_s, goal)


def best_rate(work: Callable[[], object], seconds: float = 1.0, *, items: int = 1) -> float:
    """Items per second of ``work`` in its best turn, where one call of it does ``items``."""
    calls = _calls_per_turn(work)
    with _without_collector():
        return items * max(_rate(work, calls) for _ in _turns(seconds))


def compare(
    ours: Callable[[], object],
    baseline: Callable[[], object],
    seconds: float = 2.0,
    *,
    items: int = 1,
    baseline_items: int | None = None,
) -> Rates:
    """Times both in turns for ``seconds`` altogether. One call does ``items`` (the baseline's ``baseline_items``)."""
    ours_calls, baseline_calls = _calls_per_turn(ours), _calls_per_turn(baseline)
    ours_best = baseline_best = 0.0
    with _without_collector():
        for turn in _turns(seconds):
            # Who goes first changes every turn, so that neither always finds the caches as the other left them.
            if turn % 2:
                ours_best = max(ours_best, _rate(ours, ours_calls))
                baseline_best = max(baseline_best, _rate(baseline, baseline_calls))
            else:
                baseline_best = max(baseline_best, _rate(baseline, baseline_calls))
                ours_best = max(ours_best, _rate(ours, ours_calls))
    return Rates(items * ours_best, (baseline_items or items) * baseline_best)


def _turns(seconds: float) -> Iterator[int]:
    """Counts turns until the time is over, but TURNS_MIN in any case."""
    end = perf_counter() + seconds
    turn = 0
    while turn < TURNS_MIN or perf_counter() < end:
        yield turn
        turn += 1


def _calls_per_turn(work: Callable[[], object]) -> int:
    """How many calls fill a turn; finding out warms the code up as well."""
    calls = 1
    while True:
        start = perf_counter()
        _call(work, calls)
        spent_s = perf_counter() - start
        if spent_s >= TURN_S:
            return calls
        calls = max(calls * 2, math.ceil(calls * TURN_S / max(spent_s, 1e-9) * 0.5))


def _rate(work: Callable[[], object], calls: int) -> float:
    start = perf_counter()
    _call(work, calls)
    return calls / (perf_counter() - start)


def _call(work: Callable[[], object], calls: int) -> None:
    for _ in range(calls):
        work()


@contextmanager
def _without_collector() -> Iterator[None]:
    """A collection of garbage in the middle of one side's turn would be charged to that side alone."""
    was_enabled = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
