"""A closed period stays as it is: what comes later is dated behind it, and the audit names what is not."""

import pytest
from sqlalchemy import select

from prewatt.host.ledger import GENESIS, AccountId, Entry, Phase, Posting, make_link
from prewatt.host.refusals import RefusalOutcome, RefusedError
from prewatt.host.staff.actor import ALL_SCOPES, Actor, Role
from prewatt.host.store import schema
from prewatt.host.store.postings import post

DAY_S = 86_400


@pytest.fixture
def shop(make_world):
    """A sale on 2026-03-01, and now it is 2026-03-03."""
    world = make_world(meters=1)
    world.host.vending.vend("000001", "10", order="A")
    world.pump()
    world.now_s += 2 * DAY_S
    return world


def dates(shop):
    with shop.host.context.store.reading() as connection:
        columns = schema.entries.c
        return {row.id: row.at_s for row in connection.execute(select(columns.id, columns.at_s))}


def test_a_close_is_a_fact_with_the_last_entry_and_the_chains_head(shop):
    head = shop.host.audit.run().chain_head
    closed = shop.host.periods.close("2026-03-01")
    assert (closed.number, closed.last_day, closed.last_entry, closed.head) == (1, "2026-03-01", 4, head)
    assert closed.until_s == 1_772_323_200 + DAY_S
    assert shop.host.periods.read() == [closed]


def test_the_same_close_asked_twice_is_one(shop):
    assert shop.host.periods.close("2026-03-01") == shop.host.periods.close("2026-03-01")
    assert len(shop.host.periods.read()) == 1


def test_days_are_closed_in_their_order_and_only_when_they_are_over(shop):
    shop.host.periods.close("2026-03-02")
    with pytest.raises(RefusedError) as raised:
        shop.host.periods.close("2026-03-01")
    assert raised.value.outcome is RefusalOutcome.PERIOD_CLOSED
    assert "2026-03-02" in str(raised.value)
    with pytest.raises(RefusedError, match="a day that is over"):
        shop.host.periods.close("2026-03-03")
    shop.now_s += DAY_S
    assert shop.host.periods.close("2026-03-03").number == 2


def test_what_would_be_dated_into_a_closed_period_is_dated_to_its_end_and_nothing_is_lost(shop):
    closed = shop.host.periods.close("2026-03-02")
    before = shop.host.accounting.balance("2026-03-02")
    shop.now_s -= 2 * DAY_S  # the clock was wrong, and goes back
    shop.host.vending.vend("000001", "5", order="B")
    shop.pump()
    late = {name: at_s for name, at_s in dates(shop).items() if name.startswith("B/")}
    assert len(late) == 4
    assert set(late.values()) == {closed.until_s}
    assert shop.host.accounting.balance("2026-03-02") == before
    assert shop.host.audit.run().ok


def test_that_also_holds_after_a_start_and_in_the_very_commit_that_closes(shop):
    def work(writing):
        for number in (1, 2):
            if number == 2:
                writing.ledger.close_until(dates_until)
            posting = Posting(f"x/{number}", Phase.SINGLE, AccountId("cash"), AccountId("wallet:000001"), 1, "", "x")
            post(writing, posting, at_s=7)

    dates_until = 1_772_323_200
    shop.host.context.store.write(work)
    assert [at_s for name, at_s in dates(shop).items() if name.startswith("x/")] == [7, dates_until]
    shop.host.periods.close("2026-03-01")
    shop.restart()
    shop.now_s = 5
    shop.host.vending.vend("000001", "5", order="C")
    assert min(at_s for name, at_s in dates(shop).items() if name.startswith("C/")) == 1_772_323_200 + DAY_S


def test_a_close_that_is_undone_dates_nothing(shop):
    def closes(writing):
        writing.ledger.close_until(10**12)
        raise RuntimeError("undone")

    def work(writing):
        writing.attempt(closes)
        post(writing, Posting("y/1", Phase.SINGLE, AccountId("cash"), AccountId("fee"), 1, "", "y"), at_s=9)

    shop.host.context.store.write(work)
    assert dates(shop)["y/1"] == 9


def test_the_audit_names_an_entry_that_was_dated_into_a_closed_period(shop):
    shop.host.periods.close("2026-03-01")
    shop.host.vending.vend("000001", "5", order="B")
    shop.pump()
    shop.close()
    shop.place.tamper("UPDATE entries SET at_s = 0 WHERE id = 'B/1'")
    shop.reopen()
    laws = [each.law for each in shop.host.audit.run().violations if each.id == "B/1"]
    assert any("as it was committed" in law for law in laws)
    assert any("closed before it" in law for law in laws)


CLOSE_PLANTS = {
    "a close that is gone": "DELETE FROM closes WHERE number = 1",
    "a close that ends elsewhere": "UPDATE closes SET until_s = until_s - 86400 WHERE number = 1",
    "a close that nobody made": (
        "INSERT INTO closes (number, until_s, last_entry, head, actor, at_s) SELECT 2, until_s + 86400, last_entry,"
        " head, actor, at_s FROM closes"
    ),
    "a hash that no link has": "UPDATE closes SET head = x'00' WHERE number = 1",
}


@pytest.mark.parametrize("name", CLOSE_PLANTS)
def test_the_audit_names_a_close_that_is_not_as_the_log_says(shop, name):
    shop.host.periods.close("2026-03-01")
    assert shop.host.audit.run().ok
    shop.close()
    shop.place.tamper(CLOSE_PLANTS[name])
    shop.reopen()
    found = [each for each in shop.host.audit.run().violations if each.entity == "book"]
    assert found[0].id == ("close 2" if "nobody" in name else "close 1")
    assert "as the audit log says" in found[0].law


def test_a_close_of_words_is_named_and_not_stumbled_over(shop):
    if shop.place.kind != "sqlite":
        pytest.skip("the other database takes no such value")
    shop.host.periods.close("2026-03-01")
    shop.close()
    shop.place.tamper("UPDATE closes SET until_s = 'never', last_entry = 'all', head = 'none'")
    shop.reopen()
    assert shop.host.audit.run().violations[0].id == "close 1"


def test_a_chain_that_was_made_anew_no_longer_has_the_hash_that_a_close_kept(shop):
    shop.host.periods.close("2026-03-01")
    shop.close()
    entries = [Entry(*row) for row in shop.place.run(f"SELECT {', '.join(Entry._fields)} FROM entries ORDER BY number")]
    entries[0] = entries[0]._replace(cause="gift")
    link = make_link(1, GENESIS, entries)
    shop.place.tamper(
        "UPDATE entries SET cause = 'gift' WHERE number = 1",
        "DELETE FROM chain",
        "INSERT INTO chain (number, first_entry, last_entry, marks, hash)"
        f" VALUES (1, {link.first}, {link.last}, x'{link.marks.hex()}', x'{link.hash.hex()}')",
    )
    shop.reopen()
    found = [(each.id, each.law) for each in shop.host.audit.run().violations]
    assert found == [("close 1", "the chain holds the hash that the close kept")]


def test_who_closed_a_period_stands_in_the_close_and_in_the_log(shop):
    actor = Actor("ada", frozenset({Role.FINANCE}), ALL_SCOPES, "token 1")
    closed = shop.host.acting(actor, "api 10.0.0.7 token 1").periods.close("2026-03-01")
    assert closed.actor == "ada"
    line = shop.host.log.read(subject="2026-03-01").lines[0]
    assert (line.action, line.actor, line.origin) == ("period close", "ada", "api 10.0.0.7 token 1")
    assert line.after == {"number": 1, "until_s": closed.until_s, "last_entry": 4, "head": closed.head}
