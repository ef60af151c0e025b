"""Bodies retired, replaced, lost, signed over: value follows by rule, once, and the audit agrees at every step."""

import pytest
from tests.host.old_and_new import NEW, OLD, burn, people, poll, report, retire, sound

from prewatt.codec.messages import MessageType
from prewatt.codec.padding import PADDED_PAYLOAD_BYTES
from prewatt.device.meter.money import Money
from prewatt.host.answers import TransferState
from prewatt.host.bodyanswers import SignOverTarget
from prewatt.host.carrying import carried_order
from prewatt.host.refusals import RefusedError


def swap(world, meter=OLD):
    """A new body behind the same id, found by the next poll; gives the old one."""
    old = world.bodies[meter]
    world.bodies[meter] = type(old)(meter, old.keys)
    poll(world)
    return old


def silence(world, meter=OLD):
    world.spoil = lambda payload: [] if payload[0] in (MessageType.COMMAND, MessageType.HELLO) else [payload]


# -- retire and replace


def test_the_balance_of_a_retired_body_follows_to_a_meter_with_a_new_id(street):
    left = street.bodies[OLD].money.balance_micro
    assert 0 < left < 10_000_000
    retire(street)
    assert street.bodies[OLD].money.retired
    assert street.host.bodies.read(OLD)[0].state == "retired"
    assert street.host.registry.read_meter(OLD).state == "retired"
    answer = street.host.bodies.replace(OLD, "hung by Ann", to_meter=NEW)
    assert (answer.state, answer.moved_micro, answer.to_meter) == ("moved", left, NEW)
    sound(street)
    street.settle(2)
    assert street.bodies[NEW].money.received_micro == left
    assert street.host.transfers.read(answer.order).state is TransferState.CONFIRMED
    assert street.host.registry.read_meter(OLD).state == "blocked"
    assert sound(street).delivered_micro == 10_000_000


def test_the_balance_follows_to_the_next_body_of_the_same_id_and_open_orders_with_it(street):
    left = street.bodies[OLD].money.balance_micro
    retire(street)
    street.host.vending.vend(OLD, "3", order="B")
    swap(street)
    answer = street.host.bodies.replace(OLD, "same place, same id")
    assert answer.to_meter == OLD
    street.settle(2)
    assert street.bodies[OLD].money.received_micro == left + 3_000_000
    assert street.host.transfers.read("B").state is TransferState.CONFIRMED
    assert sound(street).delivered_micro == 13_000_000


def test_the_last_balance_is_the_newest_also_where_it_was_said_as_an_older_sale_was_proved(street):
    old = street.bodies[OLD]
    street.spoil = lambda payload: [] if payload[0] == MessageType.RESULT else [payload]
    street.host.vending.vend(OLD, "5", order="B")
    street.pump()
    street.host.bodies.retire(OLD, "worn out")
    burns = [1_000]

    def burn_behind_the_answer(payload):
        """The ring that proves the sale is read after the answer to the retiring, and shows less."""
        if burns and payload[0] == MessageType.RESULT and old.money.retired:
            old.burn(burns.pop())
        return [payload]

    street.spoil = burn_behind_the_answer
    street.settle(4)
    assert street.host.transfers.read("B").state is TransferState.CONFIRMED
    assert not burns
    answer = street.host.bodies.replace(OLD, "new id", to_meter=NEW)
    assert (answer.moved_micro, answer.unreported_micro) == (old.money.balance_micro, 0)
    sound(street)


def test_every_step_asked_again_changes_nothing(street):
    retire(street)
    first = street.host.bodies.retire(OLD, "again")
    assert (first.state, first.reason) == ("retired", "worn out")
    moved = street.host.bodies.replace(OLD, "once", to_meter=NEW)
    assert street.host.bodies.replace(OLD, "twice", to_meter=NEW) == moved
    with pytest.raises(RefusedError, match="where its value went before"):
        street.host.bodies.replace(OLD, "elsewhere")
    street.settle(2)
    assert street.bodies[NEW].money.received_micro == moved.moved_micro
    sound(street)


def test_nothing_moves_before_the_standing_is_final(street):
    with pytest.raises(RefusedError, match="retire it first"):
        street.host.bodies.replace(OLD, "too early", to_meter=NEW)
    silence(street)
    street.host.bodies.retire(OLD, "worn out")
    street.pump()
    assert street.host.bodies.read(OLD)[0].state == "retiring"
    with pytest.raises(RefusedError, match="has not shown yet that it takes no more value"):
        street.host.bodies.replace(OLD, "not retired", to_meter=NEW)
    street.spoil = None
    street.settle(2)
    street.host.bodies.replace(OLD, "now", to_meter=NEW)
    sound(street)


def test_a_meter_that_was_never_in_use_or_is_lost_is_not_retired(street):
    street.host.bodies.lose(NEW, "fire")
    with pytest.raises(RefusedError, match="body is in use; this one is lost"):
        street.host.bodies.retire(NEW, "too late")
    with pytest.raises(RefusedError, match="enrolled"):
        street.host.bodies.retire("00000F", "unknown")


def test_orders_that_wait_at_a_retired_meter_go_on_at_the_new_one(street):
    retire(street)
    street.host.vending.vend(OLD, "4", order="B")
    street.settle(1)
    left = street.bodies[OLD].money.balance_micro
    street.host.bodies.replace(OLD, "new id", to_meter=NEW)
    old = street.host.transfers.read("B")
    assert (old.state, old.place) == (TransferState.CANCELLED, "carried")
    with pytest.raises(RefusedError, match="cancelled transfer that was not refunded"):
        street.host.transfers.refund("B")
    sound(street)
    street.settle(3)
    assert street.bodies[NEW].money.received_micro == left + 4_000_000
    sound(street)


def test_an_empty_body_moves_nothing_and_is_done(street):
    burn(street, 200_000)
    retire(street)
    answer = street.host.bodies.replace(OLD, "empty", to_meter=NEW)
    assert (answer.moved_micro, answer.order, answer.state) == (0, None, "moved")
    sound(street)


def test_a_replaced_body_that_goes_on_burning_is_a_case_and_moves_no_money(street):
    retire(street)
    street.host.bodies.replace(OLD, "taken down, he said", to_meter=NEW)
    burn(street, 1_000)
    answer = street.host.bodies.read(OLD)[0]
    assert answer.unreported_micro == answer.moved_micro - street.bodies[OLD].money.balance_micro > 0
    street.settle(2)
    assert street.bodies[NEW].money.received_micro == answer.moved_micro
    sound(street)


def test_the_old_body_on_another_line_freezes_the_meter_and_takes_nothing(street):
    retire(street)
    old = swap(street)
    street.host.bodies.replace(OLD, "same id")
    before, street.bodies[OLD] = street.bodies[OLD], old
    poll(street)
    assert old.money.received_micro == 10_000_000
    assert street.host.registry.read_meter(OLD).state == "frozen"
    street.bodies[OLD] = before
    street.host.registry.thaw(OLD, "the old body is in the bin now")
    street.settle(4)
    meter = street.host.registry.read_meter(OLD)
    if meter.state == "unsynced":
        street.host.registry.reconcile(OLD, "nothing was paid back")
        street.settle(2)
    assert before.money.received_micro == street.host.bodies.read(OLD)[0].moved_micro
    sound(street)


def test_suspense_in_the_old_body_is_explained_first(street):
    street.steal(7_000_000)
    report(street)
    street.settle(4)
    street.host.bodies.retire(OLD, "worn out")
    street.host.transfers.explain_suspense(OLD, street.host.transfers.read_suspense()[0].sequence, "a slip")
    street.host.registry.reconcile(OLD, "the slip")
    street.settle(2)
    answer = street.host.bodies.replace(OLD, "new id", to_meter=NEW)
    assert answer.moved_micro == street.bodies[OLD].money.balance_micro
    sound(street)


# -- lost, and signed over


def test_a_lost_body_leaves_its_balance_and_pending_for_a_person(street):
    silence(street)
    street.host.vending.vend(OLD, "5", order="B")
    street.pump()
    street.host.vending.vend(OLD, "6", order="C")
    left = street.bodies[OLD].money.balance_micro
    answer = street.host.bodies.lose(OLD, "lightning")
    assert (answer.state, answer.lost_micro, answer.lost_orders) == ("lost", left, ("B",))
    assert sound(street).lost_bodies_micro == left + 5_000_000
    assert street.host.bodies.lose(OLD, "again") == answer
    with pytest.raises(RefusedError):
        street.host.vending.vend(OLD, "1")
    with pytest.raises(RefusedError, match="needs an id of its own"):
        street.host.registry.reopen(OLD, "it works again")
    street.host.transfers.cancel("C")
    street.host.transfers.refund("C")
    sound(street)


@pytest.mark.parametrize("target", SignOverTarget)
def test_each_lot_is_signed_over_once(street, target):
    silence(street)
    street.host.vending.vend(OLD, "5", order="B")
    street.pump()
    left = street.bodies[OLD].money.balance_micro
    street.host.bodies.lose(OLD, "fire")
    street.spoil = None
    name = {SignOverTarget.METER: NEW, SignOverTarget.REFUND: "", SignOverTarget.WRITE_OFF: "fire-2026"}[target]
    for _ in range(2):
        signed = street.host.bodies.sign_over(OLD, "balance", target, name, "the customer was there")
        assert (signed.lot, signed.amount_micro) == ("balance 1", left)
        street.host.bodies.sign_over(OLD, "B", target, name, "the customer was there")
        audit = sound(street)
    other = SignOverTarget.REFUND if target is not SignOverTarget.REFUND else SignOverTarget.WRITE_OFF
    for lot in ("balance", "B"):
        with pytest.raises(RefusedError, match="went before"):
            street.host.bodies.sign_over(OLD, lot, other, "else", "twice")
    street.settle(4)
    assert sound(street).lost_bodies_micro == 0
    wanted = left + 5_000_000
    got = {"meter": street.bodies[NEW].money.received_micro, "refund": audit.refunded_micro}
    assert (got | {"write off": audit.written_off_micro})[target] == wanted


def test_what_cannot_be_signed_over_is_refused_with_its_reason(street):
    street.host.vending.vend(OLD, "5", order="B")
    for lot in ("balance", "B", "nobody's"):
        with pytest.raises(RefusedError, match="allowed is"):
            street.host.bodies.sign_over(OLD, lot, SignOverTarget.REFUND, "", "no body is lost")
    street.host.bodies.lose(OLD, "fire")
    with pytest.raises(RefusedError, match="an open account"):
        street.host.bodies.sign_over(OLD, "balance", SignOverTarget.METER, OLD, "to itself")
    with pytest.raises(RefusedError, match="write_off"):
        street.host.bodies.sign_over(OLD, "balance", SignOverTarget.WRITE_OFF, "", "no account")
    sound(street)


def lost_in_flight(street):
    """Order B is in the body, whose answer nobody heard; then the body is lost."""
    street.spoil = lambda payload: [] if payload[0] == MessageType.RESULT else [payload]
    street.host.vending.vend(OLD, "5", order="B")
    street.pump()
    assert street.bodies[OLD].money.received_micro == 15_000_000
    street.host.bodies.lose(OLD, "stolen")
    street.spoil = None


def test_a_late_report_of_a_lost_body_finds_its_order_and_its_burn(street):
    lost_in_flight(street)
    old = street.bodies.pop(OLD)
    old.burn(500)
    report(street, old)
    answer = street.host.bodies.read(OLD)[0]
    assert street.host.transfers.read("B").state is TransferState.CONFIRMED
    assert (answer.lost_micro, answer.lost_orders, answer.unreported_micro) == (old.money.balance_micro, (), 0)
    assert sound(street).lost_bodies_micro == old.money.balance_micro


def test_a_late_report_after_the_signing_moves_no_money_twice(street):
    lost_in_flight(street)
    old = street.bodies.pop(OLD)
    street.host.bodies.sign_over(OLD, "B", SignOverTarget.METER, NEW, "she says it never came")
    balance = street.host.bodies.sign_over(OLD, "balance", SignOverTarget.METER, NEW, "the rest").amount_micro
    street.settle(4)
    assert street.bodies[NEW].money.received_micro == balance + 5_000_000
    old.burn(500)
    report(street, old)
    answer = street.host.bodies.read(OLD)[0]
    assert answer.unreported_micro == balance + 5_000_000 - old.money.balance_micro
    assert answer.lost_micro == 0
    assert street.host.transfers.read_suspense() == []
    street.settle(2)
    assert street.bodies[NEW].money.received_micro == balance + 5_000_000
    assert sound(street).lost_bodies_micro == 0


def test_an_order_found_after_the_balance_was_signed_leaves_a_second_balance(street):
    lost_in_flight(street)
    old = street.bodies.pop(OLD)
    first = street.host.bodies.sign_over(OLD, "balance", SignOverTarget.METER, NEW, "what was known").amount_micro
    report(street, old)
    second = street.host.bodies.sign_over(OLD, "balance", SignOverTarget.METER, NEW, "what was found")
    assert (second.lot, second.amount_micro) == ("balance 2", 5_000_000)
    sound(street)
    street.settle(4)
    assert street.bodies[NEW].money.received_micro == first + 5_000_000
    sound(street)


def test_a_retired_body_that_was_destroyed_before_its_reading_is_lost(street):
    street.spoil = lambda payload: [] if payload[0] == MessageType.RESULT else [payload]
    street.host.bodies.retire(OLD, "worn out")
    street.pump()
    street.spoil = None
    answer = street.host.bodies.lose(OLD, "run over")
    assert (answer.state, answer.lost_micro) == ("lost", street.bodies[OLD].money.balance_micro)
    with pytest.raises(RefusedError, match="retire it first"):
        street.host.bodies.replace(OLD, "there is nothing to follow", to_meter=NEW)
    sound(street)


def test_a_body_whose_value_moved_is_not_lost_with_it(street):
    retire(street)
    street.host.bodies.replace(OLD, "new id", to_meter=NEW)
    with pytest.raises(RefusedError, match="it went to meter 000002"):
        street.host.bodies.lose(OLD, "in the bin")
    sound(street)


# -- a backup is put back between any two steps


STEPS = ("retired", "moved", "delivered")


@pytest.mark.parametrize("step", STEPS)
def test_a_restore_between_the_steps_of_a_replacement_moves_nothing_twice(street, step, backed_up):
    backup, restore = backed_up
    backup(street, "live")
    left = street.bodies[OLD].money.balance_micro
    retire(street)
    backup(street, "retired")
    street.host.bodies.replace(OLD, "new id", to_meter=NEW)
    backup(street, "moved")
    street.settle(2)
    assert street.bodies[NEW].money.received_micro == left
    restore(street, {"retired": "live", "moved": "retired", "delivered": "moved"}[step])
    street.settle(4)
    sound(street)
    if street.host.registry.read_meter(OLD).state != "blocked":
        street.host.bodies.retire(OLD, "again")
        street.settle(2)
        street.host.bodies.replace(OLD, "again", to_meter=NEW)
    people(street)
    assert street.bodies[NEW].money.received_micro == left
    order = carried_order(OLD, 1, "balance 1").order_id
    assert street.host.transfers.read(order).state is TransferState.CONFIRMED
    assert street.host.transfers.read_suspense() == []
    sound(street)


def test_a_restore_finds_what_followed_to_the_next_body_of_the_same_id_under_its_own_order(street, backed_up):
    # The next body is in use by then and holds that value in suspense: it is not the old one's.
    backup, restore = backed_up
    left = street.bodies[OLD].money.balance_micro
    retire(street)
    backup(street, "retired")
    swap(street)
    street.host.bodies.replace(OLD, "same id")
    street.settle(2)
    assert street.bodies[OLD].money.received_micro == left
    restore(street, "retired")
    street.settle(4)
    assert [entry.amount_micro for entry in street.host.transfers.read_suspense()] == [left]
    answer = street.host.bodies.replace(OLD, "again")
    assert (answer.state, answer.moved_micro) == ("moved", left)
    people(street)
    assert street.bodies[OLD].money.received_micro == left
    assert street.host.transfers.read(answer.order).state is TransferState.CONFIRMED
    assert street.host.transfers.read_suspense() == []
    sound(street)


@pytest.mark.parametrize("target", [SignOverTarget.METER, SignOverTarget.REFUND])
def test_a_restore_before_the_signing_signs_the_same_order_again(street, target, backed_up):
    backup, restore = backed_up
    lost_in_flight(street)
    street.bodies.pop(OLD)
    backup(street, "lost")
    name = NEW if target is SignOverTarget.METER else ""
    for lot in ("balance", "B"):
        street.host.bodies.sign_over(OLD, lot, target, name, "first")
    street.settle(4)
    held = street.bodies[NEW].money.received_micro
    restore(street, "lost")
    street.settle(4)
    for lot in ("balance", "B"):
        street.host.bodies.sign_over(OLD, lot, target, name, "second")
    people(street)
    assert street.bodies[NEW].money.received_micro == held
    assert street.host.transfers.read_suspense() == []
    sound(street)


def test_a_restore_to_before_the_loss_is_lost_again_and_signed_once(street, backed_up):
    backup, restore = backed_up
    backup(street, "before")
    lost_in_flight(street)
    street.bodies.pop(OLD)
    street.host.bodies.sign_over(OLD, "balance", SignOverTarget.METER, NEW, "first")
    street.settle(4)
    held = street.bodies[NEW].money.received_micro
    restore(street, "before")
    street.settle(4)
    street.host.bodies.lose(OLD, "it is still gone")
    street.host.bodies.sign_over(OLD, "balance", SignOverTarget.METER, NEW, "second")
    people(street)
    assert street.bodies[NEW].money.received_micro == held
    sound(street)


def test_a_later_body_that_a_restored_host_never_heard_of_can_be_given_up(street, backed_up):
    """The state folder alone knows that there was one: what followed may be in it, and waits for a person."""
    backup, restore = backed_up
    retire(street)
    moved = street.host.bodies.replace(OLD, "same id")
    backup(street, "moved")
    swap(street)
    street.settle(2)
    assert street.bodies[OLD].money.received_micro == moved.moved_micro
    restore(street, "moved")
    street.bodies.pop(OLD)
    street.settle(4)
    answer = street.host.bodies.lose(OLD, "fire")
    assert (answer.epoch, answer.state, answer.lost_micro, answer.lost_orders) == (2, "lost", 0, (moved.order,))
    assert [each.state for each in street.host.bodies.read(OLD)] == ["lost", "moved"]
    sound(street)
    street.host.bodies.sign_over(OLD, moved.order, SignOverTarget.WRITE_OFF, "fire", "insurance")
    assert sound(street).written_off_micro == moved.moved_micro


def test_a_body_whose_next_one_was_forgotten_before_its_value_followed_is_given_up_with_what_it_had(street, backed_up):
    backup, restore = backed_up
    retire(street)
    left = street.host.bodies.read(OLD)[0].balance_micro
    backup(street, "retired")
    swap(street)
    restore(street, "retired")
    street.bodies.pop(OLD)
    street.settle(4)
    answer = street.host.bodies.lose(OLD, "fire")
    assert (answer.epoch, answer.state, answer.lost_micro) == (1, "lost", left)
    signed = street.host.bodies.sign_over(OLD, "balance", SignOverTarget.WRITE_OFF, "fire", "insurance")
    assert signed.amount_micro == left
    assert sound(street).lost_bodies_micro == 0


def test_the_carried_order_is_the_same_for_ever_and_no_other():
    orders = {carried_order(meter, epoch, lot) for meter in (OLD, NEW) for epoch in (1, 2) for lot in ("a", "b")}
    assert len({order.tag for order in orders}) == len({order.order_id for order in orders}) == 8
    assert carried_order(OLD, 1, "a") in orders
    assert all(order.tag[0] < 0x80 for order in orders)


TAMPERED = {
    "less followed than it had": "UPDATE bodies SET moved_micro = moved_micro - 1 WHERE moved_micro > 0",
    "a loss that shrank": "UPDATE bodies SET lost_micro = lost_micro - 1 WHERE kind = 'lost'",
    "a case that was hushed up": "UPDATE bodies SET unreported_micro = unreported_micro + 1 WHERE moved_micro > 0",
    "a carried order for more": "UPDATE payments SET amount_micro = amount_micro + 1 WHERE method = 'carried'",
    "a body that never ended": "DELETE FROM bodies WHERE kind = 'retired'",
    "a lot that was never signed": "DELETE FROM sign_overs",
    "a lot written off elsewhere": "UPDATE sign_overs SET amount_micro = amount_micro + 1",
}


@pytest.mark.parametrize("plant", TAMPERED)
def test_the_audit_finds_what_was_planted_about_bodies(street, plant):
    street.host.vending.vend(NEW, "6")
    street.settle(2)
    retire(street)
    street.host.bodies.replace(OLD, "new id", to_meter=NEW)
    street.settle(2)
    street.spoil = lambda payload: [] if payload[0] == MessageType.RESULT else [payload]
    street.host.vending.vend(NEW, "5", order="B")
    street.pump()
    street.host.bodies.lose(NEW, "fire")
    street.host.bodies.sign_over(NEW, "B", SignOverTarget.WRITE_OFF, "fire", "insurance")
    sound(street)
    street.close()
    street.place.tamper(TAMPERED[plant])
    street.reopen()
    assert not street.host.audit.run().ok


def test_value_that_nobody_ordered_is_explained_before_a_lost_balance_is_signed_over(street):
    street.steal(-3_000_000)
    report(street)
    held = street.host.transfers.read_suspense()[0]
    left = street.bodies[OLD].money.balance_micro
    street.host.bodies.lose(OLD, "fire")
    with pytest.raises(RefusedError, match="explain it first"):
        street.host.bodies.sign_over(OLD, "balance", SignOverTarget.REFUND, "", "he was there")
    street.host.transfers.explain_suspense(OLD, held.sequence, "a host of before took it back")
    answer = street.host.bodies.sign_over(OLD, "balance", SignOverTarget.REFUND, "", "he was there")
    assert answer.amount_micro == left
    sound(street)


def test_what_is_shown_of_a_new_body_is_not_mixed_with_what_the_old_one_burned(street):
    retire(street)
    street.host.bodies.replace(OLD, "same id")
    burned = street.host.registry.read_meter(OLD).burned_micro
    receipts_only(street)
    swap(street)
    shown, new = street.host.registry.read_meter(OLD), street.bodies[OLD].money
    assert (shown.received_micro, shown.burned_micro) == (new.received_micro, new.burned_micro)
    assert new.received_micro > 0 == new.burned_micro < burned


def receipts_only(world):
    """A line on which nothing as long as an Info gets through, once the body has an epoch."""
    begun = lambda payload: world.bodies[OLD].money.ring and len(payload) >= PADDED_PAYLOAD_BYTES[0]  # noqa: E731
    world.spoil = lambda payload: [] if begun(payload) else [payload]


def test_what_the_old_body_counted_and_held_as_its_price_says_nothing_of_a_new_one_that_told_only_receipts(street):
    retire(street)
    street.host.bodies.replace(OLD, "same id")
    before = street.host.registry.read_meter(OLD)
    assert (before.tariff_confirmed, before.total_pulses) == (True, street.bodies[OLD].pulses)
    receipts_only(street)
    swap(street)
    shown = street.host.registry.read_meter(OLD)
    assert shown.last_sequence == street.bodies[OLD].money.last_sequence > before.last_sequence
    assert (shown.tariff_confirmed, shown.unit_price_micro, shown.total_pulses, shown.clock_s) == (False, None, 0, None)
    assert OLD in street.host.tariffs.read().waiting
    street.spoil = None
    poll(street)
    assert street.host.registry.read_meter(OLD).tariff_confirmed


def test_of_a_new_body_that_held_value_before_it_was_commissioned_nothing_less_than_nothing_is_shown(street):
    retire(street)
    street.host.bodies.replace(OLD, "same id")
    old = street.bodies[OLD]
    receipts_only(street)
    street.bodies[OLD] = new = type(old)(OLD, old.keys)
    new.money = Money(svm_micro=5_000_000, received_micro=5_000_000)
    poll(street)
    shown = street.host.registry.read_meter(OLD)
    assert shown.state == "frozen"
    assert (shown.balance_micro, shown.received_micro, shown.burned_micro) == (5_000_000, 5_000_000, 0)


def test_an_order_that_waits_at_a_lost_body_after_a_restore_says_what_it_waits_for_and_ends_then(street, backed_up):
    backup, restore = backed_up
    silence(street)
    street.host.vending.vend(OLD, "3", order="B")
    backup(street, "before")
    street.host.tariffs.set("2")
    restore(street, "before")
    street.spoil = None
    street.settle(4)
    assert "reconcile" in street.host.registry.read_meter(OLD).state_reason
    street.host.bodies.lose(OLD, "fire")
    street.host.transfers.cancel("B")
    assert street.host.transfers.read("B").state is TransferState.PENDING
    shown = street.host.registry.read_meter(OLD)
    assert shown.state == "blocked"
    assert "reconcile" in shown.state_reason
    street.host.registry.reconcile(OLD, "the till agrees")
    assert street.host.transfers.read("B").state is TransferState.CANCELLED
    assert "reconcile" not in street.host.registry.read_meter(OLD).state_reason
    sound(street)
