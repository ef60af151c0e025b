"""What a meter burned is reckoned beside it, to the last part of a micro-unit; and the reckoning has eyes."""

from collections import deque
from itertools import pairwise
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prewatt.codec.modeexample import EXAMPLE_TABLE
from prewatt.codec.modetable import flat_table, table_digest
from prewatt.device.meter.clock import Clock
from prewatt.device.meter.money import Money
from prewatt.device.meter.tariff import Tariff
from prewatt.device.metrology import surcharge_percent
from prewatt.sim.burning import Burning, Reckoner
from prewatt.sim.prices import MADE_WITH_MICRO, PARTS, Price, Prices, percent_at, surcharge_of
from prewatt.sim.run import Request, run
from prewatt.sim.tally import Curve, pulses_between

# 2026-03-03, a Tuesday, 11:59:00 in the table's zone: the last minute at 200 %.
NOON_S = 1_772_506_740
FLAT, EXAMPLE = Tariff(flat_table(), MADE_WITH_MICRO), Tariff(EXAMPLE_TABLE, MADE_WITH_MICRO)
PULSE = MADE_WITH_MICRO * 100 * 100


@given(st.integers(1_700_000_000, 2_200_000_000))
@settings(deadline=None)
def test_the_step_at_a_second_is_the_one_that_a_meter_finds(second):
    assert percent_at(EXAMPLE_TABLE, second) == EXAMPLE.price_run(second).percent


@given(st.integers(-18_000, 18_000), st.integers(1, 60))
@settings(deadline=None)
def test_the_surcharge_is_the_one_that_a_meter_takes(angle_cdeg, seconds):
    assert surcharge_of(EXAMPLE_TABLE, angle_cdeg * seconds, seconds) == surcharge_percent(
        EXAMPLE_TABLE.bands, angle_cdeg
    )
    assert surcharge_of(EXAMPLE_TABLE, 0, 0) == 0


@given(st.integers(0, 5_000), st.lists(st.integers(0, 60), max_size=6))
@settings(deadline=None)
def test_a_minute_in_pieces_has_the_pulses_of_the_minute(pulses, cuts):
    edges = [0, *sorted(cuts), 60]
    pieces = [pulses_between((600, pulses, 0), 600 + a, 600 + b) for a, b in pairwise(edges)]
    assert sum(pieces) == pulses
    assert min(pieces) >= 0


def test_a_curve_tells_what_fewer_pulses_cost_and_nothing_beyond_itself():
    curve = Curve()
    curve.begin(100, 5)
    curve.add(10, 3)
    curve.add(10, 7)
    assert [curve.read(at) for at in (99, 100, 109, 110, 115, 120, 121)] == [None, 5, 32, 35, 70, 105, None]


class Rig:
    """A meter as it is looked at, moved by hand."""

    def __init__(self, tariff, at_s, limit_w=0, **money):
        registers = SimpleNamespace(total_pulses=0)
        self.core = SimpleNamespace(
            control=SimpleNamespace(clock=Clock(at_s, at_s), registers=registers),
            world_s=at_s,
            minute=at_s // 60,
            tariff=tariff,
            waiting=None,
            conducting=(True,),
            money=Money(**({"svm_micro": 10**9, "received_micro": 10**9} | money)),
            limits=SimpleNamespace(owed_max_micro=0),
            settings=SimpleNamespace(load_limit_w=limit_w),
        )
        self.device = SimpleNamespace(_core=self.core)
        rows = [(table_digest(EXAMPLE_TABLE.build(), MADE_WITH_MICRO), MADE_WITH_MICRO, EXAMPLE_TABLE.build())]
        self.told, self.loads = [], deque()
        note = lambda holds, law: None if holds else self.told.append(law)  # noqa: E731
        self.burning = Burning("000001", self.loads, Prices(lambda statement: rows), note)
        self.look()

    def look(self):
        self.device.total_pulses = self.core.control.registers.total_pulses
        self.burning.observe(self.device, spoilt=False)
        return self.told

    def burn(self, at_s, pulses, parts):
        """So many pulses more were counted by then, and all in all so much was burned."""
        self.core.world_s = at_s
        self.core.control.registers.total_pulses += pulses
        before = self.core.money
        burned = parts // PARTS
        left = 10**9 - burned
        self.core.money = Money(
            received_micro=10**9, svm_micro=left, burned_micro=burned, acc=parts % PARTS, ring=before.ring
        )
        return self.look()

    def cut(self, at_s, left, parts):
        """Another device on the same memory, with so many pulses left, and so much burned by them."""
        self.device = SimpleNamespace(_core=self.core)
        self.core.control.registers.total_pulses = 0
        return self.burn(at_s, left, parts)


def test_every_pulse_at_its_own_price_is_let_through_and_one_part_more_or_less_is_not():
    # A minute at 200 %, then one at 100 %; the table's mean angle adds nothing.
    cost = 30 * 2 * PULSE + 10 * PULSE
    for wrong in (0, 1, -1):
        rig = Rig(EXAMPLE, NOON_S)
        rig.loads += [(NOON_S, 30, 0), (NOON_S + 60, 10, 0)]
        assert bool(rig.burn(NOON_S + 120, 40, cost + wrong)) is bool(wrong)
        assert (rig.burning.exact, rig.burning.bounded) == (40, 0)


def test_where_contacts_parted_in_a_stretch_of_two_prices_the_first_pulses_are_the_ones_that_flowed():
    for counted, parts in ((20, 40 * PULSE), (30, 60 * PULSE), (31, 61 * PULSE), (59, 89 * PULSE)):
        for wrong in (0, 1, -1):
            rig = Rig(EXAMPLE, NOON_S)
            rig.loads += [(NOON_S, 30, 0), (NOON_S + 60, 30, 0)]
            assert bool(rig.burn(NOON_S + 120, counted, parts + wrong)) is bool(wrong)
            assert (rig.burning.exact, rig.burning.bounded) == (counted, 0)


@given(st.integers(1, 5_000), st.data())
@settings(deadline=None)
def test_contacts_part_at_the_end_of_the_second_of_the_last_pulse_that_flowed(pulses, data):
    load = (NOON_S, pulses, 300)
    at_s = NOON_S + data.draw(st.integers(0, 59))
    left = pulses_between(load, at_s, NOON_S + 60)
    flowed = data.draw(st.integers(0, left))
    state = Rig(EXAMPLE, NOON_S).burning._state
    end_s = state.part(load, at_s, flowed)
    assert pulses_between(load, at_s, end_s) >= flowed
    assert end_s == at_s or pulses_between(load, at_s, end_s - 1) < flowed or not flowed
    assert state.angle_sure is (end_s > at_s)


def test_where_a_load_limit_may_have_closed_contacts_again_only_cheapest_and_dearest_bound_it():
    for parts, right in ((20 * PULSE, True), (40 * PULSE, True), (20 * PULSE - 1, False), (40 * PULSE + 1, False)):
        rig = Rig(EXAMPLE, NOON_S, limit_w=3_000)
        rig.loads += [(NOON_S, 30, 0), (NOON_S + 60, 30, 0)]
        assert (rig.burn(NOON_S + 120, 20, parts) == []) is right
        assert rig.burning.bounded == (20 if right and parts else rig.burning.bounded)


def test_where_contacts_moved_in_a_stretch_of_one_price_the_count_says_all():
    for parts, right in ((20 * PULSE, True), (20 * PULSE - 1, False)):
        rig = Rig(FLAT, NOON_S)
        rig.loads += [(NOON_S, 30, 0), (NOON_S + 60, 30, 0)]
        assert (rig.burn(NOON_S + 120, 20, parts) == []) is right


def test_pulses_that_nobody_took_are_paid_by_nobody():
    rig = Rig(FLAT, NOON_S)
    assert rig.burn(NOON_S + 60, 5, 5 * PULSE)


def test_beyond_what_may_be_owed_energy_costs_nothing():
    rig = Rig(FLAT, NOON_S, svm_micro=0, received_micro=0)
    rig.loads.append((NOON_S, 30, 0))
    rig.core.world_s, rig.core.control.registers.total_pulses = NOON_S + 60, 30
    rig.core.money = Money(acc=30 * PULSE % PARTS)
    assert rig.look() == []
    rig.core.world_s += 60
    rig.core.money = Money(acc=1)
    assert rig.look()


@pytest.mark.parametrize(("left", "wrong"), [(30, 0), (30, -1), (45, 0), (45, 1), (60, 0)])
def test_after_a_cut_the_pulses_that_are_left_cost_what_they_cost(left, wrong):
    rig = Rig(EXAMPLE, NOON_S)
    rig.loads += [(NOON_S, 30, 0), (NOON_S + 60, 60, 0)]
    rig.burn(NOON_S + 90, 60, 90 * PULSE)
    assert rig.told == []
    assert bool(rig.cut(NOON_S + 300, left, 60 * PULSE + PULSE * (left - 30) + wrong)) is bool(wrong)


@pytest.mark.parametrize(("set_back_s", "least"), [(0, 30), (60, 30), (110, 30), (170, 60)])
def test_a_cut_takes_pulses_of_the_running_minute_and_of_no_other(set_back_s, least):
    # A clock set back by up to two minutes lets the running minute last; set back further, the minute ends there.
    for left in (least, least - 1):
        rig = Rig(FLAT, NOON_S)
        rig.loads += [(NOON_S, 30, 0), (NOON_S + 60, 60, 0)]
        rig.burn(NOON_S + 90, 60, 60 * PULSE)
        rig.core.control.clock = Clock(NOON_S + 90, NOON_S + 90 - set_back_s)
        rig.look()
        rig.burn(NOON_S + 100, 10, 70 * PULSE)
        assert rig.told == []
        assert bool(rig.cut(NOON_S + 300, left, left * PULSE)) is (left < least)


def test_a_price_that_begins_before_its_time_is_seen():
    rig = Rig(EXAMPLE, NOON_S)
    rig.core.tariff = Tariff(flat_table(), MADE_WITH_MICRO)
    assert rig.look() == []
    rig.burning._prices._known[EXAMPLE.digest] = Price(
        MADE_WITH_MICRO, SimpleNamespace(valid_from_s=NOON_S + 1, percents=(1,))
    )
    rig.burning._state.total = 1
    rig.core.tariff = EXAMPLE
    assert rig.look()


def test_a_walk_is_reckoned_to_the_last_part_nearly_everywhere():
    seen = []
    for seed in (9, 14, 16):
        outcome = run(Request(seed, 1_500, meters=2), watch=lambda world: seen.append(world) if not seen else None)
        assert outcome.violation is None
    bodies = [each for world in seen for each in world.auditor.reckoner.bodies.values()]
    assert isinstance(seen[0].auditor.reckoner, Reckoner)
    assert sum(each.exact for each in bodies) > 1_000
    assert sum(each.bounded for each in bodies) < sum(each.exact for each in bodies) // 10
