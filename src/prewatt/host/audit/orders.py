"""The audit of one order: paid once, in one place, and settled only by what its meter proved."""

from collections.abc import Iterator
from typing import Any, Final

from sqlalchemy import Row

from prewatt.host.answers import Violation
from prewatt.host.audit.charges import audit_lines, is_line
from prewatt.host.audit.evidence import Evidence, violation
from prewatt.host.ledger import AccountKind, Phase, Posting, account_id, kind_of
from prewatt.host.money import Place
from prewatt.protocol.transfer import MeterBook, Order, OrderState
from prewatt.protocol.transfer_book import burn_tag

__all__ = ["audit_order"]

_KINDS: Final = {
    AccountKind.WALLET: Place.WALLET,
    AccountKind.IN_TRANSIT: Place.TRANSIT,
    AccountKind.DELIVERED: Place.DELIVERED,
    AccountKind.LOST_BODIES: Place.LOST,
    AccountKind.REFUNDED: Place.REFUNDED,
    AccountKind.CARRIED: Place.CARRIED,
    AccountKind.WRITE_OFF: Place.WRITTEN_OFF,
}
# Places whose account is not the meter's but that of what the money went on into.
_ELSEWHERE: Final = frozenset({AccountKind.CARRIED, AccountKind.WRITE_OFF})
_PLACES_ALLOWED: Final = {
    OrderState.WAITING: {Place.WALLET, Place.TRANSIT},
    OrderState.SENT: {Place.TRANSIT},
    OrderState.REFUSED: {Place.WALLET, Place.TRANSIT},
    OrderState.CANCELLING: {Place.WALLET, Place.TRANSIT},
    OrderState.LOST: {Place.LOST},
    OrderState.CONFIRMED: {Place.DELIVERED},
    OrderState.CANCELLED: {Place.WALLET, Place.REFUNDED, Place.CARRIED},
    OrderState.SIGNED_OVER: {Place.CARRIED, Place.REFUNDED, Place.WRITTEN_OFF},
}
_ENDED: Final = frozenset({OrderState.CONFIRMED, OrderState.CANCELLED, OrderState.SIGNED_OVER})


def audit_order(evidence: Evidence, row: Row[Any]) -> Iterator[Violation]:
    """Every way in which this order breaks the law."""
    yield from _paid(evidence, row)
    yield from _placed(evidence, row)
    yield from _settled(evidence, row)
    yield from _open(evidence.books.get(row.meter), row)
    yield from audit_lines(evidence, row)


def _paid(evidence: Evidence, row: Row[Any]) -> Iterator[Violation]:
    payments = evidence.payments[row.id]
    if len(payments) != 1:
        yield violation("order", row.id, "has one payment", 1, len(payments))
        return
    whole = row.amount_micro + sum(line.amount_micro for line in evidence.rate_lines[row.id])
    if payments[0].amount_micro != whole:
        yield violation("order", row.id, "was paid in full", whole, payments[0].amount_micro)


def _placed(evidence: Evidence, row: Row[Any]) -> Iterator[Violation]:
    """The order's own entries leave all of its amount in the one place where its row says it is."""
    postings = [posting for posting in evidence.postings[row.id] if not is_line(posting.id)]
    ids = [posting.id for posting in postings]
    wanted = [f"{row.id}/{number}" for number in range(1, row.moves + 1)]
    if ids != wanted:
        yield violation("order", row.id, "its entries are numbered without a gap", row.moves, len(ids))
    places = _net(postings, row.meter)
    expected = {Place(row.place): row.amount_micro}
    if places != expected:
        found = ", ".join(f"{name} {amount}" for name, amount in sorted(places.items())) or "nowhere"
        yield violation("order", row.id, "its money is in one place", f"{row.place} {row.amount_micro}", found)
    if row.place not in _PLACES_ALLOWED[OrderState(row.step)]:
        allowed = " or ".join(sorted(_PLACES_ALLOWED[OrderState(row.step)]))
        yield violation("order", row.id, f"money of an order that is {row.step}", allowed, row.place)


def _net(postings: list[Posting], meter: str) -> dict[str, int]:
    """Where an order's own entries put how much; a place of another meter is named with it. Where its money came
    from (the first entry's debit: cash, or what it carries on) is the payment's business."""
    net: dict[str, int] = {}
    for number, posting in enumerate(postings):
        if posting.phase not in (Phase.SINGLE, Phase.POST):
            continue
        for account, sign in ((posting.debit, -1), (posting.credit, 1)):
            kind = kind_of(account)
            if sign < 0 and not number and kind in (AccountKind.CASH, AccountKind.CARRIED):
                continue
            place = _KINDS.get(kind)
            here = kind in _ELSEWHERE or account == account_id(kind, meter)
            name = place.value if place is not None and here else str(account)
            net[name] = net.get(name, 0) + sign * posting.amount_micro
    return {name: amount for name, amount in net.items() if amount}


def _settled(evidence: Evidence, row: Row[Any]) -> Iterator[Violation]:
    """Confirmed: the record file proves that the meter holds it, once. Otherwise: that it holds it nowhere."""
    held = [
        record
        for record in evidence.records[row.meter]
        if record.tag == row.tag
        or (record.what == "code" and record.order_id == row.id)
        or evidence.matches.get((row.meter, record.sequence)) == row.id
    ]
    confirmed = row.step == OrderState.CONFIRMED
    if len(held) != (1 if confirmed else 0) and row.step not in (OrderState.LOST, OrderState.SIGNED_OVER):
        law = "the record file holds it as often as it was confirmed"
        yield violation("order", row.id, law, 1 if confirmed else 0, len(held))
    for record in held if confirmed else ():
        if record.amount_micro != row.amount_micro:
            yield violation("order", row.id, "the meter holds its amount", row.amount_micro, record.amount_micro)
        if record.sequence != row.sequence:
            law = "the meter holds it under its sequence"
            yield violation("order", row.id, law, f"{row.sequence}", f"{record.sequence}")
    if row.step == OrderState.CANCELLED and row.sequence is not None:
        burned = burn_tag(row.tag)
        holders = [record.tag for record in evidence.records[row.meter] if record.sequence == row.sequence]
        if holders != [burned]:
            found = holders[0].hex() if holders else "nobody"
            yield violation("order", row.id, "its burn holds its sequence", burned.hex(), found)


def _open(book: MeterBook | None, row: Row[Any]) -> Iterator[Violation]:
    """An order is in its meter's book exactly as long as it is open, and says the same there."""
    if book is None:
        return
    found = next((order for order in book.orders if order.order_id == row.id), None)
    if (found is None) != (OrderState(row.step) in _ENDED):
        expected = "ended" if found is None else "open"
        yield violation("order", row.id, "stands in the book of its meter while it is open", expected, row.step)
    elif found is not None and _telling(found) != (row.amount_micro, row.tag, row.step, row.sequence):
        law = "says the same in the book of its meter"
        told = f"{row.amount_micro}, {row.step}, sequence {row.sequence}"
        yield violation("order", row.id, law, f"{found.amount_micro}, {found.state}, sequence {found.sequence}", told)


def _telling(order: Order) -> tuple[int, bytes, str, int | None]:
    return order.amount_micro, order.tag, order.state.value, order.sequence
