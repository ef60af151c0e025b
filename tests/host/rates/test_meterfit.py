"""What a meter follows of a plan, priced by the meter's own tariff, and everything that it cannot."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.host.rates.making import FIRST, UNIT, make_plan

from prewatt.codec.modeparts import AngleBand, Daylight, Holiday, Turn
from prewatt.codec.modetable import EVERY_YEAR, ModeTable
from prewatt.device.meter.calendar import LocalCalendar
from prewatt.device.meter.tariff import Tariff
from prewatt.host.rates.hours import DayHours, Hours, Season
from prewatt.host.rates.meterfit import MisfitError, find_misfits, fit_meter
from prewatt.host.rates.parts import Friendly, MeterTerms
from prewatt.units import VALUE_MAX_MICRO

WEEK = (0, 0, 0, 0, 0, 1, 1, 2)
DAYS = (
    DayHours("work", ((0, 150_000), (360, 300_000), (1110, 600_000))),
    DayHours("free", ((0, 225_000),)),
    DayHours("feast", ((0, 150_000), (720, 30_000))),
)
RULE = Daylight(Turn(3, 5, 6, 8), Turn(10, 5, 6, 8))
HOURS = Hours(
    DAYS,
    WEEK,
    300_000,
    seasons=(Season((11, 15), (2, 15), (1,) * 8),),
    holidays=(Holiday(2026, 4, 6), Holiday(EVERY_YEAR, 12, 25)),
    surcharges=(AngleBand(2600, 5),),
    zone_quarters=4,
    daylight=RULE,
    last_year=2036,
)
ONE = DayHours("all", ((0, 300_000),))


def flat(*days: DayHours, week=(0,) * 8, **changed) -> Hours:
    return Hours(days or (ONE,), week, 300_000, **changed)


def misfits(**changed) -> list[tuple[str, str]]:
    return [(each.field, each.allowed) for each in find_misfits(make_plan(**changed))]


@given(st.integers(0, 12 * 366 * 86_400))
@settings(deadline=None, max_examples=200)
def test_the_meter_has_at_every_second_the_price_of_the_plan(offset_s):
    plan = make_plan(hours=HOURS)
    fit = fit_meter(plan, version=7)
    tariff = Tariff(ModeTable.parse(fit.table.build()), fit.unit_price_micro)
    second = 1_767_222_000 + offset_s
    calendar = LocalCalendar(4, RULE)
    day, wall_s = divmod(second + calendar.read_offset_s(second), 86_400)
    changes = HOURS.read_changes(calendar.read_date(day))
    wanted = [price for minute, price in changes if minute * 60 <= wall_s][-1]
    assert tariff.price_run(second).percent * fit.unit_price_micro == wanted * 100


def test_whole_percents_of_the_unit_price_keep_it():
    fit = fit_meter(make_plan(hours=HOURS), version=7)
    assert fit.unit_price_micro == 300_000
    assert fit.table.percents == (10, 50, 75, 100, 200)
    assert fit.table.version == 7
    # Midnight of 1 January in a zone an hour ahead.
    assert fit.table.valid_from_s == 1_767_222_000
    assert fit.settings is None


@given(st.lists(st.integers(0, 65_535), min_size=1, max_size=8), st.integers(1, 10**6), st.integers(1, 10**6))
@settings(deadline=None, max_examples=100)
def test_prices_that_are_whole_percents_of_any_price_are_sent_exactly(percents, base, unit):
    changes = [(place * 60, percent * base) for place, percent in enumerate(dict.fromkeys(percents))]
    hours = flat(DayHours("a", tuple(changes)))
    plan = make_plan(unit, hours=replace(hours, after_micro=changes[0][1]))
    fit = fit_meter(plan)
    sent = [percent * fit.unit_price_micro for percent in fit.table.percents]
    assert sent == sorted({price * 100 for _, price in changes})


def test_prices_of_a_utility_become_a_finer_unit_price():
    hours = flat(DayHours("a", ((0, 180_810), (540, 157_540), (960, 394_040))))
    fit = fit_meter(make_plan(180_810, hours=replace(hours, after_micro=180_810)))
    assert (fit.unit_price_micro, fit.table.percents) == (1_000, (15_754, 18_081, 39_404))


def test_settings_are_those_that_the_plan_names():
    terms = MeterTerms(emergency_micro=2 * UNIT, low_balance_micro=UNIT, load_limit_w=3_000)
    fit = fit_meter(make_plan(terms=terms))
    assert fit.settings.values == {"emergency_micro": 2 * UNIT, "low_balance_micro": UNIT, "load_limit_w": 3_000}
    assert fit_meter(make_plan(terms=MeterTerms(load_limit_w=0))).settings.values == {"load_limit_w": 0}


def days(count: int) -> tuple[DayHours, ...]:
    return tuple(DayHours(f"d{at}", ((0, 300_000), (15 * at + 15, 600_000))) for at in range(count))


def priced(count: int) -> Hours:
    changes = tuple((15 * at, 3_000 * (100 + at)) for at in range(count))
    return flat(DayHours("a", changes))


def seasoned(count: int) -> Hours:
    return flat(seasons=(Season((1, 1), (1, 2), (0,) * 8),) * count)


def banded(count: int) -> Hours:
    return flat(surcharges=tuple(AngleBand(at, 1) for at in range(count)))


@pytest.mark.parametrize(("most", "make"), [(12, seasoned), (8, banded), (16, priced)])
def test_a_limit_of_the_mode_table_is_kept_at_it_and_one_past_it(most, make):
    assert find_misfits(make_plan(hours=make(most))) == ()
    (misfit,) = find_misfits(make_plan(hours=make(most + 1)))
    assert (misfit.given, misfit.allowed) == (str(most + 1), f"up to {most}")


def test_more_holidays_and_days_than_a_table_has_are_named():
    holidays = tuple(Holiday(2026 + at // 28, 1, at % 28 + 1) for at in range(101))
    assert misfits(hours=flat(holidays=holidays)) == [("price.holidays", "up to 100")]
    shapes = flat(*days(17), week=(0,) * 8, seasons=tuple(Season((1, 1), (1, 2), (at,) * 8) for at in range(6, 17)))
    assert misfits(hours=shapes) == []
    week = (0, 0, 0, 0, 0, 1, 2, 3)
    seasons = tuple(Season((1, 1), (1, 2), (at, at, at, at, at, at + 1, at + 2, at + 3)) for at in (4, 8, 12, 13))
    assert misfits(hours=flat(*days(17), week=week, seasons=seasons)) == [("price.days", "up to 16")]


def test_a_table_of_more_bytes_than_a_command_carries_is_named():
    holidays = tuple(Holiday(2026 + at // 28, 1, at % 28 + 1) for at in range(100))
    seasons = tuple(Season((1, 1), (1, 2), (0,) * 8) for _ in range(12))
    (misfit,) = find_misfits(make_plan(hours=flat(holidays=holidays, seasons=seasons)))
    assert (misfit.field, misfit.given) == ("price", "the whole table")
    assert "bytes are not allowed; allowed is 256" in misfit.allowed


def test_days_that_no_week_uses_cost_a_table_nothing():
    assert misfits(hours=flat(ONE, *days(20))) == []


def test_times_and_days_that_a_table_has_not_are_named():
    odd = DayHours("odd", ((0, 300_000), (610, 600_000)))
    assert misfits(hours=flat(odd)) == [("price.days.odd", "full quarters of an hour")]
    friday = flat(ONE, days(1)[0], week=(0, 0, 0, 0, 1, 0, 0, 0))
    assert misfits(hours=friday) == [("price.week", "one day for all five")]
    same = flat(ONE, DayHours("same", ONE.changes), week=(0, 1, 0, 1, 0, 0, 0, 0))
    assert misfits(hours=same) == []
    winter = flat(ONE, days(1)[0], seasons=(Season((1, 1), (2, 1), (0, 1, 0, 0, 0, 0, 0, 0)),))
    assert misfits(hours=winter) == [("price.seasons[0].week", "one day for all five")]


def test_prices_without_a_common_percent_are_named():
    near = flat(DayHours("a", ((0, 300_000), (60, 300_001))))
    (misfit,) = find_misfits(make_plan(hours=near))
    assert misfit.given == "0.30, 0.300001"
    assert misfit.allowed == "whole percents of one unit price, up to 65535 %"
    wide = DayHours("a", ((0, 1), (60, 65_535)))
    assert misfits(hours=replace(flat(wide), after_micro=1)) == []
    wider = DayHours("a", ((0, 1), (60, 65_536)))
    assert misfits(hours=replace(flat(wider), after_micro=1)) == [("price.days", misfit.allowed)]
    huge = DayHours("a", ((0, 0), (60, VALUE_MAX_MICRO)))
    assert misfits(hours=replace(flat(huge), after_micro=0))[0][1] == f"a unit price up to {VALUE_MAX_MICRO}"


def test_hours_without_cut_off_are_named_since_no_meter_has_them():
    terms = MeterTerms(friendly=(Friendly("sunday", 0, 1440),))
    plan = make_plan(terms=terms, hours=flat(DayHours("odd", ((0, 300_000), (610, 600_000)))))
    with pytest.raises(MisfitError, match=r"price\.days\.odd: '10:10' is not allowed; .* an hour, on a meter") as e:
        fit_meter(plan)
    assert [each.field for each in e.value.misfits] == ["price.days.odd", "meter.friendly[0]"]
    assert e.value.misfits[1].given == "sunday 00:00 to 24:00"


def test_the_table_is_valid_from_the_local_day_of_the_plan():
    for day, quarters, expected in ((FIRST, -20, 1_767_243_600), (date(1970, 1, 1), 36, 0)):
        plan = make_plan(valid_from=day, hours=flat(zone_quarters=quarters))
        assert fit_meter(plan).table.valid_from_s == expected
