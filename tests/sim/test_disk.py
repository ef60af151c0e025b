"""The disk forgets what was not synced, keeps what was, and a crash at every single operation loses no commit."""

from random import Random

import pytest
from sqlalchemy.exc import SQLAlchemyError

from prewatt.host.host import HostOptions, _fill
from prewatt.host.refusals import StoreError
from prewatt.sim.disk import SECTOR_BYTES, Disk, DiskFullError, DiskGoneError, DiskIoError
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
        disk.put("f", {"f": b"kept"})
    disk.crash(Random(1), power=True)
    assert disk.copy("f") == {"f": b"kept"}


def test_a_crash_of_the_process_alone_loses_nothing_that_was_written(disk):
    write(disk, 3, b"abc")
    disk.crash(Random(0), power=False)
    assert disk.copy("f") == {"f": b"\0\0\0abc"}


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
        content = disk.copy("f")["f"]
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
    assert disk.copy("f") == {"f": b"abc"}


def test_a_full_and_a_failing_disk_change_nothing(disk):
    write(disk, 0, b"abc")
    disk.fault.full = True
    with pytest.raises(DiskFullError):
        write(disk, 0, b"xyz")
    disk.fault.full, disk.fault.error_in = False, 0
    with pytest.raises(DiskIoError):
        write(disk, 0, b"xyz")
    assert disk.copy("f") == {"f": b"abc"}
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
