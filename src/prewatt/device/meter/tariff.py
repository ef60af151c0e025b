"""Which price holds at a second: the mode table read as runs of seconds at one step.

A run ends at the next change of the day's plan, at a turn of the clocks, or at the end of the local day; whoever burns
asks once a run and not once a pulse. After the last valid year one step holds for ever.
"""

from typing import Final, NamedTuple

from prewatt.codec.modetable import EVERY_YEAR, ModeTable, table_digest
from prewatt.device.meter.calendar import LocalCalendar
from prewatt.device.metrology import surcharge_percent
from prewatt.units import DAY_S, QUARTER_S, UTC_MAX_S
from prewatt.units.value import VALUE_MAX_MICRO

__all__ = ["PriceRun", "Tariff"]

# A step that has not changed within this many runs is called constant: more than a year of daily runs.
_RUNS_SEARCHED: Final = 400
_SATURDAY: Final = 5
_SUNDAY: Final = 6


class PriceRun(NamedTuple):
    """From ``from_s`` up to, not including, ``until_s`` the step with this place and percent holds."""

    step: int
    percent: int
    from_s: int
    until_s: int


class Tariff:
    """A mode table with the unit price it came with (micro-units per kWh)."""

    __slots__ = ("_holidays", "_run", "calendar", "encoded", "table", "unit_price_micro")

    def __init__(self, table: ModeTable, unit_price_micro: int) -> None:
        self.table = table
        self.unit_price_micro = unit_price_micro
        self.encoded = table.build()
        self.calendar = LocalCalendar.of(table)
        self._holidays = frozenset((each.year, each.month, each.day) for each in table.holidays)
        self._run = PriceRun(0, 0, 0, 0)

    @property
    def digest(self) -> bytes:
        """By which the host knows it."""
        return table_digest(self.encoded, self.unit_price_micro)

    def price_run(self, second: int) -> PriceRun:
        """The run that holds this second."""
        run = self._run
        if not run.from_s <= second < run.until_s:
            run = self._run = self._find_run(second)
        return run

    def next_change_s(self, second: int) -> int | None:
        """The first later second with another percent; None where none is in sight."""
        run = first = self._find_run(second)
        for _ in range(_RUNS_SEARCHED):
            if run.until_s > UTC_MAX_S:
                return None
            run = self._find_run(run.until_s)
            if run.percent != first.percent:
                return run.from_s
        return None

    def source_price_micro(self, source: int) -> int:
        """The unit price of a source; one that the table does not name costs what the first does."""
        if source == 0 or source > len(self.table.sources):
            return self.unit_price_micro
        return self.table.sources[source - 1].price_micro(self.unit_price_micro)

    def check_prices(self, sources: int) -> None:
        """ValueError where the price of a source is more than the meter's arithmetic allows."""
        for source in range(sources):
            price = self.source_price_micro(source)
            if price > VALUE_MAX_MICRO:
                raise ValueError(f"unit price of source {source}: {price} is above {VALUE_MAX_MICRO}")

    def surcharge_percent(self, mean_angle_cdeg: int | None) -> int:
        """What the mean phase angle of a minute adds to the price of the next one."""
        return surcharge_percent(self.table.bands, mean_angle_cdeg)

    def _find_run(self, second: int) -> PriceRun:
        table, calendar = self.table, self.calendar
        offset_s = calendar.read_offset_s(second)
        day, wall_s = divmod(second + offset_s, DAY_S)
        today = calendar.read_date(day)
        if today.year > table.last_year:
            return PriceRun(table.after_step, table.percents[table.after_step], second, UTC_MAX_S + 1)
        segments = table.plans[self._plan_of(day)].segments
        quarter = wall_s // QUARTER_S
        place = sum(segment.from_quarter <= quarter for segment in segments) - 1
        end_wall_s = segments[place + 1].from_quarter * QUARTER_S if place + 1 < len(segments) else DAY_S
        until_s = min(second + end_wall_s - wall_s, calendar.read_next_turn_s(second))
        step = segments[place].step
        return PriceRun(step, table.percents[step], second, until_s)

    def _plan_of(self, day: int) -> int:
        today = self.calendar.read_date(day)
        month_day = (today.month, today.day)
        week = self.table.week
        for season in self.table.seasons:
            inside = season.first <= month_day <= season.last
            if season.first > season.last:
                inside = month_day >= season.first or month_day <= season.last
            if inside:
                week = season.week
                break
        if (today.year, *month_day) in self._holidays or (EVERY_YEAR, *month_day) in self._holidays:
            return week.holiday
        weekday = today.weekday()
        return week.sunday if weekday == _SUNDAY else week.saturday if weekday == _SATURDAY else week.weekday
