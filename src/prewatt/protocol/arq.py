"""Messages over a line that loses and doubles frames: fragments, one at a time, each acknowledged.

A message goes out in fragments with consecutive numbers. The first carries START and, before its bytes, the message's
length and CRC-32; a further one carries MORE. The receiver acknowledges each one with its number: go on, the message is
whole, or begin it again. Only after that, or after a silence, does the sender send anything else (stop and wait: a
half-duplex line has no room for more).

A message is known by the number of its first fragment, its length and its CRC; so a fragment that comes twice is
acknowledged twice and taken once, and a message that was whole is not handed out again. A side that lost its memory is
brought back in step by the next START, or by its own "begin again". A CRC finds noise, not enemies: a false fragment
can cost the message it breaks into, and never more.
"""

from binascii import crc32
from collections import deque
from dataclasses import dataclass
from typing import Final, NamedTuple

from prewatt.codec.frame import Frame, FrameFlags
from prewatt.codec.messages import PAYLOAD_BYTES_MAX
from prewatt.protocol.airtime import START_HEAD_BYTES
from prewatt.protocol.arq_tables import (
    RECEIVER_TABLE,
    SENDER_TABLE,
    ReceiverEvent,
    ReceiverState,
    SenderEvent,
    SenderState,
)
from prewatt.units import MeterId

__all__ = [
    "AGAIN_MAX",
    "CALL_TRIES",
    "DELIVERED_MAX",
    "FRAGMENT_TRIES",
    "ArqReceiver",
    "ArqSender",
    "Heard",
    "LineMessage",
]

# Where one try in five is lost, one call in 600 is given up though the peer is there: a peer that is not costs no more.
CALL_TRIES: Final = 4
# Once the peer is known to be there: one fragment in 400,000.
FRAGMENT_TRIES: Final = 8
# How often a message is begun again because its receiver asks: it restarted, or something false broke in.
AGAIN_MAX: Final = 2
# Whole messages of one peer that are remembered, so that late copies of their fragments deliver nothing.
DELIVERED_MAX: Final = 8
_NUMBERS: Final = 256
_LENGTH_BYTES: Final = 2
_UP: Final = FrameFlags.UP
_PLAIN_ACK: Final = FrameFlags.ACK
_WHOLE_ACK: Final = FrameFlags.ACK | FrameFlags.MORE
_AGAIN_ACK: Final = FrameFlags.ACK | FrameFlags.START
# Flags as plain numbers, and the other way's of each acknowledgement made once: a simulator hears millions of these.
_UP_BIT: Final = int(FrameFlags.UP)
_START_BIT: Final = int(FrameFlags.START)
_TO_STATION: Final = {kind: kind | FrameFlags.UP for kind in (_PLAIN_ACK, _WHOLE_ACK, _AGAIN_ACK)}
_PIECES: Final = {
    (up, first): (FrameFlags.UP if up else FrameFlags.NONE) | (FrameFlags.START if first else FrameFlags.MORE)
    for up in (False, True)
    for first in (False, True)
}


@dataclass(frozen=True, slots=True)
class LineMessage:
    """A message cut into the payloads of its fragments; ``start`` is the number of the first."""

    m_id: int
    meter_id: MeterId
    up: bool
    start: int
    chunks: tuple[bytes, ...]

    @classmethod
    def cut(cls, frame: Frame, start: int, fragment_bytes: int) -> "LineMessage":
        """The message that carries a whole frame's payload; ``fragment_bytes`` as `LineTiming` allows them."""
        payload = frame.payload
        whole = len(payload).to_bytes(_LENGTH_BYTES, "big") + crc32(payload).to_bytes(4, "big") + payload
        chunks = tuple(whole[at : at + fragment_bytes] for at in range(0, len(whole), fragment_bytes))
        return cls(frame.m_id, frame.meter_id, bool(frame.flags & _UP), start, chunks)

    @property
    def following(self) -> int:
        """The number behind its last fragment."""
        return (self.start + len(self.chunks)) % _NUMBERS

    def fragment(self, index: int) -> Frame:
        """One of its frames."""
        flags = _PIECES[self.up, not index]
        return Frame(self.m_id, flags, (self.start + index) % _NUMBERS, self.meter_id, self.chunks[index])


class ArqSender:
    """The sending side of one message at a time. Who sends the bytes and keeps the time is its caller."""

    __slots__ = ("_again", "_index", "_tries", "message", "state", "through")

    def __init__(self) -> None:
        self.state = SenderState.IDLE
        self.message: LineMessage | None = None
        # Whether the last message that is not under way any more was acknowledged as whole.
        self.through = False
        self._index = self._tries = self._again = 0

    @property
    def idle(self) -> bool:
        """Whether no message is under way."""
        return self.state is SenderState.IDLE

    @property
    def at_last(self) -> bool:
        """Whether only the last fragment's acknowledgement is still to come."""
        return self.message is not None and self._index == len(self.message.chunks) - 1

    def give(self, message: LineMessage) -> Frame:
        """Begins with ``message``, whatever was under way, and returns the first fragment."""
        self.state, self.message = SenderState.FIRST, message
        self._index = self._again = 0
        self._tries, self.through = 1, False
        return message.fragment(0)

    def acknowledged(self, frame: Frame) -> Frame | None:
        """What to send after an acknowledgement from the peer; None where the message is through or nothing changed.

        An acknowledgement of another fragment than the one that is out says nothing.
        """
        message = self.message
        if message is None or frame.number != (message.start + self._index) % _NUMBERS:
            return None
        kind = int(frame.flags) & ~_UP_BIT
        if kind == _WHOLE_ACK:
            self._become(SenderEvent.WHOLE)
            self.through = True
        elif kind == _AGAIN_ACK and SenderEvent.AGAIN in SENDER_TABLE[self.state]:
            self._again += 1
            if self._again > AGAIN_MAX:
                self._become(SenderEvent.GIVEN_UP)
                return None
            return self._send(SenderEvent.AGAIN, 0)
        elif kind == _PLAIN_ACK and not self.at_last:
            return self._send(SenderEvent.NEXT, self._index + 1)
        return None

    def silence(self) -> Frame | None:
        """No acknowledgement came in time: the fragment to send again; None where the message is given up."""
        message = self.message
        if message is None:
            return None
        if self._tries >= (CALL_TRIES if self.state is SenderState.FIRST and not self._again else FRAGMENT_TRIES):
            self._become(SenderEvent.GIVEN_UP)
            return None
        self._become(SenderEvent.SILENCE)
        self._tries += 1
        return message.fragment(self._index)

    def drop(self) -> None:
        """Lets go of the message."""
        self.state, self.message = SenderState.IDLE, None

    def _send(self, event: SenderEvent, index: int) -> Frame | None:
        self._become(event)
        self._index, self._tries = index, 1
        return None if self.message is None else self.message.fragment(index)

    def _become(self, event: SenderEvent) -> None:
        self.state = SENDER_TABLE[self.state][event]
        if self.state is SenderState.IDLE:
            self.message = None


class Heard(NamedTuple):
    """What a fragment led to: the acknowledgement to send, if any, and the whole message, if this was its last."""

    ack: Frame | None
    message: Frame | None = None
    fresh: bool = False
    """Whether the fragment was new: it began, continued or ended a message."""


class _Key(NamedTuple):
    start: int
    length: int
    crc: int


class ArqReceiver:
    """The receiving side for one peer. It holds at most one message in assembly and `DELIVERED_MAX` names of others."""

    __slots__ = ("_chunks", "_ends", "_held_bytes", "_key", "_known", "state")

    def __init__(self) -> None:
        self.state = ReceiverState.EMPTY
        self._key = _Key(0, 0, 0)
        self._chunks: list[bytes] = []
        self._held_bytes = 0
        # Whole messages: their names, and number and CRC of the last fragment of each.
        self._known: deque[_Key] = deque(maxlen=DELIVERED_MAX)
        self._ends: deque[tuple[int, int]] = deque(maxlen=DELIVERED_MAX)

    def receive(self, frame: Frame) -> Heard:
        """Takes one fragment of the peer (START or MORE, no ACK). The caller has looked at ids and direction."""
        if int(frame.flags) & _START_BIT:
            return self._first(frame)
        return self._further(frame)

    def drop(self) -> None:
        """Forgets what is in assembly; what was delivered stays known."""
        self.state = ReceiverState.EMPTY
        self._clear()

    def _clear(self) -> None:
        self._chunks, self._held_bytes = [], 0

    def _first(self, frame: Frame) -> Heard:
        payload = frame.payload
        length = int.from_bytes(payload[:_LENGTH_BYTES], "big")
        if len(payload) < START_HEAD_BYTES or length > PAYLOAD_BYTES_MAX:
            return Heard(None)
        crc = int.from_bytes(payload[_LENGTH_BYTES:START_HEAD_BYTES], "big")
        key = _Key(frame.number, length, crc)
        if key in self._known:
            return Heard(_answer(frame, _WHOLE_ACK))
        if self.state is ReceiverState.ASSEMBLING and key == self._key and payload == self._chunks[0]:
            return Heard(_answer(frame, _PLAIN_ACK))
        self._clear()
        self._key = key
        return self._take(frame, ReceiverEvent.FIRST)

    def _further(self, frame: Frame) -> Heard:
        assembling = self.state is ReceiverState.ASSEMBLING
        index = (frame.number - self._key.start) % _NUMBERS
        if assembling and index == len(self._chunks) and frame.payload:
            return self._take(frame, ReceiverEvent.FURTHER)
        if (frame.number, crc32(frame.payload)) in self._ends:
            return Heard(_answer(frame, _WHOLE_ACK))
        if assembling and 0 < index < len(self._chunks) and self._chunks[index] == frame.payload:
            return Heard(_answer(frame, _PLAIN_ACK))
        # Of no use here, or of another message: what is in assembly stays, and the sender may begin again.
        return Heard(_answer(frame, _AGAIN_ACK))

    def _take(self, frame: Frame, event: ReceiverEvent) -> Heard:
        self._chunks.append(frame.payload)
        self._held_bytes += len(frame.payload)
        whole_bytes = START_HEAD_BYTES + self._key.length
        if self._held_bytes < whole_bytes:
            self.state = RECEIVER_TABLE[self.state][event]
            return Heard(_answer(frame, _PLAIN_ACK), fresh=True)
        whole = b"".join(self._chunks)[START_HEAD_BYTES:]
        if self._held_bytes > whole_bytes or crc32(whole) != self._key.crc:
            self.state = RECEIVER_TABLE[self.state][ReceiverEvent.BROKEN]
            self._clear()
            return Heard(_answer(frame, _AGAIN_ACK))
        self.state = RECEIVER_TABLE[self.state][ReceiverEvent.WHOLE]
        self._known.append(self._key)
        self._ends.append((frame.number, crc32(frame.payload)))
        message = Frame(frame.m_id, frame.flags & _UP, self._key.start, frame.meter_id, whole)
        self._clear()
        return Heard(_answer(frame, _WHOLE_ACK), message, fresh=True)


def _answer(frame: Frame, kind: FrameFlags) -> Frame:
    """The acknowledgement of a fragment: back the way it came, with its number, without payload."""
    flags = kind if int(frame.flags) & _UP_BIT else _TO_STATION[kind]
    return Frame(frame.m_id, flags, frame.number, frame.meter_id, b"")
