"""Areas, stations, coverage and polling on the command line, and meters that move; and what is refused there."""

import json

import pytest

METER = "000001"


@pytest.fixture
def shop(programs):
    """A new installation with one meter."""
    assert programs.run("init").code == 0
    assert programs.run("meter", "enrol", METER).code == 0
    return programs


def refused(shop, *words, named):
    ran = shop.run(*words)
    assert (ran.code, ran.out) == (1, "")
    assert named in ran.err
    assert ran.err.count("\n") == 1


def test_areas_and_stations_are_added_listed_and_renamed(shop):
    assert shop.json("area", "add", "North", "--number", "7")["number"] == 7
    found = shop.json("station", "add", "Mill", "--area", "North", "--line", "powerline-2400")
    assert (found["address"], found["line"], found["meters"], found["box"]) == ("7.0", "powerline-2400", 0, None)
    assert shop.json("station", "rename", "Mill", "Mill Street")["name"] == "Mill Street"
    assert shop.json("area", "rename", "North", "North of it")["name"] == "North of it"
    assert [each["area"] for each in shop.json("area", "list")] == ["A1", "North"]
    assert [each["station"] for each in shop.json("station", "list", "--area", "North")] == ["Mill"]
    assert shop.json("station", "line", "Mill", "none")["line"] == ""
    for words in (("area", "list"), ("station", "list"), ("station", "show", "Mill")):
        ran = shop.run(*words)
        assert (ran.code, ran.err) == (0, "")
        assert "Mill" in ran.out or "North" in ran.out


def test_coverage_names_who_is_missing(shop):
    found = shop.json("station", "coverage", "S1")
    assert found["coverage"] == {"meters": 1, "read_today": 0, "polled_today": 0, "text": "0 of 1 read today"}
    assert found["stragglers"] == [{"id": METER, "m_id": 0, "since_s": None}]
    assert "0 of 1 read today" in shop.run("station", "coverage", "S1").out
    assert "all areas: 0 of 1 read today" in shop.run("area", "list").out


def test_polling_is_shown_and_changed(shop):
    assert shop.json("station", "polling")["schedule"] == "every 6h"
    assert shop.json("station", "polling", "S1", "--hours", "22-06")["own"] == ["hours"]
    assert shop.json("station", "polling", "--schedule", "at 02:00,14:00")["schedule"] == "at 02:00,14:00"
    assert shop.json("station", "polling", "S1")["schedule"] == "at 02:00,14:00"
    assert shop.json("station", "polling", "S1", "--inherit")["own"] == []
    assert "at 02:00,14:00" in shop.run("station", "polling").out


def test_a_meter_moves_and_a_transformers_meter_is_not_sold_to(shop):
    shop.json("station", "add", "S2")
    moved = shop.json("meter", "move", METER, "--station", "S2", "--m-id", "9", "--reason", "new pole")
    assert (moved["station"], moved["m_id"]) == ("S2", 9)
    assert shop.json("meter", "enrol", "0000C7", "--kind", "ct")["kind"] == "ct"
    refused(shop, "vend", "0000C7", "1.00", named="current transformer")
    refused(shop, "meter", "text", "0000C7", "hello", named="current transformer")


def test_what_is_not_allowed_names_field_value_and_what_is(shop):
    refused(shop, "area", "add", "B", "--number", "0", named="number: 0 is not allowed")
    refused(shop, "station", "add", "S1", "--area", "B", named="area A1, where this station stands")
    refused(shop, "station", "show", "S9", named="see `prewatt station list`")
    refused(shop, "station", "line", "S1", "wire", named="powerline-2400")
    refused(shop, "station", "polling", "--schedule", "often", named="every 6h")
    refused(shop, "station", "polling", "--hours", "25-26", named="two local hours")
    refused(shop, "meter", "move", METER, "--station", "S1", named="another station than its own")


def test_what_a_person_may_not_mean_is_refused(shop):
    refused(shop, "meter", "text", METER, "", named="a message that is not empty")
    refused(shop, "meter", "reconcile", METER, named="only a restore makes them wait")
    refused(shop, "vend", METER, "ten", named="up to 10000")
    closed = shop.json("meter", "close", METER, "--reason", "moved out")
    assert closed["state_reason"] == "moved out"


def test_settings_in_a_meters_orders_stand_by_their_names(shop):
    shop.run("meter", "setting", METER, "low_balance_micro=5000000")
    (order,) = shop.json("meter", "orders", METER)
    assert json.loads(order["what"]) == {"settings": {"low_balance_micro": 5_000_000}}


def test_a_long_order_id_is_whole_also_in_a_narrow_window(monkeypatch, capsys):
    from rich.console import Console

    from prewatt.apps.cli import show

    monkeypatch.setattr(show, "console", lambda: Console(width=40))
    order = "V-" + "0123456789abcdef" * 3
    show.table(("order", "meter", "state"), [(order, METER, "pending")])
    lines = capsys.readouterr().out.splitlines()
    assert order in "".join(line.split()[0] for line in lines if line.strip())
