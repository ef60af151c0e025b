"""What may be asked of a plan at the counter: an amount or an energy, and between which amounts there is a sale."""

from prewatt.host.context import HostContext
from prewatt.host.rates import RatePlan, RateStanding, for_energy, read_least
from prewatt.host.rates.quote import quote
from prewatt.host.refusals import RefusalOutcome, RefusedError
from prewatt.units import VALUE_MAX_MICRO, ValueFieldError, format_value, parse_value

__all__ = ["largest_of", "read_amount", "smallest_of"]

# Kilowatt-hours are asked for to the watt-hour: a unit of money has a thousand thousandths of it.
_KWH_DIGITS = 3
_MICRO_PER_WH = 1_000


def largest_of(context: HostContext, plan: RatePlan) -> int:
    """The most that one purchase may be, micro-units: the plan's own, and the installation's ceiling."""
    most = plan.purchase.largest_micro if plan.purchase is not None else VALUE_MAX_MICRO
    most = min(most, context.installation.vend_ceiling_micro)
    return most // plan.minor_micro * plan.minor_micro


def smallest_of(plan: RatePlan, standing: RateStanding) -> int:
    """The least that buys any value today, micro-units; more money never buys less."""
    minor = plan.minor_micro
    last = (plan.purchase.largest_micro if plan.purchase is not None else VALUE_MAX_MICRO) // minor
    low, step = -(-read_least(plan, standing) // minor), 1
    high = low
    while high < last and not quote(plan, standing, high * minor).value_micro:
        low, high, step = high + 1, min(high + step, last), step * 2
    while low < high:
        middle = (low + high) // 2
        if quote(plan, standing, middle * minor).value_micro:
            high = middle
        else:
            low = middle + 1
    return low * minor


def read_amount(
    context: HostContext, plan: RatePlan, standing: RateStanding, amount: str | None, kwh: str | None
) -> int:
    """The amount in micro-units: as it was given, or what buys so much energy at the unit price.

    RefusedError above the installation's ceiling of a sale, ValueFieldError unless exactly one of both is given.
    """
    if (amount is None) == (kwh is None):
        raise ValueFieldError("amount", amount, "an amount, or kilowatt-hours, and not both")
    digits = context.installation.currency_digits
    if kwh is not None:
        wh = parse_value(kwh, digits=_KWH_DIGITS, field="kwh") // _MICRO_PER_WH
        asked = for_energy(plan, standing, wh)
    else:
        asked = parse_value(str(amount), digits=digits)
    ceiling = context.installation.vend_ceiling_micro
    if asked > ceiling:
        allowed = f"up to {format_value(ceiling, digits=digits)} in one sale"
        raise RefusedError(RefusalOutcome.VALUE_CEILING, "amount", format_value(asked, digits=digits), allowed)
    return asked
