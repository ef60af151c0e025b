"""Postings of one group come to what they come to one by one, whatever is undone in between, on both databases."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, insert, select

from prewatt.host.ledger import AccountId, MemoryLedger, Phase, Posting, PostingOutcome
from prewatt.host.store import schema
from prewatt.host.store.groupledger import ACCOUNT_CHARS_MAX, MICRO_MAX, REFERENCE_CHARS_MAX
from prewatt.host.store.postings import post, read_account, read_accounts, submit_posting

CASH = AccountId("cash")
WALLETS = [AccountId(f"wallet:00000{number}") for number in range(3)]
QUIET = [HealthCheck.function_scoped_fixture]


@st.composite
def postings(draw):
    """Few ids and few accounts, so that they meet: again, ended twice, ended before they are there."""
    number = draw(st.integers(0, 7))
    phase = draw(st.sampled_from(Phase))
    ends = phase in (Phase.POST, Phase.VOID)
    accounts = draw(st.permutations([CASH, *WALLETS]))
    if ends or phase is Phase.PENDING:
        accounts = [CASH, WALLETS[number % 2]] if draw(st.booleans()) else accounts
    amount = draw(st.sampled_from([1, 5, 5, 5, 9, 0]))
    pending = f"p{draw(st.integers(0, 3))}" if ends else None
    name = f"p{number % 4}" if phase is Phase.PENDING else f"n{number}"
    return Posting(name, phase, accounts[0], accounts[1], amount, "cause", "reference", pending)


@pytest.fixture(scope="module")
def opened(databases, quick_paths):
    place = databases.place(quick_paths())
    store = place.open_store()
    rule = {"sqlite": "entries_no_delete", "postgresql": "entries_no_delete ON entries"}[databases.kind]
    store.write(lambda writing: writing.connection.execute(insert(schema.mark).values(one=1, generation=1, commits=0)))
    store.write(lambda writing: writing.driver.execute(f"DROP TRIGGER {rule}"))
    yield store
    store.close()
    place.drop()


def empty(store):
    store.write(lambda writing: [writing.driver.execute(f"DELETE FROM {name}") for name in ("entries", "accounts")])


def books(store):
    columns = [each for each in schema.entries.c if each.name != "number"]
    with store.reading() as connection:
        entries = connection.execute(select(*columns).order_by(schema.entries.c.number)).all()
        return [tuple(row) for row in entries], read_accounts(connection)


class UndoneError(Exception):
    """What a piece of work raises that shall not have happened."""


@settings(max_examples=60, deadline=None, suppress_health_check=QUIET)
@given(st.lists(st.tuples(st.lists(postings(), max_size=4), st.booleans(), st.booleans()), max_size=8))
def test_a_group_comes_to_what_its_postings_come_to_one_by_one(opened, works):
    """Each work posts some, looks at the tables or not, and is undone or not; works may hold works."""
    reference, expected = MemoryLedger(), []
    for given_postings, _, undone in works:
        if not undone:
            expected.append([reference.post(each) for each in given_postings])

    def work_of(given_postings, looks, undone):
        def work(writing):
            outcomes = []
            for each in given_postings:
                outcomes.append(post(writing, each, at_s=3))
                if looks:
                    entries = writing.connection.execute(select(func.count()).select_from(schema.entries)).scalar_one()
                    assert entries == len(writing.ledger._drafts)
            if undone:
                raise UndoneError
            return outcomes

        return work

    def group(writing):
        return [writing.attempt(work_of(*each)) for each in works]

    empty(opened)
    found = opened.write(group)
    assert [value for value, error in found if error is None] == expected
    assert all(isinstance(error, UndoneError) for _, error in found if error is not None)
    together = books(opened)
    assert together[1] == list(reference.accounts())
    empty(opened)
    for given_postings, _, undone in works:
        for each in () if undone else given_postings:
            opened.write(lambda writing, each=each: post(writing, each, at_s=3))
    assert books(opened) == together


def test_postings_handed_in_together_are_read_and_written_as_sets_with_the_hot_account_once(opened, monkeypatch):
    empty(opened)
    counted = []
    from prewatt.host.store.writing import Writing

    run = Writing.run
    monkeypatch.setattr(Writing, "run", lambda writing, *given: counted.append(given[0].name) or run(writing, *given))
    many = [Posting(f"m{number}", Phase.SINGLE, CASH, WALLETS[number % 3], 2, "", "") for number in range(300)]
    futures = [submit_posting(opened, each, at_s=1) for each in many]
    assert {future.result(60) for future in futures} == {PostingOutcome.CREATED}
    groups = counted.count("COMMIT_NUMBER")
    assert len(counted) <= 7 * groups
    assert groups < 100
    with opened.reading() as connection:
        assert read_account(connection, CASH).debits_micro == 600


@pytest.mark.parametrize(
    "given",
    [
        {"debit": AccountId("w" * (ACCOUNT_CHARS_MAX + 1))},
        {"reference": "r" * (REFERENCE_CHARS_MAX + 1)},
        {"cause": "a\0b"},
        {"id": "x\ud800"},
        {"amount_micro": MICRO_MAX + 1},
    ],
)
def test_a_posting_that_no_row_can_hold_fails_by_itself(opened, given):
    empty(opened)
    right = {"id": "i", "phase": Phase.SINGLE, "debit": CASH, "credit": WALLETS[0], "amount_micro": 1, "cause": ""}
    wrong = Posting(**{**right, "reference": "", **given})
    with pytest.raises(ValueError, match=r"posting|surrogates"):
        submit_posting(opened, wrong, at_s=1)
    good = submit_posting(opened, Posting(**right, reference="r" * REFERENCE_CHARS_MAX), at_s=1)
    with pytest.raises(ValueError, match=r"posting|surrogates"):
        opened.write(lambda writing: post(writing, wrong, at_s=1))
    assert good.result(20) is PostingOutcome.CREATED


def test_a_sum_that_no_column_can_hold_is_refused_and_changes_nothing(opened):
    empty(opened)
    most = Posting("most", Phase.SINGLE, CASH, WALLETS[0], MICRO_MAX, "", "")
    assert submit_posting(opened, most, at_s=1).result(20) is PostingOutcome.CREATED
    with pytest.raises(ValueError, match=f"allowed is at most {MICRO_MAX}"):
        submit_posting(opened, Posting("more", Phase.SINGLE, CASH, WALLETS[1], 1, "", ""), at_s=1).result(20)
    with opened.reading() as connection:
        assert read_account(connection, CASH).debits_micro == MICRO_MAX
        assert read_account(connection, WALLETS[1]).credits_micro == 0
