"""One commit for what the rules decided: the new book, the orders' rows, the postings, the record file.

`protocol.transfer` says what is true (changes); here it becomes rows. Book, orders, ledger and record file are written
by one piece of work, so that no crash can part them. Order rows mirror the book's open orders; an order that ended
leaves the book and keeps its row for ever.
"""

from collections.abc import Iterable
from typing import Final

from prewatt.codec.receipt import NO_TAG, Receipt, RingEntry
from prewatt.host.context import log_action
from prewatt.host.money import OrderMoney, Place, post_match, post_suspense
from prewatt.host.refusals import HostError, RefusalOutcome, RefusedError
from prewatt.host.store import Hot, Writing, schema
from prewatt.host.store.books import put_book, take_book
from prewatt.protocol.transfer import (
    Cancelled,
    Change,
    Confirmed,
    Lost,
    MeterBook,
    Order,
    OrderState,
    Renumbered,
    SignedOver,
    Suspense,
    TransferRuleError,
    match_suspense,
)
from prewatt.protocol.transfer_book import burn_tag, code_tag

__all__ = ["book_changes", "book_match", "record_facts"]

_ENDED: Final = frozenset({OrderState.CONFIRMED, OrderState.CANCELLED, OrderState.SIGNED_OVER})


def book_changes(
    writing: Writing, meter: str, before: MeterBook, after: MeterBook, changes: Iterable[Change], *, at_s: int
) -> None:
    """Writes the step from ``before`` to ``after`` and everything that follows from it. No step, no write."""
    if after == before:
        return
    old = {order.order_id: order for order in before.orders}
    moved = [order for order in after.orders if old.get(order.order_id) != order]
    ended: list[Order] = []
    for change in changes:
        if isinstance(change, Confirmed | Cancelled | SignedOver):
            ended.append(change.order)
        elif isinstance(change, Suspense):
            post_suspense(writing, meter, change.entry.sequence, change.entry.amount_micro, at_s)
        elif isinstance(change, Lost | Renumbered):
            _move_open(writing, meter, change.order, at_s)
        if isinstance(change, Renumbered) and change.code_void:
            log_action(writing, at_s, "value code void", meter, f"order {change.order.order_id}: give a new code")
    # A number changes hands inside this commit: first everybody lets go, then everybody takes.
    for order in (*ended, *moved):
        writing.run(Hot.ORDER_LET_GO, (order.order_id,))
    for order in ended:
        _end(writing, meter, order, at_s)
    for order in moved:
        if order.sequence is not None and order.state is not OrderState.LOST:
            _move(writing, meter, order, Place.TRANSIT, at_s)
        writing.run(Hot.ORDER_STEP, (order.state.value, order.sequence, None, order.order_id))
    put_book(writing, meter, after)


def book_match(writing: Writing, meter: str, order_id: str, sequence: int, *, at_s: int) -> None:
    """Value in suspense was this open order: the order is confirmed there, and suspense lets the value go.

    RefusedError where the rules do not allow it.
    """
    before = take_book(writing, meter)
    try:
        after, changes = match_suspense(before, order_id, sequence)
    except TransferRuleError as error:
        raise RefusedError(RefusalOutcome.METER_BLOCKED, "sequence", sequence, str(error)) from None
    amount = next(entry.amount_micro for entry in before.suspense if entry.sequence == sequence)
    post_match(writing, meter, sequence, amount, at_s)
    row = {"meter": meter, "sequence": sequence, "order_id": order_id, "at_s": at_s}
    writing.connection.execute(schema.matches.insert().values(row))
    book_changes(writing, meter, before, after, changes, at_s=at_s)


def _move_open(writing: Writing, meter: str, order: Order, at_s: int) -> None:
    """Money of an order that is still open: lost with its body, or back from there."""
    if order.state is OrderState.LOST:
        _move(writing, meter, order, Place.LOST, at_s)
    elif _money(writing, meter, order, at_s).place is Place.LOST:
        _move(writing, meter, order, Place.WALLET, at_s)


def _end(writing: Writing, meter: str, order: Order, at_s: int) -> None:
    """An order's last step; what it was before may be any open state (compare-and-set on that)."""
    if order.state is OrderState.CONFIRMED:
        _move(writing, meter, order, Place.DELIVERED, at_s)
    elif order.state is OrderState.CANCELLED:
        _move(writing, meter, order, Place.WALLET, at_s)
    ended = writing.run(Hot.ORDER_STEP, (order.state.value, order.sequence, at_s, order.order_id))
    if ended.rowcount != 1 or order.state not in _ENDED:
        raise HostError(f"order {order.order_id}: it has ended before, it cannot become {order.state}")


def _move(writing: Writing, meter: str, order: Order, to: Place, at_s: int) -> None:
    money = _money(writing, meter, order, at_s)
    if money.place is not to:
        money.move(to)
        writing.run(Hot.ORDER_PLACE, (money.place.value, money.moves, order.order_id))


def _money(writing: Writing, meter: str, order: Order, at_s: int) -> OrderMoney:
    row = writing.run(Hot.ORDER_MONEY, (order.order_id, meter)).fetchone()
    if row is None or row[2] != order.amount_micro:
        raise HostError(f"order {order.order_id}: the book of meter {meter} and the orders disagree")
    return OrderMoney(writing, order.order_id, meter, order.amount_micro, Place(row[0]), row[1], at_s)


def record_facts(
    writing: Writing, before: MeterBook, receipt: Receipt, ring: tuple[RingEntry, ...] | None, *, at_s: int
) -> None:
    """The record file: who holds which sequence of this meter, each once, with the receipt that proved it."""
    meter = before.meter_id.hex().upper()
    entries = list(ring or ())
    newest = RingEntry(receipt.last_sequence, receipt.last_tag, receipt.last_amount_micro)
    if newest.tag != NO_TAG and newest not in entries:
        entries.append(newest)
    built = receipt.build()
    for entry in entries:
        what, order_id = _explain(writing, meter, before, entry)
        row = (meter, entry.sequence, entry.tag, entry.amount_micro, what, order_id, built, at_s)
        writing.run(Hot.RECORD_HOLDER, row)


def _explain(writing: Writing, meter: str, before: MeterBook, entry: RingEntry) -> tuple[str, str | None]:
    """What the books know of a tag at this moment, and whose it is."""
    if entry.tag == before.body_tag:
        return "body", None
    if any(fence.tag == entry.tag for fence in before.fences):
        return "fence", None
    for order in before.orders:
        if order.code is not None and entry.tag == code_tag(order.code):
            return "code", order.order_id
        if entry.tag in (order.tag, burn_tag(order.tag)):
            return ("order" if entry.tag == order.tag else "burn"), order.order_id
    row = writing.run(Hot.ORDER_BY_TAG, (meter, entry.tag)).fetchone()
    return ("order", row[0]) if row is not None else ("unknown", None)
