"""The record: everything of a meter that changes together, as one durable write.

One journal record holds the whole money state, the energy position up to which it has been burned, and an opaque
control block of the meter (pointers to the bulk slots in use, counters, cause bits, registers). Bulk data is first
written to a slot that is not in use; the record that points to it decides. Layout, big-endian:

    version(1) = 1 | last_control(4) | control_digest(8) | SVM(8) | tank(8) | exchanger(8) | acc(4)
    | received(8) | burned(8) | returned(8) | owed(8)
    | ring entries(1) | 16 x (sequence(4), tag(8), amount i64), newest last, unused ones zero
    | wrong codes(1) | era(1) | minute(4) | sources(1) | 4 x pulses(4), unused ones zero
    | length of control(2) | control

Last sequence, tag and amount are the ring's newest entry; a body without an entry has no epoch.
"""

from dataclasses import dataclass, field
from typing import Final

from prewatt.codec.commands import CONTROL_DIGEST_BYTES
from prewatt.codec.reader import Reader
from prewatt.codec.receipt import RING_ENTRIES_MAX, RING_ENTRY_BYTES, RingEntry
from prewatt.device.meter.money import Money, MoneyError

__all__ = [
    "CONTROL_BYTES_MAX",
    "RECORD_BYTES_MAX",
    "SOURCES_MAX",
    "EnergyPosition",
    "Record",
]

VERSION: Final = 1
# Sources one body can have: the grid, a generator and two more.
SOURCES_MAX: Final = 4
# The meter's control block; with it a record still fits a journal slot of 4 KiB.
CONTROL_BYTES_MAX: Final = 3_072
_RING_BYTES: Final = RING_ENTRIES_MAX * RING_ENTRY_BYTES
_FIXED_BYTES: Final = 1 + 4 + 8 + 3 * 8 + 4 + 4 * 8 + 1 + _RING_BYTES + 1 + 1 + 4 + 1 + 4 * SOURCES_MAX + 2
RECORD_BYTES_MAX: Final = _FIXED_BYTES + CONTROL_BYTES_MAX
_PULSES_MAX: Final = 2**32 - 1


@dataclass(frozen=True, slots=True)
class EnergyPosition:
    """Up to where energy has been burned: every pulse of the minutes before ``minute`` and, per source, the first
    ``pulses`` of that minute. ``minute`` is the UTC second by the meter's clock divided by 60.

    ``era`` (mod 256) grows when the clock is set back so far that minutes come again: only minutes stored in the same
    era may be burned after a power cut, those of an earlier one already were.
    """

    minute: int
    pulses: tuple[int, ...] = (0,)
    era: int = 0

    def counted(self, source: int, pulses: int) -> "EnergyPosition":
        """The position after ``pulses`` more of a source in the same minute."""
        held = self.pulses
        return EnergyPosition(self.minute, (*held[:source], held[source] + pulses, *held[source + 1 :]), self.era)


@dataclass(frozen=True, slots=True)
class Record:
    """See the module. ``wrong_codes`` counts wrong value codes since the last right one, up to 255."""

    money: Money
    position: EnergyPosition
    control: bytes = field(default=b"", repr=False)
    wrong_codes: int = 0

    def build(self) -> bytes:
        """The bytes; MoneyError, before anything is written, for money that breaks the law or fields out of range."""
        money, position = self.money, self.position
        money.check()
        self._check_fields()
        ring = b"".join(entry.build() for entry in money.ring)
        pulses = b"".join(count.to_bytes(4, "big") for count in position.pulses)
        return b"".join(
            (
                VERSION.to_bytes(1, "big"),
                money.last_control.to_bytes(4, "big"),
                money.control_digest,
                money.svm_micro.to_bytes(8, "big"),
                money.tank_micro.to_bytes(8, "big"),
                money.exchanger_micro.to_bytes(8, "big"),
                money.acc.to_bytes(4, "big"),
                money.received_micro.to_bytes(8, "big"),
                money.burned_micro.to_bytes(8, "big"),
                money.returned_micro.to_bytes(8, "big"),
                money.owed_micro.to_bytes(8, "big"),
                len(money.ring).to_bytes(1, "big"),
                ring.ljust(_RING_BYTES, b"\0"),
                self.wrong_codes.to_bytes(1, "big"),
                position.era.to_bytes(1, "big"),
                position.minute.to_bytes(4, "big"),
                len(position.pulses).to_bytes(1, "big"),
                pulses.ljust(4 * SOURCES_MAX, b"\0"),
                len(self.control).to_bytes(2, "big"),
                self.control,
            )
        )

    @classmethod
    def parse(cls, data: bytes) -> "Record":
        """The record of exactly these bytes; DecodeError for any other, and for money that breaks the law."""
        reader = Reader(data)
        version = reader.u8("version")
        if version != VERSION:
            raise reader.fail("version", f"{version} is not {VERSION}", back=1)
        money = _read_money(reader)
        wrong_codes = reader.u8("wrong codes")
        position = _read_position(reader)
        length = reader.u16("length of control")
        if length > CONTROL_BYTES_MAX:
            raise reader.fail("length of control", f"{length} is above {CONTROL_BYTES_MAX}", back=2)
        record = cls(money, position, reader.take(length, "control"), wrong_codes)
        reader.end()
        return record

    def _check_fields(self) -> None:
        position = self.position
        ranges = (
            ("control digest", len(self.money.control_digest), CONTROL_DIGEST_BYTES, CONTROL_DIGEST_BYTES),
            ("last control", self.money.last_control, 0, 2**32 - 1),
            ("control block", len(self.control), 0, CONTROL_BYTES_MAX),
            ("wrong codes", self.wrong_codes, 0, 0xFF),
            ("era", position.era, 0, 0xFF),
            ("minute", position.minute, 0, 2**32 - 1),
            ("sources", len(position.pulses), 1, SOURCES_MAX),
            ("pulses", min(position.pulses, default=0), 0, _PULSES_MAX),
            ("pulses", max(position.pulses, default=0), 0, _PULSES_MAX),
        )
        for name, given, low, high in ranges:
            if not low <= given <= high:
                raise MoneyError(f"{name}: {given} is not allowed; allowed is {low} to {high}")


def _read_money(reader: Reader) -> Money:
    last_control, digest = reader.u32("last_control"), reader.take(CONTROL_DIGEST_BYTES, "control_digest")
    money = Money(
        last_control=last_control,
        control_digest=digest,
        svm_micro=reader.u64("svm"),
        tank_micro=reader.u64("tank"),
        exchanger_micro=reader.u64("exchanger"),
        acc=reader.u32("acc"),
        received_micro=reader.u64("received"),
        burned_micro=reader.u64("burned"),
        returned_micro=reader.u64("returned"),
        owed_micro=reader.u64("owed"),
        ring=_read_ring(reader),
    )
    try:
        money.check()
    except MoneyError as error:
        raise reader.fail("money", str(error)) from None
    return money


def _read_ring(reader: Reader) -> tuple[RingEntry, ...]:
    count = reader.u8("ring entries")
    if count > RING_ENTRIES_MAX:
        raise reader.fail("ring entries", f"{count} is above {RING_ENTRIES_MAX}", back=1)
    ring = tuple(RingEntry.read(reader) for _ in range(count))
    _read_zeros(reader, (RING_ENTRIES_MAX - count) * RING_ENTRY_BYTES, "unused ring entries")
    return ring


def _read_position(reader: Reader) -> EnergyPosition:
    era, minute, sources = reader.u8("era"), reader.u32("minute"), reader.u8("sources")
    if not 1 <= sources <= SOURCES_MAX:
        raise reader.fail("sources", f"{sources} is not 1 to {SOURCES_MAX}", back=1)
    pulses = tuple(reader.u32("pulses") for _ in range(sources))
    _read_zeros(reader, 4 * (SOURCES_MAX - sources), "unused pulses")
    return EnergyPosition(minute, pulses, era)


def _read_zeros(reader: Reader, count: int, field_name: str) -> None:
    if any(reader.take(count, field_name)):
        raise reader.fail(field_name, "is not zero", back=count)
