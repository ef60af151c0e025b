"""The commit number is read from a page as SQLite itself reads it, and from nothing else."""

import sqlite3
from contextlib import closing
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prewatt.host.store.commitnumber import MARK_PLACE, read_commit_number
from prewatt.host.store.store import Store

PAGE_BYTES = 4096
EDGES = [0, 1, 2, 127, 128, 255, 256, 32_767, 32_768, 2**23 - 1, 2**23, 2**31 - 1, 2**31, 2**47 - 1, 2**47, 2**63 - 1]


def page_of(path):
    with closing(sqlite3.connect(path)) as database:
        ((number,),) = database.execute(MARK_PLACE).fetchall()
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return path.read_bytes()[(number - 1) * PAGE_BYTES : number * PAGE_BYTES]


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    found = tmp_path_factory.mktemp("mark") / "prewatt.db"
    with closing(sqlite3.connect(found)) as database:
        database.execute("CREATE TABLE mark (one INTEGER NOT NULL PRIMARY KEY, generation BIGINT, commits BIGINT)")
        database.execute("INSERT INTO mark VALUES (1, 0, 0)")
        database.commit()
    return found


@pytest.mark.parametrize("commits", EDGES)
@pytest.mark.parametrize("generation", [0, 1, 300, 2**31])
def test_every_size_of_number_is_read_as_it_was_written(path, generation, commits):
    with closing(sqlite3.connect(path)) as database:
        database.execute("UPDATE mark SET generation = ?, commits = ?", (generation, commits))
        database.commit()
    assert read_commit_number(page_of(path)) == commits


def test_the_row_of_a_real_store_is_read(quick_paths):
    from prewatt.host.store.migrate import upgrade

    folder = quick_paths()
    folder.mkdir()
    path = folder / "prewatt.db"
    upgrade(path)
    with closing(sqlite3.connect(path)) as database:
        database.execute("INSERT INTO mark VALUES (1, 3, 7)")
        database.commit()
    store = Store(path)
    for _ in range(5):
        store.write(lambda writing: None)
    store.close()
    assert read_commit_number(page_of(path)) == 12


@given(noise=st.binary(max_size=64), at=st.integers(0, PAGE_BYTES - 64))
@settings(deadline=None)
def test_a_page_that_is_not_whole_is_read_without_a_fault(path, noise, at):
    page = page_of(path)
    found = read_commit_number(page[:at] + noise + page[at + len(noise) :])
    assert found is None or 0 <= found < 2**64


def test_other_pages_tell_nothing():
    chance = Random(1)
    assert read_commit_number(b"") is None
    assert read_commit_number(bytes(PAGE_BYTES)) is None
    for length in range(64):
        assert read_commit_number(b"\x0d" + chance.randbytes(length)) is None
