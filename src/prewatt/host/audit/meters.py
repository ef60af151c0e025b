"""The audit of one meter: its own law, its words against the record file, the record file against the books."""

from bisect import bisect_right
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, Final

from sqlalchemy import Row

from prewatt.codec.errors import DecodeError
from prewatt.codec.receipt import Receipt
from prewatt.host.answers import Violation
from prewatt.host.audit.bodies import audit_bodies, gone_micro, lost_micro, refunded_micro
from prewatt.host.audit.charges import lines_paid_back
from prewatt.host.audit.evidence import Evidence, violation
from prewatt.host.ledger import AccountKind, account_id
from prewatt.host.money import Place
from prewatt.units import epoch_of

__all__ = ["audit_meter"]

_SUMS: Final = ("received_micro", "burned_micro", "returned_micro", "total_pulses")
_PLACES: Final = (
    (Place.WALLET, AccountKind.WALLET),
    (Place.TRANSIT, AccountKind.IN_TRANSIT),
    (Place.LOST, AccountKind.LOST_BODIES),
    (Place.REFUNDED, AccountKind.REFUNDED),
)
# What stands in an account beside orders: balances of bodies that have ended.
_OF_BODIES: Final = {AccountKind.LOST_BODIES: lost_micro, AccountKind.REFUNDED: refunded_micro}


def audit_meter(evidence: Evidence, meter: str, orders: list[Row[Any]]) -> Iterator[Violation]:
    """Every way in which this meter breaks the law, the most basic first."""
    yield from _own_law(evidence, meter)
    yield from _continuity(evidence, meter)
    yield from _records(evidence, meter)
    yield from _word_against_record(evidence, meter)
    yield from _books(evidence, meter, orders)
    yield from audit_bodies(evidence, meter)


def _own_law(evidence: Evidence, meter: str) -> Iterator[Violation]:
    """received = balance + burned + returned - owed; balance = SVM + tank + exchanger; owed only at zero."""
    for row in evidence.reports[meter]:
        explained = row.balance_micro + row.burned_micro + row.returned_micro - row.owed_micro
        if row.received_micro != explained:
            law = f"received = balance + burned + returned - owed (report {row.number})"
            yield violation("meter", meter, law, explained, row.received_micro)
        split = row.svm_micro + row.tank_micro + row.exchanger_micro
        if row.balance_micro != split:
            law = f"balance = SVM + tank + exchanger (report {row.number})"
            yield violation("meter", meter, law, split, row.balance_micro)
        if row.owed_micro and row.balance_micro:
            yield violation("meter", meter, f"owed only at zero balance (report {row.number})", 0, row.owed_micro)


def _continuity(evidence: Evidence, meter: str) -> Iterator[Violation]:
    """Sums of one body only grow: in the order of one of them, none of the others goes back."""
    rows = sorted(evidence.reports[meter], key=lambda row: (row.epoch, *(getattr(row, name) for name in _SUMS)))
    for before, after in pairwise(rows):
        if before.epoch != after.epoch:
            continue
        for name in _SUMS:
            low, high = getattr(before, name), getattr(after, name)
            if high < low:
                law = f"{name} never goes back (reports {before.number} and {after.number})"
                yield violation("meter", meter, law, f"at least {low}", high)


def _records(evidence: Evidence, meter: str) -> Iterator[Violation]:
    """The receipt beside each holder is the meter's and says what the row says."""
    for row in evidence.records[meter]:
        try:
            receipt = Receipt.parse(row.receipt)
        except DecodeError as error:
            yield violation("meter", meter, f"record file row {row.number} can be read", "a receipt", str(error))
            continue
        if receipt.meter_id.hex().upper() != meter:
            law = f"record file row {row.number} is of its meter"
            yield violation("meter", meter, law, meter, receipt.meter_id.hex().upper())
        if receipt.last_sequence == row.sequence and receipt.last_tag != row.tag:
            law = f"record file row {row.number} names the holder of its receipt"
            yield violation("meter", meter, law, receipt.last_tag.hex(), row.tag.hex())
        elif receipt.last_sequence == row.sequence and receipt.last_amount_micro != row.amount_micro:
            law = f"record file row {row.number} has the amount of its receipt"
            yield violation("meter", meter, law, receipt.last_amount_micro, row.amount_micro)


def _word_against_record(evidence: Evidence, meter: str) -> Iterator[Violation]:
    """What a meter says it received and returned is what its sequences hold, as far as they are all known."""
    book = evidence.books.get(meter)
    held = {epoch: _cumulated(rows) for epoch, rows in _by_epoch(evidence.records[meter]).items()}
    for row in evidence.reports[meter]:
        if book is None or row.last_sequence > book.settled:
            continue
        sequences, sums = held.get(row.epoch, ([], [(0, 0)]))
        received, returned = sums[bisect_right(sequences, row.last_sequence)]
        if row.received_micro != received:
            law = f"received = what its sequences hold (report {row.number})"
            yield violation("meter", meter, law, received, row.received_micro)
        if row.returned_micro != returned:
            law = f"returned = what its sequences gave back (report {row.number})"
            yield violation("meter", meter, law, returned, row.returned_micro)


def _by_epoch(records: list[Row[Any]]) -> dict[int, list[Row[Any]]]:
    found: dict[int, list[Row[Any]]] = {}
    for record in records:
        found.setdefault(epoch_of(record.sequence), []).append(record)
    return found


def _cumulated(records: list[Row[Any]]) -> tuple[list[int], list[tuple[int, int]]]:
    """The sequences held, rising, and what was received and returned below each (one more: below none)."""
    ordered = sorted(records, key=lambda record: int(record.sequence))
    sums = [(0, 0)]
    for record in ordered:
        received, returned = sums[-1]
        sums.append((received + max(record.amount_micro, 0), returned - min(record.amount_micro, 0)))
    return [int(record.sequence) for record in ordered], sums


def _books(evidence: Evidence, meter: str, orders: list[Row[Any]]) -> Iterator[Violation]:
    """Each account of the meter: stored as its entries make it, and holding exactly what belongs there."""
    for kind in AccountKind:
        name = account_id(kind, meter)
        counted, stored = evidence.ledger.account(name), evidence.stored.get(name)
        if stored is not None and stored != counted:
            law = f"account {name} is the sum of its entries"
            yield violation("meter", meter, law, counted.balance_micro, stored.balance_micro)
    for place, kind in _PLACES:
        held = sum(row.amount_micro for row in orders if row.place == place)
        held += _OF_BODIES[kind](evidence, meter) if kind in _OF_BODIES else 0
        held += lines_paid_back(evidence, orders) if place is Place.REFUNDED else 0
        found = evidence.balance_micro(kind, meter)
        if found != held:
            yield violation("meter", meter, f"{kind} holds the orders that are there", held, found)
    proved = sum(row.amount_micro for row in evidence.records[meter]) - gone_micro(evidence, meter)
    delivered = evidence.balance_micro(AccountKind.DELIVERED, meter)
    if delivered != proved:
        yield violation(
            "meter",
            meter,
            "delivered = what the record file proves, less what left with ended bodies",
            proved,
            delivered,
        )
    book = evidence.books.get(meter)
    if book is None:
        text = evidence.unreadable.get(meter, "nothing")
        yield violation("meter", meter, "its book can be read", "a book", text)
        return
    unexplained = sum(entry.amount_micro for entry in book.suspense)
    suspense = -evidence.balance_micro(AccountKind.SUSPENSE, meter)
    if suspense != unexplained:
        yield violation("meter", meter, "suspense holds what no order explains", unexplained, suspense)
