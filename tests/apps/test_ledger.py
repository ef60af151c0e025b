"""The books on the command line and over HTTP: the same answers, documents in files, and one line for what is wrong."""

import json

import pytest

METER = "000001"


@pytest.fixture(scope="module")
def shop(tmp_path_factory, programs_in):
    """An installation with a sale of each end; nothing runs."""
    with programs_in(tmp_path_factory.mktemp("ledger")) as programs:
        assert programs.run("init").code == 0
        assert programs.run("meter", "enrol", METER).code == 0
        programs.json("vend", METER, "10.00", "--order", "A")
        programs.json("vend", METER, "5.00", "--order", "B")
        programs.json("transfer", "cancel", "B")
        programs.json("transfer", "refund", "B")
        yield programs


def test_the_trial_balance_is_shown_by_kind_and_by_account(shop):
    found = shop.json("ledger", "balance")
    assert found["debits_micro"] == found["credits_micro"]
    assert {row["account"]: row["balance_micro"] for row in found["rows"]}["refunded"] == 5_000_000
    assert "refunded:000001" in [row["account"] for row in shop.json("ledger", "balance", "--accounts")["rows"]]
    ran = shop.run("ledger", "balance", "--to", "2020-01-01")
    assert (ran.code, ran.err) == (0, "")
    assert "debits 0.00, credits 0.00 EUR" in ran.out


def test_a_statement_is_shown_of_an_account_and_of_a_meter(shop):
    (found,) = shop.json("ledger", "statement", "wallet:000001")
    assert [row["amount_micro"] for row in found["rows"]][:2] == [10_000_000, 5_000_000]
    ran = shop.run("ledger", "statement", METER)
    assert (ran.code, ran.err) == (0, "")
    assert "wallet:000001: opening balance 0.00 EUR" in ran.out
    assert "refunded:000001: closing balance 5.00 EUR" in ran.out


def test_entries_are_written_to_stdout_or_into_a_new_file(shop, tmp_path):
    whole = shop.run("ledger", "export", "--form", "json")
    assert (whole.code, whole.err) == (0, "")
    assert json.loads(whole.out)[0]["id"] == "A/1"
    path = tmp_path / "books.csv"
    assert shop.run("ledger", "export", "--out", str(path)).code == 0
    lines = path.read_text().splitlines()
    assert lines[0] == "number,id,phase,debit,credit,amount_micro,cause,reference,pending_id,at_s"
    assert len(lines) == 1 + len(json.loads(whole.out))
    again = shop.run("ledger", "export", "--out", str(path))
    assert (again.code, again.out) == (1, "")
    assert "out" in again.err
    assert path.read_text().splitlines() == lines
    assert "operating_currency" in shop.run("ledger", "export", "--form", "beancount").out


def test_a_period_is_closed_once_and_listed(shop):
    assert "nothing to show" in shop.run("ledger", "close").out
    closed = shop.json("ledger", "close", "2026-01-31")
    assert closed["number"] == 1
    assert shop.json("ledger", "close", "2026-01-31") == closed
    assert shop.json("ledger", "close") == [closed]
    ran = shop.run("ledger", "close", "2026-02-01")
    assert (ran.code, ran.err) == (0, "")
    assert "closed until the end of 2026-02-01" in ran.out
    assert "2026-02-01" in shop.run("ledger", "close").out


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("balance", "--to", "yesterday"), "last_day"),
        (("statement", "nobody"), "account"),
        (("statement", "wallet:FFFFFE"), "account"),
        (("statement", "cash", "--from", "2026-03-02", "--to", "2026-03-01"), "last_day"),
        (("statement", "\udcff"), "account"),
        (("close", "2999-01-01"), "last_day"),
        (("close", "\udcff"), "last_day"),
        (("export", "--form", "xml"), "form"),
        (("export", "--out", "/"), "out"),
    ],
)
def test_what_is_wrong_is_one_line_that_names_it(shop, words, named):
    ran = shop.run("ledger", *words)
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.count("\n") == 1
    assert named in ran.err


def test_the_audit_shows_the_chain_and_names_what_was_changed(shop):
    found = shop.json("audit")
    assert found["ok"]
    assert found["chain_links"] > 0
    assert found["chain_head"] in shop.run("audit").out.replace("\n", "").replace(" ", "")
