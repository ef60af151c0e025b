"""The audit of what came with sales by a rate plan: every line was paid for, and stands in its account until paid back.

An order's lines and its value sum to its payment; each line has the one entry that it should have, and one more exactly
where the order's money was paid back; and an account of taxes, levies, fees, standing charges or subsidies holds the
lines that name it and nothing else. A line that is missing, or wrong, is named.
"""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any, Final

from sqlalchemy import Row

from prewatt.host.answers import Violation
from prewatt.host.audit.evidence import Evidence, violation
from prewatt.host.ledger import AccountKind, Posting
from prewatt.host.money import Place
from prewatt.host.plans.charges import line_posting, return_posting

__all__ = ["CHARGE_KINDS", "audit_charge_accounts", "audit_lines", "is_line", "lines_paid_back"]

CHARGE_KINDS: Final = frozenset(
    {
        AccountKind.FEE,
        AccountKind.TAX,
        AccountKind.LEVY,
        AccountKind.STANDING,
        AccountKind.SUBSIDY,
        AccountKind.DEBT_REPAID,
    }
)
_LINE: Final = "/line/"


def is_line(posting_id: str) -> bool:
    """Whether an entry is that of a line; an order's id has no slash."""
    return _LINE in posting_id


def lines_paid_back(evidence: Evidence, orders: list[Row[Any]]) -> int:
    """What the lines of orders that were paid back put into `refunded`."""
    back = [row.id for row in orders if row.place == Place.REFUNDED]
    return sum(line.amount_micro for order_id in back for line in evidence.rate_lines[order_id])


def audit_lines(evidence: Evidence, row: Row[Any]) -> Iterator[Violation]:
    """Every way in which the lines of this order break the law."""
    sale, lines = evidence.rate_sales.get(row.id), evidence.rate_lines[row.id]
    found = {posting.id: posting for posting in evidence.postings[row.id] if is_line(posting.id)}
    if sale is None and lines:
        yield violation("order", row.id, "its lines are of a sale by a rate plan", "a sale", "none")
    elif sale is not None:
        yield from _sums(sale, row, lines)
    for line in lines:
        wanted = line_posting(row.id, line.place, line.name, line.account, line.amount_micro)
        yield from _entry(row.id, f"line {line.kind} {line.name}", wanted, found.pop(wanted.id, None))
        back = return_posting(row.id, line.place, line.name, line.account, line.amount_micro, row.meter)
        if row.place == Place.REFUNDED:
            yield from _entry(row.id, f"line {line.kind} {line.name}, paid back", back, found.pop(back.id, None))
    for posting in found.values():
        law = f"entry {posting.id} is of one of its lines"
        yield violation("order", row.id, law, "none", posting.amount_micro)


def audit_charge_accounts(evidence: Evidence) -> Iterator[Violation]:
    """Accounts that lines are posted to: what stands in each is its lines, less those that were paid back."""
    held: dict[str, int] = defaultdict(int)
    for row in evidence.orders:
        for line in evidence.rate_lines[row.id]:
            held[line.account] += 0 if row.place == Place.REFUNDED else line.amount_micro
    for account in evidence.ledger.accounts():
        if account.kind in CHARGE_KINDS:
            wanted = held.pop(account.id, 0)
            if account.balance_micro != wanted:
                law = "account holds the lines that are there"
                yield violation("book", account.id, law, wanted, account.balance_micro)
    for name, wanted in sorted(held.items()):
        yield violation("book", name, "account holds the lines that are there", wanted, "no account")


def _sums(sale: Row[Any], row: Row[Any], lines: list[Row[Any]]) -> Iterator[Violation]:
    if sale.value_micro != row.amount_micro:
        yield violation("order", row.id, "carries the value of its sale", sale.value_micro, row.amount_micro)
    if sale.meter != row.meter:
        yield violation("order", row.id, "is of the meter of its sale", sale.meter, row.meter)
    whole = sale.value_micro + sum(line.amount_micro for line in lines)
    if whole != sale.paid_micro:
        yield violation("order", row.id, "its lines sum to what was paid", sale.paid_micro, whole)
    places = [line.place for line in lines]
    if places != list(range(1, len(lines) + 1)):
        law = "its lines are numbered without a gap"
        yield violation("order", row.id, law, len(lines), ", ".join(map(str, places)))


def _entry(order_id: str, what: str, wanted: Posting, found: Posting | None) -> Iterator[Violation]:
    if found is None:
        yield violation("order", order_id, f"{what} is in the books", wanted.amount_micro, "nothing")
    elif not wanted.same_as(found):
        told = f"{found.debit} to {found.credit} {found.amount_micro}"
        yield violation("order", order_id, what, f"{wanted.debit} to {wanted.credit} {wanted.amount_micro}", told)
