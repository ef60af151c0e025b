"""Where the rules' book of each meter is kept: one row, read and replaced inside the commit that posts its changes."""

from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import Connection, select

from prewatt.host.store import schema
from prewatt.host.store.dialect import Hot
from prewatt.host.store.store import Writing
from prewatt.protocol.transfer import BodyState, MeterBook, OrderState, pack_book, unpack_book

__all__ = ["insert_books", "put_book", "read_book", "read_books", "take_book"]

_STARTING = frozenset({BodyState.COMMISSIONING, BodyState.RETIRING})


def take_book(writing: Writing, meter: str) -> MeterBook:
    """The meter's book, to be changed in this commit."""
    row = writing.run(Hot.BOOK_BY_METER, (meter,)).fetchone()
    return unpack_book(row[0])


def put_book(writing: Writing, meter: str, book: MeterBook) -> None:
    """Replaces the meter's book."""
    writing.run(Hot.BOOK_UPDATE, (*_columns(book).values(), meter))


def insert_books(writing: Writing, books: Iterable[tuple[str, MeterBook]]) -> None:
    """Begins the books of meters that have none."""
    rows = [{"meter": meter} | _columns(book) for meter, book in books]
    writing.connection.execute(schema.books.insert(), rows)


def read_book(connection: Connection, meter: str) -> MeterBook:
    """The meter's book as it stands."""
    text = connection.execute(select(schema.books.c.book).where(schema.books.c.meter == meter)).scalar_one()
    return unpack_book(text)


def read_books(connection: Connection) -> Iterator[tuple[str, MeterBook]]:
    """Every meter's book, by id."""
    for row in connection.execute(select(schema.books.c.meter, schema.books.c.book).order_by(schema.books.c.meter)):
        yield row.meter, unpack_book(row.book)


def _columns(book: MeterBook) -> dict[str, Any]:
    """The row of a book without its meter, in the order in which the hot statement has it."""
    return {
        "book": pack_book(book),
        "epoch_highest": max(book.epoch, 0),
        "synced": book.synced,
        "frozen": book.frozen.value if book.frozen is not None else None,
        "reconciling": book.reconciling,
        "live": book.body is BodyState.LIVE,
        "body": book.body.value,
        "work": _has_work(book),
    }


def _has_work(book: MeterBook) -> bool:
    """Whether the rules may have something to send: then the meter stands in the dispatcher's list after a start."""
    if book.frozen is not None or book.body is BodyState.LOST:
        return False
    open_orders = any(order.state is not OrderState.LOST for order in book.orders)
    return open_orders or not book.synced or bool(book.known) or book.reconciling or book.body in _STARTING
