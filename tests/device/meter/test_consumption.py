"""Consumption against a meter that counts pulse by pulse: same input, same integers, however it is cut into steps."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prewatt.codec.bodies import ModeChange, UsageQuery
from prewatt.codec.commands import Code
from prewatt.codec.modetable import (
    AngleBand,
    Daylight,
    DayPlan,
    ModeTable,
    Segment,
    SourcePrice,
    Turn,
    Week,
    flat_table,
)
from prewatt.codec.settings import Settings, SettingsChange
from prewatt.device.meter import Button, Buzz, Buzzing, Load, Measured, RelayMoved, SourceAt, Tick
from prewatt.device.meter.money import ACC_PER_MICRO
from prewatt.device.meter.tariff import Tariff

UNIT = 1_000_000
ALWAYS_ON = 10**6
BUSY = ModeTable(
    version=1,
    valid_from_s=0,
    percents=(50, 75, 100, 150, 200, 300),
    plans=(DayPlan(tuple(Segment(quarter, quarter % 6) for quarter in range(96))),),
    week=Week(0, 0, 0, 0),
    bands=(AngleBand(1_000, 10), AngleBand(3_000, 40)),
)


class SlowMeter:
    """What the law says, pulse by pulse: no runs, no tokens, no journal."""

    def __init__(self, tariff, balance_micro, owed_max_micro):
        self.tariff, self.balance, self.owed_max = tariff, balance_micro, owed_max_micro
        self.acc = self.burned = self.owed = 0
        self.closed = balance_micro > 0
        self.quality = 100
        self.readings = []

    def minute(self, minute_s, pulses, angle):
        count, angle_s = 0, 0
        for second in range(60):
            if not self.closed:
                break
            angle_s += 1
            for k in range(pulses):
                if k * 60 // pulses == second:
                    count += 1
                    self._burn(minute_s + second)
            self.closed = self.balance > 0
        self.readings.append(count)
        self.quality = 100 + self.tariff.surcharge_percent(angle if angle_s else None)

    def _burn(self, second):
        self.acc += self.tariff.unit_price_micro * self.tariff.price_run(second).percent * self.quality
        while self.acc >= ACC_PER_MICRO:
            self.acc -= ACC_PER_MICRO
            if self.balance:
                self.balance, self.burned = self.balance - 1, self.burned + 1
            elif self.owed < self.owed_max:
                self.owed, self.burned = self.owed + 1, self.burned + 1


LOADS = st.lists(
    st.tuples(st.integers(0, 400), st.sampled_from([None, 0, 1_000, 2_999, 3_000])), min_size=1, max_size=40
)


@settings(max_examples=40, deadline=None)
@given(loads=LOADS, value=st.integers(1, 60_000), price=st.integers(1, 40) | st.integers(100_000, 900_000))
def test_the_meter_burns_what_the_slow_one_burns(make_rig, loads, value, price):
    rig = make_rig(unit_price_micro=price, table=BUSY, settings=Settings(over_current_w=ALWAYS_ON))
    rig.store(value)
    slow = SlowMeter(Tariff(BUSY, price), value, 1_000_000)
    begun = rig.now_s // 60
    for pulses, angle in loads:
        slow.minute(rig.now_s, pulses, angle)
        rig.live(1, pulses, angle)
    money = rig.meter.money
    assert (money.balance_micro, money.burned_micro, money.owed_micro) == (slow.balance, slow.burned, slow.owed)
    if slow.balance:
        assert money.acc == slow.acc
    assert rig.meter._core.memories[0].read(begun, len(loads)) == slow.readings
    rig.check_law()


@settings(max_examples=30, deadline=None)
@given(
    loads=LOADS,
    value=st.integers(1, 60_000),
    cuts=st.lists(st.integers(1, 2_400), max_size=30, unique=True),
)
def test_how_time_is_cut_into_steps_changes_nothing(make_rig, loads, value, cuts):
    rigs = [
        make_rig(unit_price_micro=500_000, table=BUSY, settings=Settings(over_current_w=ALWAYS_ON)) for _ in range(2)
    ]
    for rig in rigs:
        rig.store(value)
    whole, cut = rigs
    start_s = whole.now_s
    for minute, (pulses, angle) in enumerate(loads):
        whole.step(Load(0, start_s + 60 * minute, pulses, angle))
    end_s = start_s + 60 * len(loads)
    whole.now_s = end_s
    whole.step(Tick())
    moments = sorted({start_s + second for second in cuts if start_s + second < end_s} | {end_s})
    for minute, (pulses, angle) in enumerate(loads):
        cut.step(Load(0, start_s + 60 * minute, pulses, angle))
        while moments and moments[0] <= start_s + 60 * (minute + 1):
            cut.now_s = moments.pop(0)
            cut.step(Tick())
    assert cut.meter.money == whole.meter.money
    assert cut.meter.view().total_pulses == whole.meter.view().total_pulses
    assert cut.meter._core.control.registers == whole.meter._core.control.registers


@settings(max_examples=20, deadline=None)
@given(minutes=st.lists(st.integers(0, 240), min_size=1, max_size=6), value=st.integers(1, 20_000))
def test_sampled_pulses_and_minute_energy_give_the_same_integers(make_rig, minutes, value):
    rigs = [make_rig(unit_price_micro=700_000, settings=Settings(over_current_w=ALWAYS_ON)) for _ in range(2)]
    by_minute, by_second = rigs
    for rig in rigs:
        rig.store(value)
    for pulses in minutes:
        start_s = by_second.now_s
        for second in range(60):
            count = sum(k * 60 // pulses == second for k in range(pulses))
            by_second.step(Measured(0, start_s + second, count, 0))
            by_second.now_s = start_s + second + 1
        by_second.step(Tick())
        by_minute.live(1, pulses, 0)
    assert by_second.meter.money == by_minute.meter.money
    assert by_second.meter._core.position == by_minute.meter._core.position
    start = (by_second.now_s // 60) - len(minutes)
    readings = [rig.meter._core.memories[0].read(start, len(minutes)) for rig in rigs]
    assert readings[0] == readings[1]


def test_the_contacts_part_at_the_end_of_the_second_in_which_the_balance_became_zero(make_rig):
    # A pulse costs 100 micro-units; ten pulses a second; the value lasts for 155 of them.
    rig = make_rig(unit_price_micro=1_000_000, settings=Settings(over_current_w=ALWAYS_ON))
    rig.store(15_500)
    start_s = rig.now_s
    rig.step(Load(0, start_s, 600))
    rig.now_s = start_s + 15
    assert RelayMoved(False) not in rig.step(Tick())
    rig.now_s = start_s + 16
    assert RelayMoved(False) in rig.step(Tick())
    money = rig.meter.money
    assert (money.balance_micro, money.owed_micro, rig.meter.view().total_pulses) == (0, 500, 160)
    rig.now_s = start_s + 300
    rig.step(Tick())
    assert rig.meter.money == money
    rig.now_s += 0
    rig.store(400)
    assert not rig.meter.view().relay_closed
    assert rig.meter.money.owed_micro == 100
    rig.store(UNIT)
    assert rig.meter.view().relay_closed
    assert (rig.meter.money.owed_micro, rig.meter.money.balance_micro) == (0, UNIT - 100)


def test_new_value_closes_what_zero_opened_and_nothing_else(make_rig):
    rig = make_rig(settings=Settings(over_current_w=3_000))
    rig.store(UNIT)
    assert RelayMoved(False) in rig.live(1, 600)
    assert rig.meter.view().state == "over-current"
    assert rig.meter.view().total_pulses == 10
    rig.store(UNIT)
    assert not rig.meter.view().relay_closed
    rig.step(Button())
    assert rig.meter.view().relay_closed
    rig.live(1, 499)
    assert rig.meter.view().relay_closed


def test_the_load_limit_opens_at_the_minutes_end_and_closes_after_its_pause(make_rig):
    rig = make_rig(settings=Settings(load_limit_w=3_000, load_pause_s=90))
    rig.store(UNIT)
    rig.live(1, 500)
    assert rig.meter.view().relay_closed
    rig.live(1, 501)
    assert rig.meter.view().state == "load limit"
    rig.tick(89)
    assert not rig.meter.view().relay_closed
    rig.tick(1)
    assert rig.meter.view().relay_closed


def test_a_pause_is_whole_again_after_a_power_cut(make_rig):
    rig = make_rig(settings=Settings(load_limit_w=3_000, load_pause_s=90))
    rig.store(UNIT)
    rig.live(1, 501)
    rig.now_s += 60
    rig.power_up()
    rig.tick(89)
    assert not rig.meter.view().relay_closed
    rig.tick(1)
    assert rig.meter.view().relay_closed


def test_the_buzzer_warns_at_low_balance_and_at_the_last_tokens(make_rig):
    rig = make_rig(unit_price_micro=10_000_000, settings=Settings(low_balance_micro=500_000))
    rig.store(UNIT)
    rig.effects.clear()
    while rig.meter.view().relay_closed:
        rig.live(1, 100)
    patterns = [effect.pattern for effect in rig.effects if isinstance(effect, Buzz)]
    assert patterns == [Buzzing.LOW_BALANCE, Buzzing.SILENT]
    rig.store(50_000)
    rig.effects.clear()
    while rig.meter.view().relay_closed:
        rig.live(1, 3)
    patterns = [effect.pattern for effect in rig.effects if isinstance(effect, Buzz)]
    assert patterns == [Buzzing.LAST_TOKENS, Buzzing.SILENT]


def test_emergency_credit_is_taken_at_the_button_used_up_and_paid_first(make_rig):
    rig = make_rig(unit_price_micro=1_000_000, settings=Settings(emergency_micro=50_000))
    rig.store(1_000)
    rig.live(1, 60)
    assert rig.meter.view().state == "no value"
    rig.step(Button())
    assert rig.meter.view().state == "emergency credit"
    rig.live(20, 60)
    assert rig.meter.view().state == "no value"
    assert rig.meter.money.owed_micro == 50_000
    rig.step(Button())
    assert not rig.meter.view().relay_closed
    rig.store(60_000)
    assert rig.meter.view().relay_closed
    assert rig.meter.money.balance_micro == 10_000


def test_two_sources_at_once_burn_at_their_own_prices(make_rig):
    table = replace(flat_table(), sources=(SourcePrice(percent=300),))
    rig = make_rig(unit_price_micro=1_000_000, table=table, sources=2, settings=Settings(sources_at_once=1))
    rig.store(UNIT)
    rig.step(Load(0, rig.now_s, 50))
    rig.step(Load(1, rig.now_s, 30))
    rig.tick(60)
    assert rig.meter.money.burned_micro == 50 * 100 + 30 * 300
    assert rig.meter.view().relays_closed == (True, True)
    core = rig.meter._core
    assert [memory.read(core.minute - 1, 1) for memory in core.memories] == [[50], [30]]
    assert core.control.registers.source_pulses[:2] == [50, 30]


def test_sources_in_turn_are_interlocked(make_rig):
    table = replace(flat_table(), sources=(SourcePrice(unit_price_micro=5_000_000),))
    rig = make_rig(unit_price_micro=1_000_000, table=table, sources=2)
    rig.store(UNIT)
    assert rig.meter.view().relays_closed == (True, False)
    rig.live(1, 10, source=1)
    assert rig.meter.money.burned_micro == 0
    moved = [effect for effect in rig.step(SourceAt(1)) if isinstance(effect, RelayMoved)]
    assert moved == [RelayMoved(False, 0), RelayMoved(True, 1)]
    rig.live(1, 10, source=1)
    assert rig.meter.money.burned_micro == 10 * 500
    assert rig.meter.view().price_micro == 5_000_000
    rig.command(Code.SETTINGS, SettingsChange({"sources_at_once": 1}).build())
    assert rig.meter.view().relays_closed == (True, True)


@settings(max_examples=15, deadline=None)
@given(value=st.integers(1, 9_000), one=st.integers(0, 300), other=st.integers(0, 300))
def test_two_sources_at_once_end_together_in_the_second_of_zero(make_rig, value, one, other):
    table = replace(flat_table(), sources=(SourcePrice(percent=70),))
    options = {"unit_price_micro": 1_000_000, "table": table, "sources": 2}
    rig = make_rig(**options, settings=Settings(sources_at_once=1, over_current_w=ALWAYS_ON))
    rig.store(value)
    rig.step(Load(0, rig.now_s, one))
    rig.step(Load(1, rig.now_s, other))
    rig.tick(60)
    acc, flowed = 0, [0, 0]
    for second in range(60):
        for source, (pulses, price) in enumerate(((one, 100), (other, 70))):
            count = sum(k * 60 // pulses == second for k in range(pulses))
            flowed[source] += count
            acc += count * price
        if acc >= value:
            break
    assert rig.meter._core.control.registers.source_pulses[:2] == flowed
    assert rig.meter.money.burned_micro == acc
    assert rig.meter.view().relay_closed is (acc < value)


@pytest.mark.parametrize(("month", "minutes"), [(3, 1_380), (10, 1_500)])
def test_days_on_which_the_clocks_change_have_their_minutes(make_rig, month, minutes):
    berlin = Daylight(Turn(3, 5, 6, 8), Turn(10, 5, 6, 8))
    rig = make_rig(table=replace(flat_table(zone_quarters=4), daylight=berlin), unit_price_micro=10)
    rig.store(UNIT)
    calendar = rig.meter._core.tariff.calendar
    turn_day = next(
        calendar.read_day(second)
        for second in range(rig.now_s, rig.now_s + 366 * 86_400, 3_600)
        if calendar.read_date(calendar.read_day(second)).month == month
        and calendar.read_day_start_s(calendar.read_day(second) + 1)
        - calendar.read_day_start_s(calendar.read_day(second))
        == minutes * 60
    )
    rig.now_s = calendar.read_day_start_s(turn_day)
    rig.power_up()
    rig.live(minutes, 3)
    core = rig.meter._core
    assert core.control.registers.day == turn_day + 1
    assert core.rings.read(next(iter(core.control.registers.begun)), turn_day) == 3 * minutes
    assert core.control.registers.read_period(next(iter(core.control.registers.begun))) == 0


def test_a_price_change_in_the_middle_of_a_minute_counts_from_its_second(make_rig):
    rig = make_rig(unit_price_micro=1_000_000)
    rig.store(UNIT)
    rig.step(Load(0, rig.now_s, 60))
    rig.now_s += 20
    rig.command(Code.MODE, ModeChange(flat_table(version=1).build(), 3_000_000).build())
    rig.tick(40)
    assert rig.meter.money.burned_micro == 20 * 100 + 40 * 300


def test_a_load_that_comes_late_takes_only_what_is_left_of_its_minute(make_rig):
    rig = make_rig()
    rig.store(UNIT)
    start_s = rig.now_s
    rig.tick(30)
    rig.step(Load(0, start_s, 60))
    rig.tick(30)
    assert rig.meter.view().total_pulses == 30


def test_a_load_of_a_source_that_is_not_there_is_refused(make_rig):
    rig = make_rig()
    with pytest.raises(ValueError, match="source: 1 is not allowed"):
        rig.step(Load(1, rig.now_s, 1))
    with pytest.raises(ValueError, match="pulses: -1"):
        rig.step(Load(0, rig.now_s, -1))


def test_the_quality_after_a_gap_is_plain(make_rig):
    rig = make_rig(unit_price_micro=1_000_000, table=BUSY)
    rig.store(UNIT)
    rig.live(2, 60, 4_000)
    assert rig.meter.view().quality_percent == 140
    rig.step(Load(0, rig.now_s, 60, 4_000))
    rig.now_s += 30
    ahead = UsageQuery(rig.now_s + 600, 0, 0, bytes(8), 0)
    rig.order(Code.USAGE, 0, ahead.build())
    assert rig.meter.view().quality_percent == 100
    rig.live(2, 60, 4_000)
    assert rig.meter.view().quality_percent == 140
    rig.power_up()
    assert rig.meter.view().quality_percent == 100
