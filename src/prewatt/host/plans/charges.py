"""The lines of a sale in the ledger: each beside the value has an entry of its own, in the commit that makes the order.

    cash -> tax:VAT           a line that is put on
    subsidy:Homes -> cash     a line that is taken off: the seller adds it
    tax:VAT -> refunded       the order's money is paid back, and with it each of its lines

So cash has what the customer paid, and value and lines are where they belong. A cancel alone moves no line: the value
stands in the wallet, and the lines with it. Where the value is paid back, so are all lines, in the same commit; where
it is carried on to another meter or written off, they stay, since what they were for was had or is had there.
"""

from typing import Final

from sqlalchemy import Connection, insert, select

from prewatt.host.answers import ChargeAnswer
from prewatt.host.ledger import AccountId, AccountKind, Phase, Posting, account_id
from prewatt.host.money import OrderMoney, Place, post_or_fail
from prewatt.host.plans.standing import back_by, newest_unpaid
from prewatt.host.rates import ChargeKind, QuoteLine
from prewatt.host.store import Writing, schema

__all__ = ["account_of", "line_posting", "post_lines", "read_charges", "refund_order", "return_posting"]

_LINES: Final = insert(schema.rate_lines)
_NAMED: Final = {
    ChargeKind.TAX: AccountKind.TAX,
    ChargeKind.LEVY: AccountKind.LEVY,
    ChargeKind.FEE: AccountKind.FEE,
}
_OF_PLAN: Final = {
    ChargeKind.STANDING: AccountKind.STANDING,
    ChargeKind.BLOCK: AccountKind.STANDING,
    ChargeKind.SURCHARGE: AccountKind.SUBSIDY,
    ChargeKind.SUBSIDY: AccountKind.SUBSIDY,
    ChargeKind.LIFELINE: AccountKind.SUBSIDY,
    ChargeKind.DISCOUNT: AccountKind.SUBSIDY,
}


def account_of(kind: ChargeKind, name: str, plan: str, meter: str) -> AccountId:
    """Where a line stands: what is owed to others by its own name, what is the seller's by the plan, debt by meter."""
    if kind in _NAMED:
        return account_id(_NAMED[kind], name)
    if kind is ChargeKind.DEBT:
        return account_id(AccountKind.DEBT_REPAID, meter)
    return account_id(_OF_PLAN[kind], plan)


def line_posting(order_id: str, place: int, name: str, account: str, amount_micro: int) -> Posting:
    """The entry of one line."""
    cash, there = account_id(AccountKind.CASH), AccountId(account)
    debit, credit = (cash, there) if amount_micro > 0 else (there, cash)
    return Posting(f"{order_id}/line/{place}", Phase.SINGLE, debit, credit, abs(amount_micro), name, order_id)


def return_posting(order_id: str, place: int, name: str, account: str, amount_micro: int, meter: str) -> Posting:
    """The entry that pays one line back."""
    refunded, there = account_id(AccountKind.REFUNDED, meter), AccountId(account)
    debit, credit = (there, refunded) if amount_micro > 0 else (refunded, there)
    cause = f"paid back: {name}"
    return Posting(f"{order_id}/line/{place}/back", Phase.SINGLE, debit, credit, abs(amount_micro), cause, order_id)


def post_lines(writing: Writing, order_id: str, meter: str, plan: str, lines: tuple[QuoteLine, ...], at_s: int) -> None:
    """Keeps and posts the lines of a sale, all but the value, which the order itself carries."""
    rows = []
    for place, line in enumerate((each for each in lines if each.kind is not ChargeKind.VALUE), 1):
        account = account_of(line.kind, line.name, plan, meter)
        row = {"order_id": order_id, "place": place, "kind": line.kind.value, "name": line.name}
        more = {"account": account, "amount_micro": line.amount_micro}
        rows.append(row | more)
        post_or_fail(writing, line_posting(order_id, place, line.name, account, line.amount_micro), at_s)
    if rows:
        writing.connection.execute(_LINES, rows)


def refund_order(writing: Writing, money: OrderMoney, order_id: str, meter: str, at_s: int) -> None:
    """Moves an order's money to `refunded`, and every line that came with it: what was paid is paid back."""
    money.move(Place.REFUNDED)
    sales, lines = schema.rate_sales, schema.rate_lines
    sale = writing.connection.execute(select(sales).where(sales.c.order_id == order_id)).one_or_none()
    if sale is None:
        return
    rows = writing.connection.execute(select(lines).where(lines.c.order_id == order_id).order_by(lines.c.place)).all()
    # What is given first, so that what the seller had added can be taken off it.
    for row in sorted(rows, key=lambda each: each.amount_micro < 0):
        posting = return_posting(order_id, row.place, row.name, row.account, row.amount_micro, meter)
        post_or_fail(writing, posting, at_s)
    unpaid = newest_unpaid(writing.connection, meter)
    before = None if unpaid is None else back_by(unpaid, sale.periods, sale.per)
    step = {"meter": meter, "order_id": order_id, "what": "returned", "unpaid_from": before, "at_s": at_s}
    writing.connection.execute(insert(schema.rate_steps).values(step))


def read_charges(connection: Connection, order_id: str) -> tuple[ChargeAnswer, ...]:
    """The lines of a sale, the value first; none where it was sold without a plan."""
    sales, lines = schema.rate_sales.c, schema.rate_lines
    value = connection.execute(select(sales.value_micro).where(sales.order_id == order_id)).scalar()
    if value is None:
        return ()
    rows = connection.execute(select(lines).where(lines.c.order_id == order_id).order_by(lines.c.place))
    first = ChargeAnswer(ChargeKind.VALUE.value, ChargeKind.VALUE.value, value)
    return (first, *(ChargeAnswer(row.kind, row.name, row.amount_micro) for row in rows))
