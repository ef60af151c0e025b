"""Trial balance and statements: what they show is what the entries say, on both databases."""

from itertools import pairwise

import pytest

from prewatt.host.accounting import accounting
from prewatt.host.refusals import RefusalOutcome, RefusedError
from prewatt.host.store.postings import read_accounts

UNIT = 1_000_000


def kinds(answer):
    return {row.account: row.balance_micro // UNIT for row in answer.rows if row.balance_micro}


def test_debits_and_credits_are_the_same_sum_on_every_day(shop):
    for day in (None, "2026-02-28", "2026-03-01", "2026-03-02", "2026-03-03", "2030-01-01"):
        found = shop.host.accounting.balance(day)
        assert found.debits_micro == found.credits_micro
        assert sum(row.balance_micro for row in found.rows) == 0


def test_the_balance_of_a_day_is_what_stood_in_the_books_at_its_end(shop):
    at = shop.host.accounting.balance
    assert kinds(at("2026-02-28")) == {}
    assert at("2026-03-01").debits_micro > 0
    assert {row.account: row.balance_micro for row in at("2026-03-01").rows}["cash"] == -18_500_000
    assert kinds(at("2026-03-02")) | {"cash": 0, "delivered": 0} == {"cash": 0, "delivered": 0, "refunded": 2}
    assert kinds(at())["in_transit"] == 4
    assert at().until_s is None
    assert at().currency == "EUR"


def test_accounts_one_by_one_sum_up_to_their_kinds_and_are_what_the_store_keeps(shop):
    by_account = shop.host.accounting.balance(by="account")
    for kind in shop.host.accounting.balance().rows:
        rows = [row for row in by_account.rows if row.account.partition(":")[0] == kind.account]
        assert sum(row.balance_micro for row in rows) == kind.balance_micro
    with shop.host.context.store.reading() as connection:
        stored = {each.id: each.balance_micro for each in read_accounts(connection)}
    assert {row.account: row.balance_micro for row in by_account.rows} == stored


def test_a_statement_goes_from_its_opening_to_its_closing_balance(shop):
    (found,) = shop.host.accounting.statement("wallet:000001", "2026-03-02", "2026-03-02")
    assert found.opening_micro == 0
    assert [row.amount_micro for row in found.rows] == [2 * UNIT, -2 * UNIT]
    assert [row.other for row in found.rows] == ["cash", "refunded:000001"]
    assert found.closing_micro == 0
    (cash,) = shop.host.accounting.statement("cash", "2026-03-02")
    assert cash.opening_micro == -18_500_000
    assert cash.rows[-1].balance_micro == cash.closing_micro == -24_500_000


def test_periods_one_behind_the_other_join_without_a_gap(shop):
    days = ["2026-03-01", "2026-03-02", "2026-03-03"]
    for account in ("cash", "delivered:000001", "in_transit:000002", "wallet:000002"):
        parts = [shop.host.accounting.statement(account, day, day)[0] for day in days]
        (whole,) = shop.host.accounting.statement(account)
        assert [row for part in parts for row in part.rows] == list(whole.rows)
        assert parts[0].opening_micro == whole.opening_micro == 0
        for before, after in pairwise(parts):
            assert before.closing_micro == after.opening_micro
        assert parts[-1].closing_micro == whole.closing_micro


def test_a_meters_statement_has_each_of_its_accounts(shop):
    names = [each.account for each in shop.host.accounting.statement("000001")]
    assert names == ["delivered:000001", "in_transit:000001", "refunded:000001", "wallet:000001"]


@pytest.mark.parametrize(
    "account", ["", "wallet", "wallet:FFFFFE", "x", "piggy:000001", "00000G", "cash\0", "wallet:\ud800", "w" * 5000]
)
def test_an_account_that_is_not_there_is_refused_by_name(shop, account):
    with pytest.raises(RefusedError) as raised:
        shop.host.accounting.statement(account)
    assert raised.value.field == "account"
    assert raised.value.outcome in (RefusalOutcome.BAD_FIELD, RefusalOutcome.UNKNOWN_ACCOUNT)


@pytest.mark.parametrize(
    "day", ["", "today", "20260301", "2026-W09-7", "2026-02-30", "1970-01-01", "9001-01-01", "2026-3-1", "\0"]
)
def test_a_day_that_is_none_is_refused_by_name(shop, day):
    for ask in (
        lambda: shop.host.accounting.balance(day),
        lambda: shop.host.accounting.statement("cash", day),
        lambda: shop.host.accounting.export("csv", None, day),
        lambda: shop.host.periods.close(day),
    ):
        with pytest.raises(RefusedError, match=r"a day such as"):
            ask()


def test_a_period_that_ends_before_it_begins_is_refused(shop):
    with pytest.raises(RefusedError, match="from 2026-03-02 on"):
        shop.host.accounting.statement("cash", "2026-03-02", "2026-03-01")


def test_more_rows_than_an_answer_holds_are_refused_and_as_many_are_not(shop, monkeypatch):
    (whole,) = shop.host.accounting.statement("cash")
    monkeypatch.setattr(accounting, "STATEMENT_ROWS_MAX", len(whole.rows))
    assert shop.host.accounting.statement("cash") == [whole]
    monkeypatch.setattr(accounting, "STATEMENT_ROWS_MAX", len(whole.rows) - 1)
    with pytest.raises(RefusedError, match="at most"):
        shop.host.accounting.statement("cash")
    accounts = len(shop.host.accounting.balance(by="account").rows)
    monkeypatch.setattr(accounting, "ACCOUNTS_MAX", accounts)
    shop.host.accounting.balance(by="account")
    monkeypatch.setattr(accounting, "ACCOUNTS_MAX", accounts - 1)
    with pytest.raises(RefusedError, match="kind"):
        shop.host.accounting.balance(by="account")
    with pytest.raises(RefusedError, match="kind or account"):
        shop.host.accounting.balance(by="colour")
