"""What a body that is in use no more still holds, by its own authenticated words, and what late words change.

Its value is what the ledger delivered to it less what it last said it had burned and returned; by the law of the meter
that is the balance it last showed, and what it is proved to have received since. A retired body receives nothing more,
so of all it said with the last sequence of its epoch the lowest balance is the newest. Value in it that no order
explains is not counted: it may be some order's.

After the value of a body has moved on, a late Report may show that it went on burning: that is kept as `unreported`,
a case for a person, and moves no money. While the value of a lost body still stands in `lost bodies`, late Reports
change how much it is: until a person signs it over, the newest word counts.
"""

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, select, update

from prewatt.codec.receipt import Receipt, RingEntry
from prewatt.host.ledger import AccountKind, Phase, Posting, account_id
from prewatt.host.money import post_or_fail
from prewatt.host.store import Writing, schema
from prewatt.host.store.books import put_book
from prewatt.protocol.transfer import BodyState, MeterBook, OrderState, close_suspense
from prewatt.units import epoch_of, epoch_start, sequence_of
from prewatt.units.ids import SEQUENCE_COUNTER_MAX

__all__ = [
    "BodyRow",
    "body_epoch",
    "change_body",
    "final_balance",
    "follow_bodies",
    "level_lost",
    "lost_epoch",
    "raise_lost",
    "read_body",
    "value_left",
]

_ENDED: Final = frozenset({BodyState.LOST, BodyState.RETIRED})


@dataclass(frozen=True, slots=True)
class BodyRow:
    """One body that ended, as `bodies` keeps it; amounts in micro-units."""

    meter: str
    epoch: int
    kind: str
    reason: str
    made_s: int
    to_meter: str | None
    order_id: str | None
    moved_micro: int | None
    moved_s: int | None
    lost_micro: int
    signed_micro: int
    voided_micro: int
    unreported_micro: int

    @classmethod
    def of(cls, row: Row[Any]) -> "BodyRow":
        """The row as a value."""
        return cls(*(getattr(row, name) for name in cls.__dataclass_fields__))


def body_epoch(book: MeterBook) -> int:
    """The epoch of the body that the book tells of."""
    if book.body is BodyState.RETIRED and book.settled >= 0:
        return epoch_of(book.settled)
    return max(book.epoch, 0)


def read_body(connection: Connection, meter: str, epoch: int) -> BodyRow | None:
    """The body of this id and epoch, where it has ended."""
    bodies = schema.bodies
    wanted = select(bodies).where(bodies.c.meter == meter, bodies.c.epoch == epoch)
    row = connection.execute(wanted).one_or_none()
    return None if row is None else BodyRow.of(row)


def lost_epoch(connection: Connection, meter: str, book: MeterBook) -> int:
    """The epoch of the body that was lost with this id, or is about to be.

    A restored host may know of a later one than that of the body that it gave up, by the state folder.
    """
    bodies = schema.bodies.c
    wanted = select(bodies.epoch).where(bodies.meter == meter, bodies.kind == "lost").order_by(bodies.epoch.desc())
    found = connection.execute(wanted.limit(1)).scalar()
    return body_epoch(book) if found is None else found


def final_balance(connection: Connection, meter: str, epoch: int) -> int | None:
    """The balance a retired body last showed; None where it was not read since it was retired.

    Only words that are kept for ever count: what is shown of the meter is soon that of the next body. What was said
    with the last sequence may prove any older one, of which the host heard late: such a word counts like the others.
    """
    end = sequence_of(epoch, SEQUENCE_COUNTER_MAX)
    reports, records = schema.reports.c, schema.record_file.c
    wanted = select(reports.balance_micro).where(reports.meter == meter, reports.last_sequence == end)
    said = list(connection.execute(wanted).scalars())
    proved = select(records.receipt).where(records.meter == meter, records.sequence <= end).distinct()
    for built in connection.execute(proved).scalars():
        receipt = Receipt.parse(built)
        if receipt.last_sequence == end:
            said.append(receipt.balance_micro)
    return min(said, default=None)


def value_left(connection: Connection, meter: str, epoch: int, suspense: tuple[RingEntry, ...], voided: int) -> int:
    """What a body of this epoch holds by its newest word, less what no order explains; never below zero."""
    newest = _newest(connection, meter, epoch)
    if newest is None:
        return 0
    balance, since = newest
    records = schema.record_file.c
    later = select(records.amount_micro).where(
        records.meter == meter, records.sequence > since, records.sequence < epoch_start(epoch) + (1 << 24)
    )
    unexplained = sum(entry.amount_micro for entry in suspense if epoch_of(entry.sequence) == epoch)
    received = sum(int(amount) for amount in connection.execute(later).scalars())
    return max(0, balance + received - unexplained - voided)


def _newest(connection: Connection, meter: str, epoch: int) -> tuple[int, int] | None:
    """The newest balance of this epoch and the last sequence it was said with; None where nothing was said."""
    standings, reports = schema.standings.c, schema.reports.c
    shown = connection.execute(
        select(standings.balance_micro, standings.last_sequence, standings.at_s).where(standings.meter == meter)
    ).one()
    if shown.at_s and epoch_of(max(shown.last_sequence, 0)) == epoch:
        return int(shown.balance_micro), int(shown.last_sequence)
    told = (
        select(reports.balance_micro, reports.last_sequence)
        .where(reports.meter == meter, reports.epoch == epoch)
        .order_by((reports.received_micro + reports.burned_micro + reports.returned_micro).desc())
        .limit(1)
    )
    row = connection.execute(told).one_or_none()
    return None if row is None else (int(row.balance_micro), int(row.last_sequence))


def follow_bodies(writing: Writing, meter: str, book: MeterBook, said_epoch: int, at_s: int) -> None:
    """What a fact changes about bodies that have ended; called at the end of the commit that books it."""
    if book.body not in _ENDED and said_epoch >= book.epoch:
        return
    before, bodies = book, schema.bodies
    for row in writing.connection.execute(select(bodies).where(bodies.c.meter == meter)).all():
        body = BodyRow.of(row)
        if body.kind == "lost":
            book = _void_signed(writing, book, body, at_s)
            level_lost(writing, book, meter, body.epoch, at_s)
        elif body.moved_micro is not None:
            newest = final_balance(writing.connection, meter, body.epoch)
            if newest is not None and body.moved_micro - newest > body.unreported_micro:
                change_body(writing, meter, body.epoch, unreported_micro=body.moved_micro - newest)
    if book is not before:
        put_book(writing, meter, book)


def change_body(writing: Writing, meter: str, epoch: int, **values: object) -> None:
    """Changes what is known of a body that has ended."""
    bodies = schema.bodies
    changed = update(bodies).where(bodies.c.meter == meter, bodies.c.epoch == epoch)
    writing.connection.execute(changed.values(**values))


def level_lost(writing: Writing, book: MeterBook, meter: str, epoch: int, at_s: int) -> None:
    """Account `lost bodies` holds what the lost body has left by its newest word, less what was signed over."""
    body = read_body(writing.connection, meter, epoch)
    if body is None or body.kind != "lost":
        return
    left = value_left(writing.connection, meter, epoch, book.suspense, body.voided_micro)
    rise = left - body.lost_micro - body.signed_micro
    lost = max(0, body.lost_micro + rise)
    unreported = max(0, body.signed_micro - left)
    if lost != body.lost_micro:
        _post_lost(writing, meter, epoch, lost - body.lost_micro, at_s)
    if (lost, unreported) != (body.lost_micro, body.unreported_micro):
        change_body(writing, meter, epoch, lost_micro=lost, unreported_micro=unreported)


def raise_lost(writing: Writing, meter: str, epoch: int, rise_micro: int, at_s: int) -> None:
    """So much more than its words tell was in a lost body; nothing where it is not more."""
    if rise_micro > 0:
        _post_lost(writing, meter, epoch, rise_micro, at_s)


def _post_lost(writing: Writing, meter: str, epoch: int, rise_micro: int, at_s: int) -> None:
    delivered, lost = account_id(AccountKind.DELIVERED, meter), account_id(AccountKind.LOST_BODIES, meter)
    debit, credit = (delivered, lost) if rise_micro > 0 else (lost, delivered)
    entries = schema.entries.c
    prefix = f"{meter}:{epoch}/lost/"
    number = len(writing.connection.execute(select(entries.id).where(entries.id.startswith(prefix))).all()) + 1
    cause = "left in a lost body" if rise_micro > 0 else "burned by the lost body, as it said later"
    posting = Posting(f"{prefix}{number}", Phase.SINGLE, debit, credit, abs(rise_micro), cause, meter)
    post_or_fail(writing, posting, at_s)


def _void_signed(writing: Writing, book: MeterBook, body: BodyRow, at_s: int) -> MeterBook:
    """An order that was signed over and is found in the lost body after all: its money is elsewhere, so what the dead
    body holds of it is void. No money moves a second time; how much it was stays visible."""
    orders, meter, voided = schema.orders.c, body.meter, body.voided_micro
    signed = writing.connection.execute(
        select(orders.tag, orders.sequence, orders.amount_micro).where(
            orders.meter == meter, orders.step == OrderState.SIGNED_OVER.value
        )
    ).all()
    for entry in book.suspense:
        same = any(
            row.amount_micro == entry.amount_micro and (row.tag == entry.tag or row.sequence == entry.sequence)
            for row in signed
        )
        if same and entry.amount_micro > 0 and epoch_of(entry.sequence) == body.epoch:
            _post_void(writing, meter, entry, at_s)
            book, voided = close_suspense(book, entry.sequence), voided + entry.amount_micro
    if voided != body.voided_micro:
        change_body(writing, meter, body.epoch, voided_micro=voided)
    return book


def _post_void(writing: Writing, meter: str, entry: RingEntry, at_s: int) -> None:
    delivered, suspense = account_id(AccountKind.DELIVERED, meter), account_id(AccountKind.SUSPENSE, meter)
    posting_id, cause = f"{meter}:{entry.sequence:08X}/void", "in a lost body, signed over before"
    posting = Posting(posting_id, Phase.SINGLE, delivered, suspense, entry.amount_micro, cause, meter)
    post_or_fail(writing, posting, at_s)
