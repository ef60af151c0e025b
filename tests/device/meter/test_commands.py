"""Every command through a real session with the real host half, in both suites."""

from dataclasses import replace

import pytest

from prewatt.codec.bodies import Commission, KeyChange, ModeChange, RelayOrder, Retire, Text, Transfer, UsageQuery
from prewatt.codec.commands import Code, Command
from prewatt.codec.info import TablePart, join_parts, parse_part
from prewatt.codec.meter_messages import AlarmAck
from prewatt.codec.modeexample import EXAMPLE_TABLE
from prewatt.codec.modetable import flat_table, table_digest
from prewatt.codec.receipt import RECEIPT_BYTES, RingEntry, Status
from prewatt.codec.settings import SettingsChange
from prewatt.crypto import check_value
from prewatt.device.meter import Button, KeyPress, LastGasp, RelayMoved
from prewatt.device.meter.clock import CLOCK_LATEST_S
from prewatt.device.meter.relay import Cause
from prewatt.protocol.host import Done, Send
from prewatt.protocol.meter_messages import open_alarm, seal_ack

UNIT = 1_000_000


def usage(rig, day=0, part=0, time_s=None, acknowledged=0, **more):
    query = UsageQuery(rig.now_s if time_s is None else time_s, day, part, bytes(8), acknowledged)
    return rig.order(Code.USAGE, 0, query.build(), **more)


def test_value_raises_the_display_and_closes_the_contacts(rig):
    assert rig.meter.view().state == "no value"
    outcome = rig.store(10 * UNIT)
    assert outcome.receipt.status is Status.DONE
    assert outcome.receipt.balance_micro == 10 * UNIT
    assert RelayMoved(True) in rig.effects
    assert "10.00" in rig.meter.view().lcd[1]
    assert rig.shown(rig.effects) == rig.meter.view().lcd
    assert rig.meter.view().state == "supplying"


def test_a_return_lowers_the_balance_and_the_last_of_it_opens_the_contacts(rig):
    rig.store(10 * UNIT)
    assert rig.store(-4 * UNIT).receipt.balance_micro == 6 * UNIT
    assert rig.store(-7 * UNIT).receipt.status is Status.IMPOSSIBLE
    assert rig.store(-6 * UNIT).receipt.balance_micro == 0
    assert not rig.meter.view().relay_closed


def test_a_sequence_that_is_not_next_changes_nothing_and_is_answered(rig):
    rig.store(UNIT)
    before = rig.meter.money
    for sequence in (rig.last, rig.last + 2, 0, 2**32 - 1):
        outcome = rig.order(Code.VALUE, sequence, Transfer(UNIT, bytes(8)).build())
        assert outcome.receipt.status is Status.SEQUENCE
        assert rig.meter.money == before


def test_the_same_command_again_gets_the_same_result_and_is_applied_once(rig):
    host = rig.session(Command(Code.VALUE, rig.last + 1, Transfer(5 * UNIT, b"\x01" * 8).build()))
    command = host.receive(rig.say(host.hello())[0])
    assert isinstance(command, Send)
    first = rig.say(command.payload)
    assert first == rig.say(command.payload)
    assert isinstance(host.receive(first[0]), Done)
    assert rig.meter.money.balance_micro == 5 * UNIT


def test_a_body_without_epoch_takes_no_value(make_rig):
    rig = make_rig(commission=False)
    assert rig.meter.view().state == "new"
    assert rig.store(UNIT).receipt.status is Status.IMPOSSIBLE
    rig.commission()
    assert rig.store(UNIT).receipt.status is Status.DONE


def test_a_retired_body_takes_nothing_until_a_higher_epoch_begins(rig):
    rig.store(UNIT)
    assert rig.command(Code.RETIRE, Retire(b"\x80" + bytes(7)).build()).receipt.last_sequence == 0x03FFFFFF
    assert rig.meter.view().state == "retired"
    assert rig.store(UNIT).receipt.status is Status.SEQUENCE
    same = rig.command(Code.COMMISSION, Commission(3, b"\x81" + bytes(7), 0x03FFFFFF).build())
    assert same.receipt.status is Status.IMPOSSIBLE
    meant_for_another = rig.command(Code.COMMISSION, Commission(4, b"\x82" + bytes(7)).build())
    assert meant_for_another.receipt.status is Status.IMPOSSIBLE
    meant = rig.command(Code.COMMISSION, Commission(4, b"\x82" + bytes(7), 0x03FFFFFF).build())
    assert meant.receipt.last_sequence == 4 << 24


def test_a_price_is_changed_and_its_digest_answered(rig):
    table = replace(EXAMPLE_TABLE, version=9)
    outcome = rig.command(Code.MODE, ModeChange(table.build(), 200_000).build())
    assert outcome.rest == table_digest(table.build(), 200_000)
    view = rig.meter.view()
    assert (view.table_version, view.unit_price_micro) == (9, 200_000)
    part = parse_part(usage(rig, part=255).plain)
    assert isinstance(part, TablePart)
    assert part.table.rstrip(b"\0") == table.build().rstrip(b"\0")


def test_a_table_needs_a_greater_version_and_waits_for_its_time(rig):
    later = replace(flat_table(version=5, percent=300), valid_from_s=rig.now_s + 600)
    rig.command(Code.MODE, ModeChange(later.build(), 1_000).build())
    assert rig.meter.view().waiting_version == 5
    assert rig.meter.view().step_percent == 100
    older = flat_table(version=5, percent=50)
    refused = rig.command(Code.MODE, ModeChange(older.build(), 1_000).build())
    assert refused.receipt.status is Status.IMPOSSIBLE
    rig.tick(599)
    assert rig.meter.view().step_percent == 100
    rig.tick(1)
    assert rig.meter.view().step_percent == 300
    assert rig.meter.view().waiting_version is None
    rig.power_up()
    assert rig.meter.view().step_percent == 300


def test_a_newer_table_takes_the_place_of_the_one_that_waits(rig):
    for version in (5, 6):
        later = replace(flat_table(version=version), valid_from_s=rig.now_s + 600)
        assert rig.command(Code.MODE, ModeChange(later.build(), 1_000).build()).receipt.status is Status.DONE
    assert rig.meter.view().waiting_version == 6
    rig.command(Code.MODE, ModeChange(flat_table(version=7).build(), 2_000).build())
    assert rig.meter.view().waiting_version is None
    assert rig.meter.view().table_version == 7


def test_usage_returns_the_minutes_and_registers_of_the_day(rig):
    rig.store(100 * UNIT)
    day = rig.now_s // 86_400
    rig.live(60, 7)
    rig.live(30, 11)
    part = parse_part(usage(rig, day=day).plain)
    assert part.minutes == (7,) * 60 + (11,) * 30
    assert part.standing.registers.day_pulses == part.standing.registers.total_pulses == 60 * 7 + 30 * 11
    assert part.standing.split.balance_micro == part.receipt.balance_micro == rig.meter.money.balance_micro
    assert part.standing.ring == rig.meter.money.ring


@pytest.mark.parametrize("suite_name", ["aes-2026", "tdes-1998"])
def test_a_whole_day_comes_in_parts_that_join(make_rig, suite_name):
    rig = make_rig(suite_name, unit_price_micro=10)
    rig.command(Code.SETTINGS, SettingsChange({"over_current_w": 10**6}).build())
    rig.store(100_000 * UNIT)
    day = rig.now_s // 86_400
    for _ in range(1440):
        rig.live(1, rig.chance.randrange(60_000))
    first = parse_part(usage(rig, day=day).plain)
    parts = [parse_part(usage(rig, day=day, part=part).plain) for part in range(first.parts)]
    assert first.parts > 1
    info = join_parts(parts)
    assert len(info.minutes) == 1440
    assert sum(info.minutes) == rig.meter.view().total_pulses
    past = usage(rig, day=day, part=first.parts)
    assert past.receipt.status is Status.IMPOSSIBLE


def test_a_day_that_no_clock_reaches_and_one_to_come_are_answered(rig):
    assert usage(rig, day=65_535).receipt.status is Status.IMPOSSIBLE
    assert parse_part(usage(rig, day=49_709).plain).minutes == ()
    assert parse_part(usage(rig, day=1).plain).minutes == (0xFFFF,) * 1440


def test_the_cursor_only_moves_forward_and_never_past_what_was_sent(rig):
    rig.store(UNIT)
    newest = parse_part(usage(rig).plain).events[-1].number
    rig.store(UNIT)
    assert parse_part(usage(rig, acknowledged=10_000).plain).events[0].number == newest + 1
    again = usage(rig, acknowledged=1)
    assert all(event.number > newest for event in parse_part(again.plain).events)


def test_a_wrong_clock_is_set_to_the_nearer_end_and_a_right_one_is_left(rig):
    outcome = usage(rig, time_s=rig.now_s + 1_000)
    assert parse_part(outcome.plain).standing.timer_s == rig.now_s
    assert rig.meter.view().clock_s == rig.now_s + 1_000
    usage(rig, time_s=rig.now_s)
    # The host's whole second may have been nearly over.
    assert rig.meter.view().clock_s in {rig.now_s, rig.now_s + 1}
    exact = rig.meter.view().clock_s
    usage(rig, time_s=exact)
    assert rig.meter.view().clock_s == exact


def test_a_delayed_answer_cannot_make_a_right_clock_wrong(rig):
    for wait_ms in (0, 400, 30_000, 900_000):
        host_s = rig.now_s
        rig.line_ms += 1_000
        host = rig.session(Command(Code.USAGE, 0, UsageQuery(host_s, 0, 0, bytes(8), 0).build()))
        command = host.receive(rig.say(host.hello())[0])
        rig.line_ms += wait_ms
        rig.now_s += (wait_ms + 50) // 1_000
        rig.say(command.payload)
        assert rig.meter.view().clock_s == rig.now_s


def test_a_clock_speed_that_changes_meanwhile_cannot_make_a_right_clock_wrong(make_rig):
    rig = make_rig()
    rig.speed = 3_600
    rig.tick(3_600)
    rig.line_ms += 1_000
    host = rig.session(Command(Code.USAGE, 0, UsageQuery(rig.now_s, 0, 0, bytes(8), 0).build()))
    command = host.receive(rig.say(host.hello())[0])
    rig.tick(360)
    rig.speed = 1
    rig.say(command.payload)
    assert rig.meter.view().clock_s == rig.now_s


def test_what_waits_for_an_acknowledgement_is_forgotten_with_it(rig):
    """A meter lives for decades; whatever it remembers of an Alarm ends with the Alarm."""
    for _ in range(5):
        payloads = rig.payloads(rig.step(KeyPress("D")))
        (alarm,) = [open_alarm(rig.suite, rig.keys[1], payload) for payload in payloads if payload[0] == 0x15]
        rig.say(seal_ack(rig.suite, rig.keys[1], AlarmAck(alarm.head.meter_id, alarm.head.counter)))
    outbox = rig.meter._outbox
    assert outbox.idle
    assert not outbox._due_ms
    assert not outbox._tries


def test_a_clock_that_was_set_to_the_last_day_there_is_stops_no_meter(rig):
    usage(rig, time_s=CLOCK_LATEST_S)
    rig.store(UNIT)
    for _ in range(3):
        rig.live(2, 5)
        rig.tick(86_400 - 120)
    assert rig.meter.view().total_pulses == 30
    rig.step(LastGasp())
    rig.power_up()
    assert parse_part(usage(rig, time_s=rig.now_s).plain).standing.timer_s == 2**32 - 1
    assert rig.meter.view().clock_s in {rig.now_s, rig.now_s + 1}
    rig.live(2, 5)
    assert rig.meter.view().total_pulses == 40


def test_an_absurd_time_is_not_believed_but_answered(rig):
    for time_s in (0, 2**32 - 1):
        outcome = usage(rig, time_s=time_s)
        assert outcome.receipt.status is Status.IMPOSSIBLE
        assert rig.meter.view().clock_s == rig.now_s


def test_the_ring_is_the_last_sixteen_holders(rig):
    for _ in range(20):
        rig.store(UNIT)
    rest = rig.order(Code.RING, 0, b"").rest
    assert len(rest) == 16 * 20
    assert rest == b"".join(entry.build() for entry in rig.meter.money.ring)
    assert rig.meter.money.ring[-1] == RingEntry(rig.last, rig.meter.money.last_tag, UNIT)


def test_a_key_set_is_replaced_under_another_and_works(rig):
    fresh = rig.chance.randbytes(rig.suite.terminal_key_bytes)
    check = check_value(rig.suite, 2, b"\0\0\1", fresh)
    body = KeyChange(2, fresh, check).build()
    under_itself = rig.command(Code.KEY, body, key_set=2)
    assert under_itself.receipt.status is Status.IMPOSSIBLE
    wrong_check = rig.command(Code.KEY, KeyChange(2, fresh, bytes(4)).build())
    assert wrong_check.receipt.status is Status.IMPOSSIBLE
    done = rig.command(Code.KEY, body)
    assert (done.receipt.status, done.rest) == (Status.DONE, check)
    rig.keys[2] = fresh
    assert rig.order(Code.RING, 0, b"", key_set=2).receipt.status is Status.DONE
    rig.power_up()
    assert rig.order(Code.RING, 0, b"", key_set=2).receipt.status is Status.DONE


def test_an_ordered_cut_waits_for_arming_and_the_button(rig):
    rig.store(UNIT)
    opened = rig.command(Code.RELAY, RelayOrder.OPEN.build())
    assert opened.rest == bytes((Cause.ORDERED,))
    assert rig.meter.view().state == "ordered off"
    rig.step(Button())
    assert not rig.meter.view().relay_closed
    closed = rig.command(Code.RELAY, RelayOrder.CLOSE.build())
    assert closed.rest == bytes((Cause.ORDERED | Cause.ARMED,))
    assert rig.meter.view().state == "armed"
    assert RelayMoved(True) in rig.step(Button())
    assert rig.meter.view().relay_closed


def test_where_the_settings_allow_it_the_network_closes_by_itself(rig):
    rig.store(UNIT)
    rig.command(Code.SETTINGS, SettingsChange({"close_arms": 0}).build())
    rig.command(Code.RELAY, RelayOrder.OPEN.build())
    assert rig.command(Code.RELAY, RelayOrder.CLOSE.build()).rest == b"\0"
    assert rig.meter.view().relay_closed


def test_a_text_is_shown(rig):
    rig.command(Code.TEXT, Text("Grüße: maintenance on Sunday").build())
    assert rig.meter.view().messages == ("Grüße: maintenance on Sunday",)
    rig.power_up()
    assert rig.meter.view().messages == ("Grüße: maintenance on Sunday",)


def test_settings_change_and_stay(rig):
    rig.command(Code.SETTINGS, SettingsChange({"ceiling_micro": 5 * UNIT, "lcd_wide": 0}).build())
    assert rig.store(6 * UNIT).receipt.status is Status.IMPOSSIBLE
    assert [len(line) for line in rig.meter.view().lcd] == [16, 16]
    rig.power_up()
    assert rig.store(6 * UNIT).receipt.status is Status.IMPOSSIBLE
    assert rig.store(5 * UNIT).receipt.status is Status.DONE


def test_a_control_command_is_done_once_and_answered_again_alike(rig):
    rig.store(UNIT)
    body = RelayOrder.OPEN.build()
    first = rig.command(Code.RELAY, body)
    rig.command(Code.RELAY, RelayOrder.ARM.build())
    rig.step(Button())
    assert rig.meter.view().relay_closed
    # The first order, delayed, is older than the last; the last again is answered without being done again.
    stale = rig.order(Code.RELAY, rig.control - 1, body)
    assert stale.receipt.status is Status.CONTROL
    again = rig.order(Code.RELAY, rig.control, RelayOrder.ARM.build())
    assert again.receipt.status is Status.DONE
    other = rig.order(Code.RELAY, rig.control, body)
    assert other.receipt.status is Status.CONTROL
    assert rig.meter.view().relay_closed
    assert first.receipt.last_control == rig.control - 1


def test_what_verifies_but_means_nothing_is_answered_and_uses_no_counter(rig):
    before = rig.meter.money
    bad_table = ModeChange(b"\xff" * 20, 1).build()
    for code, body in (
        (Code.MODE, bad_table),
        (Code.RELAY, b"\x09"),
        (Code.SETTINGS, b"\xff\x01\x00"),
        (Code.TEXT, b"\xff"),
        (Code.COMMISSION, b"\x00"),
        (0x7F, b""),
    ):
        outcome = rig.order(code, rig.control + 1, body)
        assert outcome.receipt.status is Status.IMPOSSIBLE
        assert len(outcome.plain) == RECEIPT_BYTES
        assert rig.meter.money == before


def test_a_price_beyond_the_meters_arithmetic_is_refused(rig):
    table = flat_table(version=2)
    outcome = rig.command(Code.MODE, ModeChange(table.build(), 10**15 + 1).build())
    assert outcome.receipt.status is Status.IMPOSSIBLE
    assert rig.meter.view().unit_price_micro == 150_000


def test_an_order_open_while_armed_disarms(rig):
    rig.store(UNIT)
    for order in (RelayOrder.OPEN, RelayOrder.ARM, RelayOrder.OPEN):
        rig.command(Code.RELAY, order.build())
    rig.step(Button())
    assert not rig.meter.view().relay_closed


@pytest.mark.parametrize("order", [RelayOrder.ARM, RelayOrder.CLOSE])
def test_arming_a_relay_that_nothing_ordered_off_does_nothing(rig, order):
    rig.store(UNIT)
    assert rig.command(Code.RELAY, order.build()).rest == b"\0"
    assert rig.meter.view().relay_closed
