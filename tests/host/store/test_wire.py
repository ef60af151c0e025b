"""The connection to a server: what waits goes with what is waited for, and one error spoils nothing after it."""

from contextlib import closing
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.database_servers import DatabaseServer

from prewatt.host.store.dialect import hot
from prewatt.host.store.dialect.postgresql_hot import POSTGRESQL_HOT
from prewatt.host.store.dialect.sqlite_hot import SQLITE_HOT
from prewatt.host.store.dialect.wire import Link, LinkLostError, WireError, sqlstate

# What one connection keeps prepared, and some more.
TEXTS = 450


@pytest.fixture(scope="module")
def server():
    made = DatabaseServer().start()
    yield made
    made.close()


@pytest.fixture(scope="module")
def link(server):
    with closing(server.connect("postgres")) as made:
        made.execute("CREATE TABLE t (number bigint PRIMARY KEY, text text, data bytea, truth boolean)")
        yield made


@pytest.fixture(autouse=True)
def empty(link):
    link.execute("TRUNCATE t")


def trips(monkeypatch):
    """Counts how often something is sent from now on."""
    counted, send = [], Link._send
    monkeypatch.setattr(Link, "_send", lambda *given: counted.append(1) or send(*given))
    return counted


def test_every_hot_statement_has_a_text_in_both(link):
    assert set(SQLITE_HOT) == set(POSTGRESQL_HOT) == set(hot.Hot)
    for each in hot.Hot:
        assert SQLITE_HOT[each].count("?") == POSTGRESQL_HOT[each].count("$"), each


def test_a_statement_is_one_trip_and_what_waits_goes_with_it(link, monkeypatch):
    counted = trips(monkeypatch)
    link.later("BEGIN")
    link.later("SAVEPOINT work")
    assert counted == []
    link.execute("INSERT INTO t (number) VALUES ($1)", (1,))
    link.later("RELEASE work")
    assert link.execute("SELECT count(*) FROM t").fetchone() == [1]
    link.commit()
    assert len(counted) == 3
    assert list(link.execute("SELECT count(*) FROM t").fetchall()) == [[1]]


@settings(max_examples=60, deadline=None)
@given(
    st.integers(-(2**63), 2**63 - 1),
    st.none() | st.text(st.characters(codec="utf-8", exclude_characters="\0")),
    st.none() | st.binary(max_size=300),
    st.none() | st.booleans(),
)
def test_every_value_comes_back_as_it_was(link, number, text, data, truth):
    link.later("BEGIN")
    row = link.execute("INSERT INTO t VALUES ($1, $2, $3, $4) RETURNING *", (number, text, data, truth)).fetchone()
    link.rollback()
    assert row == [number, text, data, truth]


def test_a_sum_of_whole_numbers_is_a_whole_number(link):
    for number in (2**62, 2**62 - 1, -5):
        link.execute("INSERT INTO t (number) VALUES ($1)", (number,))
    (found,) = link.execute("SELECT sum(number) FROM t").fetchone()
    assert found == 2**63 - 6
    assert isinstance(found, int)
    assert link.execute("SELECT 1.5::numeric").fetchone() == [Decimal("1.5")]


@pytest.mark.parametrize(
    ("text", "row", "state"),
    [
        ("SELECT nothing FROM t", (), "42703"),
        ("SELECT $1::bigint", ("x",), "22P02"),
        ("INSERT INTO t (number) VALUES ($1)", (7,), "23505"),
        ("SELECT 1 / ($1::bigint)", (0,), "22012"),
        ("SELEC", (), "42601"),
        ("SELECT $1::text", ("\0",), "22021"),
    ],
)
def test_an_error_spoils_nothing_after_it(link, text, row, state):
    link.execute("INSERT INTO t (number) VALUES ($1)", (7,))
    for _ in range(2):
        with pytest.raises(WireError) as caught:
            link.execute(text, row)
        assert sqlstate(caught.value) == state
        assert list(link.execute("SELECT number FROM t").fetchall()) == [[7]]


def test_an_error_in_what_waited_is_raised_where_it_is_noticed_and_undone_with_its_savepoint(link):
    link.later("BEGIN")
    link.execute("INSERT INTO t (number) VALUES (1)")
    link.later("SAVEPOINT work")
    link.later("INSERT INTO t (number) VALUES (1)")
    with pytest.raises(WireError, match="duplicate key"):
        link.execute("SELECT 1")
    link.later("ROLLBACK TO work")
    link.later("RELEASE work")
    link.execute("INSERT INTO t (number) VALUES (2)")
    link.commit()
    assert list(link.execute("SELECT number FROM t ORDER BY 1").fetchall()) == [[1], [2]]


def test_a_commit_of_a_failed_transaction_is_an_error_and_not_a_commit(link):
    link.later("BEGIN")
    link.execute("INSERT INTO t (number) VALUES (1)")
    with pytest.raises(WireError):
        link.execute("SELECT nothing")
    with pytest.raises(WireError, match="failed transaction"):
        link.commit()
    assert link.execute("SELECT count(*) FROM t").fetchone() == [0]


def test_more_texts_than_are_kept_prepared_work_also_in_a_failed_transaction(link):
    for number in range(TEXTS):
        assert link.execute(f"SELECT $1::bigint + {number}", (1,)).fetchone() == [number + 1]
    link.later("BEGIN")
    link.later("SAVEPOINT work")
    with pytest.raises(WireError):
        link.execute("SELECT nothing")
    link.later("ROLLBACK TO work")
    assert link.execute("SELECT $1::bigint + 0", (1,)).fetchone() == [1]
    link.rollback()
    (kept,) = link.execute("SELECT count(*) FROM pg_prepared_statements").fetchone()
    assert kept <= TEXTS - 40


def test_a_large_value_goes_both_ways(link):
    data = bytes(range(256)) * 20_000
    assert link.execute("SELECT $1::bytea", (data,)).fetchone() == [data]


def test_what_ends_the_connection_is_one_error_and_it_stays_ended(server):
    other = server.connect("postgres")
    (pid,) = other.execute("SELECT pg_backend_pid()").fetchone()
    server.run(f"SELECT pg_terminate_backend({pid})")
    for _ in range(2):
        with pytest.raises(LinkLostError, match="network error"):
            other.execute("SELECT 1")
    other.rollback()
    other.close()
    other.close()
