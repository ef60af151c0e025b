"""What the audit looks at: one moment of the database, read once and counted anew."""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, select

from prewatt.host.answers import Violation
from prewatt.host.bodyvalue import BodyRow
from prewatt.host.ledger import Account, AccountId, AccountKind, MemoryLedger, Phase, Posting, account_id
from prewatt.host.store import schema
from prewatt.host.store.postings import read_accounts
from prewatt.protocol.transfer import MeterBook, TransferRuleError, unpack_book

__all__ = ["Evidence", "read_evidence", "violation"]


@dataclass(slots=True)
class Evidence:
    """Rows by whom they belong to, and the ledger as its entries alone make it."""

    ledger: MemoryLedger
    entries: int
    rejected: list[tuple[Posting, str]]
    stored: dict[str, Account]
    meters: list[str]
    books: dict[str, MeterBook]
    unreadable: dict[str, str]
    orders: list[Row[Any]]
    payments: dict[str, list[Row[Any]]] = field(default_factory=lambda: defaultdict(list))
    postings: dict[str, list[Posting]] = field(default_factory=lambda: defaultdict(list))
    records: dict[str, list[Row[Any]]] = field(default_factory=lambda: defaultdict(list))
    reports: dict[str, list[Row[Any]]] = field(default_factory=lambda: defaultdict(list))
    bodies: dict[str, list[BodyRow]] = field(default_factory=lambda: defaultdict(list))
    signed: dict[str, list[Row[Any]]] = field(default_factory=lambda: defaultdict(list))
    matches: dict[tuple[str, int], str] = field(default_factory=dict)
    standings: dict[str, Row[Any]] = field(default_factory=dict)
    rate_sales: dict[str, Row[Any]] = field(default_factory=dict)
    rate_lines: dict[str, list[Row[Any]]] = field(default_factory=lambda: defaultdict(list))

    def balance_micro(self, kind: AccountKind, owner: str = "") -> int:
        """The credit balance of an account, counted from the entries."""
        return self.ledger.account(account_id(kind, owner)).balance_micro

    def total_micro(self, kind: AccountKind) -> int:
        """The credit balances of all accounts of a kind."""
        return sum(each.balance_micro for each in self.ledger.accounts() if each.kind is kind)


def violation(entity: str, name: str, law: str, expected: int | str, found: int | str) -> Violation:
    """A violation with its sentence."""
    text = f"{entity} {name}: {law}: expected {expected}, found {found}"
    return Violation(entity, name, law, expected, found, text)


def read_evidence(connection: Connection) -> Evidence:
    """Everything the audit needs; the connection's transaction makes it one moment."""
    ledger, postings, rejected, count = _replay(connection)
    books, unreadable = _books(connection)
    evidence = Evidence(
        ledger=ledger,
        entries=count,
        rejected=rejected,
        stored={each.id: each for each in read_accounts(connection)},
        meters=list(connection.execute(select(schema.meters.c.id).order_by(schema.meters.c.id)).scalars()),
        books=books,
        unreadable=unreadable,
        orders=list(connection.execute(select(schema.orders).order_by(schema.orders.c.id))),
        postings=postings,
    )
    for row in connection.execute(select(schema.payments).order_by(schema.payments.c.authorization)):
        evidence.payments[row.order_id].append(row)
    for row in connection.execute(select(schema.record_file).order_by(schema.record_file.c.number)):
        evidence.records[row.meter].append(row)
    for row in connection.execute(select(schema.reports).order_by(schema.reports.c.number)):
        evidence.reports[row.meter].append(row)
    for row in connection.execute(select(schema.bodies).order_by(schema.bodies.c.meter, schema.bodies.c.epoch)):
        evidence.bodies[row.meter].append(BodyRow.of(row))
    for row in connection.execute(select(schema.sign_overs).order_by(schema.sign_overs.c.number)):
        evidence.signed[row.meter].append(row)
    for row in connection.execute(select(schema.matches)):
        evidence.matches[row.meter, row.sequence] = row.order_id
    evidence.rate_sales = {row.order_id: row for row in connection.execute(select(schema.rate_sales))}
    lines = schema.rate_lines
    for row in connection.execute(select(lines).order_by(lines.c.order_id, lines.c.place)):
        evidence.rate_lines[row.order_id].append(row)
    ended = select(schema.standings).where(schema.standings.c.meter.in_(select(schema.bodies.c.meter)))
    evidence.standings = {row.meter: row for row in connection.execute(ended)}
    return evidence


def _replay(
    connection: Connection,
) -> tuple[MemoryLedger, dict[str, list[Posting]], list[tuple[Posting, str]], int]:
    """The ledger that the entries alone make, in their order."""
    ledger, rejected, count = MemoryLedger(), [], 0
    postings: dict[str, list[Posting]] = defaultdict(list)
    for row in connection.execute(select(schema.entries).order_by(schema.entries.c.number)):
        accounts = AccountId(row.debit), AccountId(row.credit)
        posting = Posting(
            row.id, Phase(row.phase), *accounts, row.amount_micro, row.cause, row.reference, row.pending_id
        )
        outcome = ledger.post(posting)
        if outcome != "created":
            rejected.append((posting, outcome.value))
        postings[row.reference].append(posting)
        count += 1
    return ledger, postings, rejected, count


def _books(connection: Connection) -> tuple[dict[str, MeterBook], dict[str, str]]:
    """Every meter's book, and what is wrong with those that cannot be read: one of them blames nobody else."""
    books, unreadable = dict[str, MeterBook](), dict[str, str]()
    for row in connection.execute(select(schema.books.c.meter, schema.books.c.book)):
        try:
            books[row.meter] = unpack_book(row.book)
        except TransferRuleError as error:
            unreadable[row.meter] = str(error)
    return books, unreadable
