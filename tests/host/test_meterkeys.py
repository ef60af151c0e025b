"""Key sets of which nobody knows whether a meter still has them: nothing that cannot be taken back rests on one."""

import json
from functools import partial

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert
from tests.host.typing_codes import type_code

from prewatt.codec.bodies import KeyDrop
from prewatt.codec.commands import Code, control_digest
from prewatt.codec.messages import MessageType
from prewatt.device.meter.money import MoneyLimits
from prewatt.device.meter.valuecode import CodeOutcome
from prewatt.host.answers import TransferState
from prewatt.host.campaigns.wishes import CampaignWish
from prewatt.host.codes import code_rests_on
from prewatt.host.controls import queue_control
from prewatt.host.dispatch.choice import Wish, choose
from prewatt.host.meterkeys import HeldSets, doubt_all, read_held
from prewatt.host.refusals import RefusedError
from prewatt.host.store import schema
from prewatt.protocol.transfer import WorkKind

METER = "000001"
CODES = 8


def drop(world, key_set):
    """The command that drops a set waits, as the last step of a key change."""
    what, digest = json.dumps({"key_set": key_set}), control_digest(Code.KEY_DROP, KeyDrop(key_set).build())
    world.host.context.store.write(
        lambda writing: queue_control(writing, METER, Code.KEY_DROP, what, digest, world.now_s)
    )
    world.host.context.wake(METER)


def give(world):
    """The meter gets one set more, and proves it; gives its number."""
    number = world.vault.add("aes-2026", now_s=world.now_s).index
    world.host.controls.change_key(METER, number)
    world.settle(4)
    assert number in held(world).sure
    return number


def held(world) -> HeldSets:
    with world.host.context.store.reading() as connection:
        return read_held(connection, METER)


def sell_codes(world):
    sales = [world.host.vending.vend(METER, "1", with_code=True) for _ in range(CODES)]
    return [sale.code for sale in sales]


@pytest.mark.parametrize("seed", range(3))
def test_no_code_is_made_under_a_set_that_the_meter_was_told_to_drop(make_world, seed):
    """The meter drops it, its answer is lost, and no line reaches it any more."""
    world = make_world(seed=seed)
    world.settle(1)
    give(world)
    world.spoil = lambda payload: [] if payload[0] == MessageType.RESULT else [payload]
    drop(world, 0)
    world.pump()
    assert sorted(world.bodies[METER].keys) == [1, 2]
    assert (held(world).sure, held(world).doubted) == ({1, 2}, {0})
    world.spoil = lambda payload: []
    assert [type_code(world, digits) for digits in sell_codes(world)] == [CodeOutcome.STORED] * CODES
    world.spoil = None
    world.settle(8)
    assert held(world) == HeldSets(frozenset({1, 2}))
    assert world.host.audit.run().ok


@pytest.mark.parametrize("seed", range(3))
def test_after_a_restore_codes_are_made_under_sets_proved_since(make_world, backed_up, seed):
    """The books of the backup name a set that the meter has dropped since."""
    back_up, restore = backed_up
    world = make_world(seed=seed)
    world.settle(1)
    back_up(world)
    give(world)
    drop(world, 0)
    world.settle(2)
    assert sorted(world.bodies[METER].keys) == [1, 2]
    restore(world)
    assert held(world) == HeldSets(doubted=frozenset({0, 1}))
    assert world.host.registry.read_meter(METER).key_sets_doubted == (0, 1)
    world.settle(40)
    assert held(world).sure
    assert held(world).sure <= {1, 2}
    world.spoil = lambda payload: []
    assert [type_code(world, digits) for digits in sell_codes(world)] == [CodeOutcome.STORED] * CODES


def test_a_set_that_an_open_code_rests_on_stays_and_holds_up_nothing_else(make_world):
    """The meter is full, so the code waits; the meter can be reached all the time."""
    world = make_world(meters=0)
    world.add_meter(METER, limits=MoneyLimits(ceiling_micro=5_000_000))
    world.settle(2)
    give(world)
    sale = world.host.vending.vend(METER, "10", with_code=True)
    world.settle(3)
    assert world.host.transfers.read(sale.order).state is TransferState.REFUSED
    rested = [n for n in range(3) if world.host.context.store.write(partial(rests, world, n))]
    assert len(rested) == 1
    drop(world, rested[0])
    world.host.controls.send_text(METER, "your meter is full")
    world.settle(6)
    assert world.bodies[METER].texts == ["your meter is full"]
    assert sorted(world.bodies[METER].keys) == [0, 1, 2]
    world.bodies[METER].limits = MoneyLimits()
    assert type_code(world, sale.code) is CodeOutcome.STORED
    world.settle(6)
    assert world.host.transfers.read(sale.order).state is TransferState.CONFIRMED
    assert rested[0] not in world.bodies[METER].keys
    assert held(world) == HeldSets(frozenset({0, 1, 2} - set(rested)))
    assert world.host.audit.run().ok


def rests(world, key_set, writing):
    return code_rests_on(writing, world.host.context, METER, key_set)


def test_a_set_that_no_code_rests_on_is_dropped_while_codes_are_open(make_world):
    world = make_world(meters=0)
    world.add_meter(METER, limits=MoneyLimits(ceiling_micro=5_000_000))
    world.settle(2)
    give(world)
    world.host.vending.vend(METER, "10", with_code=True)
    free = next(n for n in range(3) if not world.host.context.store.write(partial(rests, world, n)))
    drop(world, free)
    world.settle(4)
    assert free not in world.bodies[METER].keys


def test_where_no_set_is_certain_there_is_no_code_and_nothing_is_sold(make_world):
    world = make_world()
    world.settle(1)
    world.host.context.store.write(doubt_all)
    with pytest.raises(RefusedError, match="certain to be in the meter"):
        world.host.vending.vend(METER, "1", order="A", with_code=True)
    with pytest.raises(RefusedError, match="order"):
        world.host.transfers.read("A")


def test_a_set_in_doubt_that_is_there_proves_itself_in_time(make_world):
    world = make_world()
    world.settle(1)
    world.host.context.store.write(doubt_all)
    for _ in range(60):
        world.now_s += 86_400
        world.settle(2)
        if not held(world).doubted:
            break
    assert held(world) == HeldSets(frozenset({0, 1}))


STATES = ("confirmed", "doubted", "sent", "gone", None)


@pytest.fixture(scope="module")
def keyed(world_type, quick_paths):
    """A meter in step, and a vault with four active sets and a retired one."""
    world = world_type(quick_paths())
    world.settle(1)
    for _ in range(3):
        world.vault.add("aes-2026", now_s=world.now_s)
    world.vault.retire(4)
    yield world
    world.close()


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(states=st.tuples(*[st.sampled_from(STATES)] * 5), key_set=st.integers(0, 4), failures=st.integers(0, 7))
def test_a_set_is_never_dropped_under_itself_nor_without_another_that_was_proved(keyed, states, key_set, failures):
    """Whatever the books say: the meter does it only in a session under another set, which thereby proves itself."""

    def work(writing):
        keys = schema.meter_keys
        writing.connection.execute(delete(keys))
        rows = [
            {"meter": METER, "key_set": n, "state": "confirmed" if state == "doubted" else state}
            | {"doubted": state == "doubted"}
            for n, state in enumerate(states)
            if state is not None
        ]
        if rows:
            writing.connection.execute(insert(keys), rows)
        digest = control_digest(Code.KEY_DROP, KeyDrop(key_set).build())
        number = queue_control(writing, METER, Code.KEY_DROP, json.dumps({"key_set": key_set}), digest, keyed.now_s)
        try:
            choice = choose(writing, keyed.host.context, METER, Wish(query=False), failures=failures)
        finally:
            writing.connection.execute(delete(schema.controls).where(schema.controls.c.number == number))
        return choice, read_held(writing.connection, METER)

    others = {n for n in range(4) if n != key_set and states[n] in ("confirmed", "doubted")}
    choice, after = keyed.host.context.store.write(work)
    if not others:
        assert choice is None
        return
    assert choice.work.kind is WorkKind.CONTROL
    assert choice.work.body == KeyDrop(key_set).build()
    assert choice.key_set != key_set
    assert choice.key_set != 4, "it is retired"
    assert key_set not in after.sure, "from now on it may be gone"
    assert choice.key_set_unproved == (choice.key_set not in after.sure)


@pytest.mark.parametrize("query", [False, True])
def test_where_failures_go_on_a_set_in_doubt_is_tried_beside_the_one_that_is_certain(keyed, query):
    """A body that was hung since may have none but those it was made with."""

    def work(writing):
        keys = schema.meter_keys
        writing.connection.execute(delete(keys))
        rows = [{"meter": METER, "key_set": n, "state": "confirmed", "doubted": n != 2} for n in range(3)]
        writing.connection.execute(insert(keys), rows)
        digest = control_digest(Code.TEXT, b"a")
        number = queue_control(writing, METER, Code.TEXT, json.dumps({"text": "a"}), digest, keyed.now_s)
        try:
            wish = Wish(query=query, registers_only=True)
            return [choose(writing, keyed.host.context, METER, wish, failures=failures) for failures in range(1, 16)]
        finally:
            writing.connection.execute(delete(schema.controls).where(schema.controls.c.number == number))

    tried = keyed.host.context.store.write(work)
    assert {choice.key_set for choice in tried} == {0, 1, 2, 3}
    assert all(choice.key_set_unproved == (choice.key_set != 2) for choice in tried)


def test_a_campaign_waits_for_the_code_and_says_why(make_world):
    """The meter is full; a code under the set that is to be replaced is on paper."""
    world = make_world(meters=0)
    world.add_meter(METER, limits=MoneyLimits(ceiling_micro=5_000_000))
    world.settle(2)
    sale = world.host.vending.vend(METER, "10", with_code=True)
    rested = next(n for n in range(2) if world.host.context.store.write(partial(rests, world, n)))
    fresh = world.vault.add("aes-2026", now_s=world.now_s).index
    wish = CampaignWish("key", key_set=fresh, replaces=rested, per_minute=60_000, per_station=256)
    campaign = world.host.campaigns.start(wish).outline.id
    for _ in range(20):
        world.now_s += 60
        world.settle(1)
    (straggler,) = world.host.campaigns.read(campaign).stragglers
    assert (straggler.id, straggler.step) == (METER, "drop")
    assert straggler.reason == f"an open value code rests on key set {rested}"
    assert rested in world.bodies[METER].keys
    world.host.transfers.cancel(sale.order)
    for _ in range(20):
        world.now_s += 60
        world.settle(1)
    assert world.host.transfers.read(sale.order).state is TransferState.CANCELLED
    assert world.host.campaigns.read(campaign).outline.state == "done"
    assert rested not in world.bodies[METER].keys
    assert type_code(world, sale.code) is not CodeOutcome.STORED


def test_the_sets_of_a_meter_that_a_restored_host_takes_in_again_are_in_doubt(make_world, backed_up):
    back_up, restore = backed_up
    world = make_world(meters=0)
    back_up(world)
    world.add_meter(METER)
    world.settle(2)
    assert held(world) == HeldSets(frozenset({0, 1}))
    restore(world)
    body = world.bodies[METER]
    world.add_meter(METER)
    world.bodies[METER] = body
    assert held(world) == HeldSets(doubted=frozenset({0, 1}))
    world.settle(30)
    assert held(world).sure


@pytest.mark.parametrize("seed", range(3))
def test_a_new_body_behind_the_id_gets_codes_under_sets_alone_that_it_proved_itself(make_world, seed):
    """It lay in the store, and has not the set that the body before was given."""
    world = make_world(seed=seed)
    world.settle(1)
    give(world)
    world.host.bodies.retire(METER, "worn out")
    world.settle(2)
    old = world.bodies[METER]
    world.bodies[METER] = type(old)(METER, {n: old.keys[n] for n in (0, 1)})
    for _ in range(4):
        world.now_s += 86_400
        world.settle(4)
    assert world.host.registry.read_meter(METER).epoch == 2
    assert held(world).sure
    assert held(world).sure <= {0, 1}
    world.spoil = lambda payload: []
    assert [type_code(world, digits) for digits in sell_codes(world)] == [CodeOutcome.STORED] * CODES
