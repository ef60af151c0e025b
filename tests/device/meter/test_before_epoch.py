"""A body without an epoch says nothing by itself; what happened to it goes up under the epoch it is commissioned in.

Counters of messages begin again in each body: what a new body of the same id said before it was commissioned would be
taken for a copy of what the old one said.
"""

from contextlib import suppress

import pytest

from prewatt.device.meter import Cover, KeyPress, Sense
from prewatt.device.meter.control import ALARMS_WAITING_MAX
from prewatt.device.meter.nvm import PowerCut, Torn
from prewatt.protocol.meter_messages import CounterBook, open_alarm

ALARM, WISH = b"\x15", b"\x17"


def of_kind(rig, effects, kind):
    return [payload for payload in rig.payloads(effects) if payload[:1] == kind]


def commissioned(rig):
    """Commissions the body; every Alarm it sends from then on, opened."""
    rig.effects.clear()
    rig.commission()
    sent = of_kind(rig, [*rig.effects, *rig.tick(1)], ALARM)
    return [open_alarm(rig.suite, rig.keys[1], payload) for payload in sent]


@pytest.fixture(params=["aes-2026", "tdes-1998"])
def fresh(request, make_rig):
    return make_rig(request.param, commission=False)


def test_nothing_is_said_before_the_epoch_and_all_of_it_afterwards_once(fresh):
    assert fresh.payloads(fresh.step(Cover(True))) == []
    assert fresh.payloads(fresh.step(Sense(load_voltage=True, shunt_current=False))) == []
    assert fresh.payloads(fresh.tick(2 * 86_400)) == []
    fresh.power_up()
    waiting = fresh.meter.view().alarms_waiting
    assert waiting >= 2
    alarms = commissioned(fresh)
    first = fresh.epoch << 24
    assert [alarm.head.counter for alarm in alarms] == list(range(first + 1, first + 1 + waiting))
    assert fresh.meter.view().alarms_waiting == waiting


def test_a_wish_before_the_epoch_is_told_to_be_impossible(fresh):
    effects = [effect for key in "A100#1#" for effect in fresh.step(KeyPress(key))]
    assert of_kind(fresh, effects, WISH) == []
    assert fresh.meter.view().notice == "not in use yet"
    commissioned(fresh)
    effects = [effect for key in "A100#1#" for effect in fresh.step(KeyPress(key))]
    assert len(of_kind(fresh, effects, WISH)) == 1


def test_a_body_with_an_epoch_keeps_the_counters_of_waiting_alarms_in_its_next_one(make_rig):
    rig = make_rig()
    (payload,) = of_kind(rig, rig.step(Cover(True)), ALARM)
    counter = open_alarm(rig.suite, rig.keys[1], payload).head.counter
    rig.epoch += 1
    rig.commission()
    assert [alarm.counter for alarm in rig.meter._core.control.alarms] == [counter]
    (later,) = of_kind(rig, rig.step(Sense(load_voltage=True, shunt_current=False)), ALARM)
    assert open_alarm(rig.suite, rig.keys[1], later).head.counter == (rig.epoch << 24) + 1


def test_as_many_alarms_wait_as_have_room_and_none_shares_a_counter(make_rig):
    rig = make_rig(commission=False)
    for _ in range(ALARMS_WAITING_MAX + 4):
        rig.step(Cover(True))
        rig.step(Cover(False))
    alarms = commissioned(rig)
    assert len(alarms) == len({alarm.head.counter for alarm in alarms}) == ALARMS_WAITING_MAX


def test_the_alarms_of_two_bodies_of_one_id_are_booked_as_two(make_rig):
    book = CounterBook()
    for epoch in (1, 2):
        rig = make_rig(commission=False)
        rig.epoch = epoch
        rig.step(Cover(True))
        for alarm in commissioned(rig):
            book = book.book(alarm.head.counter)
            assert book is not None, "taken for a copy"


@pytest.mark.parametrize("cut", range(0, 3_000, 150))
def test_a_power_cut_at_any_byte_of_commissioning_gives_all_counters_or_none(make_rig, cut):
    rig = make_rig(commission=False)
    rig.step(Cover(True))
    rig.nvm.cut_after(cut, tuple(Torn)[cut // 150 % 3])
    with suppress(PowerCut):
        rig.commission()
    rig.nvm.restore_power()
    rig.power_up()
    money, alarms = rig.meter.money, rig.meter._core.control.alarms
    first = rig.epoch << 24 if money.commissioned else 0
    assert alarms
    assert all(first < alarm.counter <= first + ALARMS_WAITING_MAX for alarm in alarms)
