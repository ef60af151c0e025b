"""Who did it: the log names person, place and both sides of every change; and a file gives nobody more rights."""

import pytest

from prewatt.apps.desk import Desk
from prewatt.apps.selling import Selling
from prewatt.host.refusals import RefusalOutcome, RefusedError
from prewatt.host.staff.actor import ALL_SCOPES, Actor, Role, Scope

METER = "000001"
CUSTOMERS = "customer,name,locale,phone,email,notices\n"


def desk(world, *roles, scopes=ALL_SCOPES):
    actor = Actor("ada", frozenset(roles), frozenset(scopes), "token 1")
    return Desk(Selling(world.host), actor, "api 10.0.0.7 token 1")


def newest(world, subject):
    line = world.host.log.read(subject=subject).lines[0]
    return line.actor, line.origin, line.at_s, line.action, line.before, line.after


def test_a_change_at_the_counter_names_who_from_where_and_both_sides(world):
    clerk = desk(world, Role.CLERK)
    clerk.call("add_customer", customer="C1", name="Eve")
    clerk.call("change_customer", customer="C1", name="Eva")
    *who, before, after = newest(world, "C1")
    assert who == ["ada", "api 10.0.0.7 token 1", world.now_s, "customer change"]
    assert (before["name"], after["name"]) == ("Eve", "Eva")
    clerk.call("assign_meter", meter=METER, customer="C1")
    *who, before, after = newest(world, METER)
    assert who == ["ada", "api 10.0.0.7 token 1", world.now_s, "meter assign"]
    assert (before["customer"], after["customer"]) == (None, "C1")
    clerk.call("vacate_meter", meter=METER, reason="moved out")
    assert newest(world, METER)[4:] == ({"customer": "C1", "premises": None}, {"customer": None, "premises": None})


def test_every_row_of_a_file_is_written_in_the_name_of_who_took_it_in(world):
    text = f"{CUSTOMERS}C1,Eve,en,,,\nC2,Bob,en,,,\n"
    desk(world, Role.FINANCE).call("import_registry", kind="customers", text=text)
    for subject in ("C1", "C2", "customers"):
        assert newest(world, subject)[:2] == ("ada", "api 10.0.0.7 token 1")
    assert world.host.audit.run().ok


@pytest.mark.parametrize(
    ("role", "kind"),
    [(Role.FINANCE, "meters"), (Role.TECHNICIAN, "customers"), (Role.TECHNICIAN, "meters"), (Role.CLERK, "customers")],
)
def test_a_file_that_says_more_than_its_bringer_may_say_is_refused_also_as_a_dry_run(world, role, kind):
    for dry_run in (False, True):
        with pytest.raises(RefusedError) as caught:
            desk(world, role).call("import_registry", kind=kind, text="", dry_run=dry_run)
        assert caught.value.outcome is RefusalOutcome.NOT_ALLOWED


def test_a_token_held_to_selling_changes_no_customer_and_takes_no_file_of_meters(world):
    with pytest.raises(RefusedError, match="scope registry"):
        desk(world, Role.CLERK, scopes={Scope.READ, Scope.SELL}).call("add_customer", customer="C1", name="Eve")
    with pytest.raises(RefusedError, match="scope field"):
        desk(world, Role.OWNER, scopes={Scope.REGISTRY}).call("import_registry", kind="meters", text="")


def test_how_far_an_import_is_can_be_asked_by_another_desk(world, monkeypatch):
    from prewatt.host.customers import records

    seen, said = [], records.log_action

    def look(*given, **changed):
        seen.append(desk(world, Role.OWNER).call("read_import")["step"])
        said(*given, **changed)

    monkeypatch.setattr(records, "log_action", look)
    desk(world, Role.OWNER).call("import_registry", kind="customers", text=f"{CUSTOMERS}C1,Eve,en,,,\n")
    assert seen == ["checking"]
    assert desk(world, Role.OWNER).call("read_import")["step"] == ""
