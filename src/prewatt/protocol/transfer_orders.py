"""What people ask of a meter's orders: make one, cancel one, put one on paper as a value code, explain suspense.

Cancelling is never a decision of the host alone once a command may be under way: the order is marked, and the burn of
its sequence decides with everything else that wants that sequence (R5). Only an order of which nothing can be under
way, at a meter that is in step with its book, ends in the books alone.
"""

from collections.abc import Callable
from dataclasses import replace

from prewatt.codec.receipt import RingEntry
from prewatt.protocol.transfer_book import (
    CODE_BITS,
    CODES_OPEN_MAX,
    OPEN_ORDERS_MAX,
    BodyState,
    MeterBook,
    Order,
    OrderState,
    TransferRuleError,
    check_unexplained,
    ends_in_books,
    find_order,
    next_number,
    replace_order,
    without_order,
)
from prewatt.protocol.transfer_facts import Cancelled, Change, Confirmed, SignedOver
from prewatt.units import Sequence

__all__ = ["ask_cancel", "close_suspense", "issue_code", "make_order", "match_suspense", "sign_over"]


def make_order(book: MeterBook, order_id: str, amount_micro: int, tag: bytes) -> MeterBook:
    """The book with a new order at the end of its queue. ``tag`` is 8 random bytes whose first bit is clear (R2).

    TransferRuleError for a zero amount, a tag or id that the book has, a lost body, a full queue.
    """
    order = Order(order_id, amount_micro, tag)
    if book.body is BodyState.LOST:
        raise TransferRuleError("order: the meter's body is lost; it takes no order")
    if any(order_id == other.order_id or tag == other.tag for other in book.orders):
        raise TransferRuleError(f"order: the id or the tag of {order_id!r} is already open at this meter")
    if len(book.orders) >= OPEN_ORDERS_MAX:
        raise TransferRuleError(f"order: {OPEN_ORDERS_MAX} orders are open at this meter; allowed is no more")
    return replace(book, orders=(*book.orders, order))


def ask_cancel(book: MeterBook, order_id: str) -> tuple[MeterBook, tuple[Change, ...]]:
    """R5. Cancelled at once where nothing can be under way; else the burn decides and `learn` tells.

    A book that is out of step with its meter or the payments ends nothing by itself, not even an order without a
    number: a host that was forgotten may have given it one, and value in suspense may be its. TransferRuleError where
    the order is not open, or lost with its body.
    """
    order = find_order(book, order_id)
    if order.state is OrderState.LOST:
        raise TransferRuleError(f"order: {order_id!r} is lost with its body; a person has to sign it over")
    if order.sequence is None and ends_in_books(book):
        cancelled = replace(order, state=OrderState.CANCELLED)
        return without_order(book, order), (Cancelled(cancelled),)
    return replace_order(book, replace(order, state=OrderState.CANCELLING)), ()


def issue_code(book: MeterBook, order_id: str, build: Callable[[Sequence, int], int]) -> tuple[MeterBook, Order]:
    """Puts the order on paper: gives it a sequence if it has none and the code that ``build(sequence, amount)`` makes.

    The same order asked again has the same code. Up to 8 orders are open as codes, under consecutive sequences. The
    order can still travel as a transfer; whichever arrives first is applied. TransferRuleError where a code cannot be
    given now: the meter is out of step or frozen, the order is a return or being cancelled, or others are open.
    """
    order = find_order(book, order_id)
    if order.code is not None:
        return book, order
    if book.body is not BodyState.LIVE or not book.synced or book.reconciling or book.frozen is not None or book.known:
        raise TransferRuleError("code: the meter takes no codes until it is live and in step with the host")
    if order.amount_micro < 0 or order.state in (OrderState.CANCELLING, OrderState.LOST):
        raise TransferRuleError(f"code: order {order_id!r} is a return or is being cancelled")
    sequence = order.sequence if order.sequence is not None else _code_number(book)
    code = build(sequence, order.amount_micro)
    if not 0 <= code < 1 << CODE_BITS:
        raise TransferRuleError("code: the value does not fit 64 bits")
    state = OrderState.SENT if order.state is OrderState.WAITING else order.state
    numbered = replace(order, sequence=sequence, code=code, state=state)
    return replace_order(book, numbered), numbered


def _code_number(book: MeterBook) -> Sequence:
    claims = [order for order in book.orders if order.sequence is not None]
    if any(order.code is None for order in claims) or len(claims) >= CODES_OPEN_MAX:
        raise TransferRuleError(f"code: another transfer or {CODES_OPEN_MAX} codes are open at this meter")
    number = next_number(book)
    if number is None:
        raise TransferRuleError("code: the epoch has no sequence left")
    return number


def match_suspense(book: MeterBook, order_id: str, sequence: int) -> tuple[MeterBook, tuple[Change, ...]]:
    """A person (or the payments' own records) says that this value in suspense was this order: suspense -> delivered.

    For an order of a restored book whose value code was given out and typed by the time the ring was read. Allowed
    only for an order of which nothing is under way: one without a number at a meter in step, or one of a lost body;
    amounts must agree.
    """
    order = find_order(book, order_id)
    entry = _find_suspense(book, sequence)
    if (order.sequence is not None or not book.synced) and book.body is not BodyState.LOST:
        raise TransferRuleError(f"suspense: order {order_id!r} may still be under way")
    if entry.amount_micro != order.amount_micro:
        raise TransferRuleError(f"suspense: {entry.amount_micro} is held, the order is {order.amount_micro}")
    late = order.state is OrderState.CANCELLING
    confirmed = replace(order, state=OrderState.CONFIRMED, sequence=Sequence(sequence))
    book = close_suspense(without_order(book, order), sequence)
    return book, (Confirmed(confirmed, Sequence(sequence), too_late=late),)


def close_suspense(book: MeterBook, sequence: int) -> MeterBook:
    """The book without this entry of suspense: it was explained otherwise, and posted by whoever explains it."""
    entry = _find_suspense(book, sequence)
    return replace(book, suspense=tuple(other for other in book.suspense if other != entry))


def _find_suspense(book: MeterBook, sequence: int) -> RingEntry:
    for entry in book.suspense:
        if entry.sequence == sequence:
            return entry
    raise TransferRuleError(f"suspense: sequence {sequence} is not in suspense at this meter")


def sign_over(book: MeterBook, order_id: str) -> tuple[MeterBook, tuple[Change, ...]]:
    """A person ends an order that was lost with its body (R8); TransferRuleError for any other order, and while
    unexplained suspense may be this one."""
    order = find_order(book, order_id)
    if order.state is not OrderState.LOST:
        raise TransferRuleError(f"order: {order_id!r} is {order.state}, not lost; cancel it instead")
    check_unexplained(book, order_id)
    signed = replace(order, state=OrderState.SIGNED_OVER)
    return without_order(book, order), (SignedOver(signed),)
