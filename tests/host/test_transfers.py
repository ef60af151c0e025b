"""Cancelling, refunding, and what a meter holds that nobody can explain."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from prewatt.codec.messages import MessageType
from prewatt.host.answers import MeterState, TransferState
from prewatt.host.refusals import RefusalOutcome, RefusedError


def test_an_order_that_was_never_sent_is_cancelled_at_once_and_refunded_once(world):
    world.pump()
    world.host.vending.vend("000001", "10", order="A")
    assert world.host.transfers.cancel("A").state is TransferState.CANCELLED
    assert world.host.registry.read_meter("000001").wallet_micro == 10_000_000
    assert world.host.transfers.refund("A").refunded
    with pytest.raises(RefusedError) as caught:
        world.host.transfers.refund("A")
    assert caught.value.outcome is RefusalOutcome.ALREADY_SETTLED
    audit = world.host.audit.run()
    assert audit.ok
    assert (audit.cash_micro, audit.refunded_micro, audit.in_wallets_micro) == (10_000_000, 10_000_000, 0)
    world.pump()
    assert world.bodies["000001"].money.received_micro == 0


def test_an_order_under_way_is_cancelled_by_its_burn(world):
    world.pump()
    world.spoil = lambda payload: [] if payload[0] == MessageType.COMMAND else [payload]
    world.host.vending.vend("000001", "10", order="A")
    world.pump()
    found = world.host.transfers.cancel("A")
    assert (found.state, found.step) == (TransferState.PENDING, "cancelling")
    world.spoil = None
    world.settle(2)
    assert world.host.transfers.read("A").state is TransferState.CANCELLED
    assert world.bodies["000001"].money.received_micro == 0
    assert world.host.audit.run().ok


def test_a_cancel_that_comes_too_late_shows_the_order_confirmed(world):
    world.pump()
    world.spoil = lambda payload: [] if payload[0] == MessageType.RESULT else [payload]
    world.host.vending.vend("000001", "10", order="A")
    world.pump()
    assert world.host.transfers.cancel("A").step == "cancelling"
    world.spoil = None
    world.settle(2)
    assert world.host.transfers.read("A").state is TransferState.CONFIRMED
    with pytest.raises(RefusedError) as caught:
        world.host.transfers.cancel("A")
    assert caught.value.outcome is RefusalOutcome.ALREADY_SETTLED
    assert world.bodies["000001"].money.received_micro == 10_000_000
    assert world.host.audit.run().ok


def test_transfers_are_found_by_number_and_by_order_and_listed_by_state(make_world):
    world = make_world(meters=2)
    world.host.vending.vend("000001", "1", order="A")
    world.host.vending.vend("000002", "2", order="7")
    world.host.transfers.cancel("7")
    assert world.host.transfers.read("1").order == "A"
    assert world.host.transfers.read("7").meter == "000002"
    assert [each.order for each in world.host.transfers.read_all(meter="000001")] == ["A"]
    cancelled = world.host.transfers.read_all(state=TransferState.CANCELLED)
    assert [each.order for each in cancelled] == ["7"]
    assert [each.order for each in world.host.transfers.read_all(before=2, limit=1)] == ["A"]
    assert world.host.transfers.read_all(state=TransferState.CONFIRMED) == []


@pytest.mark.parametrize("name", ["B", "2", "", "9" * 30, "²"])
def test_an_unknown_transfer_is_refused(world, name):
    world.host.vending.vend("000001", "1", order="A")
    with pytest.raises(RefusedError) as caught:
        world.host.transfers.read(name)
    assert caught.value.outcome is RefusalOutcome.UNKNOWN_ORDER


def test_value_that_no_order_explains_stands_in_suspense_until_a_person_explains_it(world):
    world.host.vending.vend("000001", "10", order="A")
    world.pump()
    world.steal(7_000_000)
    world.host.vending.vend("000001", "3", order="B")
    world.settle(3)
    assert world.host.transfers.read_suspense()[0].amount_micro == 7_000_000
    meter = world.host.registry.read_meter("000001")
    assert (meter.state, meter.suspense_micro) == (MeterState.UNSYNCED, 7_000_000)
    assert world.host.transfers.read("B").state is TransferState.PENDING
    world.host.registry.reconcile("000001", "compared with the till")
    world.settle(2)
    assert world.host.transfers.read("B").state is TransferState.CONFIRMED
    assert world.host.audit.run().ok
    sequence = world.host.transfers.read_suspense()[0].sequence
    world.host.transfers.explain_suspense("000001", sequence, "sold at the counter, receipt 17")
    assert world.host.transfers.read_suspense() == []
    audit = world.host.audit.run()
    assert audit.ok
    assert (audit.cash_micro, audit.delivered_micro, audit.suspense_micro) == (20_000_000, 20_000_000, 0)
    with pytest.raises(RefusedError):
        world.host.transfers.explain_suspense("000001", sequence, "again")


def test_what_was_taken_and_what_was_given_back_are_both_shown_though_together_they_come_to_nothing(world):
    world.pump()
    world.steal(7_000_000)
    world.steal(-7_000_000)
    world.host.vending.vend("000001", "7", order="B")
    world.settle(3)
    assert world.host.registry.read_meter("000001").suspense_micro == 0
    held = world.host.transfers.read_suspense()
    assert [each.amount_micro for each in held] == [7_000_000, -7_000_000]
    with pytest.raises(RefusedError, match="has the amount that is in suspense"):
        world.host.registry.reconcile("000001", "compared with the till")
    for each in held:
        world.host.transfers.explain_suspense("000001", each.sequence, "taken by mistake, and given back")
    assert world.host.transfers.read_suspense() == []
    world.host.registry.reconcile("000001", "compared with the till")
    world.settle(2)
    assert world.host.transfers.read("B").state is TransferState.CONFIRMED
    assert world.host.audit.run().ok


_LINE = st.lists(st.sampled_from(["pass", "pass", "pass", "lose", "double"]), min_size=8, max_size=60)
_DEEDS = st.lists(st.sampled_from(["vend", "cancel", "pump", "restart", "burn", "report"]), min_size=3, max_size=12)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(fates=_LINE, deeds=_DEEDS, suite_name=st.sampled_from(["aes-2026", "tdes-1998"]))
def test_whatever_the_line_does_value_arrives_exactly_once(make_world, fates, deeds, suite_name):
    world = make_world(suite_name=suite_name)
    steps = iter(fates * 50)

    def spoil(payload):
        return {"pass": [payload], "lose": [], "double": [payload, payload]}[next(steps, "pass")]

    world.spoil, orders = spoil, []
    for number, deed in enumerate(deeds):
        if deed == "vend":
            orders.append(world.host.vending.vend("000001", f"{number + 1}", order=f"n{number}").order)
        elif deed == "cancel" and orders:
            try:
                world.host.transfers.cancel(orders[-1])
            except RefusedError as refused:
                assert refused.outcome is RefusalOutcome.ALREADY_SETTLED
        elif deed == "restart":
            world.restart()
        elif deed == "burn":
            world.bodies["000001"].burn(1_000)
        elif deed == "report":
            for payload in world.bodies["000001"].report():
                world.say("000001", payload)
        else:
            world.pump()
        assert world.host.audit.run().ok
    world.spoil = None
    world.settle(3)
    found = world.host.transfers.read_all()
    assert {each.state for each in found} <= {TransferState.CONFIRMED, TransferState.CANCELLED}
    confirmed = sum(each.amount_micro for each in found if each.state is TransferState.CONFIRMED)
    assert world.bodies["000001"].money.received_micro == confirmed
    audit = world.host.audit.run()
    assert audit.ok, audit.violations[:1]
    assert audit.in_transit_micro == 0
    world.close()
