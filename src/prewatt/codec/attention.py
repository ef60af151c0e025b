"""The station's invitation to whoever has something to say: mini-slots, right behind a frame that all meters hear.

Meters on a shared line hold what they say by themselves (Report, Alarm, Wish) until they are invited. The invitation
is a plain frame to M-ID FF and meter FFFFFF, which is given to no meter: 01 | slots(1) | slot_ms(2). Slot k begins k
times slot_ms after the frame. Where meters may speak at any time, the frame is for nobody and is dropped.
"""

from dataclasses import dataclass
from typing import Final

from prewatt.codec.errors import DecodeError
from prewatt.codec.frame import Frame, FrameFlags
from prewatt.codec.reader import Reader
from prewatt.units import MeterId

__all__ = ["BROADCAST_ID", "BROADCAST_M_ID", "SLOTS_MAX", "SLOT_MS_MAX", "Attention"]

BROADCAST_ID: Final = MeterId(b"\xff\xff\xff")
BROADCAST_M_ID: Final = 255
_KIND: Final = 1
SLOTS_MAX: Final = 255
SLOT_MS_MAX: Final = 0xFFFF


@dataclass(frozen=True, slots=True)
class Attention:
    """``slots`` mini-slots of ``slot_ms`` milliseconds each; ValueError for none, or more than the frame can say."""

    slots: int
    slot_ms: int

    def __post_init__(self) -> None:
        if not 1 <= self.slots <= SLOTS_MAX:
            raise ValueError(f"slots: {self.slots} is not allowed; allowed is 1 to {SLOTS_MAX}")
        if not 1 <= self.slot_ms <= SLOT_MS_MAX:
            raise ValueError(f"slot_ms: {self.slot_ms} is not allowed; allowed is 1 to {SLOT_MS_MAX}")

    def build(self) -> bytes:
        """01, slots(1), slot_ms(2)."""
        return bytes((_KIND, self.slots)) + self.slot_ms.to_bytes(2, "big")

    def frame(self, number: int) -> Frame:
        """The frame that invites."""
        return Frame(BROADCAST_M_ID, FrameFlags.NONE, number, BROADCAST_ID, self.build())

    @classmethod
    def parse(cls, payload: bytes) -> "Attention":
        """The invitation of a whole payload; DecodeError otherwise."""
        reader = Reader(payload)
        kind = reader.u8("kind")
        if kind != _KIND:
            raise reader.fail("kind", f"{kind} is not {_KIND}", back=1)
        slots, slot_ms = reader.u8("slots"), reader.u16("slot_ms")
        reader.end()
        if not slots or not slot_ms:
            raise DecodeError(1, "slots", f"{slots} slots of {slot_ms} ms are none")
        return cls(slots, slot_ms)
