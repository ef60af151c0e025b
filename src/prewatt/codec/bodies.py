"""What stands in the plain body of each command: values on one side, exact bytes on the other.

`build` gives the body that `Command` takes; `parse` takes what a terminal session hands out, and raises DecodeError
for anything that `build` would not make. Settings (code 0A) have a module of their own.
"""

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

from prewatt.codec.commands import KEY_CHECK_BYTES
from prewatt.codec.errors import DecodeError
from prewatt.codec.messages import LAYOUTS
from prewatt.codec.reader import Reader
from prewatt.codec.receipt import TAG_BYTES

__all__ = [
    "DAY_NONE",
    "DIGEST_BYTES",
    "MODE_TABLE_BYTES_MAX",
    "PART_MODE_TABLE",
    "TEXT_BYTES_MAX",
    "Commission",
    "KeyChange",
    "KeyDrop",
    "ModeChange",
    "RelayOrder",
    "Retire",
    "Text",
    "Transfer",
    "UsageQuery",
]

MODE_TABLE_BYTES_MAX: Final = 256
DIGEST_BYTES: Final = 8
# One message of the meter's display; long enough for a sentence, short enough for tdes-1998's 254 bytes.
TEXT_BYTES_MAX: Final = 160
# A usage query that wants the registers only.
DAY_NONE: Final = 0
# A usage query that wants the mode table itself.
PART_MODE_TABLE: Final = 255


@dataclass(frozen=True, slots=True)
class Transfer:
    """01: positive stores value, negative returns it, zero with a burn's tag only takes the sequence."""

    amount_micro: int
    tag: bytes = field(repr=False)

    def build(self) -> bytes:
        """amount i64, tag(8)."""
        return self.amount_micro.to_bytes(8, "big", signed=True) + self.tag

    @classmethod
    def parse(cls, body: bytes) -> "Transfer":
        """Of exactly 16 bytes."""
        reader = Reader(body)
        transfer = cls(reader.i64("amount"), reader.take(TAG_BYTES, "tag"))
        reader.end()
        return transfer


@dataclass(frozen=True, slots=True)
class ModeChange:
    """02: a price table and the unit price it refers to, in micro-units per kWh."""

    table: bytes
    unit_price_micro: int

    def build(self) -> bytes:
        """table length(2), the table filled with zeros to 256, unit price(8)."""
        filled = self.table.ljust(MODE_TABLE_BYTES_MAX, b"\0")
        if len(filled) > MODE_TABLE_BYTES_MAX:
            raise ValueError(f"table: {len(filled)} bytes are not allowed; allowed is up to {MODE_TABLE_BYTES_MAX}")
        return len(self.table).to_bytes(2, "big") + filled + self.unit_price_micro.to_bytes(8, "big")

    @classmethod
    def parse(cls, body: bytes) -> "ModeChange":
        """Of exactly 266 bytes whose filler is zero."""
        reader = Reader(body)
        length = reader.u16("table length")
        if length > MODE_TABLE_BYTES_MAX:
            raise reader.fail("table length", f"{length} is above {MODE_TABLE_BYTES_MAX}", back=2)
        table, filler = reader.take(length, "table"), reader.take(MODE_TABLE_BYTES_MAX - length, "filler")
        if any(filler):
            raise reader.fail("filler", "is not zero", back=len(filler))
        change = cls(table, reader.u64("unit price"))
        reader.end()
        return change


@dataclass(frozen=True, slots=True)
class UsageQuery:
    """03: the time as the host has it, and what it wants to read. ``day`` counts local days since 1970-01-01."""

    time_s: int
    day: int
    part: int
    table_digest: bytes
    events_acknowledged: int

    def build(self) -> bytes:
        """time(4), day(2), part(1), table digest(8), events acknowledged(4)."""
        wanted = self.time_s.to_bytes(4, "big") + self.day.to_bytes(2, "big") + self.part.to_bytes(1, "big")
        return wanted + self.table_digest + self.events_acknowledged.to_bytes(4, "big")

    @classmethod
    def parse(cls, body: bytes) -> "UsageQuery":
        """Of exactly 19 bytes."""
        reader = Reader(body)
        time_s, day, part = reader.u32("time"), reader.u16("day"), reader.u8("part")
        digest = reader.take(DIGEST_BYTES, "table digest")
        query = cls(time_s, day, part, digest, reader.u32("events acknowledged"))
        reader.end()
        return query


@dataclass(frozen=True, slots=True)
class KeyChange:
    """05: a new terminal key for set ``key_set``; the key is never shown."""

    key_set: int
    terminal_key: bytes = field(repr=False)
    check: bytes

    def build(self) -> bytes:
        """set(1), KT(16 or 32), check value(4)."""
        return self.key_set.to_bytes(1, "big") + self.terminal_key + self.check

    @classmethod
    def parse(cls, body: bytes, suite: int) -> "KeyChange":
        """Of exactly 21 bytes in tdes-1998 (suite 1), 37 in aes-2026 (suite 2)."""
        reader = Reader(body)
        key_set, key = reader.u8("set"), reader.take(LAYOUTS[suite].terminal_key, "KT")
        change = cls(key_set, key, reader.take(KEY_CHECK_BYTES, "check value"))
        reader.end()
        return change


@dataclass(frozen=True, slots=True)
class KeyDrop:
    """0B: the meter forgets its key of a set that another one has replaced."""

    key_set: int

    def build(self) -> bytes:
        """set(1)."""
        return self.key_set.to_bytes(1, "big")

    @classmethod
    def parse(cls, body: bytes) -> "KeyDrop":
        """Of exactly 1 byte."""
        reader = Reader(body)
        drop = cls(reader.u8("set"))
        reader.end()
        return drop


class RelayOrder(IntEnum):
    """06: what the network may ask of the relay; a closed contact is the customer's own act unless set otherwise."""

    OPEN = 1
    ARM = 2
    CLOSE = 3

    def build(self) -> bytes:
        """flags(1)."""
        return self.to_bytes(1, "big")

    @classmethod
    def parse(cls, body: bytes) -> "RelayOrder":
        """Of exactly 1 byte."""
        reader = Reader(body)
        flags = reader.u8("flags")
        reader.end()
        if not cls.OPEN <= flags <= cls.CLOSE:
            raise reader.fail("flags", f"{flags} is not 1 (open), 2 (arm) or 3 (close)", back=1)
        return cls(flags)


@dataclass(frozen=True, slots=True)
class Commission:
    """07: the body that is meant begins to take value, in this epoch.

    ``after`` says which one: the last sequence it holds, 0 for a body without an epoch. The retired body of the same
    id, which a relay may still reach, is another.
    """

    epoch: int
    tag: bytes
    after: int = 0

    def build(self) -> bytes:
        """epoch(1), after(4), tag(8)."""
        return self.epoch.to_bytes(1, "big") + self.after.to_bytes(4, "big") + self.tag

    @classmethod
    def parse(cls, body: bytes) -> "Commission":
        """Of exactly 13 bytes."""
        reader = Reader(body)
        epoch, after = reader.u8("epoch"), reader.u32("after")
        commission = cls(epoch, reader.take(TAG_BYTES, "tag"), after)
        reader.end()
        return commission


@dataclass(frozen=True, slots=True)
class Retire:
    """08: this body takes no more value in its epoch."""

    tag: bytes

    def build(self) -> bytes:
        """tag(8)."""
        return self.tag

    @classmethod
    def parse(cls, body: bytes) -> "Retire":
        """Of exactly 8 bytes."""
        reader = Reader(body)
        retire = cls(reader.take(TAG_BYTES, "tag"))
        reader.end()
        return retire


@dataclass(frozen=True, slots=True)
class Text:
    """09: a message for the meter's display."""

    text: str

    def build(self) -> bytes:
        """UTF-8, at most 160 bytes."""
        encoded = self.text.encode()
        if len(encoded) > TEXT_BYTES_MAX:
            raise ValueError(f"text: {len(encoded)} bytes are not allowed; allowed is up to {TEXT_BYTES_MAX}")
        return encoded

    @classmethod
    def parse(cls, body: bytes) -> "Text":
        """Of at most 160 bytes of valid UTF-8."""
        if len(body) > TEXT_BYTES_MAX:
            raise DecodeError(0, "text", f"{len(body)} bytes are above {TEXT_BYTES_MAX}")
        try:
            return cls(body.decode())
        except UnicodeDecodeError as error:
            raise DecodeError(error.start, "text", "is not UTF-8") from None
