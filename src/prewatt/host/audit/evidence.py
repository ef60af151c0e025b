"""What the audit looks at: one moment of the database, read once and counted anew."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, select

from prewatt.host.audit.answers import Violation
from prewatt.host.audit.closes import Closes, read_closes
from prewatt.host.audit.dated import Dated, read_dated
from prewatt.host.bodyvalue import BodyRow
from prewatt.host.context import HostContext
from prewatt.host.ledger import NO_LINK, Account, AccountKind, Break, EntryRow, Link, Replay, account_id, check_links
from prewatt.host.store import schema
from prewatt.host.store.entries import read_entries, read_links
from prewatt.host.store.postings import read_accounts
from prewatt.protocol.transfer import MeterBook, TransferRuleError, unpack_book

__all__ = ["Evidence", "read_evidence", "violation"]


@dataclass(slots=True)
class Evidence:
    """Rows by whom they belong to, and the ledger as its entries alone make it."""

    ledger: Replay
    stored: dict[str, Account]
    meters: list[str]
    books: dict[str, MeterBook]
    unreadable: dict[str, str]
    orders: list[Row[Any]]
    dated: Dated
    closes: Closes
    last_link: Link = NO_LINK
    breaks: list[Break] = field(default_factory=list)
    payments: dict[str, list[Row[Any]]] = field(default_factory=lambda: defaultdict(list))
    postings: dict[str, list[EntryRow]] = field(default_factory=lambda: defaultdict(list))
    records: dict[str, list[Row[Any]]] = field(default_factory=lambda: defaultdict(list))
    reports: dict[str, list[Row[Any]]] = field(default_factory=lambda: defaultdict(list))
    bodies: dict[str, list[BodyRow]] = field(default_factory=lambda: defaultdict(list))
    signed: dict[str, list[Row[Any]]] = field(default_factory=lambda: defaultdict(list))
    holding: dict[tuple[str, Any], list[Row[Any]]] = field(default_factory=dict)
    totals: dict[AccountKind, int] = field(default_factory=lambda: defaultdict(int))
    matches: dict[tuple[str, int], str] = field(default_factory=dict)
    standings: dict[str, Row[Any]] = field(default_factory=dict)
    rate_sales: dict[str, Row[Any]] = field(default_factory=dict)
    rate_lines: dict[str, list[Row[Any]]] = field(default_factory=lambda: defaultdict(list))

    def balance_micro(self, kind: AccountKind, owner: str = "") -> int:
        """The credit balance of an account, counted from the entries."""
        return self.ledger.account(account_id(kind, owner)).balance_micro

    def total_micro(self, kind: AccountKind) -> int:
        """The credit balances of all accounts of a kind."""
        if not self.totals:
            for each in self.ledger.accounts():
                self.totals[each.kind] += each.balance_micro
        return self.totals[kind]

    def proofs(self, order: Row[Any]) -> list[Row[Any]]:
        """Rows of the record file that say that the meter holds this order: by its tag, as a code, or by a match."""
        keys = ((order.meter, order.tag), (order.meter, order.id))
        return list({row.number: row for key in keys for row in self.holding.get(key, ())}.values())

    def add_record(self, row: Row[Any]) -> None:
        """A row of the record file; matches are known before."""
        self.records[row.meter].append(row)
        keys = {row.tag, self.matches.get((row.meter, row.sequence))} - {None}
        if row.what == "code":
            keys.add(row.order_id)
        for key in keys:
            self.holding.setdefault((row.meter, key), []).append(row)


def violation(entity: str, name: str, law: str, expected: int | str, found: int | str) -> Violation:
    """A violation with its sentence."""
    text = f"{entity} {name}: {law}: expected {expected}, found {found}"
    return Violation(entity, name, law, expected, found, text)


def read_evidence(context: HostContext, connection: Connection) -> Evidence:
    """Everything the audit needs; the connection's transaction makes it one moment."""
    books, unreadable = _books(connection)
    evidence = Evidence(
        ledger=Replay(),
        stored={each.id: each for each in read_accounts(connection)},
        meters=list(connection.execute(select(schema.meters.c.id).order_by(schema.meters.c.id)).scalars()),
        books=books,
        unreadable=unreadable,
        orders=list(connection.execute(select(schema.orders).order_by(schema.orders.c.id)).all()),
        dated=read_dated(connection),
        closes=read_closes(connection),
    )
    _count(context, connection, evidence)
    for row in connection.execute(select(schema.matches)):
        evidence.matches[row.meter, row.sequence] = row.order_id
    for row in connection.execute(select(schema.payments).order_by(schema.payments.c.authorization)).all():
        evidence.payments[row.order_id].append(row)
    for row in connection.execute(select(schema.record_file).order_by(schema.record_file.c.number)).all():
        evidence.add_record(row)
    for row in connection.execute(select(schema.reports).order_by(schema.reports.c.number)).all():
        evidence.reports[row.meter].append(row)
    for row in connection.execute(select(schema.bodies).order_by(schema.bodies.c.meter, schema.bodies.c.epoch)):
        evidence.bodies[row.meter].append(BodyRow.of(row))
    for row in connection.execute(select(schema.sign_overs).order_by(schema.sign_overs.c.number)):
        evidence.signed[row.meter].append(row)
    evidence.rate_sales = {row.order_id: row for row in connection.execute(select(schema.rate_sales))}
    lines = schema.rate_lines
    for row in connection.execute(select(lines).order_by(lines.c.order_id, lines.c.place)):
        evidence.rate_lines[row.order_id].append(row)
    ended = select(schema.standings).where(schema.standings.c.meter.in_(select(schema.bodies.c.meter)))
    evidence.standings = {row.meter: row for row in connection.execute(ended)}
    return evidence


def _count(context: HostContext, connection: Connection, evidence: Evidence) -> None:
    """The ledger that the entries alone make, in their order, and what is not as it was committed, in one reading."""

    def blocks() -> Iterator[list[EntryRow]]:
        for block in read_entries(connection, context.store.dialect):
            evidence.ledger.post_all(block)
            for entry in block:
                evidence.postings[entry[7]].append(entry)
            evidence.dated.look(block)
            yield block

    def links() -> Iterator[Link]:
        for evidence.last_link in read_links(connection):
            evidence.closes.look(evidence.last_link)
            yield evidence.last_link

    evidence.breaks.extend(check_links(links(), blocks()))


def _books(connection: Connection) -> tuple[dict[str, MeterBook], dict[str, str]]:
    """Every meter's book, and what is wrong with those that cannot be read: one of them blames nobody else."""
    books, unreadable = dict[str, MeterBook](), dict[str, str]()
    for row in connection.execute(select(schema.books.c.meter, schema.books.c.book)):
        try:
            books[row.meter] = unpack_book(row.book)
        except TransferRuleError as error:
            unreadable[row.meter] = str(error)
    return books, unreadable
