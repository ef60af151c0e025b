"""Days of the installation's calendar: a day is a number, counted since 1970-01-01, and begins at local midnight."""

from datetime import date, datetime, time
from typing import Final
from zoneinfo import ZoneInfo

__all__ = ["EPOCH_DAY", "day_number", "local_day", "midnight_s"]

EPOCH_DAY: Final = date(1970, 1, 1).toordinal()


def day_number(day: date) -> int:
    """Days since 1970-01-01."""
    return day.toordinal() - EPOCH_DAY


def local_day(second: int, zone: ZoneInfo) -> int:
    """The day of the zone's calendar, counted since 1970-01-01, in which a UTC second lies."""
    return day_number(datetime.fromtimestamp(second, zone).date())


def midnight_s(day: int, zone: ZoneInfo) -> int:
    """The UTC second at which a day of the zone's calendar begins."""
    return int(datetime.combine(date.fromordinal(day + EPOCH_DAY), time.min, zone).timestamp())
