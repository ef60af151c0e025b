"""Learning from what a meter said: the host believes only the holder of a sequence (R4).

A Result or Report is taken apart into facts "tag T holds sequence s" (its receipt, its ring) and into jumps: between
two neighbours of a ring nobody holds anything, for ever. Each sequence is booked once, in whatever order the facts
arrive; one that is booked already says nothing new, however often it is replayed. Then every order whose number went
to somebody else is known not to be under way, keeps its tag, and waits for a new number.

An order keeps its tag when it is renumbered: a host restored from a backup finds it in the ring by that tag, whatever
number a forgotten host gave it. With a fresh tag it would be taken for a stranger's value and sent a second time.
"""

from dataclasses import replace
from itertools import pairwise
from typing import Final

from prewatt.codec.receipt import NO_TAG, RING_ENTRIES_MAX, Receipt, RingEntry, Status
from prewatt.protocol.transfer_book import (
    NO_EPOCH,
    NOTHING_SETTLED,
    SAFE_EPOCH_FIRST,
    BodyState,
    FreezeReason,
    Known,
    MeterBook,
    Order,
    OrderState,
    TransferRuleError,
    UnsyncReason,
    burn_tag,
    code_tag,
    ends_in_books,
    find_order,
    is_known,
    replace_order,
    without_order,
)
from prewatt.protocol.transfer_facts import (
    Cancelled,
    Change,
    Commissioned,
    Confirmed,
    ControlDone,
    ControlImpossible,
    ControlStale,
    Fact,
    Frozen,
    Lost,
    Refused,
    Renumbered,
    ResultFact,
    Retired,
    Suspense,
    WorkKind,
)
from prewatt.protocol.transfer_fence import sync_from, unsync
from prewatt.protocol.transfer_seen import see, went_back
from prewatt.units import counter_of, epoch_of, epoch_start
from prewatt.units.ids import SEQUENCE_COUNTER_MAX

__all__ = ["cover", "freeze", "learn", "retired_when_full", "settle", "void_claims"]

# A body without an epoch may answer only where one is expected: before it is commissioned.
_WITHOUT_EPOCH: Final = frozenset({BodyState.NEW, BodyState.RETIRED, BodyState.COMMISSIONING, BodyState.LOST})


def learn(book: MeterBook, fact: Fact) -> tuple[MeterBook, tuple[Change, ...]]:
    """The book after a fact, and what to post. The same fact again, or an older one, changes no order.

    TransferRuleError for a fact of another meter: the caller checks the id before it comes here.
    """
    receipt = fact.receipt
    if receipt.meter_id != book.meter_id:
        raise TransferRuleError(f"fact: meter {receipt.meter_id.hex()} is not meter {book.meter_id.hex()}")
    changes: list[Change] = []
    fresh = fact if isinstance(fact, ResultFact) and fact.work.begun.episode == book.episode else None
    back = fresh is not None and went_back(book.seen, fresh)
    book = see(replace(book, heard=book.heard + 1), fact, changes)
    reason = None if fresh is None else FreezeReason.WENT_BACK if back else _distrust(book, fresh)
    if reason is not None:
        return freeze(book, reason, _telling(receipt), changes), tuple(changes)
    book = _hold(book, fact, changes)
    book = replace(book, last_control=max(book.last_control, receipt.last_control))
    if fresh is not None:
        book = _answer(book, fresh, changes)
        book = sync_from(book, fresh, changes)
    return _body(void_claims(book, changes), receipt, changes), tuple(changes)


def freeze(book: MeterBook, reason: FreezeReason, detail: str, changes: list[Change]) -> MeterBook:
    """The book frozen; what is frozen stays so under its first reason."""
    if book.frozen is not None:
        return book
    changes.append(Frozen(reason, detail))
    return replace(book, frozen=reason)


def _telling(receipt: Receipt) -> str:
    return f"the meter says sequence {receipt.last_sequence:08X} tag {receipt.last_tag.hex()}"


def _distrust(book: MeterBook, fact: ResultFact) -> FreezeReason | None:
    """What a Result of a session begun with this book's knowledge cannot say of an honest meter."""
    receipt, floor = fact.receipt, fact.work.begun.floor
    if receipt.last_tag == NO_TAG:
        # A session that began before the body was known to be commissioned may well have met it without an epoch.
        early = book.synced and floor < epoch_start(max(book.epoch, 0))
        return None if early or _new_body_expected(book) else FreezeReason.NO_EPOCH
    if receipt.last_sequence < floor:
        return FreezeReason.WENT_BACK
    # The word of an older body must not put a restored book in step: the one after it may hold value by now.
    stale = not book.synced and not (book.body is BodyState.COMMISSIONING and book.keeps_value)
    return FreezeReason.OLD_BODY if stale and epoch_of(receipt.last_sequence) < book.epoch else None


def _new_body_expected(book: MeterBook) -> bool:
    """Whether a body without an epoch may answer: one that was never commissioned, or that follows a retired one.

    A restored book knows that only where no later epoch was ever asked for, going by the state folder: otherwise some
    body may have come and gone, with value inside that this book never heard of.
    """
    if book.synced or book.body is BodyState.LOST:
        return book.body in _WITHOUT_EPOCH
    retired = book.body is BodyState.RETIRED and book.settled >= 0 and epoch_of(book.settled) == book.epoch
    return retired or (book.body is BodyState.NEW and book.epoch == NO_EPOCH)


def _hold(book: MeterBook, fact: Fact, changes: list[Change]) -> MeterBook:
    """Books every holder the fact names, then the numbers that its ring shows nobody holds."""
    receipt, ring = fact.receipt, fact.ring or ()
    if receipt.last_tag == NO_TAG:
        return book
    newest = RingEntry(receipt.last_sequence, receipt.last_tag, receipt.last_amount_micro)
    rising = all(low.sequence < high.sequence for low, high in pairwise(ring))
    if ring and (ring[-1] != newest or not rising):
        return freeze(book, FreezeReason.TWO_HOLDERS, "ring and receipt contradict each other", changes)
    for entry in ring or (newest,):
        book = settle(book, entry, changes)
    for low, high in pairwise(ring):
        book = cover(book, low.sequence + 1, high.sequence, high.tag)
    # A book that lost even the enrolling: a ring that is not full is all its body ever did, and nothing was before it
    # where that body is the id's first. Of a later body nobody can tell here what the one before it held.
    first = bool(ring) and len(ring) < RING_ENTRIES_MAX and epoch_of(ring[0].sequence) == SAFE_EPOCH_FIRST
    if first and book.settled == NOTHING_SETTLED:
        book = cover(book, 0, ring[0].sequence, ring[0].tag)
    if isinstance(fact, ResultFact) and ring and book.known and book.known[0].low <= ring[0].sequence:
        detail = f"the ring begins at {ring[0].sequence:08X}, the book is known up to {book.settled & 0xFFFFFFFF:08X}"
        return freeze(book, FreezeReason.GAP, detail, changes)
    return book


def cover(book: MeterBook, low: int, high: int, tag: bytes) -> MeterBook:
    """The book knowing all of low..high, ``tag`` at high; what now joins the settled stretch becomes part of it."""
    base = Known(NOTHING_SETTLED, book.settled, book.settled_tag)
    merged: list[Known] = []
    for island in sorted((base, *book.known, Known(low, high, tag)), key=lambda island: (island.low, island.high)):
        if merged and island.low <= merged[-1].high + 1:
            below = merged.pop()
            top = island if island.high > below.high else below
            merged.append(Known(below.low, top.high, top.tag))
        else:
            merged.append(island)
    settled, *known = merged
    return replace(book, settled=settled.high, settled_tag=settled.tag, known=tuple(known))


def settle(book: MeterBook, entry: RingEntry, changes: list[Change]) -> MeterBook:
    """Books who holds one sequence, once; the table of `prewatt.protocol.transfer` in code."""
    if is_known(book, entry.sequence):
        if entry.sequence == book.settled and book.settled_tag not in (entry.tag, NO_TAG):
            return freeze(book, FreezeReason.TWO_HOLDERS, f"sequence {entry.sequence:08X}", changes)
        return book
    order = _owner(book, entry)
    fence = any(fence.tag == entry.tag for fence in book.fences)
    body = entry.tag == book.body_tag != NO_TAG
    # A last beyond everything sent shows in one of two ways: here, or as a tag that nobody here knows.
    if order is not None and order.sequence != entry.sequence:
        book = unsync(book, UnsyncReason.BEYOND, changes)
    if order is not None:
        book = _end_order(book, order, entry, changes)
    elif fence:
        book = replace(book, fenced=max(book.fenced, entry.sequence))
    elif body and book.body is BodyState.COMMISSIONING:
        return _commissioned(book, entry, changes)
    elif not body:
        book = unsync(book, UnsyncReason.UNKNOWN_TAG, changes)
        book = _suspend(book, entry, changes)
    return cover(book, entry.sequence, entry.sequence, entry.tag)


def _owner(book: MeterBook, entry: RingEntry) -> Order | None:
    for order in book.orders:
        coded = order.code is not None and order.sequence == entry.sequence and code_tag(order.code) == entry.tag
        if coded or entry.tag in (order.tag, burn_tag(order.tag)):
            return order
    return None


def _end_order(book: MeterBook, order: Order, entry: RingEntry, changes: list[Change]) -> MeterBook:
    burned = entry.tag == burn_tag(order.tag) and (order.code is None or entry.tag != code_tag(order.code))
    if entry.amount_micro != (0 if burned else order.amount_micro):
        lost = replace(order, state=OrderState.LOST, sequence=None, code=None)
        changes.append(Lost(lost))
        book = freeze(book, FreezeReason.AMOUNT, f"order {order.order_id}, sequence {entry.sequence:08X}", changes)
        return _suspend(replace_order(book, lost), entry, changes)
    if burned:
        changes.append(Cancelled(replace(order, state=OrderState.CANCELLED, sequence=entry.sequence)))
    else:
        ended = replace(order, state=OrderState.CONFIRMED, sequence=entry.sequence)
        changes.append(Confirmed(ended, entry.sequence, too_late=order.state is OrderState.CANCELLING))
    return without_order(book, order)


def _suspend(book: MeterBook, entry: RingEntry, changes: list[Change]) -> MeterBook:
    if not entry.amount_micro:
        return book
    changes.append(Suspense(entry))
    return replace(book, suspense=(*book.suspense, entry))


def _commissioned(book: MeterBook, entry: RingEntry, changes: list[Change]) -> MeterBook:
    """Commissioning is asked only where everything below is settled, so the new epoch begins on firm ground."""
    changes.append(Commissioned(epoch_of(entry.sequence)))
    book = replace(book, body=BodyState.LIVE, epoch=epoch_of(entry.sequence))
    return cover(book, 0, entry.sequence, entry.tag)


def void_claims(book: MeterBook, changes: list[Change]) -> MeterBook:
    """Takes its number from every order whose number is booked for somebody else or for nobody.

    What is certain not to be under way is cancelled here, if that was asked and the book alone may end it.
    Fences whose number is booked have done their work.
    """
    book = replace(book, fences=tuple(fence for fence in book.fences if not is_known(book, fence.sequence)))
    for order in book.orders:
        void = order.sequence is not None and is_known(book, order.sequence)
        free = order.sequence is None or void
        if free and order.state is OrderState.CANCELLING and ends_in_books(book):
            changes.append(Cancelled(replace(order, state=OrderState.CANCELLED, sequence=None)))
            book = without_order(book, order)
        elif void and order.sequence is not None:
            back = order.state is OrderState.SENT or (order.state is OrderState.LOST and book.synced)
            state = OrderState.WAITING if back else order.state
            waiting = replace(order, state=state, sequence=None, code=None)
            changes.append(Renumbered(waiting, order.sequence, code_void=order.code is not None))
            book = replace_order(book, waiting)
    return book


def _answer(book: MeterBook, fact: ResultFact, changes: list[Change]) -> MeterBook:
    """What the status adds to the facts: a refusal is shown and tried again, a control command has its answer."""
    work, receipt = fact.work, fact.receipt
    if work.kind is WorkKind.TRANSFER and receipt.status is Status.IMPOSSIBLE and work.order_id is not None:
        return _refused(book, work.order_id, work.sequence, changes)
    pending = next((item for item in book.controls if item.counter == work.sequence), None)
    if work.kind not in (WorkKind.CONTROL, WorkKind.COMMISSION, WorkKind.RETIRE) or pending is None:
        return book
    if receipt.status is Status.DONE:
        changes.append(ControlDone(pending.digest))
    elif receipt.status is Status.CONTROL:
        changes.append(ControlStale(pending.digest))
    else:
        changes.append(ControlImpossible(pending.digest))
    return replace(book, controls=tuple(item for item in book.controls if item != pending))


def _refused(book: MeterBook, order_id: str, sequence: int, changes: list[Change]) -> MeterBook:
    open_ids = {order.order_id for order in book.orders}
    order = find_order(book, order_id) if order_id in open_ids else None
    if order is None or order.sequence != sequence or is_known(book, sequence):
        return book
    if order.state is OrderState.SENT:
        order = replace(order, state=OrderState.REFUSED)
        changes.append(Refused(order))
    # To the end of the queue: several refused orders take turns.
    return replace(without_order(book, order), orders=(*without_order(book, order).orders, order))


def _body(book: MeterBook, receipt: Receipt, changes: list[Change]) -> MeterBook:
    """What the newest facts say of the body behind the id."""
    fresh_body = receipt.last_tag == book.body_tag and counter_of(receipt.last_sequence) == 0
    if fresh_body and receipt.balance_micro and not book.keeps_value and book.body is BodyState.LIVE:
        detail = f"balance {receipt.balance_micro} right after commissioning"
        book = freeze(book, FreezeReason.HOLDS_VALUE, detail, changes)
    return retired_when_full(book, changes)


def retired_when_full(book: MeterBook, changes: list[Change]) -> MeterBook:
    """A body whose epoch has no sequence left takes no more value, whether it was retired or simply lived that long."""
    full = book.settled >= 0 and counter_of(book.settled) == SEQUENCE_COUNTER_MAX and not book.known
    if full and book.body in (BodyState.LIVE, BodyState.RETIRING):
        changes.append(Retired(epoch_of(book.settled)))
        book = replace(book, body=BodyState.RETIRED)
    return book
