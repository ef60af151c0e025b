"""The minute memory and what is burned again after a hard cut: every pulse once, whatever byte the power goes at."""

from contextlib import suppress
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prewatt.device.meter.journal import Journal
from prewatt.device.meter.minutes import (
    MINUTE_CELLS,
    MINUTE_REGIONS,
    NO_POWER,
    READING_MAX,
    MinuteMemory,
    Replay,
    StoredMinute,
    close_minute,
    plan_resume,
    turn_back,
)
from prewatt.device.meter.money import ACC_PER_MICRO, Money, MoneyLimits
from prewatt.device.meter.nvm import MemoryNvm, PowerCut, Region, Torn
from prewatt.device.meter.record import EnergyPosition, Record
from prewatt.device.meter.tokens import Sam, burn, burn_through, rate_of

MINUTE = 29_000_017
TEARS = [(Torn.OLD, 0), (Torn.NEW, 0), *((Torn.GARBAGE, byte) for byte in (0x00, 0x5A, 0xFF))]
LIMITS = MoneyLimits(token_micro=7, ceiling_micro=10**12, owed_max_micro=10**9)
PRICE_MICRO = 123_456


def test_a_minute_reads_back_and_all_others_are_without_power() -> None:
    memory = MinuteMemory(MemoryNvm())
    memory.write(MINUTE, 0, 0, 0)
    memory.write(MINUTE + 2, READING_MAX, 255, 255)
    assert memory.read(MINUTE - 1, 5) == [NO_POWER, 0, NO_POWER, READING_MAX, NO_POWER]
    assert memory.read_minute(MINUTE + 2) == StoredMinute(READING_MAX, 255, 255)
    assert memory.read_minute(MINUTE + 1) is None


def test_thirty_five_days_are_kept_and_the_minute_before_them_is_not() -> None:
    memory = MinuteMemory(MemoryNvm())
    for minute in (MINUTE, MINUTE + 1, MINUTE + MINUTE_CELLS - 1, MINUTE + MINUTE_CELLS):
        memory.write(minute, minute % 1000, 0, 0)
    assert memory.read_minute(MINUTE) is None
    days = memory.read(MINUTE + 1, MINUTE_CELLS)
    assert (days[0], days[-1]) == ((MINUTE + 1) % 1000, (MINUTE + MINUTE_CELLS) % 1000)
    assert days.count(NO_POWER) == MINUTE_CELLS - 3


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, READING_MAX)), max_size=60), st.integers(1, 12))
def test_the_ring_is_a_map_of_the_newest_minutes(written: list[tuple[int, int]], cells: int) -> None:
    memory, newest = MinuteMemory(MemoryNvm(), cells=cells), dict[int, tuple[int, int]]()
    for offset, reading in written:
        memory.write(MINUTE + offset, reading, 3, 1)
        newest[(MINUTE + offset) % cells] = (MINUTE + offset, reading)
    held = dict(newest.values())
    for start in range(MINUTE - 2, MINUTE + 44):
        expected = [held.get(minute, NO_POWER) for minute in range(start, start + cells)]
        assert memory.read(start, cells) == expected


def test_readings_and_counts_out_of_range_are_refused() -> None:
    memory = MinuteMemory(MemoryNvm())
    for reading, surcharge in ((-1, 0), (NO_POWER, 0), (0, -1), (0, 256)):
        with pytest.raises(ValueError, match="do not fit"):
            memory.write(MINUTE, reading, surcharge, 0)
    for count in (-1, MINUTE_CELLS + 1):
        with pytest.raises(ValueError, match="count"):
            memory.read(MINUTE, count)
    for cells in (0, MINUTE_CELLS + 1):
        with pytest.raises(ValueError, match="cells"):
            MinuteMemory(MemoryNvm(), cells=cells)


@pytest.mark.parametrize("old", [None, (MINUTE - 5, 700, 9, 3), (MINUTE, 700, 9, 3), (MINUTE - 256 * 5, 5, 9, 4)])
def test_a_torn_cell_is_no_power_or_what_stood_there_or_the_new_minute(old: tuple[int, int, int, int] | None) -> None:
    for torn, garbage in [(Torn.OLD, 0), (Torn.NEW, 0), *((Torn.GARBAGE, byte) for byte in range(256))]:
        for after in range(9):
            nvm = MemoryNvm()
            memory = MinuteMemory(nvm, cells=5)
            if old:
                memory.write(*old)
            nvm.cut_after(after, torn, garbage)
            with pytest.raises(PowerCut):
                memory.write(MINUTE, 300, 20, 4)
            nvm.restore_power()
            stood = StoredMinute(*old[1:]) if old and old[0] == MINUTE else None
            assert memory.read_minute(MINUTE) in (None, stood, StoredMinute(300, 20, 4))


def test_each_minute_wears_its_cell_once_in_thirty_five_days() -> None:
    nvm = MemoryNvm()
    memory = MinuteMemory(nvm)
    for minute in range(MINUTE - MINUTE % MINUTE_CELLS, MINUTE - MINUTE % MINUTE_CELLS + 400):
        memory.write(minute, 5, 0, 0)
    cells_in_a_block = 4
    assert nvm.read_wear() == {Region.MINUTES: cells_in_a_block}


def test_a_reading_that_does_not_fit_carries_on_into_the_next_minute() -> None:
    memory = MinuteMemory(MemoryNvm())
    closed = close_minute([memory], EnergyPosition(MINUTE, (150_000,)), 0, MINUTE + 1)
    assert closed.position == EnergyPosition(MINUTE + 1, (150_000 - READING_MAX,))
    closed = close_minute([memory], closed.position, 0, MINUTE + 2)
    closed = close_minute([memory], closed.position, 0, MINUTE + 3)
    assert closed.position.pulses == (0,)
    assert memory.read(MINUTE, 3) == [READING_MAX, READING_MAX, 150_000 - 2 * READING_MAX]


def test_what_is_carried_and_burned_is_not_burned_again_after_a_cut() -> None:
    memory = MinuteMemory(MemoryNvm())
    journalled = EnergyPosition(MINUTE, (150_000,))
    closed = close_minute([memory], journalled, 0, MINUTE + 1)
    assert plan_resume(journalled, [memory]) == plan_resume(closed.position, [memory])
    counted = closed.position.counted(0, 40)
    close_minute([memory], close_minute([memory], counted, 7, MINUTE + 2).position, 7, MINUTE + 3)
    plan = plan_resume(journalled, [memory])
    assert plan.replays == (Replay(MINUTE + 2, 0, 150_000 - 2 * READING_MAX, 150_040 - 2 * READING_MAX, 7),)
    assert plan.position == EnergyPosition(MINUTE + 3)


def test_minutes_that_do_not_follow_make_a_write_due() -> None:
    memory = MinuteMemory(MemoryNvm())
    assert not close_minute([memory], EnergyPosition(MINUTE), 0, MINUTE + 1).write_due
    assert close_minute([memory], EnergyPosition(MINUTE), 0, MINUTE + 2).write_due
    with pytest.raises(ValueError, match="does not follow"):
        close_minute([memory], EnergyPosition(MINUTE), 0, MINUTE)


class ForgetfulNvm(MemoryNvm):
    """A memory whose next writes return and come to nothing."""

    lost = 0

    def write(self, region: Region, offset: int, data: bytes) -> None:
        if self.lost:
            self.lost -= 1
            return
        super().write(region, offset, data)


@pytest.mark.parametrize(("lost", "reading"), [(1, 9), (2, 9), (3, NO_POWER)])
def test_a_cell_that_does_not_read_back_is_written_again_and_makes_a_write_due(lost: int, reading: int) -> None:
    nvm = ForgetfulNvm()
    nvm.lost = lost
    memory = MinuteMemory(nvm)
    closed = close_minute([memory], EnergyPosition(MINUTE).counted(0, 9), 0, MINUTE + 1)
    assert (closed.position, closed.write_due) == (EnergyPosition(MINUTE + 1), True)
    assert memory.read(MINUTE, 1) == [reading]
    assert not close_minute([memory], closed.position, 0, MINUTE + 2).write_due


def test_an_unfinished_minute_without_a_journalled_pulse_stays_without_power() -> None:
    memory = MinuteMemory(MemoryNvm())
    close_minute([memory], EnergyPosition(MINUTE), 0, MINUTE + 9, cut_short=True)
    close_minute([memory], EnergyPosition(MINUTE + 1, (4,)), 0, MINUTE + 9, cut_short=True)
    assert memory.read(MINUTE, 2) == [NO_POWER, 4]


def test_minutes_before_the_clock_was_set_back_are_never_burned_again() -> None:
    memory = MinuteMemory(MemoryNvm())
    position = EnergyPosition(MINUTE, era=255)
    for minute in range(MINUTE, MINUTE + 10):
        position = close_minute([memory], position.counted(0, 50), 0, minute + 1).position
    again = turn_back(position, MINUTE + 3)
    assert again == EnergyPosition(MINUTE + 3, (0,), 0)
    assert plan_resume(again, [memory]).replays == ()
    close_minute([memory], again.counted(0, 8), 0, MINUTE + 4)
    assert plan_resume(again, [memory]).replays == (Replay(MINUTE + 3, 0, 0, 8, 0),)
    assert memory.read(MINUTE + 2, 3) == [50, 8, 50]


def test_a_plan_ends_with_the_ring_even_if_no_record_was_written_for_longer() -> None:
    memory = MinuteMemory(MemoryNvm(), cells=6)
    for minute in range(MINUTE, MINUTE + 30):
        memory.write(minute, 1, 0, 0)
    assert len(plan_resume(EnergyPosition(MINUTE + 24), [memory]).replays) == 6
    assert plan_resume(EnergyPosition(MINUTE), [memory]).replays == ()


class LoggedNvm(MemoryNvm):
    """A memory that remembers where its writes began and ended, in written bytes."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[tuple[int, int]] = []

    def write(self, region: Region, offset: int, data: bytes) -> None:
        self.writes.append((self.written_bytes, self.written_bytes + len(data)))
        super().write(region, offset, data)

    def points_to_cut(self, since: int) -> list[int]:
        """Every byte near a write's edges and some between; the journal's own test has every byte of its writes."""
        points = set[int]()
        for start, end in self.writes:
            if start >= since:
                points |= {
                    point for point in range(start, end) if min(point - start, end - point) < 9 or point % 53 == 0
                }
        return sorted(point - since for point in points)


@dataclass
class House:
    """A small driver that does what the meter has to: burn, journal where it is due, close the minute."""

    nvm: MemoryNvm
    sources: int
    money: Money = field(default_factory=Money)
    position: EnergyPosition = field(default_factory=lambda: EnergyPosition(MINUTE))
    journalled_svm_micro: int = 0

    def __post_init__(self) -> None:
        self.journal = Journal(self.nvm)
        self.memories = [MinuteMemory(self.nvm, region) for region in MINUTE_REGIONS[: self.sources]]

    @staticmethod
    def surcharge_of(minute: int) -> int:
        return minute * 7 % 31

    def burn_source(self, source: int, pulses: int) -> None:
        rate = rate_of(PRICE_MICRO * (source + 1), 100, 100 + self.surcharge_of(self.position.minute))
        while pulses:
            burned = burn(self.money, rate, pulses, LIMITS, Sam(self.journalled_svm_micro))
            self.money, pulses = burned.money, pulses - burned.pulses
            self.position = self.position.counted(source, burned.pulses)
            if burned.write_due:
                self.store()

    def store(self) -> None:
        self.journal.store(Record(self.money, self.position))
        self.journalled_svm_micro = self.money.svm_micro

    def live(self, minute: int, loads: tuple[int, ...]) -> None:
        for source, pulses in enumerate(loads):
            self.burn_source(source, pulses)
        self.position = close_minute(self.memories, self.position, self.surcharge_of(minute), minute + 1).position

    def power_up(self, minute: int) -> None:
        record = self.journal.load()
        plan = plan_resume(record.position, self.memories)
        self.money, sam = record.money, Sam(record.money.svm_micro)
        for replay in plan.replays:
            rate = rate_of(PRICE_MICRO * (replay.source + 1), 100, 100 + replay.surcharge_percent)
            assert replay.surcharge_percent == self.surcharge_of(replay.minute)
            pulses = replay.total - replay.first
            self.money = burn_through(self.money, rate, pulses, LIMITS, sam).money
        self.position = plan.position
        if minute > self.position.minute:
            surcharge = self.surcharge_of(self.position.minute)
            self.position = close_minute(self.memories, self.position, surcharge, minute, cut_short=True).position
        self.store()

    def energy_acc(self) -> int:
        """What all energy that the meter knows of should have added to acc."""
        total = 0
        for source, memory in enumerate(self.memories):
            readings = memory.read(MINUTE - 5, 60)
            readings[self.position.minute - MINUTE + 5] = self.position.pulses[source]
            for minute, reading in enumerate(readings, MINUTE - 5):
                if reading != NO_POWER:
                    total += reading * PRICE_MICRO * (source + 1) * 100 * (100 + self.surcharge_of(minute))
        return total

    def check(self) -> None:
        self.money.check()
        assert self.money.burned_micro * ACC_PER_MICRO + self.money.acc == self.energy_acc()


def new_house(sources: int, svm_micro: int) -> House:
    house = House(MemoryNvm(), sources)
    money = Money(svm_micro=svm_micro, received_micro=svm_micro)
    house.journal.create(Record(money, EnergyPosition(MINUTE, (0,) * sources)))
    house.power_up(MINUTE)
    return house


def live_all(house: House, loads: list[tuple[int, ...]]) -> None:
    while house.position.minute - MINUTE < len(loads):
        house.live(house.position.minute, loads[house.position.minute - MINUTE])


LOADS_ONE = [(5,), (9,), (0,), (12,), (3,)]
LOADS_TWO = [(5, 2), (0, 4), (6, 0), (3, 3)]


@pytest.mark.parametrize(("loads", "svm_micro"), [(LOADS_ONE, 10**6), (LOADS_ONE, 150), (LOADS_TWO, 10**6)])
def test_a_cut_after_any_byte_burns_every_known_pulse_once(loads: list[tuple[int, ...]], svm_micro: int) -> None:
    start = new_house(len(loads[0]), svm_micro)
    whole = House(LoggedNvm(), start.sources)
    for region in (Region.JOURNAL_A, Region.JOURNAL_B, *MINUTE_REGIONS):
        whole.nvm.write(region, 0, start.nvm.read(region, 0, region.size))
    whole.power_up(MINUTE)
    before = whole.nvm.written_bytes
    live_all(whole, loads)
    whole.check()
    for torn, garbage in TEARS:
        for after in whole.nvm.points_to_cut(before):
            house = House(start.nvm.copy(), start.sources)
            house.power_up(MINUTE)
            house.nvm.cut_after(after, torn, garbage)
            with pytest.raises(PowerCut):
                live_all(house, loads)
            assert_recovers(house, loads, after)


def assert_recovers(house: House, loads: list[tuple[int, ...]], after: int) -> None:
    """Power returns in the cut's own minute or in a later one, is cut again on the way up, and returns."""
    closed_minute = house.position.minute
    gap = (0, 1, 3)[after % 3]
    nvm = house.nvm.copy()
    again = House(nvm, house.sources)
    nvm.cut_after(after * 13 % 470, Torn.GARBAGE, after % 256)
    with suppress(PowerCut):
        again.power_up(closed_minute + gap)
    nvm.restore_power()
    again = House(nvm, house.sources)
    again.power_up(closed_minute + gap)
    again.check()
    for source, memory in enumerate(again.memories):
        known = memory.read(MINUTE, closed_minute - MINUTE)
        assert known == [load[source] for load in loads[: closed_minute - MINUTE]]
    again.live(again.position.minute, loads[0])
    again.check()


def test_pulses_after_the_last_record_are_lost_in_energy_and_money_alike() -> None:
    house = new_house(1, 10**6)
    house.live(MINUTE, (900,))
    house.burn_source(0, 1)
    house.store()
    burned_micro = house.money.burned_micro
    house.journalled_svm_micro = house.money.svm_micro
    back = House(house.nvm.copy(), 1)
    back.power_up(MINUTE + 20)
    assert back.money.burned_micro == burned_micro
    assert back.memories[0].read(MINUTE, 3) == [900, 1, NO_POWER]
    back.check()
