"""Cards: a number is taken, put into one message, and forgotten; what stays is a token and the last four digits.

A token is a keyed hash of the number (HMAC-SHA256 under a key of the installation), so that the same card is recognised
and nobody without the key can try numbers; or it is the acquirer's own, which can pay again. Python cannot promise to
overwrite memory: what is promised is that nothing here keeps a number, shows it, or lets it into an error.
"""

import hmac
import re
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

from prewatt.host.payment.iso8583.fields import FIELDS, De
from prewatt.host.payment.iso8583.messages import MASKED
from prewatt.host.payment.port import Means
from prewatt.units import ValueFieldError

__all__ = [
    "LAST_DIGITS",
    "PAN_DIGITS_MAX",
    "PAN_DIGITS_MIN",
    "TOKEN_KEY_BYTES_MIN",
    "Card",
    "CardOnFile",
    "TokenKey",
    "holds_card_number",
    "is_luhn",
]

PAN_DIGITS_MIN: Final = 12
PAN_DIGITS_MAX: Final = 19
LAST_DIGITS: Final = 4
TOKEN_KEY_BYTES_MIN: Final = 32
# 128 bits: no two cards of an installation meet.
_HASH_BYTES: Final = 16
_TYPED: Final = "012"
_DIGITS: Final = re.compile(r"[0-9]+", re.ASCII)
_EXPIRY: Final = re.compile(r"[0-9]{2}(?:0[1-9]|1[0-2])", re.ASCII)


class TokenKey:
    """The installation's key for tokens of cards; shown nowhere."""

    __slots__ = ("_key",)

    def __init__(self, key: bytes) -> None:
        """ValueFieldError for fewer than 32 bytes."""
        if len(key) < TOKEN_KEY_BYTES_MIN:
            raise ValueFieldError("token key", f"{len(key)} bytes", f"at least {TOKEN_KEY_BYTES_MIN} random bytes")
        self._key = bytes(key)

    def token(self, pan: str) -> str:
        """The token of a card number: ``h-`` and 32 hex digits."""
        return f"h-{hmac.digest(self._key, pan.encode('ascii'), sha256)[:_HASH_BYTES].hex()}"

    def __repr__(self) -> str:
        return f"TokenKey({MASKED})"

    def __reduce__(self) -> str:
        raise TypeError("a token key is not pickled")


@dataclass(frozen=True, slots=True)
class Card(Means):
    """A card as it was read or typed. ``expiry``: YYMM. ``chip``: data element 55 in hex digits, "" without a chip.
    ``entry_mode``: how it was read (data element 22). ValueFieldError never shows what was given."""

    pan: str = field(repr=False)
    expiry: str = field(repr=False)
    chip: str = field(default="", repr=False)
    entry_mode: str = _TYPED
    sequence: str = ""

    def __post_init__(self) -> None:
        digits = self.pan
        if not _DIGITS.fullmatch(digits) or not PAN_DIGITS_MIN <= len(digits) <= PAN_DIGITS_MAX or not is_luhn(digits):
            allowed = f"{PAN_DIGITS_MIN} to {PAN_DIGITS_MAX} digits, the last of them the right check digit"
            raise ValueFieldError("card number", MASKED, allowed)
        if not _EXPIRY.fullmatch(self.expiry):
            raise ValueFieldError("card expiry", MASKED, "year and month as YYMM")
        for number, text in ((De.CHIP, self.chip), (De.ENTRY_MODE, self.entry_mode), (De.CARD_SEQUENCE, self.sequence)):
            if text and not FIELDS[number].allows(text):
                shown = MASKED if FIELDS[number].secret else text
                raise ValueFieldError(f"card {FIELDS[number].name}", shown, FIELDS[number].format)

    @property
    def last4(self) -> str:
        """What may be shown of the number."""
        return self.pan[-LAST_DIGITS:]

    def __reduce__(self) -> str:
        raise TypeError("a card is not pickled")


@dataclass(frozen=True, slots=True)
class CardOnFile(Means):
    """A card of which only the acquirer's token is kept, as for a standing contract."""

    token: str
    last4: str

    def __post_init__(self) -> None:
        if not FIELDS[De.TOKEN].allows(self.token) or holds_card_number(self.token):
            raise ValueFieldError(
                "card token", MASKED, f"the acquirer's token, {FIELDS[De.TOKEN].format}, no card number"
            )
        if not _DIGITS.fullmatch(self.last4) or len(self.last4) != LAST_DIGITS:
            raise ValueFieldError("last four digits", self.last4, f"{LAST_DIGITS} digits")


def holds_card_number(text: str) -> bool:
    """Whether a text has digits in a row that may be a card number. Whoever gives one as a token would have it kept."""
    return any(PAN_DIGITS_MIN <= len(digits) <= PAN_DIGITS_MAX and is_luhn(digits) for digits in _DIGITS.findall(text))


def is_luhn(digits: str) -> bool:
    """Whether the last digit is the check digit of those before it (ISO/IEC 7812-1, annex B)."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0
