"""Runs the audit and names what breaks the law, in the order in which a person looks."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Row

from prewatt.host.answers import AuditAnswer, Violation
from prewatt.host.audit.bodies import audit_carried
from prewatt.host.audit.charges import CHARGE_KINDS, audit_charge_accounts
from prewatt.host.audit.evidence import Evidence, read_evidence, violation
from prewatt.host.audit.meters import audit_meter
from prewatt.host.audit.orders import audit_order
from prewatt.host.context import HostContext
from prewatt.host.ledger import PLACES, AccountKind
from prewatt.host.store.trail import check_log

__all__ = ["Audit"]


class Audit:
    """The law of conservation, recomputed."""

    def __init__(self, context: HostContext) -> None:
        self._context = context

    def run(self) -> AuditAnswer:
        """Checks every meter, every order and the ledger as a whole; changes nothing."""
        with self._context.store.reading() as connection:
            evidence = read_evidence(connection)
            log_lines, log_hash, log_break = check_log(connection)
        found = list(_violations(evidence))
        if log_break is not None:
            what = f"line was {log_break.what}"
            found.append(violation("log", str(log_break.number), "audit log as it was written", "its hash", what))
        return AuditAnswer(
            ok=not found,
            checked=len(evidence.meters) + len(evidence.orders) + 1,
            violations=tuple(found),
            meters=len(evidence.meters),
            orders=len(evidence.orders),
            entries=evidence.entries,
            cash_micro=-evidence.total_micro(AccountKind.CASH),
            in_wallets_micro=evidence.total_micro(AccountKind.WALLET),
            in_transit_micro=evidence.total_micro(AccountKind.IN_TRANSIT),
            delivered_micro=evidence.total_micro(AccountKind.DELIVERED),
            refunded_micro=evidence.total_micro(AccountKind.REFUNDED),
            charges_micro=sum(evidence.total_micro(kind) for kind in CHARGE_KINDS),
            suspense_micro=-evidence.total_micro(AccountKind.SUSPENSE),
            lost_bodies_micro=evidence.total_micro(AccountKind.LOST_BODIES),
            written_off_micro=evidence.total_micro(AccountKind.WRITE_OFF),
            log_lines=log_lines,
            log_hash=log_hash.hex(),
        )


def _violations(evidence: Evidence) -> Iterator[Violation]:
    """Meters by id, then orders by id, then the books."""
    orders: dict[str, list[Row[Any]]] = defaultdict(list)
    for row in evidence.orders:
        orders[row.meter].append(row)
    for meter in sorted({*evidence.meters, *orders, *evidence.records, *evidence.reports}):
        yield from audit_meter(evidence, meter, orders[meter])
    for row in evidence.orders:
        yield from audit_order(evidence, row)
    yield from _strangers(evidence)
    yield from audit_carried(evidence)
    yield from audit_charge_accounts(evidence)
    yield from _ledger(evidence)


def _strangers(evidence: Evidence) -> Iterator[Violation]:
    """Orders, payments and accounts that belong to nobody."""
    known = {row.id for row in evidence.orders}
    for meter, book in evidence.books.items():
        for order in book.orders:
            if order.order_id not in known:
                yield violation("order", order.order_id, f"open in the book of meter {meter}", "an order", "none")
    for order_id in sorted(set(evidence.payments) - known):
        yield violation("order", order_id, "paid for", "an order", "none")


def _ledger(evidence: Evidence) -> Iterator[Violation]:
    """Entries the rules would have refused, accounts without entries, and the sum of everything."""
    for posting, outcome in evidence.rejected:
        yield violation("book", posting.id, "entry that the ledger's rules allow", "created", outcome)
    counted = {account.id: account for account in evidence.ledger.accounts()}
    for name, stored in sorted(evidence.stored.items()):
        if counted.get(stored.id) is None and (stored.debits_micro or stored.credits_micro):
            yield violation("book", name, "account with entries", 0, stored.balance_micro)
        elif counted.get(stored.id) not in (None, stored):
            yield violation("book", name, "sum of its entries", counted[stored.id].balance_micro, stored.balance_micro)
    for name in sorted(set(counted) - set(evidence.stored)):
        yield violation("book", name, "account is stored", counted[name].balance_micro, "none")
    placed = sum(account.balance_micro for account in counted.values() if account.kind in PLACES)
    cash = -evidence.total_micro(AccountKind.CASH)
    if placed != cash:
        yield violation("book", "cash", "every paid micro-unit is in one place", cash, placed)
