"""The store half of the ledger: reads what `decide` needs, and writes what it decided, inside the caller's commit."""

from sqlalchemy import Connection, select

from prewatt.host.ledger import Account, AccountId, Phase, Posting, PostingOutcome, decide
from prewatt.host.store import schema
from prewatt.host.store.dialect import Hot
from prewatt.host.store.store import Writing

__all__ = ["post", "read_account", "read_accounts", "read_posting"]


def post(writing: Writing, posting: Posting, *, at_s: int) -> PostingOutcome:
    """Posts, or says why not; nothing is written unless the outcome is CREATED."""
    run = writing.run
    pending_id = posting.pending_id
    outcome, debit, credit = decide(
        posting,
        _posting(run(Hot.ENTRY_BY_ID, (posting.id,)).fetchone()),
        _posting(run(Hot.ENTRY_BY_ID, (pending_id,)).fetchone()) if pending_id else None,
        _phase(run(Hot.ENTRY_END, (pending_id,)).fetchone()) if pending_id else None,
        _account(posting.debit, run(Hot.ACCOUNT_BY_ID, (posting.debit,)).fetchone()),
        _account(posting.credit, run(Hot.ACCOUNT_BY_ID, (posting.credit,)).fetchone()),
    )
    if outcome is PostingOutcome.CREATED:
        for account in (debit, credit):
            run(
                Hot.ACCOUNT_PUT,
                (
                    account.id,
                    account.debits_micro,
                    account.credits_micro,
                    account.debits_pending_micro,
                    account.credits_pending_micro,
                ),
            )
        run(
            Hot.ENTRY_INSERT,
            (
                posting.id,
                posting.phase.value,
                posting.debit,
                posting.credit,
                posting.amount_micro,
                posting.cause,
                posting.reference,
                pending_id,
                at_s,
            ),
        )
    return outcome


def read_posting(connection: Connection, posting_id: str) -> Posting | None:
    """The posting under this id."""
    entries = schema.entries.c
    columns = (entries.id, entries.phase, entries.debit, entries.credit, entries.amount_micro)
    more = (entries.cause, entries.reference, entries.pending_id)
    row = connection.execute(select(*columns, *more).where(entries.id == posting_id)).one_or_none()
    return _posting(None if row is None else tuple(row))


def read_account(connection: Connection, account: AccountId) -> Account:
    """The account as it stands; an empty one where nothing was posted."""
    row = connection.execute(select(schema.accounts).where(schema.accounts.c.id == account)).one_or_none()
    return _account(account, None if row is None else tuple(row))


def read_accounts(connection: Connection) -> list[Account]:
    """All accounts that anything was posted to, by id."""
    rows = connection.execute(select(schema.accounts).order_by(schema.accounts.c.id))
    return [_account(AccountId(row.id), tuple(row)) for row in rows]


def _posting(row: "tuple[str, str, str, str, int, str, str, str | None] | None") -> Posting | None:
    if row is None:
        return None
    posting_id, phase, debit, credit, amount_micro, cause, reference, pending_id = row
    accounts = AccountId(debit), AccountId(credit)
    return Posting(posting_id, Phase(phase), *accounts, amount_micro, cause, reference, pending_id)


def _phase(row: "tuple[str] | None") -> Phase | None:
    return Phase(row[0]) if row is not None else None


def _account(account: AccountId, row: "tuple[str, int, int, int, int] | None") -> Account:
    return Account(account, *row[1:]) if row is not None else Account(account)
