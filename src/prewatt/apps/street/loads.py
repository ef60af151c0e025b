"""What the homes of the street take: eight different weeks of one real house, each repeated for ever.

The file beside this module holds one line a week: its first day, then 10,080 minute means of active power (W) and of
reactive power (var). WEEKS.md there names source and licence. More homes than weeks share them, each some hours later
than the last, so that no two kettles boil together.
"""

import csv
import lzma
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from prewatt.device.metrology import angle_of, pulses_of_minutes
from prewatt.units import DAY_S, MINUTE_S

__all__ = ["WEEK_MINUTES", "HomeLoad", "home_load", "read_weeks"]

WEEK_MINUTES: Final = 7 * DAY_S // MINUTE_S
_FILE: Final = Path(__file__).parent / "weeks.csv.xz"
# 1970-01-05 was a Monday, as is the first day of every week in the file.
_MONDAY_S: Final = 4 * DAY_S
_LATER_MINUTES: Final = 7 * 60


@dataclass(frozen=True, slots=True)
class HomeLoad:
    """One home's week: pulses of 0.1 Wh and the phase angle (hundredths of a degree, or None) of each minute."""

    name: str
    pulses: tuple[int, ...]
    angles_cdeg: tuple[int | None, ...]
    later_minutes: int = 0

    def at(self, minute_s: int) -> tuple[int, int | None]:
        """(pulses, angle) of the minute that begins at the UTC second ``minute_s``."""
        minute = ((minute_s - _MONDAY_S) // MINUTE_S - self.later_minutes) % WEEK_MINUTES
        return self.pulses[minute], self.angles_cdeg[minute]


@cache
def read_weeks() -> tuple[HomeLoad, ...]:
    """The weeks of the file, in the order of the year."""
    with lzma.open(_FILE, "rt", newline="") as lines:
        rows = list(csv.DictReader(lines))
    return tuple(_week(row["week"], row["active_w"].split(), row["reactive_var"].split()) for row in rows)


def _week(name: str, active: list[str], reactive: list[str]) -> HomeLoad:
    active_w, reactive_var = [float(watts) for watts in active], [float(var) for var in reactive]
    pulses = tuple(count or 0 for count in pulses_of_minutes(active_w).pulses)
    return HomeLoad(name, pulses, angle_of(active_w, reactive_var))


def home_load(number: int) -> HomeLoad:
    """The load of the home with this number, from 0."""
    weeks = read_weeks()
    round_, index = divmod(number, len(weeks))
    week = weeks[index]
    return HomeLoad(week.name, week.pulses, week.angles_cdeg, round_ * _LATER_MINUTES)
