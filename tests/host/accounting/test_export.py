"""Exports: every entry is in them once, in parts or whole; beancount's text balances in each currency.

The parser of beancount's text below reads what its "Language Syntax" page allows for these directives, and no more.
"""

import csv
import io
import json
import re
from collections import defaultdict
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.host.plans.making import give

from prewatt.host.accounting import accounting
from prewatt.host.accounting.export import ROOTS, beancount_account
from prewatt.host.ledger import AccountId, AccountKind, Entry, Phase, Posting
from prewatt.host.refusals import RefusedError
from prewatt.host.store.postings import submit_posting

DATE = r"(\d{4}-\d{2}-\d{2})"
ACCOUNT = r"((?:Assets|Liabilities|Equity|Income|Expenses)(?::[A-Z0-9][A-Za-z0-9-]*)+)"
CURRENCY = r"([A-Z][A-Z0-9'._-]{0,22}[A-Z0-9])"
STRING = r'"((?:[^"\\]|\\["\\])*)"'
OPTION = re.compile(rf"option {STRING} {STRING}\Z")
OPEN = re.compile(rf"{DATE} open {ACCOUNT} {CURRENCY}\Z")
TRANSACTION = re.compile(rf"{DATE} \* {STRING}\Z")
META = re.compile(rf"  ([a-z][a-z0-9_-]*): {STRING}\Z")
LEG = re.compile(rf"  {ACCOUNT}  (-?\d+(?:\.\d+)?) {CURRENCY}\Z")


def parse_beancount(text):
    """Options, accounts with the date they open, transactions (date, words, meta, legs); AssertionError if wrong."""
    options, opened, transactions = {}, {}, []
    for line in filter(None, text.split("\n")):
        if found := OPTION.match(line):
            options[found[1]] = found[2]
        elif found := OPEN.match(line):
            assert found[2] not in opened, line
            opened[found[2]] = found[1], found[3]
        elif found := TRANSACTION.match(line):
            transactions.append((found[1], found[2], {}, []))
        elif found := META.match(line):
            transactions[-1][2][found[1]] = found[2]
        else:
            found = LEG.match(line)
            assert found, line
            transactions[-1][3].append((found[1], Decimal(found[2]), found[3]))
    for day, _, _, legs in transactions:
        sums = defaultdict(Decimal)
        for account, amount, currency in legs:
            assert account in opened, account
            assert opened[account][0] <= day
            assert opened[account][1] == currency
            sums[currency] += amount
        assert len(legs) == 2
        assert not any(sums.values())
    return options, opened, transactions


def whole(shop, form, *period):
    """All parts of a document, and how many there were."""
    texts, after = [], 0
    while after is not None:
        part = shop.host.accounting.export(form, *period, after=after)
        texts.append(part.text)
        after = part.after
    return "".join(texts), len(texts)


def stored(shop):
    columns = ", ".join(Entry._fields)
    return [Entry(*row) for row in shop.place.run(f"SELECT {columns} FROM entries ORDER BY number")]


@pytest.fixture(params=[1, 2, 3, 7, 5_000])
def part_size(request, monkeypatch):
    monkeypatch.setattr(accounting, "EXPORT_ENTRIES", request.param)


def test_csv_has_every_entry_once(shop, part_size):
    rows = list(csv.reader(io.StringIO(whole(shop, "csv")[0])))
    assert tuple(rows[0]) == Entry._fields
    assert [tuple(row) for row in rows[1:]] == [
        tuple("" if value is None else str(value) for value in entry) for entry in stored(shop)
    ]


def test_json_is_one_document_with_every_entry(shop, part_size):
    assert [Entry(**each) for each in json.loads(whole(shop, "json")[0])] == stored(shop)


def test_beancounts_text_balances_and_holds_what_was_posted(shop, part_size):
    options, _, transactions = parse_beancount(whole(shop, "beancount")[0])
    assert options["operating_currency"] == "EUR"
    posted = [entry for entry in stored(shop) if entry.phase in ("single", "post")]
    assert [meta["entry"] for _, _, meta, _ in transactions] == [entry.id for entry in posted]
    for (_, _, _, legs), entry in zip(transactions, posted, strict=True):
        amount = Decimal(entry.amount_micro) / 1_000_000
        assert legs == [
            (beancount_account(entry.debit), amount, "EUR"),
            (beancount_account(entry.credit), -amount, "EUR"),
        ]


def test_beancounts_sums_are_those_of_the_trial_balance(shop):
    _, _, transactions = parse_beancount(whole(shop, "beancount")[0])
    sums = defaultdict(Decimal)
    for _, _, _, legs in transactions:
        for account, amount, _ in legs:
            sums[account] += amount
    for row in shop.host.accounting.balance(by="account").rows:
        assert sums[beancount_account(row.account)] * 1_000_000 == -row.balance_micro


def test_a_period_has_its_own_entries_alone_and_opens_what_it_needs(shop):
    days = ["2026-03-01", "2026-03-02", "2026-03-03"]
    texts = [whole(shop, "json", day, day)[0] for day in days]
    assert [each for text in texts for each in json.loads(text)] == json.loads(whole(shop, "json")[0])
    _, opened, transactions = parse_beancount(whole(shop, "beancount", days[1], days[1])[0])
    assert {day for day, *_ in transactions} == {days[1]}
    assert set(opened) == {leg[0] for _, _, _, legs in transactions for leg in legs}


@pytest.mark.parametrize("form", ["csv", "json", "beancount"])
def test_a_period_without_entries_is_an_empty_document(shop, form):
    text, parts = whole(shop, form, "2020-01-01", "2020-01-02")
    assert parts == 1
    if form == "json":
        assert json.loads(text) == []
    elif form == "csv":
        assert text.count("\n") == 1
    else:
        assert parse_beancount(text)[1:] == ({}, [])


OWNERS = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), min_size=1, max_size=12)


@given(st.sampled_from(AccountKind), OWNERS, OWNERS)
def test_two_accounts_are_never_one_there_and_every_name_is_allowed(kind, one, other):
    names = [beancount_account(f"{kind}:{owner}") for owner in (one, other)]
    assert (names[0] == names[1]) == (one == other)
    assert all(re.fullmatch(ACCOUNT, name) for name in names)
    assert beancount_account(str(kind)) not in names


def test_every_kind_of_account_has_one_of_beancounts_roots():
    assert set(ROOTS) == set(AccountKind)
    assert set(ROOTS.values()) <= {"Assets", "Liabilities", "Equity", "Income", "Expenses"}


def test_the_lines_of_a_sale_by_a_rate_plan_are_exported_and_stand_in_the_trial_balance(make_world):
    world = make_world(meters=1)
    give(world)
    world.pump()
    world.host.vending.vend("000001", "40.00", order="A")
    world.host.vending.vend("000001", "20.00", order="B")
    world.host.transfers.cancel("B")
    world.host.transfers.refund("B")
    _, opened, _ = parse_beancount(whole(world, "beancount")[0])
    wanted = {"Income:Standing:Homes", "Income:Subsidy:Homes", "Liabilities:Levy:X--levy", "Liabilities:Tax:VAT"}
    assert wanted <= set(opened)
    balance = world.host.accounting.balance()
    assert balance.debits_micro == balance.credits_micro
    assert sum(row.balance_micro for row in balance.rows) == 0
    sums = {row.account: row.balance_micro for row in balance.rows}
    charges = sum(sums[kind] for kind in ("tax", "levy", "standing", "subsidy"))
    assert (sums["cash"], sums["refunded"]) == (-60_000_000, 20_000_000)
    audit = world.host.audit.run()
    assert (audit.ok, audit.charges_micro) == (True, charges)


@pytest.mark.parametrize("cause", ['a "quoted" word', "back\\slash", 'both \\"', "two\nlines", "* 2026-01-01 open", ""])
def test_words_for_people_cannot_become_directives(make_world, cause):
    world = make_world(meters=1)
    posting = Posting("p", Phase.SINGLE, AccountId("cash"), AccountId("write_off:Müller & co"), 1, cause, "r")
    submit_posting(world.host.context.store, posting, at_s=86_400).result(20)
    _, opened, transactions = parse_beancount(whole(world, "beancount")[0])
    assert len(transactions) == 1
    assert transactions[0][1].replace('\\"', '"').replace("\\\\", "\\") == " ".join(cause.split())
    assert set(opened) == {"Assets:Cash", "Income:WriteOff:M-C3-BCller-20-26-20co"}
    (row,) = json.loads(whole(world, "json")[0])
    assert row["cause"] == cause


@pytest.mark.parametrize(("form", "after"), [("xml", 0), ("", 0), ("csv", -1), ("csv", 2**63)])
def test_what_is_no_form_and_no_number_is_refused(shop, form, after):
    with pytest.raises(RefusedError, match=r"form|after"):
        shop.host.accounting.export(form, after=after)


def test_a_number_beyond_all_entries_gives_the_end_of_the_document(shop):
    assert shop.host.accounting.export("json", after=2**63 - 1).after is None
