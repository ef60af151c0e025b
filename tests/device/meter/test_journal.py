"""The journal on a memory whose power goes: after every byte of every write, the old state or the new one."""

from dataclasses import replace
from itertools import pairwise

import pytest

from prewatt.device.meter.journal import Journal, JournalError
from prewatt.device.meter.money import Money
from prewatt.device.meter.nvm import MemoryNvm, NvmRangeError, PowerCut, Region, Torn
from prewatt.device.meter.record import CONTROL_BYTES_MAX, RECORD_BYTES_MAX, EnergyPosition, Record

TEARS = [(Torn.OLD, 0), (Torn.NEW, 0), *((Torn.GARBAGE, byte) for byte in (0x00, 0x5A, 0xFF))]
SLOTS = (Region.JOURNAL_A, Region.JOURNAL_B)


def record_of(number: int, control: bytes = b"pointers") -> Record:
    """Records that differ in money, position and control block."""
    money = Money(svm_micro=number * 1_000, received_micro=number * 1_001, burned_micro=number)
    return Record(money, EnergyPosition(29_000_000 + number, (number,)), control)


def stored(*numbers: int) -> MemoryNvm:
    nvm = MemoryNvm()
    journal = Journal(nvm)
    journal.create(record_of(numbers[0]))
    for number in numbers[1:]:
        journal.store(record_of(number))
    return nvm


def bytes_of_store(nvm: MemoryNvm, record: Record) -> int:
    twin = nvm.copy()
    journal = Journal(twin)
    journal.load()
    before = twin.written_bytes
    journal.store(record)
    return twin.written_bytes - before


def cut_store(nvm: MemoryNvm, record: Record, after: int, torn: Torn, garbage: int) -> MemoryNvm:
    """The memory as it is found after power went that many bytes into storing ``record``."""
    twin = nvm.copy()
    journal = Journal(twin)
    journal.load()
    twin.cut_after(after, torn, garbage)
    with pytest.raises(PowerCut):
        journal.store(record)
    with pytest.raises(PowerCut):
        journal.load()
    twin.restore_power()
    return twin


@pytest.mark.parametrize("numbers", [(1,), (1, 2), (1, 2, 3)])
def test_power_cut_after_every_byte_leaves_the_old_or_the_new_record(numbers: tuple[int, ...]) -> None:
    nvm, old, new = stored(*numbers), record_of(numbers[-1]), record_of(9)
    size = bytes_of_store(nvm, new)
    for torn, garbage in TEARS:
        for after in range(size + 1):
            found = Journal(cut_store(nvm, new, after, torn, garbage)).load()
            whole = after == size or (after == size - 1 and torn is Torn.NEW)
            assert found == new if whole else found in (old, new)
            if after < size - 1:
                assert found == old


def test_a_cut_in_the_first_write_after_a_recovery_leaves_the_recovered_or_the_next_record() -> None:
    nvm, old, new, next_one = stored(1, 2), record_of(2), record_of(9), record_of(10)
    size = bytes_of_store(nvm, new)
    firsts = [*range(12), *range(12, size, 41), size - 2, size - 1, size]
    for torn, garbage in TEARS:
        for first in firsts:
            once = cut_store(nvm, new, first, torn, garbage)
            recovered = Journal(once).load()
            assert recovered in (old, new)
            for second in range(0, size + 1, 3 if torn is Torn.OLD else 29):
                twice = cut_store(once, next_one, second, torn, garbage)
                assert Journal(twice).load() in (recovered, next_one)


def test_recovery_goes_on_for_ever_under_cuts_at_every_byte() -> None:
    nvm, held = stored(1), record_of(1)
    size = bytes_of_store(nvm, record_of(2))
    for step in range(3 * size):
        wanted = record_of(2 + step)
        nvm = cut_store(nvm, wanted, step * 7 % (size + 1), Torn.GARBAGE, step % 256)
        found = Journal(nvm).load()
        assert found in (held, wanted)
        held = found


def test_a_shorter_record_over_a_longer_one_is_whole() -> None:
    nvm = stored(1)
    journal = Journal(nvm)
    journal.load()
    for length in (CONTROL_BYTES_MAX, 0, 17):
        record = record_of(5, bytes(length))
        journal.store(record)
        assert Journal(nvm).load() == record


def test_the_slots_take_turns_and_wear_alike() -> None:
    nvm = stored(1)
    journal = Journal(nvm)
    journal.load()
    for number in range(2, 102):
        journal.store(record_of(number))
    wear = nvm.read_wear()
    assert [wear[slot] for slot in SLOTS] == [51, 51]


def test_two_refused_slots_are_a_dead_svm_and_never_zero() -> None:
    with pytest.raises(JournalError, match="neither slot"):
        Journal(MemoryNvm()).load()
    nvm = stored(1, 2)
    for slot in SLOTS:
        nvm.write(slot, 40, bytes((nvm.read(slot, 40, 1)[0] ^ 1,)))
    with pytest.raises(JournalError, match="neither slot"):
        Journal(nvm).load()
    for fill in (b"\0", b"\xff"):
        for slot in SLOTS:
            nvm.write(slot, 0, fill * slot.size)
        with pytest.raises(JournalError):
            Journal(nvm).load()


def test_one_flipped_bit_anywhere_falls_back_to_the_other_slot() -> None:
    nvm = stored(1, 2)
    size = bytes_of_store(nvm, record_of(3))
    newest = max(SLOTS, key=lambda slot: nvm.read(slot, 2, 4))
    for offset in range(size):
        twin = nvm.copy()
        twin.write(newest, offset, bytes((twin.read(newest, offset, 1)[0] ^ 1 << offset % 8,)))
        assert Journal(twin).load() == record_of(1)


def test_a_whole_slot_that_cannot_be_read_is_not_replaced_by_an_older_state(monkeypatch: pytest.MonkeyPatch) -> None:
    nvm = stored(1)
    journal = Journal(nvm)
    journal.load()
    build = Record.build
    monkeypatch.setattr(Record, "build", lambda record: b"\x02" + build(record)[1:])
    journal.store(record_of(2))
    with pytest.raises(JournalError, match="cannot be read"):
        Journal(nvm).load()


def test_generations_wrap_as_serial_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    nvm = stored(1)
    journal = Journal(nvm)
    journal.load()
    monkeypatch.setattr(journal, "_generation", 2**32 - 3)
    for number in range(2, 9):
        journal.store(record_of(number))
        if number > 3:
            assert Journal(nvm).load() == record_of(number)


class StuckNvm(MemoryNvm):
    """A memory with a byte that no longer takes what is written."""

    def write(self, region: Region, offset: int, data: bytes) -> None:
        super().write(region, offset, data[:30] + bytes((data[30] ^ 1,)) + data[31:])


def test_a_write_that_does_not_read_back_raises_and_the_old_record_stays() -> None:
    nvm = StuckNvm()
    healthy = stored(1, 2)
    for slot in SLOTS:
        MemoryNvm.write(nvm, slot, 0, healthy.read(slot, 0, slot.size))
    journal = Journal(nvm)
    assert journal.load() == record_of(2)
    with pytest.raises(JournalError, match="read back"):
        journal.store(record_of(3))
    with pytest.raises(JournalError, match="before load"):
        journal.store(record_of(3))
    assert journal.load() == record_of(2)


def test_unlawful_money_is_never_stored() -> None:
    nvm = stored(1, 2)
    journal = Journal(nvm)
    journal.load()
    before = nvm.written_bytes
    with pytest.raises(ValueError, match="received"):
        journal.store(replace(record_of(3), money=Money(svm_micro=1)))
    assert nvm.written_bytes == before
    assert journal.load() == record_of(2)


def test_store_before_load_is_refused() -> None:
    with pytest.raises(JournalError, match="before load"):
        Journal(stored(1)).store(record_of(2))


def test_the_largest_record_fits_both_slots() -> None:
    assert all(slot.size >= RECORD_BYTES_MAX + 10 for slot in SLOTS)


def test_the_memory_refuses_what_is_outside_its_region() -> None:
    nvm = MemoryNvm()
    size = Region.TEXT_A.size
    for offset, length in ((-1, 1), (size, 1), (0, size + 1), (size - 1, 2)):
        with pytest.raises(NvmRangeError, match="text A"):
            nvm.write(Region.TEXT_A, offset, bytes(length))
        with pytest.raises(NvmRangeError, match="text A"):
            nvm.read(Region.TEXT_A, offset, length)
    assert nvm.read(Region.TEXT_A, 0, size) == b"\xff" * size


def write_two_parts(nvm: MemoryNvm) -> None:
    nvm.write(Region.TEXT_A, 0, b"abc")
    nvm.write(Region.TEXT_A, 3, b"de")


def test_a_cut_counts_bytes_across_writes_and_tears_only_a_write_that_goes_on() -> None:
    for after, left in ((2, b"ab\xff\xff\xff"), (3, b"abc\xff\xff"), (4, b"abcdZ"), (0, b"Z\xff\xff\xff\xff")):
        nvm = MemoryNvm()
        nvm.cut_after(after, Torn.GARBAGE, ord("Z"))
        with pytest.raises(PowerCut):
            write_two_parts(nvm)
        nvm.restore_power()
        found = nvm.read(Region.TEXT_A, 0, 5)
        assert found == (b"abZ\xff\xff" if after == 2 else left)


def test_no_two_regions_share_a_name() -> None:
    names = sorted(region.value[0] for region in Region)
    assert all(one != other for one, other in pairwise(names))


class _Astray(MemoryNvm):
    """Some of its next writes go to the other slot, or nowhere."""

    __slots__ = ("elsewhere", "shift", "writes")

    def __init__(self) -> None:
        super().__init__()
        self.elsewhere: dict[int, Region | None] = {}
        self.writes = self.shift = 0

    def write(self, region: Region, offset: int, data: bytes) -> None:
        self.writes += 1
        astray = self.writes in self.elsewhere
        place = self.elsewhere.pop(self.writes, region)
        if place is not None:
            super().write(place, offset + self.shift * astray, data)


@pytest.mark.parametrize("newest", [1, 2, 3])
@pytest.mark.parametrize("lost", [1, 2])
@pytest.mark.parametrize("shift", [0, 1, 32])
def test_a_write_over_the_only_newest_record_is_noticed_and_made_good(newest: int, lost: int, shift: int) -> None:
    nvm = _Astray()
    journal = Journal(nvm)
    journal.create(record_of(1))
    for number in range(2, newest + 1):
        journal.store(record_of(number))
    held = next(slot for slot in SLOTS if slot is not SLOTS[(newest + 1) % 2])
    nvm.shift, nvm.elsewhere = shift, dict.fromkeys(range(nvm.writes + 1, nvm.writes + 1 + lost), held)
    before = nvm.read(held, 0, 64)
    journal.store(record_of(9))
    assert nvm.read(held, 0, 64) != before
    assert Journal(nvm).load() == record_of(9)


def test_a_memory_that_takes_nothing_any_more_is_given_up_after_three_writes() -> None:
    nvm = _Astray()
    journal = Journal(nvm)
    journal.create(record_of(1))
    before = nvm.writes
    nvm.elsewhere = {before + each: None for each in (1, 2, 3)}
    with pytest.raises(JournalError, match="read back"):
        journal.store(record_of(2))
    assert nvm.writes == before + 3
    assert Journal(nvm).load() == record_of(1)
