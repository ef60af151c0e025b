"""Reads the entries and the chain over them as streams of plain tuples: a million of them in seconds."""

from collections.abc import Iterator
from typing import Final

from sqlalchemy import Connection, select

from prewatt.host.ledger import EntryRow, Link
from prewatt.host.store import schema
from prewatt.host.store.dialect import Dialect

__all__ = ["BLOCK_ENTRIES", "NUMBER_MIN", "as_bytes", "as_number", "read_entries", "read_links"]

# Entries read at once: enough that a question to the database costs little beside them.
BLOCK_ENTRIES: Final = 10_000
# Below any number that a column holds: the host counts from 1, others may not.
NUMBER_MIN: Final = -(2**63)


def read_entries(connection: Connection, dialect: Dialect, after: int = NUMBER_MIN) -> Iterator[list[EntryRow]]:
    """All entries beyond number ``after`` by number, in blocks; none of the blocks is empty."""
    while block := dialect.read_entries(connection, after, BLOCK_ENTRIES):
        yield block
        after = block[-1][0]


def read_links(connection: Connection) -> Iterator[Link]:
    """The links of the chain, oldest first."""
    columns = schema.chain.c
    query = select(columns.number, columns.first_entry, columns.last_entry, columns.marks, columns.hash)
    for number, first, last, marks, digest in connection.execute(query.order_by(columns.number)):
        yield Link(as_number(number), as_number(first), as_number(last), as_bytes(marks), as_bytes(digest))


def as_number(value: object) -> int:
    """A number of a row; 0, which no row counts, for what others put in its place."""
    return value if type(value) is int else 0


def as_bytes(value: object) -> bytes:
    """Bytes of a row; what it looks like, for what others put in its place."""
    return bytes(value) if isinstance(value, bytes | memoryview | bytearray) else repr(value).encode()
