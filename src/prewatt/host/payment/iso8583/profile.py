"""What one acquirer wants: the names it gave, how messages lie on the wire, and how long everything waits.

All times are milliseconds of the line. The waits are the usual ones; an acquirer's manual gives its own.
"""

from dataclasses import dataclass
from typing import Final

from prewatt.host.payment.iso8583.fields import FIELDS, De, Dialect
from prewatt.units import MICRO_DIGITS, VALUE_MAX_MICRO, ValueFieldError

__all__ = ["ADVICES_MAX", "AMOUNT_MAX_MINOR", "ASKS_MAX", "OPEN_MAX", "WAIT_LONGEST_MS", "AcquirerProfile", "Moment"]

# No wait of a line is longer than a day.
WAIT_LONGEST_MS: Final = 86_400_000
# Authorizations that wait for their answer, completions and reversals under way, and payments that have not ended: an
# acquirer that answers nothing costs so much memory and no more.
ASKS_MAX: Final = 256
ADVICES_MAX: Final = 32
OPEN_MAX: Final = 20_000
# Twelve digits of data element 4.
AMOUNT_MAX_MINOR: Final = 999_999_999_999
_TEN_MINUTES_MS: Final = 600_000


@dataclass(frozen=True, slots=True)
class Moment:
    """The two times of a step. ``ms``: the line's, monotonic, for every wait. ``utc_s``: the world's, only written
    down."""

    ms: int
    utc_s: int


@dataclass(frozen=True, slots=True)
class AcquirerProfile:
    """Settings of one acquirer; ValueFieldError for one that cannot be."""

    terminal: str
    merchant: str
    acquirer_id: str
    currency: str
    """ISO 4217 number, such as 840."""
    currency_digits: int = 2
    merchant_type: str = "4900"
    condition: str = "59"
    dialect: Dialect = Dialect.BINARY
    signs_on: bool = True
    answer_wait_ms: int = 30_000
    """How long an authorization may take; then the payment is reversed."""
    advice_wait_ms: int = 30_000
    """How long the answer to a completion or a reversal may take; then it is repeated after a pause."""
    repeat_first_ms: int = 5_000
    repeat_longest_ms: int = 300_000
    """Between two tries of a completion or a reversal: the first pause, doubled up to the longest."""
    requests_before_advice: int = 3
    """How often a reversal is requested (0400, 0401) before it is advised (0420, 0421), which nobody may refuse."""
    travel_ms: int = _TEN_MINUTES_MS
    """How long a request may be under way. Only after it is "no such payment" believed: before, it may still arrive."""
    echo_after_ms: int = 60_000
    echo_wait_ms: int = 10_000
    dial_first_ms: int = 1_000
    dial_longest_ms: int = 60_000
    asks_max: int = ASKS_MAX
    advices_max: int = ADVICES_MAX
    open_max: int = OPEN_MAX

    def __post_init__(self) -> None:
        self._check(De.ACQUIRER_ID, self.acquirer_id)
        self._check(De.CURRENCY, self.currency)
        self._check(De.MERCHANT_TYPE, self.merchant_type)
        self._check(De.CONDITION, self.condition)
        for number, text in ((De.TERMINAL, self.terminal), (De.MERCHANT, self.merchant)):
            if not text.strip() or text != text.strip() or len(text) > FIELDS[number].length:
                raise ValueFieldError(FIELDS[number].name, text, f"1 to {FIELDS[number].length} characters")
            self._check(number, text.ljust(FIELDS[number].length))
        self._check_number("currency digits", self.currency_digits, 0, MICRO_DIGITS)
        self._check_number("requests before advice", self.requests_before_advice, 0, 100)
        for name in (
            "answer_wait_ms",
            "advice_wait_ms",
            "repeat_first_ms",
            "echo_after_ms",
            "echo_wait_ms",
            "dial_first_ms",
        ):
            self._check_number(name, getattr(self, name), 1, WAIT_LONGEST_MS)
        self._check_number("repeat_longest_ms", self.repeat_longest_ms, self.repeat_first_ms, WAIT_LONGEST_MS)
        self._check_number("dial_longest_ms", self.dial_longest_ms, self.dial_first_ms, WAIT_LONGEST_MS)
        self._check_number("travel_ms", self.travel_ms, 0, WAIT_LONGEST_MS)
        self._check_number("asks_max", self.asks_max, 1, ASKS_MAX)
        self._check_number("advices_max", self.advices_max, 1, ADVICES_MAX)
        self._check_number("open_max", self.open_max, 1, OPEN_MAX)

    @property
    def minor_micro(self) -> int:
        """Micro-units of one minor unit."""
        return int(10 ** (MICRO_DIGITS - self.currency_digits))

    def minor_of(self, amount_micro: int) -> int:
        """Minor units of an amount; ValueFieldError unless it is above 0 and whole minor units."""
        minor, rest = divmod(amount_micro, self.minor_micro)
        if not 0 < amount_micro <= VALUE_MAX_MICRO or rest or minor > AMOUNT_MAX_MINOR:
            allowed = f"above 0 up to {VALUE_MAX_MICRO} micro-units, a multiple of {self.minor_micro}"
            raise ValueFieldError("amount", amount_micro, allowed)
        return minor

    @staticmethod
    def _check(number: De, text: str) -> None:
        if not FIELDS[number].allows(text):
            raise ValueFieldError(FIELDS[number].name, text, FIELDS[number].format)

    @staticmethod
    def _check_number(name: str, value: int, least: int, most: int) -> None:
        if not least <= value <= most:
            raise ValueFieldError(name, value, f"{least} to {most}")
