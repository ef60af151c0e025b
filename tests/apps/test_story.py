"""The first paid kilowatt-hour, on the real programs: from an empty folder to light, darkness and light again.

One story, told in the order in which a newcomer lives it. It is one test, since each step goes on where the one
before ended; the name of a failing step stands in the traceback.
"""

import re

import pytest

METER = "000001"
TRANSFORMER = "C00001"
MICRO = 1_000_000
HOUR_S = 3_600
# Monday 2027-01-11, 16:00 UTC, is 17:00 in the street: the evening of the first week, seven hours before midnight.
START_S = 1_799_683_200
MIDNIGHT_S = START_S + 7 * HOUR_S


class Street:
    """Programs on one folder, and the `up` that runs on it now."""

    def __init__(self, programs, eventually):
        self.programs, self.eventually = programs, eventually
        programs.set_clock(START_S)
        # On a busy computer the meters are there seconds later: these are minutes of that evening then, not hours.
        self.up = programs.up(speed=60, meters=2)

    def meter(self):
        return self.programs.json("meter", "show", METER)

    def clock_s(self):
        return self.programs.json("clock")["now_s"]


@pytest.mark.heavy
def test_the_first_paid_kilowatt_hour(programs, eventually):
    street = Street(programs, eventually)
    a_new_street_stands_dark_until_value_comes(street)
    the_clock_can_be_slowed_while_the_street_runs(street)
    sold_value_is_on_the_face_and_the_light_is_on_when_vend_has_waited(street)
    what_the_host_knows_of_the_meter_is_what_the_face_shows(street)
    the_load_of_the_home_burns_the_value_down(street)
    the_buzzer_warns_before_the_relay_opens_at_zero(street)
    without_value_nothing_more_is_taken(street)
    light_returns_with_new_value(street)
    a_new_tariff_reaches_every_meter(street)
    usage_arrives_after_a_midnight_of_the_meter(street)
    the_audit_finds_every_micro_unit_in_one_place(street)
    every_command_has_a_table_for_people(street)
    ctrl_c_ends_cleanly_and_the_next_start_goes_on(street)
    term_ends_as_cleanly_as_ctrl_c(street)


def a_new_street_stands_dark_until_value_comes(street):
    assert street.up.ask("GET", "/healthz")[0] == 200
    assert [meter["id"] for meter in street.programs.json("meter", "list")] == [METER, "000002", TRANSFORMER]
    face = street.up.face()
    assert (face["balance_micro"], face["relay_closed"], face["power_w"]) == (0, False, 0)


def the_clock_can_be_slowed_while_the_street_runs(street):
    before = street.programs.json("clock")
    assert before["speed"] == 60
    now = street.programs.json("clock", "--speed", "1")
    assert (now["speed"], now["now_s"] >= before["now_s"]) == (1, True)
    later = street.programs.json("clock")
    assert now["now_s"] <= later["now_s"] < now["now_s"] + HOUR_S


def sold_value_is_on_the_face_and_the_light_is_on_when_vend_has_waited(street):
    ran = street.programs.spawn("vend", METER, "1.00", "--wait", "--json")
    assert (ran.code, ran.err) == (0, "")
    sale = ran.json
    assert (sale["state"], sale["amount_micro"], sale["meter"]) == ("confirmed", MICRO, METER)
    assert sale["order"]
    assert sale["transfer"] == "1"
    face = street.up.face()
    assert face["received_micro"] == MICRO
    assert 0.99 * MICRO < face["balance_micro"] <= MICRO
    assert face["relay_closed"]
    assert face["state"] == "supplying"
    assert any(re.search(r"\b(1\.00|0\.99)\b", line) for line in face["lcd"]), face["lcd"]


def what_the_host_knows_of_the_meter_is_what_the_face_shows(street):
    found = street.eventually(lambda: (now := street.meter())["relay"] == "closed" and now)
    assert (found["id"], found["state"], found["received_micro"]) == (METER, "active", MICRO)
    assert found["balance_micro"] + found["burned_micro"] == MICRO
    (transfer,) = street.programs.json("transfer", "list")
    assert (transfer["state"], transfer["meter"], transfer["amount_micro"]) == ("confirmed", METER, MICRO)
    assert street.programs.json("transfer", "show", transfer["order"]) == transfer
    assert street.programs.json("transfer", "show", transfer["transfer"]) == transfer


def the_load_of_the_home_burns_the_value_down(street):
    before = street.up.face()
    street.programs.json("clock", "--speed", "3600")
    street.eventually(lambda: street.up.face()["burned_micro"] > before["burned_micro"])
    face = street.up.face()
    assert face["received_micro"] == face["balance_micro"] + face["burned_micro"]
    assert face["total_pulses"] > 0


def the_buzzer_warns_before_the_relay_opens_at_zero(street):
    def gone():
        face = street.up.face()
        heard.add(face["buzzing"])
        assert face["received_micro"] == face["balance_micro"] + face["burned_micro"] - face["owed_micro"]
        return not face["relay_closed"] and face

    heard = set()
    face = street.eventually(gone)
    assert "low balance" in heard
    assert (face["balance_micro"], face["burned_micro"] - face["owed_micro"]) == (0, MICRO)
    assert face["state"] == "no value"
    assert face["power_w"] == 0


def without_value_nothing_more_is_taken(street):
    pulses = street.up.face()["total_pulses"]
    clock_s = street.programs.json("clock", "--speed", "3600")["now_s"]
    street.eventually(lambda: street.clock_s() > clock_s + HOUR_S)
    assert street.up.face()["total_pulses"] == pulses


def light_returns_with_new_value(street):
    street.programs.json("clock", "--speed", "1")
    ran = street.programs.run("vend", METER, "20.00", "--wait")
    assert (ran.code, ran.err) == (0, "")
    assert "confirmed" in ran.out
    face = street.up.face()
    assert face["relay_closed"]
    assert face["received_micro"] == 21 * MICRO
    assert 19.9 * MICRO < face["balance_micro"] <= 20 * MICRO


def a_new_tariff_reaches_every_meter(street):
    made = street.programs.json("tariff", "set", "0.40", "--table", "flat")
    assert (made["unit_price_micro"], made["meters"]) == (400_000, 2)
    found = street.eventually(
        lambda: (now := street.programs.json("tariff", "show"))["confirmed"] == now["meters"] and now
    )
    assert (found["version"], found["waiting"]) == (made["version"], [])
    street.eventually(lambda: street.up.face()["price_micro"] == 400_000)
    assert street.up.face("000002")["unit_price_micro"] == 400_000


def usage_arrives_after_a_midnight_of_the_meter(street):
    street.programs.json("clock", "--speed", "3600")

    def collected():
        rows = street.programs.json("usage", "show", METER, "--by", "day", "--days", "30")["rows"]
        return [row for row in rows if row["label"] == "2027-01-11" and row["minutes"] > 6 * 60 and row["pulses"]]

    street.eventually(lambda: street.clock_s() >= MIDNIGHT_S)
    street.eventually(collected)
    hours = street.programs.json("usage", "show", METER, "--by", "hour", "--days", "2")
    assert (hours["meter"], hours["by"]) == (METER, "hour")
    assert hours["total_pulses"] == sum(row["pulses"] or 0 for row in hours["rows"]) > 0
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:00", row["label"]) for row in hours["rows"])
    chart = street.programs.run("usage", "show", METER)
    assert chart.code == 0
    assert "█" in chart.out


def the_audit_finds_every_micro_unit_in_one_place(street):
    found = street.programs.json("audit")
    assert (found["ok"], found["violations"]) == (True, [])
    assert found["checked"] > 0
    assert found["cash_micro"] == found["delivered_micro"] == 21 * MICRO


def every_command_has_a_table_for_people(street):
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
        ran = street.programs.run(*words)
        assert (ran.code, ran.err) == (0, ""), words
        assert ran.out.strip(), words


def ctrl_c_ends_cleanly_and_the_next_start_goes_on(street):
    street.programs.json("clock", "--speed", "1")
    before, clock_s = street.up.face(), street.clock_s()
    ended = street.up.stop()
    assert (ended.code, ended.err) == (0, "")
    assert "Traceback" not in ended.out
    assert street.programs.json("audit")["ok"], "standing alone"
    again = street.up = street.programs.up(speed=1, meters=2)
    assert street.clock_s() >= clock_s
    face = again.face()
    assert face["received_micro"] == before["received_micro"]
    assert before["burned_micro"] <= face["burned_micro"] < before["burned_micro"] + MICRO // 10
    assert face["received_micro"] == face["balance_micro"] + face["burned_micro"]
    assert face["relay_closed"]
    assert face["clock_s"] >= before["clock_s"]
    assert street.programs.run("vend", METER, "2.50", "--wait").code == 0
    assert again.face()["received_micro"] == before["received_micro"] + 5 * MICRO // 2
    found = street.programs.json("audit")
    assert (found["ok"], found["cash_micro"]) == (True, 47 * MICRO // 2)


def term_ends_as_cleanly_as_ctrl_c(street):
    ended = street.up.stop(15)
    assert (ended.code, ended.err) == (0, "")
    assert street.programs.json("audit")["ok"]
