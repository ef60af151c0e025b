"""`prewatt campaign` and `prewatt program`, as a person uses them; what needs no field."""

import io
import json
from contextlib import redirect_stderr, redirect_stdout
from types import SimpleNamespace

import pytest

from prewatt.apps.cli import app
from prewatt.apps.cli.shell import run

METER = "000001"


@pytest.fixture
def shop(programs):
    assert programs.run("init").code == 0
    assert programs.run("meter", "enrol", METER).code == 0
    return programs


def alone(*words):
    """A word of `prewatt program` that needs no data folder."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = run(app, ["program", *words])
    return SimpleNamespace(code=code, out=out.getvalue(), err=err.getvalue())


def test_a_campaign_is_started_shown_paused_resumed_and_cancelled(shop):
    words = ("campaign", "start", "text", "--text", "hello", "--id", "first", "--hours", "22-6")
    made = shop.json(*words)["outline"]
    assert (made["id"], made["kind"], made["state"], made["hours"]) == ("first", "text", "running", "22-6")
    assert (
        shop.json("campaign", "start", "text", "--text", "hello", "--id", "first", "--hours", "22-6")["outline"] == made
    )
    assert [each["id"] for each in shop.json("campaign", "list")] == ["first"]
    assert shop.json("campaign", "pause", "first")["outline"]["state"] == "paused"
    assert shop.json("campaign", "resume", "first")["outline"]["state"] == "running"
    assert shop.json("campaign", "cancel", "first")["outline"]["state"] == "cancelled"
    assert "cancelled" in shop.run("campaign", "show", "first").out
    assert "first" in shop.run("campaign", "list").out


def test_a_watched_campaign_ends_with_its_end(shop):
    shop.json("campaign", "start", "clock", "--id", "w")
    shop.json("campaign", "cancel", "w")
    shown = shop.run("campaign", "show", "w", "--watch")
    assert shown.code == 0
    assert "0 of 1 confirmed" in shown.out


def test_a_tariff_of_a_file_and_a_time_of_its_own(shop, tmp_path):
    table = tmp_path / "table.json"
    table.write_text(
        json.dumps(
            {
                "plans": {"all": {"00:00": 100}},
                "week": dict.fromkeys(("weekday", "saturday", "sunday", "holiday"), "all"),
            }
        )
    )
    made = shop.json(
        "campaign",
        "start",
        "tariff",
        "--price",
        "0.30",
        "--table",
        str(table),
        "--valid-from",
        "2030-01-01 00:00",
        "--meter",
        METER,
        "--start",
        "2029-12-01 00:00",
    )["outline"]
    assert (made["scope"], made["place"], made["state"]) == ("meter", METER, "scheduled")
    assert json.loads(made["what"]) == {"tariff": 1}


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (("text", "--text", "x" * 161), "160 bytes"),
        (("party",), "tariff, key, clock, text, program"),
        (("clock", "--meter", METER, "--area", "A1"), "one of --meter"),
        (("clock", "--start", "tomorrow"), "local time"),
        (("clock", "--hours", "night"), "22-6"),
        (("key", "--set", "9"), "active set"),
        (("program", "--program", "2"), "program list"),
        (("tariff",), "a price"),
        (("clock", "--per-minute", "0"), "1 to 60000"),
    ],
)
def test_what_is_not_allowed_is_said_in_one_line(shop, options, named):
    refused = shop.run("campaign", "start", *options)
    assert refused.code == 1
    assert named in refused.err
    assert refused.err.count("\n") == 1
    assert shop.json("campaign", "list") == []


@pytest.mark.parametrize("place", ["--meter", "--station", "--area"])
def test_a_place_that_a_script_left_empty_is_refused_and_never_taken_for_all(shop, place):
    refused = shop.run("campaign", "start", "tariff", "--price", "0.9", place, "")
    assert refused.code in (1, 2)
    assert len(refused.err.strip().splitlines()) == 1
    assert shop.json("campaign", "list") == []


def test_a_campaign_that_is_not_there_is_named(shop):
    refused = shop.run("campaign", "show", "C9")
    assert refused.code == 1
    assert "campaign list" in refused.err


def test_a_set_that_a_campaign_gives_out_is_not_retired(shop):
    shop.json("keys", "add")
    shop.json("campaign", "start", "key", "--set", "2", "--replaces", "0", "--id", "yearly")
    refused = shop.run("keys", "retire", "2")
    assert refused.code == 1
    assert "yearly" in refused.err
    shop.json("campaign", "cancel", "yearly")
    assert shop.run("keys", "retire", "2").code == 0


def test_a_program_is_packed_signed_added_and_brought_out(shop, tmp_path):
    body, image, key = tmp_path / "firmware.bin", tmp_path / "firmware.img", tmp_path / "maker.key"
    body.write_bytes(bytes(1_000))
    assert alone("key", "--out", str(key)).code == 0
    assert key.stat().st_mode & 0o777 == 0o600
    assert alone("key", "--out", str(key)).code == 1
    assert alone("pack", str(body), "--version", "2", "--out", str(image)).code == 0
    pole = tmp_path / "pole.img"
    assert alone("pack", str(body), "--version", "3", "--kind", "ct", "--out", str(pole)).code == 0
    refused = alone("pack", str(body), "--version", "3", "--kind", "tree", "--out", str(pole))
    assert (refused.code, "home or ct" in refused.err) == (1, True)
    for each in (image, pole):
        assert alone("sign", str(each), "--key", str(key)).code == 0
    (added,) = shop.json("program", "add", str(image), "--signature", f"{image}.sig")
    assert (added["version"], added["size_bytes"]) == (2, 1_047)
    assert added["maker"] == (tmp_path / "maker.key.pub").read_text().strip()
    assert added["meters"] == "home"
    assert shop.json("program", "list") == [added]
    (other,) = shop.json("program", "add", str(pole), "--signature", f"{pole}.sig")
    assert other["meters"] == "ct"
    assert shop.json("campaign", "start", "program", "--program", "3")["outline"]["meters"] == 0
    assert "1047" in shop.run("program", "list").out
    assert shop.json("campaign", "start", "program", "--program", "2")["outline"]["meters"] == 1


def test_a_key_that_others_may_read_signs_nothing_and_shows_in_no_error(shop, tmp_path):
    body, image, key = tmp_path / "firmware.bin", tmp_path / "firmware.img", tmp_path / "maker.key"
    body.write_bytes(b"x")
    alone("key", "--out", str(key))
    alone("pack", str(body), "--version", "2", "--out", str(image))
    key.chmod(0o644)
    refused = alone("sign", str(image), "--key", str(key))
    assert refused.code == 1
    assert "chmod 600" in refused.err
    key.chmod(0o600)
    key.write_text("not a key\n")
    refused = alone("sign", str(image), "--key", str(key))
    assert refused.code == 1
    assert "64 hex digits" in refused.err
    assert "not a key" not in refused.err


def test_an_altered_image_or_signature_is_not_added(shop, tmp_path):
    body, image, key = tmp_path / "firmware.bin", tmp_path / "firmware.img", tmp_path / "maker.key"
    body.write_bytes(bytes(100))
    alone("key", "--out", str(key))
    alone("pack", str(body), "--version", "2", "--out", str(image))
    alone("sign", str(image), "--key", str(key))
    whole = image.read_bytes()
    image.write_bytes(whole[:-1] + b"\1")
    assert "signature" in shop.run("program", "add", str(image), "--signature", f"{image}.sig").err
    image.write_bytes(whole[:-1])
    assert "prewatt program pack" in shop.run("program", "add", str(image), "--signature", f"{image}.sig").err
    image.write_bytes(whole)
    assert "prewatt program sign" in shop.run("program", "add", str(image), "--signature", str(body)).err
    assert shop.json("program", "list") == []
