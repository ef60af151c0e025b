"""Value codes typed at the meter: which order a code is, and how guessing is made hopeless.

A code names its sequence mod 256 only. The meter looks it up among the sequences it could be for: the one whose turn
it is, the next few (codes are issued up to eight ahead and typed in order), and those in the ring (already used). The
check has to be right for the full sequence and amount. What is right and has its turn is applied by the same rules as a
transfer.

Wrong codes: the third locks the entry for 10 s, each further one for twice as long, up to 1,280 s. The count is durable
and is stored before the customer is told, because a guesser holds the plug: power that goes and comes starts the whole
lock of the count again, measured in line ticks that no clock setting moves. Only value that a code really stored
clears the count; a used code typed again neither counts nor clears, or one old receipt would buy guesses for ever. At
the longest lock a guesser tries 24,700 codes a year, right with a chance of one in 700,000 a year for each key set.
"""

import hmac
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from prewatt.codec.errors import DecodeError
from prewatt.codec.receipt import RingEntry, Status
from prewatt.codec.valuecode import ValueCode, check_input, check_of
from prewatt.device.meter.money import Money, MoneyLimits, apply_code
from prewatt.units import MeterId, Sequence, next_sequence

__all__ = [
    "CODES_AHEAD_MAX",
    "LOCK_FIRST_S",
    "LOCK_LONGEST_S",
    "WRONG_CODES_FREE",
    "CodeEntry",
    "CodeLock",
    "CodeOutcome",
    "CodeTerms",
    "Mac",
    "enter_code",
]

Mac = Callable[[bytes], bytes]
"""sign(data) under the Kc of one key set."""

# Codes the host may have open at a meter at once.
CODES_AHEAD_MAX: Final = 8
# Slips that cost nothing; the third wrong code in a row locks.
WRONG_CODES_FREE: Final = 2
LOCK_FIRST_S: Final = 10
LOCK_LONGEST_S: Final = 1_280
_WRONG_CODES_MAX: Final = 0xFF


class CodeOutcome(Enum):
    """What became of a typed code."""

    STORED = "stored"
    """Its value is in the money; the count of wrong codes is cleared."""
    ALREADY_USED = "already used"
    """Right, for a sequence that the ring holds (used as code, transferred, or cancelled)."""
    EARLY = "early"
    """Right, but the code before it has to be typed first."""
    REFUSED = "refused"
    """Right and its turn, but the balance would pass its ceiling."""
    WRONG = "wrong"
    """Not right for any sequence it could be for; counted."""
    LOCKED = "locked"
    """Not looked at: too many wrong codes."""
    MALFORMED = "malformed"
    """No code at all (not twenty digits, above 64 bits, amount 0): it can never be right, so it is not counted."""


@dataclass(frozen=True, slots=True)
class CodeLock:
    """``wrong`` is durable (the record's ``wrong_codes``); ``until_ms`` is a line tick, made again at power-up."""

    wrong: int = 0
    until_ms: int = 0

    @classmethod
    def resumed(cls, wrong: int, line_ms: int) -> "CodeLock":
        """The lock after power-up, from the durable count: whole again."""
        return cls(wrong, line_ms + 1000 * _lock_s(wrong))

    def failed(self, line_ms: int) -> "CodeLock":
        """The lock after one more wrong code."""
        return CodeLock.resumed(min(self.wrong + 1, _WRONG_CODES_MAX), line_ms)

    def read_left_s(self, line_ms: int) -> int:
        """Whole seconds until a code is looked at again, rounded up; 0 when it is now."""
        return max(0, -(-(self.until_ms - line_ms) // 1000))


@dataclass(frozen=True, slots=True)
class CodeTerms:
    """Whose codes are right here: the meter's id, Kc of each live key set, and the micro-units of a minor unit."""

    meter_id: MeterId
    macs: tuple[Mac, ...] = field(repr=False)
    minor_micro: int = 10_000


@dataclass(frozen=True, slots=True)
class CodeEntry:
    """What a typed code did. Store ``money`` and ``lock.wrong`` in one record, where either changed, before showing it.

    ``entry`` is the ring's holder of the code's sequence where the code was right and the sequence is held.
    """

    outcome: CodeOutcome
    money: Money
    lock: CodeLock
    amount_micro: int = 0
    entry: RingEntry | None = None


def enter_code(
    money: Money, lock: CodeLock, digits: str, terms: CodeTerms, limits: MoneyLimits, line_ms: int
) -> CodeEntry:
    """Looks a typed code up, and applies it where it is right and its turn."""
    if lock.read_left_s(line_ms):
        return CodeEntry(CodeOutcome.LOCKED, money, lock)
    try:
        code = ValueCode.parse(digits)
    except DecodeError:
        return CodeEntry(CodeOutcome.MALFORMED, money, lock)
    amount_micro = code.amount_minor * terms.minor_micro
    held = {entry.sequence: entry for entry in money.ring}
    for sequence in _sequences_of(money, code.sequence_low):
        if not _is_right(code, sequence, terms):
            continue
        if sequence in held:
            return CodeEntry(CodeOutcome.ALREADY_USED, money, lock, amount_micro, held[sequence])
        applied, status = apply_code(money, sequence, amount_micro, code.build_tag(), limits)
        if status is Status.DONE:
            return CodeEntry(CodeOutcome.STORED, applied, CodeLock(), amount_micro, applied.ring[-1])
        outcome = CodeOutcome.EARLY if status is Status.SEQUENCE else CodeOutcome.REFUSED
        return CodeEntry(outcome, money, lock, amount_micro)
    return CodeEntry(CodeOutcome.WRONG, money, lock.failed(line_ms))


def _lock_s(wrong: int) -> int:
    doublings = wrong - WRONG_CODES_FREE - 1
    return 0 if doublings < 0 else min(LOCK_FIRST_S << doublings, LOCK_LONGEST_S)


def _sequences_of(money: Money, sequence_low: int) -> Iterator[Sequence]:
    """The sequences a code may be for: those whose turn it is or will be, then those the ring holds.

    A body without epoch has none.
    """
    coming = money.last_sequence
    for _ in range(CODES_AHEAD_MAX if money.commissioned else 0):
        after = next_sequence(coming)
        if after is None:
            break
        coming = after
        if coming & 0xFF == sequence_low:
            yield coming
    for entry in reversed(money.ring):
        if entry.sequence & 0xFF == sequence_low:
            yield entry.sequence


def _is_right(code: ValueCode, sequence: int, terms: CodeTerms) -> bool:
    data = check_input(terms.meter_id, sequence, code.amount_minor)
    typed = code.build_tag()
    right = False
    for mac in terms.macs:
        expected = ValueCode(code.sequence_low, code.amount_minor, check_of(mac(data)))
        right |= hmac.compare_digest(expected.build_tag(), typed)
    return right
