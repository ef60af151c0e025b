"""The price in force at any second, against a slow reading of the table built on datetime and the zone database."""

from dataclasses import replace
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pytest

from prewatt.codec.modeexample import EXAMPLE_TABLE
from prewatt.codec.modetable import EVERY_YEAR, DateRange, Daylight, SourcePrice, Turn, Week, flat_table
from prewatt.device.meter.tariff import Tariff
from prewatt.units import UTC_MAX_S

BERLIN = Daylight(Turn(3, 5, 6, 8), Turn(10, 5, 6, 8))
SYDNEY = Daylight(Turn(10, 1, 6, 8), Turn(4, 1, 6, 8))
OVER_NEW_YEAR = DateRange((12, 20), (1, 6), Week(2, 2, 2, 2))
TABLES = {
    "Asia/Seoul": EXAMPLE_TABLE,
    "Europe/Berlin": replace(EXAMPLE_TABLE, zone_quarters=4, daylight=BERLIN),
    "Australia/Sydney": replace(
        EXAMPLE_TABLE, zone_quarters=40, daylight=SYDNEY, seasons=(OVER_NEW_YEAR, *EXAMPLE_TABLE.seasons)
    ),
}


def slow_percent(table, zone, second):
    """The table read as a person would: take the local date and time, look it up."""
    now = datetime.fromtimestamp(second, zone)
    if now.year > table.last_year:
        return table.percents[table.after_step]
    week = table.week
    for season in reversed(table.seasons):
        first, last = season.first, season.last
        today = (now.month, now.day)
        if (first <= today <= last) if first <= last else (today >= first or today <= last):
            week = season.week
    if any(
        (each.month, each.day) == (now.month, now.day) and each.year in (now.year, EVERY_YEAR)
        for each in table.holidays
    ):
        plan = week.holiday
    else:
        plan = (*(week.weekday,) * 5, week.saturday, week.sunday)[now.weekday()]
    quarter = now.hour * 4 + now.minute // 15
    step = [segment.step for segment in table.plans[plan].segments if segment.from_quarter <= quarter][-1]
    return table.percents[step]


@pytest.mark.parametrize("name", TABLES)
def test_every_quarter_hour_of_two_years_costs_what_the_slow_reading_says(name):
    try:
        zone = ZoneInfo(name)
    except ZoneInfoNotFoundError:
        pytest.skip("this machine has no zone database to compare with (package tzdata)")
    table = TABLES[name]
    tariff = Tariff(table, 150_000)
    for year in (2026, 2036):
        second = int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) - 86_400
        for quarter in range(369 * 96):
            at = second + quarter * 900
            assert tariff.price_run(at).percent == slow_percent(table, zone, at), datetime.fromtimestamp(at, zone)


@pytest.mark.parametrize("name", TABLES)
def test_runs_join_without_gap_and_the_second_before_a_change_still_costs_the_old_price(name):
    tariff = Tariff(TABLES[name], 150_000)
    second = int(datetime(2026, 3, 20, tzinfo=UTC).timestamp())
    for _ in range(300):
        run = tariff.price_run(second)
        assert run.from_s <= second < run.until_s
        fresh = Tariff(TABLES[name], 150_000)
        assert fresh.price_run(run.until_s - 1).percent == run.percent
        second = run.until_s


def test_the_sources_example_costs_what_its_description_says():
    tariff = Tariff(EXAMPLE_TABLE, 150_000)

    def percent(*moment):
        return tariff.price_run(int(datetime(*moment, tzinfo=UTC).timestamp()) - 9 * 3600).percent

    weekday = [percent(2026, 5, 12, hour) for hour in range(24)]
    assert weekday == [50] * 6 + [75] * 3 + [200] * 3 + [100] + [200] * 5 + [75] * 2 + [100] * 3 + [50]
    summer = [percent(2026, 7, 14, hour) for hour in (13, 14, 15, 16)]
    assert summer == [200, 300, 300, 200]
    for free in ((2026, 7, 18), (2026, 7, 19), (2026, 5, 5), (2026, 2, 17)):
        assert [percent(*free, hour) for hour in (5, 6, 14, 22, 23)] == [50, 75, 75, 75, 50]


def test_after_the_last_valid_year_one_step_holds_for_ever():
    tariff = Tariff(replace(EXAMPLE_TABLE, last_year=2026), 150_000)
    new_year = int(datetime(2027, 1, 1, tzinfo=UTC).timestamp()) - 9 * 3600
    assert tariff.price_run(new_year - 1).until_s == new_year
    run = tariff.price_run(new_year)
    assert (run.percent, run.until_s) == (100, UTC_MAX_S + 1)
    assert tariff.next_change_s(new_year) is None
    assert tariff.price_run(UTC_MAX_S).percent == 100


def test_the_next_change_is_the_first_second_with_another_percent():
    tariff = Tariff(EXAMPLE_TABLE, 150_000)
    second = int(datetime(2026, 5, 12, tzinfo=UTC).timestamp())
    for _ in range(50):
        change = tariff.next_change_s(second)
        before = tariff.price_run(change - 1).percent
        assert before == tariff.price_run(second).percent != tariff.price_run(change).percent
        second = change
    assert Tariff(flat_table(), 1).next_change_s(second) is None


def test_sources_and_phase_angles_have_their_price():
    table = replace(EXAMPLE_TABLE, sources=(SourcePrice(percent=180), SourcePrice(unit_price_micro=7)))
    tariff = Tariff(table, 150_000)
    assert [tariff.source_price_micro(source) for source in range(4)] == [150_000, 270_000, 7, 150_000]
    assert [tariff.surcharge_percent(angle) for angle in (None, -9_000, 2_599, 2_600, 3_700, 9_000)] == [
        0,
        0,
        0,
        5,
        10,
        20,
    ]


def test_a_price_beyond_the_arithmetic_is_told():
    Tariff(flat_table(), 10**15).check_prices(1)
    with pytest.raises(ValueError, match="source 1"):
        Tariff(replace(flat_table(), sources=(SourcePrice(percent=101),)), 10**15).check_prices(2)


def test_the_calendar_of_dates_is_that_of_the_standard_library():
    tariff = Tariff(flat_table(), 1)
    assert tariff.calendar.read_date(0) == date(1970, 1, 1)
    assert tariff.calendar.read_date(20_454) == date(2026, 1, 1)
