"""The payloads that host and terminal exchange: which bytes stand where, before any key touches them.

A payload begins with its type byte. The four of a session (Hello, Proof, Command, Result) carry no lengths of their
own: those follow from the suite, so one byte more or less is an error. A Refusal is a hint and proves nothing. The
messages that start at a meter are in `prewatt.codec.meter_messages`; all layouts are drawn in docs/protocol.md.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final, NamedTuple

from prewatt.codec.errors import DecodeError
from prewatt.units import METER_ID_BYTES, MeterId, Sequence

__all__ = [
    "COMMAND_HEAD_BYTES",
    "LAYOUTS",
    "PAYLOAD_BYTES_MAX",
    "RESULT_BYTES_MAX",
    "Hello",
    "Layout",
    "MessageType",
    "Proof",
    "Refusal",
    "RefusalReason",
    "SealedCommand",
    "SealedResult",
    "check_payload",
    "command_head",
]

# What one link frame may carry; a payload is never split above it.
PAYLOAD_BYTES_MAX: Final = 2_600
# A Result or Report as a whole: the source's budget of 2.44 KB.
RESULT_BYTES_MAX: Final = 2_500
COMMAND_HEAD_BYTES: Final = 5
_ID_AT: Final = 3
# type, suite, key set, id
_HELLO_FIXED_BYTES: Final = _ID_AT + METER_ID_BYTES


class MessageType(IntEnum):
    """The first byte of a payload."""

    HELLO = 0x10
    PROOF = 0x11
    COMMAND = 0x12
    RESULT = 0x13
    REPORT = 0x14
    ALARM = 0x15
    ALARM_ACK = 0x16
    WISH = 0x17
    REFUSAL = 0x1F


class RefusalReason(IntEnum):
    """Why a terminal says it did not go on. A hint: nobody signed it."""

    SUITE = 1
    KEY_SET = 2
    R1 = 3
    SIGNATURE = 4
    STATE = 5
    LENGTH = 6
    BUSY = 7


class Layout(NamedTuple):
    """The lengths, in bytes, that a suite gives to the fields of a session."""

    r1: int
    r2: int
    r3: int
    tag: int
    terminal_key: int


# By the suite's byte on the wire: 1 is tdes-1998, 2 is aes-2026.
LAYOUTS: Final = {1: Layout(16, 8, 8, 8, 16), 2: Layout(16, 16, 16, 16, 32)}


@dataclass(frozen=True, slots=True)
class Hello:
    """10: the host calls one meter under one key set with its random bytes."""

    suite: int
    key_set: int
    meter_id: MeterId
    r1: bytes
    r2: bytes

    def build(self) -> bytes:
        """10, suite(1), n(1), ID(3), R1, R2."""
        return bytes((MessageType.HELLO, self.suite, self.key_set)) + self.meter_id + self.r1 + self.r2

    @classmethod
    def parse(cls, payload: bytes) -> "Hello":
        """The Hello of a whole payload, in the lengths of the suite it names; DecodeError otherwise."""
        if len(payload) < _HELLO_FIXED_BYTES:
            raise DecodeError(len(payload), "id", f"a Hello has at least {_HELLO_FIXED_BYTES} bytes")
        suite = payload[1]
        layout = LAYOUTS.get(suite)
        if layout is None:
            raise DecodeError(1, "suite", f"{suite} is not 1 or 2")
        check_payload(payload, MessageType.HELLO, _HELLO_FIXED_BYTES + layout.r1 + layout.r2)
        r2_at = _HELLO_FIXED_BYTES + layout.r1
        meter_id = MeterId(payload[_ID_AT:_HELLO_FIXED_BYTES])
        return cls(suite, payload[2], meter_id, payload[_HELLO_FIXED_BYTES:r2_at], payload[r2_at:])

    @staticmethod
    def addressee(payload: bytes) -> MeterId | None:
        """Whom a payload that may be a Hello calls, whatever else it holds; None where it is too short to say."""
        return MeterId(payload[_ID_AT:_HELLO_FIXED_BYTES]) if len(payload) >= _HELLO_FIXED_BYTES else None


@dataclass(frozen=True, slots=True)
class Proof:
    """11: the terminal shows that it has the key, and gives its own random bytes."""

    tag: bytes
    r3: bytes

    def build(self) -> bytes:
        """11, S1t, R3."""
        return bytes((MessageType.PROOF,)) + self.tag + self.r3

    @classmethod
    def parse(cls, payload: bytes, layout: Layout) -> "Proof":
        """The Proof of a whole payload; DecodeError otherwise."""
        check_payload(payload, MessageType.PROOF, 1 + layout.tag + layout.r3)
        return cls(payload[1 : 1 + layout.tag], payload[1 + layout.tag :])


def command_head(code: int, sequence: int) -> bytes:
    """H, the five bytes code(1), sequence(4)."""
    return code.to_bytes(1, "big") + sequence.to_bytes(4, "big")


@dataclass(frozen=True, slots=True)
class SealedCommand:
    """12: what the terminal shall do. ``body`` is E, as sent (encrypted, or plain where tdes-1998 sends it plain)."""

    code: int
    sequence: Sequence
    body: bytes
    tag: bytes

    def build(self) -> bytes:
        """12, H(5), E, S2h."""
        return bytes((MessageType.COMMAND,)) + command_head(self.code, self.sequence) + self.body + self.tag

    @classmethod
    def parse(cls, payload: bytes, layout: Layout) -> "SealedCommand":
        """The Command of a whole payload; E is whatever stands between H and the tag, maybe nothing."""
        check_payload(payload, MessageType.COMMAND, 1 + COMMAND_HEAD_BYTES + layout.tag, longer=True)
        body_at, tag_at = 1 + COMMAND_HEAD_BYTES, len(payload) - layout.tag
        sequence = Sequence(int.from_bytes(payload[2:body_at], "big"))
        return cls(payload[1], sequence, payload[body_at:tag_at], payload[tag_at:])


@dataclass(frozen=True, slots=True)
class SealedResult:
    """13: what came of it. ``body`` is M; ``tag`` is S3t in tdes-1998 and empty in aes-2026, whose M proves itself."""

    body: bytes
    tag: bytes = b""

    def build(self) -> bytes:
        """13, M, and S3t in tdes-1998."""
        return bytes((MessageType.RESULT,)) + self.body + self.tag

    @classmethod
    def parse(cls, payload: bytes, tag_bytes: int) -> "SealedResult":
        """The Result of a whole payload whose last ``tag_bytes`` (0 in aes-2026) are S3t."""
        check_payload(payload, MessageType.RESULT, 1 + tag_bytes, longer=True)
        tag_at = len(payload) - tag_bytes
        return cls(payload[1:tag_at], payload[tag_at:])


@dataclass(frozen=True, slots=True)
class Refusal:
    """1F: the terminal will not go on. Never believed; it may only make the host start anew sooner."""

    reason: RefusalReason

    def build(self) -> bytes:
        """1F, reason(1)."""
        return bytes((MessageType.REFUSAL, self.reason))

    @classmethod
    def parse(cls, payload: bytes) -> "Refusal":
        """The Refusal of a whole payload; DecodeError for a reason that does not exist."""
        check_payload(payload, MessageType.REFUSAL, 2)
        if payload[1] not in RefusalReason._value2member_map_:
            raise DecodeError(1, "reason", f"{payload[1]} is not 1 to 7")
        return cls(RefusalReason(payload[1]))


def check_payload(payload: bytes, kind: MessageType, size: int, *, longer: bool = False) -> None:
    """DecodeError unless ``payload`` begins with its type byte and has ``size`` bytes (or more, where ``longer``)."""
    if not payload or payload[0] != kind:
        raise DecodeError(0, "type", f"{payload[:1].hex() or 'nothing'} is not {kind:02X}")
    if len(payload) < size or (len(payload) > size and not longer):
        allowed = f"at least {size}" if longer else f"{size}"
        raise DecodeError(min(size, len(payload)), "end", f"{len(payload)} bytes, {kind.name} has {allowed}")
