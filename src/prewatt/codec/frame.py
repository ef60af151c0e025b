"""The link frame of the power line, and how frames are found again in a stream that noise has been at.

7E, M-ID(1), direction and flags(1), frame number(1), ID(3), length(2), payload, CRC-16/X.25(2). The CRC stands over
M-ID to payload and goes out low byte first, as ITU-T X.25 (2.2.7) sends it. Nothing is stuffed: a 7E may stand
anywhere, so the receiver believes a 7E only where a whole frame with a right CRC follows, and otherwise looks for the
next one right behind it. A CRC finds noise, not enemies: what a frame carries proves itself.
"""

from binascii import crc_hqx
from dataclasses import dataclass
from enum import IntFlag
from struct import Struct
from typing import Final

from prewatt.codec.errors import DecodeError
from prewatt.codec.messages import PAYLOAD_BYTES_MAX
from prewatt.codec.reader import Reader
from prewatt.units import METER_ID_BYTES, MeterId

__all__ = ["FRAME_BYTES_MAX", "FRAME_OVERHEAD_BYTES", "START", "Deframer", "Frame", "FrameFlags", "crc_x25"]

START: Final = 0x7E
_START: Final = bytes((START,))
_CRC_BYTES: Final = 2
# 7E, M-ID, flags, number, ID, length
_HEAD: Final = Struct(f">4B{METER_ID_BYTES}sH")
_HEAD_BYTES: Final = _HEAD.size
_LENGTH_OFFSET: Final = _HEAD_BYTES - 2
FRAME_OVERHEAD_BYTES: Final = _HEAD_BYTES + _CRC_BYTES
FRAME_BYTES_MAX: Final = FRAME_OVERHEAD_BYTES + PAYLOAD_BYTES_MAX
_CRC_MASK: Final = 0xFFFF
_BYTE_MAX: Final = 0xFF
# Each byte with its bits in the other order.
_MIRRORED: Final = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


class FrameFlags(IntFlag):
    """Direction and flags; the other bits are kept for later and are zero."""

    NONE = 0
    UP = 0x80
    """From a meter; unset: to one."""
    MORE = 0x40
    """A further fragment of a message that was begun before; with ACK: the whole message is here."""
    ACK = 0x20
    """Acknowledges the fragment of this number; carries nothing."""
    START = 0x10
    """The first fragment of a message; with ACK: begin this message again."""


_KNOWN_FLAGS: Final = int(FrameFlags.UP | FrameFlags.MORE | FrameFlags.ACK | FrameFlags.START)
_FLAGS: Final = {flags: FrameFlags(flags) for flags in range(0x100) if not flags & ~_KNOWN_FLAGS}


def crc_x25(data: bytes) -> int:
    """CRC-16/X.25: polynomial 1021, least bit first, begun with FFFF, inverted; of b"123456789" it is 906E."""
    # The library's CRC-CCITT works highest bit first: turned bytes in, turned result out.
    crc = crc_hqx(data.translate(_MIRRORED), _CRC_MASK)
    return (_MIRRORED[crc & _BYTE_MAX] << 8 | _MIRRORED[crc >> 8]) ^ _CRC_MASK


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame to or from the meter ``meter_id`` behind the modem ``m_id``."""

    m_id: int
    flags: FrameFlags
    number: int
    meter_id: MeterId
    payload: bytes

    def __post_init__(self) -> None:
        if not 0 <= self.m_id <= _BYTE_MAX or not 0 <= self.number <= _BYTE_MAX:
            raise ValueError(f"m_id, number: {self.m_id}, {self.number} are not allowed; allowed is 0 to {_BYTE_MAX}")
        if len(self.meter_id) != METER_ID_BYTES or len(self.payload) > PAYLOAD_BYTES_MAX:
            given = f"{len(self.meter_id)} and {len(self.payload)} bytes"
            raise ValueError(f"id, payload: {given} are not allowed; allowed is 3 and up to {PAYLOAD_BYTES_MAX}")
        if int(self.flags) & ~_KNOWN_FLAGS:
            raise ValueError(f"flags: {int(self.flags):02X} is not allowed; allowed are the bits of {_KNOWN_FLAGS:02X}")

    def build(self) -> bytes:
        """The whole frame."""
        payload = self.payload
        head = _HEAD.pack(START, self.m_id, self.flags, self.number, self.meter_id, len(payload))
        framed = head + payload
        return framed + crc_x25(framed[1:]).to_bytes(_CRC_BYTES, "little")

    @classmethod
    def parse(cls, data: bytes) -> "Frame":
        """The frame that ``data`` is, whole; DecodeError otherwise."""
        # What is right is told in one look; what is not is read field by field, to say what is wrong.
        if FRAME_OVERHEAD_BYTES <= len(data) <= FRAME_BYTES_MAX:
            end = len(data) - _CRC_BYTES
            start, m_id, flags, number, meter_id, length = _HEAD.unpack_from(data)
            known = start == START and length == end - _HEAD_BYTES and flags in _FLAGS
            if known and int.from_bytes(data[end:], "little") == crc_x25(data[1:end]):
                return cls(m_id, _FLAGS[flags], number, MeterId(meter_id), bytes(data[_HEAD_BYTES:end]))
        reader = Reader(data)
        if reader.u8("start") != START:
            raise reader.fail("start", f"{data[0]:02X} is not 7E", back=1)
        m_id, flags, number = reader.u8("M-ID"), reader.u8("flags"), reader.u8("number")
        if flags & ~_KNOWN_FLAGS:
            raise reader.fail("flags", f"{flags:02X} has bits outside {_KNOWN_FLAGS:02X}", back=2)
        meter_id, length = MeterId(reader.take(METER_ID_BYTES, "id")), reader.u16("length")
        if length > PAYLOAD_BYTES_MAX:
            raise reader.fail("length", f"{length} is above {PAYLOAD_BYTES_MAX}", back=2)
        payload, crc = reader.take(length, "payload"), reader.take(_CRC_BYTES, "CRC")
        reader.end()
        if int.from_bytes(crc, "little") != crc_x25(data[1:-_CRC_BYTES]):
            raise reader.fail("CRC", "is not that of the frame", back=_CRC_BYTES)
        return cls(m_id, FrameFlags(flags), number, meter_id, payload)


class Deframer:
    """Frames out of a stream, fed in pieces of any size. It holds at most one frame's bytes back."""

    __slots__ = ("_held",)

    def __init__(self) -> None:
        self._held = b""

    def feed(self, data: bytes) -> list[Frame]:
        """The frames that are whole now, in order. Bytes that belong to none are dropped."""
        return self._take(self._held + data, final=False)

    def flush(self) -> list[Frame]:
        """The line fell silent: what began and will not be completed is dropped; frames found behind it come out."""
        return self._take(self._held, final=True)

    def _take(self, data: bytes, *, final: bool) -> list[Frame]:
        frames: list[Frame] = []
        at = data.find(_START)
        while at >= 0:
            end = _frame_end(data, at)
            if end is not None and end > len(data):
                if not final:
                    break
                end = None
            frame = None if end is None else _frame_or_none(data[at:end])
            if frame is None or end is None:
                at = data.find(_START, at + 1)
            else:
                frames.append(frame)
                at = data.find(_START, end)
        self._held = b"" if at < 0 else data[at:]
        return frames


def _frame_end(data: bytes, at: int) -> int | None:
    """Where the frame that begins at ``at`` ends, as far as can be seen yet; None where none can begin there."""
    head = data[at : at + _HEAD_BYTES]
    if len(head) > 2 and head[2] & ~_KNOWN_FLAGS:
        return None
    if len(head) < _HEAD_BYTES:
        return at + FRAME_OVERHEAD_BYTES
    length = int.from_bytes(head[_LENGTH_OFFSET:], "big")
    return None if length > PAYLOAD_BYTES_MAX else at + FRAME_OVERHEAD_BYTES + length


def _frame_or_none(data: bytes) -> Frame | None:
    try:
        return Frame.parse(data)
    except DecodeError:
        return None
