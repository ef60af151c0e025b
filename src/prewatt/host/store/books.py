"""Where the rules' book of each meter is kept: one row, read and replaced inside the commit that posts its changes."""

from collections.abc import Iterator

from sqlalchemy import Connection, select

from prewatt.host.store import schema
from prewatt.host.store.dialect import Hot
from prewatt.host.store.store import Writing
from prewatt.protocol.transfer import BodyState, MeterBook, OrderState, pack_book, unpack_book

__all__ = ["insert_book", "put_book", "read_book", "read_books", "take_book"]

_STARTING = frozenset({BodyState.COMMISSIONING, BodyState.RETIRING})


def take_book(writing: Writing, meter: str) -> MeterBook:
    """The meter's book, to be changed in this commit."""
    row = writing.run(Hot.BOOK_BY_METER, (meter,)).fetchone()
    return unpack_book(row[0])


def put_book(writing: Writing, meter: str, book: MeterBook) -> None:
    """Replaces the meter's book."""
    frozen = book.frozen.value if book.frozen is not None else None
    row = (
        pack_book(book),
        max(book.epoch, 0),
        book.synced,
        frozen,
        book.reconciling,
        book.body is BodyState.LIVE,
        book.body.value,
        _has_work(book),
        meter,
    )
    writing.run(Hot.BOOK_UPDATE, row)


def insert_book(writing: Writing, meter: str, book: MeterBook) -> None:
    """Begins the book of a meter that has none."""
    row = {
        "meter": meter,
        "book": b"",
        "epoch_highest": 0,
        "synced": True,
        "frozen": None,
        "reconciling": False,
        "live": False,
        "body": BodyState.NEW.value,
        "work": False,
    }
    writing.connection.execute(schema.books.insert().values(row))
    put_book(writing, meter, book)


def read_book(connection: Connection, meter: str) -> MeterBook:
    """The meter's book as it stands."""
    text = connection.execute(select(schema.books.c.book).where(schema.books.c.meter == meter)).scalar_one()
    return unpack_book(text)


def read_books(connection: Connection) -> Iterator[tuple[str, MeterBook]]:
    """Every meter's book, by id."""
    for row in connection.execute(select(schema.books.c.meter, schema.books.c.book).order_by(schema.books.c.meter)):
        yield row.meter, unpack_book(row.book)


def _has_work(book: MeterBook) -> bool:
    """Whether the rules may have something to send: then the meter stands in the dispatcher's list after a start."""
    if book.frozen is not None or book.body is BodyState.LOST:
        return False
    open_orders = any(order.state is not OrderState.LOST for order in book.orders)
    return open_orders or not book.synced or bool(book.known) or book.reconciling or book.body in _STARTING
