"""The keypad: value request, value code, pages and registers, emergency call.

Digits typed at any time begin a value code; twenty of them and it is looked at. One or two digits and `#` show the
page with that number; one or two digits and `D` send the seller the message with that number (a seller prints on the
meter what they mean, such as 1: please call me). `A` asks for value: the amount in minor units and `#`, then the PIN
and `#`. `C` is the next page, `D` alone the emergency call, `*` goes back. The PIN is never shown.
"""

from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from prewatt.codec.meter_messages import PIN_DIGITS_MAX
from prewatt.codec.valuecode import CODE_DIGITS

__all__ = ["KEYS", "CodeTyped", "EmergencyCall", "Keypad", "KeypadAction", "MessageTyped", "PageAsked", "ValueAsked"]

KEYS: Final = frozenset("0123456789*#ABCD")
# Twelve digits of minor units: far above any sale.
_AMOUNT_DIGITS_MAX: Final = 12
# Pages and messages have numbers of so many digits.
_NUMBER_DIGITS_MAX: Final = 2


@dataclass(frozen=True, slots=True)
class ValueAsked:
    """The customer wants value: an amount in minor units, under the PIN of the account."""

    amount_minor: int
    pin: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class CodeTyped:
    """Twenty digits; whoever reads them can type them at the meter."""

    digits: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class PageAsked:
    """A page by number, from 1; 0 is the next one."""

    number: int


@dataclass(frozen=True, slots=True)
class EmergencyCall:
    """Somebody needs help."""


@dataclass(frozen=True, slots=True)
class MessageTyped:
    """The customer sends the seller the message of this number."""

    number: int


KeypadAction = ValueAsked | CodeTyped | PageAsked | EmergencyCall | MessageTyped


class _Mode(Enum):
    IDLE = ""
    CODE = "Value code"
    AMOUNT = "Amount, then #"
    PIN = "PIN, then #"


class Keypad:
    """What was typed so far."""

    __slots__ = ("_amount", "_mode", "_typed")

    def __init__(self) -> None:
        self._mode, self._typed, self._amount = _Mode.IDLE, "", 0

    @property
    def prompt(self) -> tuple[str, str] | None:
        """What is asked and what was typed, for the display; None while nothing is typed."""
        if self._mode is _Mode.IDLE:
            return None
        shown = "*" * len(self._typed) if self._mode is _Mode.PIN else self._typed
        return self._mode.value, shown

    def press(self, key: str) -> KeypadAction | None:
        """One key; what it completes, if anything. ValueError for a key that the keypad does not have."""
        if key not in KEYS:
            raise ValueError(f"key: {key!r} is not allowed; allowed is one of {''.join(sorted(KEYS))}")
        if key.isdigit():
            return self._digit(key)
        if key == "#":
            return self._enter()
        mode, typed = self._mode, self._typed
        self._clear()
        if key == "A":
            self._mode = _Mode.AMOUNT
        elif key == "B":
            self._mode = _Mode.CODE
        elif key == "C":
            return PageAsked(0)
        elif key == "D":
            if mode is _Mode.CODE and 0 < len(typed) <= _NUMBER_DIGITS_MAX:
                return MessageTyped(int(typed))
            return EmergencyCall()
        return None

    def _clear(self) -> None:
        self._mode, self._typed, self._amount = _Mode.IDLE, "", 0

    def _digit(self, key: str) -> KeypadAction | None:
        if self._mode is _Mode.IDLE:
            self._mode = _Mode.CODE
        longest = {_Mode.CODE: CODE_DIGITS, _Mode.AMOUNT: _AMOUNT_DIGITS_MAX, _Mode.PIN: PIN_DIGITS_MAX}[self._mode]
        if len(self._typed) < longest:
            self._typed += key
        if self._mode is _Mode.CODE and len(self._typed) == CODE_DIGITS:
            digits = self._typed
            self._clear()
            return CodeTyped(digits)
        return None

    def _enter(self) -> KeypadAction | None:
        mode, typed, amount = self._mode, self._typed, self._amount
        if not typed:
            return None
        self._clear()
        if mode is _Mode.AMOUNT and int(typed):
            self._mode, self._amount = _Mode.PIN, int(typed)
        elif mode is _Mode.PIN:
            return ValueAsked(amount, typed)
        elif mode is _Mode.CODE and len(typed) <= _NUMBER_DIGITS_MAX:
            return PageAsked(int(typed))
        return None
