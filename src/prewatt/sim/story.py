"""A run as a person reads it: what was done, and what happened between, with days and hours instead of milliseconds."""

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Final

from prewatt.sim.run import Outcome
from prewatt.units import DAY_S, MINUTE_S

__all__ = ["clock_text", "story"]

_LINES_MAX: Final = 120


def clock_text(at_ms: int) -> str:
    """A moment of the virtual clock: day and time of day since the begin."""
    seconds, milliseconds = divmod(at_ms, 1_000)
    day, rest = divmod(seconds, DAY_S)
    hour, rest = divmod(rest, 60 * MINUTE_S)
    minute, second = divmod(rest, MINUTE_S)
    return f"day {day} {hour:02d}:{minute:02d}:{second:02d}.{milliseconds:03d}"


def story(outcome: Outcome) -> list[str]:
    """Lines to print: how to run it again, its last events, and what was violated."""
    request = outcome.request
    lines = [
        f"seed {request.seed}, {request.meters} meters, {len(outcome.operations)} operations, {outcome.steps} steps",
        *_told(outcome.lines),
    ]
    if outcome.violation is not None:
        lines.append(f"VIOLATION {outcome.violation}")
    return lines


def _told(raw: Iterable[str]) -> Iterator[str]:
    """Events with their time; a row of writes of one owner is one line."""
    events = [_Event(line) for line in raw]
    told: list[str] = []
    for _, group in groupby(events, key=lambda event: event.group):
        same = list(group)
        more = f"  ({len(same)} times)" if len(same) > 1 else ""
        told.append(f"{clock_text(same[0].at_ms):>20}  {same[0].text}{more}")
    if len(told) > _LINES_MAX:
        yield f"... {len(told) - _LINES_MAX} lines before"
    yield from told[-_LINES_MAX:]


class _Event:
    """One line of the history."""

    __slots__ = ("at_ms", "group", "text")

    def __init__(self, line: str) -> None:
        at_ms, kind, told = line.rstrip("\n").split(" ", 2)
        self.at_ms = int(at_ms)
        self.text = f"{kind:<10} {told}"
        # Writes follow one another by the hundred; deliveries and operations are told one by one.
        self.group: object = (kind, told.split(" ")[0]) if kind == "written" else self
