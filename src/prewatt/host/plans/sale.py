"""A sale by a plan: the quote from what the books say, and what is kept of it beside the order.

The quote is worked out inside the commit that makes the order, from rows that the same commit sees: two clerks at once
never sell the same first block twice. Where no plan holds for a meter, none of this happens.
"""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, insert

from prewatt.host.context import HostContext
from prewatt.host.days import day_number, local_day
from prewatt.host.plans.charges import post_lines
from prewatt.host.plans.standing import month_number, read_standing, standing_begins
from prewatt.host.plans.stored import Holding, StoredPlan, plan_of_day, read_holding, read_versions
from prewatt.host.rates import ChargeKind, Quote, RateStanding
from prewatt.host.rates.quote import quote
from prewatt.host.store import Hot, Writing, schema
from prewatt.units import ValueFieldError, format_value

__all__ = ["PricedSale", "begin_pricing", "book_priced", "price_in", "price_sale"]

# Made once, for every sale.
_SALE: Final = insert(schema.rate_sales)
_STEP: Final = insert(schema.rate_steps)
# What a column holds.
_PULSES_MAX: Final = 2**62


@dataclass(frozen=True, slots=True)
class PricedSale:
    """A quote with what it rests on."""

    stored: StoredPlan
    holding: Holding
    before: RateStanding
    quote: Quote
    periods: int
    day: int


def begin_pricing(
    connection: Connection, context: HostContext, meter: str
) -> tuple[StoredPlan, Holding, RateStanding] | None:
    """What a sale to this meter is priced by now; None where no plan holds. RefusedError: the plan has no version."""
    day = local_day(context.now(), context.zone)
    holding = read_holding(connection, meter, day)
    if holding is None:
        return None
    versions = read_versions(connection, holding.name)
    stored = plan_of_day(versions, meter, holding, day)
    begins = None if stored.plan.standing is None else standing_begins(connection, context, meter, holding, versions)
    return stored, holding, read_standing(connection, meter, begins, day, lifeline=holding.lifeline)


def price_sale(connection: Connection, context: HostContext, meter: str, amount_micro: int) -> PricedSale | None:
    """The quote of an amount; None where no plan holds. ValueFieldError for what the plan does not sell."""
    begun = begin_pricing(connection, context, meter)
    if begun is None:
        return None
    stored, holding, before = begun
    plan = stored.plan
    sold = quote(plan, before, amount_micro)
    shown = format_value(amount_micro, digits=plan.digits)
    if sold.value_micro <= 0:
        raise ValueFieldError("amount", shown, "more: charges leave nothing of it for the meter")
    if before.bought_pulses + sold.energy_pulses > _PULSES_MAX:
        raise ValueFieldError("amount", shown, "less: beyond what can be counted in a month")
    periods = before.count_due(plan.standing) if plan.standing is not None else 0
    return PricedSale(stored, holding, before, sold, periods, day_number(before.today))


def price_in(writing: Writing, context: HostContext, meter: str, amount_micro: int) -> PricedSale | None:
    """As `price_sale`, in a sale's own commit: a meter for which nothing was ever assigned costs one look."""
    if writing.run(Hot.RATE_ASSIGNED, (meter,)).fetchone() is None:
        return None
    return price_sale(writing.connection, context, meter, amount_micro)


def book_priced(writing: Writing, order_id: str, meter: str, sale: PricedSale, at_s: int) -> None:
    """Keeps the sale and its lines, in the commit that makes the order."""
    plan, sold = sale.stored.plan, sale.quote
    entry_micro = sum(line.amount_micro for line in sold.lines if line.kind is ChargeKind.BLOCK)
    debt_micro = sum(line.amount_micro for line in sold.lines if line.kind is ChargeKind.DEBT)
    row = {
        "order_id": order_id,
        "meter": meter,
        "plan": sale.stored.number,
        "day": sale.day,
        "month": month_number(sale.day),
        "paid_micro": sold.amount_micro,
        "value_micro": sold.value_micro,
        "energy_pulses": sold.energy_pulses,
        "entry_micro": entry_micro,
        "debt_micro": debt_micro,
        "periods": sale.periods,
        "per": plan.standing.per.value if plan.standing is not None else "",
        "lifeline": sale.holding.lifeline,
        "at_s": at_s,
    }
    writing.connection.execute(_SALE, row)
    post_lines(writing, order_id, meter, plan.name, sold.lines, at_s)
    unpaid = sold.after.unpaid_from if plan.standing is not None else None
    step = {"meter": meter, "order_id": order_id, "what": "sold", "at_s": at_s}
    step["unpaid_from"] = None if unpaid is None else day_number(unpaid)
    writing.connection.execute(_STEP, step)
