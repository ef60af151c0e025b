"""`prewatt rate` as a person uses it: from a file to a sale, its lines, and back."""

import json
from pathlib import Path

import pytest

METER = "000001"
VECTORS = Path(__file__).parents[1] / "vectors"
PLAN = {
    "name": "Homes of 2026",
    "valid_from": "2020-01-01",
    "price": {"unit": "0.30"},
    "standing": {"price": "1.50", "per": "month"},
    "lines": [{"name": "VAT", "kind": "tax", "percent": "10", "of": ["energy", "standing"]}],
}
TOML = """
name = "Homes of 2026"
valid_from = "2020-01-01"
price = {unit = 0.30}
standing = {price = 1.50, per = "month"}
lines = [{name = "VAT", kind = "tax", percent = 10, of = ["energy", "standing"]}]
"""


@pytest.fixture
def shop(programs):
    assert programs.run("init").code == 0
    assert programs.run("meter", "enrol", METER).code == 0
    return programs


@pytest.fixture
def written(tmp_path):
    def write(given, name="plan.json"):
        path = tmp_path / name
        path.write_text(given if isinstance(given, str) else json.dumps(given))
        return str(path)

    return write


def test_from_a_file_to_a_sale_its_lines_and_back(shop, written):
    assert "can be added" in shop.run("rate", "check", written(PLAN)).out
    assert shop.json("rate", "list") == []
    made = shop.json("rate", "add", written(PLAN))
    assert shop.json("rate", "add", written(TOML, "plan.toml")) == made | {"existed": True}
    assert shop.json("rate", "assign", "Homes of 2026", "--lifeline")["meter"] is None
    assert shop.json("rate", "list", "--assignments")[0]["lifeline"]
    assert shop.json("rate", "list")[0]["meters"] == 1
    quoted = shop.json("rate", "quote", METER, "40.00")
    sold = shop.json("vend", METER, "40.00", "--order", "A")
    assert sold["lines"] == quoted["lines"] == shop.json("rate", "lines", "A")
    assert sum(each["amount_micro"] for each in sold["lines"]) == sold["paid_micro"] == 40_000_000
    assert shop.json("rate", "quote", METER, "--kwh", "10")["energy_pulses"] >= 100_000
    assert shop.json("rate", "preview", METER)["plan"] == "Homes of 2026"
    audit = shop.json("audit")
    assert (audit["ok"], audit["charges_micro"]) == (True, 40_000_000 - sold["amount_micro"])
    for words in (("show", "Homes of 2026"), ("quote", METER, "40"), ("lines", "A"), ("preview", METER), ("list",)):
        assert shop.run("rate", *words).code == 0
    shop.json("transfer", "cancel", "A")
    assert shop.json("transfer", "refund", "A")["paid_micro"] == 40_000_000
    assert shop.json("audit")["charges_micro"] == 0
    assert shop.json("rate", "assign", "--none")["plan"] is None


def test_a_record_is_imported_once_it_says_nothing_that_cannot_be_said(shop):
    words = ("rate", "import", str(VECTORS / "urdb" / "sce_tou_ev_9.json"), "--format", "urdb", "--name", "EV")
    refused = shop.run(*words)
    assert refused.code == 1
    assert "demandreactivepowercharge" in refused.out
    more = ("--leave-out", "demandreactivepowercharge")
    assert shop.run(*words, *more, "--dry-run").code == 0
    assert shop.json("rate", "list") == []
    assert (shop.json(*words, *more)["name"], shop.json(*words, *more)["existed"]) == ("EV", True)
    tables = str(VECTORS / "kepco" / "residential.json")
    month = ("--format", "kepco-residential", "--voltage", "low", "--month", "2024-08")
    assert shop.json("rate", "import", tables, *month)["version"] == 1


WRONG = (
    (("assign",), "plan: None"),
    (("assign", "X", "--none"), "plan: 'X'"),
    (("assign", "X"), "plan: 'X'"),
    (("show", "X/Y"), "plan: 'X/Y'"),
    (("quote", METER, "1"), "rate assign"),
    (("preview", METER, "--month", "x"), "month: 'x'"),
    (("lines", "nobody"), "transfer: 'nobody'"),
    (("check", "/nowhere/at/all"), "/nowhere/at/all"),
)
NO_DOCUMENTS = ("", "[]", "5", "{", '{"name": 1, "name": 2}', "\\ud800", '{"price": NaN}', "[" * 10_000)


def test_what_cannot_be_is_one_line(shop, written):
    files = [(("check", written(text, f"{place}.json")), "") for place, text in enumerate(NO_DOCUMENTS)]
    for words, said in (*WRONG, *files):
        found = shop.run("rate", *words)
        assert found.code == 1, words
        assert said in found.err
        assert len(found.err.splitlines()) == 1
