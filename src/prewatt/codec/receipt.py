"""The receipt: the 36 bytes with which every Result and Report starts.

It names the balance and, more than that, which order holds the meter's last sequence: the host believes only the
holder of a sequence, never a balance. The ring keeps the last sixteen holders.
"""

from dataclasses import dataclass
from enum import IntEnum
from struct import Struct
from typing import Final

from prewatt.codec.errors import DecodeError
from prewatt.codec.reader import Reader
from prewatt.units import MeterId, Micro, Sequence

__all__ = [
    "NO_TAG",
    "RECEIPT_BYTES",
    "RING_ENTRIES_MAX",
    "RING_ENTRY_BYTES",
    "TAG_BYTES",
    "Receipt",
    "RingEntry",
    "Status",
]

RECEIPT_BYTES: Final = 36
RING_ENTRY_BYTES: Final = 20
RING_ENTRIES_MAX: Final = 16
TAG_BYTES: Final = 8
NO_TAG: Final = bytes(TAG_BYTES)
# balance, id, status, last sequence, last tag, last amount, last control; a host opens thousands of these a second.
_LAYOUT: Final = Struct(">Q3sBI8sqI")
_STATUS_OFFSET: Final = 11


class Status(IntEnum):
    """What became of a command; with anything but DONE nothing changed and no sequence was used."""

    DONE = 0
    SEQUENCE = 1
    IMPOSSIBLE = 2
    CONTROL = 3


@dataclass(frozen=True, slots=True)
class Receipt:
    """The meter's authenticated word on its balance and on the order that holds its last sequence."""

    balance_micro: Micro
    meter_id: MeterId
    status: Status
    last_sequence: Sequence
    last_tag: bytes
    last_amount_micro: int
    last_control: int

    def build(self) -> bytes:
        """The 36 bytes."""
        return _LAYOUT.pack(
            self.balance_micro,
            self.meter_id,
            self.status,
            self.last_sequence,
            self.last_tag,
            self.last_amount_micro,
            self.last_control,
        )

    @classmethod
    def parse(cls, data: bytes) -> "Receipt":
        """The receipt of exactly 36 bytes; DecodeError otherwise or for an unknown status."""
        if len(data) != RECEIPT_BYTES:
            raise DecodeError(min(len(data), RECEIPT_BYTES), "receipt", f"{len(data)} bytes are not {RECEIPT_BYTES}")
        balance, meter_id, status, sequence, tag, amount, control = _LAYOUT.unpack(data)
        if status > Status.CONTROL:
            raise DecodeError(_STATUS_OFFSET, "status", f"{status} is not 0 to {int(Status.CONTROL)}")
        return cls(Micro(balance), MeterId(meter_id), Status(status), Sequence(sequence), tag, amount, control)

    @classmethod
    def read(cls, reader: Reader) -> "Receipt":
        """The receipt that stands next in ``reader``."""
        return cls.parse(reader.take(RECEIPT_BYTES, "receipt"))


@dataclass(frozen=True, slots=True)
class RingEntry:
    """One fact of the ring: the order with ``tag`` holds ``sequence`` in this meter. It stays true for ever."""

    sequence: Sequence
    tag: bytes
    amount_micro: int

    def build(self) -> bytes:
        """The 20 bytes: sequence(4), tag(8), amount i64."""
        return self.sequence.to_bytes(4, "big") + self.tag + self.amount_micro.to_bytes(8, "big", signed=True)

    @classmethod
    def read(cls, reader: Reader) -> "RingEntry":
        """The entry that stands next in ``reader``."""
        return cls(Sequence(reader.u32("sequence")), reader.take(TAG_BYTES, "tag"), reader.i64("amount"))
