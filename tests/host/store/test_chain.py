"""The chain holds exactly what was committed, whatever is undone, looked at or handed in together before a commit."""

from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, insert, select

from prewatt.host.ledger import AccountId, Phase, Posting, check_links
from prewatt.host.store import schema
from prewatt.host.store.entries import read_entries, read_links
from prewatt.host.store.postings import post, submit_posting

NUMBERS = count()
QUIET = [HealthCheck.function_scoped_fixture]


@pytest.fixture(scope="module")
def opened(databases, quick_paths):
    place = databases.place(quick_paths())
    store = place.open_store()
    store.write(lambda writing: writing.connection.execute(insert(schema.mark).values(one=1, generation=1, commits=0)))
    yield store
    store.close()
    place.drop()


class UndoneError(Exception):
    """What a piece of work raises that shall not have happened."""


def posting():
    return Posting(f"n{next(NUMBERS)}", Phase.SINGLE, AccountId("cash"), AccountId("fee"), 5, "", "r")


def checked(store):
    """The links, of which none is broken, and the number of entries."""
    with store.reading() as connection:
        links = list(read_links(connection))
        assert list(check_links(iter(links), read_entries(connection, store.dialect))) == []
        return links, connection.execute(select(func.count()).select_from(schema.entries)).scalar_one()


@settings(max_examples=40, deadline=None, suppress_health_check=QUIET)
@given(st.lists(st.tuples(st.integers(0, 3), st.booleans(), st.booleans()), max_size=6))
def test_a_commit_that_wrote_entries_is_one_link_with_just_these(opened, works):
    links, entries = checked(opened)

    def work_of(size, looks, undone):
        def work(writing):
            for _ in range(size):
                post(writing, posting(), at_s=3)
            if looks:
                writing.connection.execute(select(func.count()).select_from(schema.entries)).scalar_one()
            if undone:
                raise UndoneError

        return work

    opened.write(lambda writing: [writing.attempt(work_of(*each)) for each in works])
    kept = sum(size for size, _, undone in works if not undone)
    after, there = checked(opened)
    assert there == entries + kept
    assert after[: len(links)] == links
    assert len(after) == len(links) + bool(kept)


def test_postings_handed_in_together_share_links_and_all_stand_in_the_chain(opened):
    links, entries = checked(opened)
    for future in [submit_posting(opened, posting(), at_s=1) for _ in range(200)]:
        future.result(60)
    after, there = checked(opened)
    assert there == entries + 200
    assert len(after) - len(links) < 100
