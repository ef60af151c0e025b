"""The commands standing alone, without an `up`; and what holds for every command there is."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.main import get_command

from prewatt.apps.cli import app
from prewatt.apps.cli.shell import run

METER = "000001"
MICRO = 1_000_000


def commands(group, words=()):
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield (*words, name)
            yield from commands(command, (*words, name))
        else:
            yield (*words, name)


COMMANDS = list(commands(get_command(app)))


@pytest.fixture
def shop(programs):
    """A new installation with one meter."""
    assert programs.run("init").code == 0
    assert programs.run("meter", "enrol", METER).code == 0
    return programs


def audit(programs):
    found = programs.json("audit")
    assert (found["ok"], found["violations"]) == (True, [])
    return found


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_explains_itself(words, capsys):
    assert run(app, [*words, "--help"]) == 0
    said = capsys.readouterr()
    assert said.err == ""
    assert f"Usage: prewatt {' '.join(words)}" in said.out


@pytest.mark.parametrize("words", [(), ("meter",), ("keys",)])
def test_a_group_without_a_command_says_what_there_is(words, capsys):
    assert run(app, list(words)) == 0
    said = capsys.readouterr()
    assert said.err == ""
    assert "Commands:" in said.out


def test_the_version_is_told(capsys):
    assert run(app, ["--version"]) == 0
    assert capsys.readouterr().out.startswith("prewatt 0.")


def test_an_installation_is_made_once(programs):
    made = programs.json("init")
    assert set(made) == {"installation", "currency", "currency_digits", "zone"}
    assert (made["currency_digits"], made["zone"]) == (2, "Europe/Paris")
    assert programs.run("init").code == 1
    for name in ("prewatt.db", "keys.vault", "vault.key"):
        assert (programs.data / name).stat().st_mode & 0o077 == 0, name
    assert programs.data.stat().st_mode & 0o077 == 0
    assert programs.json("meter", "list") == []
    assert audit(programs)["cash_micro"] == 0


def test_the_vault_may_be_made_first_and_under_a_passphrase(programs, monkeypatch):
    monkeypatch.setenv("PREWATT_PASSPHRASE", "correct horse battery")
    assert [each["state"] for each in programs.json("keys", "init", "--sets", "3")] == ["active"] * 3
    assert not (programs.data / "vault.key").exists()
    assert programs.run("init").code == 0
    assert programs.json("meter", "enrol", METER)["key_sets"] == [0, 1, 2]
    monkeypatch.setenv("PREWATT_PASSPHRASE", "wrong horse battery")
    assert programs.run("meter", "list").code == 1


def test_a_key_file_may_lie_elsewhere(programs, monkeypatch, tmp_path):
    monkeypatch.setenv("PREWATT_KEY_FILE", str(tmp_path / "far.key"))
    assert programs.run("init").code == 0
    assert (tmp_path / "far.key").stat().st_mode & 0o077 == 0
    assert programs.run("meter", "list").code == 0
    monkeypatch.delenv("PREWATT_KEY_FILE")
    ran = programs.run("meter", "list")
    assert (ran.code, ran.out) == (1, "")
    assert "vault.key" in ran.err


def test_key_sets_are_added_retired_and_shown_when_due(shop):
    def states():
        return {each["set"]: each["state"] for each in shop.json("keys", "list")}

    assert states() == {0: "active", 1: "active"}
    assert {each["set"] for each in shop.json("keys", "add")} == {0, 1, 2}
    assert shop.json("keys", "add", "--index", "9", "--suite", "tdes-1998")[-1]["suite"] == "tdes-1998"
    shop.json("keys", "retire", "9")
    assert states() == {0: "active", 1: "active", 2: "active", 9: "retired"}
    assert shop.json("keys", "due") == []
    for words in (("list",), ("due",)):
        assert "master" not in shop.run("keys", *words, "--json").out


def test_a_meter_is_enrolled_shown_and_closed(shop):
    found = shop.json("meter", "enrol", "0000ab", "--m-id", "7", "--customer", "c-1", "--premises", "p-1")
    assert (found["id"], found["m_id"], found["customer"], found["premises"]) == ("0000AB", 7, "c-1", "p-1")
    assert (found["state"], found["relay"], found["balance_micro"]) == ("new", "open", 0)
    assert shop.json("meter", "show", "0000Ab") == found
    assert [each["id"] for each in shop.json("meter", "list")] == [METER, "0000AB"]
    assert shop.json("meter", "close", "0000AB")["state"] == "closed"
    assert shop.run("vend", "0000AB", "1.00").code == 1


def test_a_sale_without_an_up_is_pending_and_can_be_cancelled(shop):
    sale = shop.json("vend", METER, "12.34", "--order", "mine-1")
    assert (sale["order"], sale["state"], sale["amount_micro"]) == ("mine-1", "pending", 12_340_000)
    assert shop.json("vend", METER, "12.34", "--order", "mine-1")["existed"]
    again = shop.run("vend", METER, "5.00")
    assert (again.code, again.err) == (0, "")
    assert "pending" in again.out
    assert [each["state"] for each in shop.json("transfer", "list", "--state", "pending")] == ["pending"] * 2
    found = audit(shop)
    assert (found["cash_micro"], found["in_wallets_micro"]) == (17_340_000, 17_340_000)
    assert shop.json("transfer", "cancel", "mine-1")["state"] == "cancelled"
    assert shop.json("transfer", "show", sale["transfer"])["state"] == "cancelled"
    assert [each["order"] for each in shop.json("transfer", "list", "--state", "cancelled")] == ["mine-1"]
    assert shop.json("transfer", "refund", "mine-1")["refunded"]
    assert audit(shop)["refunded_micro"] == 12_340_000


def test_waiting_for_a_sale_that_nobody_carries_says_so_at_once(shop):
    ran = shop.run("vend", METER, "1.00", "--wait", "--json")
    assert ran.code == 1
    assert ran.json["state"] == "pending"
    assert len(ran.err.splitlines()) == 1
    assert ran.json["order"] in ran.err
    assert shop.json("transfer", "show", ran.json["order"])["state"] == "pending"


def test_waiting_ends_with_the_time_and_the_sale_stays(shop, eventually):
    up = shop.up(speed=1, meters=1, fork=True)
    assert shop.json("meter", "enrol", "0000EE")["state"] == "new"
    ran = shop.run("vend", "0000EE", "1.00", "--wait", "--timeout", "1")
    assert (ran.code, "pending" in ran.out, len(ran.err.splitlines())) == (1, True, 1)
    assert up.get("/transfers?state=pending")[0]["meter"] == "0000EE"


def test_what_was_sold_without_an_up_arrives_with_the_next_one(shop, eventually):
    sales = [shop.json("vend", METER, amount)["order"] for amount in ("1.00", "0.25", "0.50")]
    shop.json("transfer", "cancel", sales[1])
    up = shop.up(speed=60, meters=1, fork=True)
    eventually(lambda: not shop.json("transfer", "list", "--state", "pending"))
    assert [shop.json("transfer", "show", each)["state"] for each in sales] == ["confirmed", "cancelled", "confirmed"]
    assert up.face()["received_micro"] == 3 * MICRO // 2
    assert up.stop().code == 0
    found = audit(shop)
    assert (found["delivered_micro"], found["in_wallets_micro"]) == (3 * MICRO // 2, MICRO // 4)
    shown = shop.json("meter", "show", METER)
    assert shown["received_micro"] == shown["balance_micro"] + shown["burned_micro"]


def test_a_tariff_set_without_an_up_waits_for_its_meters(shop, tmp_path):
    assert shop.run("tariff", "show").code == 1
    made = shop.json("tariff", "set", "0.25", "--table", "example")
    assert (made["version"], made["unit_price_micro"], made["confirmed"], made["waiting"]) == (1, 250_000, 0, [METER])
    own = tmp_path / "own.json"
    week = dict.fromkeys(("weekday", "saturday", "sunday", "holiday"), "all")
    own.write_text(json.dumps({"plans": {"all": {"00:00": 100, "12:00": 150}}, "week": week}))
    assert shop.json("tariff", "set", "0.30", "--table", str(own))["version"] == 2
    assert shop.json("tariff", "show")["unit_price_micro"] == 300_000


def test_usage_of_a_meter_that_never_reported_is_empty(shop):
    assert shop.json("usage", "show", METER)["rows"] == []
    assert "nothing collected" in shop.run("usage", "show", METER).out


def test_every_answer_for_programs_is_one_document(shop):
    assert shop.run("vend", METER, "1.00", "--order", "x").code == 0
    assert shop.run("tariff", "set", "0.25").code == 0
    for words in (
        ("meter", "list"),
        ("meter", "show", METER),
        ("meter", "orders", METER),
        ("transfer", "list"),
        ("transfer", "show", "x"),
        ("transfer", "suspense"),
        ("tariff", "show"),
        ("usage", "show", METER),
        ("keys", "list"),
        ("keys", "due"),
        ("audit",),
    ):
        ran = shop.run(*words, "--json")
        assert (ran.code, ran.err) == (0, ""), words
        assert isinstance(ran.json, dict | list), words


def test_the_environment_names_the_folder_as_the_option_does(shop, monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("PREWATT_DATA", str(shop.data))
    assert run(app, ["meter", "list", "--json"]) == 0
    assert [each["id"] for each in json.loads(capsys.readouterr().out)] == [METER]
    assert run(app, ["meter", "list", "--data", str(tmp_path / "other")]) == 1


def test_a_reader_that_goes_away_is_no_error_of_ours(shop):
    program = Path(sys.executable).parent / "prewatt"
    command = f"set -o pipefail; {program} meter list --json --data {shop.data} | true"
    ran = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60)
    assert ran.stderr == ""


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (OSError(28, "No space left on device", "/data/meters/000001.nvm"), "/data/meters/000001.nvm: No space left"),
        (ExceptionGroup("tasks", [ExceptionGroup("more", [OSError(5, "Input/output error")])]), "Input/output error"),
        (ZeroDivisionError("division by zero"), "this should not happen (ZeroDivisionError: division by zero)"),
    ],
)
def test_what_nobody_foresaw_is_one_line_too(capsys, error, told):
    def broken(*_given, **_named):
        raise error

    assert run(broken, []) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert len(said.err.splitlines()) == 1
    assert told in said.err


def test_a_command_for_a_running_up_loads_nothing_it_does_not_need():
    heavy = {"sqlalchemy", "alembic", "fastapi", "uvicorn", "httpx", "numpy", "cryptography", "argon2", "structlog"}
    look = f"import sys; import prewatt.apps.cli; print(sorted({heavy} & set(sys.modules)))"
    ran = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, timeout=60)
    assert (ran.stdout.strip(), ran.stderr) == ("[]", "")


def test_two_commands_at_once_on_one_folder_wait_for_each_other_or_say_busy(shop):
    started = [shop.begin("vend", METER, "1.00", "--order", f"o{n}", "--data", str(shop.data)) for n in range(4)]
    ended = [(process.communicate(timeout=60), process.returncode) for process in started]
    done = sum(code == 0 for _, code in ended)
    for (_out, err), code in ended:
        assert code == 0 or len(err.splitlines()) == 1, err
    assert len(shop.json("transfer", "list")) == done >= 1
    assert audit(shop)["cash_micro"] == done * MICRO
