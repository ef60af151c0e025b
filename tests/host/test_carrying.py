"""Value that follows after a restore: as much as the forgotten host moved, and provable when the next body is shown."""

import pytest
from tests.host.old_and_new import NEW, OLD, burn, people, poll, report, retire, sound

from prewatt.codec.padding import PADDED_PAYLOAD_BYTES
from prewatt.host.answers import TransferState
from prewatt.host.bodyanswers import SignOverTarget
from prewatt.host.refusals import RefusedError


def short_only(payload):
    """A line on which nothing as long as an Info gets through."""
    return [] if len(payload) >= PADDED_PAYLOAD_BYTES[0] else [payload]


def moved_and_forgotten(street, backed_up):
    """The balance followed to the next meter, and the host has forgotten it."""
    backup, restore = backed_up
    retire(street)
    backup(street, "retired")
    moved = street.host.bodies.replace(OLD, "new id", to_meter=NEW).moved_micro
    street.settle(2)
    assert street.bodies[NEW].money.received_micro == moved
    restore(street, "retired")
    return moved


def test_what_a_retired_body_burned_between_two_asked_replacements_changes_nothing_that_followed(street, backed_up):
    moved = moved_and_forgotten(street, backed_up)
    burn(street, 1_000)
    left = street.bodies[OLD].money.balance_micro
    street.settle(4)
    answer = street.host.bodies.replace(OLD, "again", to_meter=NEW)
    assert (answer.moved_micro, answer.unreported_micro) == (moved, moved - left)
    assert moved > left
    people(street)
    assert street.bodies[NEW].money.received_micro == moved
    assert street.host.transfers.read(answer.order).state is TransferState.CONFIRMED
    assert street.host.registry.read_meter(NEW).state == "active"
    sound(street)


def test_value_follows_to_no_meter_of_which_nobody_knows_yet_what_it_holds_after_a_restore(street, backed_up):
    held = moved_and_forgotten(street, backed_up)
    new, street.bodies[NEW] = street.bodies[NEW], type(street.bodies[NEW])(NEW, {})
    burn(street, 1_000)
    street.settle(4)
    with pytest.raises(RefusedError, match="in step with its book"):
        street.host.bodies.replace(OLD, "again", to_meter=NEW)
    sound(street)
    street.bodies[NEW] = new
    poll(street)
    assert street.host.bodies.replace(OLD, "again", to_meter=NEW).moved_micro == held
    people(street)
    assert new.money.received_micro == held
    sound(street)


def test_less_followed_where_the_forgotten_host_knew_that_less_was_left(street, backed_up):
    backup, restore = backed_up
    retire(street)
    backup(street, "retired")
    burn(street, 1_000)
    moved = street.host.bodies.replace(OLD, "new id", to_meter=NEW).moved_micro
    assert moved == street.bodies[OLD].money.balance_micro
    street.settle(2)
    old = street.bodies.pop(OLD)
    restore(street, "retired")
    street.settle(4)
    assert street.host.bodies.read(OLD)[0].balance_micro > moved
    street.bodies[OLD] = type(old)(OLD, {})
    street.settle(1)
    with pytest.raises(RefusedError, match="out of step"):
        street.host.bodies.replace(OLD, "again", to_meter=NEW)
    # The ring alone puts the old one in step: what it says in an Info is lost on the way.
    street.bodies[OLD] = old
    street.spoil = short_only
    poll(street)
    answer = street.host.bodies.replace(OLD, "again", to_meter=NEW)
    assert (answer.moved_micro, answer.unreported_micro) == (moved, 0)
    street.spoil = None
    people(street)
    assert street.bodies[NEW].money.received_micro == moved
    sound(street)


def test_what_followed_stays_proved_when_the_next_body_is_shown(street, backed_up):
    backup, restore = backed_up
    retire(street)
    backup(street, "retired")
    street.bodies[OLD].burn(1_000)
    street.host.tariffs.set("2")
    restore(street, "retired")
    street.spoil = short_only
    poll(street)
    assert street.host.registry.read_meter(OLD).balance_micro == street.bodies[OLD].money.balance_micro
    answer = street.host.bodies.replace(OLD, "same id")
    street.spoil = None
    sound(street)
    old, street.bodies[OLD] = street.bodies[OLD], type(street.bodies[OLD])(OLD, street.bodies[OLD].keys)
    poll(street)
    assert street.bodies[OLD].money.received_micro == answer.moved_micro
    sound(street)
    report(street, old)
    assert street.host.bodies.read(OLD)[0].unreported_micro == answer.moved_micro - old.money.balance_micro > 0
    sound(street)


@pytest.mark.parametrize("first", ["signed before it burned", "signed after it burned"])
def test_a_lost_balance_is_signed_over_again_as_much_as_the_forgotten_host_signed(street, first, backed_up):
    backup, restore = backed_up
    street.host.bodies.lose(OLD, "stolen")
    old = street.bodies.pop(OLD)
    backup(street, "lost")
    if first == "signed after it burned":
        old.burn(500)
        report(street, old)
    signed = street.host.bodies.sign_over(OLD, "balance", SignOverTarget.METER, NEW, "first").amount_micro
    assert signed == old.money.balance_micro
    street.settle(4)
    restore(street, "lost")
    with pytest.raises(RefusedError, match="in step with its book"):
        street.host.bodies.sign_over(OLD, "balance", SignOverTarget.METER, NEW, "too early")
    street.settle(4)
    if first == "signed before it burned":
        old.burn(500)
        report(street, old)
    again = street.host.bodies.sign_over(OLD, "balance", SignOverTarget.METER, NEW, "second")
    assert (again.lot, again.amount_micro) == ("balance 1", signed)
    answer = street.host.bodies.read(OLD)[0]
    sound(street)
    if first == "signed before it burned":
        assert (answer.lost_micro, answer.unreported_micro) == (0, signed - old.money.balance_micro)
    else:
        # By the backup more was in it: until the late Report comes again, that waits for a person.
        assert answer.lost_micro > 0
        old.burn(1)
        report(street, old)
        assert street.host.bodies.read(OLD)[0].lost_micro == 0
    people(street)
    assert street.bodies[NEW].money.received_micro == signed
    sound(street)


def test_what_was_lost_is_signed_over_to_no_meter_that_nobody_knows(make_world):
    world = make_world(meters=1)
    world.host.vending.vend("000001", "5")
    world.settle(6)
    world.host.bodies.lose("000001", "burnt")
    for lot in ("balance", "nothing"):
        with pytest.raises(RefusedError, match=r"0000FF|nothing"):
            world.host.bodies.sign_over("000001", lot, SignOverTarget.METER, "0000FF", "he was there")
    assert world.host.audit.run().ok
