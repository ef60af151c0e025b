"""Rows of customers, premises, suppliers and agents, written with what they are searched by and with who changed what.

Rows are written in sets, be it one from a counter or a hundred thousand from a file: the same few statements. Each row
that is added or changed has its own line in the audit log, with all fields before and after.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, bindparam, insert, select, update

from prewatt.host.context import log_action
from prewatt.host.customers.kinds import CUSTOMERS, PREMISES, RecordKind, Row, check_row
from prewatt.host.customers.sought import write_sought
from prewatt.host.fields import check_id
from prewatt.host.store import Writing

__all__ = ["CHUNK", "Changed", "add_people", "chunks", "read_rows", "write_rows"]

T = TypeVar("T")

# Rows in one statement: enough that its cost is that of its rows, and below what any database takes as parameters.
CHUNK: Final = 500


@dataclass(frozen=True, slots=True)
class Changed:
    """A row to be written; ``before``: None where it is new."""

    key: str
    before: Row | None
    after: Row


def chunks(rows: Iterable[T], size: int = CHUNK) -> Iterator[list[T]]:
    """``rows`` in lists of at most ``size``."""
    rest = iter(rows)
    while chunk := list(islice(rest, size)):
        yield chunk


def read_rows(connection: Connection, kind: RecordKind, keys: Iterable[str]) -> dict[str, Row]:
    """The rows that are there under these keys, by key."""
    table, found = kind.table, {}
    for chunk in chunks(keys):
        for row in connection.execute(select(table).where(table.c.id.in_(chunk))):
            found[row.id] = {column: getattr(row, column) for column in kind.checks}
    return found


def write_rows(writing: Writing, kind: RecordKind, changed: Sequence[Changed], now_s: int) -> None:
    """Adds and changes rows, all of whose fields were checked. At most CHUNK at a time."""
    connection, table = writing.connection, kind.table
    new = [{"id": each.key} | each.after for each in changed if each.before is None]
    other = [{"known_id": each.key} | each.after for each in changed if each.before is not None]
    if new:
        connection.execute(insert(table), new)
    if other:
        values: dict[str, Any] = {column: bindparam(column) for column in kind.checks}
        connection.execute(update(table).where(table.c.id == bindparam("known_id")).values(values), other)
    texts = [(each.key, {name: each.after[name] for name in kind.sought}) for each in changed]
    write_sought(connection, kind.name, texts, [each.key for each in changed if each.before is not None])
    for each in changed:
        action = f"{kind.word} {'add' if each.before is None else 'change'}"
        log_action(writing, now_s, action, each.key, "", before=each.before, after=each.after)


def add_people(
    writing: Writing,
    now_s: int,
    customer: tuple[str | None, str | None],
    premises: tuple[str | None, str | None],
) -> None:
    """Customer and premises of an enrolment, each an id and a name or address, added where they are new."""
    for kind, (key, text), column in ((CUSTOMERS, customer, "name"), (PREMISES, premises, "address")):
        if key is None or read_rows(writing.connection, kind, [check_id(key, field=kind.word)]):
            continue
        row, wrong = check_row(kind, key, {column: text or key})
        if wrong:
            raise wrong[0]
        write_rows(writing, kind, [Changed(key, None, row)], now_s)
