"""Users, their roles and tokens."""

import pytest

from prewatt.host.refusals import RefusalOutcome, RefusedError
from prewatt.host.staff.passwords import PASSWORD_CHARS_MAX, PASSWORD_CHARS_MIN, check_password


def outcome(call, *given, **named):
    with pytest.raises(RefusedError) as refused:
        call(*given, **named)
    return refused.value.outcome


def test_the_first_user_is_an_owner(staff):
    assert outcome(staff.host.users.add, "bob", ["clerk"]) is RefusalOutcome.BAD_FIELD
    assert staff.host.users.read_all() == []
    staff.host.users.add("ada", ["owner"])
    staff.host.users.add("bob", ["clerk", "agent"])
    assert [(user.name, user.roles) for user in staff.host.users.read_all()] == [
        ("ada", ("owner",)),
        ("bob", ("agent", "clerk")),
    ]


def test_one_owner_always_remains(staff):
    users = staff.host.users
    users.add("ada", ["owner"])
    assert outcome(users.disable, "ada") is RefusalOutcome.LAST_OWNER
    assert outcome(users.change, "ada", roles=["clerk"]) is RefusalOutcome.LAST_OWNER
    users.add("eve", ["owner"])
    users.disable("ada")
    assert outcome(users.disable, "eve") is RefusalOutcome.LAST_OWNER
    users.enable("ada")
    assert users.disable("eve").disabled


@pytest.mark.parametrize("name", ["", " ", "owner", "host", "a b", "\x00", "x" * 65, "ü"])
def test_a_name_that_cannot_be_one_is_refused(staff, name):
    assert outcome(staff.host.users.add, name, ["owner"]) is RefusalOutcome.BAD_FIELD


@pytest.mark.parametrize("name", ["nobody", "\x00", "", "x" * 100])
def test_who_is_not_there_is_named(staff, name):
    for call in (staff.host.users.disable, staff.host.users.read_tokens):
        assert outcome(call, name) is RefusalOutcome.UNKNOWN_USER


def test_a_name_is_taken_once(staff):
    staff.host.users.add("ada", ["owner"])
    assert outcome(staff.host.users.add, "ada", ["owner"]) is RefusalOutcome.USER_EXISTS


@pytest.mark.parametrize(("length", "taken"), [(PASSWORD_CHARS_MIN - 1, False), (PASSWORD_CHARS_MIN, True)])
def test_a_password_has_a_least_length(length, taken):
    refused = None if taken else RefusalOutcome.BAD_FIELD
    assert (check_password("p" * length) and None if taken else outcome(check_password, "p" * length)) is refused


@pytest.mark.parametrize("password", ["p" * (PASSWORD_CHARS_MAX + 1), "with\nnewline", "with \x00 in it"])
def test_a_password_that_is_refused_is_not_told(password):
    with pytest.raises(RefusedError) as refused:
        check_password(password)
    assert password not in str(refused.value)
    assert password not in str(refused.value.given)


def test_the_longest_password_is_taken():
    assert check_password("p" * PASSWORD_CHARS_MAX)


def test_a_token_opens_until_it_is_revoked_expired_or_its_user_disabled(staff):
    users, logins = staff.host.users, staff.host.logins
    users.add("ada", ["owner"])
    users.add("bob", ["clerk"])
    made = users.add_token("bob", "till 2", ["sell"], days=2)
    assert logins.actor_of(made.token).name == "bob"
    assert logins.actor_of(made.token).scopes == {"sell"}
    users.disable("bob")
    assert outcome(logins.actor_of, made.token) is RefusalOutcome.NOT_KNOWN
    users.enable("bob")
    staff.world.now_s += 2 * 86_400 - 1
    assert logins.actor_of(made.token).name == "bob"
    staff.world.now_s += 1
    assert outcome(logins.actor_of, made.token) is RefusalOutcome.NOT_KNOWN
    other = users.add_token("bob", "till 3")
    users.revoke_token(other.id)
    users.revoke_token(other.id)
    assert outcome(logins.actor_of, other.token) is RefusalOutcome.NOT_KNOWN


def test_a_token_with_one_other_character_opens_nothing(staff):
    users, logins = staff.host.users, staff.host.logins
    users.add("ada", ["owner"])
    token = users.add_token("ada", "x").token
    for at in range(0, len(token), 7):
        other = token[:at] + ("0" if token[at] != "0" else "1") + token[at + 1 :]
        assert outcome(logins.actor_of, other) is RefusalOutcome.NOT_KNOWN
    for other in ("", "pw_", token + "0", token[:-1], token.upper(), " " + token, "\x00", "\ud800"):
        assert outcome(logins.actor_of, other) is RefusalOutcome.NOT_KNOWN


def test_a_whole_token_in_place_of_its_id_is_not_told_back(staff):
    staff.host.users.add("ada", ["owner"])
    token = staff.host.users.add_token("ada", "x").token
    with pytest.raises(RefusedError) as refused:
        staff.host.users.revoke_token(token)
    assert token not in str(refused.value)


def test_no_secret_stands_in_the_database_or_in_the_log(staff):
    staff.host.users.add("ada", ["owner"], staff.password)
    token = staff.host.users.add_token("ada", "x").token
    login = staff.host.logins.login("ada", staff.password, None, "api 10.0.0.1").token
    staff.host.users.change("ada", password="another long password")
    staff.world.close()
    written = staff.world.place.written()
    for secret in (staff.password, "another long password", token, login, token.rpartition("_")[2]):
        assert secret.encode() not in written
    staff.world.reopen()


def test_no_secret_is_in_a_repr(staff):
    from prewatt.host.staff.tokens import Token

    token = Token.make(staff.world.rng.randbytes)
    assert token.reveal().rpartition("_")[2] not in repr(token)
