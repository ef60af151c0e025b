"""What a response code (data element 39) means, by name; and what follows from it.

Only the codes that are known to leave no money held decline a payment. Whatever else is not a plain approval (a code
for a part of the amount, "received too late", a code that nobody knows) may have left money held, so the payment is
reversed: that is right in both cases. To a completion or a reversal a code is either the confirmation, or a passing
fault (asked again), or a refusal. Codes after ISO 8583:1987 and its usual extensions.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from prewatt.host.payment.port import PaymentState

__all__ = [
    "APPROVED",
    "DECLINES",
    "NOT_FOUND",
    "PASSING",
    "Reason",
    "decline_reason",
    "doubtful_reason",
    "reason_of_code",
    "state_of_reversal",
]

APPROVED: Final = "00"
# "Unable to locate record": their side knows of no such payment.
NOT_FOUND: Final = "25"


class Reason(StrEnum):
    """Why a payment is not guaranteed, or is reversed, for programs."""

    # Their side said no; nothing is held.
    REFER_TO_ISSUER = "refer_to_issuer"
    BAD_MERCHANT = "bad_merchant"
    PICK_UP = "pick_up_card"
    DO_NOT_HONOUR = "do_not_honour"
    BAD_TRANSACTION = "transaction_not_allowed"
    BAD_AMOUNT = "amount_not_allowed"
    BAD_CARD = "no_such_card"
    NO_ISSUER = "no_such_issuer"
    FORMAT = "message_not_understood"
    EXPIRED = "card_expired"
    FRAUD = "suspected_fraud"
    LOST = "card_lost"
    STOLEN = "card_stolen"
    FUNDS = "not_enough_funds"
    NO_ACCOUNT = "no_such_account"
    PIN_WRONG = "pin_wrong"
    PIN_TRIES = "pin_tries_used_up"
    LIMIT_AMOUNT = "limit_of_amount"
    LIMIT_COUNT = "limit_of_count"
    RESTRICTED = "card_restricted"
    SECURITY = "security_violation"
    ISSUER_AWAY = "issuer_unreachable"
    NOT_ROUTED = "issuer_not_found"
    AUTHENTICATION = "payer_must_authenticate"
    # Nothing was asked; the same id may be asked again.
    UNREACHABLE = "acquirer_unreachable"
    BUSY = "too_many_under_way"
    # Nobody can know, so it is reversed.
    TIMED_OUT = "no_answer_in_time"
    LINE_LOST = "connection_lost"
    RESTARTED = "restarted_without_answer"
    NO_APPROVAL_CODE = "approved_without_approval_code"
    OTHER_AMOUNT = "approved_for_another_amount"
    CONDITIONAL = "approved_under_condition"
    DOUBTFUL_CODE = "response_code_leaves_it_open"
    # Decided.
    WITHDRAWN = "withdrawn_by_seller"
    COMPLETION_REFUSED = "completion_refused_by_acquirer"
    SIGNED_OVER = "signed_over_by_a_person"


DECLINES: Final[Mapping[str, Reason]] = {
    "01": Reason.REFER_TO_ISSUER,
    "02": Reason.REFER_TO_ISSUER,
    "03": Reason.BAD_MERCHANT,
    "04": Reason.PICK_UP,
    "05": Reason.DO_NOT_HONOUR,
    "07": Reason.PICK_UP,
    "12": Reason.BAD_TRANSACTION,
    "13": Reason.BAD_AMOUNT,
    "14": Reason.BAD_CARD,
    "15": Reason.NO_ISSUER,
    "30": Reason.FORMAT,
    "31": Reason.NOT_ROUTED,
    "33": Reason.EXPIRED,
    "34": Reason.FRAUD,
    "36": Reason.RESTRICTED,
    "39": Reason.NO_ACCOUNT,
    "41": Reason.LOST,
    "43": Reason.STOLEN,
    "51": Reason.FUNDS,
    "52": Reason.NO_ACCOUNT,
    "53": Reason.NO_ACCOUNT,
    "54": Reason.EXPIRED,
    "55": Reason.PIN_WRONG,
    "57": Reason.BAD_TRANSACTION,
    "58": Reason.BAD_TRANSACTION,
    "59": Reason.FRAUD,
    "61": Reason.LIMIT_AMOUNT,
    "62": Reason.RESTRICTED,
    "63": Reason.SECURITY,
    "65": Reason.LIMIT_COUNT,
    "75": Reason.PIN_TRIES,
    "78": Reason.NO_ACCOUNT,
    "91": Reason.ISSUER_AWAY,
    "92": Reason.NOT_ROUTED,
    "1A": Reason.AUTHENTICATION,
}

# Approvals of something else than what was asked: with identification, in part, VIP, with an update of the stripe.
_CONDITIONAL: Final = frozenset(("08", "10", "11", "16", "32", "85"))
# In progress, late, cut-over, issuer away, no route, duplicate, reconciliation, malfunction: asked again. A duplicate
# does not say what became of the first, so it is no confirmation.
PASSING: Final = frozenset(("09", "22", "68", "90", "91", "92", "94", "95", "96", "98"))


def decline_reason(code: str) -> Reason | None:
    """Why an authorization was declined; None for a code that does not say so for certain."""
    return DECLINES.get(code)


def doubtful_reason(code: str) -> Reason:
    """Why an answer that neither approves nor declines leaves the payment to be reversed."""
    return Reason.CONDITIONAL if code in _CONDITIONAL else Reason.DOUBTFUL_CODE


def reason_of_code(code: str) -> str:
    """The name of a code for people; the code itself where it has none."""
    found = DECLINES.get(code)
    return "approved" if code == APPROVED else found.value if found else f"response code {code}"


def state_of_reversal(code: str, *, approved: bool, may_arrive: bool) -> PaymentState:
    """What an answer to a reversal makes of the payment. ``approved``: their approval has been seen, so they must
    know it. ``may_arrive``: the request may still be under way to them."""
    done = code == APPROVED or (code == NOT_FOUND and not approved and not may_arrive)
    return PaymentState.REVERSED if done else PaymentState.REVERSING
