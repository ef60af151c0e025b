"""One local station's day on the modelled line: how long a full poll of 256 meters takes, how long value waits in it.

Station, modems, meters (each with a day of a real house in its memory) and sessions are the real ones, the medium is
the model; see `bench.line_day`. Once the poll is a third and once two thirds through, value is sent to twelve meters
that are not being polled, one after the other, and the covers of three are opened. Times are those of the line; how
fast the computer works the line off is a figure of its own. `python -m bench.field_line` writes the figures to the file
that docs/reference/line.md shows.
"""

import json
from collections import deque
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter
from typing import Final

from bench.harness import Result, figure
from bench.line_day import Home, LineDay
from prewatt.codec.messages import MessageType
from prewatt.device.meter import Cover
from prewatt.units import MeterId

__all__ = ["FIGURES", "PROFILES_MEASURED", "LineFigures", "measure", "run"]

PROFILES_MEASURED: Final = ("powerline-2400", "powerline-9600", "powerline-64k")
FIGURES: Final = Path(__file__).parents[1] / "docs" / "reference" / "line-day.json"
HOMES: Final = 256
SEED: Final = 256
_TRANSFERS_EACH, _COVERS_EACH = 12, 3
_TRIES_MAX: Final = 10
_MS: Final = 1_000


@dataclass(frozen=True, slots=True)
class LineFigures:
    """What came of one line. Times in seconds of line; waits from the order to the proved Result at the host."""

    profile: str
    meters: int
    polled: int
    poll_s: float
    retries: int
    value_idle_s: float
    value_mean_s: float
    value_worst_s: float
    alarm_mean_s: float
    alarm_worst_s: float
    reports_s: float
    repeated_percent: float
    arrivals: int
    took_s: float


class _Poll:
    """A full poll, with value and alarms in the middle of it."""

    def __init__(self, day: LineDay, homes: Sequence[Home]) -> None:
        self.day = day
        self.waiting = deque(homes)
        self.polled: set[bytes] = set()
        self.tries: dict[bytes, int] = {}
        self.retries = 0
        self.last_ms = day.now_ms
        self.value_ms: list[int] = []
        self.opened_ms: dict[MeterId, int] = {}

    @property
    def over(self) -> bool:
        """Whether every meter was read or given up."""
        return not self.waiting and not self.day.open

    def go(self, share: float) -> None:
        """Polls until this share of the meters is read."""
        wanted = share * len(self.day.homes)
        self._refill()
        self.day.run(lambda: len(self.polled) >= wanted or self.over)

    def sell(self, homes: Sequence[Home]) -> None:
        """Sends value to these meters, one after the other, each at another moment of what the line is about."""
        for number, home in enumerate(homes):
            self.day.run_for((number + 1) * self.day.cost_ms // len(homes))
            self.day.run(lambda home=home: home.meter_id not in self.day.open)  # type: ignore[misc]
            outcome: list[bool] = []
            began_ms = self.day.now_ms
            self.day.begin(home, home.value(), outcome.append, urgent=True)
            self.day.run(lambda outcome=outcome: bool(outcome))  # type: ignore[misc]
            if outcome[0]:
                home.money += 1
                self.value_ms.append(self.day.now_ms - began_ms)
            self._refill()

    def open_covers(self, homes: Sequence[Home]) -> None:
        """Opens covers: alarms that wait for a mini-slot."""
        for home in homes:
            self.opened_ms[home.meter_id] = self.day.now_ms
            self.day.tell(home, Cover(opened=True))

    def idle_homes(self, count: int) -> list[Home]:
        """Meters with which no session is open, from all over the line."""
        free = [home for home in self.day.homes if home.meter_id not in self.day.open and home.m_id % 3 == 1]
        free = [home for home in free if home.meter_id not in self.opened_ms]
        return free[:: max(1, len(free) // count)][:count]

    def _refill(self) -> None:
        for _ in range(len(self.waiting)):
            if len(self.day.open) >= self.day.at_once:
                return
            home = self.waiting.popleft()
            if home.meter_id in self.day.open:
                self.waiting.append(home)
                continue
            self.day.begin(home, home.query(), lambda done, home=home: self._ended(home, done))  # type: ignore[misc]

    def _ended(self, home: Home, done: bool) -> None:
        if done:
            self.polled.add(home.meter_id)
            self.last_ms = self.day.now_ms
        else:
            self.retries += 1
            self.tries[home.meter_id] = self.tries.get(home.meter_id, 0) + 1
            if self.tries[home.meter_id] < _TRIES_MAX:
                self.waiting.append(home)
        self._refill()


def measure(profile_name: str, homes: Sequence[Home], seed: int = SEED) -> LineFigures:
    """One poll of ``homes`` on a line of this profile."""
    began_s = perf_counter()
    day = LineDay(profile_name, homes, seed)
    idle = _Poll(day, ())
    idle.sell(idle.idle_homes(_TRANSFERS_EACH))
    poll, start_ms = _Poll(day, homes), day.now_ms
    for share in (1 / 3, 2 / 3):
        poll.go(share)
        poll.open_covers(poll.idle_homes(_COVERS_EACH))
        poll.sell(poll.idle_homes(_TRANSFERS_EACH))
    poll.go(1)
    poll_ms = poll.last_ms - start_ms
    day.run(lambda: all((meter_id, MessageType.ALARM) in day.kept_ms for meter_id in poll.opened_ms))
    alarms_ms = [day.kept_ms[meter_id, MessageType.ALARM] - at_ms for meter_id, at_ms in poll.opened_ms.items()]
    reports_ms = _collect_reports(day)
    repeated = day.master.counts.repeated + sum(modem.counts.repeated for modem in day.modems)
    return LineFigures(
        profile=profile_name,
        meters=len(homes),
        polled=len(poll.polled),
        poll_s=poll_ms / _MS,
        retries=poll.retries,
        value_idle_s=_mean(idle.value_ms),
        value_mean_s=_mean(poll.value_ms),
        value_worst_s=max(poll.value_ms) / _MS,
        alarm_mean_s=_mean(alarms_ms),
        alarm_worst_s=max(alarms_ms) / _MS,
        reports_s=reports_ms / _MS,
        repeated_percent=100 * repeated / day.transmitted,
        arrivals=day.line.arrivals,
        took_s=perf_counter() - began_s,
    )


def _collect_reports(day: LineDay) -> int:
    """How long an idle line takes for the Reports of all meters, which all have theirs at the same moment."""
    began_ms = day.now_ms
    for home in day.homes:
        for report in home.reports:
            day.line.send(home.end, report, began_ms)
    wanted = [(home.meter_id, MessageType.REPORT) for home in day.homes if home.reports]
    day.run(lambda: all(each in day.kept_ms for each in wanted))
    return day.now_ms - began_ms


def _mean(times_ms: Sequence[int]) -> float:
    return sum(times_ms) / len(times_ms) / _MS


def run() -> list[Result]:
    """All three rates."""
    return [result for found in _measure_all() for result in _results(found)]


def _measure_all() -> list[LineFigures]:
    return [measure(name, [Home(number) for number in range(HOMES)]) for name in PROFILES_MEASURED]


def _results(found: LineFigures) -> list[Result]:
    name = found.profile.replace("-", "_")
    return [
        figure(f"field.{name}_poll_of_{found.meters}", found.poll_s / 60, "minutes of line"),
        figure(f"field.{name}_value_waits_in_it", found.value_mean_s, "s of line"),
        figure(f"field.{name}_value_waits_most", found.value_worst_s, "s of line"),
        figure(f"field.{name}_model", found.arrivals / found.took_s, "arrivals/s"),
    ]


if __name__ == "__main__":
    FIGURES.write_text(json.dumps([asdict(found) for found in _measure_all()], indent=1) + "\n")
