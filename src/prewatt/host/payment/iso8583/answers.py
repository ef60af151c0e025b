"""What an answer is about, and what an answer to an authorization says."""

from enum import Enum

from prewatt.host.payment.iso8583.card import holds_card_number
from prewatt.host.payment.iso8583.fields import FIELDS, De
from prewatt.host.payment.iso8583.messages import Message
from prewatt.host.payment.iso8583.reasons import APPROVED, Reason, decline_reason, doubtful_reason
from prewatt.host.payment.iso8583.rows import PaymentRow

__all__ = ["Verdict", "approval_of", "belongs_to", "is_about", "judge_authorization", "token_of", "verdict_reason"]


class Verdict(Enum):
    """What becomes of a payment whose authorization was answered."""

    APPROVED = "approved"
    DECLINED = "declined"
    OPEN = "open"


def belongs_to(message: Message, row: PaymentRow) -> bool:
    """Whether an answer with the RRN of this row is one to a message of it."""
    numbers = {
        "0110": row.stan,
        "0230": row.completion_stan,
        "0410": row.reversal_stan,
        "0430": row.reversal_stan,
    }
    number = numbers.get(message.mti)
    terminal = message.get(De.TERMINAL).strip()
    return bool(number) and message.get(De.STAN) == number and terminal in ("", row.terminal)


def is_about(message: Message, row: PaymentRow) -> bool:
    """Whether what it says of amount and currency is what was asked."""
    amount = f"{row.amount_minor:0{FIELDS[De.AMOUNT].length}d}"
    return message.get(De.AMOUNT) in ("", amount) and message.get(De.CURRENCY) in ("", row.currency)


def approval_of(message: Message) -> str:
    """The approval code, "" where there is none that can be written down."""
    approval = message.get(De.APPROVAL).strip()
    return "" if " " in approval else approval


def token_of(message: Message, row: PaymentRow) -> str:
    """The token to keep: the acquirer's own, where it gives one that cannot be a card number."""
    given = message.get(De.TOKEN).strip()
    return given if given and not holds_card_number(given) else row.token


def judge_authorization(message: Message, row: PaymentRow) -> Verdict:
    """Approved is what is approved in full and has a number; declined is what certainly leaves nothing held."""
    code = message.get(De.RESPONSE)
    if code == APPROVED and is_about(message, row) and approval_of(message):
        return Verdict.APPROVED
    return Verdict.DECLINED if decline_reason(code) else Verdict.OPEN


def verdict_reason(message: Message, row: PaymentRow) -> Reason:
    """Why it is declined, or stays open and is reversed."""
    code = message.get(De.RESPONSE)
    if code == APPROVED:
        return Reason.NO_APPROVAL_CODE if is_about(message, row) else Reason.OTHER_AMOUNT
    return decline_reason(code) or doubtful_reason(code)
