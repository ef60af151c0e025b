"""The standing of a meter: what part 0 of an Info says beside the day's log.

It lets the host check conservation by itself (received = balance + burned + returned - owed, with the balance split as
it lies in SVM, tank and exchanger), settle orders from the ring, and see clock, price, relay and registers.
"""

from dataclasses import dataclass
from typing import Final

from prewatt.codec.reader import Reader
from prewatt.codec.receipt import RING_ENTRIES_MAX, RingEntry

__all__ = ["DIGEST_BYTES", "STEPS_MAX", "Registers", "Split", "Standing"]

DIGEST_BYTES: Final = 8
# As many price steps as a mode table may have.
STEPS_MAX: Final = 16


@dataclass(frozen=True, slots=True)
class Split:
    """Where the balance lies (micro-units), and the part of a micro-unit burned but not yet taken (1e-8)."""

    svm_micro: int
    tank_micro: int
    exchanger_micro: int
    acc: int

    @property
    def balance_micro(self) -> int:
        """The whole balance."""
        return self.svm_micro + self.tank_micro + self.exchanger_micro


@dataclass(frozen=True, slots=True)
class Registers:
    """Energy in pulses: since the beginning, in the running local year, month, week and day, and by price step."""

    total_pulses: int
    year_pulses: int
    month_pulses: int
    week_pulses: int
    day_pulses: int
    step_pulses: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Standing:
    """Money, clock, price, relay and registers at the moment the Info was made."""

    ring: tuple[RingEntry, ...]
    split: Split
    received_micro: int
    burned_micro: int
    returned_micro: int
    owed_micro: int
    unit_price_micro: int
    timer_s: int
    table_digest: bytes
    relay_causes: int
    event_newest: int
    registers: Registers

    def build(self) -> bytes:
        """The bytes, in the order of the fields; see docs/protocol.md, "Info"."""
        split, registers = self.split, self.registers
        return b"".join(
            (
                bytes((len(self.ring),)),
                *(entry.build() for entry in self.ring),
                split.svm_micro.to_bytes(8, "big"),
                split.tank_micro.to_bytes(8, "big"),
                split.exchanger_micro.to_bytes(8, "big"),
                split.acc.to_bytes(4, "big"),
                self.received_micro.to_bytes(8, "big"),
                self.burned_micro.to_bytes(8, "big"),
                self.returned_micro.to_bytes(8, "big"),
                self.owed_micro.to_bytes(8, "big"),
                self.unit_price_micro.to_bytes(8, "big"),
                self.timer_s.to_bytes(4, "big"),
                self.table_digest,
                self.relay_causes.to_bytes(1, "big"),
                self.event_newest.to_bytes(4, "big"),
                registers.total_pulses.to_bytes(8, "big"),
                registers.year_pulses.to_bytes(4, "big"),
                registers.month_pulses.to_bytes(4, "big"),
                registers.week_pulses.to_bytes(4, "big"),
                registers.day_pulses.to_bytes(4, "big"),
                bytes((len(registers.step_pulses),)),
                *(pulses.to_bytes(8, "big") for pulses in registers.step_pulses),
            )
        )

    @classmethod
    def read(cls, reader: Reader) -> "Standing":
        """The standing that is next in ``reader``."""
        return cls(
            ring=tuple(RingEntry.read(reader) for _ in range(_count(reader, "ring", RING_ENTRIES_MAX))),
            split=Split(
                svm_micro=reader.u64("svm"),
                tank_micro=reader.u64("tank"),
                exchanger_micro=reader.u64("exchanger"),
                acc=reader.u32("acc"),
            ),
            received_micro=reader.u64("received"),
            burned_micro=reader.u64("burned"),
            returned_micro=reader.u64("returned"),
            owed_micro=reader.u64("owed"),
            unit_price_micro=reader.u64("unit price"),
            timer_s=reader.u32("timer"),
            table_digest=reader.take(DIGEST_BYTES, "table digest"),
            relay_causes=reader.u8("relay causes"),
            event_newest=reader.u32("newest event"),
            registers=_read_registers(reader),
        )


def _read_registers(reader: Reader) -> Registers:
    return Registers(
        total_pulses=reader.u64("total register"),
        year_pulses=reader.u32("year register"),
        month_pulses=reader.u32("month register"),
        week_pulses=reader.u32("week register"),
        day_pulses=reader.u32("day register"),
        step_pulses=tuple(reader.u64("step register") for _ in range(_count(reader, "steps", STEPS_MAX))),
    )


def _count(reader: Reader, field: str, most: int) -> int:
    count = reader.u8(field)
    if count > most:
        raise reader.fail(field, f"{count} is above {most}", back=1)
    return count
