"""Reports, Alarms and Wishes: opened, booked once, in any order; what does not open is dropped."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from prewatt.codec.batch import BatchKind, build_batch
from prewatt.codec.messages import MessageType
from prewatt.codec.meter_messages import AlarmAck
from prewatt.host.answers import TransferState
from prewatt.host.store import schema
from prewatt.protocol.meter_messages import open_ack


def count(world, table):
    with world.host.context.store.reading() as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()


def test_an_alarm_is_booked_once_and_acknowledged_every_time(world):
    world.pump()
    body = world.bodies["000001"]
    alarm = body.alarm()
    for _ in range(3):
        (ack,) = world.say("000001", alarm)
        assert open_ack(body.suite, body.keys[0], ack) == AlarmAck(body.meter_id, 1)
    assert count(world, schema.alarms) == 1
    assert world.host.registry.read_meter("000001").alarms == 1


def test_two_alarms_heard_at_once_are_acknowledged_in_two_rounds(world):
    world.pump()
    body = world.bodies["000001"]
    heard = [(body.meter_id, body.alarm()), (body.meter_id, body.alarm())]
    posts = world.host.dispatch.arrived(heard, world.line_ms)
    for post in posts:
        build_batch(BatchKind.TO_METERS, post.messages)
    acks = [payload for post in posts for _, payload in post.messages if payload[0] == MessageType.ALARM_ACK]
    assert [open_ack(body.suite, body.keys[0], ack).counter for ack in acks] == [1, 2]


def test_an_alarm_before_the_meter_was_ever_called_is_booked(world):
    assert len(world.say("000001", world.bodies["000001"].alarm())) >= 1
    assert count(world, schema.alarms) == 1


def test_a_wish_is_recorded_once_without_its_pin(world):
    wish = world.bodies["000001"].wish(5_000_000)
    world.say("000001", wish)
    world.say("000001", wish)
    assert count(world, schema.wishes) == 1
    assert b"1234" not in world.place.written()


def test_a_report_settles_an_order_whose_result_was_lost(world):
    world.pump()
    world.spoil = lambda payload: [] if payload[0] == 0x13 else [payload]
    world.host.vending.vend("000001", "10", order="A")
    world.pump()
    (report,) = world.bodies["000001"].report()
    world.say("000001", report)
    assert world.host.transfers.read("A").state is TransferState.CONFIRMED
    assert world.host.audit.run().ok


def test_an_older_report_never_overwrites_a_newer_balance(world):
    world.host.vending.vend("000001", "10")
    world.pump()
    body = world.bodies["000001"]
    (old,) = body.report()
    body.burn(20_000)
    (new,) = body.report()
    world.say("000001", new)
    shown = world.host.registry.read_meter("000001")
    assert shown.burned_micro == 500_000
    world.say("000001", old)
    world.say("000001", new)
    assert world.host.registry.read_meter("000001") == shown
    assert world.host.audit.run().ok


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=st.permutations(range(6)), again=st.lists(st.integers(0, 5), max_size=6))
def test_reports_in_any_order_and_number_show_the_same_in_the_end(made, order, again):
    world, reports, wanted = made
    for place in (*order, *again):
        world.say("000001", reports[place])
    assert world.host.registry.read_meter("000001").as_dict() | {"reported_s": 0} == wanted
    assert world.host.audit.run().ok


@pytest.fixture(scope="module")
def made(world_type, quick_paths):
    """Six reports over two sales, and what is shown when all have been heard; the first example hears them anew."""
    world = world_type(quick_paths())
    world.host.vending.vend("000001", "1")
    world.pump()
    body, reports = world.bodies["000001"], []
    for number in range(6):
        body.burn(5_000)
        if number == 3:
            world.pass_line(60_000)
            world.host.vending.vend("000001", "2")
            world.pump()
        reports += body.report()
    for report in reports:
        world.say("000001", report)
    wanted = world.host.registry.read_meter("000001").as_dict() | {"reported_s": 0}
    assert wanted["burned_micro"] == 6 * 5_000 * 25
    yield world, reports, wanted
    world.close()


@pytest.mark.parametrize("kind", ["report", "alarm", "wish"])
def test_a_message_cut_long_flipped_or_of_another_meter_proves_nothing(make_world, kind):
    world = make_world(meters=2)
    world.pump()
    world.pass_line(60_000)
    made = getattr(world.bodies["000001"], kind)()
    payload = made[0] if kind == "report" else made
    before = world.host.registry.read_meters()
    hostile = [payload[:length] for length in (1, 5, 9, 10, 11, len(payload) - 1)] + [payload + b"\0"]
    hostile += [payload[:at] + bytes((payload[at] ^ 1,)) + payload[at + 1 :] for at in range(1, len(payload), 7)]
    for each in hostile:
        assert world.say("000001", each) == []
    world.say("000002", payload)
    assert [each for each in world.host.registry.read_meters() if each.id == "000002"] == [before[1]]
    assert count(world, schema.alarms) == count(world, schema.wishes) == 0
    assert world.host.registry.read_meters() == before


@pytest.mark.parametrize("suite_name", ["aes-2026", "tdes-1998"])
def test_both_suites_carry_all_three(make_world, suite_name):
    world = make_world(suite_name=suite_name)
    world.host.vending.vend("000001", "2")
    world.pump()
    body = world.bodies["000001"]
    for payload in (*body.report(), body.alarm(), body.wish()):
        world.say("000001", payload)
    assert (count(world, schema.alarms), count(world, schema.wishes)) == (1, 1)
    assert world.host.registry.read_meter("000001").balance_micro == 2_000_000
    assert world.host.audit.run().ok
