"""The store half of the ledger: posts inside the caller's commit, and reads what stands in the books."""

from collections.abc import Sequence
from concurrent.futures import Future

from sqlalchemy import Connection, select

from prewatt.host.ledger import Account, AccountId, Posting, PostingOutcome
from prewatt.host.store import schema
from prewatt.host.store.groupledger import check_storable, posting_of
from prewatt.host.store.store import Store, Writing

__all__ = ["post", "read_account", "read_accounts", "read_posting", "submit_posting"]


class _PostingWork:
    """A posting and nothing else, as a piece of work: the group reads what all of them need together."""

    def __init__(self, posting: Posting, at_s: int) -> None:
        self.postings: Sequence[Posting] = (posting,)
        self._at_s = at_s

    def __call__(self, writing: Writing) -> PostingOutcome:
        return post(writing, self.postings[0], at_s=self._at_s)


def post(writing: Writing, posting: Posting, *, at_s: int) -> PostingOutcome:
    """Posts, or says why not; nothing is written unless the outcome is CREATED.

    ValueError for a posting that no row can hold.
    """
    return writing.ledger.post(posting, at_s)


def submit_posting(store: Store, posting: Posting, *, at_s: int) -> "Future[PostingOutcome]":
    """Hands in one posting by itself; the future is done when it is durable. ValueError as `post`, at once."""
    check_storable(posting)
    return store.submit(_PostingWork(posting, at_s))


def read_posting(connection: Connection, posting_id: str) -> Posting | None:
    """The posting under this id."""
    entries = schema.entries.c
    columns = (entries.id, entries.phase, entries.debit, entries.credit, entries.amount_micro)
    more = (entries.cause, entries.reference, entries.pending_id)
    row = connection.execute(select(*columns, *more).where(entries.id == posting_id)).one_or_none()
    return None if row is None else posting_of(tuple(row))


def read_account(connection: Connection, account: AccountId) -> Account:
    """The account as it stands; an empty one where nothing was posted."""
    row = connection.execute(select(schema.accounts).where(schema.accounts.c.id == account)).one_or_none()
    return _account(account, None if row is None else tuple(row))


def read_accounts(connection: Connection) -> list[Account]:
    """All accounts that anything was posted to, by id."""
    rows = connection.execute(select(schema.accounts).order_by(schema.accounts.c.id))
    return [_account(AccountId(row.id), tuple(row)) for row in rows]


def _account(account: AccountId, row: "tuple[str, int, int, int, int] | None") -> Account:
    return Account(account, *row[1:]) if row is not None else Account(account)
