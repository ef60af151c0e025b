"""The event log and the registers of closed periods: torn cells, full logs, periods that come again."""

from hypothesis import given, settings
from hypothesis import strategies as st

from prewatt.codec.events import EventCode, EventRecord
from prewatt.codec.modetable import flat_table
from prewatt.codec.reader import Reader
from prewatt.device.meter.calendar import LocalCalendar
from prewatt.device.meter.log import LOG_CELLS, EventLog
from prewatt.device.meter.nvm import MemoryNvm, PowerCut, Torn
from prewatt.device.meter.registers import Period, PeriodRings, Registers

DAY_S = 86_400
START_S = 1_767_225_600
UTC_CALENDAR = LocalCalendar.of(flat_table())


def test_events_are_numbered_for_ever_and_read_back_in_order():
    nvm = MemoryNvm()
    log = EventLog(nvm)
    for number in range(1, 3 * LOG_CELLS):
        log.append(number * 10, EventCode.SURGE, bytes((number % 256,)) * (number % 17), number - 1)
    again = EventLog(nvm)
    assert again.newest == 3 * LOG_CELLS - 1
    read = list(again.read_after(0, 10**6))
    assert [event.number for event in read] == list(range(2 * LOG_CELLS, 3 * LOG_CELLS))
    assert all(event == EventRecord(event.number, event.number * 10, EventCode.SURGE, event.detail) for event in read)


def test_a_full_log_drops_the_new_and_says_so_but_keeps_room_for_alarms():
    log = EventLog(MemoryNvm())
    first = [log.append(1, EventCode.SURGE, b"", 0) for _ in range(LOG_CELLS - 32)]
    assert None not in first
    assert first[-1].code == EventCode.LOG_OVERFLOW
    assert log.append(1, EventCode.SURGE, b"", 0) is None
    alarms = [log.append(1, EventCode.BYPASS, b"", 0) for _ in range(32)]
    assert all(event.code == EventCode.BYPASS for event in alarms)
    assert log.append(1, EventCode.BYPASS, b"", 0) is None
    assert log.read(1) == first[0]
    assert log.append(1, EventCode.SURGE, b"", log.newest).number == LOG_CELLS + 1


def test_a_cell_torn_at_any_byte_is_the_old_event_or_none_and_its_number_is_given_again():
    for cut in range(33):
        for torn in Torn:
            nvm = MemoryNvm()
            log = EventLog(nvm)
            kept = log.append(5, EventCode.COVER_OPENED, b"\1", 0)
            nvm.cut_after(cut, torn)
            try:
                log.append(6, EventCode.BYPASS, b"\2\3", 0)
            except PowerCut:
                nvm.restore_power()
            again = EventLog(nvm)
            assert again.read(1) == kept
            if again.newest == 2:
                assert again.read(2) == EventRecord(2, 6, EventCode.BYPASS, b"\2\3")
            else:
                assert again.append(7, EventCode.SURGE, b"", 0).number == 2


def test_periods_close_at_local_midnight_and_are_kept():
    nvm = MemoryNvm()
    rings, registers = PeriodRings(nvm), Registers.new(UTC_CALENDAR, START_S)
    for day in range(100):
        registers.roll(rings, UTC_CALENDAR, START_S + day * DAY_S)
        registers.total_pulses += day
    first = UTC_CALENDAR.read_day(START_S)
    assert registers.read_period(Period.DAY) == 99
    assert [rings.read(Period.DAY, first + day) for day in range(99 - 60, 99)] == list(range(99 - 60, 99))
    assert rings.read(Period.DAY, first) is None
    assert rings.read(Period.MONTH, 2026 * 12) == sum(range(31))
    assert rings.read(Period.MONTH, 2026 * 12 + 1) == sum(range(31, 59))
    assert registers.read_period(Period.YEAR) == sum(range(100))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 1_000)), max_size=40))
def test_a_day_that_comes_again_goes_on_where_it_was(visits):
    """The clock may wander over days in any order: each day's register is all that was counted in it."""
    rings, registers = PeriodRings(MemoryNvm()), Registers.new(UTC_CALENDAR, START_S)
    counted: dict[int, int] = {}
    for day, pulses in visits:
        registers.roll(rings, UTC_CALENDAR, START_S + day * DAY_S)
        registers.total_pulses += pulses
        counted[day] = counted.get(day, 0) + pulses
        assert registers.read_period(Period.DAY) == counted[day]
        built = registers.build()
        registers = Registers.read(Reader(built))
        assert registers.build() == built
    assert registers.total_pulses == sum(counted.values())
    assert registers.read_period(Period.YEAR) == sum(counted.values())
