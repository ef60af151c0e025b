"""A sale from counter to meter and back, and everything a counter can get wrong."""

import pytest

from prewatt.codec.messages import MessageType
from prewatt.host.answers import MeterState, TransferState
from prewatt.host.refusals import RefusalOutcome, RefusedError
from prewatt.units import ValueFieldError


def test_a_sale_reaches_the_meter_and_is_confirmed(world):
    sold = world.host.vending.vend("000001", "10.00", order="A-1")
    assert (sold.order, sold.transfer, sold.state) == ("A-1", "1", TransferState.PENDING)
    world.pump()
    found = world.host.transfers.read("A-1")
    assert found.state is TransferState.CONFIRMED
    assert world.bodies["000001"].money.balance_micro == 10_000_000
    meter = world.host.registry.read_meter("000001")
    assert (meter.balance_micro, meter.received_micro, meter.burned_micro) == (10_000_000, 10_000_000, 0)
    assert (meter.state, meter.relay) == (MeterState.ACTIVE, "closed")
    assert (meter.wallet_micro, meter.in_transit_micro, meter.delivered_micro) == (0, 0, 10_000_000)
    assert world.host.audit.run().ok


def test_many_sales_arrive_each_once_and_in_order(world):
    for number in range(5):
        world.host.vending.vend("000001", "1.00", order=f"n{number}")
    world.pump()
    assert [each.state for each in world.host.transfers.read_all()] == [TransferState.CONFIRMED] * 5
    assert world.bodies["000001"].money.received_micro == 5_000_000


def test_the_same_order_again_is_the_same_sale(world):
    first = world.host.vending.vend("000001", "10.00", order="A")
    again = world.host.vending.vend("000001", "10", order="A")
    assert again.existed
    assert (again.transfer, again.authorization) == (first.transfer, first.authorization)
    world.pump()
    assert world.host.vending.vend("000001", "10.0", order="A").state is TransferState.CONFIRMED
    assert world.bodies["000001"].money.received_micro == 10_000_000


@pytest.mark.parametrize(("meter", "amount"), [("000001", "11.00"), ("000002", "10.00")])
def test_an_order_id_of_another_sale_is_refused(make_world, meter, amount):
    world = make_world(meters=2)
    world.host.vending.vend("000001", "10.00", order="A")
    with pytest.raises(RefusedError, match="order: 'A'") as caught:
        world.host.vending.vend(meter, amount, order="A")
    assert caught.value.outcome is RefusalOutcome.EXISTS_WITH_DIFFERENT_FIELDS
    assert len(world.host.transfers.read_all()) == 1


@pytest.mark.parametrize("amount", ["", "-1", "0", "0.00", "nan", "1e3", "1.234", "9" * 40, "10,00", "∞", "+1", "0x1"])
def test_an_amount_that_is_no_amount_changes_nothing(world, amount):
    with pytest.raises(ValueFieldError, match="amount") as caught:
        world.host.vending.vend("000001", amount)
    assert caught.value.field == "amount"
    assert world.host.transfers.read_all() == []
    assert world.host.audit.run().entries == 0


def test_the_ceiling_of_a_sale_holds_at_it_and_one_past_it(make_world):
    world = make_world(vend_ceiling_micro=50_000_000)
    assert world.host.vending.vend("000001", "50.00").amount_micro == 50_000_000
    with pytest.raises(RefusedError, match=r"up to 50\.00") as caught:
        world.host.vending.vend("000001", "50.01")
    assert caught.value.outcome is RefusalOutcome.VALUE_CEILING


@pytest.mark.parametrize("meter", ["000002", "FFFFFE"])
def test_an_unknown_meter_is_refused(world, meter):
    with pytest.raises(RefusedError, match=f"meter: '{meter}'") as caught:
        world.host.vending.vend(meter, "1")
    assert caught.value.outcome is RefusalOutcome.UNKNOWN_METER


@pytest.mark.parametrize("meter", ["", "1", "000000", "FFFFFF", "00000G", "0000001", " 00001"])
def test_what_is_no_meter_id_is_refused(world, meter):
    with pytest.raises(RefusedError) as caught:
        world.host.vending.vend(meter, "1")
    assert caught.value.outcome is RefusalOutcome.BAD_FIELD


@pytest.mark.parametrize("order", ["", " ", "a b", "a" * 65, "ä", "-x", "a/1", "\n"])
def test_an_order_id_that_is_not_allowed_is_refused(world, order):
    with pytest.raises(RefusedError, match="order"):
        world.host.vending.vend("000001", "1", order=order)


def test_a_closed_account_takes_no_value_until_it_is_opened_again(world):
    world.host.registry.close("000001", "moved out")
    with pytest.raises(RefusedError, match="moved out") as caught:
        world.host.vending.vend("000001", "1")
    assert caught.value.outcome is RefusalOutcome.METER_CLOSED
    assert world.host.registry.read_meter("000001").state is MeterState.CLOSED
    world.host.registry.reopen("000001", "moved in")
    assert world.host.vending.vend("000001", "1").state is TransferState.PENDING


def test_an_account_with_a_transfer_under_way_is_not_closed(world):
    world.host.vending.vend("000001", "1")
    with pytest.raises(RefusedError) as caught:
        world.host.registry.close("000001", "moved out")
    assert caught.value.outcome is RefusalOutcome.NOT_EMPTY
    assert world.host.registry.read_meter("000001").state is not MeterState.CLOSED


def test_a_dead_meter_leaves_the_sale_pending_and_it_arrives_when_the_meter_is_back(world):
    world.pump()
    body = world.bodies.pop("000001")
    world.host.vending.vend("000001", "10", order="A")
    world.settle(5)
    found = world.host.transfers.read("A")
    assert (found.state, found.step) == (TransferState.PENDING, "sent")
    assert world.host.registry.read_meter("000001").in_transit_micro == 10_000_000
    world.bodies["000001"] = body
    world.settle(2)
    assert world.host.transfers.read("A").state is TransferState.CONFIRMED


def test_a_lost_result_is_settled_by_the_next_receipt(world):
    world.pump()
    world.host.vending.vend("000001", "10", order="A")
    world.spoil = lambda payload: [] if payload[0] == MessageType.RESULT else [payload]
    world.pump()
    assert world.bodies["000001"].money.received_micro == 10_000_000
    assert world.host.transfers.read("A").state is TransferState.PENDING
    world.spoil = None
    world.settle(2)
    assert world.host.transfers.read("A").state is TransferState.CONFIRMED
    assert world.bodies["000001"].money.received_micro == 10_000_000


def test_the_ceiling_of_a_meter_shows_as_refused_and_can_be_cancelled(world):
    world.pump()
    body = world.bodies["000001"]
    body.limits = type(body.limits)(ceiling_micro=5_000_000)
    world.host.vending.vend("000001", "6", order="big")
    world.pump()
    found = world.host.transfers.read("big")
    assert (found.state, found.step) == (TransferState.REFUSED, "refused by meter")
    world.host.vending.vend("000001", "2", order="small")
    world.settle(3)
    assert world.host.transfers.read("small").state is TransferState.CONFIRMED
    world.host.transfers.cancel("big")
    world.settle(3)
    assert world.host.transfers.read("big").state is TransferState.CANCELLED
    assert world.host.registry.read_meter("000001").wallet_micro == 6_000_000
    assert world.host.audit.run().ok


def test_waiting_for_a_sale_gives_it_as_it_stands_when_the_time_is_over(world):
    sold = world.host.vending.vend("000001", "1")
    assert world.host.vending.wait(sold.order, 0).state is TransferState.PENDING
    world.pump()
    assert world.host.vending.wait(sold.order, 0).state is TransferState.CONFIRMED
