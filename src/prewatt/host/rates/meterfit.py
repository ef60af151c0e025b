"""What a meter follows of a plan: a mode table with a unit price and a few settings, or a list of what it cannot.

A mode table counts in whole percents of one unit price. Where the plan's prices are whole percents of its own, that one
is sent; else the largest price of which they all are. The price of a second is then exactly the plan's, never nearly.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import gcd
from typing import Final

from prewatt.codec.modeparts import PERCENT_MAX, QUARTERS, STEPS_MAX
from prewatt.codec.modetable import (
    BANDS_MAX,
    HOLIDAYS_MAX,
    PLANS_MAX,
    SEASONS_MAX,
    DateRange,
    DayPlan,
    ModeTable,
    Segment,
    Week,
)
from prewatt.codec.settings import SettingsChange
from prewatt.device.meter.calendar import LocalCalendar
from prewatt.host.rates.hours import DAY_MINUTES, Hours
from prewatt.host.rates.hourstext import format_clock
from prewatt.host.rates.plan import RatePlan
from prewatt.units import UTC_MAX_S, VALUE_MAX_MICRO, ValueFieldError, format_value

__all__ = ["MeterFit", "Misfit", "MisfitError", "find_misfits", "fit_meter"]

_QUARTER_MINUTES: Final = DAY_MINUTES // QUARTERS
_PERCENT: Final = 100
_WORKING: Final = 5
_EPOCH_ORDINAL: Final = 719_163


@dataclass(frozen=True, slots=True)
class Misfit:
    """One thing that a meter cannot do: the field's path, what stands there, what a meter can do."""

    field: str
    given: str
    allowed: str


class MisfitError(ValueFieldError):
    """A plan that no meter can follow; its text is the first misfit, ``misfits`` has all."""

    def __init__(self, misfits: tuple[Misfit, ...]) -> None:
        super().__init__(misfits[0].field, misfits[0].given, f"{misfits[0].allowed}, on a meter")
        self.misfits = misfits


@dataclass(frozen=True, slots=True)
class MeterFit:
    """What is sent to a meter. ``settings`` is None where the plan leaves them all as they are."""

    table: ModeTable
    unit_price_micro: int
    settings: SettingsChange | None


def fit_meter(plan: RatePlan, *, version: int = 0) -> MeterFit:
    """The table (valid from the plan's first local day), its unit price and the settings; MisfitError else."""
    misfits = find_misfits(plan)
    if misfits:
        raise MisfitError(misfits)
    unit = _unit_micro(plan)
    table = _build_table(plan, unit, version)
    terms = plan.terms
    settings = {
        "emergency_micro": terms.emergency_micro,
        "low_balance_micro": terms.low_balance_micro,
        "load_limit_w": terms.load_limit_w,
    }
    known = {name: given for name, given in settings.items() if given is not None}
    return MeterFit(table, unit, SettingsChange(known) if known else None)


def find_misfits(plan: RatePlan) -> tuple[Misfit, ...]:
    """Everything in the plan that no meter can follow; empty where a meter can."""
    misfits = (*_find_counts(plan.hours), *_find_times(plan.hours), *_find_prices(plan), *_find_terms(plan))
    if misfits:
        return misfits
    try:
        _build_table(plan, _unit_micro(plan), 0).build()
    except ValueError as error:
        return (Misfit("price", "the whole table", str(error)),)
    return ()


def _find_counts(hours: Hours) -> Iterator[Misfit]:
    for field, count, most in (
        ("price.seasons", len(hours.seasons), SEASONS_MAX),
        ("price.holidays", len(hours.holidays), HOLIDAYS_MAX),
        ("price.surcharges", len(hours.surcharges), BANDS_MAX),
        ("price.days", len(_shapes(hours)), PLANS_MAX),
        ("price.days, different prices", len(_prices(hours)), STEPS_MAX),
    ):
        if count > most:
            yield Misfit(field, str(count), f"up to {most}")


def _find_times(hours: Hours) -> Iterator[Misfit]:
    for day in hours.days:
        for minute, _ in day.changes:
            if minute % _QUARTER_MINUTES:
                yield Misfit(f"price.days.{day.name}", format_clock(minute), "full quarters of an hour")
    weeks = [("price.week", hours.week)]
    weeks += [(f"price.seasons[{place}].week", each.week) for place, each in enumerate(hours.seasons)]
    for field, week in weeks:
        if len({hours.days[place].changes for place in week[:_WORKING]}) > 1:
            yield Misfit(field, "different days from Monday to Friday", "one day for all five")


def _find_prices(plan: RatePlan) -> Iterator[Misfit]:
    unit, prices = _unit_micro(plan), _prices(plan.hours)
    if prices[-1] * _PERCENT > PERCENT_MAX * unit:
        shown = ", ".join(format_value(price, digits=plan.digits) for price in prices)
        yield Misfit("price.days", shown, f"whole percents of one unit price, up to {PERCENT_MAX} %")
    if unit > VALUE_MAX_MICRO:
        yield Misfit("price.days", format_value(unit, digits=plan.digits), f"a unit price up to {VALUE_MAX_MICRO}")


def _find_terms(plan: RatePlan) -> Iterator[Misfit]:
    for place, each in enumerate(plan.terms.friendly):
        hours = f"{each.day} {format_clock(each.from_minute)} to {format_clock(each.until_minute)}"
        yield Misfit(f"meter.friendly[{place}]", hours, "no hours without cut-off: a meter has no setting for them")


def _unit_micro(plan: RatePlan) -> int:
    """The plan's unit price where every price is whole percents of it, else the largest of which they all are."""
    prices, unit = _prices(plan.hours), plan.unit_price_micro
    fits = all(price * _PERCENT % unit == 0 for price in prices) and prices[-1] * _PERCENT <= PERCENT_MAX * unit
    return unit if fits or not any(prices) else gcd(*prices) * _PERCENT


def _shapes(hours: Hours) -> list[tuple[tuple[int, int], ...]]:
    """The days that weeks use, each once."""
    used = [*hours.week, *(place for season in hours.seasons for place in season.week)]
    return list(dict.fromkeys(hours.days[place].changes for place in used))


def _prices(hours: Hours) -> list[int]:
    """The prices that can hold, lowest first."""
    return sorted({price for shape in _shapes(hours) for _, price in shape} | {hours.after_micro})


def _build_table(plan: RatePlan, unit: int, version: int) -> ModeTable:
    """The table of a plan without misfits."""
    hours = plan.hours
    shapes = _shapes(hours)
    percents = tuple(price * _PERCENT // unit for price in _prices(hours))

    def step(price: int) -> int:
        return percents.index(price * _PERCENT // unit)

    def day(changes: tuple[tuple[int, int], ...]) -> DayPlan:
        return DayPlan(tuple(Segment(at // _QUARTER_MINUTES, step(price)) for at, price in changes))

    def week(places: tuple[int, ...]) -> Week:
        monday, saturday, sunday, holiday = (shapes.index(hours.days[places[at]].changes) for at in (0, 5, 6, 7))
        return Week(monday, saturday, sunday, holiday)

    calendar = LocalCalendar(hours.zone_quarters, hours.daylight)
    from_s = calendar.read_day_start_s(plan.valid_from.toordinal() - _EPOCH_ORDINAL)
    return ModeTable(
        version=version,
        valid_from_s=max(0, min(from_s, UTC_MAX_S)),
        percents=percents,
        plans=tuple(
            DayPlan(tuple(Segment(at // _QUARTER_MINUTES, step(price)) for at, price in each)) for each in shapes
        ),
        week=week(hours.week),
        zone_quarters=hours.zone_quarters,
        daylight=hours.daylight,
        last_year=hours.last_year,
        after_step=step(hours.after_micro),
        seasons=tuple(DateRange(each.first, each.last, week(each.week)) for each in hours.seasons),
        holidays=hours.holidays,
        bands=hours.surcharges,
    )
