"""Info: what a meter says of itself and of one day, in parts of at most INFO_PLAIN_MAX bytes.

Info = Log + ModeTB + Timer + Balance + ID. The receipt stands first and is its Balance + ID; then a heading; in part 0
the standing of the meter (ring, split of the balance, what was received, burned, returned and owed, price, clock,
registers); then as much of the day's minute log, packed, as fits; then events and card receipts, oldest first. What
does not fit follows in parts 1, 2 ...: a noisy day takes more parts, and nothing is dropped. The same bytes travel in
the Result of a usage command and in the Report that the meter sends by itself after midnight. docs/protocol.md, "Info".
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from prewatt.codec.errors import DecodeError
from prewatt.codec.events import EventRecord
from prewatt.codec.minutelog import MINUTES_MAX, Packing, pack_fitting, unpack
from prewatt.codec.reader import Reader
from prewatt.codec.receipt import RECEIPT_BYTES, Receipt
from prewatt.codec.standing import Standing

__all__ = [
    "CARD_RECEIPT_BYTES_MAX",
    "INFO_PLAIN_MAX",
    "INFO_VERSION",
    "NO_DAY",
    "PARTS_MAX",
    "PART_TABLE",
    "TABLE_BYTES",
    "Info",
    "InfoPart",
    "TablePart",
    "build_parts",
    "join_parts",
    "parse_part",
]

# A whole Result or Report payload is at most 2,500 bytes in either suite. The dearest wrapping is the aes-2026 Report:
# 10 bytes of head, 16 of seal, 2 of true length; 2,472 are left for the plain part.
INFO_PLAIN_MAX: Final = 2_472
INFO_VERSION: Final = 1
NO_DAY: Final = 0
PARTS_MAX: Final = 255
PART_TABLE: Final = 255
TABLE_BYTES: Final = 256
CARD_RECEIPT_BYTES_MAX: Final = 64
_LIST_MAX: Final = 255
_HEADING_BYTES: Final = 13
# packing(1), length of the log(2), number of events(1), number of card receipts(1)
_COUNTS_BYTES: Final = 5


@dataclass(frozen=True, slots=True)
class Info:
    """Everything one usage command asks for.

    ``day`` counts days since 1970-01-01 in the meter's local calendar (NO_DAY: registers only); ``day_start_s`` is the
    UTC second of its midnight; ``minutes`` are the day's readings in pulses, NO_POWER where there was none.
    """

    receipt: Receipt
    standing: Standing
    day: int = NO_DAY
    day_start_s: int = 0
    minutes: tuple[int, ...] = ()
    events: tuple[EventRecord, ...] = ()
    card_receipts: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class InfoPart:
    """One part as it travels: part 0 has the standing, every part its own stretch of log, events and receipts."""

    receipt: Receipt
    part: int
    parts: int
    day: int
    day_start_s: int
    first_minute: int
    standing: Standing | None
    packing: Packing
    minutes: tuple[int, ...]
    log: bytes
    events: tuple[EventRecord, ...]
    card_receipts: tuple[bytes, ...]

    def build(self) -> bytes:
        """receipt(36), heading(13), standing in part 0, packing(1), length(2), log, events, card receipts."""
        return b"".join(
            (
                self.receipt.build(),
                bytes((INFO_VERSION, self.part, self.parts)),
                self.day.to_bytes(2, "big"),
                self.day_start_s.to_bytes(4, "big"),
                self.first_minute.to_bytes(2, "big"),
                len(self.minutes).to_bytes(2, "big"),
                self.standing.build() if self.standing else b"",
                self.packing.to_bytes(1, "big"),
                len(self.log).to_bytes(2, "big"),
                self.log,
                bytes((len(self.events),)),
                *(event.build() for event in self.events),
                bytes((len(self.card_receipts),)),
                *(bytes((len(entry),)) + entry for entry in self.card_receipts),
            )
        )


@dataclass(frozen=True, slots=True)
class TablePart:
    """Part 255: the newest accepted mode table itself, with its unit price (micro-units per kWh)."""

    receipt: Receipt
    table: bytes
    unit_price_micro: int

    def build(self) -> bytes:
        """receipt(36), version(1), 255, table(256, zero-filled), unit price(8)."""
        head = self.receipt.build() + bytes((INFO_VERSION, PART_TABLE))
        return head + self.table.ljust(TABLE_BYTES, b"\0") + self.unit_price_micro.to_bytes(8, "big")


def build_parts(info: Info, *, plain_max: int = INFO_PLAIN_MAX) -> tuple[bytes, ...]:
    """The parts of ``info``, each at most ``plain_max`` bytes. ValueError where more than 255 would be needed."""
    parts: list[InfoPart] = []
    first_minute, events, receipts = 0, list(info.events), list(info.card_receipts)
    while not parts or first_minute < len(info.minutes) or events or receipts:
        standing = None if parts else info.standing
        fixed = RECEIPT_BYTES + _HEADING_BYTES + _COUNTS_BYTES + (len(standing.build()) if standing else 0)
        room = plain_max - fixed
        count, packing, log = pack_fitting(info.minutes[first_minute:], room_bytes=room)
        room -= len(log)
        whole_log = first_minute + count == len(info.minutes)
        taken_events = _take((len(event.build()) for event in events), room) if whole_log else 0
        room -= sum(len(event.build()) for event in events[:taken_events])
        taken_receipts = _take((1 + len(entry) for entry in receipts), room) if taken_events == len(events) else 0
        parts.append(
            InfoPart(
                receipt=info.receipt,
                part=len(parts),
                parts=0,
                day=info.day,
                day_start_s=info.day_start_s,
                first_minute=first_minute,
                standing=standing,
                packing=packing,
                minutes=info.minutes[first_minute : first_minute + count],
                log=log,
                events=tuple(events[:taken_events]),
                card_receipts=tuple(receipts[:taken_receipts]) if whole_log else (),
            )
        )
        first_minute += count
        del events[:taken_events]
        del receipts[: len(parts[-1].card_receipts)]
        if len(parts) > PARTS_MAX:
            raise ValueError(f"info: needs more than {PARTS_MAX} parts of {plain_max} bytes")
    return tuple(replace(part, parts=len(parts)).build() for part in parts)


def _take(sizes: Iterable[int], room: int) -> int:
    """How many of ``sizes``, from the first, fit in ``room`` bytes and in a list's one-byte count."""
    count = 0
    for size in sizes:
        room -= size
        if room < 0 or count == _LIST_MAX:
            break
        count += 1
    return count


def parse_part(data: bytes) -> InfoPart | TablePart:
    """The part that ``data`` holds; DecodeError where it is not exactly one."""
    reader = Reader(data)
    receipt = Receipt.read(reader)
    version = reader.u8("version")
    if version != INFO_VERSION:
        raise reader.fail("version", f"{version} is not {INFO_VERSION}", back=1)
    part = reader.u8("part")
    if part == PART_TABLE:
        table = TablePart(receipt, reader.take(TABLE_BYTES, "mode table"), reader.u64("unit price"))
        reader.end()
        return table
    parsed = _read_part(reader, receipt, part)
    reader.end()
    return parsed


def _read_part(reader: Reader, receipt: Receipt, part: int) -> InfoPart:
    parts = reader.u8("parts")
    if part >= parts:
        raise reader.fail("part", f"{part} of {parts}", back=2)
    day, day_start_s = reader.u16("day"), reader.u32("day start")
    first_minute, count = reader.u16("first minute"), reader.u16("count")
    if first_minute + count > MINUTES_MAX:
        raise reader.fail("count", f"minute {first_minute} + {count} is past {MINUTES_MAX}", back=2)
    standing = Standing.read(reader) if part == 0 else None
    packing_byte = reader.u8("packing")
    if packing_byte > max(Packing):
        raise reader.fail("packing", f"{packing_byte} is not known", back=1)
    packing = Packing(packing_byte)
    log = reader.take(reader.u16("log length"), "minute log")
    return InfoPart(
        receipt=receipt,
        part=part,
        parts=parts,
        day=day,
        day_start_s=day_start_s,
        first_minute=first_minute,
        standing=standing,
        packing=packing,
        minutes=unpack(packing, log, count),
        log=log,
        events=tuple(EventRecord.read(reader) for _ in range(reader.u8("events"))),
        card_receipts=tuple(_read_card_receipt(reader) for _ in range(reader.u8("card receipts"))),
    )


def _read_card_receipt(reader: Reader) -> bytes:
    length = reader.u8("card receipt length")
    if length > CARD_RECEIPT_BYTES_MAX:
        raise reader.fail("card receipt length", f"{length} is above {CARD_RECEIPT_BYTES_MAX}", back=1)
    return reader.take(length, "card receipt")


def join_parts(parts: Sequence[InfoPart]) -> Info:
    """The whole Info of parts 0 to n-1 of one day, in order; DecodeError where one is missing or of another day.

    Parts may come from sessions apart in time: receipt and standing are those of part 0.
    """
    first = parts[0] if parts else None
    if first is None or first.standing is None:
        raise DecodeError(0, "part", "part 0 is missing")
    minutes: tuple[int, ...] = ()
    for index, part in enumerate(parts):
        if part.part != index or part.day != first.day or part.day_start_s != first.day_start_s:
            raise DecodeError(0, "part", f"part {part.part} of day {part.day} does not follow")
        if part.first_minute != len(minutes):
            raise DecodeError(0, "first minute", f"{part.first_minute} does not continue at {len(minutes)}")
        minutes += part.minutes
    if len(parts) != parts[-1].parts:
        raise DecodeError(0, "parts", f"{len(parts)} of {parts[-1].parts} are here")
    return Info(
        receipt=first.receipt,
        standing=first.standing,
        day=first.day,
        day_start_s=first.day_start_s,
        minutes=minutes,
        events=tuple(event for part in parts for event in part.events),
        card_receipts=tuple(entry for part in parts for entry in part.card_receipts),
    )
