"""What the books say of a meter when somebody buys: the month so far, and until when its standing charge is paid.

Purchases of the calendar month count unless they are undone: cancelled and still in the wallet, or paid back. Standing
charges are counted and not dated: whoever is paid back a sale that paid two of them owes two again, from the day up to
which they were paid then. A plan that takes the place of another begins its own standing charge on its first day.
"""

from datetime import date
from typing import Final

from sqlalchemy import Connection, and_, func, not_, or_, select

from prewatt.host.context import HostContext
from prewatt.host.days import day_number, local_day
from prewatt.host.money import Place
from prewatt.host.plans.stored import Holding, StoredPlan, date_of, read_versions
from prewatt.host.rates import Per, RateStanding
from prewatt.host.store import schema
from prewatt.protocol.transfer import OrderState

__all__ = ["back_by", "month_number", "newest_unpaid", "read_standing"]

_MONTHS: Final = 12


def month_number(day: int) -> int:
    """The calendar month of a day, as `rate_sales` counts it."""
    found = date_of(day)
    return found.year * _MONTHS + found.month - 1


def read_standing(
    connection: Connection, context: HostContext, meter: str, holding: Holding, stored: StoredPlan, day: int
) -> RateStanding:
    """The meter's contract on a local day, before this purchase. Debt is not in these books."""
    pulses, entry_micro = _month_so_far(connection, meter, month_number(day))
    unpaid = _unpaid_from(connection, context, meter, holding) if stored.plan.standing is not None else None
    return RateStanding(
        today=date_of(day),
        unpaid_from=None if unpaid is None else date_of(unpaid),
        bought_pulses=pulses,
        entry_paid_micro=max(0, entry_micro),
        lifeline=holding.lifeline,
    )


def newest_unpaid(connection: Connection, meter: str) -> int | None:
    """The first day whose standing charge is not paid, as the last sale or refund left it; None before the first."""
    steps = schema.rate_steps.c
    wanted = select(steps.unpaid_from).where(steps.meter == meter, steps.unpaid_from.is_not(None))
    found: int | None = connection.execute(wanted.order_by(steps.number.desc()).limit(1)).scalar()
    return found


def back_by(unpaid_from: int, periods: int, per: str) -> int:
    """``unpaid_from`` before so many standing charges were paid."""
    if per != Per.MONTH.value or not periods:
        return unpaid_from - (periods if per == Per.DAY.value else 0)
    day = date_of(unpaid_from)
    year, month = divmod(day.year * _MONTHS + day.month - 1 - periods, _MONTHS)
    return day_number(date(year, month + 1, 1))


def _month_so_far(connection: Connection, meter: str, month: int) -> tuple[int, int]:
    """Energy bought (pulses) and block charges paid (micro-units) in a month."""
    sales, orders = schema.rate_sales.c, schema.orders.c
    undone = or_(
        orders.place == Place.REFUNDED.value,
        and_(orders.step == OrderState.CANCELLED.value, orders.place == Place.WALLET.value),
    )
    wanted = (
        select(func.sum(sales.energy_pulses), func.sum(sales.entry_micro))
        .select_from(schema.rate_sales.join(schema.orders, orders.id == sales.order_id))
        .where(sales.meter == meter, sales.month == month, not_(undone))
    )
    pulses, entry_micro = connection.execute(wanted).one()
    return int(pulses or 0), int(entry_micro or 0)


def _unpaid_from(connection: Connection, context: HostContext, meter: str, holding: Holding) -> int:
    """The later of what is paid and the day from which this plan asks this meter."""
    made_s = connection.execute(select(schema.meters.c.made_s).where(schema.meters.c.id == meter)).scalar_one()
    versions = read_versions(connection, holding.name)
    asked = min(each.plan.valid_from for each in versions if each.plan.standing is not None)
    begins = max(holding.since_day, local_day(made_s, context.zone), day_number(asked))
    paid = newest_unpaid(connection, meter)
    return begins if paid is None else max(begins, paid)
