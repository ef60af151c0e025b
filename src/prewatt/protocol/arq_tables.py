"""Both sides of the line's stop-and-wait as tables: {state: {event: next state}}. What is absent has no effect.

On a line nothing that arrives is an error, so an absent event is passed over in silence; the tables say what a frame
can change. They are used by `prewatt.protocol.arq` and drawn in docs/protocol.md.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

__all__ = ["RECEIVER_TABLE", "SENDER_TABLE", "ReceiverEvent", "ReceiverState", "SenderEvent", "SenderState"]


class SenderState(StrEnum):
    """Where the sender stands with its one message."""

    IDLE = "idle"
    FIRST = "first"
    FURTHER = "further"


class SenderEvent(StrEnum):
    """What can happen to a sender."""

    GIVEN = "message given"
    NEXT = "fragment acknowledged"
    WHOLE = "message acknowledged as whole"
    AGAIN = "asked to begin again"
    SILENCE = "no acknowledgement in time"
    GIVEN_UP = "tries used up"


class ReceiverState(StrEnum):
    """Whether the receiver holds the beginning of a message."""

    EMPTY = "empty"
    ASSEMBLING = "assembling"


class ReceiverEvent(StrEnum):
    """What can happen to a receiver."""

    FIRST = "first fragment"
    FURTHER = "next fragment"
    WHOLE = "last fragment, message whole"
    BROKEN = "fragment that cannot follow, or wrong CRC-32"


SENDER_TABLE: Final[Mapping[SenderState, Mapping[SenderEvent, SenderState]]] = {
    SenderState.IDLE: {SenderEvent.GIVEN: SenderState.FIRST},
    SenderState.FIRST: {
        SenderEvent.NEXT: SenderState.FURTHER,
        SenderEvent.WHOLE: SenderState.IDLE,
        SenderEvent.SILENCE: SenderState.FIRST,
        SenderEvent.GIVEN_UP: SenderState.IDLE,
    },
    SenderState.FURTHER: {
        SenderEvent.NEXT: SenderState.FURTHER,
        SenderEvent.WHOLE: SenderState.IDLE,
        SenderEvent.AGAIN: SenderState.FIRST,
        SenderEvent.SILENCE: SenderState.FURTHER,
        SenderEvent.GIVEN_UP: SenderState.IDLE,
    },
}

RECEIVER_TABLE: Final[Mapping[ReceiverState, Mapping[ReceiverEvent, ReceiverState]]] = {
    ReceiverState.EMPTY: {
        ReceiverEvent.FIRST: ReceiverState.ASSEMBLING,
        ReceiverEvent.WHOLE: ReceiverState.EMPTY,
        ReceiverEvent.BROKEN: ReceiverState.EMPTY,
    },
    ReceiverState.ASSEMBLING: {
        ReceiverEvent.FIRST: ReceiverState.ASSEMBLING,
        ReceiverEvent.FURTHER: ReceiverState.ASSEMBLING,
        ReceiverEvent.WHOLE: ReceiverState.EMPTY,
        ReceiverEvent.BROKEN: ReceiverState.EMPTY,
    },
}
