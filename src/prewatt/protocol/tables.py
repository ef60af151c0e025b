"""The two machines of a session as tables: {state: {event: next state}}. What is absent is illegal.

An event is what a machine has established, after every check: not "a Proof came" but "a Proof came and is authentic".
So the tables are short, and a forged message is an event of its own or none. An absent event that our own side caused
is a LocalProtocolError, one that the peer caused a RemoteProtocolError; both are raised in one place, `advance`. The
diagrams in docs/protocol.md are made from these tables.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, TypeVar

from prewatt.codec.messages import RefusalReason
from prewatt.protocol.errors import LocalProtocolError, RemoteProtocolError

__all__ = [
    "HOST_TABLE",
    "TERMINAL_TABLE",
    "HostEvent",
    "HostState",
    "TerminalEvent",
    "TerminalState",
    "advance",
]


class HostState(StrEnum):
    """Where the host stands in one session."""

    FRESH = "fresh"
    CALLING = "calling"
    COMMANDING = "commanding"
    DONE = "done"
    ENDED = "ended"


class HostEvent(StrEnum):
    """What can happen to the host's half."""

    HELLO_SENT = "Hello sent"
    PROOF = "Proof verified"
    FALSE_PROOF = "Proof does not verify"
    RESULT = "Result verified, receipt of the meter called"
    FALSE_RECEIPT = "Result verified, receipt unreadable or of another meter"
    REFUSAL = "Refusal (a hint)"


class TerminalState(StrEnum):
    """Where the terminal stands in its one session."""

    IDLE = "idle"
    PROVED = "proved"
    EXECUTING = "executing"
    ANSWERED = "answered"


class TerminalEvent(StrEnum):
    """What can happen to the terminal's half."""

    HELLO = "Hello accepted, Proof sent"
    COMMAND = "Command verified"
    FALSE_COMMAND = "Command does not verify"
    LAST_FALSE_COMMAND = "third Command that does not verify"
    RESULT_SENT = "Result sent"
    SAME_COMMAND = "same Command bytes, stored Result sent"
    LIFE_OVER = "session life over"


HOST_TABLE: Final[Mapping[HostState, Mapping[HostEvent, HostState]]] = {
    HostState.FRESH: {HostEvent.HELLO_SENT: HostState.CALLING},
    HostState.CALLING: {
        HostEvent.PROOF: HostState.COMMANDING,
        HostEvent.FALSE_PROOF: HostState.ENDED,
        HostEvent.REFUSAL: HostState.ENDED,
    },
    HostState.COMMANDING: {
        HostEvent.RESULT: HostState.DONE,
        HostEvent.FALSE_RECEIPT: HostState.ENDED,
        HostEvent.REFUSAL: HostState.ENDED,
    },
    HostState.DONE: {},
    HostState.ENDED: {},
}

TERMINAL_TABLE: Final[Mapping[TerminalState, Mapping[TerminalEvent, TerminalState]]] = {
    TerminalState.IDLE: {TerminalEvent.HELLO: TerminalState.PROVED},
    TerminalState.PROVED: {
        TerminalEvent.HELLO: TerminalState.PROVED,
        TerminalEvent.COMMAND: TerminalState.EXECUTING,
        TerminalEvent.FALSE_COMMAND: TerminalState.PROVED,
        TerminalEvent.LAST_FALSE_COMMAND: TerminalState.IDLE,
        TerminalEvent.LIFE_OVER: TerminalState.IDLE,
    },
    TerminalState.EXECUTING: {TerminalEvent.RESULT_SENT: TerminalState.ANSWERED},
    TerminalState.ANSWERED: {
        TerminalEvent.HELLO: TerminalState.PROVED,
        TerminalEvent.SAME_COMMAND: TerminalState.ANSWERED,
        TerminalEvent.LIFE_OVER: TerminalState.IDLE,
    },
}

_State = TypeVar("_State", bound=StrEnum)
_Event = TypeVar("_Event", bound=StrEnum)
# What our own side does; everything else is the peer's doing.
_LOCAL: Final = frozenset({HostEvent.HELLO_SENT, TerminalEvent.RESULT_SENT, TerminalEvent.LIFE_OVER})


def advance(table: Mapping[_State, Mapping[_Event, _State]], state: _State, event: _Event) -> _State:
    """The next state; LocalProtocolError or RemoteProtocolError (refusal STATE) where the table has none."""
    following = table[state].get(event)
    if following is not None:
        return following
    why = f"{event.value!r} is not possible in state {state.value!r}"
    if event in _LOCAL:
        raise LocalProtocolError(why)
    raise RemoteProtocolError(why, RefusalReason.STATE)
