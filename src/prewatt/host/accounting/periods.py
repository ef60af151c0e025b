"""Closing a period: a fact in the books. From then on nothing is dated into it.

What is posted later and would be dated into it (a clock that went back; a meter that confirms today what it was sent
last month is dated today anyway) is dated to the first second after it instead. It is not refused: an entry follows
something that has happened, money that was taken or a meter's proved word, and books that refuse what happened are
wrong. So a closed period never changes, and nothing is lost. Each close keeps the hash of the chain at that moment.
"""

from datetime import date
from typing import Any

from sqlalchemy import Row, func, insert, select

from prewatt.host.accounting.answers import PeriodAnswer
from prewatt.host.accounting.days import end_s
from prewatt.host.audit.closes import CLOSE_ACTION, close_shown
from prewatt.host.context import HostContext, log_action
from prewatt.host.days import EPOCH_DAY, local_day
from prewatt.host.ledger import NO_LINK
from prewatt.host.refusals import RefusalOutcome, RefusedError
from prewatt.host.store import Writing, schema

__all__ = ["Periods"]


class Periods:
    """Closes periods, and tells which are."""

    def __init__(self, context: HostContext) -> None:
        self._context = context

    def close(self, last_day: str) -> PeriodAnswer:
        """Closes everything up to the end of ``last_day``, which must be over. RefusedError where it cannot be closed.

        Asked again for the same day it answers the close that is there.
        """
        until_s = end_s(last_day, self._context.zone, "last_day") or 0
        if until_s > self._context.now():
            raise RefusedError(RefusalOutcome.BAD_FIELD, "last_day", last_day, "a day that is over")
        return self._shown(self._context.store.write(lambda writing: self._close(writing, last_day, until_s)))

    def read(self) -> list[PeriodAnswer]:
        """Every close, newest first."""
        with self._context.store.reading() as connection:
            rows = connection.execute(select(schema.closes).order_by(schema.closes.c.number.desc())).all()
        return [self._shown(row) for row in rows]

    def _close(self, writing: Writing, last_day: str, until_s: int) -> Row[Any]:
        closes, connection = schema.closes, writing.connection
        newest = connection.execute(select(closes).order_by(closes.c.number.desc()).limit(1)).one_or_none()
        if newest is not None and newest.until_s > until_s:
            closed = self._shown(newest).last_day
            raise RefusedError(
                RefusalOutcome.PERIOD_CLOSED, "last_day", last_day, f"a day after {closed}, until which all is closed"
            )
        if newest is None or newest.until_s < until_s:
            writing.ledger.close_until(until_s)
            links = select(schema.chain.c.hash).order_by(schema.chain.c.number.desc()).limit(1)
            head = connection.execute(links).scalar() or NO_LINK.hash
            last_entry = connection.execute(select(func.max(schema.entries.c.number))).scalar() or 0
            number, at_s = 1 if newest is None else newest.number + 1, self._context.now()
            row = {"number": number, "until_s": until_s, "last_entry": last_entry, "head": head}
            connection.execute(insert(closes).values(row | {"actor": writing.by.actor, "at_s": at_s}))
            shown = close_shown(number, until_s, last_entry, bytes(head))
            log_action(writing, at_s, CLOSE_ACTION, last_day, f"entries to {last_entry}", after=shown)
        return connection.execute(select(closes).where(closes.c.until_s == until_s)).one()

    def _shown(self, row: Row[Any]) -> PeriodAnswer:
        last_day = EPOCH_DAY + local_day(row.until_s - 1, self._context.zone)
        day = date.fromordinal(last_day).isoformat()
        head = bytes(row.head).hex()
        return PeriodAnswer(row.number, row.until_s, day, row.last_entry, head, row.actor, row.at_s)
