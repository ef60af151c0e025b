"""The audit of bodies that have ended: what followed, what is lost and what was signed over, against their own words.

A destroyed meter is a booked loss and no leak: each micro-unit that left an ended body stands in the order that carries
it, in account `lost bodies`, with the customer, or on a named account as a loss; and how much it was is recomputed from
what the body said under its keys.
"""

from collections.abc import Iterator
from typing import Final

from prewatt.codec.errors import DecodeError
from prewatt.codec.receipt import Receipt
from prewatt.host.audit.answers import Violation
from prewatt.host.audit.evidence import Evidence, violation
from prewatt.host.bodyanswers import SignOverTarget
from prewatt.host.bodyvalue import BodyRow
from prewatt.host.carrying import METHOD_CARRIED
from prewatt.host.ledger import AccountKind
from prewatt.host.money import Place
from prewatt.units import epoch_of, sequence_of
from prewatt.units.ids import SEQUENCE_COUNTER_MAX

__all__ = ["audit_bodies", "audit_carried", "gone_micro", "lost_micro", "refunded_micro"]

_BALANCE: Final = "balance "


def gone_micro(evidence: Evidence, meter: str) -> int:
    """What was proved to be in bodies of this meter and is no longer counted as delivered to it."""
    parts = ((body.moved_micro or 0, body.lost_micro, body.signed_micro) for body in evidence.bodies[meter])
    return sum(map(sum, parts)) + sum(body.voided_micro for body in evidence.bodies[meter])


def lost_micro(evidence: Evidence, meter: str) -> int:
    """Balances of this meter's lost bodies that wait for a person."""
    return sum(body.lost_micro for body in evidence.bodies[meter])


def refunded_micro(evidence: Evidence, meter: str) -> int:
    """Balances of this meter's lost bodies that were paid back."""
    return sum(
        row.amount_micro
        for row in evidence.signed[meter]
        if row.lot.startswith(_BALANCE) and row.target == SignOverTarget.REFUND
    )


def audit_bodies(evidence: Evidence, meter: str) -> Iterator[Violation]:
    """Every ended body of this meter: its value left it once, and as much as it said it had."""
    for body in evidence.bodies[meter]:
        name = f"the body of epoch {body.epoch}"
        signed = sum(
            row.amount_micro
            for row in evidence.signed[meter]
            if row.epoch == body.epoch and row.lot.startswith(_BALANCE)
        )
        if signed != body.signed_micro:
            yield violation("meter", meter, f"what was signed over of {name}", signed, body.signed_micro)
        if body.kind == "lost":
            left = _left(evidence, body) + body.unreported_micro
            if body.lost_micro + body.signed_micro != left:
                law = f"{name} lost what it had left"
                yield violation("meter", meter, law, left, body.lost_micro + body.signed_micro)
        elif body.moved_micro is not None:
            last = _last(evidence, body)
            # Where a host that was forgotten moved it first, how much it was is proved by the meter that holds it.
            found = last is not None and body.moved_micro < last and body.order_id in evidence.matches.values()
            if last is None or (last + body.unreported_micro != body.moved_micro and not found):
                law = f"what followed of {name} is its last balance"
                expected = "a balance" if last is None else last + body.unreported_micro
                yield violation("meter", meter, law, expected, body.moved_micro)


def _last(evidence: Evidence, body: BodyRow) -> int | None:
    """The lowest balance said with the last sequence of the epoch: nothing is received behind it."""
    end = sequence_of(body.epoch, SEQUENCE_COUNTER_MAX)
    said = [row.balance_micro for row in evidence.reports[body.meter] if row.last_sequence == end]
    for row in evidence.records[body.meter]:
        try:
            receipt = Receipt.parse(row.receipt)
        except DecodeError:
            continue
        if receipt.last_sequence == end:
            said.append(receipt.balance_micro)
    return min(said, default=None)


def _left(evidence: Evidence, body: BodyRow) -> int:
    """What it held by its newest word, and was proved to receive since, less what nothing explains."""
    shown = evidence.standings.get(body.meter)
    if shown is not None and shown.at_s and epoch_of(max(shown.last_sequence, 0)) == body.epoch:
        balance, since = shown.balance_micro, shown.last_sequence
    else:
        told = [row for row in evidence.reports[body.meter] if row.epoch == body.epoch]
        if not told:
            return 0
        newest = max(told, key=lambda row: row.received_micro + row.burned_micro + row.returned_micro)
        balance, since = newest.balance_micro, newest.last_sequence
    later = sum(
        int(row.amount_micro)
        for row in evidence.records[body.meter]
        if row.sequence > since and epoch_of(row.sequence) == body.epoch
    )
    book = evidence.books.get(body.meter)
    suspense = book.suspense if book is not None else ()
    unexplained = sum(entry.amount_micro for entry in suspense if epoch_of(entry.sequence) == body.epoch)
    return max(0, int(balance) + later - unexplained - body.voided_micro)


def audit_carried(evidence: Evidence) -> Iterator[Violation]:
    """What left bodies and orders is in orders that carry it on, and what was written off is on record."""
    waiting = evidence.total_micro(AccountKind.CARRIED)
    if waiting:
        yield violation("book", AccountKind.CARRIED, "nothing is between two places", 0, waiting)
    signed = [row for rows in evidence.signed.values() for row in rows]
    sources = sum(row.amount_micro for row in evidence.orders if row.place == Place.CARRIED)
    sources += sum(body.moved_micro or 0 for bodies in evidence.bodies.values() for body in bodies)
    sources += sum(row.amount_micro for row in signed if row.target == "meter" and row.lot.startswith(_BALANCE))
    carried = sum(
        row.amount_micro for rows in evidence.payments.values() for row in rows if row.method == METHOD_CARRIED
    )
    if carried != sources:
        yield violation("book", AccountKind.CARRIED, "what left is what is carried on", sources, carried)
    written = sum(row.amount_micro for row in signed if row.target == SignOverTarget.WRITE_OFF)
    found = evidence.total_micro(AccountKind.WRITE_OFF)
    if found != written:
        yield violation("book", AccountKind.WRITE_OFF, "written off as it was signed", written, found)
