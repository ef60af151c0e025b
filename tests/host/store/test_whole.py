"""A database whose disk wrote to the wrong place: noticed at the start, by the audit, or named as what is not."""

import shutil
import sqlite3
from random import Random

import pytest

from prewatt.host.refusals import StoreError
from prewatt.host.store.files import DatabaseFile
from prewatt.host.store.store import Store
from prewatt.host.store.whole import check_whole

SECTOR_BYTES = 512
PAGE_BYTES = 4096
ROUNDS = 120


def logging_database(path):
    """A database that never brings its log into the file by itself."""
    database = sqlite3.connect(path)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA wal_autocheckpoint = 0")
    return database


def left_behind(database, folder):
    """What a power cut leaves of it: file and log as they lie there."""
    for name in ("live.db", "live.db-wal"):
        shutil.copy(folder / name, folder / name.replace("live", "left"))
    database.close()
    return folder / "left.db"


@pytest.fixture(scope="module")
def left(tmp_path_factory):
    """A database as a power cut leaves it: rows in the file itself, and some in its log."""
    folder = tmp_path_factory.mktemp("left")
    path = folder / "live.db"
    database = logging_database(path)
    database.execute("CREATE TABLE owners (id TEXT PRIMARY KEY, name TEXT NOT NULL)")
    database.execute("CREATE TABLE rows (number INTEGER PRIMARY KEY, owner TEXT REFERENCES owners(id), amount INTEGER)")
    database.execute("CREATE INDEX rows_by_owner ON rows (owner)")
    database.executemany("INSERT INTO owners VALUES (?, ?)", [(f"owner {each}", "x" * 90) for each in range(400)])
    database.executemany(
        "INSERT INTO rows VALUES (?, ?, ?)", [(each, f"owner {each % 400}", each * 7) for each in range(9_000)]
    )
    database.commit()
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.execute("INSERT INTO owners VALUES ('last', 'in the log')")
    database.commit()
    return left_behind(database, folder)


def copied(left, folder):
    for each in folder.glob(left.name + "*"):
        each.unlink()
    for each in left.parent.glob("left.db*"):
        shutil.copy(each, folder / each.name)
    return folder / left.name


def dump(path):
    with sqlite3.connect(path) as database:
        rows = "\n".join(database.iterdump())
    database.close()
    return rows


def test_one_that_is_whole_is_opened_whether_it_ended_in_order_or_not(left, tmp_path):
    path = copied(left, tmp_path)
    check_whole(path)
    assert "in the log" in dump(path)
    assert not path.with_name("left.db-wal").exists()
    check_whole(path)


def test_one_that_is_damaged_is_refused_at_every_start(left, tmp_path):
    path = copied(left, tmp_path)
    content = bytearray(path.read_bytes())
    content[2 * PAGE_BYTES : 3 * PAGE_BYTES] = content[4 * PAGE_BYTES : 5 * PAGE_BYTES]
    path.write_bytes(content)
    for _ in range(3):
        with pytest.raises(StoreError, match=r"did not end in order and is damaged \(.*\); put a backup in its place"):
            DatabaseFile(path).open()
    assert path.with_name("left.db-wal").stat().st_size


def test_a_reference_to_nothing_is_seen(left, tmp_path):
    path = copied(left, tmp_path)
    other = sqlite3.connect(path)
    check_whole(path)
    other.execute("DELETE FROM owners WHERE id = 'owner 7'")
    other.commit()
    with pytest.raises(StoreError, match="rows 7 owners"):
        check_whole(path)
    other.close()


def spoil_pages(path):
    """Everything but the first page is noise."""
    content = path.read_bytes()
    path.write_bytes(content[:PAGE_BYTES] + Random(1).randbytes(len(content) - PAGE_BYTES))


def test_a_store_that_meets_damage_does_nothing_more_and_whoever_opens_it_next_looks(left, tmp_path):
    path = copied(left, tmp_path)
    check_whole(path)
    whole = dump(path)
    kept = path.read_bytes()
    spoil_pages(path)
    store = Store(path)
    with pytest.raises(StoreError, match="put a backup in its place"), store.reading() as connection:
        connection.exec_driver_sql("SELECT count(name) FROM owners").fetchall()
    path.write_bytes(kept)
    for act in (lambda: store.write(lambda writing: None), lambda: store.reading().__enter__()):
        with pytest.raises(StoreError, match=r"^database [^:]*: it is damaged"):
            act()
    store.close()
    spoil_pages(path)
    for _ in range(2):
        with pytest.raises(StoreError, match="put a backup in its place"):
            DatabaseFile(path).open()
    for each in tmp_path.glob("left.db-*"):
        if not each.name.endswith("-damaged"):
            each.unlink()
    path.write_bytes(kept)
    check_whole(path)
    assert not list(tmp_path.glob("*-damaged"))
    assert dump(path) == whole


def test_a_host_that_serves_looks_at_one_that_ended_in_order_and_a_command_does_not(left, tmp_path):
    path = copied(left, tmp_path)
    check_whole(path)
    dump(path)
    content = bytearray(path.read_bytes())
    content[3 * PAGE_BYTES : 4 * PAGE_BYTES] = bytes(PAGE_BYTES)
    path.write_bytes(content)
    check_whole(path)
    with pytest.raises(StoreError, match=r"it is damaged \(.*\); put a backup in its place"):
        DatabaseFile(path, serves=True).open()


@pytest.fixture(scope="module")
def logged(tmp_path_factory):
    """One whose log holds thirty commits, none of them in the file yet."""
    folder = tmp_path_factory.mktemp("logged")
    path = folder / "live.db"
    database = logging_database(path)
    database.execute("CREATE TABLE sales (number INTEGER PRIMARY KEY, what TEXT)")
    for number in range(30):
        database.execute("INSERT INTO sales VALUES (?, ?)", (number, "x" * 3_000))
        database.commit()
    return left_behind(database, folder)


LOG_HEADER_BYTES, FRAME_BYTES = 32, 24 + PAGE_BYTES


@pytest.mark.parametrize(("from_end", "refused"), [(40, True), (10, True), (1, False)])
def test_a_log_that_is_whole_no_further_than_some_commits_ago_is_damaged(logged, tmp_path, from_end, refused):
    path = copied(logged, tmp_path)
    log = path.with_name("left.db-wal")
    content = bytearray(log.read_bytes())
    frames = (len(content) - 32) // FRAME_BYTES
    place = 32 + (frames - from_end) * FRAME_BYTES + 1_000
    content[place : place + SECTOR_BYTES] = bytes(SECTOR_BYTES)
    log.write_bytes(content)
    if refused:
        with pytest.raises(StoreError, match="commits behind a frame that is not whole"):
            check_whole(path)
    else:
        # As a power cut leaves the last commit: that one was not answered.
        check_whole(path)


@pytest.mark.parametrize(("from_end", "refused"), [(2, True), (1, False)])
def test_a_commit_whose_own_last_frame_is_gone_is_counted_by_its_number(tmp_path, from_end, refused):
    database = logging_database(tmp_path / "live.db")
    database.execute("CREATE TABLE mark (one INTEGER NOT NULL PRIMARY KEY, generation BIGINT, commits BIGINT)")
    database.execute("INSERT INTO mark VALUES (1, 1, 0)")
    database.commit()
    for _ in range(300):
        database.execute("UPDATE mark SET commits = commits + 1")
        database.commit()
    path = left_behind(database, tmp_path)
    log = path.with_name("left.db-wal")
    content = bytearray(log.read_bytes())
    place = len(content) - from_end * FRAME_BYTES
    content[place : place + 24] = bytes(24)
    log.write_bytes(content)
    if refused:
        with pytest.raises(StoreError, match="2 commits behind a frame that is not whole"):
            check_whole(path)
    else:
        check_whole(path)


def spoilt_header(content, checkpointed):
    return bytes(SECTOR_BYTES) + content[SECTOR_BYTES:]


def unwritten_header(content, checkpointed):
    """The header that was there before: of the log that was taken into the file last."""
    return checkpointed[:LOG_HEADER_BYTES] + content[LOG_HEADER_BYTES:]


@pytest.fixture(scope="module")
def begun_again(tmp_path_factory):
    """One whose log was taken into the file and begun again; and that log as it was before."""
    folder = tmp_path_factory.mktemp("again")
    database = logging_database(folder / "live.db")
    database.execute("CREATE TABLE sales (number INTEGER PRIMARY KEY, what TEXT)")
    for number in range(30):
        database.execute("INSERT INTO sales VALUES (?, ?)", (number, "x" * 3_000))
        database.commit()
    database.execute("PRAGMA wal_checkpoint(RESTART)")
    before = (folder / "live.db-wal").read_bytes()
    for number in range(30, 40):
        database.execute("INSERT INTO sales VALUES (?, ?)", (number, "x" * 3_000))
        database.commit()
    return left_behind(database, folder), before


@pytest.mark.parametrize("spoil", [spoilt_header, unwritten_header])
@pytest.mark.parametrize("moved", [False, True])
def test_a_log_without_its_header_is_damaged_where_the_file_lacks_what_it_holds(begun_again, tmp_path, spoil, moved):
    left, before = begun_again
    path = copied(left, tmp_path)
    log = path.with_name("left.db-wal")
    content = log.read_bytes()
    if moved:
        # All of it is in the file; then the log matters to nobody.
        database = logging_database(path)
        database.execute("PRAGMA wal_checkpoint(FULL)")
        shutil.copy(path, tmp_path / "moved.db")
        database.close()
        shutil.move(tmp_path / "moved.db", path)
    log.write_bytes(spoil(content, before))
    if moved:
        check_whole(path)
    else:
        with pytest.raises(StoreError, match=r"header.* before newer commits"):
            check_whole(path)
    assert dump(path).count("INSERT") == (40 if moved else 30)


def test_a_log_of_which_only_the_new_header_was_written_is_one_that_the_power_left(begun_again, tmp_path):
    left, before = begun_again
    path = copied(left, tmp_path)
    log = path.with_name("left.db-wal")
    header = log.read_bytes()[:LOG_HEADER_BYTES]
    log.write_bytes(header + before[LOG_HEADER_BYTES:])
    check_whole(path)
    assert dump(path).count("INSERT") == 30


def test_a_log_that_is_cut_off_anywhere_is_one_that_the_power_left(logged, tmp_path):
    whole = logged.with_name("left.db-wal").read_bytes()
    for length in (0, 16, 32, 5_000, len(whole) - 3, len(whole)):
        path = copied(logged, tmp_path)
        path.with_name("left.db-wal").write_bytes(whole[:length])
        check_whole(path)


def misdirected(path, chance, piece):
    """One write of so many bytes went to the place of another; gives what was there."""
    content = bytearray(path.read_bytes())
    pieces = len(content) // piece
    wanted, place = chance.sample(range(pieces), 2)
    content[place * piece : (place + 1) * piece] = content[wanted * piece : (wanted + 1) * piece]
    path.write_bytes(content)


def rotten(path, chance):
    content = bytearray(path.read_bytes())
    content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    path.write_bytes(content)


@pytest.fixture(scope="module")
def rows(left, tmp_path_factory):
    """What is in it."""
    return dump(copied(left, tmp_path_factory.mktemp("rows")))


def outcome(left, rows, folder, damage):
    """noticed, harmless (the same rows), or silent: other rows, and nobody says so."""
    path = copied(left, folder)
    damage(path)
    try:
        check_whole(path)
    except StoreError:
        return "noticed"
    return "harmless" if dump(path) == rows else "silent"


@pytest.mark.parametrize("piece", [SECTOR_BYTES, PAGE_BYTES])
def test_a_write_to_the_wrong_place_is_noticed_wherever_it_matters(left, rows, tmp_path, piece):
    found = [
        outcome(left, rows, tmp_path, lambda path, n=n: misdirected(path, Random(n), piece)) for n in range(ROUNDS)
    ]
    print({word: found.count(word) for word in sorted(set(found))})
    assert found.count("noticed") > ROUNDS // 2
    assert "silent" not in found


def test_a_flipped_bit_is_noticed_only_where_something_else_names_it(left, rows, tmp_path):
    found = [outcome(left, rows, tmp_path, lambda path, n=n: rotten(path, Random(n))) for n in range(ROUNDS)]
    print({word: found.count(word) for word in sorted(set(found))})
    assert found.count("noticed")
