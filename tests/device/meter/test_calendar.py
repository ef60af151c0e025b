"""The local calendar against the zone database: every turn of many years, days of 23, 24 and 25 hours."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pytest

from prewatt.codec.modetable import Daylight, Turn
from prewatt.device.meter.calendar import LocalCalendar
from prewatt.units import DAY_S

SUNDAY = 6
RULES = {
    "Europe/Berlin": (4, Daylight(Turn(3, 5, SUNDAY, 8), Turn(10, 5, SUNDAY, 8))),
    "Europe/London": (0, Daylight(Turn(3, 5, SUNDAY, 4), Turn(10, 5, SUNDAY, 4))),
    "America/New_York": (-20, Daylight(Turn(3, 2, SUNDAY, 8), Turn(11, 1, SUNDAY, 4))),
    "Australia/Sydney": (40, Daylight(Turn(10, 1, SUNDAY, 8), Turn(4, 1, SUNDAY, 8))),
    "Australia/Lord_Howe": (42, Daylight(Turn(10, 1, SUNDAY, 8), Turn(4, 1, SUNDAY, 6), 2)),
    "Asia/Seoul": (36, None),
    "Asia/Kolkata": (22, None),
}
FIRST_YEAR, LAST_YEAR = 2020, 2036


def zone_of(name):
    try:
        return ZoneInfo(name)
    except ZoneInfoNotFoundError:
        pytest.skip("this machine has no zone database to compare with (package tzdata)")


def calendar_of(name):
    return LocalCalendar(*RULES[name])


def offset_of(zone, second):
    return int(datetime.fromtimestamp(second, zone).utcoffset().total_seconds())


@pytest.mark.parametrize("name", RULES)
def test_the_offset_is_the_zone_databases_at_every_turn_and_all_year(name):
    zone, calendar = zone_of(name), calendar_of(name)
    second = int(datetime(FIRST_YEAR, 1, 1, tzinfo=UTC).timestamp())
    end = int(datetime(LAST_YEAR, 1, 1, tzinfo=UTC).timestamp())
    while second < end:
        turn = calendar.read_next_turn_s(second)
        for each in range(second, min(turn, end), 9 * DAY_S + 5_003):
            assert calendar.read_offset_s(each) == offset_of(zone, each)
        if turn >= end:
            break
        for each in (turn - 1, turn, turn + 1):
            assert calendar.read_offset_s(each) == offset_of(zone, each)
        assert calendar.read_offset_s(turn - 1) != calendar.read_offset_s(turn)
        second = turn


@pytest.mark.parametrize("name", RULES)
def test_every_day_begins_at_its_first_second(name):
    zone, calendar = zone_of(name), calendar_of(name)
    lengths = set()
    today = datetime(2026, 1, 1)
    for _ in range(3 * 365):
        day = calendar.read_day(int(today.replace(hour=12, tzinfo=zone).timestamp()))
        start, after = calendar.read_day_start_s(day), calendar.read_day_start_s(day + 1)
        assert start == int(today.replace(tzinfo=zone).timestamp())
        assert calendar.read_date(day) == today.date()
        assert [calendar.read_day(each) for each in (start - 1, start, after - 1, after)] == [
            day - 1,
            day,
            day,
            day + 1,
        ]
        lengths.add((after - start) // 60)
        today += timedelta(days=1)
    daylight = RULES[name][1]
    shift = daylight.shift_quarters * 15 if daylight else 0
    assert lengths == {1440 - shift, 1440, 1440 + shift}


def test_a_day_whose_midnight_is_skipped_begins_with_the_turn():
    calendar = LocalCalendar(0, Daylight(Turn(3, 1, SUNDAY, 0), Turn(10, 1, SUNDAY, 92)))
    turn = calendar.read_next_turn_s(1_767_225_600)
    day = calendar.read_day(turn)
    assert calendar.read_day_start_s(day) == turn
    assert (calendar.read_day(turn - 1), calendar.read_offset_s(turn)) == (day - 1, 3600)
    back = calendar.read_next_turn_s(turn)
    # Clocks fall back from 24:00 to 23:00: one day of 25 hours, and the next begins once.
    assert calendar.read_day_start_s(calendar.read_day(back) + 1) == back + 3600
