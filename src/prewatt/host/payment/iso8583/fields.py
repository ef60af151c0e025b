"""The data elements that are spoken and understood, as one table: number, name, format, length, and what each is for.

Formats are those of ISO 8583:1987: n digits, an letters and digits, ans printable characters, b bytes; a length with
dots is variable and has a length in front. A dialect says how they lie on the wire: every acquirer has its own, so
the three usual ones are here. An element that is not in the table has no known length, so a message with one cannot
be read.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from functools import cache
from typing import Any, Final

__all__ = ["FIELDS", "De", "Dialect", "Field", "Kind", "pyiso8583_spec"]


class De(IntEnum):
    """Data elements by name; the value is the number."""

    PAN = 2
    PROCESSING_CODE = 3
    AMOUNT = 4
    TRANSMITTED = 7
    STAN = 11
    LOCAL_TIME = 12
    LOCAL_DATE = 13
    EXPIRY = 14
    SETTLEMENT_DATE = 15
    MERCHANT_TYPE = 18
    ENTRY_MODE = 22
    CARD_SEQUENCE = 23
    NETWORK_ID = 24
    CONDITION = 25
    ACQUIRER_ID = 32
    FORWARDER_ID = 33
    RRN = 37
    APPROVAL = 38
    RESPONSE = 39
    TERMINAL = 41
    MERCHANT = 42
    ACCEPTOR_PLACE = 43
    MORE_RESPONSE = 44
    TOKEN = 48
    CURRENCY = 49
    MORE_AMOUNTS = 54
    CHIP = 55
    PRIVATE_60 = 60
    PRIVATE_61 = 61
    PRIVATE_62 = 62
    PRIVATE_63 = 63
    NETWORK_CODE = 70
    ORIGINAL = 90


class Kind(StrEnum):
    """What characters an element may hold."""

    N = "n"
    AN = "an"
    ANS = "ans"
    B = "b"


class Dialect(StrEnum):
    """How elements lie on the wire."""

    ASCII = "ascii"
    """Everything is ASCII, bitmaps as hex digits."""
    BINARY = "binary"
    """ASCII with bitmaps of eight bytes."""
    BCD = "bcd"
    """Digits and lengths packed two a byte (an odd number has a zero in front), text in ASCII, bitmaps of eight
    bytes."""


@dataclass(frozen=True, slots=True)
class Field:
    """One data element. ``length``: its digits, characters or bytes, at most, where ``prefix_digits`` (2 or 3) are
    above 0, else exactly. ``secret``: it tells about a card and is shown nowhere."""

    number: De
    kind: Kind
    length: int
    prefix_digits: int
    what: str
    secret: bool = False

    @property
    def name(self) -> str:
        """As the table of the manual writes it."""
        return self.number.name.lower()

    @property
    def format(self) -> str:
        """As the standard writes it: ``n 6``, ``n ..19``."""
        return f"{self.kind} {'.' * self.prefix_digits}{self.length}"

    def allows(self, text: str) -> bool:
        """Whether this is a value of this element; bytes are written as upper-case hex digits."""
        length, odd = divmod(len(text), 2) if self.kind is Kind.B else (len(text), 0)
        fits = 0 < length <= self.length if self.prefix_digits else length == self.length
        return fits and not odd and _ALLOWED[self.kind].fullmatch(text) is not None


_ALLOWED: Final = {
    Kind.N: re.compile(r"[0-9]+", re.ASCII),
    Kind.AN: re.compile(r"[0-9A-Za-z ]+", re.ASCII),
    Kind.ANS: re.compile(r"[ -~]+", re.ASCII),
    Kind.B: re.compile(r"[0-9A-F]+", re.ASCII),
}

_TABLE: Final = (
    Field(De.PAN, Kind.N, 19, 2, "card number; in 0100 only, never kept", secret=True),
    Field(De.PROCESSING_CODE, Kind.N, 6, 0, "000000: goods and services"),
    Field(De.AMOUNT, Kind.N, 12, 0, "minor units of the currency"),
    Field(De.TRANSMITTED, Kind.N, 10, 0, "MMDDhhmmss in UTC; a repeat keeps it"),
    Field(De.STAN, Kind.N, 6, 0, "number of the message; a repeat keeps it"),
    Field(De.LOCAL_TIME, Kind.N, 6, 0, "hhmmss at the terminal (sent in UTC)"),
    Field(De.LOCAL_DATE, Kind.N, 4, 0, "MMDD at the terminal (sent in UTC)"),
    Field(De.EXPIRY, Kind.N, 4, 0, "YYMM of the card", secret=True),
    Field(De.SETTLEMENT_DATE, Kind.N, 4, 0, "MMDD of their business day; in answers"),
    Field(De.MERCHANT_TYPE, Kind.N, 4, 0, "4900: utilities"),
    Field(De.ENTRY_MODE, Kind.N, 3, 0, "how the card was read; 012 typed, 051 chip, 071 contactless"),
    Field(De.CARD_SEQUENCE, Kind.N, 3, 0, "which card of this number"),
    Field(De.NETWORK_ID, Kind.N, 3, 0, "read, not used"),
    Field(De.CONDITION, Kind.N, 2, 0, "00 at a counter, 08 by telephone, 59 in a web page"),
    Field(De.ACQUIRER_ID, Kind.N, 11, 2, "the acquirer's number"),
    Field(De.FORWARDER_ID, Kind.N, 11, 2, "read, not used"),
    Field(De.RRN, Kind.AN, 12, 0, "number of the payment, the same in all its messages"),
    Field(De.APPROVAL, Kind.AN, 6, 0, "approval code: the authorization number"),
    Field(De.RESPONSE, Kind.AN, 2, 0, "response code"),
    Field(De.TERMINAL, Kind.ANS, 8, 0, "the terminal's name at the acquirer"),
    Field(De.MERCHANT, Kind.ANS, 15, 0, "the seller's name at the acquirer"),
    Field(De.ACCEPTOR_PLACE, Kind.ANS, 40, 0, "read, not used"),
    Field(De.MORE_RESPONSE, Kind.ANS, 25, 2, "read, not used"),
    Field(De.TOKEN, Kind.ANS, 64, 3, "the acquirer's token for a card, both ways"),
    Field(De.CURRENCY, Kind.N, 3, 0, "ISO 4217 number"),
    Field(De.MORE_AMOUNTS, Kind.ANS, 120, 3, "read, not used"),
    Field(De.CHIP, Kind.B, 255, 3, "what chip and acquirer say to each other; passed through", secret=True),
    Field(De.PRIVATE_60, Kind.ANS, 999, 3, "read, not used"),
    Field(De.PRIVATE_61, Kind.ANS, 999, 3, "read, not used"),
    Field(De.PRIVATE_62, Kind.ANS, 999, 3, "read, not used"),
    Field(De.PRIVATE_63, Kind.ANS, 999, 3, "read, not used"),
    Field(De.NETWORK_CODE, Kind.N, 3, 0, "001 sign-on, 301 echo"),
    Field(De.ORIGINAL, Kind.N, 42, 0, "type, number, time and acquirer of the message that is completed or reversed"),
)
FIELDS: Final[Mapping[De, Field]] = {field.number: field for field in _TABLE}


@cache
def pyiso8583_spec(dialect: Dialect) -> Mapping[str, Mapping[str, Any]]:
    """The table as pyiso8583 takes it (see its `iso8583.specs`)."""
    text = {"data_enc": "ascii", "len_enc": "ascii", "len_type": 0, "max_len": 0}
    packed = {"data_enc": "b", "len_enc": "bcd", "len_type": 0, "max_len": 0}
    bitmap = {**(text if dialect is Dialect.ASCII else packed), "max_len": 16 if dialect is Dialect.ASCII else 8}
    spec: dict[str, dict[str, Any]] = {
        "h": dict(text),
        "t": {**(packed if dialect is Dialect.BCD else text), "max_len": 2 if dialect is Dialect.BCD else 4},
        "p": dict(bitmap),
        "1": dict(bitmap),
    }
    for number, field in FIELDS.items():
        spec[str(int(number))] = _element(field, dialect)
    return spec


def _element(field: Field, dialect: Dialect) -> dict[str, Any]:
    if dialect is not Dialect.BCD:
        coding = "b" if field.kind is Kind.B else "ascii"
        return {"data_enc": coding, "len_enc": "ascii", "len_type": field.prefix_digits, "max_len": field.length}
    entry = {"data_enc": "ascii", "len_enc": "bcd", "len_type": (field.prefix_digits + 1) // 2, "max_len": field.length}
    if field.kind is Kind.B:
        entry["data_enc"] = "b"
    elif field.kind is Kind.N:
        entry |= {"data_enc": "b", "len_count": "nibbles", "left_pad": "0"}
    return entry
