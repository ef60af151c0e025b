"""What only a server can do to a host: be claimed by another, go away in the middle of a commit, come back."""

import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from random import Random

import pytest
from sqlalchemy import func, insert, select
from tests.database_servers import DatabaseServer as Server

from prewatt.host.refusals import FolderBusyError, StoreError, StoreUnknownError
from prewatt.host.store import Hot, Store, schema
from prewatt.host.store import store as store_module
from prewatt.host.store.course import CourseError
from prewatt.host.store.dialect import postgresql
from prewatt.host.store.dialect.address import ServerAddress
from prewatt.host.store.dialect.postgresql import PostgresqlDialect
from prewatt.host.store.dialect.wire import Link, LinkLostError
from prewatt.host.store.server import DatabaseServer
from prewatt.host.store.trail import HOST

LINES = schema.audit_log.c.detail
COUNT_MARK = insert(schema.mark).values(one=1, generation=1, commits=0)


@pytest.fixture(scope="module")
def server():
    """A server of this module's own, which its tests kill; it waits for the disk as a real one does."""
    made = Server(quick=False).start()
    made.run("CREATE DATABASE tables")
    DatabaseServer(made.address("tables")).create(lambda writing: writing.connection.execute(COUNT_MARK))
    yield made
    made.close()


@pytest.fixture
def dialect(server, request):
    name = f"t{abs(hash(request.node.name))}"
    server.run(f"CREATE DATABASE {name} TEMPLATE tables")
    yield PostgresqlDialect(server.address(name))
    server.run(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def opened(dialect):
    store = Store(dialect)
    yield store
    store.close()


def say(name):
    """Work that is visible as often as it was done."""
    return lambda writing: writing.log.append(1, HOST, ("say", "x", name), None, None) or name


def said(store):
    with store.reading() as connection:
        return Counter(connection.execute(select(LINES)).scalars())


def backend(writing):
    return writing.driver.execute("SELECT pg_backend_pid()").fetchone()[0]


def test_a_second_host_is_refused_for_as_long_as_the_first_works(opened, dialect):
    with pytest.raises(FolderBusyError, match="another prewatt works on it"):
        Store(dialect)
    opened.write(say("still mine"))
    opened.close()
    second = Store(dialect)
    assert said(second) == {"still mine": 1}
    second.close()


def test_a_connection_that_ends_in_the_middle_of_work_undoes_all_of_it_and_the_next_is_fresh(opened, server):
    def ended(writing):
        say("half")(writing)
        server.run(f"SELECT pg_terminate_backend({backend(writing)})")
        return say("rest")(writing)

    with pytest.raises(StoreError, match=r"cannot be reached .*nothing was half done"):
        opened.write(ended)
    assert opened.write(say("after")) == "after"
    assert said(opened) == {"after": 1}


def lose_commit(monkeypatch, *, done):
    """The next COMMIT is lost on its way there, or (``done``) its answer on the way back."""
    send = Link._send

    def spoiled(link, data, contexts):
        if not data.endswith(b"COMMIT\0"):
            return send(link, data, contexts)
        monkeypatch.setattr(Link, "_send", send)
        if done:
            send(link, data, contexts)
        link._abandon()
        raise LinkLostError("pulled")

    monkeypatch.setattr(Link, "_send", spoiled)


@pytest.mark.parametrize("done", [False, True])
def test_a_commit_whose_answer_was_lost_is_answered_as_it_was(opened, monkeypatch, done):
    opened.write(say("before"))
    noted = []
    opened.after_commit = noted.append
    (last,) = opened.write(lambda writing: writing.run(Hot.COMMITS).fetchone())
    lose_commit(monkeypatch, done=done)
    futures = [opened.submit(say(f"n{number}")) for number in range(5)]
    if done:
        assert [future.result(20) for future in futures] == [f"n{number}" for number in range(5)]
    else:
        caught = [future.exception(20) for future in futures]
        assert any(isinstance(error, StoreError) and "nothing was half done" in str(error) for error in caught)
        assert not any(isinstance(error, StoreUnknownError) for error in caught)
    told = {f"n{number}" for number, future in enumerate(futures) if future.exception() is None}
    assert set(said(opened)) == {"before"} | told
    opened.write(say("after"))
    assert noted == sorted(set(noted))
    assert noted[-1] >= last + 2


def test_a_server_that_stays_away_is_told_as_what_nobody_knows(opened, monkeypatch):
    monkeypatch.setattr(store_module, "SETTLING_S", 0.3)
    lose_commit(monkeypatch, done=True)
    reach = postgresql._socket

    def away(address):
        raise LinkLostError("nobody there")

    monkeypatch.setattr(postgresql, "_socket", away)
    with pytest.raises(StoreUnknownError, match="whether it was done is not known: ask again with the same id"):
        opened.write(say("which"))
    with pytest.raises(StoreError, match="cannot be reached"):
        opened.write(say("not at all"))
    monkeypatch.setattr(postgresql, "_socket", reach)
    opened.write(say("after"))
    assert said(opened) == {"which": 1, "after": 1}


@pytest.mark.parametrize("moved", [1, -2])
def test_a_database_that_went_on_or_back_meanwhile_takes_nothing_more_from_this_host(opened, dialect, moved):
    for name in ("one", "two", "three"):
        opened.write(say(name))

    def lose(writing):
        with closing(dialect._connect()) as link:
            link.execute("UPDATE mark SET commits = commits + $1", (moved,))
        writing.driver._abandon()
        say("lost")(writing)

    with pytest.raises(StoreError, match="nothing was half done"):
        opened.write(lose)
    for _ in range(2):
        with pytest.raises(CourseError, match=r"not as this host left it .*start it again"):
            opened.write(say("never"))
    assert set(said(opened)) == {"one", "two", "three"}


def test_a_server_killed_in_the_middle_of_commits_loses_nothing_answered_and_doubles_nothing(server, dialect):
    """Four callers write and ask again; the server dies with SIGKILL again and again and is started anew."""
    store, rng, stop = Store(dialect), Random(11), threading.Event()
    done, undone, unknown = [], [], []

    def call(caller):
        number = 0
        while not stop.is_set():
            name = f"{caller}-{number}"
            number += 1
            try:
                done.append(store.submit(say(name)).result(90))
            except StoreUnknownError:
                unknown.append(name)
            except StoreError:
                undone.append(name)
                time.sleep(0.01)

    with ThreadPoolExecutor(4) as callers:
        calls = [callers.submit(call, caller) for caller in range(4)]
        for _ in range(6):
            heard = len(done)
            until_s = time.monotonic() + 30
            while len(done) < heard + 25 and time.monotonic() < until_s:
                time.sleep(0.005)
            time.sleep(rng.random() * 0.05)
            server.kill()
            server.start()
        stop.set()
        for each in calls:
            each.result(120)
    assert store.write(say("last")) == "last"
    found = said(store)
    store.close()
    assert len(done) > 100
    assert set(found.values()) == {1}
    assert set(done) <= set(found)
    assert not set(undone) & set(found)
    assert set(found) <= {*done, *unknown, "last"}


def test_a_database_that_could_not_be_filled_is_none(server):
    server.run("CREATE DATABASE unfilled")
    database = DatabaseServer(server.address("unfilled"))

    def fail(writing):
        raise KeyError("fill")

    with pytest.raises(KeyError):
        database.create(fail)
    assert not database.exists()
    database.create(lambda writing: writing.connection.execute(COUNT_MARK))
    assert database.exists()
    store = database.open()
    with store.reading() as connection:
        assert connection.execute(select(schema.mark.c.commits)).scalar_one() == 1
        assert connection.execute(select(func.count()).select_from(schema.polling)).scalar_one() == 1
    store.close()
    server.run("DROP DATABASE unfilled WITH (FORCE)")


def test_a_database_of_another_encoding_is_refused_before_anything_is_made(server):
    server.run("CREATE DATABASE ascii TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE 'C'")
    database = DatabaseServer(server.address("ascii"))
    with pytest.raises(StoreError, match="its encoding is SQL_ASCII, allowed is UTF8"):
        database.create(lambda writing: None)
    assert not database.exists()
    server.run("DROP DATABASE ascii")


def test_what_cannot_be_reached_is_one_clear_line(server, tmp_path):
    for address, words in (
        (server.address("nothing"), "there is no such database on the server; make it with `createdb"),
        (ServerAddress.parse(f"postgresql://nobody@/tables?host={server.address('x').host}"), "does not let|role"),
        (ServerAddress.parse(f"postgresql://u@/x?host={tmp_path}"), "the server cannot be reached"),
        (ServerAddress.parse("postgresql://u@127.0.0.1:1/x"), "the server cannot be reached"),
    ):
        with pytest.raises(StoreError, match=words) as caught:
            DatabaseServer(address).exists()
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("table", ["entries", "audit_log"])
def test_a_table_that_only_grows_cannot_be_emptied(opened, table):
    opened.write(say("one"))
    with pytest.raises(StoreError, match="rows are never changed or removed"):
        opened.write(lambda writing: writing.driver.execute(f"TRUNCATE {table} CASCADE"))
    assert said(opened) == {"one": 1}


def test_the_connection_keeps_what_it_promises(opened):
    def look(writing):
        names = ("synchronous_commit", "transaction_isolation", "transaction_read_only", "plan_cache_mode")
        return [writing.driver.execute(f"SHOW {name}").fetchone()[0] for name in names]

    assert opened.write(look) == ["on", "read committed", "off", "force_custom_plan"]
    with opened.reading() as connection:
        names = ("transaction_isolation", "transaction_read_only", "plan_cache_mode")
        found = [connection.exec_driver_sql(f"SHOW {name}").scalar() for name in names]
        assert found == ["repeatable read", "on", "force_custom_plan"]


def test_what_was_prepared_while_a_table_was_empty_is_planned_anew(opened):
    """Else every commit reads all entries there are, until the server itself looks at the table."""
    for _ in range(10):
        opened.write(lambda writing: writing.run(Hot.ENTRIES_BY_IDS, ('["x"]',)))
    counts = "SELECT generic_plans, custom_plans FROM pg_prepared_statements WHERE statement LIKE 'SELECT id, phase, %'"
    assert opened.write(lambda writing: list(writing.driver.execute(counts).fetchall())) == [[0, 10]]


FAILURES = {
    "53100": "the server's disk is full; free some space, nothing was half done",
    "53200": "what the server says",
    "58030": "what the server says",
}


@pytest.mark.parametrize("code", FAILURES)
def test_a_server_that_runs_out_of_something_is_one_clear_error_and_nothing_is_half_done(opened, code):
    """Whichever piece of work meets it: nobody of its group was served."""
    opened.write(say("before"))

    def fail(writing):
        raised = f"RAISE EXCEPTION USING ERRCODE = '{code}', MESSAGE = E'what the server says\\nand more'"
        say("half")(writing)
        writing.driver.execute(f"DO $$ BEGIN {raised}; END $$")

    running, collected = threading.Event(), threading.Event()
    busy = opened.submit(lambda writing: running.set() or collected.wait(20))
    assert running.wait(20)
    futures = [opened.submit(work) for work in (say("first"), fail, say("last"))]
    collected.set()
    assert busy.result(20)
    for each in futures:
        with pytest.raises(StoreError, match=FAILURES[code]) as caught:
            each.result(20)
        assert "\n" not in str(caught.value)
    assert opened.write(say("after")) == "after"
    assert said(opened) == {"before": 1, "after": 1}


def test_a_server_that_cannot_be_written_says_so(opened, server, dialect):
    server.run(f"ALTER DATABASE {dialect.address.name} SET default_transaction_read_only = on")
    server.run(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{dialect.address.name}'")
    with pytest.raises(StoreError):
        opened.write(say("x"))
    with pytest.raises(StoreError, match=r"it cannot be written \(the server is a standby, or read-only\)"):
        opened.write(say("y"))
    server.run(f"ALTER DATABASE {dialect.address.name} RESET default_transaction_read_only")
    assert opened.write(say("z")) == "z"
    assert said(opened) == {"z": 1}


def test_a_table_that_is_damaged_on_the_servers_disk_ends_the_work_on_this_database(server, dialect):
    """Half of the truth is worse than none: after the first sign of it nothing is read or written any more."""
    store = Store(dialect)
    for number in range(5):
        store.write(say(f"n{number}"))
    (path,) = store.write(lambda writing: writing.driver.execute("SELECT pg_relation_filepath('audit_log')").fetchone())
    server.stop()
    with (server.data / path).open("r+b") as file:
        file.write(Random(1).randbytes(512))
    server.start()
    with pytest.raises(StoreError, match="it is damaged; put a backup in its place"):
        said(store)
    with pytest.raises(StoreError, match="it is damaged; put a backup in its place"):
        store.write(lambda writing: writing.run(Hot.COMMITS).fetchone())
    store.close()


def test_readers_find_their_way_back_after_the_server_was_started_again(opened, server):
    opened.write(say("kept"))
    assert said(opened) == {"kept": 1}
    server.kill()
    server.start()
    assert said(opened) == {"kept": 1}
