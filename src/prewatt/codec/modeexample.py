"""The time-of-use example of the invention's description, as a table one can send: six steps, seasons, holidays.

On weekdays 06-09 and 18-20 cost 75 %, 09-12 and 13-18 cost 200 %, 12-13 and 20-23 cost 100 %; nights, 23-06, cost 50 %
every day; Saturdays, Sundays and holidays cost 75 % by day; from June to August weekdays 14-16 cost 300 %. The 150 %
step is there for a plan to come. The holidays are those of Korea with a fixed date, and two years of the lunar ones.
"""

from typing import Final

from prewatt.codec.modetable import (
    EVERY_YEAR,
    AngleBand,
    DateRange,
    DayPlan,
    Holiday,
    ModeTable,
    Segment,
    Week,
)

__all__ = ["EXAMPLE_TABLE"]

_PERCENTS: Final = (50, 75, 100, 150, 200, 300)
_HOUR: Final = 4


def _plan(*hours: tuple[int, int]) -> DayPlan:
    """A plan of (from the full hour, percent)."""
    return DayPlan(tuple(Segment(hour * _HOUR, _PERCENTS.index(percent)) for hour, percent in hours))


_WEEKDAY: Final = _plan((0, 50), (6, 75), (9, 200), (12, 100), (13, 200), (18, 75), (20, 100), (23, 50))
_SUMMER: Final = _plan(
    *((0, 50), (6, 75), (9, 200), (12, 100), (13, 200)), *((14, 300), (16, 200), (18, 75), (20, 100), (23, 50))
)
_FREE_DAY: Final = _plan((0, 50), (6, 75), (23, 50))
_EVERY_YEAR: Final = ((1, 1), (3, 1), (5, 5), (6, 6), (8, 15), (10, 3), (10, 9), (12, 25))
_LUNAR: Final = (
    *((2026, 2, 16), (2026, 2, 17), (2026, 2, 18), (2026, 5, 24), (2026, 9, 24), (2026, 9, 25), (2026, 9, 26)),
    *((2027, 2, 6), (2027, 2, 7), (2027, 2, 8), (2027, 5, 13), (2027, 9, 14), (2027, 9, 15), (2027, 9, 16)),
)

EXAMPLE_TABLE: Final = ModeTable(
    version=1,
    valid_from_s=0,
    zone_quarters=9 * _HOUR,
    percents=_PERCENTS,
    plans=(_WEEKDAY, _SUMMER, _FREE_DAY),
    week=Week(weekday=0, saturday=2, sunday=2, holiday=2),
    seasons=(DateRange((6, 1), (8, 31), Week(weekday=1, saturday=2, sunday=2, holiday=2)),),
    holidays=(*(Holiday(*date) for date in _LUNAR), *(Holiday(EVERY_YEAR, *date) for date in _EVERY_YEAR)),
    bands=(AngleBand(2_600, 5), AngleBand(3_700, 10), AngleBand(4_600, 20)),
    last_year=2036,
    after_step=2,
)
