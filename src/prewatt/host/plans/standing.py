"""What the books say of a meter when somebody buys: the month so far, and until when its standing charge is paid.

Purchases of the calendar month count unless they are undone: cancelled and still in the wallet, or paid back. Standing
charges are counted and not dated: whoever is paid back a sale that paid two of them owes two again, from the day up to
which they were paid then. A plan that takes the place of another begins its own standing charge on its first day.
"""

from collections.abc import Sequence
from datetime import date
from typing import Final

from sqlalchemy import Connection, and_, bindparam, func, not_, or_, select

from prewatt.host.context import HostContext
from prewatt.host.days import day_number, local_day
from prewatt.host.money import Place
from prewatt.host.plans.stored import Holding, StoredPlan, date_of
from prewatt.host.rates import Per, RateStanding
from prewatt.host.store import schema
from prewatt.protocol.transfer import OrderState

__all__ = ["back_by", "month_number", "newest_unpaid", "read_standing", "standing_begins"]

_MONTHS: Final = 12
# Asked in every sale: made once.
_SALES: Final = schema.rate_sales.c
_ORDERS: Final = schema.orders.c
_STEPS: Final = schema.rate_steps.c
_UNDONE: Final = or_(
    _ORDERS.place == Place.REFUNDED.value,
    and_(_ORDERS.step == OrderState.CANCELLED.value, _ORDERS.place == Place.WALLET.value),
)
# Energy bought (pulses) and block charges paid (micro-units) in a month.
_MONTH: Final = (
    select(func.sum(_SALES.energy_pulses), func.sum(_SALES.entry_micro))
    .select_from(schema.rate_sales.join(schema.orders, _ORDERS.id == _SALES.order_id))
    .where(_SALES.meter == bindparam("meter_id"), _SALES.month == bindparam("month_number"), not_(_UNDONE))
)
_UNPAID: Final = (
    select(_STEPS.unpaid_from)
    .where(_STEPS.meter == bindparam("meter_id"), _STEPS.unpaid_from.is_not(None))
    .order_by(_STEPS.number.desc())
    .limit(1)
)
_MADE: Final = select(schema.meters.c.made_s).where(schema.meters.c.id == bindparam("meter_id"))


def month_number(day: int) -> int:
    """The calendar month of a day, as `rate_sales` counts it."""
    found = date_of(day)
    return found.year * _MONTHS + found.month - 1


def read_standing(connection: Connection, meter: str, begins: int | None, day: int, *, lifeline: bool) -> RateStanding:
    """The meter's contract on a local day, before this purchase; ``begins``: the first day whose standing charge this
    plan asks of it, None where the plan has none. Debt is not in these books."""
    pulses, entry_micro = connection.execute(_MONTH, {"meter_id": meter, "month_number": month_number(day)}).one()
    unpaid = begins
    if begins is not None:
        unpaid = max(begins, newest_unpaid(connection, meter) or begins)
    return RateStanding(
        today=date_of(day),
        unpaid_from=None if unpaid is None else date_of(unpaid),
        bought_pulses=int(pulses or 0),
        entry_paid_micro=max(0, int(entry_micro or 0)),
        lifeline=lifeline,
    )


def standing_begins(
    connection: Connection, context: HostContext, meter: str, holding: Holding, versions: Sequence[StoredPlan]
) -> int:
    """The first day whose standing charge the plan asks of the meter: since it holds, and the meter is there."""
    made_s = connection.execute(_MADE, {"meter_id": meter}).scalar_one()
    asked = min(each.plan.valid_from for each in versions if each.plan.standing is not None)
    return max(holding.since_day, local_day(made_s, context.zone), day_number(asked))


def newest_unpaid(connection: Connection, meter: str) -> int | None:
    """The first day whose standing charge is not paid, as the last sale or refund left it; None before the first."""
    found: int | None = connection.execute(_UNPAID, {"meter_id": meter}).scalar()
    return found


def back_by(unpaid_from: int, periods: int, per: str) -> int:
    """``unpaid_from`` before so many standing charges were paid."""
    if per != Per.MONTH.value or not periods:
        return unpaid_from - (periods if per == Per.DAY.value else 0)
    day = date_of(unpaid_from)
    year, month = divmod(day.year * _MONTHS + day.month - 1 - periods, _MONTHS)
    return day_number(date(year, month + 1, 1))
