"""The hours of a plan as people write them, read and written: days, week, seasons, holidays, zone.

    "price": {"unit": "0.30",
              "days": {"work": {"00:00": "50%", "06:00": "0.30", "17:00": "0.60"}, "free": {"00:00": "75%"}},
              "week": {"weekday": "work", "saturday": "free", "sunday": "free", "holiday": "free"},
              "seasons": [{"from": "06-01", "to": "08-31", "week": {...}}],
              "holidays": ["12-25", "2027-02-06"],
              "surcharges": [{"from_degrees": "26", "percent": 5}],
              "zone": "+01:00", "daylight": {"begins": "3 last sunday 02:00", "ends": "10 last sunday 02:00"},
              "last_year": 2036, "afterwards": "0.30"}

A price is a decimal per kilowatt-hour or a percent of the unit price. Only `unit` must be there; days and week go
together. Times of `daylight` are those of standard time.
"""

import re
from datetime import date
from typing import Any, Final

from prewatt.codec.modeparts import YEAR_FIRST, YEAR_LAST, AngleBand, Daylight, Holiday, Turn
from prewatt.codec.modetable import EVERY_YEAR
from prewatt.host.rates.hours import (
    DAY_KINDS,
    DAYS_MAX,
    HOLIDAYS_MAX,
    SEASONS_MAX,
    SURCHARGES_MAX,
    DayHours,
    Hours,
    Season,
    flat_hours,
)
from prewatt.host.rates.section import Section, parse_clock
from prewatt.units import MICRO_DIGITS, MICRO_PER_UNIT, Micro, ValueFieldError, format_value, parse_value

__all__ = ["PRICE_KEYS", "WEEKDAY", "build_hours", "format_clock", "format_holiday", "read_hours"]

PRICE_KEYS: Final = (
    *("unit", "days", "week", "seasons", "holidays", "surcharges", "zone", "daylight", "last_year", "afterwards"),
)
WEEKDAY: Final = "weekday"
_WORKING: Final = 5
_LEAP_YEAR: Final = 2000
_WEEKS: Final = ("first", "second", "third", "fourth", "last")
_ZONE: Final = re.compile(r"([+-])(\d\d):(00|15|30|45)\Z", re.ASCII)
_DATE: Final = re.compile(r"(?:(\d{4})-)?(\d\d)-(\d\d)\Z", re.ASCII)
_TURN: Final = re.compile(r"(\d{1,2}) (\w+) (\w+) (\d\d:(?:00|15|30|45))\Z", re.ASCII)
_QUARTERS: Final = 4
_QUARTER_MINUTES: Final = 15
_CDEG_PER_MICRO: Final = 10_000
_PERCENT: Final = 100


def read_hours(price: Section, unit_micro: int, *, zone_quarters: int, daylight: Daylight | None) -> Hours:
    """The hours of a `price` object; ValueFieldError names what is wrong. Zone and rule hold where it has none."""
    zone, rule = _read_zone(price, zone_quarters, daylight)
    last_year = price.whole("last_year", YEAR_FIRST, YEAR_LAST, YEAR_LAST)
    after = unit_micro
    if "afterwards" in price:
        after = _read_price(price.place("afterwards"), price.read("afterwards", "a price"), unit_micro)
    if "days" in price or "week" in price:
        written = price.items("days", DAYS_MAX)
        days = tuple(
            _read_day(f"{price.place('days')}.{name}", name, given, unit_micro) for name, given in written.items()
        )
        week = _read_week(price, list(written))
    else:
        flat = flat_hours(unit_micro)
        days, week = flat.days, flat.week
    names = [day.name for day in days]
    seasons = price.sections("seasons", ("from", "to", "week"), SEASONS_MAX)
    return Hours(
        days=days,
        week=week,
        after_micro=after,
        seasons=tuple(_read_season(each, names) for each in seasons),
        holidays=_read_holidays(price),
        surcharges=tuple(
            _read_band(each) for each in price.sections("surcharges", ("from_degrees", "percent"), SURCHARGES_MAX)
        ),
        zone_quarters=zone,
        daylight=rule,
        last_year=last_year,
    )


def build_hours(unit_micro: int, hours: Hours) -> dict[str, Any]:
    """The `price` object of these hours, with every part named, as `read_hours` takes it."""
    return {
        "unit": _format(unit_micro),
        "days": {
            day.name: {format_clock(minute): _format(price) for minute, price in day.changes} for day in hours.days
        },
        "week": _build_week(hours, hours.week),
        "seasons": [
            {
                "from": "{:02d}-{:02d}".format(*season.first),
                "to": "{:02d}-{:02d}".format(*season.last),
                "week": _build_week(hours, season.week),
            }
            for season in hours.seasons
        ],
        "holidays": [format_holiday(each) for each in hours.holidays],
        "surcharges": [
            {"from_degrees": _format_degrees(each.from_cdeg), "percent": each.surcharge_percent}
            for each in hours.surcharges
        ],
        "zone": _build_zone(hours.zone_quarters),
        "daylight": None if hours.daylight is None else _build_daylight(hours.daylight),
        "last_year": hours.last_year,
        "afterwards": _format(hours.after_micro),
    }


def format_clock(minute: int) -> str:
    """hh:mm."""
    return "{:02d}:{:02d}".format(*divmod(minute, 60))


def format_holiday(day: Holiday) -> str:
    """MM-DD, or YYYY-MM-DD for one year."""
    dated = f"{day.month:02d}-{day.day:02d}"
    return dated if day.year == EVERY_YEAR else f"{day.year}-{dated}"


def _format(micro: int) -> str:
    return format_value(micro, digits=0)


def _read_price(field: str, given: object, unit_micro: int) -> Micro:
    """A decimal, or a percent of the unit price that comes out in whole micro-units."""
    if isinstance(given, bool) or not isinstance(given, int | str):
        raise ValueFieldError(field, given, "a decimal per kWh or a percent of the unit price, written as text")
    text = str(given)
    if not text.endswith("%"):
        return parse_value(text, digits=MICRO_DIGITS, field=field, zero=True)
    percent_micro = parse_value(text[:-1], digits=4, field=field, zero=True)
    price, left = divmod(unit_micro * percent_micro, _PERCENT * MICRO_PER_UNIT)
    if left:
        raise ValueFieldError(field, given, "a percent that gives a price of at most 6 decimals")
    return Micro(price)


def _read_day(field: str, name: str, given: object, unit_micro: int) -> DayHours:
    if not isinstance(given, dict) or not given:
        raise ValueFieldError(field, given, "an object of times and prices, from 00:00 on")
    changes: list[tuple[int, int]] = []
    for minute, price in sorted(
        (parse_clock(field, time), _read_price(field, given[time], unit_micro)) for time in given
    ):
        if not changes or changes[-1][1] != price:
            changes.append((minute, price))
    return DayHours(name, tuple(changes))


def _read_week(holder: Section, names: list[str]) -> tuple[int, ...]:
    week = holder.section("week", (WEEKDAY, *DAY_KINDS))
    places = []
    for at, kind in enumerate(DAY_KINDS):
        key = WEEKDAY if kind not in week and at < _WORKING else kind
        places.append(names.index(week.choice(key, names)))
    return tuple(places)


def _read_season(season: Section, names: list[str]) -> Season:
    dates = []
    for key in ("from", "to"):
        year, month, day = _read_date(season.place(key), season.text(key, "MM-DD"))
        if year != EVERY_YEAR:
            raise ValueFieldError(season.place(key), season.text(key), "MM-DD, since it comes every year")
        dates.append((month, day))
    return Season(dates[0], dates[1], _read_week(season, names))


def _read_holidays(price: Section) -> tuple[Holiday, ...]:
    days = []
    for place, given in enumerate(price.entries("holidays", HOLIDAYS_MAX)):
        field = f"{price.place('holidays')}[{place}]"
        days.append(Holiday(*_read_date(field, given)))
    return tuple(sorted(days, key=Holiday.build_number))


def _read_date(field: str, given: object) -> tuple[int, int, int]:
    match = _DATE.match(given) if isinstance(given, str) else None
    if match is not None:
        year, month, day = int(match[1] or EVERY_YEAR), int(match[2]), int(match[3])
        try:
            Holiday(year, month, day)
            date(int(match[1] or _LEAP_YEAR), month, day)
        except ValueError as error:
            raise ValueFieldError(field, given, f"a date that exists ({error})") from None
        if not match[1] or year != EVERY_YEAR:
            return year, month, day
    raise ValueFieldError(field, given, "MM-DD, or YYYY-MM-DD for one year")


def _read_band(band: Section) -> AngleBand:
    text = str(band.read("from_degrees", "degrees"))
    degrees = parse_value(text.removeprefix("-"), digits=2, field=band.place("from_degrees"), zero=True)
    cdeg = degrees // _CDEG_PER_MICRO * (-1 if text.startswith("-") else 1)
    try:
        return AngleBand(cdeg, band.whole("percent", 0, 155))
    except ValueFieldError:
        raise
    except ValueError:
        raise ValueFieldError(band.place("from_degrees"), text, "-180 to 180") from None


def _read_zone(price: Section, zone_quarters: int, daylight: Daylight | None) -> tuple[int, Daylight | None]:
    if "zone" in price:
        given = price.text("zone")
        match = _ZONE.match(given)
        if match is None:
            raise ValueFieldError(price.place("zone"), given, "an offset from UTC such as +01:00 or -03:30")
        zone_quarters = int(match[2]) * _QUARTERS + int(match[3]) // _QUARTER_MINUTES
        zone_quarters, daylight = -zone_quarters if match[1] == "-" else zone_quarters, None
    if "daylight" in price:
        rule = price.section("daylight", ("begins", "ends", "shift_minutes"))
        shift = rule.whole("shift_minutes", _QUARTER_MINUTES, 180, 60)
        turns = [_read_turn(rule.place(key), rule.text(key)) for key in ("begins", "ends")]
        try:
            daylight = Daylight(turns[0], turns[1], shift // _QUARTER_MINUTES)
        except ValueError as error:
            raise ValueFieldError(
                price.place("daylight"), rule.text("ends"), f"a rule a meter can keep ({error})"
            ) from None
    return zone_quarters, daylight


def _read_turn(field: str, text: str) -> Turn:
    match = _TURN.match(text.lower())
    if match is not None and match[2] in _WEEKS and match[3] in DAY_KINDS[:7] and 1 <= int(match[1]) <= 12:
        quarter = parse_clock(field, match[4]) // _QUARTER_MINUTES
        return Turn(int(match[1]), _WEEKS.index(match[2]) + 1, DAY_KINDS.index(match[3]), quarter)
    raise ValueFieldError(field, text, "such as '3 last sunday 02:00'")


def _build_week(hours: Hours, week: tuple[int, ...]) -> dict[str, str]:
    return {kind: hours.days[place].name for kind, place in zip(DAY_KINDS, week, strict=True)}


def _format_degrees(cdeg: int) -> str:
    return _format(cdeg * _CDEG_PER_MICRO)


def _build_zone(quarters: int) -> str:
    whole, part = divmod(abs(quarters), _QUARTERS)
    return f"{'-' if quarters < 0 else '+'}{whole:02d}:{part * _QUARTER_MINUTES:02d}"


def _build_daylight(rule: Daylight) -> dict[str, Any]:
    turns = {"begins": _build_turn(rule.begins), "ends": _build_turn(rule.ends)}
    return {**turns, "shift_minutes": rule.shift_quarters * _QUARTER_MINUTES}


def _build_turn(turn: Turn) -> str:
    time = format_clock(turn.quarter * _QUARTER_MINUTES)
    return f"{turn.month} {_WEEKS[turn.week - 1]} {DAY_KINDS[turn.weekday]} {time}"
