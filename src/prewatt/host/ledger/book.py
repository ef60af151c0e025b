"""The one function that decides about a posting, and a ledger in memory that the tests and the audit compare with.

`decide` sees what already stands under the posting's id, the pending posting it wants to end and how that one ended,
and the two accounts; it gives a named outcome and the accounts after it. The store calls it inside the one commit that
writes the entry, so outcome and entry cannot part. Outcomes are checked in the order in which they are listed.
"""

from collections.abc import Iterator
from dataclasses import replace
from enum import StrEnum

from prewatt.host.ledger.accounts import Account, AccountId
from prewatt.host.ledger.postings import POSTING_ID_CHARS_MAX, Phase, Posting

__all__ = ["MemoryLedger", "PostingOutcome", "decide"]


class PostingOutcome(StrEnum):
    """What became of a posting. Only CREATED wrote an entry; EXISTS means it stood there already."""

    CREATED = "created"
    BAD_ID = "bad_id"
    AMOUNT_NOT_POSITIVE = "amount_not_positive"
    SAME_ACCOUNT_TWICE = "same_account_twice"
    EXISTS = "exists"
    EXISTS_WITH_DIFFERENT_AMOUNT = "exists_with_different_amount"
    EXISTS_WITH_DIFFERENT_FIELDS = "exists_with_different_fields"
    PENDING_NOT_FOUND = "pending_not_found"
    PENDING_HAS_DIFFERENT_FIELDS = "pending_has_different_fields"
    PENDING_ALREADY_POSTED = "pending_already_posted"
    PENDING_ALREADY_VOIDED = "pending_already_voided"
    EXCEEDS_CREDITS = "exceeds_credits"

    @property
    def done(self) -> bool:
        """Whether the entry stands in the books now."""
        return self in (PostingOutcome.CREATED, PostingOutcome.EXISTS)


def decide(
    posting: Posting,
    existing: Posting | None,
    pending: Posting | None,
    ended: Phase | None,
    debit: Account,
    credit: Account,
) -> tuple[PostingOutcome, Account, Account]:
    """The outcome of ``posting`` and both accounts after it (unchanged unless CREATED).

    ``existing`` is the posting under the same id, ``pending`` the one under ``pending_id``, ``ended`` how that one was
    ended (POST, VOID or not yet).
    """
    outcome = _refusal(posting, existing) or _pending_refusal(posting, pending, ended)
    if outcome is None and posting.phase in (Phase.SINGLE, Phase.PENDING) and not debit.may_give(posting.amount_micro):
        outcome = PostingOutcome.EXCEEDS_CREDITS
    if outcome is not None:
        return outcome, debit, credit
    return PostingOutcome.CREATED, *_moved(posting, debit, credit)


def _refusal(posting: Posting, existing: Posting | None) -> PostingOutcome | None:
    """What the posting is refused for, or that it exists, seen from itself alone."""
    if not 0 < len(posting.id) <= POSTING_ID_CHARS_MAX:
        return PostingOutcome.BAD_ID
    if posting.amount_micro <= 0:
        return PostingOutcome.AMOUNT_NOT_POSITIVE
    if posting.debit == posting.credit:
        return PostingOutcome.SAME_ACCOUNT_TWICE
    if existing is None:
        return None
    if posting.same_as(existing):
        return PostingOutcome.EXISTS
    if posting.same_as(replace(existing, amount_micro=posting.amount_micro)):
        return PostingOutcome.EXISTS_WITH_DIFFERENT_AMOUNT
    return PostingOutcome.EXISTS_WITH_DIFFERENT_FIELDS


def _pending_refusal(posting: Posting, pending: Posting | None, ended: Phase | None) -> PostingOutcome | None:
    """What an end of a pending posting is refused for."""
    if posting.phase in (Phase.SINGLE, Phase.PENDING):
        return None
    if pending is None or pending.phase is not Phase.PENDING:
        return PostingOutcome.PENDING_NOT_FOUND
    ends = (posting.debit, posting.credit, posting.amount_micro)
    if ends != (pending.debit, pending.credit, pending.amount_micro):
        return PostingOutcome.PENDING_HAS_DIFFERENT_FIELDS
    if ended is Phase.POST:
        return PostingOutcome.PENDING_ALREADY_POSTED
    if ended is Phase.VOID:
        return PostingOutcome.PENDING_ALREADY_VOIDED
    return None


def _moved(posting: Posting, debit: Account, credit: Account) -> tuple[Account, Account]:
    """Both accounts after a posting that was allowed."""
    amount = posting.amount_micro
    if posting.phase in (Phase.SINGLE, Phase.POST):
        debit = replace(debit, debits_micro=debit.debits_micro + amount)
        credit = replace(credit, credits_micro=credit.credits_micro + amount)
    if posting.phase is not Phase.SINGLE:
        reserved = amount if posting.phase is Phase.PENDING else -amount
        debit = replace(debit, debits_pending_micro=debit.debits_pending_micro + reserved)
        credit = replace(credit, credits_pending_micro=credit.credits_pending_micro + reserved)
    return debit, credit


class MemoryLedger:
    """The whole ledger as dictionaries: the reference that the store is compared with, and the audit's own count."""

    def __init__(self) -> None:
        self._entries: dict[str, Posting] = {}
        self._ended: dict[str, Phase] = {}
        self._accounts: dict[AccountId, Account] = {}

    def post(self, posting: Posting) -> PostingOutcome:
        """Decides about ``posting`` and keeps it where it is new."""
        outcome, debit, credit = decide(
            posting,
            self._entries.get(posting.id),
            self._entries.get(posting.pending_id or ""),
            self._ended.get(posting.pending_id or ""),
            self.account(posting.debit),
            self.account(posting.credit),
        )
        if outcome is PostingOutcome.CREATED:
            self._entries[posting.id] = posting
            self._accounts[posting.debit], self._accounts[posting.credit] = debit, credit
            if posting.pending_id is not None and posting.phase in (Phase.POST, Phase.VOID):
                self._ended[posting.pending_id] = posting.phase
        return outcome

    def account(self, account: AccountId) -> Account:
        """The account as it stands; an empty one where nothing was posted."""
        return self._accounts.get(account) or Account(account)

    def accounts(self) -> Iterator[Account]:
        """All accounts that anything was posted to, by id."""
        return iter(sorted(self._accounts.values(), key=lambda each: each.id))
