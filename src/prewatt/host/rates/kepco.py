"""Tariffs of KEPCO, the Korean utility, as plans, from tables of its published prices (won, by month of change).

Residential: three blocks that are wider in July and August, a fourth far dearer one above 1,000 kWh in summer and
winter, a basic charge that grows with the block reached (the first is the standing charge, the rest the charge for
entering a block), climate and fuel charges per kWh, then VAT and the fund for the power industry on all of it. Since
blocks change with the season, a plan is made for one month. General supply of one price a season is a plan for a year.
"""

from datetime import date, timedelta
from typing import Any, Final

from prewatt.host.rates.hours import DAY_KINDS, DayHours, Hours, Season, flat_hours
from prewatt.host.rates.imported import Imported, Importing
from prewatt.host.rates.parts import (
    ENERGY_BASE,
    PPM,
    STANDING_BASE,
    Block,
    LineKind,
    Per,
    RateLine,
    StandingCharge,
    check_within,
)
from prewatt.host.rates.plan import RatePlan
from prewatt.units import MICRO_PER_UNIT, PULSES_PER_KWH, ValueFieldError

__all__ = ["import_kepco_general", "import_kepco_residential"]

_ZONE_QUARTERS: Final = 36
_VAT_PPM: Final = 100_000
_SUMMER: Final = (7, 8)
_WINTER: Final = (12, 1, 2)
_CLIMATE, _FUEL = 1, 2
_SEASONS: Final = ("summer", "spring and autumn", "winter")
_ROUNDED: Final = "a bill drops what is below 10 won, of the fund and of the sum; a plan rounds to the won"


def import_kepco_residential(tables: object, *, voltage: str, year: int, month: int) -> Imported:
    """The plan of one month for ``low`` or ``high`` voltage, from the residential tables."""
    importing = Importing()
    first, last = _month(year, month)
    season = "summer" if month in _SUMMER else "winter" if month in _WINTER else "etc"
    base = _at(tables, "PRICE_BASE", voltage)
    if base is None:
        importing.refuse(f"PRICE_BASE/{voltage}", voltage, "is not in the tables")
        return importing.finish(None)
    path, priced = _newest(tables, "PRICE_KWH", first, voltage)
    prices = _row(importing, f"{path}/kwhPrice", _at(priced, "kwhPrice"))
    charges = _row(importing, f"PRICE_BASE/{voltage}/basicPrice", _at(base, "basicPrice"))
    ends = _row(importing, f"PRICE_BASE/{voltage}/kwhSection/{season}", _at(base, "kwhSection", season))
    lines = _read_lines(importing, tables, "PRICE_ADJUSTMENT", first)
    path, deduction = _newest(tables, "PRICE_ELECBASIC", first, voltage)
    if _at(deduction, "elecBasicLimit", 0):
        why = "is taken off bills of up to 200 kWh only: what is bought later would undo it"
        importing.refuse(f"{path}/elecBasicLimit", _at(deduction, "elecBasicLimit"), why)
    fits = 0 < len(ends) <= min(len(prices), len(charges)) and charges[0] > 0 and prices[0] > 0
    if not importing.problems and not fits:
        importing.refuse(f"PRICE_BASE/{voltage}", len(ends), "has rows of other lengths, or a first price of nothing")
    if importing.problems:
        return importing.finish(None)
    importing.notes += [_ROUNDED, "discounts for families and hardship (dc) are not read"]
    return _finish(
        importing,
        f"KEPCO residential {voltage} voltage {year}-{month:02d}",
        (first, last),
        flat_hours(prices[0], zone_quarters=_ZONE_QUARTERS),
        prices[0],
        StandingCharge(charges[0], Per.MONTH),
        lines,
        _blocks(ends, prices, charges),
    )


def import_kepco_general(tables: object, *, contract: str, contract_kw: int, day: date) -> Imported:
    """The plan of a general or industrial contract such as ``F1-low``, with the prices that hold on ``day``."""
    importing = Importing()
    _, priced = _newest(tables, "MONTHLY_PRICE_BASIC", day, contract)
    basic = importing.read_micro(f"MONTHLY_PRICE_BASIC/{contract}/basic", _at(priced, "basic"))
    path, priced = _newest(tables, "MONTHLY_PRICE_SECTION", day, contract)
    sections = _at(priced, "section")
    if not isinstance(sections, list) or not sections:
        importing.refuse(f"{path}/section", sections, "is missing")
    elif len(sections) > 1:
        importing.refuse(
            f"{path}/section", f"{len(sections)} rows", "are prices by load period; its hours are not said"
        )
    prices = _row(importing, f"{path}/section/0", sections[0] if isinstance(sections, list) and sections else None)
    lines = _read_lines(importing, tables, "MONTHLY_PRICE_ADJUSTMENT", day)
    if not importing.problems and (len(prices) != 3 or min(prices) <= 0 or basic <= 0 or contract_kw < 1):
        importing.refuse(f"{path}/section/0", prices, "is no price for summer, spring and autumn, and winter")
    if importing.problems:
        return importing.finish(None)
    importing.notes += [_ROUNDED, "the basic charge is that of the contract's power, not of a measured peak"]
    summer, between, winter = (DayHours(name, ((0, price),)) for name, price in zip(_SEASONS, prices, strict=True))
    week = tuple(1 for _ in DAY_KINDS)
    seasons = (
        Season((6, 1), (8, 31), tuple(0 for _ in DAY_KINDS)),
        Season((11, 1), (2, 29), tuple(2 for _ in DAY_KINDS)),
    )
    hours = Hours((summer, between, winter), week, prices[1], seasons, zone_quarters=_ZONE_QUARTERS)
    standing = StandingCharge(basic * contract_kw, Per.MONTH)
    name = f"KEPCO {contract} {contract_kw} kW"
    return _finish(importing, name, (day, None), hours, prices[1], standing, lines, [])


def _blocks(ends: list[int], prices: list[int], charges: list[int]) -> list[tuple[int | None, int, int]]:
    """(until pulses, price, entry); the limit of the last stands for "without end"."""
    blocks = []
    for place, end in enumerate(ends):
        entry = charges[place] - charges[place - 1] if place else 0
        until = None if place == len(ends) - 1 else end * PULSES_PER_KWH // MICRO_PER_UNIT
        blocks.append((until, prices[place], entry))
    return blocks


def _finish(
    importing: Importing,
    name: str,
    valid: tuple[date, date | None],
    hours: Hours,
    unit: int,
    standing: StandingCharge,
    lines: tuple[RateLine, ...],
    blocks: list[tuple[int | None, int, int]],
) -> Imported:
    try:
        plan = RatePlan(
            name=name,
            version=1,
            valid_from=valid[0],
            valid_to=valid[1],
            digits=0,
            unit_price_micro=unit,
            hours=hours,
            blocks=tuple(Block(*each) for each in blocks),
            standing=standing,
            lines=lines,
        )
    except ValueFieldError as error:
        importing.refuse(error.field, error.given, f"is not allowed; allowed is {error.allowed}")
        return importing.finish(None)
    return importing.finish(plan)


def _read_lines(importing: Importing, tables: object, key: str, day: date) -> tuple[RateLine, ...]:
    """Climate and fuel per kWh, then VAT and fund on everything, as a bill has them."""
    path, found = _newest(tables, key, day)
    figures = _row(importing, f"{path}/adjustment", _at(found, "adjustment"))
    lines = []
    for name, place in (("climate", _CLIMATE), ("fuel", _FUEL)):
        figure = figures[place] if place < len(figures) else 0
        if figure:
            kind = LineKind.LEVY if figure > 0 else LineKind.DISCOUNT
            lines.append(RateLine(name, kind, per_kwh_micro=abs(figure)))
    path, fund = _newest(tables, "BASE_FUND", day)
    share = importing.read_micro(f"{path}/baseFundp", _at(fund, "baseFundp"))
    bases = (ENERGY_BASE, STANDING_BASE, *(line.name for line in lines))
    lines.append(RateLine("VAT", LineKind.TAX, share_ppm=_VAT_PPM, of=bases))
    if 0 < share <= PPM:
        lines.append(RateLine("fund", LineKind.LEVY, share_ppm=share, of=bases))
    return tuple(lines)


def _row(importing: Importing, path: str, given: object) -> list[int]:
    if not isinstance(given, list):
        importing.refuse(path, given, "is missing, or no list")
        return []
    return [importing.read_micro(f"{path}/{place}", each) for place, each in enumerate(given)]


def _newest(tables: object, key: str, day: date, *below: str) -> tuple[str, Any]:
    """What holds on a day: the newest month YYMM up to it that has the entry, and its path."""
    stamp = f"{day.year % 100:02d}{day.month:02d}"
    table = _at(tables, key)
    months = (
        sorted((month for month in table if isinstance(month, str)), reverse=True) if isinstance(table, dict) else []
    )
    for month in months:
        found = _at(table, month, *below)
        if month <= stamp and found is not None:
            return "/".join((key, month, *below)), found
    return "/".join((key, stamp, *below)), None


def _at(given: object, *keys: str | int) -> Any:  # noqa: ANN401 - any part of a table
    """What stands at these keys; None where it does not."""
    for key in keys:
        if isinstance(given, dict):
            given = given.get(key)
        elif isinstance(given, list) and isinstance(key, int) and key < len(given):
            given = given[key]
        else:
            return None
    return given


def _month(year: int, month: int) -> tuple[date, date]:
    check_within("year", year, 2000, 2099)
    check_within("month", month, 1, 12)
    first = date(year, month, 1)
    return first, (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
