"""What a mode table must say of a time zone: its standard time, and by which rule its clocks turn.

A meter has no zone database; its table carries the rule. The rule is read off the zone database here, by looking when
the clocks of the coming years really turn. A zone whose turns follow no such rule (dates set by decree) gets none, and
keeps standard time.
"""

from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from prewatt.codec.modetable import Daylight, Turn
from prewatt.host.host import Host
from prewatt.units import QUARTER_S

__all__ = ["ZoneRule", "installation_rule", "zone_rule"]

# A rule that fits so many years is taken to be the rule; last and fourth Sunday differ in most of them.
_YEARS_LOOKED_AT: Final = 8
_LAST_WEEK: Final = 5
_YEAR_DAYS: Final = 365
_WEEK_DAYS: Final = 7


class ZoneRule(NamedTuple):
    """Standard time less UTC in quarter hours, and the daylight rule, if clocks turn by one."""

    zone_quarters: int
    daylight: Daylight | None


def installation_rule(host: Host) -> ZoneRule:
    """The rule of the host's zone, from its present year on."""
    zone = host.context.zone
    return zone_rule(zone, datetime.fromtimestamp(host.now(), zone).year)


def zone_rule(zone: ZoneInfo, year: int) -> ZoneRule:
    """The rule of a zone from ``year`` on."""
    offsets = {_offset_quarters(zone, datetime(year, month, 1, tzinfo=UTC)) for month in range(1, 13)}
    standard, summer = min(offsets), max(offsets)
    if standard == summer:
        return ZoneRule(standard, None)
    years = [_turns(zone, each, standard) for each in range(year, year + _YEARS_LOOKED_AT)]
    begins = _common([turns[0] for turns in years])
    ends = _common([turns[1] for turns in years])
    if begins is None or ends is None:
        return ZoneRule(standard, None)
    try:
        return ZoneRule(standard, Daylight(begins, ends, summer - standard))
    except ValueError:
        # A turn that a table cannot say, such as one that falls back over midnight.
        return ZoneRule(standard, None)


def _offset_quarters(zone: ZoneInfo, moment: datetime) -> int:
    offset = moment.astimezone(zone).utcoffset() or timedelta()
    return int(offset.total_seconds()) // QUARTER_S


def _turns(zone: ZoneInfo, year: int, standard: int) -> tuple[set[Turn], set[Turn]]:
    """All ways to say when daylight time begins and ends in a year; empty where it does not do so exactly once."""
    start = datetime(year, 1, 1, tzinfo=UTC) - timedelta(seconds=standard * QUARTER_S)
    begins: list[datetime] = []
    ends: list[datetime] = []
    for day in range(_YEAR_DAYS):
        morning = start + timedelta(days=day)
        before, after = _offset_quarters(zone, morning), _offset_quarters(zone, morning + timedelta(days=1))
        if before != after:
            local = _first_after(zone, morning, before) + timedelta(seconds=standard * QUARTER_S)
            (begins if after > before else ends).append(local)
    return _ways(begins), _ways(ends)


def _first_after(zone: ZoneInfo, morning: datetime, before: int) -> datetime:
    """The quarter hour, in the day from ``morning`` on, at which the offset is no longer ``before``."""
    moment = morning
    while _offset_quarters(zone, moment) == before:
        moment += timedelta(seconds=QUARTER_S)
    return moment


def _ways(moments: list[datetime]) -> set[Turn]:
    """The n-th weekday of its month, and the last where it is that too, at a quarter hour of standard time."""
    if len(moments) != 1:
        return set()
    (moment,) = moments
    quarter = (moment.hour * 3_600 + moment.minute * 60) // QUARTER_S
    weeks = {(moment.day - 1) // _WEEK_DAYS + 1}
    if (moment + timedelta(days=_WEEK_DAYS)).month != moment.month:
        weeks.add(_LAST_WEEK)
    return {Turn(moment.month, week, moment.weekday(), quarter) for week in weeks}


def _common(years: list[set[Turn]]) -> Turn | None:
    """The one way that fits every year; where two do, the last weekday, as laws say it."""
    fitting = set.intersection(*years)
    return max(fitting, key=lambda turn: turn.week) if fitting else None
