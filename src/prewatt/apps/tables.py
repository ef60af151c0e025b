"""Mode tables as people write them: two by name, any other as a JSON document.

    {"zone": "+01:00",
     "daylight": {"begins": "3 last sunday 02:00", "ends": "10 last sunday 02:00"},
     "plans": {"work": {"00:00": 50, "06:00": 100, "18:00": 200}, "free": {"00:00": 75}},
     "week": {"weekday": "work", "saturday": "free", "sunday": "free", "holiday": "free"},
     "seasons": [{"from": "06-01", "to": "08-31", "week": {...}}],
     "holidays": ["12-25", "2027-02-06"],
     "surcharges": [{"from_degrees": 26, "percent": 5}],
     "last_year": 2036, "afterwards": 100}

Plans give the percent of the unit price from a local quarter hour on. Only plans and week must be there. Times of
``daylight`` are those of standard time; without zone and daylight those of the installation hold. docs/guide/tariffs.md
explains it by examples.
"""

import re
from dataclasses import replace
from typing import Any, Final

from prewatt.apps.zones import ZoneRule
from prewatt.codec.modeexample import EXAMPLE_TABLE
from prewatt.codec.modeparts import YEAR_LAST
from prewatt.codec.modetable import (
    EVERY_YEAR,
    QUARTERS,
    AngleBand,
    DateRange,
    Daylight,
    DayPlan,
    Holiday,
    ModeTable,
    Segment,
    Turn,
    Week,
    flat_table,
)
from prewatt.units import ValueFieldError

__all__ = ["TABLE_NAMES", "named_table", "table_from_document"]

TABLE_NAMES: Final = ("flat", "example")
_KNOWN: Final = frozenset(
    {"zone", "daylight", "plans", "week", "seasons", "holidays", "surcharges", "last_year", "afterwards"}
)
_DAYS: Final = ("weekday", "saturday", "sunday", "holiday")
_WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_WEEKS: Final = {"first": 1, "second": 2, "third": 3, "fourth": 4, "last": 5}
_TIME: Final = re.compile(r"([01]\d|2[0-3]):(00|15|30|45)\Z")
_ZONE: Final = re.compile(r"([+-])(\d\d):(00|15|30|45)\Z")
_DATE: Final = re.compile(r"(?:(\d{4})-)?(\d\d)-(\d\d)\Z")
_QUARTERS_PER_HOUR: Final = 4
_MINUTES_PER_QUARTER: Final = 15
_CDEG: Final = 100


def named_table(name: str, zone: ZoneRule) -> ModeTable:
    """``flat`` (one price at all times) or ``example`` (the six steps by hour, day and season), in this zone."""
    if name == "flat":
        return replace(flat_table(), zone_quarters=zone.zone_quarters, daylight=zone.daylight)
    if name == "example":
        return replace(EXAMPLE_TABLE, zone_quarters=zone.zone_quarters, daylight=zone.daylight)
    raise ValueFieldError("table", name, f"one of {', '.join(TABLE_NAMES)}, or a document")


def table_from_document(document: Any, zone: ZoneRule) -> ModeTable:  # noqa: ANN401 - parsed JSON
    """The table of a JSON document; ValueFieldError names the first part that is not allowed."""
    if not isinstance(document, dict) or not {"plans", "week"} <= set(document):
        raise ValueFieldError("table", document, "an object with at least plans and week")
    unknown = sorted(set(document) - _KNOWN)
    if unknown:
        raise ValueFieldError("table", unknown[0], f"one of {', '.join(sorted(_KNOWN))}")
    try:
        return _table(document, zone)
    except ValueFieldError:
        raise
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        raise ValueFieldError("table", type(error).__name__, f"what the guide shows ({error})") from error


def _table(document: dict[str, Any], zone: ZoneRule) -> ModeTable:
    afterwards = document.get("afterwards", 100)
    percents = tuple(
        sorted({percent for plan in document["plans"].values() for percent in plan.values()} | {afterwards})
    )
    names = list(document["plans"])
    return ModeTable(
        version=0,
        valid_from_s=0,
        percents=percents,
        plans=tuple(_plan(name, document["plans"][name], percents) for name in names),
        week=_week(document["week"], names),
        zone_quarters=_zone(document["zone"]) if "zone" in document else zone.zone_quarters,
        daylight=_daylight_of(document, zone),
        last_year=document.get("last_year", YEAR_LAST),
        after_step=percents.index(afterwards),
        seasons=tuple(_season(season, names) for season in document.get("seasons", [])),
        holidays=tuple(sorted((_holiday(date) for date in document.get("holidays", [])), key=Holiday.build_number)),
        bands=tuple(_band(band) for band in document.get("surcharges", [])),
    )


def _plan(name: str, plan: dict[str, int], percents: tuple[int, ...]) -> DayPlan:
    segments: list[Segment] = []
    for time in sorted(plan):
        step = percents.index(plan[time])
        if not segments or segments[-1].step != step:
            segments.append(Segment(_quarter(f"plan {name}", time), step))
    if not segments or segments[0].from_quarter:
        raise ValueFieldError(f"plan {name}", sorted(plan)[:1], "a percent from 00:00 on")
    return DayPlan(tuple(segments))


def _quarter(field: str, time: str) -> int:
    match = _TIME.match(time)
    if match is None:
        raise ValueFieldError(field, time, "a time hh:00, hh:15, hh:30 or hh:45")
    quarter = int(match[1]) * _QUARTERS_PER_HOUR + int(match[2]) // _MINUTES_PER_QUARTER
    assert quarter < QUARTERS
    return quarter


def _zone(zone: str) -> int:
    match = _ZONE.match(zone)
    if match is None:
        raise ValueFieldError("zone", zone, "an offset from UTC such as +01:00 or -03:30")
    quarters = int(match[2]) * _QUARTERS_PER_HOUR + int(match[3]) // _MINUTES_PER_QUARTER
    return -quarters if match[1] == "-" else quarters


def _week(week: dict[str, str], names: list[str]) -> Week:
    if sorted(week) != sorted(_DAYS):
        raise ValueFieldError("week", sorted(week), f"exactly {', '.join(_DAYS)}")
    for day, name in week.items():
        if name not in names:
            raise ValueFieldError(f"week {day}", name, f"one of the plans {', '.join(names)}")
    return Week(*(names.index(week[day]) for day in _DAYS))


def _daylight_of(document: dict[str, Any], zone: ZoneRule) -> Daylight | None:
    """The rule that is given; without one the installation's, unless the document has a zone of its own."""
    if document.get("daylight"):
        return _daylight(document["daylight"])
    return None if {"zone", "daylight"} & set(document) else zone.daylight


def _daylight(rule: dict[str, str]) -> Daylight:
    if sorted(rule) != ["begins", "ends"]:
        raise ValueFieldError("daylight", sorted(rule), "begins and ends")
    return Daylight(_turn(rule["begins"]), _turn(rule["ends"]))


def _turn(text: str) -> Turn:
    month, _, rest = text.lower().partition(" ")
    week, _, rest = rest.partition(" ")
    weekday, _, time = rest.partition(" ")
    if not month.isdecimal() or week not in _WEEKS or weekday not in _WEEKDAYS:
        raise ValueFieldError("daylight", text, "such as '3 last sunday 02:00'")
    return Turn(int(month), _WEEKS[week], _WEEKDAYS.index(weekday), _quarter("daylight", time))


def _season(season: dict[str, Any], names: list[str]) -> DateRange:
    _, *first = _date("season from", season["from"])
    _, *last = _date("season to", season["to"])
    return DateRange((first[0], first[1]), (last[0], last[1]), _week(season["week"], names))


def _holiday(text: str) -> Holiday:
    return Holiday(*_date("holiday", text))


def _date(field: str, text: str) -> tuple[int, int, int]:
    match = _DATE.match(text)
    if match is None:
        raise ValueFieldError(field, text, "MM-DD, or YYYY-MM-DD for one year")
    return (int(match[1]) if match[1] else EVERY_YEAR, int(match[2]), int(match[3]))


def _band(band: dict[str, int]) -> AngleBand:
    return AngleBand(round(band["from_degrees"] * _CDEG), band["percent"])
