"""What meters told of themselves: events of their logs, alarms, and customers' wishes, for a person to read; and how
much more one told than is believed.

An alarm is also an event of the log: it comes at once as the one and with the next report as the other. Both are kept
as they came; each is shown under its own kind.
"""

from typing import Final

from sqlalchemy import select

from prewatt.codec.events import EventCode
from prewatt.host.allowance import A_DAY_MAX
from prewatt.host.answers import HappeningAnswer
from prewatt.host.context import HostContext
from prewatt.host.fields import check_meter
from prewatt.host.refusals import RefusalOutcome, RefusedError
from prewatt.host.registry import unknown_meter
from prewatt.host.store import schema

__all__ = ["SHOWN_MAX", "Happenings"]

SHOWN_MAX: Final = 10_000
_HEX_DIGITS: Final = 4


class Happenings:
    """Reads what was booked; it changes nothing."""

    def __init__(self, context: HostContext) -> None:
        self._context = context

    def read(self, meter: str, *, limit: int = 100) -> list[HappeningAnswer]:
        """The newest of one meter by when they were booked, newest first; RefusedError for an unknown one."""
        meter = check_meter(meter)
        if not 1 <= limit <= SHOWN_MAX:
            raise RefusedError(RefusalOutcome.BAD_FIELD, "limit", limit, f"1 to {SHOWN_MAX}")
        events, alarms, wishes = schema.events.c, schema.alarms.c, schema.wishes.c
        with self._context.store.reading() as connection:
            if not connection.execute(select(schema.meters.c.id).where(schema.meters.c.id == meter)).scalar():
                raise unknown_meter(meter)
            logged = select(events.code, events.time_s, events.at_s, events.detail).where(events.meter == meter)
            found = [
                HappeningAnswer(meter, "event", _name_of(row.code), row.time_s, row.at_s, row.detail.hex())
                for row in connection.execute(logged.order_by(events.epoch.desc(), events.number.desc()).limit(limit))
            ]
            told = select(alarms.event, alarms.time_s, alarms.at_s, alarms.detail).where(alarms.meter == meter)
            found += [
                HappeningAnswer(meter, "alarm", _name_of(row.event), row.time_s, row.at_s, row.detail.hex())
                for row in connection.execute(told.order_by(alarms.counter.desc()).limit(limit))
            ]
            asked = select(wishes.amount_micro, wishes.at_s).where(wishes.meter == meter)
            found += [
                HappeningAnswer(meter, "wish", "value asked for", None, row.at_s, str(row.amount_micro))
                for row in connection.execute(asked.order_by(wishes.counter.desc()).limit(limit))
            ]
        found += [
            HappeningAnswer(
                meter,
                "beyond",
                f"more than {A_DAY_MAX[each.said]} a day: {each.said}",
                None,
                each.last_s,
                f"{each.count}",
            )
            for each in self._context.allowance.beyond(meter)
        ]
        # Sorting is stable: what was booked in one commit stays in the order of its own log.
        return sorted(found, key=lambda each: -each.booked_s)[:limit]


def _name_of(code: int) -> str:
    """An event's name in words, or its number where a newer meter tells what this host does not know."""
    try:
        return EventCode(code).name.lower().replace("_", " ")
    except ValueError:
        return f"event {code:0{_HEX_DIGITS}X}"
