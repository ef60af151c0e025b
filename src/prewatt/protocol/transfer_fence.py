"""Out of step: what a restored host, or one that met a tag it does not know, does before it trusts its book again (R7).

A fence is a burn with a fresh tag. Once one holds a sequence, nothing that was forgotten can be applied at that
sequence or below: no delayed command, no value code on paper. The ring is read first (8 fences push 8 entries out of
it), then fences go out one after the other up to 8 above the meter's last as a session begun after the restore gave
it, then whatever lies between is read. Until payments are reconciled no order moves either: a forgotten host may have
paid an order back in cash, or printed its code, and only the payments' own records know.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from prewatt.codec.receipt import NO_TAG
from prewatt.protocol.transfer_book import (
    NOTHING_SETTLED,
    BodyState,
    FreezeReason,
    MeterBook,
    TransferRuleError,
    UnsyncReason,
)
from prewatt.protocol.transfer_facts import Change, ResultFact, Synced, Unsynced
from prewatt.units import EPOCH_LAST, Sequence, counter_of, epoch_of, sequence_of
from prewatt.units.ids import SEQUENCE_COUNTER_MAX

__all__ = ["begin_fences", "restored", "sync_from", "unsync"]

_FOUND_ANEW: Final = frozenset({FreezeReason.GAP, FreezeReason.NO_EPOCH, FreezeReason.OLD_BODY})


def unsync(book: MeterBook, reason: UnsyncReason, changes: list[Change]) -> MeterBook:
    """The book out of step, if it was not already; sessions begun before this no longer count as fresh."""
    if not book.synced:
        return book
    return begin_fences(book, reason, changes)


def begin_fences(book: MeterBook, reason: UnsyncReason, changes: list[Change]) -> MeterBook:
    """The book out of step and at the beginning of its fences, also where it was among them: what sessions begun
    before this still say counts as a Report does."""
    if book.body is BodyState.LOST:
        return book
    changes.append(Unsynced(reason))
    return _begin(book)


def _begin(book: MeterBook) -> MeterBook:
    return replace(
        book,
        synced=False,
        reconciling=True,
        episode=book.episode + 1,
        fence_from=None,
        fence_until=None,
        fenced=NOTHING_SETTLED,
        controls=(),
    )


def restored(book: MeterBook, highest_epoch: int) -> tuple[MeterBook, tuple[Change, ...]]:
    """The book of a database that came from a backup. ``highest_epoch``: the highest ever asked for this id, as kept
    outside the database (R7); NO_EPOCH where none was."""
    if not -1 <= highest_epoch <= EPOCH_LAST:
        raise TransferRuleError(f"highest epoch: {highest_epoch} is not allowed; allowed is -1 to {EPOCH_LAST}")
    if book.body is BodyState.LOST:
        return book, ()
    if book.body is BodyState.COMMISSIONING and highest_epoch > book.epoch:
        # A later commission was asked since: this one is over, and a person asks again with an epoch above both.
        book = replace(book, body=BodyState.NEW if book.settled == NOTHING_SETTLED else BodyState.RETIRED)
    # What the ring and the body will tell again is asked again: a person must not thaw on the word of a backup.
    frozen = None if book.frozen in _FOUND_ANEW else book.frozen
    book = replace(book, epoch=max(book.epoch, highest_epoch), frozen=frozen)
    return _begin(book), (Unsynced(UnsyncReason.RESTORED),)


def sync_from(book: MeterBook, fact: ResultFact, changes: list[Change]) -> MeterBook:
    """Takes a fresh Result for what it proves: where the fences begin, or that they have done their work."""
    if book.synced or book.frozen is not None or fact.work.begun.episode != book.episode:
        return book
    receipt = fact.receipt
    if receipt.last_tag == NO_TAG:
        return _in_step(book, book.settled, book.body, changes)
    last = receipt.last_sequence
    end = sequence_of(epoch_of(last), SEQUENCE_COUNTER_MAX)
    until = book.fence_until
    if until is None:
        until = min(end, max([last + book.fence_width, *_claims(book)]))
    book = replace(book, fence_from=max(last, book.fence_from or 0), fence_until=until)
    if book.known or (last != end and book.fenced < until):
        return book
    return _in_step(replace(book, epoch=max(book.epoch, epoch_of(last))), last, _body_at(book, last), changes)


def _claims(book: MeterBook) -> Iterable[int]:
    return (order.sequence for order in book.orders if order.sequence is not None)


def _body_at(book: MeterBook, last: int) -> BodyState:
    """What a body with this last is; a wish under way (to retire, to commission the next) stays one."""
    if counter_of(last) == SEQUENCE_COUNTER_MAX:
        commissioning = book.body is BodyState.COMMISSIONING and epoch_of(last) < book.epoch
        return BodyState.COMMISSIONING if commissioning else BodyState.RETIRED
    return BodyState.RETIRING if book.body is BodyState.RETIRING else BodyState.LIVE


def _in_step(book: MeterBook, last: int, body: BodyState, changes: list[Change]) -> MeterBook:
    changes.append(Synced(Sequence(max(last, 0))))
    return replace(book, synced=True, body=body, fences=(), fence_from=None, fence_until=None, fenced=NOTHING_SETTLED)
