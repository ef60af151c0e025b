"""The audit log as people read it: newest first, by subject, by actor, by period, a page at a time."""

import json
from typing import Any

from sqlalchemy import Row, select

from prewatt.host.context import HostContext
from prewatt.host.fields import check_text
from prewatt.host.refusals import RefusalOutcome, RefusedError
from prewatt.host.staff.answers import LogAnswer, LogLineAnswer
from prewatt.host.store import schema

__all__ = ["LOG_PAGE_MAX", "Log"]

# Lines in one answer.
LOG_PAGE_MAX = 500
_NUMBER_MAX = 2**63 - 1


class Log:
    """See the module."""

    def __init__(self, context: HostContext) -> None:
        self._context = context

    def read(
        self,
        *,
        subject: str | None = None,
        actor: str | None = None,
        from_s: int | None = None,
        until_s: int | None = None,
        below: int | None = None,
        limit: int = 50,
    ) -> LogAnswer:
        """Lines from ``from_s`` to before ``until_s`` (UTC seconds), with numbers ``below`` the one given."""
        if not 1 <= limit <= LOG_PAGE_MAX:
            raise RefusedError(RefusalOutcome.BAD_FIELD, "limit", limit, f"1 to {LOG_PAGE_MAX}")
        for field, number in (("from_s", from_s), ("until_s", until_s), ("below", below)):
            if number is not None and not 0 <= number <= _NUMBER_MAX:
                raise RefusedError(RefusalOutcome.BAD_FIELD, field, number, f"0 to {_NUMBER_MAX}")
        log = schema.audit_log
        wanted = select(log).order_by(log.c.number.desc()).limit(limit + 1)
        if subject is not None:
            wanted = wanted.where(log.c.subject == check_text(subject, field="subject"))
        if actor is not None:
            wanted = wanted.where(log.c.actor == check_text(actor, field="actor"))
        if from_s is not None:
            wanted = wanted.where(log.c.at_s >= from_s)
        if until_s is not None:
            wanted = wanted.where(log.c.at_s < until_s)
        if below is not None:
            wanted = wanted.where(log.c.number < below)
        with self._context.store.reading() as connection:
            rows = connection.execute(wanted).all()
        more = rows[limit - 1].number if len(rows) > limit else None
        return LogAnswer(tuple(_line(row) for row in rows[:limit]), more)


def _line(row: Row[Any]) -> LogLineAnswer:
    before = None if row.before is None else json.loads(row.before)
    after = None if row.after is None else json.loads(row.after)
    names = (row.number, row.at_s, row.actor, row.origin, row.action, row.subject, row.detail)
    return LogLineAnswer(*names, before, after, row.hash.hex())
