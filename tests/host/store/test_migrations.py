"""A database of an earlier format is brought to the newest, with everything that was in it."""

import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from prewatt.host.ledger import Entry, Link, check_links
from prewatt.host.store import migrations, schema
from prewatt.host.store.migrate import HEAD, REVISIONS, check_revision

DUMPS = Path(__file__).parents[2] / "vectors" / "databases"


def load(folder, name="revision-0001.sql", more=""):
    """The dump as a database; rows in the order in which it names them, as foreign keys do not need to be kept yet."""
    folder.mkdir()
    connection = sqlite3.connect(folder / "prewatt.db")
    connection.executescript((DUMPS / name).read_text())
    connection.executescript(more)
    connection.close()
    return folder / "prewatt.db"


def rows(path, query):
    connection = sqlite3.connect(path)
    found = connection.execute(query).fetchall()
    connection.close()
    return found


@pytest.fixture
def old(quick_paths):
    return load(quick_paths())


def test_it_has_the_newest_format_then(old):
    check_revision(old)
    assert rows(old, "SELECT version_num FROM alembic_version") == [(HEAD,)]
    check_revision(old)


def test_it_has_exactly_the_tables_of_a_new_one(old):
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    check_revision(old)
    engine = create_engine(f"sqlite:///{old}")
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), schema.metadata) == []
    engine.dispose()


@pytest.mark.parametrize("table", ["entries", "orders", "payments", "record_file", "reports", "books", "alarms"])
def test_nothing_that_was_written_is_changed(old, table):
    before = rows(old, f"SELECT * FROM {table} ORDER BY 1")
    check_revision(old)
    after = rows(old, f"SELECT * FROM {table} ORDER BY 1")
    assert before
    assert [row[: len(before[0])] for row in after] == before


def test_areas_and_stations_get_the_lowest_numbers(old):
    check_revision(old)
    assert rows(old, "SELECT id, number FROM areas ORDER BY id") == [("A1", 0), ("B", 1)]
    assert rows(old, "SELECT id, area, number FROM stations ORDER BY id") == [("North", "B", 0), ("S1", "A1", 0)]


def test_what_is_beyond_256_stations_of_an_area_moves_below_another(quick_paths):
    more = "".join(f"INSERT INTO stations (id, area) VALUES ('T{number:04}', 'A1');" for number in range(700))
    path = load(quick_paths(), more=more)
    check_revision(path)
    counted = "SELECT area, count(*), max(number) FROM stations GROUP BY area ORDER BY area"
    assert rows(path, counted) == [("A1", 256, 255), ("A1-2", 256, 255), ("A1-3", 189, 188), ("B", 1, 0)]
    assert sorted(rows(path, "SELECT number FROM areas")) == [(0,), (1,), (2,), (3,)]


def test_the_last_report_of_a_day_cannot_be_removed_and_an_earlier_one_can(old):
    check_revision(old)
    connection = sqlite3.connect(old)
    connection.execute("PRAGMA foreign_keys = OFF")
    (last,) = connection.execute("SELECT max(number) FROM reports WHERE meter = '000001'").fetchone()
    with pytest.raises(sqlite3.IntegrityError, match="the last of a day is never changed or removed"):
        connection.execute("DELETE FROM reports WHERE number = ?", (last,))
    copied = "meter, epoch, last_sequence, balance_micro, svm_micro, tank_micro, exchanger_micro, received_micro"
    copied += ", burned_micro, returned_micro, owed_micro, unit_price_micro, table_digest, relay_causes, total_pulses"
    copied += ", registers, timer_s, at_s"
    connection.execute(f"INSERT INTO reports ({copied}) SELECT {copied} FROM reports WHERE number = ?", (last,))
    assert connection.execute("DELETE FROM reports WHERE number = ?", (last,)).rowcount == 1
    connection.close()


def test_each_table_has_an_index_by_which_a_look_finds_that_a_row_is_gone(old):
    check_revision(old)
    one_row = {"installation", "mark", "alembic_version", "sqlite_sequence"}
    tables = {name for (name,) in rows(old, "SELECT name FROM sqlite_schema WHERE type = 'table'")}
    indexed = {name for (name,) in rows(old, "SELECT tbl_name FROM sqlite_schema WHERE type = 'index'")}
    assert tables - indexed - one_row == set()


def test_entries_of_before_the_chain_become_its_first_links(old):
    check_revision(old)
    entries = [tuple(row) for row in rows(old, f"SELECT {', '.join(Entry._fields)} FROM entries ORDER BY number")]
    links = [Link(*row) for row in rows(old, "SELECT number, first_entry, last_entry, marks, hash FROM chain")]
    assert entries
    assert list(check_links(iter(links), iter([entries]))) == []
    changed = [(*entries[0][:6], "gift", *entries[0][7:]), *entries[1:]]
    assert [each.what for each in check_links(iter(links), iter([changed]))] == [entries[0][1]]


def test_revisions_stand_behind_each_other_in_one_line():
    from alembic.script import ScriptDirectory

    script = ScriptDirectory(Path(migrations.__file__).parent)
    assert tuple(reversed([each.revision for each in script.walk_revisions()])) == REVISIONS
