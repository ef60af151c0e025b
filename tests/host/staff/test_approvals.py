"""Two persons: one asks, another does it, once."""

from threading import Barrier, Thread

import pytest

from prewatt.host.refusals import RefusalOutcome, RefusedError
from prewatt.host.staff.approvals import APPROVAL_LIFE_S


@pytest.fixture
def shop(staff):
    """An owner, a finance person and a clerk, and a cancelled order of 150."""
    staff.eve = staff.add("eve", "owner")
    staff.fay = staff.add("fay", "finance")
    staff.bob = staff.add("bob", "clerk")
    staff.host.vending.vend("000001", "150", order="A")
    staff.host.transfers.cancel("A")
    return staff


def outcome(desk, call, **given):
    with pytest.raises(RefusedError) as refused:
        desk.call(call, **given)
    return refused.value.outcome


def ask(shop, desk=None):
    assert outcome(desk or shop.bob, "refund_transfer", order="A") is RefusalOutcome.NEEDS_APPROVAL
    return shop.eve.call("read_approvals")[0]


def refunded(shop):
    return shop.host.transfers.read("A").refunded


def test_a_refund_above_the_limit_waits_for_a_second_person(shop):
    asked = ask(shop)
    assert (asked["asked_by"], asked["state"], asked["arguments"]) == ("bob", "open", {"order": "A"})
    assert not refunded(shop)
    done = shop.fay.call("approve", approval=asked["id"], digest=asked["digest"])
    assert done["approval"]["state"] == "done"
    assert done["approval"]["decided_by"] == "fay"
    assert refunded(shop)
    assert shop.host.audit.run().ok
    (line,) = [each for each in shop.host.log.read(subject="000001").lines if each.action == "transfer refund"]
    assert line.actor == "fay"


def test_a_refund_at_the_limit_needs_nobody_else(shop):
    shop.eve.call("change_refund_limit", amount="150")
    assert shop.bob.call("refund_transfer", order="A")["refunded"]


def test_one_below_the_amount_is_a_limit_that_counts(shop):
    shop.eve.call("change_refund_limit", amount="149.99")
    ask(shop)


def test_who_asked_cannot_do_it_under_any_token(shop):
    asked = ask(shop)
    assert outcome(shop.bob, "approve", approval=asked["id"], digest=asked["digest"]) is RefusalOutcome.NOT_APPROVED
    again = shop.desk(shop.owner().call("add_token", user="bob", label="other")["token"])
    assert outcome(again, "approve", approval=asked["id"], digest=asked["digest"]) is RefusalOutcome.NOT_APPROVED
    assert not refunded(shop)


def test_who_has_no_right_to_the_call_cannot_do_it(shop):
    tom = shop.add("tom", "technician")
    asked = ask(shop)
    assert outcome(tom, "approve", approval=asked["id"], digest=asked["digest"]) is RefusalOutcome.NOT_ALLOWED
    assert not refunded(shop)


def test_after_a_day_it_has_expired(shop):
    asked = ask(shop)
    shop.world.now_s += APPROVAL_LIFE_S
    assert outcome(shop.fay, "approve", approval=asked["id"], digest=asked["digest"]) is RefusalOutcome.NOT_APPROVED
    assert shop.eve.call("read_approvals")[0]["state"] == "expired"


def test_a_second_before_it_has_not(shop):
    asked = ask(shop)
    shop.world.now_s += APPROVAL_LIFE_S - 1
    assert shop.fay.call("approve", approval=asked["id"], digest=asked["digest"])["approval"]["state"] == "done"


def test_a_clock_that_was_set_back_does_not_make_it_live_longer(shop):
    asked = ask(shop)
    shop.world.now_s -= 1
    assert outcome(shop.fay, "approve", approval=asked["id"], digest=asked["digest"]) is RefusalOutcome.NOT_APPROVED


def test_another_digest_is_refused(shop):
    asked = ask(shop)
    for digest in ("", "00" * 32, asked["digest"].upper(), asked["digest"][:-1]):
        assert outcome(shop.fay, "approve", approval=asked["id"], digest=digest) is RefusalOutcome.NOT_APPROVED


def test_arguments_changed_by_sql_are_refused(shop):
    asked = ask(shop)
    shop.world.place.tamper('UPDATE approvals SET arguments = \'{"order": "B"}\'')
    assert outcome(shop.fay, "approve", approval=asked["id"], digest=asked["digest"]) is RefusalOutcome.NOT_APPROVED


def test_it_is_done_once(shop):
    asked = ask(shop)
    shop.fay.call("approve", approval=asked["id"], digest=asked["digest"])
    assert outcome(shop.eve, "approve", approval=asked["id"], digest=asked["digest"]) is RefusalOutcome.NOT_APPROVED


def test_two_who_approve_at_once_do_it_once(shop):
    asked, barrier, got = ask(shop), Barrier(2), []

    def approve(desk):
        barrier.wait()
        try:
            got.append(desk.call("approve", approval=asked["id"], digest=asked["digest"])["approval"]["decided_by"])
        except RefusedError as error:
            got.append(error.outcome)

    threads = [Thread(target=approve, args=(desk,)) for desk in (shop.eve, shop.fay)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len([each for each in got if each in ("eve", "fay")]) == 1
    assert shop.host.audit.run().ok


def test_a_call_that_is_refused_leaves_it_open(shop):
    asked = ask(shop)
    shop.eve.call("change_refund_limit", amount="1000")
    shop.bob.call("refund_transfer", order="A")
    assert outcome(shop.fay, "approve", approval=asked["id"], digest=asked["digest"]) is RefusalOutcome.ALREADY_SETTLED
    assert shop.eve.call("read_approvals")[0]["state"] == "open"


def test_the_same_asked_again_is_one_row_and_a_withdrawn_one_is_over(shop):
    first, second = ask(shop), ask(shop)
    assert first["id"] == second["id"]
    shop.bob.call("withdraw_approval", approval=first["id"])
    assert outcome(shop.fay, "approve", approval=first["id"], digest=first["digest"]) is RefusalOutcome.NOT_APPROVED
    assert ask(shop)["id"] != first["id"] or len(shop.eve.call("read_approvals")) == 2


def test_without_users_the_owner_alone_does_it(staff):
    staff.host.vending.vend("000001", "150", order="A")
    staff.host.transfers.cancel("A")
    assert staff.owner().call("refund_transfer", order="A")["refunded"]


def test_with_users_the_command_line_needs_a_second_person_too(shop):
    asked = ask(shop, shop.owner())
    assert asked["asked_by"] == "owner"
    assert outcome(shop.owner(), "approve", approval=asked["id"], digest=asked["digest"]) is RefusalOutcome.NOT_APPROVED
    shop.fay.call("approve", approval=asked["id"], digest=asked["digest"])
    assert refunded(shop)


def test_a_key_set_is_retired_by_two_owners(shop):
    ada = shop.add("ada", "owner")
    assert outcome(shop.eve, "retire_key_set", key_set="0") is RefusalOutcome.NEEDS_APPROVAL
    (asked,) = shop.eve.call("read_approvals")
    assert outcome(shop.fay, "approve", approval=asked["id"], digest=asked["digest"]) is RefusalOutcome.NOT_ALLOWED
    ada.call("approve", approval=asked["id"], digest=asked["digest"])
    assert [str(each.state) for each in shop.world.vault.sets()] == ["retired", "active"]
    (line,) = [each for each in shop.host.log.read(subject="0").lines if each.action == "key set retire"]
    assert line.actor == "ada"


@pytest.mark.parametrize("approval", ["", "nothing", "\x00", "x" * 500])
def test_what_nobody_asked_for_is_not_there(shop, approval):
    assert outcome(shop.fay, "approve", approval=approval, digest="") is RefusalOutcome.UNKNOWN_APPROVAL


def test_rows_are_never_changed_or_removed(shop):
    asked = ask(shop)
    shop.fay.call("approve", approval=asked["id"], digest=asked["digest"])
    for statement in (
        "UPDATE approvals SET call = 'x'",
        "DELETE FROM approval_ends",
        "UPDATE approval_ends SET state = 'done'",
    ):
        with pytest.raises(Exception, match="never changed or removed"):
            shop.world.place.run(statement)
