"""Names with passwords: nothing is told of what was wrong, and who guesses waits."""

import pytest

from prewatt.host.refusals import RefusalOutcome, RefusedError
from prewatt.host.staff import totp
from prewatt.host.staff.lockout import LOCK_LONGEST_S, WRONG_FREE, wait_after
from prewatt.host.staff.logins import LOGIN_LIFE_S

ORIGIN = "api 10.0.0.1"


@pytest.fixture
def ada(staff):
    staff.host.users.add("ada", ["owner"], staff.password)
    return staff


def refused(staff, name="ada", password="wrong password", code=None, origin=ORIGIN):
    with pytest.raises(RefusedError) as error:
        staff.host.logins.login(name, password, code, origin)
    assert password not in str(error.value)
    return error.value.outcome


def login(staff, code=None, origin=ORIGIN):
    return staff.host.logins.login("ada", staff.password, code, origin)


def test_the_right_password_gives_a_token_for_a_shift(ada):
    made = login(ada)
    assert ada.host.logins.actor_of(made.token).name == "ada"
    ada.world.now_s += LOGIN_LIFE_S
    with pytest.raises(RefusedError, match="expired"):
        ada.host.logins.actor_of(made.token)


@pytest.mark.parametrize("name", ["bob", "", "\x00", "\ud800", "x" * 1_000])
def test_a_name_that_nobody_has_is_refused_like_a_wrong_password(ada, name):
    assert refused(ada, name) is RefusalOutcome.NOT_KNOWN


def test_after_five_wrong_tries_one_waits_a_minute_then_twice_as_long(ada):
    for _ in range(WRONG_FREE - 1):
        assert refused(ada) is RefusalOutcome.NOT_KNOWN
    assert refused(ada) is RefusalOutcome.LOCKED_OUT
    assert refused(ada, password=ada.password) is RefusalOutcome.LOCKED_OUT
    ada.world.now_s += 59
    assert refused(ada, password=ada.password) is RefusalOutcome.LOCKED_OUT
    ada.world.now_s += 1
    assert refused(ada) is RefusalOutcome.LOCKED_OUT
    ada.world.now_s += 119
    assert refused(ada, password=ada.password) is RefusalOutcome.LOCKED_OUT
    ada.world.now_s += 1
    assert login(ada).token


def test_the_wait_doubles_up_to_an_hour_and_no_further():
    assert [wait_after(wrong) for wrong in range(4, 13)] == [0, 60, 120, 240, 480, 960, 1_920, 3_600, 3_600]
    assert wait_after(10**9) == LOCK_LONGEST_S


def test_a_restart_lets_nobody_in_sooner(ada):
    for _ in range(WRONG_FREE):
        refused(ada)
    ada.world.restart()
    assert refused(ada, password=ada.password) is RefusalOutcome.LOCKED_OUT


def test_a_place_that_tries_many_names_waits_and_another_place_does_not(ada):
    for number in range(WRONG_FREE):
        refused(ada, f"name{number}")
    assert refused(ada, password=ada.password) is RefusalOutcome.LOCKED_OUT
    assert login(ada, origin="api 10.0.0.2").token


def test_a_clock_that_was_set_back_locks_nobody_out_for_long(ada):
    for _ in range(WRONG_FREE):
        refused(ada)
    ada.world.now_s -= 365 * 86_400
    assert login(ada).token


def test_a_right_try_forgets_the_wrong_ones(ada):
    for _ in range(3):
        for _ in range(WRONG_FREE - 1):
            refused(ada)
        login(ada)


def test_a_lock_stands_in_the_log_without_what_was_typed(ada):
    for _ in range(WRONG_FREE):
        refused(ada, password="hunter2 hunter2")
    (line,) = [each for each in ada.host.log.read(subject="ada").lines if each.action == "login locked"]
    assert ORIGIN in line.detail
    assert "hunter2" not in str(ada.host.log.read())


def test_with_an_app_the_password_alone_does_not_open_and_no_code_opens_twice(ada):
    uri = ada.host.users.change("ada", totp="new").totp_uri
    secret = ada.world.place.run("SELECT totp FROM users")[0][0]
    assert "secret=" in uri
    assert refused(ada, password=ada.password) is RefusalOutcome.NOT_KNOWN
    code = totp.hotp(bytes(secret), ada.world.now_s // totp.STEP_S)
    assert login(ada, code).token
    assert refused(ada, password=ada.password, code=code) is RefusalOutcome.NOT_KNOWN
    ada.world.now_s += totp.STEP_S
    assert login(ada, totp.hotp(bytes(secret), ada.world.now_s // totp.STEP_S)).token
    ada.host.users.change("ada", totp="off")
    assert login(ada).token


def test_a_disabled_user_and_a_new_password_end_logins(ada):
    made = login(ada)
    other = ada.host.users.add_token("ada", "program").token
    ada.host.users.change("ada", password="another long password")
    with pytest.raises(RefusedError):
        ada.host.logins.actor_of(made.token)
    assert ada.host.logins.actor_of(other).name == "ada"
    assert refused(ada, password=ada.password) is RefusalOutcome.NOT_KNOWN
    ada.host.users.add("eve", ["owner"])
    ada.host.users.disable("ada")
    assert refused(ada, password="another long password") is RefusalOutcome.NOT_KNOWN
