"""The engine: what goes out when, what is given up, what is tried again, and what survives a crash between commits."""

import copy
import shutil
from itertools import pairwise

import pytest
from sqlalchemy import update

from prewatt.codec.bodies import RelayOrder
from prewatt.codec.commands import Code
from prewatt.codec.messages import MessageType, Refusal, RefusalReason
from prewatt.codec.settings import SettingsChange
from prewatt.device.meter.moneylimits import MoneyLimits
from prewatt.host.answers import TransferState
from prewatt.host.controls import CONTROLS_WAITING_MAX
from prewatt.host.dispatch import DispatchSettings
from prewatt.host.folder import DataFolder
from prewatt.host.host import Host
from prewatt.host.refusals import RefusalOutcome, RefusedError
from prewatt.host.store import schema


def hellos(world):
    return sum(payload[0] == MessageType.HELLO for payload in world.seen)


def test_a_waiting_session_is_given_up_after_its_life_and_tried_again_with_back_off(world):
    world.pump()
    world.spoil = lambda payload: []
    world.host.vending.vend("000001", "1")
    times, start = [], world.line_ms
    for _ in range(400):
        before = hellos(world)
        posts = world.host.dispatch.tick(world.line_ms)
        world._carry(posts)
        if hellos(world) != before:
            times.append(world.line_ms - start)
        world.pass_line(1_000)
    gaps = [after - before for before, after in pairwise(times)]
    assert gaps[0] >= world.settings.session_ms + world.settings.backoff_first_ms
    assert gaps == sorted(gaps)
    most = world.settings.session_ms + world.settings.backoff_most_ms
    assert all(gap <= most + 2_000 for gap in gaps)
    assert gaps[-1] >= most
    assert world.host.dispatch.sessions_open <= 1


def test_a_new_sale_does_not_wait_for_the_back_off(world):
    world.pump()
    body = world.bodies.pop("000001")
    world.host.vending.vend("000001", "1")
    for _ in range(10):
        world.pump()
        world.pass_line(61_000)
    world.bodies["000001"] = body
    world.host.dispatch.tick(world.line_ms)
    world.pass_line(31_001)
    world.host.vending.vend("000001", "2", order="now")
    world.pump()
    assert world.host.transfers.read("now").state is TransferState.CONFIRMED


def test_a_refusal_ends_a_session_sooner_and_proves_nothing(world):
    world.pump()
    world.spoil = lambda payload: (
        [Refusal(RefusalReason.BUSY).build()] if payload[0] == MessageType.RESULT else [payload]
    )
    world.host.vending.vend("000001", "1", order="A")
    world.pump()
    assert world.host.dispatch.sessions_open == 0
    assert world.host.transfers.read("A").state is TransferState.PENDING
    world.spoil = None
    world.pass_line(2_000)
    world.pump()
    assert world.host.transfers.read("A").state is TransferState.CONFIRMED


@pytest.mark.parametrize("more", [(), ("51",), ("51", "52", "53")])
def test_orders_that_the_meter_refuses_are_sent_again_with_back_off(world, more):
    world.pump()
    world.bodies["000001"].limits = MoneyLimits(ceiling_micro=1)
    world.host.vending.vend("000001", "50", order="much")
    for amount in more:
        world.host.vending.vend("000001", amount)
    before, minutes = hellos(world), 10
    for _ in range(minutes * 60):
        world.pump()
        world.pass_line(1_000)
    assert world.host.transfers.read("much").state is TransferState.REFUSED
    assert hellos(world) - before <= 3 * minutes


def test_payloads_of_nobody_change_nothing(world):
    world.pump()
    before = world.host.registry.read_meters()
    for payload in (b"", b"\x11", b"\x13" + bytes(60), b"\x14", b"\x15" * 40, b"\x17" * 12, b"\xff" * 99):
        for meter in ("000001", "000077"):
            assert world.say(meter, payload) == []
    assert world.host.registry.read_meters() == before
    assert world.host.audit.run().ok


def test_a_meter_is_called_no_faster_than_it_answers(world):
    world.pump()
    world.pass_line(60_000)
    for number in range(30):
        world.host.vending.vend("000001", "1", order=f"n{number}")
    start, before = world.line_ms, hellos(world)
    posts = world.host.dispatch.tick(world.line_ms)
    for _ in range(2_000):
        posts = world.host.dispatch.arrived(world._carry(posts), world.line_ms)
        world.pass_line(10)
    assert world.bodies["000001"].money.received_micro == 20_000_000 + 10_000_000 - (30 - _done(world)) * 1_000_000
    allowed = 8 + (world.line_ms - start) // 1_000 + 1
    assert hellos(world) - before <= allowed


def _done(world):
    return len(world.host.transfers.read_all(state=TransferState.CONFIRMED))


def test_every_meter_is_polled_and_its_clock_set_to_the_time_of_the_command(world):
    world.pump()
    world.now_s += world.settings.poll_s + 5
    world.pass_line(5_000)
    world.line_ms += 1
    answers = world._carry(world.host.dispatch.tick(world.line_ms))
    assert answers
    world.now_s += 17
    posts = world.host.dispatch.arrived(answers, world.line_ms)
    world._carry(posts)
    assert world.bodies["000001"].clock_s == world.now_s


def test_a_replayed_proof_does_not_make_a_second_command(world):
    world.pump()
    world.now_s += world.settings.poll_s + 5
    world.pass_line(5_000)
    answers = world._carry(world.host.dispatch.tick(world.line_ms))
    first = world.host.dispatch.arrived(answers, world.line_ms)
    world.now_s += 100
    again = world.host.dispatch.arrived(answers, world.line_ms)
    assert [payload[0] for post in first for _, payload in post.messages] == [MessageType.COMMAND]
    assert again == []


def test_waiting_work_goes_money_then_key_then_tariff_then_text(world):
    world.pump()
    world.vault.add("aes-2026", now_s=world.now_s)
    world.host.controls.send_text("000001", "hello")
    world.host.tariffs.set("0.3")
    world.host.controls.change_key("000001", 2)
    world.host.vending.vend("000001", "1")
    done, body = [], world.bodies["000001"]
    execute = body._execute
    body._execute = lambda command: done.append(Code(command.code)) or execute(command)
    world.settle(2)
    first = list(dict.fromkeys(code for code in done if code is not Code.USAGE))
    assert first == [Code.VALUE, Code.KEY, Code.MODE, Code.TEXT]
    assert body.texts == ["hello"]


def test_a_text_goes_after_the_clock(world):
    world.pump()
    world.host.controls.send_text("000001", "hello")
    world.now_s += world.settings.poll_s
    done, body = [], world.bodies["000001"]
    execute = body._execute
    body._execute = lambda command: done.append(Code(command.code)) or execute(command)
    world.pass_line(60_000)
    world.pump()
    assert done == [Code.USAGE, Code.TEXT]


def test_a_new_key_set_is_used_only_after_it_has_proved_itself(world):
    world.pump()
    world.vault.add("aes-2026", now_s=world.now_s)
    world.host.controls.change_key("000001", 2)
    assert world.host.registry.read_meter("000001").key_sets == (0, 1)
    world.settle(2)
    assert world.host.registry.read_meter("000001").key_sets == (0, 1, 2)
    assert world.host.controls.read("000001")[0].state == "done"
    assert sorted(world.bodies["000001"].keys) == [0, 1, 2]


def test_a_key_set_that_the_meter_lost_is_never_confirmed_and_the_meter_stays_reachable(world):
    world.pump()
    world.vault.add("aes-2026", now_s=world.now_s)
    body = world.bodies["000001"]
    world.host.controls.change_key("000001", 2)
    world.pump()
    body.keys = {index: key for index, key in body.keys.items() if index != 2}
    body.restart()
    for _ in range(6):
        world.now_s += world.settings.poll_s
        world.settle(2)
    world.host.vending.vend("000001", "1", order="A")
    world.settle(3)
    assert world.host.transfers.read("A").state is TransferState.CONFIRMED


@pytest.mark.parametrize("wish", ["relay", "settings"])
def test_control_commands_are_done_and_shown(world, wish):
    world.pump()
    if wish == "relay":
        answer = world.host.controls.order_relay("000001", RelayOrder.OPEN)
    else:
        answer = world.host.controls.change_settings("000001", SettingsChange({"low_balance_micro": 5}))
    assert (answer.state, answer.kind) == ("waiting", wish)
    world.pump()
    assert world.host.controls.read("000001")[0].state == "done"


def test_the_newest_wish_wins_over_an_older_one_that_still_waits(world):
    world.pump()
    body = world.bodies.pop("000001")
    world.host.controls.order_relay("000001", RelayOrder.OPEN)
    world.host.controls.order_relay("000001", RelayOrder.CLOSE)
    world.bodies["000001"] = body
    world.settle(3)
    assert [each.state for each in world.host.controls.read("000001")] == ["done", "dropped"]


def _snapshots(world):
    """Copies data, state and meters after every commit, as a kill at that moment leaves them."""
    kept = []

    store = world.host.context.store

    def keep(number, note=store.after_commit):
        note(number)
        folder = world.path.parent / f"kill{number}"
        shutil.copytree(world.path, folder / "data")
        shutil.copytree(world.state, folder / "state")
        world.place.let_go(store)
        bodies = {name: copy.copy(body) for name, body in world.bodies.items()}
        kept.append((folder, world.place.copied(folder / "data"), bodies, world.now_s, world.line_ms))

    store.after_commit = keep
    return kept


def test_a_host_killed_between_any_two_commits_resumes_right(world):
    kept = _snapshots(world)
    world.host.vending.vend("000001", "10", order="A")
    world.pump()
    world.bodies["000001"].burn(100)
    world.host.vending.vend("000001", "5", order="B")
    world.host.vending.vend("000001", "4", order="C")
    world.host.transfers.cancel("C")
    world.host.tariffs.set("0.3")
    world.say("000001", world.bodies["000001"].alarm())
    world.pump()
    assert len(kept) > 10
    world.close()
    first = world.place
    for folder, place, bodies, now_s, line_ms in kept:
        world.path, world.state, world.now_s, world.line_ms = folder / "data", folder / "state", now_s, line_ms
        world.place, world.bodies = place, bodies
        for body in bodies.values():
            body.restart()
        with world.reopen() as host:
            asked = {each.order: each.amount_micro for each in host.transfers.read_all()}
            assert host.audit.run().ok
            world.settle(3)
            found = host.transfers.read_all()
            assert {each.order for each in found} == set(asked)
            assert all(each.state in (TransferState.CONFIRMED, TransferState.CANCELLED) for each in found)
            held = sum(each.amount_micro for each in found if each.state is TransferState.CONFIRMED)
            assert bodies["000001"].money.received_micro == held
            audit = host.audit.run()
            assert audit.ok, audit.violations[:1]
        place.drop()
        shutil.rmtree(folder)
    world.place = first


def test_a_book_that_cannot_be_read_stops_only_its_own_meter(make_world):
    world = make_world(meters=2)
    world.pump()
    store, ours = world.host.context.store, schema.books.c.meter == "000001"
    store.write(lambda writing: writing.connection.execute(update(schema.books).where(ours).values(book=b"{}")))
    world.host.vending.vend("000002", "1", order="A")
    world.host.dispatch.wake("000001")
    world.pump()
    assert world.host.transfers.read("A").state is TransferState.CONFIRMED


def test_a_setting_that_goes_there_and_back_ends_where_it_was_wished_last(world):
    world.pump()
    body, given = world.bodies["000001"], []
    control = body._control
    body._control = lambda code, counter, plain: given.append(plain[-1]) or control(code, counter, plain)
    for low_balance_micro in (1, 2, 1):
        change = SettingsChange({"low_balance_micro": low_balance_micro})
        world.host.controls.change_settings("000001", change)
    world.settle(3)
    assert given == [1, 2, 1]
    assert [answer.state for answer in world.host.controls.read("000001")] == ["done"] * 3


def test_commands_for_a_dead_meter_do_not_pile_up_without_end(world):
    world.pump()
    for number in range(CONTROLS_WAITING_MAX):
        world.host.controls.send_text("000001", f"text {number}")
    with pytest.raises(RefusedError, match="fewer than 64 commands") as refused:
        world.host.controls.send_text("000001", "one more")
    assert refused.value.outcome is RefusalOutcome.METER_BLOCKED
    assert len([each for each in world.host.controls.read("000001") if each.state == "waiting"]) == 64


def test_settings_of_dispatch_are_the_hosts(quick_paths, world_type):
    world = world_type(quick_paths())
    world.close()
    settings = DispatchSettings(session_ms=5)
    outer = world._outer() | {"dispatch_settings": settings}
    with Host.open(DataFolder.claim(world.path), world.vault, **outer) as host:
        assert host.dispatch.settings is settings
