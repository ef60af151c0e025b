"""Choosing what to send to a meter next, in the order that keeps value safe and moving.

One sequence is unsettled at a time (or up to 8, all of them codes), and a number belongs to one order only. The lowest
open number goes first: a burn if its order is being cancelled, else the order itself. An order that the meter refused
gives way to everything else: a fence takes its number, so that the others can go on and the refused order, in its
books certain not to be under way, gets a new number later. A meter that is out of step gets the ring read and then
fences, nothing else (R7). The book returned must be durable before the work's bytes go out (R6).
"""

from dataclasses import replace
from typing import Final

from prewatt.codec.bodies import Commission, Retire, Transfer
from prewatt.codec.commands import Code, control_digest
from prewatt.codec.receipt import RingEntry
from prewatt.protocol.transfer_book import (
    BodyState,
    MeterBook,
    Order,
    OrderState,
    Pending,
    TransferRuleError,
    burn_tag,
    check_tag,
    known_top,
    next_number,
    replace_order,
)
from prewatt.protocol.transfer_facts import Begun, Work, WorkKind
from prewatt.units import Sequence, next_sequence

__all__ = ["CONTROLS_PENDING_MAX", "begun_now", "gives_way", "next_control", "next_work", "query_work"]

# Control commands whose end is unknown; older ones are certain to be behind the counter and are asked anew.
CONTROLS_PENDING_MAX: Final = 16
_CONTROL_MAX: Final = 2**32 - 1
_NOT_SENT: Final = Sequence(0)


def begun_now(book: MeterBook) -> Begun:
    """The stamp of a session whose Hello is made from this book."""
    return Begun(known_top(book), book.heard, book.episode)


def query_work(book: MeterBook, code: Code, body: bytes) -> Work:
    """Work that changes nothing at the meter (03 and 04); allowed in every state of the book."""
    if code not in (Code.USAGE, Code.RING):
        raise TransferRuleError(f"query: code {code:02X} is not allowed; allowed is 03 and 04")
    return Work(WorkKind.QUERY, code, _NOT_SENT, body, begun_now(book))


def next_work(book: MeterBook, random: bytes) -> tuple[MeterBook, Work | None]:
    """The money work to do now, if any. ``random`` is 8 fresh random bytes, used only for a new fence.

    Asked again before an answer, it gives the same work in a form that may be sent in another session.
    """
    if book.frozen is not None or book.body is BodyState.LOST:
        return book, None
    if not book.synced:
        return _fence_work(book, random)
    if book.known:
        return book, _ring_work(book)
    if book.reconciling:
        return book, None
    if book.body is BodyState.COMMISSIONING:
        after = max(book.settled, 0) if book.keeps_value else 0
        body = Commission(book.epoch, book.body_tag, after).build()
        return _control_work(book, WorkKind.COMMISSION, Code.COMMISSION, body)
    if book.body is BodyState.RETIRING:
        return _control_work(book, WorkKind.RETIRE, Code.RETIRE, Retire(book.body_tag).build())
    return _order_work(book, random) if book.body is BodyState.LIVE else (book, None)


def gives_way(book: MeterBook, work: Work) -> bool:
    """Whether money work goes behind all other: where every order that is open was refused by the meter (R4)."""
    held_up = bool(book.orders) and all(order.state is OrderState.REFUSED for order in book.orders)
    return held_up and book.synced and work.kind in (WorkKind.TRANSFER, WorkKind.FENCE)


def next_control(book: MeterBook, code: Code, body: bytes) -> tuple[MeterBook, Work | None]:
    """R10: a control command under its counter; None while the meter is out of step or frozen.

    The newest wish has the highest counter, always: the same command asked again keeps its counter only while nothing
    newer was numbered and the meter is not past it.
    """
    if code in (Code.VALUE, Code.USAGE, Code.RING, Code.COMMISSION, Code.RETIRE):
        raise TransferRuleError(f"control: code {code:02X} is not allowed here")
    if not book.synced or book.frozen is not None or book.body is BodyState.LOST:
        return book, None
    return _control_work(book, WorkKind.CONTROL, code, body)


def _control_work(book: MeterBook, kind: WorkKind, code: Code, body: bytes) -> tuple[MeterBook, Work | None]:
    digest = control_digest(code, body)
    newest = book.controls[-1] if book.controls else None
    if newest is None or newest.digest != digest or newest.counter < book.last_control:
        counter = max(book.last_control, newest.counter if newest else 0) + 1
        if counter > _CONTROL_MAX:
            return book, None
        newest = Pending(counter, digest)
        book = replace(book, controls=(*book.controls, newest)[-CONTROLS_PENDING_MAX:])
    return book, Work(kind, code, Sequence(newest.counter), body, begun_now(book))


def _ring_work(book: MeterBook) -> Work:
    return Work(WorkKind.RING, Code.RING, _NOT_SENT, b"", begun_now(book))


def _fence_work(book: MeterBook, random: bytes) -> tuple[MeterBook, Work | None]:
    """The ring first: it still shows what up to 8 fences would push out of it, and a fresh last to begin at."""
    done = book.fence_until is not None and book.fenced >= book.fence_until
    if book.fence_from is None or done:
        return book, _ring_work(book)
    sequence = next_sequence(max(book.fence_from, book.fenced))
    return (book, _ring_work(book)) if sequence is None else _fence_at(book, sequence, random)


def _fence_at(book: MeterBook, sequence: Sequence, random: bytes) -> tuple[MeterBook, Work]:
    fence = next((fence for fence in book.fences if fence.sequence == sequence), None)
    if fence is None:
        fence = RingEntry(sequence, burn_tag(check_tag(bytes((random[0] & 0x7F,)) + random[1:])), 0)
        book = replace(book, fences=(*book.fences, fence))
    body = Transfer(0, fence.tag).build()
    return book, Work(WorkKind.FENCE, Code.VALUE, sequence, body, begun_now(book))


def _order_work(book: MeterBook, random: bytes) -> tuple[MeterBook, Work | None]:
    claims = [order for order in book.orders if order.sequence is not None]
    if claims:
        lowest = min(claims, key=_number_of)
        if lowest.state is OrderState.REFUSED and len(book.orders) > 1:
            return _fence_at(book, _number_of(lowest), random)
        return book, _send(book, lowest, numbered=False)
    queue = [order for order in book.orders if order.state is OrderState.WAITING]
    queue += [order for order in book.orders if order.state is OrderState.REFUSED]
    number = next_number(book)
    if not queue or number is None:
        return book, None
    state = OrderState.SENT if queue[0].state is OrderState.WAITING else OrderState.REFUSED
    order = replace(queue[0], sequence=number, state=state)
    book = replace_order(book, order)
    return book, _send(book, order, numbered=True)


def _number_of(order: Order) -> Sequence:
    if order.sequence is None:
        raise TransferRuleError(f"order: {order.order_id!r} has no sequence")
    return order.sequence


def _send(book: MeterBook, order: Order, *, numbered: bool) -> Work:
    burning = order.state is OrderState.CANCELLING
    body = Transfer(0, burn_tag(order.tag)) if burning else Transfer(order.amount_micro, order.tag)
    kind = WorkKind.BURN if burning else WorkKind.TRANSFER
    begun = begun_now(book)
    return Work(kind, Code.VALUE, _number_of(order), body.build(), begun, order.order_id, numbered)
