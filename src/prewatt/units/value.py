"""Value: money held in a meter, a card or a wallet, as an integer of micro-units (1e-6 of the currency).

An installation has one currency. People write amounts as decimals with at most the currency's digits (two unless
set); inside, only integers exist, so nothing is ever rounded by accident.
"""

import re
from typing import NewType

__all__ = [
    "MICRO_DIGITS",
    "MICRO_PER_UNIT",
    "VALUE_MAX_MICRO",
    "Micro",
    "ValueFieldError",
    "format_value",
    "parse_value",
]

Micro = NewType("Micro", int)

MICRO_PER_UNIT = 1_000_000
MICRO_DIGITS = 6
# How much of what was given an error shows: enough to recognise it, little enough to stay one line.
GIVEN_SHOWN_MAX = 80
# One payment or tariff figure: a billion currency units. Far above any sale, far below the i64 of a transfer body.
VALUE_MAX_MICRO = Micro(1_000_000_000 * MICRO_PER_UNIT)

_DECIMAL = re.compile(r"(?P<whole>[0-9]{1,30})(?:\.(?P<part>[0-9]{1,30}))?\Z", re.ASCII)


class ValueFieldError(ValueError):
    """A field that a person or a program gave is not allowed; the text names field, value and what is."""

    def __init__(self, field: str, given: object, allowed: str) -> None:
        shown = repr(given)
        if len(shown) > GIVEN_SHOWN_MAX:
            shown = f"{shown[:GIVEN_SHOWN_MAX]}..."
        super().__init__(f"{field}: {shown} is not allowed; allowed is {allowed}")
        self.field = field
        self.given = given
        self.allowed = allowed


def parse_value(
    text: str, *, digits: int = 2, field: str = "amount", zero: bool = False, most_micro: int = VALUE_MAX_MICRO
) -> Micro:
    """Micro-units of a decimal such as ``10.00``.

    ``digits`` is the most decimals the currency has (0-6). Raises ValueFieldError for signs, exponents, nan,
    more decimals, more than ``most_micro``, and zero unless ``zero``.
    """
    _check_digits(digits)
    match = _DECIMAL.match(text.strip())
    if match is not None and len(match["part"] or "") <= digits:
        micro = int(match["whole"]) * MICRO_PER_UNIT + int((match["part"] or "").ljust(MICRO_DIGITS, "0"))
        if micro <= most_micro and (micro > 0 or zero):
            return Micro(micro)
    kind = "a whole number" if digits == 0 else "a decimal"
    most = most_micro // MICRO_PER_UNIT
    decimals = {0: "", 1: " with at most 1 decimal"}.get(digits, f" with at most {digits} decimals")
    raise ValueFieldError(field, text, f"{kind} {'from 0' if zero else 'above 0'} up to {most}{decimals}")


def format_value(micro: int, *, digits: int = 2) -> str:
    """A decimal with at least ``digits`` (0-6) decimals, and as many more (up to 6) as it takes to be exact."""
    _check_digits(digits)
    sign = "-" if micro < 0 else ""
    whole, part = divmod(abs(micro), MICRO_PER_UNIT)
    decimals = f"{part:0{MICRO_DIGITS}d}".rstrip("0").ljust(digits, "0")
    return f"{sign}{whole}.{decimals}" if decimals else f"{sign}{whole}"


def _check_digits(digits: int) -> None:
    """A seventh decimal would be less than a micro-unit, and silently ten times as much."""
    if not 0 <= digits <= MICRO_DIGITS:
        raise ValueFieldError("digits", digits, f"0 to {MICRO_DIGITS}")
