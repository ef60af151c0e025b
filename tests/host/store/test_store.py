"""One writer, group commit, durability, and what happens when the disk says no."""

import subprocess
import sys
import threading
import time
from random import Random

import pytest
from sqlalchemy import insert, select

from prewatt.host.refusals import FolderVersionError, StoreError
from prewatt.host.store import Store, schema
from prewatt.host.store.migrate import HEAD, check_revision, upgrade


@pytest.fixture
def file_store(path):
    opened = Store(path)
    opened.write(lambda writing: writing.connection.execute(insert(schema.mark).values(one=1, generation=1, commits=0)))
    yield opened
    opened.close()


@pytest.fixture
def path(quick_paths):
    folder = quick_paths()
    folder.mkdir()
    upgrade(folder / "prewatt.db")
    return folder / "prewatt.db"


def add(name):
    return lambda writing: writing.connection.execute(insert(schema.premises).values(id=name, address="")) and name


def names(store):
    with store.reading() as connection:
        return sorted(connection.execute(select(schema.premises.c.id)).scalars())


def commits(store):
    with store.reading() as connection:
        return connection.execute(select(schema.mark.c.commits)).scalar_one()


def test_work_handed_in_together_is_one_commit_and_each_caller_has_its_own_outcome(store):
    before, started = commits(store), threading.Event()

    def first(writing):
        started.wait(5)
        return add("first")(writing)

    futures = [store.submit(first)] + [store.submit(add(f"a{number % 30}")) for number in range(60)]
    started.set()
    outcomes = [future.exception(10) for future in futures]
    assert [error for error in outcomes[:31] if error] == []
    assert all(isinstance(error, StoreError) for error in outcomes[31:])
    assert names(store) == sorted(["first", *(f"a{number}" for number in range(30))])
    assert commits(store) - before <= 2


def test_work_that_raises_undoes_only_itself(store):
    def half(writing):
        add("half")(writing)
        raise KeyError("mine")

    good, bad, after = store.submit(add("one")), store.submit(half), store.submit(add("two"))
    assert (good.result(5), after.result(5)) == ("one", "two")
    with pytest.raises(KeyError, match="mine"):
        bad.result(5)
    assert names(store) == ["one", "two"]


def test_the_commit_number_is_told_after_the_commit_and_before_the_caller_knows(store):
    told = []
    store.after_commit = lambda number: told.append((number, names(store)))
    store.write(add("x"))
    assert told == [(commits(store), ["x"])]


def test_a_full_disk_is_one_clear_error_and_nothing_is_half_done(file_store):
    store = file_store
    store.write(add("before"))

    def fill(writing):
        (pages,) = writing.driver.execute("PRAGMA page_count").fetchone()
        writing.driver.execute(f"PRAGMA max_page_count = {pages}")
        add("half")(writing)
        for number in range(5_000):
            add(f"{number:060}")(writing)

    with pytest.raises(StoreError, match="the disk is full; free some space, nothing was half done"):
        store.write(fill)
    assert names(store) == ["before"]
    store.write(add("after"))
    assert names(store) == ["after", "before"]


def test_a_database_that_cannot_be_written_says_so(file_store):
    store = file_store
    with pytest.raises(StoreError, match="cannot be written"):
        store.write(lambda writing: writing.driver.execute("PRAGMA query_only = ON") and add("x")(writing))
    store.write(add("y"))
    assert names(store) == ["y"]


def test_readers_cannot_write(store):
    with pytest.raises(StoreError), store.reading() as connection:
        connection.execute(insert(schema.premises).values(id="x", address=""))


def test_a_reader_sees_one_moment(store):
    store.write(add("one"))
    with store.reading() as connection:
        seen = connection.execute(select(schema.premises.c.id)).scalars().all()
        store.write(add("two"))
        assert connection.execute(select(schema.premises.c.id)).scalars().all() == seen
    assert names(store) == ["one", "two"]


def test_a_closed_store_takes_no_work_and_closing_writes_what_was_handed_in(store):
    futures = [store.submit(add(f"n{number}")) for number in range(50)]
    store.close()
    store.close()
    assert all(future.done() and not future.exception() for future in futures)
    with pytest.raises(StoreError, match="closed"):
        store.write(add("late"))


def test_the_connection_keeps_what_it_promises(file_store):
    store = file_store

    def look(writing):
        return [writing.driver.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous")] + [
            writing.driver.execute("PRAGMA foreign_keys").fetchone()[0]
        ]

    assert store.write(look) == ["wal", 2, 1]


def test_a_new_database_has_exactly_the_tables_that_the_schema_describes(store):
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    with store.reading() as connection:
        assert compare_metadata(MigrationContext.configure(connection), schema.metadata) == []


def test_every_check_of_the_schema_stands_in_the_database(place, store):
    named = {
        "sqlite": "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL",
        "postgresql": "SELECT 'CONSTRAINT ' || conname || ' ' FROM pg_constraint",
    }
    made = "".join(text for (text,) in place.run(named[place.kind]))
    for table in schema.metadata.tables.values():
        for constraint in table.constraints:
            if constraint.name is not None:
                assert f"CONSTRAINT {constraint.name} " in made


@pytest.mark.parametrize("table", [each.name for each in schema.APPEND_ONLY])
def test_every_table_that_only_grows_has_its_rules(place, store, table):
    counted = {
        "sqlite": f"SELECT count(*) FROM sqlite_master WHERE type = 'trigger' AND tbl_name = '{table}'",
        "postgresql": f"SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal AND tgrelid = '{table}'::regclass",
    }
    # PostgreSQL can empty a table at once, which is one more way to remove rows.
    assert place.run(counted[place.kind]) == [({"sqlite": 2, "postgresql": 3}[place.kind],)]


@pytest.mark.parametrize("version", ["0000", "9999", ""])
def test_a_database_of_another_version_is_one_clear_error(place, store, version):
    store.close()
    place.tamper(f"UPDATE alembic_version SET version_num = '{version}'")
    with pytest.raises(FolderVersionError, match=f"this program works with {HEAD}"):
        check_revision(place.path if place.kind == "sqlite" else place.database.dialect)


def test_a_file_that_is_no_database_is_one_clear_error(path):
    path.write_bytes(b"not a database" * 100)
    with pytest.raises(StoreError, match="damaged or no database"):
        check_revision(path)


def test_what_was_answered_survives_a_kill(path, tmp_path):
    """A child writes and says what is durable; it is killed in the middle. Everything it said is there."""
    program = (
        "import sys, pathlib\n"
        "from sqlalchemy import insert\n"
        "from prewatt.host.store import Store, schema\n"
        "store = Store(pathlib.Path(sys.argv[1]))\n"
        "row = lambda name: insert(schema.premises).values(id=name, address='')\n"
        "add = lambda name: lambda w: w.connection.execute(row(name)) and name\n"
        "start = int(sys.argv[2])\n"
        "for group in range(10**6):\n"
        "    futures = [store.submit(add(f'{start}-{group}-{each}')) for each in range(7)]\n"
        "    print(' '.join(future.result() for future in futures), flush=True)\n"
    )
    opened = Store(path)
    opened.write(lambda writing: writing.connection.execute(insert(schema.mark).values(one=1, generation=1, commits=0)))
    opened.close()
    rng, said = Random(5), set()
    for start in range(3):
        child = subprocess.Popen([sys.executable, "-c", program, path, str(start)], stdout=subprocess.PIPE, text=True)
        said |= set(child.stdout.readline().split())
        time.sleep(rng.random() * 0.15)
        child.kill()
        said |= {name for line in child.stdout if line.endswith("\n") for name in line.split()}
        child.stdout.close()
        child.wait()
        opened = Store(path)
        found = names(opened)
        assert said <= set(found)
        for group in {name.rpartition("-")[0] for name in found}:
            assert sum(name.startswith(group + "-") for name in found) <= 7
        opened.close()
