"""The body behind an id: commissioned, retired, lost, and what a person decides about it (R8, and the freezes of R4).

Epochs keep two bodies of one id apart: nothing numbered for the old one can be applied in the new one. The same id
goes to a new body only after the old one was read and retired; a body that nobody can read any more is lost, and with
it every order that may be inside, until a late Report or a person tells.
"""

from collections.abc import Sequence as Items
from dataclasses import replace

from prewatt.codec.receipt import NO_TAG, RingEntry
from prewatt.protocol.transfer_book import (
    SAFE_EPOCH_FIRST,
    BodyState,
    FreezeReason,
    MeterBook,
    OrderState,
    TransferRuleError,
    UnsyncReason,
    burn_tag,
    check_epoch,
    check_tag,
    check_unexplained,
    known_top,
)
from prewatt.protocol.transfer_facts import Change, Lost
from prewatt.protocol.transfer_fence import begin_fences
from prewatt.protocol.transfer_learn import cover, retired_when_full, settle, void_claims
from prewatt.units import epoch_of, sequence_of
from prewatt.units.ids import SEQUENCE_COUNTER_MAX

__all__ = ["ask_commission", "ask_retire", "body_lost", "reconciled", "thaw"]


def ask_commission(book: MeterBook, epoch: int, tag: bytes, *, keeps_value: bool = False) -> MeterBook:
    """Asks a body to take value in ``epoch``. The epoch must stand durably outside the database before bytes go out.

    ``tag`` is 8 random bytes, first bit clear. ``keeps_value``: the same body goes on in a new epoch, with what it
    holds; otherwise one that already holds value freezes the meter, because the old body may have answered.
    """
    check_epoch(epoch)
    check_tag(tag)
    if book.body not in (BodyState.NEW, BodyState.RETIRED):
        raise TransferRuleError(f"commission: the meter's body is {book.body}; allowed is new or retired")
    if not book.synced or book.frozen is not None:
        raise TransferRuleError("commission: the meter is out of step or frozen")
    if epoch < SAFE_EPOCH_FIRST or epoch <= book.epoch:
        above = max(book.epoch, SAFE_EPOCH_FIRST - 1)
        raise TransferRuleError(f"commission: epoch {epoch} is not allowed; allowed is above {above}")
    return replace(book, body=BodyState.COMMISSIONING, epoch=epoch, body_tag=burn_tag(tag), keeps_value=keeps_value)


def ask_retire(book: MeterBook, tag: bytes) -> MeterBook:
    """Asks the body to take no more value: no order is sent any more, and those under way settle or wait."""
    check_tag(tag)
    if book.body is not BodyState.LIVE:
        raise TransferRuleError(f"retire: the meter's body is {book.body}; allowed is live")
    return replace(book, body=BodyState.RETIRING, body_tag=burn_tag(tag))


def reconciled(book: MeterBook) -> tuple[MeterBook, tuple[Change, ...]]:
    """Payments agree with this meter's orders and suspense again: orders may move, and those whose cancelling waited
    for it end. Only once the meter is `Synced`, and while no unexplained suspense may be one of the open orders."""
    if not book.synced:
        raise TransferRuleError("reconciled: the meter is not in step yet; wait until it is synced")
    check_unexplained(book)
    changes: list[Change] = []
    return void_claims(replace(book, reconciling=False), changes), tuple(changes)


def body_lost(book: MeterBook) -> tuple[MeterBook, tuple[Change, ...]]:
    """A person says that this body can never be read again. Orders that it may hold are lost with it; those that were
    certainly not under way stay and can be cancelled. Nothing is sent to this id any more."""
    changes: list[Change] = []
    orders = []
    for order in book.orders:
        inside = order.sequence is not None or not book.synced or book.frozen is not None
        if inside and order.state is not OrderState.LOST:
            order = replace(order, state=OrderState.LOST)
            changes.append(Lost(order))
        orders.append(order)
    return replace(book, body=BodyState.LOST, orders=tuple(orders), controls=()), tuple(changes)


def thaw(
    book: MeterBook, holders: Items[RingEntry] = (), *, back: bool = False
) -> tuple[MeterBook, tuple[Change, ...]]:
    """A person ends a freeze. ``holders`` is what that person found out about numbers nobody could read; all other
    numbers below the highest one known are held by nobody. To thaw OLD_BODY says that the body which answers is the
    one, and that no other can be reached; to thaw NO_EPOCH, that all bodies so far are accounted for and a new one
    waits to be commissioned; with ``back``, that the one without an epoch was the wrong one, and the one before it
    hangs there again: that can still be read, so nothing is said about its numbers. Then the meter is fenced like a
    restored one."""
    if book.frozen is None:
        raise TransferRuleError("thaw: the meter is not frozen")
    changes: list[Change] = []
    reason = book.frozen
    book = replace(book, frozen=None)
    for entry in holders:
        book = settle(book, entry, changes)
    if book.known and not (reason is FreezeReason.NO_EPOCH and back):
        book = cover(book, 0, known_top(book), book.known[-1].tag)
    if reason is FreezeReason.OLD_BODY:
        book = replace(book, epoch=epoch_of(max(known_top(book), 0)))
    if reason is FreezeReason.NO_EPOCH and not back:
        book = _all_accounted(book)
    book = begin_fences(retired_when_full(book, changes), UnsyncReason.THAWED, changes)
    return void_claims(book, changes), tuple(changes)


def _all_accounted(book: MeterBook) -> MeterBook:
    """The book with every number up to the end of its highest epoch booked, as if that body had been retired."""
    end = sequence_of(max(book.epoch, epoch_of(max(book.settled, 0))), SEQUENCE_COUNTER_MAX)
    tag = book.settled_tag if book.settled == end else NO_TAG
    return replace(cover(book, 0, end, tag), body=BodyState.RETIRED)
