"""What a station's line costs in time, as the host predicts it: how much it sends at once, and how long it waits.

A profile is named by the station (`prewatt station line`); where none is, the line is taken to cost next to nothing, as
inside one process or over a network. A prediction that is wrong loses nothing: sessions that take too long are given up
and held again.
"""

from dataclasses import dataclass
from typing import Final

from prewatt.codec.hop import Plan
from prewatt.host.refusals import RefusalOutcome, RefusedError
from prewatt.link.line import PROFILES, LineProfile, message_ms, quiet_within_ms
from prewatt.units import Address

__all__ = ["LineCost", "check_line", "line_cost"]

# The largest payloads of a session: a Command with 256 bytes of body, a Result with a whole day of readings.
_HELLO_BYTES: Final = 40
_PROOF_BYTES: Final = 40
_COMMAND_BYTES: Final = 320
_RESULT_BYTES: Final = 2_500
# A line inside one process, or a network: a message is there within a moment.
_FREE_MS: Final = 2
# Mini-slots in which meters may speak first after each call.
_SLOTS: Final = 8


@dataclass(frozen=True, slots=True)
class LineCost:
    """Predicted line time of one session with a meter that answers; and what a station on this line is told.

    ``slot_ms``: the length of a mini-slot; 0 on a line where meters may speak at any time.
    """

    session_ms: int
    answer_within_ms: int
    slot_ms: int

    def plan(self, address: Address) -> Plan:
        """The settings of a station on such a line; its version is not set."""
        slots = _SLOTS if self.slot_ms else 0
        return Plan(address, 0, answer_within_ms=self.answer_within_ms, slots=slots, slot_ms=self.slot_ms)


_FREE: Final = LineCost(2 * _FREE_MS, 1_500, 0)


def check_line(line: str) -> None:
    """RefusedError for a line profile that nobody knows; no name stands for a line that costs no time."""
    if line and line not in _COSTS:
        allowed = f"one of {', '.join(sorted(_COSTS))}, or nothing"
        raise RefusedError(RefusalOutcome.BAD_FIELD, "line", line, allowed)


def line_cost(line: str) -> LineCost:
    """What a line of this profile costs; a name that is not known any more costs as none does."""
    return _COSTS.get(line, _FREE)


def _cost(profile: LineProfile) -> LineCost:
    payloads = (_HELLO_BYTES, _PROOF_BYTES, _COMMAND_BYTES, _RESULT_BYTES)
    session_ms = sum(message_ms(profile, each) for each in payloads)
    # Stations on such a line are told by their modem what it is in the middle of; only silence is waited for.
    return LineCost(session_ms, quiet_within_ms(profile), profile.timing.slot_ms)


_COSTS: Final = {name: _cost(profile) for name, profile in PROFILES.items()}
