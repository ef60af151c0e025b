"""What a station's line costs in time, as the host predicts it: how much it sends at once, and how long it waits.

A profile is named by the station (`prewatt station line`); where none is, the line is taken to cost next to nothing, as
inside one process or over a network. A prediction that is wrong loses nothing: sessions that take too long are given up
and held again.
"""

from dataclasses import dataclass
from typing import Final

from prewatt.codec.hop import Plan
from prewatt.host.refusals import RefusalOutcome, RefusedError
from prewatt.units import Address

__all__ = ["LineCost", "check_line", "line_cost"]

# The largest payloads of either way: a Command with 256 bytes of body, a Result with a whole day of readings.
_COMMAND_BYTES: Final = 320
_RESULT_BYTES: Final = 2_500
_HELLO_BYTES: Final = 40
_PROOF_BYTES: Final = 40
# A line inside one process, or a network: a message is there within a moment.
_FREE_MS: Final = 2


@dataclass(frozen=True, slots=True)
class LineCost:
    """Predicted line time in milliseconds: of Hello and Proof, of Command and Result; and what a station is told."""

    hello_ms: int
    command_ms: int
    answer_within_ms: int

    def plan(self, address: Address) -> Plan:
        """The settings of a station on such a line; its version is not set."""
        return Plan(address, 0, answer_within_ms=self.answer_within_ms)

    @property
    def session_ms(self) -> int:
        """A whole session with a meter that answers."""
        return self.hello_ms + self.command_ms


_FREE: Final = LineCost(_FREE_MS, _FREE_MS, 1_500)


def check_line(line: str) -> None:
    """RefusedError for a line profile that nobody knows; no name stands for a line that costs no time."""
    if line and line not in _PROFILES:
        allowed = f"one of {', '.join(sorted(_PROFILES))}, or nothing"
        raise RefusedError(RefusalOutcome.BAD_FIELD, "line", line, allowed)


def line_cost(line: str) -> LineCost:
    """What a line of this profile costs."""
    return _PROFILES.get(line, _FREE)


_PROFILES: Final[dict[str, LineCost]] = {}
