"""The ledger: two phases, named outcomes, and the same books in memory and in the database."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert

from prewatt.host.ledger import (
    PLACES,
    Account,
    AccountKind,
    MemoryLedger,
    Phase,
    Posting,
    PostingOutcome,
    account_id,
    kind_of,
    owner_of,
)
from prewatt.host.store import schema
from prewatt.host.store.postings import post, read_accounts, read_posting

CASH, WALLET = account_id(AccountKind.CASH), account_id(AccountKind.WALLET, "000001")
TRANSIT, DELIVERED = (account_id(kind, "000001") for kind in (AccountKind.IN_TRANSIT, AccountKind.DELIVERED))


def single(name, debit=CASH, credit=WALLET, amount=10):
    return Posting(name, Phase.SINGLE, debit, credit, amount, "test", "T")


def pending(name, debit=WALLET, credit=TRANSIT, amount=10):
    return Posting(name, Phase.PENDING, debit, credit, amount, "test", "T")


def end(name, of, phase, debit=WALLET, credit=TRANSIT, amount=10):
    return Posting(name, phase, debit, credit, amount, "test", "T", of)


def booked(*postings):
    ledger = MemoryLedger()
    return ledger, [ledger.post(posting) for posting in postings]


def test_the_same_posting_twice_is_done_once_and_says_so():
    ledger, outcomes = booked(single("a"), single("a"), single("a", amount=11), single("a", credit=TRANSIT))
    assert outcomes == [
        PostingOutcome.CREATED,
        PostingOutcome.EXISTS,
        PostingOutcome.EXISTS_WITH_DIFFERENT_AMOUNT,
        PostingOutcome.EXISTS_WITH_DIFFERENT_FIELDS,
    ]
    assert ledger.account(WALLET).balance_micro == 10


def test_a_pending_posting_reserves_and_is_posted_once():
    ledger, outcomes = booked(
        single("a"), pending("p"), single("b", WALLET, TRANSIT, 1), end("e", "p", Phase.POST), end("f", "p", Phase.VOID)
    )
    assert outcomes == [
        PostingOutcome.CREATED,
        PostingOutcome.CREATED,
        PostingOutcome.EXCEEDS_CREDITS,
        PostingOutcome.CREATED,
        PostingOutcome.PENDING_ALREADY_POSTED,
    ]
    assert ledger.account(WALLET) == Account(WALLET, debits_micro=10, credits_micro=10)
    assert ledger.account(TRANSIT) == Account(TRANSIT, credits_micro=10)


def test_a_voided_posting_gives_back_what_it_reserved():
    ledger, outcomes = booked(single("a"), pending("p"), end("v", "p", Phase.VOID), end("e", "p", Phase.POST))
    assert outcomes[2:] == [PostingOutcome.CREATED, PostingOutcome.PENDING_ALREADY_VOIDED]
    assert ledger.account(WALLET).available_micro == 10
    assert ledger.account(TRANSIT).balance_micro == 0


@pytest.mark.parametrize(
    ("posting", "outcome"),
    [
        (single(""), PostingOutcome.BAD_ID),
        (single("x" * 97), PostingOutcome.BAD_ID),
        (single("x" * 96), PostingOutcome.CREATED),
        (single("x", amount=0), PostingOutcome.AMOUNT_NOT_POSITIVE),
        (single("x", amount=-1), PostingOutcome.AMOUNT_NOT_POSITIVE),
        (single("x", WALLET, WALLET), PostingOutcome.SAME_ACCOUNT_TWICE),
        (single("x", WALLET, TRANSIT), PostingOutcome.EXCEEDS_CREDITS),
        (pending("x", WALLET, TRANSIT), PostingOutcome.EXCEEDS_CREDITS),
        (end("x", "nothing", Phase.POST), PostingOutcome.PENDING_NOT_FOUND),
        (end("x", "paid", Phase.POST, CASH, TRANSIT), PostingOutcome.PENDING_NOT_FOUND),
        (end("x", "held", Phase.POST, CASH, TRANSIT, 9), PostingOutcome.PENDING_HAS_DIFFERENT_FIELDS),
        (end("x", "held", Phase.VOID, CASH, WALLET), PostingOutcome.PENDING_HAS_DIFFERENT_FIELDS),
    ],
)
def test_each_wrong_posting_has_its_own_outcome(posting, outcome):
    ledger, _ = booked(single("paid", credit=TRANSIT), pending("held", CASH, TRANSIT))
    before = list(ledger.accounts())
    assert ledger.post(posting) is outcome
    if outcome is not PostingOutcome.CREATED:
        assert list(ledger.accounts()) == before


def test_accounts_are_named_by_kind_and_owner():
    assert (WALLET, kind_of(WALLET), owner_of(WALLET)) == ("wallet:000001", AccountKind.WALLET, "000001")
    assert (CASH, kind_of(CASH), owner_of(CASH)) == ("cash", AccountKind.CASH, "")
    assert AccountKind.CASH not in PLACES
    with pytest.raises(ValueError, match="stash"):
        kind_of("stash:000001")


_accounts = st.sampled_from([CASH, WALLET, TRANSIT, DELIVERED])
_postings = st.builds(
    Posting,
    id=st.sampled_from([f"id{number}" for number in range(12)]),
    phase=st.sampled_from(list(Phase)),
    debit=_accounts,
    credit=_accounts,
    amount_micro=st.sampled_from([-1, 0, 5, 10, 10, 10]),
    cause=st.just("test"),
    reference=st.just("T"),
    pending_id=st.none() | st.sampled_from([f"id{number}" for number in range(12)]),
)


def plausible(posting):
    """POST and VOID name a pending posting, the others do not: what every caller of the ledger writes."""
    return (posting.pending_id is not None) == (posting.phase in (Phase.POST, Phase.VOID))


@settings(max_examples=200, deadline=None)
@given(st.lists(_postings.filter(plausible), max_size=40))
def test_whatever_is_posted_the_books_balance_and_no_place_gives_more_than_it_has(postings):
    ledger = MemoryLedger()
    for posting in postings:
        ledger.post(posting)
        accounts = list(ledger.accounts())
        assert sum(account.debits_micro for account in accounts) == sum(account.credits_micro for account in accounts)
        pendings = [(account.debits_pending_micro, account.credits_pending_micro) for account in accounts]
        assert sum(debit for debit, _ in pendings) == sum(credit for _, credit in pendings)
        assert all(debit >= 0 and credit >= 0 for debit, credit in pendings)
        for account in accounts:
            if account.kind in (AccountKind.WALLET, AccountKind.IN_TRANSIT):
                assert account.available_micro >= 0


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(_postings.filter(plausible), max_size=40))
def test_the_database_decides_as_the_memory_does(open_store, postings):
    store, ledger = open_store, MemoryLedger()
    store.write(lambda writing: [writing.driver.execute(f"DELETE FROM {name}") for name in ("entries", "accounts")])
    for posting in postings:
        outcome = store.write(lambda writing, posting=posting: post(writing, posting, at_s=7))
        assert outcome is ledger.post(posting)
    with store.reading() as connection:
        assert read_accounts(connection) == list(ledger.accounts())
        for posting in postings:
            stored = read_posting(connection, posting.id)
            assert stored is None or stored.id == posting.id


@pytest.fixture(scope="module")
def open_store(databases, quick_paths):
    place = databases.place(quick_paths())
    store = place.open_store()

    def begin(writing):
        writing.connection.execute(insert(schema.mark).values(one=1, generation=1, commits=0))
        rule = {"sqlite": "entries_no_delete", "postgresql": "entries_no_delete ON entries"}[databases.kind]
        writing.driver.execute(f"DROP TRIGGER {rule}")

    store.write(begin)
    yield store
    store.close()
    place.drop()
