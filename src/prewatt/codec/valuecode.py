"""The value code: an order as twenty decimal digits that a customer types when no line reaches the meter.

64 bits, most significant first: sequence mod 256 (8) | amount in minor units (22) | check (34), written as a decimal
with leading zeros. The check is the first 34 bits of sign(0x63 | ID(3) | sequence(4) | amount in minor units(4), Kc);
this module knows where the bits stand, not how they are signed.
"""

from dataclasses import dataclass, field
from typing import Final

from prewatt.codec.errors import DecodeError
from prewatt.codec.receipt import TAG_BYTES
from prewatt.units import MeterId

__all__ = [
    "CHECK_BITS",
    "CODE_AMOUNT_MINOR_MAX",
    "CODE_DIGITS",
    "ValueCode",
    "check_input",
    "check_of",
    "format_value_code",
]

CODE_DIGITS: Final = 20
CHECK_BITS: Final = 34
AMOUNT_BITS: Final = 22
CODE_AMOUNT_MINOR_MAX: Final = 2**AMOUNT_BITS - 1
_CODE_BITS: Final = 64
_LETTER: Final = b"\x63"
_GROUP_DIGITS: Final = 4


@dataclass(frozen=True, slots=True)
class ValueCode:
    """The three fields. ``sequence_low`` is the sequence mod 256; ValueError for a field out of range."""

    sequence_low: int
    amount_minor: int
    check: int = field(repr=False)

    def __post_init__(self) -> None:
        for name, given, low, high in (
            ("sequence_low", self.sequence_low, 0, 0xFF),
            ("amount_minor", self.amount_minor, 1, CODE_AMOUNT_MINOR_MAX),
            ("check", self.check, 0, 2**CHECK_BITS - 1),
        ):
            if not low <= given <= high:
                raise ValueError(f"{name}: {given} is not allowed; allowed is {low} to {high}")

    def build_bits(self) -> int:
        """The 64 bits as a number."""
        return (self.sequence_low << AMOUNT_BITS | self.amount_minor) << CHECK_BITS | self.check

    def build_tag(self) -> bytes:
        """The 64 bits as the tag under which the code holds its sequence."""
        return self.build_bits().to_bytes(TAG_BYTES, "big")

    def build(self) -> str:
        """The twenty digits."""
        return f"{self.build_bits():0{CODE_DIGITS}d}"

    @classmethod
    def parse_bits(cls, bits: int) -> "ValueCode":
        """The code of 64 bits; DecodeError for a number outside them, and for the amount 0."""
        if not 0 <= bits < 2**_CODE_BITS:
            raise DecodeError(0, "value code", f"{bits} is not a number of {_CODE_BITS} bits")
        head, check = divmod(bits, 2**CHECK_BITS)
        sequence_low, amount_minor = divmod(head, 2**AMOUNT_BITS)
        if amount_minor == 0:
            raise DecodeError(1, "value code", "its amount is 0")
        return cls(sequence_low, amount_minor, check)

    @classmethod
    def parse(cls, digits: str) -> "ValueCode":
        """The code of exactly twenty digits 0-9; DecodeError otherwise."""
        if len(digits) != CODE_DIGITS or not digits.isascii() or not digits.isdecimal():
            raise DecodeError(0, "value code", f"it has to be {CODE_DIGITS} digits")
        return cls.parse_bits(int(digits))


def check_input(meter_id: MeterId, sequence: int, amount_minor: int) -> bytes:
    """What is signed under Kc: 0x63 | ID(3) | sequence(4) | amount in minor units(4)."""
    return _LETTER + meter_id + sequence.to_bytes(4, "big") + amount_minor.to_bytes(4, "big")


def check_of(signature: bytes) -> int:
    """The first 34 bits of a signature; ValueError for one of fewer than 5 bytes."""
    if len(signature) * 8 < CHECK_BITS:
        raise ValueError(f"signature: {len(signature)} bytes are not enough for {CHECK_BITS} bits")
    return int.from_bytes(signature, "big") >> (len(signature) * 8 - CHECK_BITS)


def format_value_code(digits: str) -> str:
    """The digits in groups of four, as they are printed and read out: ``1234 5678 9012 3456 7890``."""
    return " ".join(digits[start : start + _GROUP_DIGITS] for start in range(0, len(digits), _GROUP_DIGITS))
