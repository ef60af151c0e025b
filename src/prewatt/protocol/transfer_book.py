"""The host's book of one meter: every open order, and everything the host knows about who holds which sequence.

The book is a value. Rules take a book and give a new one; the host stores it durably before any byte goes out that
follows from it, together with the ledger entries of the changes, in one commit. A fact is "tag T holds sequence s";
it is authentic and stays true for ever, so the book never needs the tags of what it has settled: it remembers up to
which sequence everything is known (`settled`), islands of knowledge above that (`known`), and its open orders.
Rules R2 to R8 of docs/protocol.md.
"""

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

from prewatt.codec.receipt import NO_TAG, TAG_BYTES, RingEntry
from prewatt.units import EPOCH_LAST, MeterId, Sequence, epoch_of, epoch_start, next_sequence, sequence_of
from prewatt.units.ids import SEQUENCE_COUNTER_MAX

__all__ = [
    "CODES_OPEN_MAX",
    "CODE_BITS",
    "FENCE_WIDTH_MAX",
    "NOTHING_SETTLED",
    "NO_EPOCH",
    "OPEN_ORDERS_MAX",
    "SAFE_EPOCH_FIRST",
    "BodyState",
    "FreezeReason",
    "Known",
    "MeterBook",
    "Order",
    "OrderState",
    "Pending",
    "Seen",
    "TransferRuleError",
    "UnsyncReason",
    "burn_tag",
    "check_epoch",
    "check_tag",
    "check_unexplained",
    "code_tag",
    "ends_in_books",
    "find_order",
    "is_known",
    "issued_top",
    "known_top",
    "new_book",
    "next_number",
    "replace_order",
    "without_order",
]

CODE_BITS: Final = 64
# Value codes open at once: more on paper than a customer types in one sitting only widens the fence after a restore.
CODES_OPEN_MAX: Final = 8
# A restored host fences as many sequences as a forgotten host may have given to codes.
FENCE_WIDTH_MAX: Final = CODES_OPEN_MAX
# Orders one meter may have open; a queue without an end would hide a meter that is dead.
OPEN_ORDERS_MAX: Final = 256
NOTHING_SETTLED: Final = -1
NO_EPOCH: Final = -1
# The first epoch of every id. Not 0: a body without an epoch and one fresh in epoch 0 would look alike but for tags,
# and a host that lost its books tells an id's first body by its epoch.
SAFE_EPOCH_FIRST: Final = 1
_BURN_BIT: Final = 0x80


class TransferRuleError(ValueError):
    """The caller asked for something the rules do not allow; nothing was changed."""


class OrderState(StrEnum):
    """Where an order stands. An order is in the book until it is confirmed, cancelled or signed over."""

    WAITING = "waiting"
    SENT = "sent"
    REFUSED = "refused"
    CANCELLING = "cancelling"
    LOST = "lost"
    CONFIRMED = "confirmed"
    CANCELLED = "cancelled"
    SIGNED_OVER = "signed over"


class BodyState(StrEnum):
    """The body behind the meter's id: what may be sent to it depends on this."""

    NEW = "new"
    COMMISSIONING = "commissioning"
    LIVE = "live"
    RETIRING = "retiring"
    RETIRED = "retired"
    LOST = "lost"


class FreezeReason(StrEnum):
    """Why a person has to look before anything more is sent to this meter."""

    AMOUNT = "an order's tag is held with another amount"
    TWO_HOLDERS = "two different tags hold one sequence"
    WENT_BACK = "the meter's last sequence went back"
    GAP = "sequences that nobody can read any more lie below the ring"
    NO_EPOCH = "the body that answers has no epoch"
    OLD_BODY = "a body of an older epoch answers"
    HOLDS_VALUE = "the body that was commissioned already holds value"


class UnsyncReason(StrEnum):
    """Why only fences go out."""

    RESTORED = "the database was restored"
    UNKNOWN_TAG = "an unknown tag holds a sequence"
    BEYOND = "an order holds a number that this book never gave it"
    THAWED = "a person ended a freeze"


@dataclass(frozen=True, slots=True)
class Order:
    """One order: positive amounts store value, negative return it. ``tag``, 8 random bytes with the first bit clear,
    never changes. ``sequence`` is the number under which commands or codes may be under way; None when none is."""

    order_id: str
    amount_micro: int
    tag: bytes = field(repr=False)
    state: OrderState = OrderState.WAITING
    sequence: Sequence | None = None
    code: int | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if not self.amount_micro:
            raise TransferRuleError("amount: 0 is not allowed; allowed is any other amount")
        if not -(2**63) <= self.amount_micro < 2**63:
            raise TransferRuleError(f"amount: {self.amount_micro} does not fit 64 bits")
        check_tag(self.tag)


@dataclass(frozen=True, slots=True)
class Known:
    """An island of knowledge above ``settled``: all of ``low``..``high`` is booked, ``tag`` holds ``high``."""

    low: int
    high: int
    tag: bytes


@dataclass(frozen=True, slots=True)
class Pending:
    """A control command under way: its counter is its own, and bound to its digest."""

    counter: int
    digest: bytes


@dataclass(frozen=True, slots=True)
class Seen:
    """The newest balance and the newest sums known, and what proves that they are the newest (`transfer_seen`)."""

    balance_micro: int
    last_sequence: int
    heard: int
    sums_epoch: int = NO_EPOCH
    sums_micro: int = 0
    with_sums: bool = False
    burned_micro: int = 0
    returned_micro: int = 0


@dataclass(frozen=True, slots=True)
class MeterBook:
    """All a host has to remember of one meter to move value exactly once. Field order is the stored order."""

    meter_id: MeterId
    body: BodyState = BodyState.NEW
    epoch: int = NO_EPOCH
    settled: int = NOTHING_SETTLED
    settled_tag: bytes = NO_TAG
    known: tuple[Known, ...] = ()
    orders: tuple[Order, ...] = ()
    fences: tuple[RingEntry, ...] = ()
    suspense: tuple[RingEntry, ...] = ()
    body_tag: bytes = NO_TAG
    keeps_value: bool = False
    frozen: FreezeReason | None = None
    synced: bool = True
    reconciling: bool = False
    episode: int = 0
    fence_from: int | None = None
    fence_until: int | None = None
    fenced: int = NOTHING_SETTLED
    fence_width: int = FENCE_WIDTH_MAX
    last_control: int = 0
    controls: tuple[Pending, ...] = ()
    heard: int = 0
    seen: Seen | None = None


def new_book(meter_id: MeterId, *, fence_width: int = FENCE_WIDTH_MAX) -> MeterBook:
    """The book of a meter just enrolled: no epoch, no orders. ``fence_width`` 1 where codes are never issued."""
    if not 1 <= fence_width <= FENCE_WIDTH_MAX:
        raise TransferRuleError(f"fence width: {fence_width} is not allowed; allowed is 1 to {FENCE_WIDTH_MAX}")
    return MeterBook(meter_id, fence_width=fence_width)


def check_tag(tag: bytes) -> bytes:
    """``tag`` itself; TransferRuleError unless it is 8 bytes, first bit clear, and not all zeros."""
    if len(tag) != TAG_BYTES or tag[0] & _BURN_BIT or tag == NO_TAG:
        raise TransferRuleError("tag: allowed is 8 bytes, first bit clear, not all zeros")
    return tag


def burn_tag(tag: bytes) -> bytes:
    """The tag with its first bit set: what holds a sequence in place of the order."""
    return bytes((tag[0] | _BURN_BIT,)) + tag[1:]


def code_tag(code: int) -> bytes:
    """The 64 bits of a value code as the meter shows them for a tag."""
    return code.to_bytes(CODE_BITS // 8, "big")


def find_order(book: MeterBook, order_id: str) -> Order:
    """The open order of this id; TransferRuleError when the book has none (ended, or never was)."""
    for order in book.orders:
        if order.order_id == order_id:
            return order
    raise TransferRuleError(f"order: {order_id!r} is not open at this meter")


def is_known(book: MeterBook, sequence: int) -> bool:
    """Whether it is booked who holds this sequence (or that nobody does, for ever)."""
    return sequence <= book.settled or any(island.low <= sequence <= island.high for island in book.known)


def known_top(book: MeterBook) -> int:
    """The highest sequence known to be held: the meter's last is at least this."""
    return book.known[-1].high if book.known else book.settled


def check_epoch(epoch: int) -> None:
    """TransferRuleError for an epoch that does not fit its byte."""
    if not 0 <= epoch <= EPOCH_LAST:
        raise TransferRuleError(f"epoch: {epoch} is not allowed; allowed is 0 to {EPOCH_LAST}")


def ends_in_books(book: MeterBook) -> bool:
    """Whether the book alone may end an order of which nothing is under way: only while it is in step with its meter
    and with the payments. Before that, value in suspense may be this very order's, typed as a forgotten code."""
    return book.synced and not book.reconciling and book.frozen is None


def check_unexplained(book: MeterBook, *order_ids: str) -> None:
    """TransferRuleError while value in suspense may be one of these open orders (none named: any that may move).

    An order of a backup whose value code was given out and typed is in the meter under the code's bits, which the
    backup does not know: only its amount tells. Until a person has said what that value was, the order stays where
    it is.
    """
    for order in book.orders:
        named = order.order_id in order_ids if order_ids else order.state is not OrderState.LOST
        held = next((entry for entry in book.suspense if entry.amount_micro == order.amount_micro), None)
        if named and held is not None:
            raise TransferRuleError(
                f"order {order.order_id!r} has the amount that is in suspense under sequence {held.sequence}, and may"
                " have been typed there as a value code; match the two, or explain that suspense otherwise"
            )


def issued_top(book: MeterBook) -> int:
    """The highest sequence that anything ever sent under this book can hold: more in a receipt is not this book's."""
    claims = (order.sequence for order in book.orders if order.sequence is not None)
    top = max(known_top(book), *claims, *(fence.sequence for fence in book.fences), NOTHING_SETTLED)
    if book.body is BodyState.COMMISSIONING:
        return max(top, epoch_start(book.epoch))
    if book.body is BodyState.RETIRING:
        return max(top, sequence_of(epoch_of(known_top(book)), SEQUENCE_COUNTER_MAX))
    return top


def next_number(book: MeterBook) -> Sequence | None:
    """The sequence after the last one given out; None where the epoch has none left."""
    return next_sequence(issued_top(book))


def replace_order(book: MeterBook, order: Order) -> MeterBook:
    """The book with the order of this id replaced, in its place in the queue."""
    return replace(book, orders=tuple(order if open_.order_id == order.order_id else open_ for open_ in book.orders))


def without_order(book: MeterBook, order: Order) -> MeterBook:
    """The book without the order of this id."""
    return replace(book, orders=tuple(open_ for open_ in book.orders if open_.order_id != order.order_id))
