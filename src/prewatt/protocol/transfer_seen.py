"""Which balance is the newest: an older Report never overwrites a newer balance or register.

Nothing here moves money; it decides what a person is shown. Three things prove that a fact is newer than what is
shown: its last sequence is higher; its session began after what is shown was heard; or its sums are higher (received,
burned and returned only grow in one body, and the balance never changes without one of them).
"""

from dataclasses import replace

from prewatt.protocol.transfer_book import MeterBook, Seen
from prewatt.protocol.transfer_facts import Change, Fact, Measured, ResultFact, Totals
from prewatt.units import epoch_of

__all__ = ["see", "went_back"]


def see(book: MeterBook, fact: Fact, changes: list[Change]) -> MeterBook:
    """The book with what is newer in the fact, told as one `Measured`; ``book.heard`` counts this fact already."""
    totals = fact.totals if fact.totals is not None and _sums_newer(book.seen, fact) else None
    if not _balance_newer(book.seen, fact):
        if totals is None or book.seen is None:
            return book
        changes.append(Measured(None, totals))
        return replace(book, seen=_with_sums(book.seen, fact, totals))
    seen = replace(
        book.seen or Seen(0, 0, 0),
        balance_micro=fact.receipt.balance_micro,
        last_sequence=fact.receipt.last_sequence,
        heard=book.heard,
        with_sums=fact.totals is not None,
    )
    changes.append(Measured(fact.receipt, totals))
    return replace(book, seen=_with_sums(seen, fact, totals) if totals is not None else seen)


def went_back(seen: Seen | None, fact: ResultFact) -> bool:
    """Whether a session that began after everything shown here shows lower sums in the same epoch.

    A meter stores what it shows before it shows it, so no honest one does: two bodies with one memory, or an old memory
    put back, do.
    """
    if seen is None or fact.totals is None or not _began_after(seen, fact):
        return False
    if epoch_of(fact.receipt.last_sequence) != seen.sums_epoch:
        return False
    # Each by itself: whoever put an old memory back may have bought since, more than had been burned.
    told = fact.totals.burned_micro, fact.totals.returned_micro, _sum(fact.totals)
    shown = seen.burned_micro, seen.returned_micro, seen.sums_micro
    return any(now < then for now, then in zip(told, shown, strict=True))


def _with_sums(seen: Seen, fact: Fact, totals: Totals) -> Seen:
    return replace(
        seen,
        sums_epoch=epoch_of(fact.receipt.last_sequence),
        sums_micro=_sum(totals),
        burned_micro=totals.burned_micro,
        returned_micro=totals.returned_micro,
    )


def _sum(totals: Totals) -> int:
    return totals.received_micro + totals.burned_micro + totals.returned_micro


def _sums_newer(seen: Seen | None, fact: Fact) -> bool:
    if seen is None or fact.totals is None:
        return fact.totals is not None
    told, shown = (epoch_of(fact.receipt.last_sequence), _sum(fact.totals)), (seen.sums_epoch, seen.sums_micro)
    # A dark home moves no sum, and yet shows another price or relay: then it is the later session that is newer.
    return told > shown or (told == shown and _began_after(seen, fact))


def _began_after(seen: Seen, fact: Fact) -> bool:
    return isinstance(fact, ResultFact) and fact.work.begun.heard >= seen.heard


def _balance_newer(seen: Seen | None, fact: Fact) -> bool:
    if seen is None or fact.receipt.last_sequence != seen.last_sequence:
        return seen is None or fact.receipt.last_sequence > seen.last_sequence
    if _began_after(seen, fact):
        return True
    if seen.with_sums and fact.totals is not None:
        return _sums_newer(seen, fact)
    # Without sums on one side only burning is certain: between two transfers it can only lower the balance.
    return fact.receipt.balance_micro < seen.balance_micro
