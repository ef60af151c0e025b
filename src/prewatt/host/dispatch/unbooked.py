"""What a meter said by itself and the host could not book: kept byte for byte, shown, and booked again when asked.

A message that is authentic and whose booking fails (books that disagree, a mistake of this program, a vault that cannot
be read just now, a meter that a restored host does not know, more than a meter says in a day) must not hold up what its
station kept behind it, and must not be lost with the acknowledgement that lets the boxes below forget it. So it is
written here in the commit that would have booked it. No counter of it is spent (R13): booked later, it counts once,
like a message that came late.
"""

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

import structlog
from sqlalchemy import ColumnElement, Row, delete, func, select, update
from sqlalchemy import insert as new_row

from prewatt.codec.messages import MessageType
from prewatt.host.allowance import BeyondError
from prewatt.host.boxanswers import UnbookedAnswer
from prewatt.host.context import HostContext, log_action
from prewatt.host.dispatch.inbound import Arrived, Inbound, StrangerError
from prewatt.host.dispatch.together import attempt
from prewatt.host.fields import check_text
from prewatt.host.store import Writing, schema
from prewatt.host.topology import has_station, unknown_station

__all__ = ["UNBOOKED_EACH_MAX", "Unbooked", "or_unbooked"]

_log = structlog.get_logger("prewatt.dispatch")
# Of one meter: what its station keeps of it at most (48 Reports, 24 Alarms, 8 Wishes). What is beyond is logged alone;
# days are asked for again and alarms come again.
UNBOOKED_EACH_MAX: Final = 80
_DIGEST_BYTES: Final = 16
_CAUSE_MAX: Final = 200

_Work = Callable[[Writing], list[bytes]]


def or_unbooked(work: _Work, context: HostContext, arrived: Arrived, station: str | None) -> _Work:
    """``work``, and where it raises a row here instead, with nothing to send back."""

    def run(writing: Writing) -> list[bytes]:
        found = attempt(writing, work)
        if not isinstance(found, Exception):
            # Of what goes up once, nothing can be here: its box was told that the host has it.
            if arrived.payload[0] == MessageType.ALARM:
                writing.connection.execute(delete(schema.unbooked).where(*_same(arrived)))
            return found
        tell = _log.info if isinstance(found, StrangerError | BeyondError) else _log.error
        tell("cannot book a message", meter=arrived.meter, cause=str(found), kind=type(found).__name__)
        _keep(writing, arrived, station, found, context.now())
        return []

    return run


def _keep(writing: Writing, arrived: Arrived, station: str | None, error: Exception, now_s: int) -> None:
    rows = schema.unbooked
    again = update(rows).where(*_same(arrived)).values(times=rows.c.times + 1, last_s=now_s, cause=_cause_of(error))
    if writing.connection.execute(again).rowcount:
        return
    held = select(func.count()).where(rows.c.meter == arrived.meter)
    if writing.connection.execute(held).scalar_one() >= UNBOOKED_EACH_MAX:
        _log.error("message dropped", meter=arrived.meter, cause=f"{UNBOOKED_EACH_MAX} wait to be booked already")
        return
    row = {"station": station, "meter": arrived.meter, "payload": arrived.payload, "digest": _digest(arrived)}
    told = {"cause": _cause_of(error), "times": 1, "first_s": now_s, "last_s": now_s}
    writing.connection.execute(new_row(rows).values(row | told))


def _digest(arrived: Arrived) -> bytes:
    return sha256(arrived.payload).digest()[:_DIGEST_BYTES]


def _same(arrived: Arrived) -> tuple[ColumnElement[bool], ...]:
    return schema.unbooked.c.meter == arrived.meter, schema.unbooked.c.digest == _digest(arrived)


def _cause_of(error: Exception) -> str:
    """One line for a person; nothing in it may move a terminal's cursor."""
    text = "".join(each if each.isprintable() else " " for each in str(error))
    return f"{type(error).__name__}: {text}"[:_CAUSE_MAX]


@dataclass(frozen=True, slots=True)
class _Again:
    """A row that is tried once more; ``work`` is None where the message proves nothing any more."""

    row: Row[Any]
    work: _Work | None


class Unbooked:
    """What waits of each station, for people."""

    def __init__(self, context: HostContext) -> None:
        self._context = context

    def read(self, station: str) -> list[UnbookedAnswer]:
        """What could not be booked of what came through a station, oldest first; RefusedError for an unknown one."""
        return [_answer(row) for row in self._rows(station)]

    def book_again(self, station: str) -> list[UnbookedAnswer]:
        """Tries each once more, in the order in which they came; gives what is left, with the causes of now."""
        inbound, rows = Inbound(self._context), self._rows(station)
        inbound.expect(row.meter for row in rows)
        tries = [_Again(row, next(iter(inbound.take(row.meter, row.payload)), None)) for row in rows]

        def run(writing: Writing) -> None:
            booked = [_try(writing, each, self._context.now()) for each in tries]
            if any(booked):
                log_action(writing, self._context.now(), "messages booked late", station, f"{sum(booked)}")

        self._context.store.write(run)
        for row in rows:
            self._context.wake(row.meter)
        return self.read(station)

    def forget(self, station: str, reason: str) -> list[UnbookedAnswer]:
        """Throws away what waits of a station; gives what that was. ``reason`` goes into the audit log."""
        note, rows = check_text(reason, field="reason"), self._rows(station)
        table = schema.unbooked

        def run(writing: Writing) -> None:
            for row in rows:
                writing.connection.execute(delete(table).where(table.c.number == row.number))
            if rows:
                log_action(writing, self._context.now(), "messages forgotten", station, f"{len(rows)}: {note}")

        self._context.store.write(run)
        return [_answer(row) for row in rows]

    def _rows(self, station: str) -> list[Row[Any]]:
        table = schema.unbooked
        with self._context.store.reading() as connection:
            if not has_station(connection, station):
                raise unknown_station(station)
            wanted = select(table).where(table.c.station == station).order_by(table.c.number)
            return list(connection.execute(wanted))


def _try(writing: Writing, again: _Again, now_s: int) -> bool:
    table = schema.unbooked
    error: object = ValueError("no active key set opens it")
    if again.work is not None:
        error = attempt(writing, again.work)
    mine = table.c.number == again.row.number
    if isinstance(error, Exception):
        writing.connection.execute(update(table).where(mine).values(cause=_cause_of(error), last_s=now_s))
        return False
    # An AlarmAck is not sent from here: the meter repeats its alarm, and that is acknowledged.
    writing.connection.execute(delete(table).where(mine))
    return True


def _answer(row: Row[Any]) -> UnbookedAnswer:
    kind = MessageType(row.payload[0]).name.lower()
    return UnbookedAnswer(
        row.number, row.meter, kind, row.cause, row.times, row.first_s, row.last_s, row.payload.hex().upper()
    )
