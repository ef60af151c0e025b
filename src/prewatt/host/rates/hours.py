"""Prices by time: what a kilowatt-hour costs at which local minute of which kind of day in which season.

Wider than a meter's mode table on purpose: prices instead of percents, any minute instead of quarter hours, seven kinds
of day and the holiday instead of four. So a tariff of somebody else can be held and compared as it is, and
`prewatt.host.rates.meterfit` says what of it no meter can follow.
"""

from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Final

from prewatt.codec.modeparts import YEAR_FIRST, YEAR_LAST, AngleBand, Daylight, Holiday
from prewatt.codec.modetable import EVERY_YEAR
from prewatt.units import VALUE_MAX_MICRO, ValueFieldError

__all__ = [
    "DAYS_MAX",
    "DAY_KINDS",
    "DAY_MINUTES",
    "HOLIDAYS_MAX",
    "SEASONS_MAX",
    "SURCHARGES_MAX",
    "DayHours",
    "Hours",
    "Season",
    "flat_hours",
]

DAY_MINUTES: Final = 1_440
DAY_KINDS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "holiday")
# What a document may hold; a meter takes less.
DAYS_MAX: Final = 64
SEASONS_MAX: Final = 64
HOLIDAYS_MAX: Final = 400
SURCHARGES_MAX: Final = 32
_HOLIDAY: Final = 7
# UTC-12:00 to UTC+14:00.
_ZONE_LOW: Final = -48
_ZONE_HIGH: Final = 56


@dataclass(frozen=True, slots=True)
class DayHours:
    """A named day: (local minute, micro-units per kWh) from 00:00 on, each later than the one before and another."""

    name: str
    changes: tuple[tuple[int, int], ...]

    def __post_init__(self) -> None:
        field = f"price.days.{self.name}"
        if not self.changes or self.changes[0][0]:
            raise ValueFieldError(field, [minute for minute, _ in self.changes[:1]], "a price from 00:00 on")
        for (before, old), (after, new) in pairwise(self.changes):
            if not before < after < DAY_MINUTES or old == new:
                raise ValueFieldError(field, after, "minutes that rise, below 24:00, each with another price")
        for _, price in self.changes:
            check_price(field, price)


@dataclass(frozen=True, slots=True)
class Season:
    """From the first to the last (month, day), both included, maybe over the year's end; the first that fits holds.

    ValueError for a date that does not exist.
    """

    first: tuple[int, int]
    last: tuple[int, int]
    week: tuple[int, ...]

    def __post_init__(self) -> None:
        for month, day in (self.first, self.last):
            Holiday(EVERY_YEAR, month, day)

    def holds(self, month_day: tuple[int, int]) -> bool:
        """Whether the season covers this date."""
        if self.first > self.last:
            return month_day >= self.first or month_day <= self.last
        return self.first <= month_day <= self.last


@dataclass(frozen=True, slots=True)
class Hours:
    """Days, the ordinary week and seasons (places in ``days``, Monday to Sunday, then holiday), zone and holidays.

    After ``last_year`` the price ``after_micro`` holds at all times, so that no old calendar bills for ever.
    """

    days: tuple[DayHours, ...]
    week: tuple[int, ...]
    after_micro: int
    seasons: tuple[Season, ...] = ()
    holidays: tuple[Holiday, ...] = ()
    surcharges: tuple[AngleBand, ...] = ()
    zone_quarters: int = 0
    daylight: Daylight | None = None
    last_year: int = YEAR_LAST

    def __post_init__(self) -> None:
        check_price("price.afterwards", self.after_micro)
        _check_number("price.zone", self.zone_quarters, _ZONE_LOW, _ZONE_HIGH)
        _check_number("price.last_year", self.last_year, YEAR_FIRST, YEAR_LAST)
        for field, given, low, high in (
            ("price.days", self.days, 1, DAYS_MAX),
            ("price.seasons", self.seasons, 0, SEASONS_MAX),
            ("price.holidays", self.holidays, 0, HOLIDAYS_MAX),
            ("price.surcharges", self.surcharges, 0, SURCHARGES_MAX),
        ):
            _check_number(f"number of {field}", len(given), low, high)
        for week in (self.week, *(season.week for season in self.seasons)):
            if len(week) != len(DAY_KINDS) or not all(0 <= place < len(self.days) for place in week):
                raise ValueFieldError("price.week", week, f"a day for each of {', '.join(DAY_KINDS)}")
        _check_rising("price.holidays", [each.build_number() for each in self.holidays])
        _check_rising("price.surcharges", [each.from_cdeg for each in self.surcharges])
        names = [each.name for each in self.days]
        if len(set(names)) < len(names):
            raise ValueFieldError("price.days", names, "each name once")

    @property
    def prices(self) -> tuple[int, ...]:
        """Every price that can hold, lowest first."""
        return tuple(sorted({price for day in self.days for _, price in day.changes} | {self.after_micro}))

    def read_changes(self, day: date) -> tuple[tuple[int, int], ...]:
        """The prices of a local date, as (minute from which it holds, micro-units per kWh)."""
        if day.year > self.last_year:
            return ((0, self.after_micro),)
        month_day = (day.month, day.day)
        week = next((each.week for each in self.seasons if each.holds(month_day)), self.week)
        free = any(
            each.year in (day.year, EVERY_YEAR) and (each.month, each.day) == month_day for each in self.holidays
        )
        return self.days[week[_HOLIDAY if free else day.weekday()]].changes


def flat_hours(price_micro: int, *, zone_quarters: int = 0, daylight: Daylight | None = None) -> Hours:
    """One price at all times."""
    day = DayHours("all", ((0, price_micro),))
    return Hours((day,), (0,) * len(DAY_KINDS), price_micro, zone_quarters=zone_quarters, daylight=daylight)


def check_price(field: str, price_micro: int) -> None:
    """ValueFieldError for a price below 0 or above every figure of money."""
    _check_number(field, price_micro, 0, VALUE_MAX_MICRO)


def _check_number(field: str, given: int, low: int, high: int) -> None:
    if not low <= given <= high:
        raise ValueFieldError(field, given, f"{low} to {high}")


def _check_rising(field: str, given: list[int]) -> None:
    if any(after <= before for before, after in pairwise(given)):
        raise ValueFieldError(field, "the order", "rising, each once")
