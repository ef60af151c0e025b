"""The transformer of a running street: its meter's minutes are what the homes took in them, and the stated losses."""

import sqlite3

import pytest

import prewatt.apps.up  # noqa: F401 - loaded once here and not in every process that is forked from this one
from prewatt.apps.boxes.transformer import LINE_LOSS_PERCENT, METER_OWN_W
from prewatt.codec.minutelog import NO_POWER, Packing, unpack
from prewatt.units import PULSES_PER_CT_PULSE

pytestmark = pytest.mark.heavy

TRANSFORMER = "C00001"
HOMES = ("000001", "000002", "000003")
MINUTES_WANTED = 600
# What a pulse of the transformer's meter, and the carry of losses on each phase, may keep back for the next minute.
KEPT_PULSES = PULSES_PER_CT_PULSE + 3
LOG = "SELECT day_start_s, first_minute, minutes, packing, log FROM day_logs WHERE meter = ?"


def read_minutes(data, meter, step=1):
    """Pulses of 0.1 Wh by minute, as the host has them."""
    connection = sqlite3.connect(f"file:{data / 'prewatt.db'}?mode=ro", uri=True)
    try:
        rows = connection.execute(LOG, (meter,)).fetchall()
    finally:
        connection.close()
    found = {}
    for start_s, first, count, packing, log in rows:
        for at, reading in enumerate(unpack(Packing(packing), log, count)):
            if reading != NO_POWER:
                found[start_s + 60 * (first + at)] = reading * step
    return found


def test_its_minutes_are_those_of_the_homes_and_the_losses(programs, eventually):
    up = programs.up(speed=3600, meters=len(HOMES), fork=True)
    for meter in HOMES[:2]:  # the third stays dark
        up.post("/vends", meter=meter, amount="30.00")

    def collected():
        rows = up.get(f"/meters/{TRANSFORMER}/usage?by=hour&days=3")["rows"]
        return sum(row["minutes"] for row in rows if row["pulses"] and row["pulses"] > 100) > MINUTES_WANTED

    eventually(collected)
    station = up.get("/stations/S1")
    assert (station["transformers"], station["meters"]) == ([TRANSFORMER], len(HOMES) + 1)
    eventually(lambda: up.get("/stations/S1/coverage")["coverage"]["text"] == "4 of 4 read today")
    up.stop()
    poles = read_minutes(programs.data, TRANSFORMER, PULSES_PER_CT_PULSE)
    homes = [read_minutes(programs.data, meter) for meter in HOMES]
    # The first minutes are halves: meters were made in the middle of one.
    whole = sorted(set(poles).intersection(*homes))[2:]
    assert len(whole) > MINUTES_WANTED // 2
    left = 0.0
    for minute_s in whole:
        taken = sum(home[minute_s] for home in homes)
        exact = taken * (100 + LINE_LOSS_PERCENT) / 100 + len(HOMES) * METER_OWN_W * 60 / 360
        assert abs(exact - poles[minute_s]) <= KEPT_PULSES, minute_s
        left += exact - poles[minute_s]
        assert abs(left) <= KEPT_PULSES, minute_s
    assert sum(homes[2].values()) == 0
    assert sum(homes[0].values()) > 1000


def test_nothing_is_sold_to_it_and_it_has_no_face(programs):
    up = programs.up(speed=60, meters=2, fork=True)
    assert [face["id"] for face in up.get("/street")] == ["000001", "000002"]
    assert up.ask("POST", "/api/v1/vends", {"meter": TRANSFORMER, "amount": "1.00"})[0] == 409
    assert up.ask("GET", f"/api/v1/street/{TRANSFORMER}")[0] == 422
    assert up.ask("POST", f"/api/v1/street/{TRANSFORMER}/keys", {"keys": "C"})[0] == 422


def test_a_start_that_was_killed_between_books_and_memory_is_made_whole(programs, eventually):
    assert programs.run("init").code == 0
    assert programs.run("meter", "enrol", TRANSFORMER, "--kind", "ct", "--m-id", "255").code == 0
    up = programs.up(speed=60, meters=2, fork=True)
    eventually(lambda: up.get(f"/meters/{TRANSFORMER}")["state"] == "active")


def test_a_home_that_has_its_id_keeps_it(programs):
    assert programs.run("init").code == 0
    assert programs.run("meter", "enrol", TRANSFORMER).code == 0
    up = programs.up(speed=60, meters=1, fork=True)
    assert up.get("/stations/S1")["transformers"] == []
    assert [face["id"] for face in up.get("/street")] == ["000001"]
    assert "stays without a transformer" in up.stop().err


def test_where_a_home_has_the_last_address_it_takes_another(programs):
    assert programs.run("init").code == 0
    assert programs.run("meter", "enrol", HOMES[0], "--m-id", "255").code == 0
    up = programs.up(speed=60, meters=2, fork=True)
    assert [meter["m_id"] for meter in up.get("/meters")] == [255, 0, 1]


def test_a_street_of_an_older_version_gets_one(programs, eventually):
    """As before there were any: homes enrolled and made, and nothing else."""
    assert programs.run("init").code == 0
    for meter in HOMES:
        assert programs.run("meter", "enrol", meter).code == 0
    up = programs.up(speed=60, meters=2, fork=True)
    assert up.get(f"/meters/{TRANSFORMER}")["m_id"] == 255
    eventually(lambda: up.get(f"/meters/{TRANSFORMER}")["state"] == "active")
