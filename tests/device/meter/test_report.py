"""What the meter says by itself: the daily Report, Alarms, the Wish, and how they outlive power and keys."""

import pytest

from prewatt.codec.bodies import KeyChange, UsageQuery
from prewatt.codec.commands import Code
from prewatt.codec.events import EventCode
from prewatt.codec.info import join_parts, parse_part
from prewatt.codec.meter_messages import AlarmAck
from prewatt.codec.settings import Settings
from prewatt.crypto import check_value
from prewatt.device.meter import Cover, KeyPress, LastGasp, Sense, Tick, WakeAt
from prewatt.protocol.meter_messages import open_alarm, open_report, open_wish, seal_ack

UNIT = 1_000_000
REPORT, ALARM, WISH = b"\x14", b"\x15", b"\x17"


def of_kind(rig, effects, kind):
    return [payload for payload in rig.payloads(effects) if payload[:1] == kind]


def reports_of(rig, effects):
    return [open_report(rig.suite, rig.keys[1], payload) for payload in of_kind(rig, effects, REPORT)]


def test_after_local_midnight_the_day_is_reported_with_all_its_minutes(rig):
    rig.store(10 * UNIT)
    day = rig.now_s // 86_400
    assert not of_kind(rig, rig.live(1439, 7), REPORT)
    reports = reports_of(rig, rig.live(1, 9))
    info = join_parts([parse_part(report.plain) for report in reports])
    assert (info.day, info.minutes) == (day, (7,) * 1439 + (9,))
    assert info.standing.registers.total_pulses == 1439 * 7 + 9
    assert info.standing.registers.day_pulses == 0
    assert info.receipt == rig.meter.money.receipt(b"\0\0\1", info.receipt.status)
    assert [report.head.counter for report in reports] == [(rig.epoch << 24) + 1]
    assert not of_kind(rig, rig.live(30, 7), REPORT)


def test_every_day_has_a_report_of_its_own_even_when_nobody_stepped_the_meter_for_days(make_rig):
    rig = make_rig()
    rig.store(UNIT)
    day = rig.now_s // 86_400
    reports = reports_of(rig, rig.tick(3 * 86_400 + 60))
    assert [parse_part(report.plain).day for report in reports] == [day, day + 1, day + 2]
    assert [report.head.counter & 0xFFFFFF for report in reports] == [1, 2, 3]


def test_a_noisy_day_is_reported_in_parts_of_at_most_2500_bytes(make_rig):
    rig = make_rig(unit_price_micro=10, settings=Settings(over_current_w=10**6))
    rig.store(10 * UNIT)
    effects = []
    for _ in range(1440):
        effects += rig.live(1, rig.chance.randrange(60_000))
    payloads = of_kind(rig, effects, REPORT)
    assert len(payloads) > 1
    assert {len(payload) for payload in payloads} <= {1_000, 1_500, 2_000, 2_500}
    info = join_parts([parse_part(report.plain) for report in reports_of(rig, effects)])
    assert len(info.minutes) == 1440
    assert sum(info.minutes) == rig.meter.view().total_pulses


def test_the_day_in_which_power_failed_is_reported_when_it_comes_back(rig):
    rig.store(UNIT)
    day = rig.now_s // 86_400
    rig.live(10, 7)
    rig.step(LastGasp())
    rig.now_s += 2 * 86_400
    rig.power_up()
    reports = reports_of(rig, rig.step(Tick()))
    assert [parse_part(report.plain).day for report in reports] == [day]
    minutes = parse_part(reports[0].plain).minutes
    assert minutes[:10] == (7,) * 10
    assert set(minutes[10:]) == {0xFFFF}
    assert len(minutes) == 1440
    rig.power_up()
    assert not of_kind(rig, rig.step(Tick()), REPORT)


def test_a_body_powered_for_the_first_time_has_nothing_to_report(make_rig):
    rig = make_rig()
    assert not of_kind(rig, rig.effects, REPORT)


def alarm_once(rig):
    rig.effects.clear()
    effects = rig.step(Sense(load_voltage=True, shunt_current=False))
    (payload,) = of_kind(rig, effects, ALARM)
    return payload, effects


def test_an_alarm_is_repeated_with_the_same_bytes_until_it_is_acknowledged(rig):
    payload, effects = alarm_once(rig)
    alarm = open_alarm(rig.suite, rig.keys[1], payload)
    assert alarm.event == EventCode.BYPASS
    assert [effect.meter_s for effect in effects if isinstance(effect, WakeAt)] == [rig.now_s + 60]
    for wait_s in (60, 120, 240, 480):
        assert not of_kind(rig, rig.tick(wait_s - 1), ALARM)
        assert of_kind(rig, rig.tick(1), ALARM) == [payload]
    rig.step(LastGasp())
    rig.power_up()
    assert of_kind(rig, rig.step(Tick()), ALARM) == [payload]
    assert rig.meter.view().alarms_waiting == 1
    ack = AlarmAck(b"\0\0\1", alarm.head.counter)
    rig.say(seal_ack(rig.suite, rig.keys[1], ack))
    assert rig.meter.view().alarms_waiting == 0
    rig.power_up()
    assert not of_kind(rig, rig.tick(10_000), ALARM)


def test_an_acknowledgement_of_another_counter_key_or_meter_is_none(rig):
    payload, _ = alarm_once(rig)
    counter = open_alarm(rig.suite, rig.keys[1], payload).head.counter
    good = seal_ack(rig.suite, rig.keys[1], AlarmAck(b"\0\0\1", counter))
    bad = [
        seal_ack(rig.suite, rig.keys[1], AlarmAck(b"\0\0\1", counter + 1)),
        seal_ack(rig.suite, rig.keys[2], AlarmAck(b"\0\0\1", counter)),
        seal_ack(rig.suite, rig.keys[1], AlarmAck(b"\0\0\2", counter)),
        good[:-1],
        good + b"\0",
        *(good[:place] + bytes((good[place] ^ 1,)) + good[place + 1 :] for place in range(1, len(good))),
    ]
    before = rig.memory()
    for payload in bad:
        rig.say(payload)
        assert rig.memory() == before
    assert rig.meter.view().alarms_waiting == 1


def test_an_alarm_of_a_replaced_key_set_is_sealed_anew_under_a_live_one_with_its_counter(rig):
    payload, _ = alarm_once(rig)
    counter = open_alarm(rig.suite, rig.keys[1], payload).head.counter
    fresh = rig.chance.randbytes(rig.suite.terminal_key_bytes)
    rig.command(Code.KEY, KeyChange(1, fresh, check_value(rig.suite, 1, b"\0\0\1", fresh)).build(), key_set=2)
    (again,) = of_kind(rig, rig.tick(4_000), ALARM)
    alarm = open_alarm(rig.suite, rig.keys[2], again)
    assert (alarm.head.counter, alarm.head.key_set, alarm.event) == (counter, 2, EventCode.BYPASS)


def test_the_same_finding_is_alarmed_once_and_again_after_it_was_gone(make_rig):
    rig = make_rig()
    theft = Sense(load_voltage=True, shunt_current=False)
    normal = Sense(load_voltage=False, shunt_current=False)
    codes = []
    for sense in (theft, theft, normal, normal, theft):
        rig.step(sense)
        codes = [event.code for event in rig.meter._core.events.read_after(0, 99)]
    assert codes.count(EventCode.BYPASS) == 2


def test_events_stay_until_the_host_acknowledged_them(make_rig):
    rig = make_rig()
    for opened in (True, False) * 5:
        rig.step(Cover(opened))
    query = UsageQuery(rig.now_s, 0, 0, bytes(8), 0)
    first = parse_part(rig.order(Code.USAGE, 0, query.build()).plain).events
    rig.power_up()
    again = parse_part(rig.order(Code.USAGE, 0, query.build()).plain).events
    assert again[: len(first)] == first
    query = UsageQuery(rig.now_s, 0, 0, bytes(8), again[-1].number)
    assert rig.order(Code.USAGE, 0, query.build()).receipt.status == 0
    assert rig.meter.view().events_waiting == 0


def press(rig, keys):
    effects = []
    for key in keys:
        effects += rig.step(KeyPress(key))
    return effects


def test_a_customer_asks_for_value_at_the_keypad(rig):
    effects = press(rig, "A1050#4711#")
    (payload,) = of_kind(rig, effects, WISH)
    wish = open_wish(rig.suite, rig.keys[1], payload)
    assert (wish.amount_micro, wish.pin, wish.head.counter) == (10_500_000, "4711", (rig.epoch << 24) + 1)
    assert not any("4711" in line for effect in effects if hasattr(effect, "lines") for line in effect.lines)
    rig.power_up()
    (payload,) = of_kind(rig, press(rig, "A1#1#"), WISH)
    assert open_wish(rig.suite, rig.keys[1], payload).head.counter == (rig.epoch << 24) + 2


def test_an_amount_that_no_meter_holds_is_not_asked_for(make_rig):
    rig = make_rig(settings=Settings(minor_micro=2**32 - 1))
    assert not of_kind(rig, press(rig, "A" + "9" * 12 + "#1#"), WISH)
    assert rig.meter.view().notice == "amount too large"


def test_an_emergency_call_is_an_alarm(rig):
    (payload,) = of_kind(rig, press(rig, "D"), ALARM)
    assert open_alarm(rig.suite, rig.keys[1], payload).event == EventCode.EMERGENCY_CALL


def test_a_message_of_the_customer_goes_up_like_an_alarm(rig):
    (payload,) = of_kind(rig, press(rig, "12D"), ALARM)
    alarm = open_alarm(rig.suite, rig.keys[1], payload)
    assert (alarm.event, alarm.detail) == (EventCode.CUSTOMER_MESSAGE, b"\x0c")
    assert rig.meter.view().notice == "message 12 sent"


@pytest.mark.parametrize("zeroises", [0, 1])
def test_an_opened_cover_alarms_and_erases_the_keys_where_set_so(make_rig, zeroises):
    rig = make_rig(settings=Settings(cover_zeroises=zeroises))
    rig.store(UNIT)
    (payload,) = of_kind(rig, rig.step(Cover(True)), ALARM)
    assert open_alarm(rig.suite, rig.keys[1], payload).event == EventCode.COVER_OPENED
    memory = b"".join(rig.memory().values())
    assert any(key in memory for key in rig.keys.values()) is not bool(zeroises)
    rig.power_up()
    rig.live(5, 10)
    assert rig.meter.money.balance_micro < UNIT
    hello = rig.session_hello()
    assert (rig.say(hello)[0][0] == 0x11) is not bool(zeroises)
