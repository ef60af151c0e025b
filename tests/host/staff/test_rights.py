"""One table says who may do what, and it has every call there is."""

import pytest

from prewatt.apps.selling import ROUTES
from prewatt.host.customers.exchange import SHEETS
from prewatt.host.refusals import RefusalOutcome, RefusedError
from prewatt.host.staff.actor import ALL_SCOPES, Actor, Role, Scope
from prewatt.host.staff.rights import IMPORT_NEEDS, RIGHTS, check_import, check_right

STREET = {"read_faces", "read_face", "press_keys", "read_clock", "set_clock"}


def actor(*roles, scopes=ALL_SCOPES):
    return Actor("ada", frozenset(roles), frozenset(scopes), "token 1")


def test_the_table_has_every_call_and_no_other():
    assert set(RIGHTS) == {route.call for route in ROUTES} | STREET


def test_nobody_may_make_a_call_that_is_not_in_the_table():
    with pytest.raises(RefusedError) as refused:
        check_right(actor(*Role), "drop_everything")
    assert refused.value.outcome is RefusalOutcome.NOT_ALLOWED


@pytest.mark.parametrize("role", list(Role))
def test_a_role_has_what_the_table_says(role):
    for call, right in RIGHTS.items():
        if role in right.roles:
            check_right(actor(role), call)
        else:
            with pytest.raises(RefusedError, match="owner"):
                check_right(actor(role), call)


def test_a_token_held_to_other_scopes_may_not():
    for call, right in RIGHTS.items():
        others = ALL_SCOPES - {right.scope}
        if right.scope is Scope.SELF:
            check_right(actor(Role.OWNER, scopes=others), call)
            continue
        with pytest.raises(RefusedError, match="scope"):
            check_right(actor(Role.OWNER, scopes=others), call)


def test_an_auditor_changes_nothing():
    changing = {route.call for route in ROUTES if route.method != "GET"} - {"approve", "withdraw_approval"}
    assert [call for call in changing if Role.AUDITOR in RIGHTS[call].roles] == []


def test_a_clerk_sells_and_makes_no_users_and_no_prices():
    may = {call for call, right in RIGHTS.items() if Role.CLERK in right.roles}
    assert "vend" in may
    assert not may & {"add_user", "set_tariff", "retire_key_set", "sign_over", "add_token", "audit"}


def test_the_books_are_read_by_who_answers_for_them_and_closed_by_who_keeps_them():
    books = {"read_balance", "read_statement", "read_periods", "export_entries"}
    assert {RIGHTS[call].roles for call in books} == {frozenset({Role.OWNER, Role.FINANCE, Role.AUDITOR})}
    assert RIGHTS["close_period"].roles == {Role.OWNER, Role.FINANCE}


def test_nobody_does_by_a_file_what_that_person_may_not_do_by_hand():
    assert set(IMPORT_NEEDS) == set(SHEETS)
    importers = RIGHTS["import_registry"].roles
    may = {
        role: {kind for kind in SHEETS if all(role in RIGHTS[call].roles for call in IMPORT_NEEDS[kind])}
        for role in importers
    }
    assert may[Role.OWNER] == set(SHEETS)
    assert "meters" not in may[Role.FINANCE]
    assert not may[Role.TECHNICIAN] & {"customers", "meters"}
    for role in importers:
        for kind in SHEETS:
            if kind in may[role]:
                check_import(actor(role), kind)
            else:
                with pytest.raises(RefusedError, match="for the roles"):
                    check_import(actor(role), kind)
