"""What is said to an acquirer: each message of ours, made of a row and nothing else, so that a repeat is the same
message.

A repeat differs in its type alone (0221, 0401, 0421): number, time and everything else stay, and their side sees that
it is one. Completions and reversals name the authorization in data element 90 and by its RRN; they need no card
number.
"""

from typing import Final

from prewatt.host.payment.iso8583.card import Card, CardOnFile
from prewatt.host.payment.iso8583.fields import FIELDS, De
from prewatt.host.payment.iso8583.messages import Message
from prewatt.host.payment.iso8583.profile import AcquirerProfile
from prewatt.host.payment.iso8583.rows import PaymentRow, transmitted

__all__ = ["ECHO", "SIGN_ON", "authorization", "completion", "echo_answer", "network_request", "reversal"]

SIGN_ON: Final = "001"
ECHO: Final = "301"
_PURCHASE: Final = "000000"
# Where the acquirer's own token stands for the card: credential on file.
_ON_FILE: Final = "100"
_INSTITUTION_DIGITS: Final = 11


def authorization(row: PaymentRow, card: Card | CardOnFile, profile: AcquirerProfile) -> Message:
    """0100: may this card pay so much? The one message with a card number."""
    values = {
        **_head(row, row.stan, row.asked_s),
        De.MERCHANT_TYPE: profile.merchant_type,
        De.CONDITION: profile.condition,
    }
    if isinstance(card, CardOnFile):
        return Message("0100", values | {De.TOKEN: card.token, De.ENTRY_MODE: _ON_FILE})
    values |= {De.PAN: card.pan, De.EXPIRY: card.expiry, De.ENTRY_MODE: card.entry_mode}
    given = {De.CARD_SEQUENCE: card.sequence, De.CHIP: card.chip}
    return Message("0100", values | {number: text for number, text in given.items() if text})


def completion(row: PaymentRow, *, repeat: bool) -> Message:
    """0220, repeated as 0221: what was authorized is taken."""
    values = _head(row, row.completion_stan, row.completion_s) | _original(row)
    return Message("0221" if repeat else "0220", values)


def reversal(row: PaymentRow, mti: str) -> Message:
    """0400, 0401, 0420 or 0421: what was asked for is undone, whatever became of it."""
    return Message(mti, _head(row, row.reversal_stan, row.reversal_s) | _original(row))


def network_request(stan: str, utc_s: int, code: str) -> Message:
    """0800: sign-on or echo."""
    return Message("0800", {De.TRANSMITTED: transmitted(utc_s), De.STAN: stan, De.NETWORK_CODE: code})


def echo_answer(request: Message) -> Message:
    """0810 to an 0800 of theirs."""
    kept = {number: request.get(number) for number in (De.TRANSMITTED, De.STAN, De.NETWORK_CODE) if request.get(number)}
    return Message("0810", kept | {De.RESPONSE: "00"})


def _head(row: PaymentRow, stan: str, utc_s: int) -> dict[De, str]:
    """What all messages of a payment have."""
    local = transmitted(row.asked_s)
    return {
        De.PROCESSING_CODE: _PURCHASE,
        De.AMOUNT: f"{row.amount_minor:0{FIELDS[De.AMOUNT].length}d}",
        De.TRANSMITTED: transmitted(utc_s),
        De.STAN: stan,
        De.LOCAL_TIME: local[4:],
        De.LOCAL_DATE: local[:4],
        De.ACQUIRER_ID: row.acquirer_id,
        De.RRN: row.rrn,
        De.TERMINAL: row.terminal.ljust(FIELDS[De.TERMINAL].length),
        De.MERCHANT: row.merchant.ljust(FIELDS[De.MERCHANT].length),
        De.CURRENCY: row.currency,
    }


def _original(row: PaymentRow) -> dict[De, str]:
    """What completes or undoes an authorization says of it."""
    institution = row.acquirer_id.rjust(_INSTITUTION_DIGITS, "0")
    original = f"0100{row.stan}{transmitted(row.asked_s)}{institution}{'0' * _INSTITUTION_DIGITS}"
    approval = {De.APPROVAL: row.approval.ljust(FIELDS[De.APPROVAL].length)} if row.approval else {}
    return {De.ORIGINAL: original, **approval}
