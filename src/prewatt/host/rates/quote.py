"""A quote: what becomes of an amount of money, line by line, and how much energy it buys.

First come fixed lines and standing charges, then debt, then energy along the month's blocks with every line on it,
solved exactly. Charges are rounded together: each line is what the rounded sum of the charges so far grows by, so every
line is a whole minor unit, less than one from its exact figure, and the value for the meter, which takes the rest, is
whole minor units too, as value codes need. Nothing is left over, and one more minor unit never buys less.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from fractions import Fraction
from typing import Final

from prewatt.host.rates.parts import PPM, Rounding
from prewatt.host.rates.path import Bought, buy_money
from prewatt.host.rates.plan import RatePlan
from prewatt.host.rates.shares import Gross, gross_of
from prewatt.host.rates.standing import RateStanding
from prewatt.units import PULSES_PER_KWH, VALUE_MAX_MICRO, ValueFieldError, format_value

__all__ = ["ChargeKind", "Quote", "QuoteLine", "charge_lines", "for_energy", "quote", "read_least"]

_PULSES_PER_WH: Final = 10


class ChargeKind(StrEnum):
    """What a line of a quote or a bill is. A discount, a subsidy and mostly a lifeline are below 0."""

    VALUE = "value"
    SURCHARGE = "surcharge"
    SUBSIDY = "subsidy"
    LIFELINE = "lifeline"
    STANDING = "standing"
    BLOCK = "block"
    TAX = "tax"
    LEVY = "levy"
    FEE = "fee"
    DISCOUNT = "discount"
    DEBT = "debt"


# The order in which lines are shown; those of the plan follow in their own.
_SHOWN: Final = {
    kind: place
    for place, kind in enumerate(
        (
            ChargeKind.VALUE,
            ChargeKind.SURCHARGE,
            ChargeKind.SUBSIDY,
            ChargeKind.LIFELINE,
            ChargeKind.STANDING,
            ChargeKind.BLOCK,
        )
    )
}


@dataclass(frozen=True, slots=True)
class QuoteLine:
    """``name`` is that of the plan's line for taxes, levies, fees and discounts, else the kind itself."""

    kind: ChargeKind
    name: str
    amount_micro: int


@dataclass(frozen=True, slots=True)
class Quote:
    """The lines sum to the amount, the value for the meter first; lines of nothing are left out, the value never.

    ``energy_pulses`` is what the value is at the unit price. ``after`` is the contract once this is sold.
    """

    amount_micro: int
    lines: tuple[QuoteLine, ...]
    value_micro: int
    energy_pulses: int
    after: RateStanding


def quote(plan: RatePlan, standing: RateStanding, amount_micro: int) -> Quote:
    """What ``amount_micro``, whole minor units, buys on ``standing.today``. ValueFieldError for what is not sold."""
    _check_sold(plan, standing, amount_micro)
    least = read_least(plan, standing)
    if amount_micro < least:
        shown, low = (format_value(each, digits=plan.digits) for each in (amount_micro, least))
        count = _count_due(plan, standing)
        raise ValueFieldError("amount", shown, f"from {low} on: fees and {count} standing charges come first")
    sold = _sell(plan, standing, amount_micro)
    if sold.value_micro > VALUE_MAX_MICRO:
        shown, most = (format_value(each, digits=plan.digits) for each in (amount_micro, VALUE_MAX_MICRO))
        raise ValueFieldError("amount", shown, f"what buys value of up to {most}")
    return sold


def read_least(plan: RatePlan, standing: RateStanding) -> int:
    """The least that can be paid today: the smallest purchase, and whatever comes before energy."""
    gross, minor = gross_of(plan.lines).total, plan.minor_micro
    due = plan.standing.price_micro * _count_due(plan, standing) if plan.standing else 0
    first = gross.fixed + gross.standing * due
    smallest = plan.purchase.smallest_micro if plan.purchase else 0
    return max(smallest, minor, -(-first.numerator // (first.denominator * minor)) * minor)


def for_energy(plan: RatePlan, standing: RateStanding, wh: int) -> int:
    """The smallest amount that buys at least ``wh`` watt-hours at the unit price; ValueFieldError where none does."""
    if wh < 0:
        raise ValueFieldError("wh", wh, "0 or more")
    minor, wanted = plan.minor_micro, wh * _PULSES_PER_WH
    low, high = read_least(plan, standing) // minor, _largest(plan) // minor
    _check_sold(plan, standing, high * minor)
    if low > high or _sell(plan, standing, high * minor).energy_pulses < wanted:
        raise ValueFieldError("wh", wh, f"what {format_value(high * minor, digits=plan.digits)} buys")
    while low < high:
        middle = (low + high) // 2
        if _sell(plan, standing, middle * minor).energy_pulses >= wanted:
            high = middle
        else:
            low = middle + 1
    return quote(plan, standing, low * minor).amount_micro


def charge_lines(
    plan: RatePlan, gross: Gross, bought: Bought, due: Fraction, *, value: bool = False
) -> tuple[QuoteLine, ...]:
    """Every charge but debt, rounded together to whole minor units; with ``value`` also that, as in a bill."""
    own = [
        (ChargeKind(line.kind.value), line.name, form.worth(bought.energy, due + bought.entry, bought.pulses))
        for line, form in zip(plan.lines, gross.forms, strict=True)
    ]
    # The lines that an authority looks at come first: the earlier a charge, the closer to its exact figure.
    exact = [(ChargeKind.STANDING, due), (ChargeKind.BLOCK, bought.entry)]
    later = [
        (ChargeKind.SURCHARGE, bought.surcharge),
        (ChargeKind.SUBSIDY, bought.subsidy),
        (ChargeKind.LIFELINE, bought.lifeline),
        (ChargeKind.VALUE, bought.value if value else Fraction(0)),
    ]
    named = [*((kind, kind.value, worth) for kind, worth in exact), *own]
    rounded = _round_together(plan, [*named, *((kind, kind.value, worth) for kind, worth in later)])
    return tuple(sorted(rounded, key=lambda line: _SHOWN.get(line.kind, len(_SHOWN))))


def _sell(plan: RatePlan, standing: RateStanding, amount_micro: int) -> Quote:
    """The quote of an amount that covers what comes first."""
    gross = gross_of(plan.lines)
    count = _count_due(plan, standing)
    due = Fraction(plan.standing.price_micro * count if plan.standing else 0)
    rest = amount_micro - gross.total.fixed - gross.total.standing * due
    debt_micro = _debt_micro(plan, standing, rest)
    bought = buy_money(
        plan,
        gross.total,
        standing.bought_pulses,
        rest - debt_micro,
        entry_paid_micro=standing.entry_paid_micro,
        lifeline=standing.lifeline,
    )
    charges = charge_lines(plan, gross, bought, due)
    if debt_micro:
        charges = (*charges, QuoteLine(ChargeKind.DEBT, ChargeKind.DEBT.value, debt_micro))
    value_micro = amount_micro - sum(line.amount_micro for line in charges)
    energy_pulses = value_micro * PULSES_PER_KWH // plan.unit_price_micro
    entry_micro = sum(line.amount_micro for line in charges if line.kind is ChargeKind.BLOCK)
    after = replace(
        standing,
        unpaid_from=standing.read_unpaid_after(plan.standing, count) if plan.standing else standing.unpaid_from,
        bought_pulses=standing.bought_pulses + energy_pulses,
        entry_paid_micro=standing.entry_paid_micro + entry_micro,
        debt_micro=standing.debt_micro - debt_micro,
        debt_paid_micro=standing.debt_paid_micro + debt_micro,
    )
    value = QuoteLine(ChargeKind.VALUE, ChargeKind.VALUE.value, value_micro)
    return Quote(amount_micro, (value, *charges), value_micro, energy_pulses, after)


def _round_together(plan: RatePlan, exact: Iterable[tuple[ChargeKind, str, Fraction]]) -> Iterable[QuoteLine]:
    total, before = Fraction(0), 0
    for kind, name, charge in exact:
        total += charge
        rounded = _round(total, plan.minor_micro, plan.rounding)
        if rounded != before:
            yield QuoteLine(kind, name, rounded - before)
        before = rounded


def _round(exact: Fraction, minor: int, rounding: Rounding) -> int:
    """The whole number of minor units; halves go up."""
    above, below = exact.numerator, exact.denominator * minor
    if rounding is Rounding.DOWN:
        return above // below * minor
    if rounding is Rounding.UP:
        return -(-above // below) * minor
    return (2 * above + below) // (2 * below) * minor


def _largest(plan: RatePlan) -> int:
    largest = plan.purchase.largest_micro if plan.purchase else VALUE_MAX_MICRO
    return largest // plan.minor_micro * plan.minor_micro


def _check_sold(plan: RatePlan, standing: RateStanding, amount_micro: int) -> None:
    if not plan.is_valid_on(standing.today):
        end = f" to {plan.valid_to.isoformat()}" if plan.valid_to else " on"
        allowed = f"a day of plan {plan.name} version {plan.version}: from {plan.valid_from.isoformat()}{end}"
        raise ValueFieldError("today", standing.today.isoformat(), allowed)
    smallest = max(plan.purchase.smallest_micro if plan.purchase else 0, plan.minor_micro)
    if amount_micro % plan.minor_micro or not smallest <= amount_micro <= _largest(plan):
        low, high = (format_value(each, digits=plan.digits) for each in (smallest, _largest(plan)))
        shown = format_value(amount_micro, digits=plan.digits)
        raise ValueFieldError("amount", shown, f"{low} to {high} with at most {plan.digits} decimals")


def _count_due(plan: RatePlan, standing: RateStanding) -> int:
    return standing.count_due(plan.standing) if plan.standing else 0


def _debt_micro(plan: RatePlan, standing: RateStanding, rest: Fraction) -> int:
    """The share of the rest, whole minor units and no more than the debt and the month allow."""
    if plan.debt is None:
        return 0
    share = rest * Fraction(plan.debt.share_ppm, PPM)
    most = [_round(share, plan.minor_micro, Rounding.DOWN), standing.debt_micro]
    if plan.debt.month_micro is not None:
        most.append(max(0, plan.debt.month_micro - standing.debt_paid_micro))
    return min(most) // plan.minor_micro * plan.minor_micro
