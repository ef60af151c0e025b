"""The ledger as its entries alone make it, for a million of them: `MemoryLedger` without an object for each posting.

What almost every entry is (allowed, and new) is decided here, on plain tuples and lists of sums. Everything else goes
to `decide`, which names what is wrong with it. A test compares both with `MemoryLedger` on random histories.
"""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from prewatt.host.ledger.accounts import Account, AccountId, kind_of
from prewatt.host.ledger.book import PostingOutcome, decide
from prewatt.host.ledger.chain import EntryRow
from prewatt.host.ledger.postings import POSTING_ID_CHARS_MAX, Phase, Posting

__all__ = ["Rejected", "Replay"]

_UNREADABLE: Final = "unreadable"
# Debits, credits, pending debits, pending credits, and whether it may go below zero.
_Sums = list[int]


class Rejected(NamedTuple):
    """An entry that the rules would have refused, and why."""

    id: str
    outcome: str


class Replay:
    """Counts entries in their order; `account` and `accounts` as those of MemoryLedger."""

    def __init__(self) -> None:
        self.count = 0
        self.rejected: list[Rejected] = []
        self._entries: dict[str, EntryRow] = {}
        self._ended: dict[str, Phase] = {}
        self._sums: dict[str, _Sums] = {}

    def post_all(self, block: Sequence[EntryRow]) -> None:
        """Takes the next entries."""
        entries, sums = self._entries, self._sums
        for entry in block:
            _, name, phase, debit, credit, amount, _, _, pending_id, _ = entry
            from_, to = sums.get(debit), sums.get(credit)
            if (
                from_ is None
                or to is None
                or type(amount) is not int
                or type(name) is not str
                or amount <= 0
                or from_ is to
                or name in entries
                or not 0 < len(name) <= POSTING_ID_CHARS_MAX
            ):
                self._post_slowly(entry)
            elif phase == "single":
                if from_[4] or from_[1] - from_[0] - from_[2] >= amount:
                    from_[0] += amount
                    to[1] += amount
                    entries[name] = entry
                else:
                    self._reject(entry, PostingOutcome.EXCEEDS_CREDITS)
            elif phase == "pending":
                if from_[4] or from_[1] - from_[0] - from_[2] >= amount:
                    from_[2] += amount
                    to[3] += amount
                    entries[name] = entry
                else:
                    self._reject(entry, PostingOutcome.EXCEEDS_CREDITS)
            else:
                begun = entries.get(pending_id or "")
                if begun is None or begun[2:6] != ("pending", debit, credit, amount) or pending_id in self._ended:
                    self._post_slowly(entry)
                else:
                    self._end(entry, from_, to)
        self.count += len(block)

    def account(self, account: AccountId) -> Account:
        """The account as it stands; an empty one where nothing was posted."""
        sums = self._sums.get(account)
        return Account(account) if sums is None else Account(account, *sums[:4])

    def accounts(self) -> Iterator[Account]:
        """All accounts that anything was posted to, by id."""
        for name in sorted(self._sums):
            yield Account(AccountId(name), *self._sums[name][:4])

    def _end(self, entry: EntryRow, from_: _Sums, to: _Sums) -> None:
        _, name, phase, _, _, amount, _, _, pending_id, _ = entry
        if phase not in ("post", "void"):
            self._reject(entry, _UNREADABLE)
            return
        from_[2] -= amount
        to[3] -= amount
        if phase == "post":
            from_[0] += amount
            to[1] += amount
        self._ended[pending_id or ""] = Phase(phase)
        self._entries[name] = entry

    def _post_slowly(self, entry: EntryRow) -> None:
        """By way of `decide`: accounts that are new, and entries that are wrong."""
        posting = _posting(entry)
        if posting is None:
            self._reject(entry, _UNREADABLE)
            return
        pending_id = posting.pending_id or ""
        outcome, debit, credit = decide(
            posting,
            _posting(self._entries.get(posting.id)),
            _posting(self._entries.get(pending_id)),
            self._ended.get(pending_id),
            self.account(posting.debit),
            self.account(posting.credit),
        )
        if outcome is not PostingOutcome.CREATED:
            self._reject(entry, outcome)
            return
        self._entries[posting.id] = entry
        if posting.phase in (Phase.POST, Phase.VOID):
            self._ended[pending_id] = posting.phase
        for each in (debit, credit):
            sums = (each.debits_micro, each.credits_micro, each.debits_pending_micro, each.credits_pending_micro)
            self._sums[each.id] = [*sums, Account(each.id).may_give(1)]

    def _reject(self, entry: EntryRow, outcome: str) -> None:
        self.rejected.append(Rejected(str(entry[1]), str(outcome)))


def _posting(entry: EntryRow | None) -> Posting | None:
    """The entry as a posting; None where it is none, or what no host writes."""
    if entry is None:
        return None
    _, name, phase, debit, credit, amount_micro, cause, reference, pending_id, _ = entry
    if not all(type(each) is str for each in (name, phase, debit, credit)) or type(amount_micro) is not int:
        return None
    try:
        kind_of(debit), kind_of(credit)
        known = Phase(phase)
    except ValueError:
        return None
    return Posting(name, known, AccountId(debit), AccountId(credit), amount_micro, cause, reference, pending_id)
