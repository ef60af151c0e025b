"""What a home's month would have cost under a plan, from the minutes that were collected of it."""

from datetime import date, datetime
from typing import Final

from sqlalchemy import Connection, func, select

from prewatt.device.meter.calendar import LocalCalendar
from prewatt.host.carrying import METHOD_CARRIED
from prewatt.host.context import HostContext
from prewatt.host.days import day_number, local_day
from prewatt.host.rates import RatePlan, Readings
from prewatt.host.store import schema
from prewatt.host.usage import read_minutes
from prewatt.protocol.transfer import OrderState
from prewatt.units import MINUTE_S, ValueFieldError

__all__ = ["count_purchases", "last_month", "month_bounds", "parse_month", "read_month"]

_MONTHS: Final = 12
_YEAR_FIRST: Final = 1971
_YEAR_LAST: Final = 2105


def last_month(context: HostContext) -> tuple[int, int]:
    """Year and month of the calendar month before this one."""
    now = datetime.fromtimestamp(context.now(), context.zone)
    year, month = divmod(now.year * _MONTHS + now.month - 2, _MONTHS)
    return year, month + 1


def parse_month(text: str) -> tuple[int, int]:
    """Year and month of `2026-03`; ValueFieldError for anything else."""
    year, dash, month = text.partition("-")
    digits = text.isascii() and year.isdecimal() and month.isdecimal() and (len(year), len(month)) == (4, 2)
    if not (dash and digits and _YEAR_FIRST <= int(year) <= _YEAR_LAST and 1 <= int(month) <= _MONTHS):
        raise ValueFieldError("month", text, f"a month such as 2026-03, from {_YEAR_FIRST} to {_YEAR_LAST}")
    return int(year), int(month)


def month_bounds(plan: RatePlan, year: int, month: int) -> tuple[int, int]:
    """The UTC seconds between which the month lies by the plan's own calendar."""
    calendar = LocalCalendar(plan.hours.zone_quarters, plan.hours.daylight)
    end = date(year + month // _MONTHS, month % _MONTHS + 1, 1)
    return (
        calendar.read_day_start_s(day_number(date(year, month, 1))),
        calendar.read_day_start_s(day_number(end)),
    )


def read_month(connection: Connection, context: HostContext, meter: str, plan: RatePlan, month: date) -> Readings:
    """The minutes of one month; those that nobody collected, or that had no power, are missing."""
    start_s, end_s = month_bounds(plan, month.year, month.month)
    row: list[int | None] = [None] * ((end_s - start_s) // MINUTE_S)
    # The plan's days may begin at another second than the installation's.
    for day in range(local_day(start_s, context.zone) - 1, local_day(end_s, context.zone) + 2):
        day_start_s, minutes = read_minutes(connection, meter, day)
        for place, pulses in enumerate(minutes):
            at = (day_start_s + place * MINUTE_S - start_s) // MINUTE_S
            if 0 <= at < len(row):
                row[at] = pulses
    return Readings(start_s, MINUTE_S, tuple(row))


def count_purchases(connection: Connection, meter: str, plan: RatePlan, month: date) -> int:
    """How often something was bought for the meter in the month and not cancelled."""
    start_s, end_s = month_bounds(plan, month.year, month.month)
    orders, payments = schema.orders.c, schema.payments.c
    wanted = (
        select(func.count())
        .select_from(schema.orders.join(schema.payments, payments.order_id == orders.id))
        .where(orders.meter == meter, orders.made_s >= start_s, orders.made_s < end_s)
        .where(orders.step != OrderState.CANCELLED.value, payments.method != METHOD_CARRIED)
    )
    return int(connection.execute(wanted).scalar_one())
