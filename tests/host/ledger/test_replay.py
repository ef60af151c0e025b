"""The fast count of many entries comes to what the ledger in memory comes to, entry by entry."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prewatt.host.ledger import AccountId, Entry, MemoryLedger, Phase, Posting, Replay

ACCOUNTS = ("cash", "wallet:000001", "in_transit:000001", "delivered:000001", "suspense:000001")


@st.composite
def entries(draw):
    """Few ids and accounts, so that all that may be refused is: again, ended twice, without cover, nothing."""
    phase = draw(st.sampled_from(Phase))
    ends = phase in (Phase.POST, Phase.VOID)
    debit, credit = draw(
        st.sampled_from([ACCOUNTS[:2], ACCOUNTS[1:3], ACCOUNTS[2:4], ("cash", "cash"), ACCOUNTS[4:2:-1]])
    )
    pending = draw(st.sampled_from([None, "p0", "p1", "p2"])) if ends else draw(st.sampled_from([None, None, "p0"]))
    name = draw(st.sampled_from(["", "x" * 96, "x" * 97, *(f"n{n}" for n in range(12)), *["p0", "p1", "p2"] * 3]))
    amount = draw(st.sampled_from([-1, 0, 1, 5, 5, 5, 5, 9]))
    return Entry(0, name, phase.value, debit, credit, amount, "cause", "reference", pending, 0)


@settings(deadline=None, max_examples=500)
@given(st.lists(entries(), max_size=60), st.integers(1, 20))
def test_it_comes_to_the_same_as_the_simple_one_on_any_history(history, size):
    simple, rejected = MemoryLedger(), []
    for each in history:
        accounts = AccountId(each.debit), AccountId(each.credit)
        outcome = simple.post(
            Posting(each.id, Phase(each.phase), *accounts, each.amount_micro, "cause", "reference", each.pending_id)
        )
        if outcome != "created":
            rejected.append((each.id, outcome.value))
    replay = Replay()
    for start in range(0, len(history), size):
        replay.post_all(history[start : start + size])
    assert [tuple(each) for each in replay.rejected] == rejected
    assert list(replay.accounts()) == list(simple.accounts())
    assert replay.count == len(history)
    assert all(replay.account(AccountId(name)) == simple.account(AccountId(name)) for name in ACCOUNTS)


@pytest.mark.parametrize(
    "changed",
    [
        {"amount_micro": "5"},
        {"amount_micro": 1.5},
        {"amount_micro": None},
        {"phase": "double"},
        {"debit": "piggy bank"},
        {"credit": b"cash"},
        {"id": b"n1"},
        {"id": None},
    ],
)
@pytest.mark.parametrize("known", [False, True])
def test_what_no_host_writes_is_named_and_counts_nothing(changed, known):
    good = Entry(1, "n1", "single", "cash", "wallet:000001", 5, "", "", None, 0)
    replay = Replay()
    replay.post_all([good] if known else [])
    before = list(replay.accounts())
    replay.post_all([good._replace(number=2, **{"id": "n2", **changed})])
    assert [each.outcome for each in replay.rejected] == ["unreadable"]
    assert list(replay.accounts()) == before
