"""`prewatt customer`, `premises`, `meter assign` and `registry`, as a person uses them, with and without an `up`."""

import io
import json
import sys

import pytest

METER = "000001"
CUSTOMERS = "customer;name;locale;phone;email;notices\n"


@pytest.fixture
def shop(programs):
    assert programs.run("init").code == 0
    assert programs.run("meter", "enrol", METER).code == 0
    return programs


@pytest.fixture
def sheet(tmp_path):
    def write(text, encoding="utf-8"):
        path = tmp_path / "sheet.csv"
        path.write_bytes(text.encode(encoding))
        return str(path)

    return write


def test_a_customer_moves_in_is_found_and_moves_out(shop):
    made = shop.json("customer", "add", "C1", "--name", "Zoë", "--phone", "+33 6 12 34 56 78", "--notices", "sms")
    assert (made["phone"], made["locale"]) == ("+33612345678", "en")
    assert shop.json("customer", "change", "C1", "--locale", "fr")["locale"] == "fr"
    shop.json("premises", "add", "P1", "--address", "1 Mill Lane")
    shop.json("premises", "change", "P1", "--address", "2 Mill Lane")
    (now,) = shop.json("meter", "assign", METER, "--customer", "C1", "--premises", "P1")
    assert (now["customer"], now["premises"], now["until_s"]) == ("C1", "P1", None)
    assert [each["id"] for each in shop.json("customer", "find", "zoe")] == ["C1"]
    assert shop.json("premises", "show", "P1")["meters"] == [METER]
    (ended,) = shop.json("meter", "vacate", METER, "--reason", "moved out")
    assert ended["until_s"] is not None
    shown = shop.json("customer", "show", "C1")
    assert (shown["meters"], shown["tenancies"]) == ([], shop.json("meter", "tenancies", METER))
    assert [each["id"] for each in shop.json("customer", "list")] == ["C1"]
    assert [each["id"] for each in shop.json("premises", "list", "--after", "P0", "--limit", "1")] == ["P1"]
    for words in (("customer", "show", "C1"), ("customer", "list"), ("meter", "tenancies", METER)):
        assert "C1" in shop.run(*words).out


@pytest.mark.parametrize("word", ["supplier", "agent"])
def test_a_supplier_or_an_agent_is_added_changed_listed_and_found(shop, word):
    assert shop.json(word, "add", "X1", "--name", "Grille")["phone"] == ""
    changed = shop.json(word, "change", "X1", "--phone", "+44 20 7946 0000", "--email", "x@example.org")
    assert changed == {"id": "X1", "name": "Grille", "phone": "+442079460000", "email": "x@example.org"}
    assert shop.json(word, "show", "X1") == changed
    assert shop.json(word, "list") == [changed]
    assert [each["kind"] for each in shop.json("customer", "find", "grill")] == [f"{word}s"]
    (line, *_) = shop.json("log", "--subject", "X1")["lines"]
    assert (line["action"], line["before"]["phone"], line["after"]["phone"]) == (f"{word} change", "", "+442079460000")
    assert "Grille" in shop.run(word, "show", "X1").out
    assert f"{word}: 'X9'" in shop.run(word, "show", "X9").err


def test_a_station_gets_a_rating_and_goes_out_and_comes_in_as_a_file(shop, sheet):
    assert shop.json("station", "rating", "S1", "37.5")["rating_va"] == 37_500
    assert "37.5 kVA" in shop.run("station", "show", "S1").out
    assert shop.run("registry", "export", "stations").out.splitlines()[1] == "S1,A1,0,,,37.5"
    path = sheet("station,area,number,name,line,rating_kva\nT1,A1,,the mill,,250\n")
    assert shop.json("registry", "import", "stations", path)["added"] == 1
    assert shop.json("station", "show", "T1")["rating_va"] == 250_000
    assert shop.json("station", "rating", "S1", "none")["rating_va"] is None
    assert shop.json("station", "add", "T2", "--rating", "100")["rating_va"] == 100_000


REFUSED = (
    (("customer", "add", "C1", "--name", "Ada", "--phone", "0612"), "phone: '0612' is not allowed"),
    (("customer", "show", "C9"), "customer: 'C9'"),
    (("customer", "change", "C9", "--name", "Ada"), "customer: 'C9'"),
    (("premises", "show", "P9"), "premises: 'P9'"),
    (("meter", "assign", METER), "customer: None"),
    (("meter", "assign", METER, "--customer", "C9"), "customer: 'C9'"),
    (("customer", "find", "%"), "text: '%'"),
    (("registry", "export", "cats"), "kind: 'cats'"),
)


def test_what_is_not_allowed_is_one_line_that_names_it(shop):
    for words, named in REFUSED:
        ran = shop.run(*words)
        assert (ran.code, ran.out) == (1, "")
        assert ran.err.startswith(f"prewatt: {named}"), ran.err
        assert len(ran.err.splitlines()) == 1


def test_a_file_goes_in_once_and_comes_out_again(shop, sheet, tmp_path, monkeypatch):
    path = sheet(f"{CUSTOMERS}C1;=Ada;fr;+33612345678;;\n", "utf-8-sig")
    assert "would be 1 added" in shop.run("registry", "import", "customers", path, "--dry-run").out
    assert "1 added, 0 changed" in shop.run("registry", "import", "customers", path).out
    assert "changed nothing; all are there already" in shop.run("registry", "import", "customers", path).out
    out = tmp_path / "out.csv"
    assert "1 customers are in" in shop.run("registry", "export", "customers", str(out)).out
    assert out.read_bytes().startswith(b"\xef\xbb\xbfcustomer,name,")
    assert "C1,'=Ada,fr,'+33612345678" in out.read_text()
    printed = shop.run("registry", "export", "customers").out
    assert printed == shop.json("registry", "export", "customers")["text"]
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(printed.encode())))
    assert shop.json("registry", "import", "customers", "-")["unchanged"] == 1
    assert shop.run("registry", "export", "customers", str(tmp_path)).code == 1
    assert [each.name for each in tmp_path.iterdir() if each.name.endswith(".part")] == []


def test_bad_rows_are_listed_and_nothing_is_imported(shop, sheet):
    path = sheet(f"{CUSTOMERS}C1;Ada;de;;;\nC2;Bo;en;12;;\nC3;Cy;en;;;\n")
    listed = shop.run("registry", "import", "customers", path, "--dry-run")
    assert (listed.code, "2 bad rows" in listed.out) == (1, True)
    assert [
        each["line"]
        for each in json.loads(shop.run("registry", "import", "customers", path, "--dry-run", "--json").out)["bad"]
    ] == [2, 3]
    refused = shop.run("registry", "import", "customers", path)
    assert (refused.code, refused.out) == (1, "")
    assert refused.err.startswith(
        "prewatt: line 2, locale: 'de' is not allowed; allowed is one of en, fr, ko, sw; no row"
    )
    assert shop.run("registry", "import", "customers", sheet("é", "latin-1")).err.startswith(
        "prewatt: file: 'byte E9 in line 1"
    )
    assert shop.run("registry", "import", "customers", "/nowhere/at.all").code == 1
    assert shop.json("customer", "list") == []


def test_a_running_up_takes_the_same_words(programs, sheet):
    programs.up(meters=1, fork=True)
    path = sheet(CUSTOMERS + "".join(f"C{number};Ada;en;;;\n" for number in range(2_000)))
    assert programs.json("registry", "import", "customers", path)["added"] == 2_000
    assert programs.json("registry", "import", "customers", path)["unchanged"] == 2_000
    assert programs.json("meter", "assign", METER, "--customer", "C7")[0]["customer"] == "C7"
    assert [each["id"] for each in programs.json("customer", "find", "c1999")] == ["C1999"]
    assert programs.json("registry", "export", "meters")["rows"] >= 1
