"""What a measured month would have cost: local time with daylight saving, every interval, two plans side by side."""

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from time import perf_counter
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.host.rates.making import FIRST, KWH, UNIT, any_plan, cost_of_pulses, levy, make_plan

from prewatt.codec.modeparts import Daylight, Holiday, Turn
from prewatt.codec.modetable import EVERY_YEAR
from prewatt.host.rates.hours import DayHours, Hours, Season, flat_hours
from prewatt.host.rates.parts import Block, Lifeline, LineKind, Per, RateLine, StandingCharge
from prewatt.host.rates.preview import (
    INTERVAL_MAX_S,
    PURCHASES_MAX,
    READINGS_MAX,
    Difference,
    PricedEnergy,
    Readings,
    compare,
    preview,
    readings_of_days,
)
from prewatt.host.rates.quote import ChargeKind, quote
from prewatt.host.rates.standing import RateStanding
from prewatt.units import ValueFieldError

BERLIN = ZoneInfo("Europe/Berlin")
SYDNEY = ZoneInfo("Australia/Sydney")
RULE = Daylight(Turn(3, 5, 6, 8), Turn(10, 5, 6, 8))
SOUTH = Daylight(Turn(10, 1, 6, 8), Turn(4, 1, 6, 8))
# Nights until 6 cost 0.10, evenings from 18:30 0.60, else 0.30; weekends 0.20; holidays 0.10.
DAYS = (
    DayHours("work", ((0, 100_000), (360, 300_000), (1110, 600_000))),
    DayHours("free", ((0, 200_000),)),
    DayHours("feast", ((0, 100_000),)),
)
WEEK = (0, 0, 0, 0, 0, 1, 1, 2)
FEAST = (Holiday(2026, 10, 29), Holiday(EVERY_YEAR, 3, 31))


def by_hours(rule: Daylight | None, zone_quarters: int, **changed) -> Hours:
    return Hours(DAYS, WEEK, 300_000, holidays=FEAST, zone_quarters=zone_quarters, daylight=rule, **changed)


def seconds_of(zone: ZoneInfo, day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp())


def price_at(hours: Hours, zone: ZoneInfo, second: int) -> int:
    """By the zone database, not by the calendar under test."""
    local = datetime.fromtimestamp(second, UTC).astimezone(zone)
    changes = hours.read_changes(local.date())
    return [price for minute, price in changes if minute <= local.hour * 60 + local.minute][-1]


@pytest.mark.parametrize(
    ("zone", "rule", "quarters", "month"),
    [(BERLIN, RULE, 4, 3), (BERLIN, RULE, 4, 10), (SYDNEY, SOUTH, 40, 4), (SYDNEY, SOUTH, 40, 10), (UTC, None, 0, 10)],
)
@pytest.mark.parametrize("interval_s", [60, 900, 1800, 3600])
def test_every_interval_is_priced_at_its_local_time_also_where_clocks_turn(zone, rule, quarters, month, interval_s):
    hours = by_hours(rule, quarters)
    plan = make_plan(hours=hours)
    start = seconds_of(zone, date(2026, month, 1))
    end = seconds_of(zone, date(2026, month, 28) + timedelta(days=4)) // 86_400 * 86_400 + 86_400
    pulses = tuple((at * 7919) % 997 for at in range((end - start) // interval_s))
    bill = preview(plan, Readings(start, interval_s, pulses), year=2026, month=month)
    expected: dict[int, int] = {}
    for place, each in enumerate(pulses):
        second = start + place * interval_s
        if datetime.fromtimestamp(second, UTC).astimezone(zone).month != month:
            continue
        halves = [price_at(hours, zone, second), price_at(hours, zone, second + interval_s - 1)]
        # Changes at 18:30 halve an hour: the first half is rounded down.
        for price, part in ((halves[0], each // 2), (halves[1], each - each // 2)):
            expected[price] = expected.get(price, 0) + part
    assert bill.energy == tuple(PricedEnergy(price, expected[price]) for price in sorted(expected))
    assert bill.missing_s == 0
    assert sum(price * each for price, each in bill.energy) / KWH == pytest.approx(bill.total_micro, abs=5_001)


def test_a_local_day_of_23_or_25_hours_has_as_many_minutes():
    hours = by_hours(RULE, 4)
    days = {date(2026, 3, 28): 1440, date(2026, 3, 29): 1380, date(2026, 3, 30): 1440}
    readings = readings_of_days(hours, {day: [1] * minutes for day, minutes in days.items()})
    assert readings.start_s == seconds_of(BERLIN, date(2026, 3, 28))
    assert len(readings.pulses) == 4_260
    bill = preview(make_plan(hours=hours), readings, year=2026, month=3)
    # Saturday and Sunday at 0.20, Monday: 360 minutes at 0.10, 750 at 0.30, 330 at 0.60.
    assert bill.energy == ((100_000, 360), (200_000, 2_820), (300_000, 750), (600_000, 330))
    assert bill.missing_s == 31 * 86_400 - 3_600 - 4_260 * 60
    assert len(readings_of_days(hours, {date(2026, 10, 25): [0] * 1500}).pulses) == 1500
    for day, minutes in ((date(2026, 3, 29), 1440), (date(2026, 10, 25), 1440), (date(2026, 5, 1), 1439)):
        with pytest.raises(ValueFieldError, match=rf"readings of {day}: {minutes} is not .* 1\d\d0 minutes"):
            readings_of_days(hours, {day: [0] * minutes})


def test_days_that_are_not_there_are_missing_and_not_nothing():
    hours = flat_hours(300_000)
    readings = readings_of_days(hours, {date(2026, 4, 1): [10] * 1440, date(2026, 4, 4): [None] * 720 + [10] * 720})
    assert len(readings.pulses) == 4 * 1440
    bill = preview(make_plan(), readings, year=2026, month=4)
    assert bill.energy_pulses == 10 * (1440 + 720)
    assert bill.missing_s == 30 * 86_400 - (1440 + 720) * 60
    assert readings_of_days(hours, {}).pulses == ()
    with pytest.raises(ValueFieldError, match=r"number of days: 36 is not allowed; allowed is 1 to 35"):
        readings_of_days(hours, {date(2026, 4, 1): [0] * 1440, date(2026, 5, 6): [0] * 1440})


def test_readings_outside_the_month_are_left_out():
    start = seconds_of(UTC, date(2026, 3, 31))
    readings = Readings(start, 3_600, tuple([KWH] * 24 * 32))
    bill = preview(make_plan(), readings, year=2026, month=4)
    assert bill.energy_pulses == 30 * 24 * KWH
    assert bill.missing_s == 0
    assert preview(make_plan(), readings, year=2026, month=6).energy == ()


def test_an_interval_that_the_month_cuts_counts_in_part():
    half_before = seconds_of(UTC, date(2026, 4, 1)) - 1_800
    bill = preview(make_plan(), Readings(half_before, 3_600, (10, 7)), year=2026, month=4)
    assert (bill.energy_pulses, bill.missing_s) == (5 + 7, 30 * 86_400 - 1_800 - 3_600)
    before = preview(make_plan(), Readings(half_before, 3_600, (10, 7)), year=2026, month=3)
    assert (before.energy_pulses, before.missing_s) == (5, 31 * 86_400 - 1_800)
    gap = preview(make_plan(), Readings(half_before, 3_600, (None, 7)), year=2026, month=4)
    assert (gap.energy_pulses, gap.missing_s) == (7, 30 * 86_400 - 3_600)


@given(
    st.lists(st.integers(0, 65_534) | st.none(), max_size=400),
    st.sampled_from([60, 300, 900, 1_800, 2_700, 3_600]),
    st.integers(-90_000, 90_000),
)
@settings(deadline=None, max_examples=100)
def test_no_energy_is_lost_or_made_however_intervals_lie(pulses, interval_s, offset_s):
    start = seconds_of(BERLIN, date(2026, 3, 15)) + offset_s
    readings = Readings(start, interval_s, tuple(pulses))
    bill = preview(make_plan(hours=by_hours(RULE, 4)), readings, year=2026, month=3)
    assert bill.energy_pulses == sum(each or 0 for each in pulses)
    known_s = interval_s * sum(each is not None for each in pulses)
    assert bill.missing_s == 31 * 86_400 - 3_600 - known_s


@given(any_plan(), st.integers(0, 600 * KWH), st.booleans(), st.integers(0, 5))
@settings(deadline=None, max_examples=100)
def test_a_bill_is_its_lines_and_each_is_near_its_exact_figure(plan, pulses, lifeline, purchases):
    hour = Readings(seconds_of(UTC, date(2026, 4, 2)), 3_600, (pulses,))
    bill = preview(plan, hour, year=2026, month=4, lifeline=lifeline, purchases=purchases)
    assert bill.total_micro == sum(line.amount_micro for line in bill.lines)
    assert bill.unit_pulses == pulses == bill.energy_pulses
    energy, low, entry = Fraction(0), 0, 0
    for block in plan.month_blocks:
        high = min(pulses, block.until_pulses or pulses)
        entry += block.entry_micro if pulses > low else 0
        cheap = max(0, min(high, plan.lifeline.until_pulses) - low) if plan.lifeline and lifeline else 0
        energy += Fraction(max(0, high - low - cheap) * block.price_micro, KWH)
        energy += Fraction(cheap * plan.lifeline.price_micro, KWH) if cheap else 0
        low = block.until_pulses or pulses
    charge = plan.standing
    due = 0 if charge is None else charge.price_micro * (30 if charge.per is Per.DAY else 1)
    fixed = cost_of_pulses(plan, Fraction(0), Fraction(0), fixed=True) * purchases
    exact = cost_of_pulses(plan, energy, Fraction(pulses), Fraction(due + entry)) + fixed
    assert abs(bill.total_micro - exact) < plan.minor_micro
    amounts = {line.name: line.amount_micro for line in bill.lines}
    for name, figure in (("standing", due), ("block", entry), ("value", Fraction(pulses * plan.unit_price_micro, KWH))):
        assert abs(amounts.get(name, 0) - figure) < 2 * plan.minor_micro
    paid = sum(amounts.get(name, 0) for name in ("value", "surcharge", "subsidy", "lifeline"))
    assert abs(paid - energy) < 2 * plan.minor_micro


@given(any_plan(fixed=False), st.integers(1, 400 * KWH), st.booleans())
@settings(deadline=None, max_examples=80)
def test_who_pays_the_bill_in_one_purchase_gets_the_energy_of_the_month(plan, pulses, lifeline):
    if plan.standing or plan.debt:
        return
    hour = Readings(seconds_of(UTC, date(2026, 4, 2)), 3_600, (pulses,))
    total = preview(plan, hour, year=2026, month=4, lifeline=lifeline).total_micro
    if total < plan.minor_micro:
        return
    standing = RateStanding(date(2026, 4, 1), lifeline=lifeline)
    less = quote(plan, standing, max(plan.minor_micro, total - 2 * plan.minor_micro)).energy_pulses
    more = quote(plan, standing, total + 2 * plan.minor_micro).energy_pulses
    unit = plan.minor_micro * KWH // plan.unit_price_micro + 1
    assert less - unit <= pulses <= more + unit or total <= 3 * plan.minor_micro


# 100 kWh: 40 at 0.20 (lifeline would be less), 60 at 0.50; 30 days of 0.10; 10 % on both; two purchases with 0.25 each.
#   8.00 + 30.00 = 38.00 = 100 x 0.30 + 60 x 0.20 - 40 x 0.10; 3.00; tax (38.00 + 3.00) x 0.1 = 4.10; 0.50: 45.60
def test_a_bill_by_hand():
    plan = make_plan(
        blocks=(Block(40 * KWH, 200_000), Block(None, 500_000)),
        standing=StandingCharge(100_000, Per.DAY),
        lines=(
            levy("VAT", 100_000, "energy", "standing", kind=LineKind.TAX),
            RateLine("counter", LineKind.FEE, fixed_micro=250_000),
        ),
        lifeline=Lifeline(40 * KWH, 150_000),
    )
    hour = Readings(seconds_of(UTC, date(2026, 4, 2)), 3_600, (100 * KWH,))
    bill = preview(plan, hour, year=2026, month=4, purchases=2)
    assert [(line.name, line.amount_micro) for line in bill.lines] == [
        ("value", 30 * UNIT),
        ("surcharge", 12 * UNIT),
        ("subsidy", -4 * UNIT),
        ("standing", 3 * UNIT),
        ("VAT", 4_100_000),
        ("counter", 500_000),
    ]
    assert bill.total_micro == 45_600_000
    flagged = preview(plan, hour, year=2026, month=4, purchases=2, lifeline=True)
    # The lifeline is 0.05 less for 40 kWh, and 10 % of that: 2.20.
    assert flagged.total_micro == 45_600_000 - 2_200_000
    assert compare(bill, flagged) == (
        Difference(ChargeKind.VALUE, "value", 30 * UNIT, 30 * UNIT),
        Difference(ChargeKind.SURCHARGE, "surcharge", 12 * UNIT, 12 * UNIT),
        Difference(ChargeKind.SUBSIDY, "subsidy", -4 * UNIT, 0),
        Difference(ChargeKind.STANDING, "standing", 3 * UNIT, 3 * UNIT),
        Difference(ChargeKind.TAX, "VAT", 4_100_000, 3_900_000),
        Difference(ChargeKind.FEE, "counter", 500_000, 500_000),
        Difference(ChargeKind.LIFELINE, "lifeline", 0, -6 * UNIT),
    )


# A kWh at 200 % counts as two at the unit price: 30 kWh at 0.60 are 60, of which 10 are in the second block.
def test_blocks_count_what_is_burned_at_the_unit_price():
    hours = Hours((DayHours("dear", ((0, 600_000),)),), (0,) * 8, 300_000)
    plan = make_plan(hours=hours, blocks=(Block(50 * KWH, 300_000), Block(None, 400_000)))
    bill = preview(plan, Readings(seconds_of(UTC, FIRST), 3_600, (30 * KWH,)), year=2026, month=1)
    assert (bill.energy_pulses, bill.unit_pulses) == (30 * KWH, 60 * KWH)
    assert [line.amount_micro for line in bill.lines] == [18 * UNIT, UNIT]


def test_seasons_and_the_last_year_hold_as_in_a_meter():
    summer = Season((12, 1), (1, 31), (2,) * 8)
    hours = by_hours(None, 0, seasons=(summer,), last_year=2026)
    assert hours.read_changes(date(2026, 1, 31)) == hours.read_changes(date(2026, 12, 1)) == ((0, 100_000),)
    assert hours.read_changes(date(2026, 2, 2)) == DAYS[0].changes
    assert hours.read_changes(date(2027, 1, 1)) == ((0, 300_000),)
    assert hours.read_changes(date(2026, 10, 29)) == hours.read_changes(date(2026, 3, 31)) == DAYS[2].changes


def test_what_cannot_be_previewed_is_refused():
    plan, readings = make_plan(valid_to=date(2026, 6, 30)), Readings(0, 60, ())
    for asked in ({"year": 2026, "month": 7}, {"year": 2025, "month": 12}):
        with pytest.raises(ValueFieldError, match=r"month: .* allowed is one in which plan plain is valid"):
            preview(plan, readings, **asked)
    for asked in ({"year": 2026, "month": 13}, {"year": 2026, "month": 0}, {"year": 1970, "month": 1}):
        with pytest.raises(ValueFieldError):
            preview(plan, readings, **asked)
    for purchases in (-1, PURCHASES_MAX + 1):
        with pytest.raises(ValueFieldError, match="purchases"):
            preview(plan, readings, year=2026, month=6, purchases=purchases)
    assert preview(plan, readings, year=2026, month=6, purchases=PURCHASES_MAX).total_micro == 0


def test_readings_are_checked_at_their_limits():
    assert len(Readings(0, 60, (0,) * READINGS_MAX).pulses) == READINGS_MAX
    Readings(0, INTERVAL_MAX_S, (10**9,))
    for make in (
        lambda: Readings(0, 60, (0,) * (READINGS_MAX + 1)),
        lambda: Readings(0, INTERVAL_MAX_S + 1, ()),
        lambda: Readings(0, 0, ()),
        lambda: Readings(-1, 60, ()),
        lambda: Readings(2**32, 60, ()),
        lambda: Readings(0, 60, (-1,)),
        lambda: Readings(0, 60, (10**9 + 1,)),
    ):
        with pytest.raises(ValueFieldError):
            make()


def test_a_month_of_minutes_is_quick():
    hours = by_hours(RULE, 4)
    readings = Readings(seconds_of(BERLIN, date(2026, 10, 1)), 60, tuple(at % 300 for at in range(44_700)))
    plan = make_plan(hours=hours)
    began = perf_counter()
    bill = preview(plan, readings, year=2026, month=10)
    assert bill.missing_s == 0
    # Far above what it takes, so that a busy machine does not fail it: a loop by seconds would take minutes.
    assert perf_counter() - began < 5


def test_december_ends_with_the_year():
    start = seconds_of(UTC, date(2026, 12, 31))
    bill = preview(make_plan(), Readings(start, 3_600, (KWH,) * 48), year=2026, month=12)
    assert bill.energy_pulses == 24 * KWH
