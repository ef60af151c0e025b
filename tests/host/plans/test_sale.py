"""A sale by a plan: its order carries the value, its lines stand in their own accounts, and nothing is left over."""

import pytest
from tests.host.plans.making import DAY_S, balance, give, paid

from prewatt.host.answers import TransferState
from prewatt.host.bodyanswers import SignOverTarget
from prewatt.host.payment import Guarantee
from prewatt.host.refusals import RefusalOutcome, RefusedError
from prewatt.units import ValueFieldError


def test_without_a_plan_a_sale_is_its_amount_and_nothing_else(world):
    sold = world.host.vending.vend("000001", "10.00", order="A")
    assert (sold.amount_micro, sold.paid_micro, sold.lines) == (10_000_000, 10_000_000, ())
    assert world.host.transfers.read_charges("A") == []
    assert world.host.audit.run().charges_micro == 0


def test_the_order_carries_the_value_and_each_line_stands_in_its_own_account(world):
    give(world)
    sold = world.host.vending.vend("000001", "40.00", order="A")
    assert sum(line.amount_micro for line in sold.lines) == sold.paid_micro == 40_000_000
    lines = paid(sold.lines)
    assert sold.amount_micro == lines["value"]
    assert balance(world, "cash") == -40_000_000
    assert balance(world, "wallet:000001") == lines["value"]
    assert balance(world, "standing:Homes") == lines["standing"]
    assert balance(world, "levy:levy") == lines["levy"]
    assert balance(world, "tax:VAT") == lines["tax VAT"]
    assert balance(world, "subsidy:Homes") == lines["subsidy"] == -5_000_000
    world.pump()
    assert world.host.transfers.read("A").state is TransferState.CONFIRMED
    assert world.bodies["000001"].money.received_micro == sold.amount_micro
    audit = world.host.audit.run()
    assert audit.ok, audit.violations
    assert audit.charges_micro == 40_000_000 - sold.amount_micro


def test_a_quote_is_what_the_sale_becomes_and_posts_nothing(world):
    give(world)
    before = world.host.audit.run().entries
    quoted = world.host.rates.quote("000001", "40.00")
    assert world.host.audit.run().entries == before
    sold = world.host.vending.vend("000001", "40.00")
    assert quoted.lines == sold.lines
    assert (quoted.value_micro, quoted.bought_pulses) == (sold.amount_micro, 0)
    again = world.host.rates.quote("000001", "40.00")
    assert again.bought_pulses == quoted.energy_pulses
    assert "standing" not in paid(again.lines)
    assert "subsidy" not in paid(again.lines)


def test_the_same_order_again_is_the_same_sale_with_its_lines(world):
    give(world)
    first = world.host.vending.vend("000001", "40.00", order="A")
    entries = world.host.audit.run().entries
    again = world.host.vending.vend("000001", "40", order="A")
    assert again.existed
    assert (again.lines, again.amount_micro, again.paid_micro) == (first.lines, first.amount_micro, 40_000_000)
    assert world.host.audit.run().entries == entries
    assert list(first.lines) == world.host.transfers.read_charges("A")
    with pytest.raises(RefusedError) as caught:
        world.host.vending.vend("000001", str(first.amount_micro / 1_000_000), order="A")
    assert caught.value.outcome is RefusalOutcome.EXISTS_WITH_DIFFERENT_FIELDS


def test_a_sale_made_before_the_plan_is_still_itself(world):
    world.host.vending.vend("000001", "10.00", order="A")
    give(world)
    again = world.host.vending.vend("000001", "10.00", order="A")
    assert (again.existed, again.paid_micro, again.lines) == (True, 10_000_000, ())
    assert world.host.audit.run().ok


def test_a_refund_gives_every_line_back_and_a_cancel_alone_gives_none(world):
    give(world)
    world.pump()
    before = world.host.rates.quote("000001", "40.00")
    sold = world.host.vending.vend("000001", "40.00", order="A")
    world.host.transfers.cancel("A")
    world.settle(2)
    assert world.host.transfers.read("A").state is TransferState.CANCELLED
    assert balance(world, "tax:VAT") == paid(sold.lines)["tax VAT"]
    world.host.transfers.refund("A")
    assert [balance(world, name) for name in ("tax:VAT", "levy:levy", "standing:Homes", "subsidy:Homes")] == [0] * 4
    assert balance(world, "refunded:000001") == 40_000_000
    assert world.host.rates.quote("000001", "40.00") == before
    audit = world.host.audit.run()
    assert audit.ok, audit.violations


def test_what_is_cancelled_does_not_count_in_the_months_blocks(world):
    give(world)
    world.host.vending.vend("000001", "40.00", order="A")
    assert world.host.rates.quote("000001", "40.00").bought_pulses > 0
    world.host.transfers.cancel("A")
    world.settle(2)
    after = world.host.rates.quote("000001", "40.00")
    assert after.bought_pulses == 0
    assert "standing" not in paid(after.lines)


def test_a_standing_charge_that_was_paid_back_is_owed_again(world):
    give(world)
    world.host.vending.vend("000001", "40.00", order="A")
    world.host.vending.vend("000001", "40.00", order="B")
    world.host.transfers.cancel("A")
    world.settle(2)
    world.host.transfers.refund("A")
    assert paid(world.host.rates.quote("000001", "40.00").lines)["standing"] == 1_500_000
    world.now_s += 61 * DAY_S
    assert paid(world.host.rates.quote("000001", "40.00").lines)["standing"] == 4_500_000


def test_a_new_month_begins_its_blocks_and_its_standing_charge_anew(world):
    give(world)
    first = world.host.vending.vend("000001", "40.00")
    assert "standing" not in paid(world.host.vending.vend("000001", "40.00").lines)
    world.now_s += 31 * DAY_S
    assert paid(world.host.vending.vend("000001", "40.00").lines) == paid(first.lines)
    world.now_s += 92 * DAY_S
    assert paid(world.host.rates.quote("000001", "40.00").lines)["standing"] == 4_500_000


def test_the_lifeline_is_for_flagged_meters_alone(make_world):
    world = make_world(meters=2)
    give(world)
    world.host.rates.assign("Homes", meter="000002", lifeline=True, reason="low income")
    plain, flagged = (world.host.vending.vend(meter, "40.00") for meter in ("000001", "000002"))
    assert "lifeline" not in paid(plain.lines)
    assert paid(flagged.lines)["lifeline"] == -4_000_000
    assert flagged.amount_micro > plain.amount_micro
    assert world.host.audit.run().ok


def test_smallest_and_largest_hold_at_them_and_one_past_them(world):
    give(world, purchase={"largest": "50.00"})
    quoted = world.host.rates.quote("000001", "40.00")
    assert quoted.largest_micro == 50_000_000
    least = quoted.smallest_micro
    assert world.host.rates.quote("000001", f"{least / 1e6:.2f}").value_micro == 10_000
    for amount in (f"{(least - 10_000) / 1e6:.2f}", "50.01", "0.01"):
        with pytest.raises(ValueFieldError, match="amount"):
            world.host.vending.vend("000001", amount)
        with pytest.raises(ValueFieldError, match="amount"):
            world.host.rates.quote("000001", amount)
    assert world.host.transfers.read_all() == []
    assert world.host.audit.run().entries == 0


def test_kilowatt_hours_can_be_asked_for(world):
    give(world)
    asked = world.host.rates.quote("000001", kwh="100")
    assert 1_000_000 <= asked.energy_pulses < 1_000_500
    less = f"{(asked.amount_micro - 10_000) / 1e6:.2f}"
    assert world.host.rates.quote("000001", less).energy_pulses < 1_000_000
    for given in ({}, {"amount": "1", "kwh": "1"}):
        with pytest.raises(ValueFieldError, match="not both"):
            world.host.rates.quote("000001", **given)


def test_the_ceiling_of_the_installation_holds_for_what_is_paid(make_world):
    world = make_world(vend_ceiling_micro=20_000_000)
    give(world)
    assert world.host.rates.quote("000001", "20.00").largest_micro == 20_000_000
    for call in (world.host.rates.quote, world.host.vending.vend):
        with pytest.raises(RefusedError) as caught:
            call("000001", "20.01")
        assert caught.value.outcome is RefusalOutcome.VALUE_CEILING


def test_nobody_is_asked_to_pay_for_what_the_plan_does_not_sell(world):
    give(world)
    asked = []

    class Card:
        name = "card"

        def guarantee(self, order_id, amount_micro):
            asked.append(amount_micro)
            return Guarantee("card", "123456")

    with pytest.raises(ValueFieldError, match="amount"):
        world.host.vending.vend("000001", "1.99", method=Card())
    assert asked == []
    sold = world.host.vending.vend("000001", "40.00", order="A", method=Card())
    assert asked == [40_000_000]
    assert (sold.paid_micro, sold.authorization) == (40_000_000, "123456")
    assert world.host.audit.run().ok


def test_a_code_of_a_sale_by_a_plan_holds_its_value(world):
    world.pump()
    give(world)
    world.pump()
    sold = world.host.vending.vend("000001", "40.00", with_code=True)
    assert sold.code is not None
    assert sold.amount_micro % 10_000 == 0


def test_a_plan_without_a_version_for_the_day_sells_nothing(world):
    give(world, valid_to="2026-03-31")
    world.host.vending.vend("000001", "40.00")
    world.now_s += 40 * DAY_S
    with pytest.raises(RefusedError) as caught:
        world.host.vending.vend("000001", "40.00")
    assert caught.value.outcome is RefusalOutcome.NO_RATE


@pytest.fixture
def burnt(make_world):
    """A sale to a meter whose body was lost while it was under way."""
    world = make_world(meters=2)
    give(world)
    world.pump()
    world.bodies.pop("000001")
    sold = world.host.vending.vend("000001", "40.00", order="A")
    world.settle(3)
    world.host.bodies.lose("000001", "burnt")
    return world, sold


def test_an_order_of_a_lost_body_that_is_paid_back_gives_its_lines_back_too(burnt):
    world, _ = burnt
    world.host.bodies.sign_over("000001", "A", SignOverTarget.REFUND, "", "burnt")
    assert balance(world, "refunded:000001") == 40_000_000
    assert balance(world, "tax:VAT") == 0
    audit = world.host.audit.run()
    assert audit.ok, audit.violations


def test_value_that_follows_to_another_meter_leaves_its_lines_where_they_are(burnt):
    world, sold = burnt
    world.host.bodies.sign_over("000001", "A", SignOverTarget.METER, "000002", "burnt")
    assert balance(world, "tax:VAT") == paid(sold.lines)["tax VAT"]
    world.settle(2)
    assert world.bodies["000002"].money.received_micro == sold.amount_micro
    audit = world.host.audit.run()
    assert audit.ok, audit.violations
