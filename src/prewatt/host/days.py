"""Days of the installation's calendar: a day is a number, counted since 1970-01-01, and begins at local midnight."""

from datetime import date, datetime, time
from typing import Final
from zoneinfo import ZoneInfo

from prewatt.units import MINUTE_S

__all__ = ["EPOCH_DAY", "day_number", "local_day", "midnight_s", "moment_s"]

EPOCH_DAY: Final = date(1970, 1, 1).toordinal()
_HOUR_S: Final = 3_600


def day_number(day: date) -> int:
    """Days since 1970-01-01."""
    return day.toordinal() - EPOCH_DAY


def local_day(second: int, zone: ZoneInfo) -> int:
    """The day of the zone's calendar, counted since 1970-01-01, in which a UTC second lies."""
    return day_number(datetime.fromtimestamp(second, zone).date())


def midnight_s(day: int, zone: ZoneInfo) -> int:
    """The UTC second at which a day of the zone's calendar begins."""
    return moment_s(day, 0, zone)


def moment_s(day: int, clock_s: int, zone: ZoneInfo) -> int:
    """The UTC second at which clocks of the zone first show ``clock_s`` (whole minutes after 00:00) on a day; where
    they skip it, as much later as they skip. On days of 23 or 25 hours that is not midnight and so many seconds."""
    hours, rest_s = divmod(clock_s, _HOUR_S)
    shown = time(hours, rest_s // MINUTE_S)
    return int(datetime.combine(date.fromordinal(day + EPOCH_DAY), shown, zone).timestamp())
