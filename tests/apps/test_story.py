"""The first paid kilowatt-hour, on the real programs: from an empty folder to light, darkness and light again.

One story, told in the order in which a newcomer lives it; each test goes on where the one before ended.
"""

import re

import pytest

METER = "000001"
MICRO = 1_000_000
HOUR_S = 3_600
# Monday 2027-01-11, 16:00 UTC, is 17:00 in the street: the evening of the first week, seven hours before midnight.
START_S = 1_799_683_200
MIDNIGHT_S = START_S + 7 * HOUR_S


@pytest.fixture(scope="module")
def street(tmp_path_factory, programs_in):
    """Programs on one folder, and the `up` that runs on it now."""
    with programs_in(tmp_path_factory.mktemp("story")) as programs:
        programs.set_clock(START_S)
        yield {"programs": programs, "up": programs.up(speed=3600, meters=2)}


@pytest.fixture
def programs(street):
    return street["programs"]


@pytest.fixture
def up(street):
    return street["up"]


def show(programs):
    return programs.json("meter", "show", METER)


def test_a_new_street_stands_dark_until_value_comes(programs, up):
    assert up.ask("GET", "/healthz")[0] == 200
    assert [meter["id"] for meter in programs.json("meter", "list")] == [METER, "000002"]
    face = up.face()
    assert (face["balance_micro"], face["relay_closed"], face["power_w"]) == (0, False, 0)


def test_the_clock_can_be_slowed_while_the_street_runs(programs, up):
    before = programs.json("clock")
    assert before["speed"] == 3600
    now = programs.json("clock", "--speed", "1")
    assert (now["speed"], now["now_s"] >= before["now_s"]) == (1, True)
    later = programs.json("clock")
    assert now["now_s"] <= later["now_s"] < now["now_s"] + HOUR_S


def test_sold_value_is_on_the_face_and_the_light_is_on_when_vend_has_waited(programs, up):
    ran = programs.spawn("vend", METER, "1.00", "--wait", "--json")
    assert (ran.code, ran.err) == (0, "")
    sale = ran.json
    assert (sale["state"], sale["amount_micro"], sale["meter"]) == ("confirmed", MICRO, METER)
    assert sale["order"]
    assert sale["transfer"] == "1"
    face = up.face()
    assert face["received_micro"] == MICRO
    assert 0.99 * MICRO < face["balance_micro"] <= MICRO
    assert face["relay_closed"]
    assert face["state"] == "supplying"
    assert any(re.search(r"\b(1\.00|0\.99)\b", line) for line in face["lcd"]), face["lcd"]


def test_what_the_host_knows_of_the_meter_is_what_the_face_shows(programs, up, eventually):
    found = eventually(lambda: (now := show(programs))["relay"] == "closed" and now)
    assert (found["id"], found["state"], found["received_micro"]) == (METER, "active", MICRO)
    assert found["balance_micro"] + found["burned_micro"] == MICRO
    (transfer,) = programs.json("transfer", "list")
    assert (transfer["state"], transfer["meter"], transfer["amount_micro"]) == ("confirmed", METER, MICRO)
    assert programs.json("transfer", "show", transfer["order"]) == transfer
    assert programs.json("transfer", "show", transfer["transfer"]) == transfer


def test_the_load_of_the_home_burns_the_value_down(programs, up, eventually):
    before = up.face()
    programs.json("clock", "--speed", "1200")
    eventually(lambda: up.face()["burned_micro"] > before["burned_micro"])
    face = up.face()
    assert face["received_micro"] == face["balance_micro"] + face["burned_micro"]
    assert face["total_pulses"] > 0


def test_the_buzzer_warns_before_the_relay_opens_at_zero(up, eventually):
    def gone():
        face = up.face()
        heard.add(face["buzzing"])
        assert face["received_micro"] == face["balance_micro"] + face["burned_micro"] - face["owed_micro"]
        return not face["relay_closed"] and face

    heard = set()
    face = eventually(gone)
    assert "low balance" in heard
    assert (face["balance_micro"], face["burned_micro"] - face["owed_micro"]) == (0, MICRO)
    assert face["state"] == "no value"
    assert face["power_w"] == 0


def test_without_value_nothing_more_is_taken(programs, up, eventually):
    pulses = up.face()["total_pulses"]
    clock_s = programs.json("clock", "--speed", "3600")["now_s"]
    eventually(lambda: programs.json("clock")["now_s"] > clock_s + HOUR_S)
    assert up.face()["total_pulses"] == pulses


def test_light_returns_with_new_value(programs, up):
    programs.json("clock", "--speed", "1")
    ran = programs.run("vend", METER, "20.00", "--wait")
    assert (ran.code, ran.err) == (0, "")
    assert "confirmed" in ran.out
    face = up.face()
    assert face["relay_closed"]
    assert face["received_micro"] == 21 * MICRO
    assert 19.9 * MICRO < face["balance_micro"] <= 20 * MICRO


def test_a_new_tariff_reaches_every_meter(programs, up, eventually):
    made = programs.json("tariff", "set", "0.40", "--table", "flat")
    assert (made["unit_price_micro"], made["meters"]) == (400_000, 2)
    found = eventually(lambda: (now := programs.json("tariff", "show"))["confirmed"] == now["meters"] and now)
    assert (found["version"], found["waiting"]) == (made["version"], [])
    eventually(lambda: up.face()["price_micro"] == 400_000)
    assert up.face("000002")["unit_price_micro"] == 400_000


def test_usage_arrives_after_a_midnight_of_the_meter(programs, up, eventually):
    programs.json("clock", "--speed", "3600")

    def collected():
        rows = programs.json("usage", "show", METER, "--by", "day", "--days", "3")["rows"]
        return [row for row in rows if row["label"] == "2027-01-11" and row["minutes"] > 6 * 60 and row["pulses"]]

    eventually(lambda: programs.json("clock")["now_s"] >= MIDNIGHT_S)
    eventually(collected)
    hours = programs.json("usage", "show", METER, "--by", "hour", "--days", "2")
    assert (hours["meter"], hours["by"]) == (METER, "hour")
    assert hours["total_pulses"] == sum(row["pulses"] or 0 for row in hours["rows"]) > 0
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:00", row["label"]) for row in hours["rows"])
    chart = programs.run("usage", "show", METER)
    assert chart.code == 0
    assert "█" in chart.out


def test_the_audit_finds_every_micro_unit_in_one_place(programs):
    found = programs.json("audit")
    assert (found["ok"], found["violations"]) == (True, [])
    assert found["checked"] > 0
    assert found["cash_micro"] == found["delivered_micro"] == 21 * MICRO


def test_every_command_has_a_table_for_people(programs):
    for words in (
        ("meter", "list"),
        ("meter", "show", METER),
        ("meter", "press", METER, "C"),
        ("transfer", "list"),
        ("transfer", "show", "1"),
        ("tariff", "show"),
        ("usage", "show", METER, "--by", "day"),
        ("keys", "list"),
        ("keys", "due"),
        ("clock",),
        ("audit",),
    ):
        ran = programs.run(*words)
        assert (ran.code, ran.err) == (0, ""), words
        assert ran.out.strip(), words


def test_ctrl_c_ends_cleanly_and_the_next_start_goes_on(street, programs, up):
    programs.json("clock", "--speed", "1")
    before, clock_s = up.face(), programs.json("clock")["now_s"]
    ended = up.stop()
    assert (ended.code, ended.err) == (0, "")
    assert "Traceback" not in ended.out
    assert programs.json("audit")["ok"], "standing alone"
    again = street["up"] = programs.up(speed=1, meters=2)
    assert programs.json("clock")["now_s"] >= clock_s
    face = again.face()
    assert face["received_micro"] == before["received_micro"]
    assert before["burned_micro"] <= face["burned_micro"] < before["burned_micro"] + MICRO // 10
    assert face["received_micro"] == face["balance_micro"] + face["burned_micro"]
    assert face["relay_closed"]
    assert face["clock_s"] >= before["clock_s"]
    assert programs.run("vend", METER, "2.50", "--wait").code == 0
    assert again.face()["received_micro"] == before["received_micro"] + 5 * MICRO // 2
    found = programs.json("audit")
    assert (found["ok"], found["cash_micro"]) == (True, 47 * MICRO // 2)


def test_term_ends_as_cleanly_as_ctrl_c(street, programs, up):
    ended = up.stop(15)
    assert (ended.code, ended.err) == (0, "")
    assert programs.json("audit")["ok"]
