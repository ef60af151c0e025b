"""Their list of a day against ours: every payment that the two tell differently, by name. Pure.

A payment is found by its reference (for cards the RRN, which both sides keep in every message), and only where their
list has no reference of ours by the authorization number, if exactly one of ours has it. Days are theirs: the
business day on which they say they captured. So ours may hold more than one day; only what we have as captured on
that day is missed.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from prewatt.host.payment.port import PaymentState, StatementRow

__all__ = ["Difference", "DifferenceKind", "OurPayment", "Reconciliation", "reconcile"]


class DifferenceKind(StrEnum):
    """What differs."""

    MISSING_OURS = "missing_ours"
    """They list a payment that we do not know."""
    MISSING_THEIRS = "missing_theirs"
    """We have it as captured on this day; their list does not have it."""
    AMOUNT = "amount"
    """Both have it, with other amounts."""
    STATE = "state"
    """Both have it, and it stands otherwise: they took what we reversed, or the other way."""
    DOUBLE = "double"
    """They list it more than once."""


@dataclass(frozen=True, slots=True)
class OurPayment:
    """A payment as our rows have it. ``authorization``: the acquirer's number alone, as its list has it. ``day``: their
    business day on which it was captured (``YYYY-MM-DD``), "" where it was not."""

    payment_id: str
    reference: str
    authorization: str
    amount_micro: int
    state: PaymentState
    day: str = ""


@dataclass(frozen=True, slots=True)
class Difference:
    """One payment that is told differently. ``payment_id``: ours, "" where we have none. Amounts: None where the side
    has none; states as each side writes them, "" likewise."""

    kind: DifferenceKind
    reference: str
    payment_id: str
    our_amount_micro: int | None
    their_amount_micro: int | None
    our_state: str
    their_state: str


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """A day compared. ``matched``: how many payments both tell alike, and ``matched_micro``: their sum."""

    day: str
    matched: int
    matched_micro: int
    differences: tuple[Difference, ...]


# What our state must be where they say so. Capturing: they confirmed and we have not heard it yet.
_FITS: Mapping[str, frozenset[PaymentState]] = {
    "captured": frozenset((PaymentState.CAPTURED, PaymentState.CAPTURING)),
    "reversed": frozenset((PaymentState.REVERSED, PaymentState.REVERSING)),
}


def reconcile(day: str, ours: Iterable[OurPayment], theirs: Iterable[StatementRow]) -> Reconciliation:
    """Compares a day; differences are in the order of their list, then what it misses in the order of ours."""
    known = list(ours)
    by_reference = {payment.reference: payment for payment in known}
    counts = Counter(payment.authorization for payment in known if payment.authorization)
    by_authorization = {payment.authorization: payment for payment in known if counts[payment.authorization] == 1}
    seen: set[str] = set()
    differences: list[Difference] = []
    matched = matched_micro = 0
    for row in theirs:
        payment = by_reference.get(row.reference) or by_authorization.get(row.authorization)
        kind = _compare(payment, row, seen)
        if payment is not None:
            seen.add(payment.payment_id)
        if kind is not None:
            differences.append(_difference(kind, payment, row))
        else:
            matched, matched_micro = matched + 1, matched_micro + row.amount_micro
    for payment in known:
        is_missed = payment.state is PaymentState.CAPTURED and payment.day == day
        if is_missed and payment.payment_id not in seen:
            differences.append(_difference(DifferenceKind.MISSING_THEIRS, payment, None))
    return Reconciliation(day, matched, matched_micro, tuple(differences))


def _compare(payment: OurPayment | None, row: StatementRow, seen: set[str]) -> DifferenceKind | None:
    if payment is None:
        return DifferenceKind.MISSING_OURS
    if payment.payment_id in seen:
        return DifferenceKind.DOUBLE
    if payment.state not in _FITS.get(row.state, frozenset()):
        return DifferenceKind.STATE
    return DifferenceKind.AMOUNT if payment.amount_micro != row.amount_micro else None


def _difference(kind: DifferenceKind, payment: OurPayment | None, row: StatementRow | None) -> Difference:
    reference = row.reference if row is not None else payment.reference if payment is not None else ""
    return Difference(
        kind=kind,
        reference=reference,
        payment_id=payment.payment_id if payment is not None else "",
        our_amount_micro=payment.amount_micro if payment is not None else None,
        their_amount_micro=row.amount_micro if row is not None else None,
        our_state=payment.state.value if payment is not None else "",
        their_state=row.state if row is not None else "",
    )
