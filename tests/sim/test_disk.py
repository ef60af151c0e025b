"""The disk forgets what was not synced, keeps what was, and a crash at every single operation loses no commit.

Writes that go astray and sectors that rot are known to the disk, and to nobody else before the look at the next start.
"""

from random import Random

import pytest
from sqlalchemy.exc import SQLAlchemyError

from prewatt.host.host import HostOptions, _fill
from prewatt.host.refusals import StoreError
from prewatt.sim.disk import Disk, DiskFullError, DiskGoneError, DiskIoError
from prewatt.sim.looking import DATABASE, look_through
from prewatt.sim.platter import SECTOR_BYTES, Copy
from prewatt.sim.store import SimDatabase
from prewatt.sim.vfs import HostCrashError

LOG = "INSERT INTO audit_log (at_s, actor, action, subject, detail) VALUES (1, 'a', 'b', 'c', ?)"


@pytest.fixture
def disk():
    return Disk(lambda name: None)


def write(disk, offset, data, name="f"):
    disk.open(disk.life, name)
    disk.write(disk.life, name, offset, data)


def test_what_was_synced_survives_every_crash(disk):
    write(disk, 0, b"kept")
    disk.sync(disk.life, "f")
    for seed in range(50):
        write(disk, 0, b"lost")
        write(disk, 100, b"more")
        disk.truncate(disk.life, "f", 2)
        before = disk.life
        disk.crash(Random(seed), power=True)
        assert disk.life != before
        disk.put("f", Copy({"f": b"kept"}, {"f": b"kept"}))
    disk.crash(Random(1), power=True)
    assert disk.copy("f").files == {"f": b"kept"}


def test_a_crash_of_the_process_alone_loses_nothing_that_was_written(disk):
    write(disk, 3, b"abc")
    disk.crash(Random(0), power=False)
    assert disk.copy("f").files == {"f": b"\0\0\0abc"}


def test_power_may_keep_lose_and_tear_each_write_by_itself():
    outcomes = set()
    for seed in range(300):
        disk = Disk(lambda name: None)
        write(disk, 0, bytes(2 * SECTOR_BYTES))
        disk.sync(disk.life, "f")
        write(disk, 0, b"1" * SECTOR_BYTES)
        write(disk, SECTOR_BYTES, b"2" * SECTOR_BYTES)
        write(disk, 0, b"3" * (2 * SECTOR_BYTES))
        disk.crash(Random(seed), power=True)
        content = disk.copy("f").files["f"]
        outcomes.add((content[0], content[SECTOR_BYTES]))
        assert len(content) == 2 * SECTOR_BYTES
    zero, one, two, three = 0, ord("1"), ord("2"), ord("3")
    assert outcomes >= {(zero, zero), (one, zero), (zero, two), (one, two), (three, three), (three, two), (one, three)}


def test_a_dead_process_reaches_the_disk_no_more(disk):
    life = disk.life
    write(disk, 0, b"abc")
    disk.crash(Random(0), power=False)
    for act in (
        lambda: disk.write(life, "f", 0, b"x"),
        lambda: disk.read(life, "f", 0, 1),
        lambda: disk.sync(life, "f"),
        lambda: disk.size(life, "f"),
        lambda: disk.replace(life, "f", b""),
    ):
        with pytest.raises(DiskGoneError):
            act()
    assert disk.copy("f").files == {"f": b"abc"}


def test_a_full_and_a_failing_disk_change_nothing(disk):
    write(disk, 0, b"abc")
    disk.fault.full = True
    with pytest.raises(DiskFullError):
        write(disk, 0, b"xyz")
    disk.fault.full, disk.fault.error_in = False, 0
    with pytest.raises(DiskIoError):
        write(disk, 0, b"xyz")
    assert disk.copy("f").files == {"f": b"abc"}
    write(disk, 0, b"xyz")


@pytest.fixture
def database(disk):
    found = SimDatabase(disk)
    assert not found.exists()
    found.create(lambda writing: _fill(writing, "ab", HostOptions(), 1_772_323_200))
    assert found.exists()
    return found


def test_a_commit_that_was_answered_survives_a_crash_at_every_operation(disk, database):
    store, answered = database.open(), set()
    crashes = 0
    for turn in range(400):
        disk.fault.crash_in = turn % 23
        try:
            store.write(lambda writing, turn=turn: writing.driver.execute(LOG, (str(turn),)) and None)
            answered.add(str(turn))
        except HostCrashError:
            crashes += 1
            store.kill()
            disk.crash(Random(turn), power=True)
            store = database.open()
        disk.fault.crash_in = None
        there = {row[0] for row in store.read_rows("SELECT detail FROM audit_log WHERE action = 'b'")}
        assert answered <= there <= {str(each) for each in range(turn + 1)}
        assert store.read_rows("PRAGMA integrity_check") == [("ok",)]
    assert 100 < crashes < 400


def test_a_full_disk_is_told_and_undone_and_then_forgotten(disk, database):
    store = database.open()
    disk.fault.full = True
    with pytest.raises(StoreError, match="the disk is full"):
        store.write(lambda writing: writing.driver.execute(LOG, ("x",)) and None)
    disk.fault.full = False
    store.write(lambda writing: writing.driver.execute(LOG, ("y",)) and None)
    assert store.read_rows("SELECT detail FROM audit_log WHERE action = 'b'") == [("y",)]


def test_work_that_raises_is_undone_alone(database):
    store = database.open()

    def fails(writing):
        writing.driver.execute(LOG, ("x",))
        raise SQLAlchemyError("no")

    good = store.submit(lambda writing: writing.driver.execute(LOG, ("y",)) and None)
    bad = store.submit(fails)
    good.result()
    with pytest.raises(StoreError):
        bad.result()
    assert store.read_rows("SELECT detail FROM audit_log WHERE action = 'b'") == [("y",)]


def test_what_rots_is_read_by_programs_and_known_to_the_disk(disk):
    kept = Random(0).randbytes(4 * SECTOR_BYTES)
    write(disk, 0, kept)
    disk.sync(disk.life, "f")
    assert not disk.damaged
    disk.rot("f", Random(3))
    assert disk.damaged
    copy = disk.copy("f")
    assert copy.right == {"f": kept} != copy.files
    assert disk.read(disk.life, "f", 0, len(copy.files["f"])) == copy.files["f"]
    assert disk.misread
    disk.mend()
    assert not disk.damaged
    assert disk.copy("f").files == copy.right


def test_a_write_that_goes_astray_changes_another_place_and_not_its_own_whatever_the_power_does():
    landed = set()
    for seed in range(200):
        disk = Disk(lambda name: None)
        for name in ("f", "f-wal"):
            write(disk, 0, bytes(4 * SECTOR_BYTES), name)
            disk.sync(disk.life, name)
        disk.fault.astray_in, disk.fault.astray_prefix, disk.fault.astray = 1, "f", Random(seed)
        write(disk, 0, b"1" * SECTOR_BYTES)
        write(disk, SECTOR_BYTES, b"2" * SECTOR_BYTES)
        if seed % 2:
            disk.crash(Random(seed), power=True)
        copy = disk.copy("f")
        sectors = {
            (name, at) for name, data in copy.files.items() for at in range(4) if data[at * SECTOR_BYTES] == ord("2")
        }
        landed |= sectors
        assert len(sectors) <= 1
        assert disk.damaged == (copy.files != copy.right)
        if not seed % 2:
            assert copy.right["f"] == b"1" * SECTOR_BYTES + b"2" * SECTOR_BYTES + bytes(2 * SECTOR_BYTES)
    assert len(landed) == 8


def test_a_copy_that_is_made_of_damaged_bytes_is_damaged_too(disk):
    write(disk, 0, b"1" * SECTOR_BYTES)
    disk.sync(disk.life, "f")
    disk.rot("f", Random(1))
    write(disk, 0, disk.read(disk.life, "f", 0, SECTOR_BYTES), "g")
    assert disk.copy("g").right == {"g": b"1" * SECTOR_BYTES} != disk.copy("g").files


def spoilt(database, disk, seed):
    """A database after commits, a checkpoint among them, of which a sector rotted; and how many commits it had."""
    store = database.open()
    for turn in range(60):
        store.write(lambda writing, turn=turn: writing.driver.execute(LOG, (str(turn) * 40,)) and None)
    store.kill()
    disk.crash(Random(seed), power=False)
    disk.rot(DATABASE, Random(seed))


def held_something(file):
    """Whether a sector of this file rotted that was not empty."""
    if file.right is None:
        return False
    sectors = range(0, len(file.content), SECTOR_BYTES)
    now, then = ([bytes(each.content[at : at + SECTOR_BYTES]) for at in sectors] for each in (file, file.right))
    return any(a != b and b.strip(b"\0") for a, b in zip(now, then, strict=True))


def test_a_rotten_sector_is_noticed_at_the_start_or_changes_no_row_or_takes_the_last_commit(disk, database):
    # Most sectors of a database that holds next to nothing are empty, and their rot harms nothing.
    filled = database.open()
    for row in range(5_000):
        filled.submit(lambda writing, row=row: writing.driver.execute(LOG, (str(row) * 20,)) and None)
    filled.close()
    begun, found = disk.copy(DATABASE), []
    for seed in range(120):
        disk.put(DATABASE, begun)
        spoilt(database, disk, seed)
        copy = disk.copy(DATABASE)
        here, right = (look_through(each, rows=True) for each in (copy.files, copy.right))
        assert not right.wrong
        assert here.wrong or not held_something(disk.files[DATABASE])
        if here.wrong:
            with pytest.raises(StoreError, match="put a backup in its place"):
                database.open()
            found.append("noticed")
        else:
            found.append("harmless" if here.rows == right.rows else "last")
            assert right.commits - here.commits in (0, 1)
            assert found[-1] != "last" or right.commits - here.commits == 1
    assert found.count("noticed") > 40
    assert found.count("last") < 10


def test_a_host_that_meets_damage_does_nothing_more(disk, database):
    store = database.open()
    for turn in range(60):
        store.write(lambda writing, turn=turn: writing.driver.execute(LOG, (str(turn) * 40,)) and None)
    store.close()
    store = database.open()
    content = disk.files[DATABASE].content
    disk.files[DATABASE].spoil(4096, bytes(len(content) - 4096))
    with pytest.raises(StoreError, match="put a backup in its place"), store.reading() as connection:
        connection.exec_driver_sql("SELECT * FROM audit_log").fetchall()
    disk.mend()
    for act in (lambda: store.write(lambda writing: None), lambda: store.reading().__enter__()):
        with pytest.raises(StoreError, match="put a backup in its place"):
            act()
