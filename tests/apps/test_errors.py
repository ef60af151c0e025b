"""Wrong input: one clear line, the right exit code, and nothing is changed, whether an `up` runs or not."""

import hashlib
import json
import os
import shutil
import socket
import sqlite3

import pytest

METER, CLOSED = "000001", "000002"
UNKNOWN = "0000AA"
SETTLED, CANCELLED = "settled-1", "cancelled-1"

# What a running street adds to by itself, and the numbers that count it.
LIVING = {
    "sqlite_sequence",
    "boxes",
    "area_boxes",
    "kept",
    "books",
    "controls",
    "standings",
    "reports",
    "events",
    "day_logs",
    "counter_books",
    "alarms",
    "record_file",
}

AMOUNTS = ("-5", "-0.01", "0", "0.00", "nan", "inf", "-inf", "1e3", "1.005", "0.001", "10000.01", "9" * 30, "9" * 5000)
AMOUNTS += ("", " ", "1,00", "+1", "1_000", "0x10", "٣", "1.", ".5", "1 2", "ten", "1.00.00", "--1", "1\n2")

REFUSED = {
    **{f"vend an amount of {amount[:12]!r}": (("vend", METER, amount), "amount") for amount in AMOUNTS},
    "vend to an unknown meter": (("vend", UNKNOWN, "1.00"), UNKNOWN),
    "vend to a closed account": (("vend", CLOSED, "1.00"), "closed"),
    "vend to a reserved id": (("vend", "000000", "1.00"), "000001 to FFFFFE"),
    "vend to the other reserved id": (("vend", "ffffff", "1.00"), "000001 to FFFFFE"),
    "vend to a short id": (("vend", "0001", "1.00"), "six hex digits"),
    "vend to an empty id": (("vend", "", "1.00"), "six hex digits"),
    "vend to no hex": (("vend", "00000G", "1.00"), "six hex digits"),
    "vend to digits of another script": (("vend", "٠٠٠٠٠١", "1.00"), "six hex digits"),
    "vend under a bad order id": (("vend", METER, "1.00", "--order", "a b"), "order"),
    "vend under an endless order id": (("vend", METER, "1.00", "--order", "x" * 65), "order"),
    "vend an order again with another amount": (("vend", METER, "2.00", "--order", SETTLED), SETTLED),
    "vend an order again to another meter": (("vend", UNKNOWN, "1.00", "--order", SETTLED), SETTLED),
    "show an unknown meter": (("meter", "show", UNKNOWN), UNKNOWN),
    "show an empty meter": (("meter", "show", ""), "meter"),
    "show a path for a meter": (("meter", "show", "../clock"), "meter"),
    "show a query for a meter": (("meter", "show", "000001?x=1"), "six hex digits"),
    "show a wild meter": (("meter", "show", "%2e%2e☃"), "six hex digits"),
    "show a meter of no text": (("meter", "show", "\udcff\x00\n"), "meter"),
    "show a transfer of no text": (("transfer", "show", "\udcff"), "order"),
    "vend to no text": (("vend", "\udcff", "1.00"), "meter"),
    "vend an amount of no text": (("vend", METER, "\udcff"), "amount"),
    "vend under an order of no text": (("vend", METER, "1.00", "--order", "\udcff"), "order"),
    "enrol below a station of no text": (("meter", "enrol", "000009", "--station", "\udcff"), "station"),
    "set a tariff of no text": (("tariff", "set", "0.30", "--table", "\udcff"), "table"),
    "list transfers of a state of no text": (("transfer", "list", "--state", "\udcff"), "state"),
    "show usage by no text": (("usage", "show", METER, "--by", "\udcff"), "by"),
    "close an unknown meter": (("meter", "close", UNKNOWN), UNKNOWN),
    "enrol a meter twice": (("meter", "enrol", METER), METER),
    "enrol under a taken M-ID": (("meter", "enrol", "000009", "--m-id", "0"), "m_id"),
    "enrol a reserved id": (("meter", "enrol", "000000"), "000001 to FFFFFE"),
    "enrol the other reserved id": (("meter", "enrol", "FFFFFF"), "000001 to FFFFFE"),
    "enrol no hex": (("meter", "enrol", "zzzzzz"), "six hex digits"),
    "enrol under an unknown suite": (("meter", "enrol", "000009", "--suite", "des"), "suite"),
    "enrol under a suite without keys": (("meter", "enrol", "000009", "--suite", "tdes-1998"), "tdes-1998"),
    "enrol below a station of bad name": (("meter", "enrol", "000009", "--station", "a b"), "station"),
    "enrol for a customer without name": (("meter", "enrol", "000009", "--customer", ""), "customer"),
    "enrol for an endless customer": (("meter", "enrol", "000009", "--customer", "x" * 201), "customer"),
    "show an unknown transfer": (("transfer", "show", "nobody"), "nobody"),
    "show an unknown number": (("transfer", "show", "9" * 30), "transfer"),
    "show an empty transfer": (("transfer", "show", ""), "order"),
    "show a path for a transfer": (("transfer", "show", "../meters"), "order"),
    "cancel an unknown transfer": (("transfer", "cancel", "nobody"), "nobody"),
    "cancel a confirmed transfer": (("transfer", "cancel", SETTLED), "transfer"),
    "cancel a cancelled transfer": (("transfer", "cancel", CANCELLED), "transfer"),
    "list transfers of no state": (("transfer", "list", "--state", "gone"), "state"),
    "list transfers of no meter": (("transfer", "list", "--meter", "zzz"), "six hex digits"),
    "set a negative price": (("tariff", "set", "-0.10"), "unit_price"),
    "set a price of nothing": (("tariff", "set", "0"), "unit_price"),
    "set a price too fine": (("tariff", "set", "0.1234567"), "unit_price"),
    "set an absurd price": (("tariff", "set", "9" * 30), "unit_price"),
    "set a tariff of no table": (("tariff", "set", "0.30", "--table", "moon"), "table"),
    "set a tariff from no file": (("tariff", "set", "0.30", "--table", "/nowhere/table.json"), "/nowhere/table.json"),
    "set a tariff for an unknown meter": (("tariff", "set", "0.30", "--meter", UNKNOWN), UNKNOWN),
    "set a tariff for a closed meter": (("tariff", "set", "0.30", "--meter", CLOSED), CLOSED),
    "set a tariff for no meter": (("tariff", "set", "0.30", "--meter", "zzz"), "six hex digits"),
    "show usage by minute": (("usage", "show", METER, "--by", "minute"), "hour"),
    "show usage of an unknown meter": (("usage", "show", UNKNOWN), UNKNOWN),
    "retire a set that is not there": (("keys", "retire", "99"), "99"),
    "add keys of an unknown suite": (("keys", "add", "--suite", "des"), "suite"),
    "add keys under a taken number": (("keys", "add", "--index", "0"), "0"),
    "order no such thing of a relay": (("meter", "relay", METER, "melt"), "order"),
    "order a relay of an unknown meter": (("meter", "relay", UNKNOWN, "open"), UNKNOWN),
    "send a text too long": (("meter", "text", METER, "x" * 161), "text"),
    "send a text of no text": (("meter", "text", METER, "\udcff"), "text"),
    "send a text to an unknown meter": (("meter", "text", UNKNOWN, "hello"), UNKNOWN),
    "change no such setting": (("meter", "setting", METER, "moon=1"), "moon"),
    "change a setting to no number": (("meter", "setting", METER, "low_balance_micro=much"), "setting"),
    "change a setting below nothing": (("meter", "setting", METER, "low_balance_micro=-1"), "setting"),
    "change a setting past everything": (
        ("meter", "setting", METER, f"low_balance_micro={10**30}"),
        "low_balance_micro",
    ),
    "change a setting of an unknown meter": (("meter", "setting", UNKNOWN, "low_balance_micro=1"), UNKNOWN),
    "give a meter a key that is not there": (("meter", "key", METER, "99"), "99"),
    "list orders of an unknown meter": (("meter", "orders", UNKNOWN), UNKNOWN),
    "list events of an unknown meter": (("meter", "events", UNKNOWN), UNKNOWN),
    "block an unknown meter": (("meter", "block", UNKNOWN), UNKNOWN),
    "block for no reason": (("meter", "block", METER, "--reason", ""), "reason"),
    "reopen an unknown meter": (("meter", "reopen", UNKNOWN), UNKNOWN),
    "thaw a meter that is not frozen": (("meter", "thaw", METER), METER),
    "reconcile an unknown meter": (("meter", "reconcile", UNKNOWN), UNKNOWN),
    "refund a confirmed transfer": (("transfer", "refund", SETTLED), "transfer"),
    "refund an unknown transfer": (("transfer", "refund", "nobody"), "nobody"),
    "explain what is not in suspense": (("transfer", "explain", METER, "5"), "5"),
    "explain past every number": (("transfer", "explain", METER, "9" * 30), "sequence"),
    "make a second vault": (("keys", "init"), "vault"),
    "make a second installation": (("init",), "installation"),
}

USAGE = {
    "no such command": ("sell",),
    "no such command below": ("meter", "burn"),
    "no such option": ("audit", "--deep"),
    "no amount": ("vend", METER),
    "nothing to vend": ("vend",),
    "one word too many": ("meter", "show", METER, "000002"),
    "a word for a number": ("clock", "--speed", "fast"),
    "a speed of nothing": ("clock", "--speed", "0"),
    "too fast": ("clock", "--speed", "3601"),
    "up at no speed": ("up", "--speed", "0"),
    "up too fast": ("up", "--speed", "3601"),
    "up without meters": ("up", "--meters", "0"),
    "up with too many meters": ("up", "--meters", "256"),
    "up on a negative port": ("up", "--port", "-1"),
    "up on no port": ("up", "--port", "65536"),
    "up on a word": ("up", "--port", "http"),
    "waiting no time": ("vend", METER, "1.00", "--timeout", "0"),
    "a list of nothing": ("transfer", "list", "--limit", "0"),
    "a list too long": ("transfer", "list", "--limit", "10001"),
    "no days": ("usage", "show", METER, "--days", "0"),
    "one key set": ("keys", "init", "--sets", "1"),
    "a set past the last": ("keys", "retire", "256"),
    "M-ID of a word": ("meter", "enrol", "000009", "--m-id", "x"),
    "M-ID past the last": ("meter", "enrol", "000009", "--m-id", "256"),
    "M-ID below the first": ("meter", "enrol", "000009", "--m-id", "-1"),
}


def tables(data, without=frozenset()):
    """Every row of every table."""
    with sqlite3.connect(f"file:{data / 'prewatt.db'}?mode=ro", uri=True) as database:
        names = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        rows = {name: sorted(map(repr, database.execute(f'SELECT * FROM "{name}"'))) for name in names}
    database.close()
    return {name: found for name, found in rows.items() if name not in without}


def files(data, names=("keys.vault", "vault.key", "clock.json")):
    return {name: hashlib.sha256((data / name).read_bytes()).hexdigest() for name in names}


def is_one_line(ran, code):
    """Whether a command ended as wrong input must: nothing said but one line, and that on stderr."""
    assert ran.code == code, ran
    assert ran.out == "", ran
    assert ran.err.startswith("prewatt: "), ran
    assert ran.err.endswith("\n"), ran
    assert len(ran.err.splitlines()) == 1, ran
    assert "Traceback" not in ran.err
    assert "should not happen" not in ran.err, ran
    return True


@pytest.fixture(scope="module", params=["running", "alone"])
def shop(request, tmp_path_factory, programs_in, eventually):
    """A folder with one settled and one cancelled sale and a closed meter; an `up` runs on it, or ran."""
    with programs_in(tmp_path_factory.mktemp(request.param)) as programs:
        up = programs.up(speed=3600, meters=2)
        assert programs.run("vend", METER, "1.00", "--order", SETTLED, "--wait").code == 0
        assert programs.json("meter", "close", CLOSED)["state"] == "closed"
        programs.json("clock", "--speed", "1")
        if request.param == "alone":
            assert up.stop().code == 0
            assert programs.run("vend", METER, "3.00", "--order", CANCELLED).code == 0
            assert programs.json("transfer", "cancel", CANCELLED)["state"] == "cancelled"
            programs.living = set()
        else:
            _cancel_one(programs, eventually)
            programs.living = LIVING
        programs.running = request.param == "running"
        yield programs


def _cancel_one(programs, eventually):
    """A cancelled order in a running street: a meter that nobody answers for is sold to, then cancelled."""
    programs.json("meter", "enrol", "0000EE")
    assert programs.run("vend", "0000EE", "3.00", "--order", CANCELLED).code == 0
    programs.run("transfer", "cancel", CANCELLED)
    eventually(lambda: programs.json("transfer", "show", CANCELLED)["state"] == "cancelled")


@pytest.fixture
def unchanged(shop):
    """Everything that counts stands after the test as it stood before."""
    before = tables(shop.data, {"mark"} | shop.living), files(shop.data, ("keys.vault", "vault.key"))
    yield
    assert (tables(shop.data, {"mark"} | shop.living), files(shop.data, ("keys.vault", "vault.key"))) == before


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_not_allowed_is_refused_in_one_line_and_changes_nothing(shop, unchanged, case):
    words, named = REFUSED[case]
    ran = shop.run(*words)
    assert is_one_line(ran, 1)
    assert named.lower() in ran.err.lower(), ran


@pytest.mark.parametrize("case", USAGE)
def test_what_is_typed_wrongly_is_told_in_one_line_and_changes_nothing(shop, unchanged, case):
    assert is_one_line(shop.run(*USAGE[case]), 2)


@pytest.mark.parametrize("case", ["vend an amount of '-5'", "show an unknown meter", "no such command"])
def test_the_real_program_ends_the_same_way(shop, unchanged, case):
    words, code = (USAGE[case], 2) if case in USAGE else (REFUSED[case][0], 1)
    assert is_one_line(shop.spawn(*words), code)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"steps": 3}', "null", '{"steps": [100], "moon": 1}', "\x00\xff"])
def test_a_damaged_table_file_is_named(shop, unchanged, tmp_path, text):
    table = tmp_path / "table.json"
    table.write_bytes(text.encode("latin-1"))
    assert is_one_line(shop.run("tariff", "set", "0.30", "--table", str(table)), 1)


def test_a_clock_needs_a_running_street(shop, unchanged):
    if shop.running:
        assert shop.run("clock").code == 0
    else:
        assert is_one_line(shop.run("clock"), 1)
        assert is_one_line(shop.run("clock", "--speed", "60"), 1)
        assert is_one_line(shop.run("meter", "press", METER, "C"), 1)


@pytest.mark.parametrize("keys", ["", "x", "1" * 65, "☃"])
def test_keys_that_a_meter_does_not_have_are_refused(shop, unchanged, keys):
    assert is_one_line(shop.run("meter", "press", METER, keys), 1)


def test_a_second_up_on_the_same_folder_is_refused(shop, unchanged):
    if not shop.running:
        pytest.skip("nobody is up")
    assert is_one_line(shop.spawn("up", "--port", "0"), 1)
    assert shop.json("clock")["speed"] == 1


def test_a_port_in_use_is_named_and_nothing_is_made(programs):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ran = programs.spawn("up", "--port", str(port))
    assert is_one_line(ran, 1)
    assert str(port) in ran.err
    assert not programs.data.exists()


@pytest.mark.parametrize(
    "words", [("meter", "list"), ("vend", METER, "1.00"), ("audit",), ("keys", "list"), ("usage", "show", METER)]
)
def test_a_folder_without_an_installation_is_refused_and_not_made(programs, words):
    assert is_one_line(programs.run(*words), 1)
    assert not programs.data.exists()
    programs.data.mkdir()
    assert is_one_line(programs.run(*words), 1)
    assert {path.name for path in programs.data.iterdir()} <= {"lock"}


def test_a_file_in_place_of_the_folder_is_named(programs):
    programs.data.write_text("a file")
    for words in (("meter", "list"), ("init",), ("keys", "init"), ("keys", "list"), ("up", "--port", "0")):
        assert is_one_line(programs.run(*words), 1)
    assert programs.data.read_text() == "a file"


def _other_version(data):
    with sqlite3.connect(data / "prewatt.db") as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    database.close()


def _no_version(data):
    with sqlite3.connect(data / "prewatt.db") as database:
        database.execute("DROP TABLE alembic_version")
    database.close()


def _garbage(data):
    (data / "prewatt.db").write_bytes(os.urandom(8_192))


def _cut(data):
    whole = (data / "prewatt.db").read_bytes()
    (data / "prewatt.db").write_bytes(whole[: len(whole) // 2])


def _empty(data):
    (data / "prewatt.db").write_bytes(b"")


def _no_key_file(data):
    (data / "vault.key").unlink()


def _wrong_key_file(data):
    (data / "vault.key").write_bytes(os.urandom(32))


def _short_key_file(data):
    (data / "vault.key").write_bytes(b"x")


def _no_vault(data):
    (data / "keys.vault").unlink()


def _damaged_vault(data):
    sealed = bytearray((data / "keys.vault").read_bytes())
    sealed[len(sealed) // 2] ^= 1
    (data / "keys.vault").write_bytes(sealed)


def _cut_vault(data):
    (data / "keys.vault").write_bytes((data / "keys.vault").read_bytes()[:20])


def _clock(data):
    (data / "clock.json").write_text("{")


DAMAGES = {
    _other_version: "9999",
    _no_version: "unknown",
    _garbage: "prewatt.db",
    _cut: "prewatt.db",
    _empty: "unknown",
    _no_key_file: "vault.key",
    _wrong_key_file: "vault",
    _short_key_file: "vault.key",
    _no_vault: "keys.vault",
    _damaged_vault: "vault",
    _cut_vault: "vault",
    _clock: "clock",
}


@pytest.fixture(scope="module")
def whole(tmp_path_factory, programs_in):
    """An installation that was used and stopped."""
    with programs_in(tmp_path_factory.mktemp("whole")) as programs:
        assert programs.run("init").code == 0
        assert programs.run("meter", "enrol", METER).code == 0
        assert programs.run("vend", METER, "1.00").code == 0
        programs.set_clock(1_800_000_000)
        yield programs


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_folder_is_told_in_one_line_and_stays_as_it_is(whole, tmp_path, damage):
    data = tmp_path / "data"
    shutil.copytree(whole.data, data)
    damage(data)
    before = {path.name: path.read_bytes() for path in data.iterdir() if path.name != "lock"}
    for words in (("meter", "list"), ("vend", METER, "1.00"), ("audit",), ("up", "--port", "0")):
        ran = whole.run(*words, data=data)
        assert is_one_line(ran, 1)
        assert DAMAGES[damage] in ran.err, ran
    after = {path.name: path.read_bytes() for path in data.iterdir() if path.name != "lock"}
    assert {name for name in before | after if before.get(name) != after.get(name)} <= {"keys.vault.lock"}


def test_a_wrong_passphrase_is_told_without_showing_it(whole, monkeypatch):
    monkeypatch.setenv("PREWATT_PASSPHRASE", "correct horse battery")
    for words in (("meter", "list"), ("keys", "list"), ("up", "--port", "0")):
        ran = whole.run(*words)
        assert is_one_line(ran, 1)
        assert "horse" not in ran.err


@pytest.mark.parametrize(
    ("name", "value"),
    [("SPEED", "0"), ("PORT", "x"), ("METERS", "1000"), ("DIGITS", "7"), ("LOG_LEVEL", "loud"), ("PASSPHRASE", "")],
)
def test_a_setting_that_is_not_allowed_is_named(whole, monkeypatch, name, value):
    monkeypatch.setenv(f"PREWATT_{name}", value)
    ran = whole.run("meter", "list")
    assert is_one_line(ran, 1)
    assert name in ran.err.upper() or "passphrase" in ran.err


def test_an_address_that_is_not_ours_is_named(programs, monkeypatch):
    monkeypatch.setenv("PREWATT_ADDRESS", "192.0.2.1")
    assert is_one_line(programs.spawn("up", "--port", "0"), 1)
    assert not programs.data.exists()


def test_errors_do_not_become_tables_under_json(shop, unchanged):
    ran = shop.run("meter", "show", UNKNOWN, "--json")
    assert is_one_line(ran, 1)
    with pytest.raises(json.JSONDecodeError):
        json.loads(ran.err)
