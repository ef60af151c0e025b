"""The relay's table and the bypass table: total, and saying what the rules say."""

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prewatt.codec.bodies import RelayOrder
from prewatt.codec.commands import Code
from prewatt.codec.events import EventCode
from prewatt.codec.settings import Settings
from prewatt.device.meter import Button, Cover, RelayMoved, Sense
from prewatt.device.meter.bypass import BYPASS_RULES, Finding, judge
from prewatt.device.meter.relay import (
    RELAY_RULES,
    Cause,
    RelayEvent,
    relay_after,
    relay_closed,
    relay_conducts,
)

UNIT = 1_000_000
ALL = [Cause(bits) for bits in range(256)]
OPENING = Cause.ZERO | Cause.ORDERED | Cause.OVER_CURRENT | Cause.TAMPER | Cause.LOAD_LIMIT | Cause.INTERLOCK


def test_every_happening_has_its_row():
    assert set(RELAY_RULES) == set(RelayEvent)


def test_contacts_are_closed_only_when_no_cause_is_set():
    for causes in ALL:
        assert relay_closed(causes) is not bool(causes & OPENING)
        assert relay_conducts(causes) is (relay_closed(causes) or Cause.WELDED in causes)


def test_new_value_clears_zero_only():
    for causes in ALL:
        after = relay_after(causes, RelayEvent.VALUE_ARRIVED)
        assert after & OPENING == causes & OPENING & ~Cause.ZERO


def test_only_the_button_clears_an_over_current():
    for causes, event in product(ALL, RelayEvent):
        if Cause.OVER_CURRENT in causes and Cause.OVER_CURRENT not in relay_after(causes, event):
            assert event is RelayEvent.BUTTON


def test_the_button_lifts_an_order_only_where_the_network_armed():
    for causes in ALL:
        after = relay_after(causes, RelayEvent.BUTTON)
        ordered = Cause.ORDERED in causes
        assert (Cause.ORDERED in after) is (ordered and Cause.ARMED not in causes)


def test_nothing_is_armed_while_nothing_can_be_lifted():
    for causes, event in product(ALL, RelayEvent):
        after = relay_after(causes, event)
        if Cause.ARMED in after:
            assert after & (Cause.ORDERED | Cause.TAMPER)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(list(RelayEvent)), max_size=30))
def test_the_network_alone_never_closes_where_it_may_only_arm(happenings):
    causes = Cause.ORDERED
    for happening in happenings:
        if happening in {RelayEvent.BUTTON, RelayEvent.ORDER_CLOSE}:
            continue
        causes = relay_after(causes, happening)
        assert not relay_closed(causes)


def test_exactly_one_finding_for_every_state_of_the_sensors():
    for causes, volts, amps, excess in product(ALL, *[(False, True)] * 3):
        closed = relay_closed(causes)
        finding = judge(causes, closed, volts, amps, excess)
        if not closed and volts and not amps:
            assert finding is Finding.BYPASS
        elif not closed and amps:
            assert finding is Finding.WELDED
        elif excess:
            assert finding is Finding.FRONT_TAP
        elif closed:
            assert finding is Finding.NORMAL
        elif Cause.OVER_CURRENT in causes:
            assert finding is Finding.OVER_CURRENT_TRIP
        elif Cause.ORDERED in causes:
            assert finding is Finding.ORDERED_CUT
        else:
            assert finding is Finding.OTHER_CUT


def test_every_finding_has_a_row():
    assert {rule.finding for rule in BYPASS_RULES} == set(Finding)


@pytest.mark.parametrize(
    ("sense", "code"),
    [
        (Sense(load_voltage=True, shunt_current=False), EventCode.BYPASS),
        (Sense(load_voltage=True, shunt_current=True), EventCode.WELDED),
        (Sense(load_voltage=False, shunt_current=False, neutral_excess=True), EventCode.FRONT_TAP),
    ],
)
def test_what_the_sensor_sees_behind_open_contacts_is_logged_as_what_it_is(make_rig, sense, code):
    rig = make_rig()
    rig.step(sense)
    codes = [event.code for event in rig.meter._core.events.read_after(0, 99)]
    assert code in codes


def test_an_innocent_open_relay_is_no_theft(make_rig):
    rig = make_rig()
    rig.store(UNIT)
    rig.command(Code.RELAY, RelayOrder.OPEN.build())
    rig.step(Sense(load_voltage=False, shunt_current=False))
    rig.command(Code.RELAY, RelayOrder.ARM.build())
    rig.step(Button())
    rig.step(Sense(load_voltage=True, shunt_current=True))
    theft = {EventCode.BYPASS, EventCode.WELDED, EventCode.FRONT_TAP}
    assert not theft & {event.code for event in rig.meter._core.events.read_after(0, 99)}


def test_what_flows_through_welded_contacts_is_counted_and_owed(make_rig):
    rig = make_rig(unit_price_micro=1_000_000)
    rig.store(1_000)
    rig.live(1, 60)
    assert not rig.meter.view().relay_closed
    owed, total = rig.meter.money.owed_micro, rig.meter.view().total_pulses
    rig.live(1, 60)
    assert rig.meter.view().total_pulses == total
    rig.step(Sense(load_voltage=True, shunt_current=True))
    rig.live(1, 60)
    assert rig.meter.view().total_pulses == total + 60
    assert rig.meter.money.owed_micro == owed + 6_000
    rig.step(Sense(load_voltage=False, shunt_current=False))
    rig.live(1, 60)
    assert rig.meter.view().total_pulses == total + 60


def test_an_open_cover_keeps_its_cause_until_it_is_closed_and_the_network_lifts_it(make_rig):
    rig = make_rig(settings=Settings(cover_trips=1))
    rig.store(UNIT)
    assert RelayMoved(False) in rig.step(Cover(True))
    rig.command(Code.RELAY, RelayOrder.ARM.build())
    rig.step(Button())
    assert rig.meter.view().state == "tamper"
    rig.step(Cover(False))
    rig.step(Button())
    assert rig.meter.view().state == "tamper"
    rig.command(Code.RELAY, RelayOrder.ARM.build())
    rig.step(Button())
    assert rig.meter.view().state == "supplying"


def test_the_relay_keeps_its_state_without_power(make_rig):
    rig = make_rig()
    rig.store(UNIT)
    rig.command(Code.RELAY, RelayOrder.OPEN.build())
    rig.command(Code.RELAY, RelayOrder.ARM.build())
    rig.power_up()
    assert rig.meter.view().state == "armed"
    rig.step(Button())
    rig.power_up()
    assert rig.meter.view().relay_closed
