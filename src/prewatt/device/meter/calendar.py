"""The local calendar of a mode table: zone, daylight rule, days that last 1,380, 1,440 or 1,500 minutes.

Inside the meter time is UTC seconds; only prices, registers and reports have local days. The daylight rule's turns are
worked out year by year; no zone database is needed, and none could grow old in a meter.
"""

from datetime import date
from typing import Final

from prewatt.codec.modetable import Daylight, ModeTable, Turn
from prewatt.units import DAY_S, QUARTER_S, UTC_MAX_S

__all__ = ["LocalCalendar"]

_EPOCH_ORDINAL: Final = date(1970, 1, 1).toordinal()
_WEEK_DAYS: Final = 7
_DECEMBER: Final = 12


class LocalCalendar:
    """Local time of one zone and daylight rule. Days count from 1970-01-01; all seconds are UTC."""

    __slots__ = ("_daylight", "_shift_s", "_turns", "_year", "zone_s")

    def __init__(self, zone_quarters: int, daylight: Daylight | None) -> None:
        self.zone_s = zone_quarters * QUARTER_S
        self._daylight = daylight
        self._shift_s = daylight.shift_quarters * QUARTER_S if daylight else 0
        self._year = 0
        self._turns = (0, 0)

    @classmethod
    def of(cls, table: ModeTable) -> "LocalCalendar":
        """The calendar that ``table`` says."""
        return cls(table.zone_quarters, table.daylight)

    def read_offset_s(self, second: int) -> int:
        """Local time less UTC at that second."""
        if self._daylight is None:
            return self.zone_s
        begins, ends = self._turns_of(self._standard_date(second).year)
        north = begins < ends
        ahead = begins <= second < ends if north else not ends <= second < begins
        return self.zone_s + self._shift_s if ahead else self.zone_s

    def read_next_turn_s(self, second: int) -> int:
        """The first second after this one at which the offset changes; beyond all seconds where it never does."""
        if self._daylight is None:
            return UTC_MAX_S + 1
        year = self._standard_date(second).year
        turns = (*self._turns_of(year), *self._turns_of(year + 1))
        return min(turn for turn in turns if turn > second)

    def read_day(self, second: int) -> int:
        """The local day that holds this second."""
        return (second + self.read_offset_s(second)) // DAY_S

    def read_day_start_s(self, day: int) -> int:
        """The first second of a local day."""
        start = day * DAY_S - self.zone_s
        ahead = start - self._shift_s
        # Where midnight is skipped by the turn itself, the day begins with the turn, which is ``start``.
        return ahead if self._shift_s and self.read_day(ahead) == day else start

    def read_date(self, day: int) -> date:
        """The local date of a day."""
        return date.fromordinal(_EPOCH_ORDINAL + day)

    def _standard_date(self, second: int) -> date:
        return date.fromordinal(_EPOCH_ORDINAL + (second + self.zone_s) // DAY_S)

    def _turns_of(self, year: int) -> tuple[int, int]:
        """When daylight time begins and ends in a year of standard time."""
        if year == self._year:
            return self._turns
        daylight = self._daylight
        if daylight is None:
            raise ValueError("calendar: has no daylight rule")
        self._year, self._turns = year, (self._turn_s(year, daylight.begins), self._turn_s(year, daylight.ends))
        return self._turns

    def _turn_s(self, year: int, turn: Turn) -> int:
        first = date(year, turn.month, 1)
        day = first.toordinal() + (turn.weekday - first.weekday()) % _WEEK_DAYS + (turn.week - 1) * _WEEK_DAYS
        if turn.month == _DECEMBER:
            next_month = date(year + 1, 1, 1).toordinal()
        else:
            next_month = date(year, turn.month + 1, 1).toordinal()
        if day >= next_month:
            day -= _WEEK_DAYS
        return (day - _EPOCH_ORDINAL) * DAY_S + turn.quarter * QUARTER_S - self.zone_s
