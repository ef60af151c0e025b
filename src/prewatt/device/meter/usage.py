"""Usage: the meter's answer to "what happened", as Info, for command 03 and for the daily Report.

The same bytes either way: receipt, standing, the wanted day's minutes, and the events that the host's cursor has not
passed. Of the running day only the minutes that have ended are told; a minute without power is told as such.
"""

from typing import Final

from prewatt.codec.info import Info, TablePart, build_parts
from prewatt.codec.receipt import Receipt
from prewatt.codec.standing import Split, Standing
from prewatt.device.meter.core import Core
from prewatt.device.meter.minutes import NO_POWER, READING_MAX
from prewatt.units import MINUTE_S

__all__ = ["EVENTS_TOLD_MAX", "build_table_part", "build_usage_parts"]

# Events in one Info: more wait until these are acknowledged, so that a full log never makes an Info of a hundred parts.
EVENTS_TOLD_MAX: Final = 100


def build_usage_parts(core: Core, receipt: Receipt, day: int) -> tuple[bytes, ...]:
    """The plain parts of the Info of a local day (0: registers only). What is told counts as sent."""
    calendar = core.tariff.calendar
    start_s, minutes = (calendar.read_day_start_s(day), _read_minutes(core, day)) if day else (0, ())
    events = tuple(core.events.read_after(core.control.events_acknowledged, EVENTS_TOLD_MAX))
    if events and events[-1].number > core.control.events_sent:
        core.control.events_sent = events[-1].number
        core.changed = True
    return build_parts(
        Info(
            receipt=receipt,
            standing=build_standing(core),
            day=day,
            day_start_s=start_s,
            minutes=minutes,
            events=events,
        )
    )


def build_table_part(core: Core, receipt: Receipt) -> bytes:
    """Part 255: the newest accepted table."""
    tariff = core.newest_tariff
    return TablePart(receipt, tariff.encoded, tariff.unit_price_micro).build()


def build_standing(core: Core) -> Standing:
    """Money, clock, price, relay and registers, now."""
    money, tariff = core.money, core.tariff
    return Standing(
        ring=money.ring,
        split=Split(money.svm_micro, money.tank_micro, money.exchanger_micro, money.acc),
        received_micro=money.received_micro,
        burned_micro=money.burned_micro,
        returned_micro=money.returned_micro,
        owed_micro=money.owed_micro,
        unit_price_micro=tariff.unit_price_micro,
        timer_s=core.own_s,
        table_digest=core.newest_tariff.digest,
        relay_causes=core.control.causes[0],
        event_newest=core.events.newest,
        registers=core.control.registers.readings(len(tariff.table.percents)),
    )


def _read_minutes(core: Core, day: int) -> tuple[int, ...]:
    """The minutes of a local day that have ended, all sources together."""
    calendar = core.tariff.calendar
    first, end = calendar.read_day_start_s(day) // MINUTE_S, calendar.read_day_start_s(day + 1) // MINUTE_S
    end = min(end, max(first, core.minute))
    totals = core.memories[0].read(first, end - first)
    for memory in core.memories[1:]:
        more = memory.read(first, end - first)
        totals = [_together(one, other) for one, other in zip(totals, more, strict=True)]
    return tuple(totals)


def _together(one: int, other: int) -> int:
    if NO_POWER in (one, other):
        return NO_POWER
    return min(one + other, READING_MAX)
