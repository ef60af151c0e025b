"""Rates of the OpenEI Utility Rate Database (URDB) as plans, from one record of its JSON (`items` of an answer).

Taken: `energyratestructure` (periods of tiers, rate + adj in currency units per kWh, max in kWh of the month),
`energyweekdayschedule` and `energyweekendschedule` (a period for each month and hour), fixed charges, name and dates.
A plan counts one row of blocks a month, so tiers are taken where one period holds all year, and times of use where no
period has tiers. Charges for power, reactive power and minimum bills are no price of energy, and are problems until
``leave_out`` names the field. The schedules are hours of local standard or daylight time, as clocks show it.
"""

from collections import Counter
from collections.abc import Collection
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from prewatt.codec.modeparts import Daylight
from prewatt.host.rates.hours import DayHours, Hours, Season, flat_hours
from prewatt.host.rates.imported import Imported, Importing
from prewatt.host.rates.parts import (
    BLOCKS_MAX,
    DAYS_TAKEN,
    ENERGY_MAX_PULSES,
    MONTHS_TAKEN,
    NAME_CHARS_MAX,
    Block,
    Per,
    StandingCharge,
)
from prewatt.host.rates.plan import RatePlan
from prewatt.units import PULSES_PER_KWH, UTC_MAX_S, ValueFieldError, format_value

__all__ = ["import_urdb"]

_MONTHS: Final = 12
_DAY_HOURS: Final = 24
_HOUR_MINUTES: Final = 60
_PERIODS_MAX: Final = 64
_LAST_DAYS: Final = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_POWER: Final = "is asked for power, not for energy"
_REFUSED: Final = {
    "demandratestructure": _POWER,
    "flatdemandstructure": _POWER,
    "coincidentratestructure": _POWER,
    "demandreactivepowercharge": "is asked for reactive power; a plan has surcharges by phase angle",
    "demandReactPwrCharge": "is asked for reactive power; a plan has surcharges by phase angle",
    "fueladjustmentsmonthly": "changes the price from month to month; a plan version a month can",
    "mincharge": "is a least bill; who buys before use has none",
    "minmonthlycharge": "is a least bill; who buys before use has none",
    "annualmincharge": "is a least bill; who buys before use has none",
}
_NOTED: Final = ("energyattrs", "demandattrs", "fixedattrs", "dgrules", "dgRules", "usenetmetering")
_FIXED_UNITS: Final = {"$/month": Per.MONTH, "$/day": Per.DAY}
_ENERGY_UNIT: Final = "kWh"
_SCHEDULES: Final = ("energyweekdayschedule", "energyweekendschedule")

_Prices = list[list[tuple[int | None, int]]]


def import_urdb(
    record: object, *, zone_quarters: int, daylight: Daylight | None = None, leave_out: Collection[str] = ()
) -> Imported:
    """The plan of one record, in the zone given (a record has none). Fields named in ``leave_out`` are passed over."""
    importing = Importing()
    if not isinstance(record, dict):
        importing.refuse("", type(record).__name__, "is no record")
        return importing.finish(None)
    _find_refused(importing, record, leave_out)
    periods = _read_periods(importing, record)
    schedules = [_read_schedule(importing, record, key, len(periods)) for key in _SCHEDULES]
    standing = _read_standing(importing, record, leave_out)
    first, last = _read_day(importing, record, "startdate"), _read_day(importing, record, "enddate")
    name = record.get("name")
    if not isinstance(name, str) or not name.strip():
        importing.refuse("name", name, "is missing; a plan has a name")
    if first is None and "startdate" not in {each.path for each in importing.problems}:
        importing.refuse("startdate", None, "is missing; a plan is valid from a day")
    if importing.problems or first is None:
        return importing.finish(None)
    try:
        hours, blocks, unit = _build_prices(importing, periods, schedules, zone_quarters, daylight)
        plan = RatePlan(
            name=_clean(str(name)),
            version=1,
            valid_from=first,
            valid_to=last,
            unit_price_micro=unit,
            hours=hours,
            blocks=blocks,
            standing=standing,
        )
    except ValueFieldError as error:
        importing.refuse(error.field, error.given, f"is not allowed; allowed is {error.allowed}")
        return importing.finish(None)
    return importing.finish(plan)


def _clean(name: str) -> str:
    printable = "".join(each if each.isprintable() and each != ":" else " " for each in name)
    return " ".join(printable.split())[:NAME_CHARS_MAX].strip()


def _find_refused(importing: Importing, record: dict[str, Any], leave_out: Collection[str]) -> None:
    for field, why in _REFUSED.items():
        path = _find_amount(record.get(field), field)
        if path is None:
            continue
        if field in leave_out:
            importing.notes.append(f"{field} is left out: it {why}")
        else:
            importing.refuse(path[0], path[1], why)
    importing.notes += [f"{field} is not read" for field in _NOTED if record.get(field)]
    importing.notes.append("a record names no holidays; they are as their day of the week")


def _find_amount(given: object, path: str) -> tuple[str, object] | None:
    """The first figure below that is not 0, with its path; a rate of 0 asks for nothing."""
    if isinstance(given, dict):
        nested = ((f"{path}/{key}", each) for key, each in given.items() if key in ("rate", "adj"))
    elif isinstance(given, list):
        nested = ((f"{path}/{place}", each) for place, each in enumerate(given))
    else:
        return (path, given) if given not in (None, 0, "", "0") else None
    return next((found for each in nested if (found := _find_amount(each[1], each[0]))), None)


def _read_periods(importing: Importing, record: dict[str, Any]) -> _Prices:
    """Each period as tiers of (until pulses, price)."""
    given = record.get("energyratestructure")
    if not isinstance(given, list) or not 0 < len(given) <= _PERIODS_MAX:
        importing.refuse("energyratestructure", given, "is missing, or no list of periods")
        return []
    periods = []
    for place, tiers in enumerate(given):
        path = f"energyratestructure/{place}"
        if isinstance(tiers, list) and 0 < len(tiers) <= BLOCKS_MAX:
            periods.append([_read_tier(importing, f"{path}/{at}", tier) for at, tier in enumerate(tiers)])
        else:
            importing.refuse(path, tiers, f"is no list of 1 to {BLOCKS_MAX} tiers")
            periods.append([])
    return periods


def _read_tier(importing: Importing, path: str, tier: object) -> tuple[int | None, int]:
    if not isinstance(tier, dict):
        importing.refuse(path, tier, "is no tier")
        return None, 0
    if tier.get("unit", _ENERGY_UNIT) != _ENERGY_UNIT:
        importing.refuse(f"{path}/unit", tier["unit"], "counts otherwise than in kWh of a month")
    if tier.get("rate") is None:
        importing.refuse(f"{path}/rate", None, "is missing")
        return None, 0
    price = importing.read_micro(f"{path}/rate", tier["rate"], parts=[tier.get("adj") or 0])
    if price < 0:
        importing.refuse(f"{path}/rate", tier["rate"], "with its adj is below 0")
    if tier.get("sell"):
        importing.notes.append(f"{path}/sell is not read: energy that is fed back is not bought")
    most = tier.get("max")
    if not most:
        return None, price
    return importing.read_scaled(f"{path}/max", (most,), PULSES_PER_KWH, ENERGY_MAX_PULSES), price


def _read_schedule(importing: Importing, record: dict[str, Any], key: str, periods: int) -> list[tuple[int, ...]]:
    """A row of 24 periods a month; problems for other shapes and periods that do not exist."""
    given = record.get(key)
    rows = given if isinstance(given, list) else []
    if len(rows) != _MONTHS or not all(isinstance(row, list) and len(row) == _DAY_HOURS for row in rows):
        importing.refuse(key, f"{len(rows)} rows", "is missing, or no 12 months of 24 hours")
        return []
    for month, row in enumerate(rows):
        for hour, period in enumerate(row):
            if isinstance(period, bool) or not isinstance(period, int) or not 0 <= period < periods:
                importing.refuse(f"{key}/{month}/{hour}", period, "is no period of energyratestructure")
                return []
    return [tuple(row) for row in rows]


def _read_standing(importing: Importing, record: dict[str, Any], leave_out: Collection[str]) -> StandingCharge | None:
    for field in ("fixedmonthlycharge", "fixedchargefirstmeter"):
        if not record.get(field) or field in leave_out:
            continue
        unit = "$/month" if field == "fixedmonthlycharge" else record.get("fixedchargeunits")
        if not isinstance(unit, str) or unit not in _FIXED_UNITS:
            importing.refuse("fixedchargeunits", unit, f"is none of {', '.join(_FIXED_UNITS)}")
            return None
        price = importing.read_micro(field, record[field])
        if price > 0:
            per = _FIXED_UNITS[unit]
            return StandingCharge(price, per, DAYS_TAKEN if per is Per.DAY else MONTHS_TAKEN)
        importing.refuse(field, record[field], "is no price above 0")
    return None


def _read_day(importing: Importing, record: dict[str, Any], field: str) -> date | None:
    """The day nearest to whose beginning the stamp lies: records have midnights of several zones."""
    given = record.get(field)
    if given is None:
        return None
    seconds = importing.read_scaled(field, (given,), 1, UTC_MAX_S)
    if seconds <= 0:
        importing.refuse(field, given, "is no day in seconds since 1970")
        return None
    return (datetime.fromtimestamp(0, UTC) + timedelta(seconds=seconds, hours=12)).date()


def _build_prices(
    importing: Importing,
    periods: _Prices,
    schedules: list[list[tuple[int, ...]]],
    zone_quarters: int,
    daylight: Daylight | None,
) -> tuple[Hours, tuple[Block, ...], int]:
    """Hours, blocks and unit price; the unit price is what holds in most hours, or that of the first tier."""
    weekdays, weekends = schedules
    weights = Counter({period: 0 for row in (*weekdays, *weekends) for period in row})
    for rows, days in ((weekdays, 5), (weekends, 2)):
        for row in rows:
            weights.update({period: days * count for period, count in Counter(row).items()})
    tiered = [period for period in weights if len(periods[period]) > 1]
    if len(weights) == 1:
        (period,) = weights
        tiers = periods[period]
        blocks = tuple(Block(None if at == len(tiers) - 1 else until, price) for at, (until, price) in enumerate(tiers))
        unit = next((price for _, price in tiers if price), 0)
        flat = flat_hours(unit, zone_quarters=zone_quarters, daylight=daylight)
        return flat, blocks if len(blocks) > 1 or blocks[0].price_micro != unit else (), unit
    if tiered:
        why = "has tiers beside other periods; a plan counts one row of blocks at all hours"
        importing.refuse(f"energyratestructure/{min(tiered)}", len(periods[min(tiered)]), why)
    prices = [tiers[0][1] for tiers in periods]
    by_price: Counter[int] = Counter()
    for period, weight in weights.items():
        by_price[prices[period]] += weight
    unit = max((price for price in by_price if price), key=lambda price: (by_price[price], -price), default=0)
    importing.notes.append(f"the unit price is {format_value(unit)}, which holds in most hours")
    return _build_hours(prices, weekdays, weekends, unit, zone_quarters, daylight), (), unit


def _build_hours(
    prices: list[int],
    weekdays: list[tuple[int, ...]],
    weekends: list[tuple[int, ...]],
    unit: int,
    zone_quarters: int,
    daylight: Daylight | None,
) -> Hours:
    """One week a row of like months; the months that most are like are the ordinary week, the others seasons."""
    days: dict[tuple[tuple[int, int], ...], int] = {}
    weeks = []
    for month in range(_MONTHS):
        work, free = (
            days.setdefault(_changes([prices[period] for period in rows[month]]), len(days))
            for rows in (weekdays, weekends)
        )
        # A holiday has the plan of a weekday here; none is named.
        weeks.append((work,) * 5 + (free,) * 2 + (work,))
    ordinary = Counter(weeks).most_common(1)[0][0]
    seasons = []
    month = 0
    while month < _MONTHS:
        last = month
        while last + 1 < _MONTHS and weeks[last + 1] == weeks[month]:
            last += 1
        if weeks[month] != ordinary:
            seasons.append(Season((month + 1, 1), (last + 1, _LAST_DAYS[last]), weeks[month]))
        month = last + 1
    named = tuple(DayHours(f"day {place + 1}", changes) for changes, place in days.items())
    return Hours(named, ordinary, unit, tuple(seasons), zone_quarters=zone_quarters, daylight=daylight)


def _changes(prices: list[int]) -> tuple[tuple[int, int], ...]:
    return tuple(
        (hour * _HOUR_MINUTES, price) for hour, price in enumerate(prices) if hour == 0 or prices[hour - 1] != price
    )
