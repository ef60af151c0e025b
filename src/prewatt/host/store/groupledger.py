"""The ledger as one group commit sees it: what its postings need is read together, and what changes written together.

Each posting is decided in memory by `ledger.decide`, against entries and accounts that were read at most once for the
whole group, and its outcome is known at once; rows are written in one statement for the accounts and one for the
entries, before the commit or before anything else looks at these tables. So an account that every sale touches costs a
group one read and one write, as any other does. At the end all entries of the group become one link of the hash chain
(`ledger.chain`). What is dated into a closed period is dated to where the next one begins.

A piece of work that is undone takes its postings along (`mark`, `undo`): what was written inside its savepoint, also of
work before it, is written again.
"""

import json
from collections.abc import Callable, Iterable
from typing import Any, Final, NamedTuple

from prewatt.host.ledger import GENESIS, Account, AccountId, Entry, Phase, Posting, PostingOutcome, decide, make_link
from prewatt.host.store.dialect import Hot

__all__ = ["ACCOUNT_CHARS_MAX", "REFERENCE_CHARS_MAX", "GroupLedger", "LedgerMark", "check_storable", "posting_of"]

# As the columns are: a row that does not fit must fail its own posting, not the group.
ACCOUNT_CHARS_MAX: Final = 96
REFERENCE_CHARS_MAX: Final = 64
MICRO_MAX: Final = 2**63 - 1


class LedgerMark(NamedTuple):
    """Where the group's ledger stood."""

    drafts: int
    written: int
    changes: int
    closed_s: int | None


class GroupLedger:
    """``run`` runs a hot statement and gives its cursor."""

    def __init__(self, run: Callable[[Hot, tuple[Any, ...]], Any]) -> None:
        self._run = run
        self._entries: dict[str, Posting | None] = {}
        self._ends: dict[str, Phase | None] = {}
        self._accounts: dict[AccountId, Account] = {}
        self._drafts: list[tuple[Posting, int]] = []
        self._written = 0
        # Account, entry and end as they were before each draft, newest last.
        self._changes: list[tuple[Account, Account]] = []
        # Rows as they were written, by id; the chain's last link, and until when the books are closed, once read.
        self._rows: dict[str, Entry] = {}
        self._head: tuple[int, bytes] | None = None
        self._closed_s: int | None = None

    def post(self, posting: Posting, at_s: int) -> PostingOutcome:
        """The outcome; the entry is written with the group where it is CREATED. ValueError for what no row can hold."""
        check_storable(posting)
        self.load((posting,))
        before = self._accounts[posting.debit], self._accounts[posting.credit]
        pending_id = posting.pending_id
        outcome, debit, credit = decide(
            posting,
            self._entries[posting.id],
            self._entries[pending_id] if pending_id else None,
            self._ends[pending_id] if pending_id else None,
            *before,
        )
        if outcome is PostingOutcome.CREATED:
            _check_sums(debit, credit)
            self._changes.append(before)
            self._accounts[debit.id], self._accounts[credit.id] = debit, credit
            self._entries[posting.id] = posting
            if pending_id:
                self._ends[pending_id] = posting.phase
            self._drafts.append((posting, at_s))
        return outcome

    def load(self, postings: Iterable[Posting]) -> None:
        """Reads what these postings will be decided by, as far as it is not known yet: three statements at most."""
        asked = list(postings)
        ends = _new((each.pending_id for each in asked if each.pending_id), self._ends)
        entries = _new((*(each.id for each in asked), *ends), self._entries)
        accounts = _new((name for each in asked for name in (each.debit, each.credit)), self._accounts)
        if entries:
            self._entries.update(dict.fromkeys(entries))
            for row in self._run(Hot.ENTRIES_BY_IDS, (json.dumps(entries),)).fetchall():
                self._entries[row[0]] = posting_of(tuple(row))
        if ends:
            self._ends.update(dict.fromkeys(ends))
            for pending_id, phase in self._run(Hot.ENDS_BY_IDS, (json.dumps(ends),)).fetchall():
                self._ends[pending_id] = Phase(phase)
        if accounts:
            self._accounts.update({name: Account(name) for name in accounts})
            for row in self._run(Hot.ACCOUNTS_BY_IDS, (json.dumps(accounts),)).fetchall():
                self._accounts[row[0]] = Account(*row)

    def write(self) -> None:
        """Writes what is not written yet; two statements, or none."""
        drafts = self._drafts[self._written :]
        if not drafts:
            return
        closed_s = self._read_head()
        touched = dict.fromkeys(name for each, _ in drafts for name in (each.debit, each.credit))
        self._run(Hot.ACCOUNTS_PUT, (json.dumps([_account_row(self._accounts[name]) for name in touched]),))
        rows = {each.id: _entry_row(each, max(at_s, closed_s)) for each, at_s in drafts}
        for number, posting_id in self._run(Hot.ENTRIES_INSERT, (json.dumps(list(rows.values())),)).fetchall():
            self._rows[posting_id] = Entry._make((number, *rows[posting_id]))
        self._written = len(self._drafts)

    def seal(self) -> None:
        """The group's end: writes what is not written yet, and the link of the chain that holds all of its entries."""
        self.write()
        if self._drafts:
            number, previous = self._head or (0, GENESIS)
            self._run(Hot.CHAIN_INSERT, make_link(number + 1, previous, sorted(self._rows.values())))

    def close_until(self, until_s: int) -> None:
        """What is written from here on is dated to ``until_s`` at least; the caller writes the row that says so."""
        self.write()
        self._closed_s = max(self._read_head(), until_s)

    def _read_head(self) -> int:
        """Until when the books are closed; reads where the chain ends, once for the group."""
        if self._closed_s is None:
            number, digest, self._closed_s = self._run(Hot.CHAIN_HEAD, ()).fetchone()
            self._head = (number, GENESIS if digest is None else bytes(digest))
        return self._closed_s

    def mark(self) -> LedgerMark:
        """Where it stands, for `undo`; to be taken where a savepoint begins."""
        return LedgerMark(len(self._drafts), self._written, len(self._changes), self._closed_s)

    def undo(self, mark: LedgerMark) -> None:
        """Back to ``mark``, where the database went back to the savepoint that was begun there."""
        while len(self._drafts) > mark.drafts:
            posting, _ = self._drafts.pop()
            for account in self._changes.pop():
                self._accounts[account.id] = account
            self._entries[posting.id] = None
            self._rows.pop(posting.id, None)
            if posting.pending_id:
                self._ends[posting.pending_id] = None
        self._written = mark.written
        self._closed_s = mark.closed_s


def posting_of(row: tuple[Any, ...]) -> Posting:
    """The posting of a row of `entries`."""
    posting_id, phase, debit, credit, amount_micro, cause, reference, pending_id = row
    accounts = AccountId(debit), AccountId(credit)
    return Posting(posting_id, Phase(phase), *accounts, amount_micro, cause, reference, pending_id)


def check_storable(posting: Posting) -> None:
    """ValueError for a posting that no row can hold."""
    for name, text, most in (
        ("debit", posting.debit, ACCOUNT_CHARS_MAX),
        ("credit", posting.credit, ACCOUNT_CHARS_MAX),
        ("reference", posting.reference, REFERENCE_CHARS_MAX),
    ):
        if len(text) > most:
            raise ValueError(f"posting {posting.id!r}: {name} has {len(text)} characters, allowed are {most}")
    texts = (posting.id, posting.debit, posting.credit, posting.cause, posting.reference, posting.pending_id or "")
    # UnicodeEncodeError, a ValueError, for half a character.
    if b"\0" in "\n".join(texts).encode():
        raise ValueError(f"posting {posting.id!r}: a text with a zero in it; allowed are characters")
    if posting.amount_micro > MICRO_MAX:
        raise ValueError(f"posting {posting.id!r}: amount {posting.amount_micro}, allowed is at most {MICRO_MAX}")


def _check_sums(*accounts: Account) -> None:
    for each in accounts:
        sums = (each.debits_micro, each.credits_micro, each.debits_pending_micro, each.credits_pending_micro)
        if max(sums) > MICRO_MAX:
            raise ValueError(f"account {each.id}: a sum of {max(sums)} micro-units, allowed is at most {MICRO_MAX}")


def _new(names: Iterable[Any], known: dict[Any, Any]) -> list[Any]:
    """Each name that is not known, once."""
    return [name for name in dict.fromkeys(names) if name not in known]


def _account_row(account: Account) -> list[Any]:
    sums = (account.debits_micro, account.credits_micro, account.debits_pending_micro, account.credits_pending_micro)
    return [account.id, *sums]


def _entry_row(posting: Posting, at_s: int) -> list[Any]:
    accounts, words = (posting.debit, posting.credit), (posting.cause, posting.reference, posting.pending_id)
    return [posting.id, posting.phase.value, *accounts, posting.amount_micro, *words, at_s]
