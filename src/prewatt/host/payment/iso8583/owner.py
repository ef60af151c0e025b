"""What the owner of a payment may decide about it, and what it is told where everything is decided."""

from dataclasses import dataclass
from typing import Final

from prewatt.host.payment.iso8583.rows import PaymentRow, outcome_of
from prewatt.host.payment.iso8583.steps import Answer, Ask, Capture, Refuse, Reverse, SignOver
from prewatt.host.payment.port import PaymentState
from prewatt.host.refusals import RefusalOutcome

__all__ = ["CAPTURE", "REVERSE", "Decision", "answer_decided", "decision_of", "restate"]


@dataclass(frozen=True, slots=True)
class Decision:
    """Something to decide: the states in which it can be, those in which it is decided already, and what that needs."""

    possible: tuple[PaymentState, ...]
    done: tuple[PaymentState, ...]
    allowed: str


CAPTURE: Final = Decision(
    (PaymentState.GUARANTEED,), (PaymentState.CAPTURING, PaymentState.CAPTURED), "a payment that is guaranteed"
)
REVERSE: Final = Decision(
    (PaymentState.ASKED, PaymentState.GUARANTEED),
    (PaymentState.REVERSING, PaymentState.REVERSED, PaymentState.DECLINED),
    "a payment that is asked for or guaranteed",
)
# What a person signs over is where a machine stands that waits for a word which does not come.
_SIGNED: Final = {
    PaymentState.CAPTURED: Decision((PaymentState.CAPTURING,), (PaymentState.CAPTURED,), "a payment that is capturing"),
    PaymentState.REVERSED: Decision((PaymentState.REVERSING,), (PaymentState.REVERSED,), "a payment that is reversing"),
}
_SIGNED_OTHERWISE: Final = Decision((), (), "captured or reversed as the end that is signed over")


def decision_of(event: Capture | Reverse | SignOver) -> Decision:
    """What an event decides."""
    if isinstance(event, Capture):
        return CAPTURE
    return REVERSE if isinstance(event, Reverse) else _SIGNED.get(event.state, _SIGNED_OTHERWISE)


def answer_decided(event: Capture | Reverse | SignOver, row: PaymentRow | None) -> Answer | Refuse | None:
    """What the owner is told where nothing is left to decide, or may not be; None where the decision is to be made."""
    decision = decision_of(event)
    if row is None:
        allowed = "a payment that was asked for"
        return Refuse(event.call, RefusalOutcome.UNKNOWN_PAYMENT, "payment", event.payment_id, allowed)
    if row.state in decision.done:
        return Answer(event.call, outcome_of(row))
    if row.state in decision.possible:
        return None
    allowed = f"{decision.allowed}; this one is {row.state}"
    return Refuse(event.call, RefusalOutcome.ALREADY_SETTLED, "payment", event.payment_id, allowed)


def restate(event: Ask, row: PaymentRow) -> Answer | Refuse:
    """What a payment that is asked for again is told: how it stands, where it is the same payment."""
    if (event.amount_minor, event.card.last4) == (row.amount_minor, row.last4):
        return Answer(event.call, outcome_of(row))
    allowed = f"its own payment of {row.amount_minor} minor units by the card that ends in {row.last4}, or a new id"
    return Refuse(event.call, RefusalOutcome.EXISTS_WITH_DIFFERENT_FIELDS, "payment", event.payment_id, allowed)
