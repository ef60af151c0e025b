"""The receipt: the 36 bytes with which every Result and Report starts.

It names the balance and, more than that, which order holds the meter's last sequence: the host believes only the
holder of a sequence, never a balance. The ring keeps the last sixteen holders.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from prewatt.codec.reader import Reader
from prewatt.units import METER_ID_BYTES, MeterId, Micro, Sequence

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
        return b"".join(
            (
                self.balance_micro.to_bytes(8, "big"),
                self.meter_id,
                self.status.to_bytes(1, "big"),
                self.last_sequence.to_bytes(4, "big"),
                self.last_tag,
                self.last_amount_micro.to_bytes(8, "big", signed=True),
                self.last_control.to_bytes(4, "big"),
            )
        )

    @classmethod
    def parse(cls, data: bytes) -> "Receipt":
        """The receipt of exactly 36 bytes; DecodeError otherwise or for an unknown status."""
        reader = Reader(data)
        receipt = cls.read(reader)
        reader.end()
        return receipt

    @classmethod
    def read(cls, reader: Reader) -> "Receipt":
        """The receipt that stands next in ``reader``."""
        balance = Micro(reader.u64("balance"))
        meter_id = MeterId(reader.take(METER_ID_BYTES, "id"))
        status = reader.u8("status")
        if status > Status.CONTROL:
            raise reader.fail("status", f"{status} is not 0 to 3", back=1)
        return cls(
            balance_micro=balance,
            meter_id=meter_id,
            status=Status(status),
            last_sequence=Sequence(reader.u32("last_sequence")),
            last_tag=reader.take(TAG_BYTES, "last_tag"),
            last_amount_micro=reader.i64("last_amount"),
            last_control=reader.u32("last_control"),
        )


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
