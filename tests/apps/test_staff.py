"""Staff at the doors: tokens over HTTP, the browser, the command line; and no secret in anything that is said."""

import json
from http.client import HTTPConnection

import pytest

PASSWORD = "correct horse battery"


@pytest.fixture(scope="module")
def up(tmp_path_factory, programs_in):
    """A running `up` with an owner, a clerk and an auditor."""
    with programs_in(tmp_path_factory.mktemp("staff")) as programs, pytest.MonkeyPatch.context() as patch:
        patch.setenv("PREWATT_LOG_LEVEL", "debug")
        running = programs.up(speed=60, meters=2, fork=True)
        running.programs = programs
        running.before = running.ask("GET", "/api/v1/self")
        running.cookie_before = page(running, cookie=running.token)
        secret = programs.folder / "password"
        secret.write_text(PASSWORD + "\n")
        programs.json("user", "add", "ada", "--role", "owner", "--password-file", str(secret))
        running.tokens = {}
        for name, role in (("ada", "owner"), ("bob", "clerk"), ("ann", "auditor")):
            if name != "ada":
                programs.json("user", "add", name, "--role", role)
            made = programs.json("user", "token", "add", name, "--label", "test")
            running.tokens[name] = made["token"]
        yield running


def page(up, path="/", cookie=None):
    """Status of a page, with a cookie."""
    connection = HTTPConnection("127.0.0.1", up.port, timeout=30)
    try:
        connection.request("GET", path, headers={} if cookie is None else {"Cookie": f"prewatt={cookie}"})
        answer = connection.getresponse()
        answer.read()
        return answer.status
    finally:
        connection.close()


def ask(up, name, method, path, body=None):
    return up.ask(method, f"/api/v1{path}", body, token=up.tokens[name])


def test_before_the_first_user_the_token_of_the_run_is_the_owner(up):
    status, who = up.before
    assert (status, who["name"], who["roles"]) == (200, "owner", ["owner"])
    assert up.cookie_before == 200


def test_a_token_says_who_asks(up):
    status, who = ask(up, "bob", "GET", "/self")
    assert (status, who["name"], who["roles"]) == (200, "bob", ["clerk"])
    assert who["origin"].startswith("api 127.0.0.1 token ")


def test_a_wrong_token_is_401_and_a_right_one_without_the_right_403(up):
    status, content = up.ask("GET", "/api/v1/meters", token="pw_" + "0" * 12 + "_" + "0" * 64)
    assert (status, content["error"]["outcome"]) == (401, "not_known")
    assert "0" * 64 not in json.dumps(content)
    status, content = ask(up, "bob", "POST", "/tariffs", {"unit_price": "1"})
    assert (status, content["error"]["outcome"]) == (403, "not_allowed")
    assert "bob has clerk" in content["error"]["text"]
    assert ask(up, "bob", "GET", "/meters")[0] == 200
    assert ask(up, "ann", "GET", "/audit")[0] == 200
    assert ask(up, "ann", "POST", "/vends", {"meter": "000001", "amount": "1"})[0] == 403
    assert ask(up, "bob", "POST", "/clock", {"speed": 60})[0] == 403


def test_with_users_the_runs_token_is_that_of_the_command_line_alone(up):
    assert up.ask("GET", "/api/v1/meters")[0] == 200
    assert page(up, cookie=up.token) == 401
    assert page(up, f"/?token={up.token}") == 401
    assert page(up, f"/?token={up.tokens['bob']}") == 303
    assert page(up, cookie=up.tokens["bob"]) == 200
    assert page(up, cookie="pw_x") == 401


def test_what_is_sold_at_a_page_is_sold_in_the_persons_name(up):
    for name, wanted in (("bob", 303), ("ann", 403)):
        connection = HTTPConnection("127.0.0.1", up.port, timeout=30)
        headers = {"Cookie": f"prewatt={up.tokens[name]}", "Sec-Fetch-Site": "same-origin", "Accept": "text/html"}
        headers["Content-Type"] = "application/x-www-form-urlencoded"
        connection.request("POST", "/meter/000001/sell", "amount=1&order=page", headers)
        assert connection.getresponse().status == wanted
        connection.close()
    found = ask(up, "ann", "GET", "/log?subject=000001&actor=bob")[1]["lines"]
    assert [line["action"] for line in found] == ["vend"]


def test_the_command_line_says_who_sits_there(up):
    up.programs.json("vend", "000002", "1")
    line = up.programs.json("log", "--subject", "000002", "--limit", "1")["lines"][0]
    assert line["actor"] == "owner"
    assert line["origin"].startswith("cli ")


def test_the_command_line_asks_in_the_name_of_a_token(up, monkeypatch):
    monkeypatch.setenv("PREWATT_TOKEN", up.tokens["bob"])
    assert up.programs.run("tariff", "set", "1").code == 1
    assert up.programs.json("vend", "000002", "1")["state"] in ("pending", "confirmed")
    monkeypatch.setenv("PREWATT_TOKEN", "nonsense-token")
    refused = up.programs.run("meter", "list")
    assert refused.code == 1
    assert "nonsense-token" not in refused.err


def test_a_password_gives_a_token(up):
    status, made = up.ask("POST", "/api/v1/logins", {"name": "ada", "password": PASSWORD}, token="")
    assert status == 200
    assert up.ask("GET", "/api/v1/self", token=made["token"])[1]["name"] == "ada"
    up.logged_in = made["token"]


@pytest.mark.parametrize(
    "body",
    [
        {"name": "ada", "password": "hunter2hunter2"},
        {"name": "ada", "pasword": "hunter2hunter2"},
        {"name": 5, "password": "hunter2hunter2"},
        {"password": "hunter2hunter2"},
        {"name": "hunter2hunter2"},
        "hunter2hunter2",
        ["hunter2hunter2"],
    ],
)
def test_a_password_is_in_no_answer(up, body):
    for path in ("/logins", "/users", "/users/ada"):
        status, content = up.ask("POST", f"/api/v1{path}", body, token=up.tokens["ann"])
        assert 400 <= status < 500
        assert "hunter2hunter2" not in json.dumps(content)


def test_guessing_is_429_and_said_so(up):
    statuses = {up.ask("POST", "/api/v1/logins", {"name": "cat", "password": "x"}, token="")[0] for _ in range(7)}
    assert statuses <= {401, 429}
    assert 429 in statuses


def test_nobody_can_say_that_they_come_from_elsewhere(up):
    connection = HTTPConnection("127.0.0.1", up.port, timeout=30)
    connection.request(
        "GET", "/api/v1/self", headers={"Authorization": f"Bearer {up.tokens['bob']}", "X-Forwarded-For": "10.9.8.7"}
    )
    origin = json.loads(connection.getresponse().read())["origin"]
    connection.close()
    assert origin.startswith("api 127.0.0.1 ")


def test_two_persons_at_the_command_line(up, monkeypatch):
    programs = up.programs
    programs.json("approve", "limit", "--refund", "0")
    programs.json("meter", "enrol", "0000A1")
    order = programs.json("vend", "0000A1", "3")["order"]
    programs.json("transfer", "cancel", order)
    refused = programs.run("transfer", "refund", order)
    assert refused.code == 1
    (asked,) = programs.json("approve", "list")
    assert f"prewatt approve do {asked['id']}" in refused.err
    assert programs.run("approve", "do", asked["id"]).code == 1
    monkeypatch.setenv("PREWATT_TOKEN", up.tokens["bob"])
    done = programs.json("approve", "do", asked["id"])
    assert done["approval"]["decided_by"] == "bob"
    assert done["answer"]["refunded"]


def test_no_secret_is_in_what_the_program_logged(up):
    said = up.said.read_text() + up.said.with_suffix(".err").read_text()
    for secret in (PASSWORD, "hunter2hunter2", *up.tokens.values(), up.logged_in):
        assert secret not in said


def test_the_audit_holds_and_shows_the_newest_hash(up):
    found = up.programs.json("audit")
    assert found["ok"]
    newest = up.programs.json("log", "--limit", "1")["lines"][0]
    assert (found["log_lines"], found["log_hash"]) == (newest["number"], newest["hash"])


def test_without_an_up_the_folder_is_the_owner_and_a_token_its_user(programs, monkeypatch):
    programs.json("init")
    programs.json("user", "add", "ada", "--role", "owner")
    token = programs.json("user", "token", "add", "ada", "--label", "x")["token"]
    programs.json("meter", "enrol", "0000A1")
    monkeypatch.setenv("PREWATT_TOKEN", token)
    programs.json("meter", "block", "0000A1")
    monkeypatch.delenv("PREWATT_TOKEN")
    lines = programs.json("log", "--subject", "0000A1")["lines"]
    assert [line["actor"] for line in lines] == ["ada", "owner"]
    assert all(line["origin"].startswith("cli ") for line in lines)
