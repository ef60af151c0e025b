"""A box's memory file keeps what a spool promises, over restarts, kills and torn tails."""

import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prewatt.apps.boxes.spoolfile import BoxMemoryError, FileSpool, FileSpools, MemoryFile
from prewatt.device.spool import MemorySpool, SpoolError
from prewatt.units import MeterId

ID = b"spool-id"


def item(number: int):
    return MeterId(number.to_bytes(3, "big")), b"\x14" + bytes(number % 50)


def held(spool):
    assert spool.held_bytes == sum(len(payload) for _, payload in spool.read(spool.first, 10_000))
    return spool.first, spool.next, spool.read(spool.first, 10_000)


calls = st.lists(
    st.one_of(
        st.tuples(st.just("append"), st.integers(0, 5)),
        st.tuples(st.just("drop_through"), st.integers(0, 60)),
        st.tuples(st.just("skip_to"), st.integers(0, 60)),
        st.tuples(st.just("renew"), st.binary(min_size=8, max_size=8)),
        st.tuples(st.just("note"), st.binary(max_size=9)),
        st.tuples(st.just("reopen"), st.none()),
    ),
    max_size=25,
)


@settings(deadline=None, max_examples=60)
@given(calls)
def test_a_file_is_a_spool_like_one_in_memory_whenever_it_is_opened_again(script):
    with TemporaryDirectory(dir=quick()) as folder:
        path, count = Path(folder) / "box.memory", 0
        memory = MemoryFile(path)
        spool, model = FileSpools(memory).open(0, ID, 1), MemorySpool(ID)
        for call, given_value in script:
            if call == "append":
                items = [item(count + at) for at in range(given_value)]
                count += given_value
                spool.append(items)
                model.append(items)
            elif call == "reopen":
                memory.close()
                memory = MemoryFile(path)
                ((station, spool),) = FileSpools(memory).held()
                assert station == 0
            elif call == "note":
                spool.write_note("a", given_value)
                model.write_note("a", given_value)
            else:
                assert outcome(spool, call, given_value) == outcome(model, call, given_value)
            assert held(spool) == held(model)
            assert (spool.id, spool.read_note("a"), spool.read_note("b")) == (model.id, model.read_note("a"), b"")
        memory.close()


def outcome(spool, call, value):
    try:
        return getattr(spool, call)(value)
    except ValueError:
        return ValueError


def quick():
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


def test_a_station_finds_its_one_queue_again_and_a_fresh_memory_has_a_fresh_id(tmp_path):
    memory = MemoryFile(tmp_path / "a")
    spool = FileSpool.open(memory)
    spool.append([item(1), item(2)])
    spool.drop_through(2)
    memory.close()
    memory = MemoryFile(tmp_path / "a")
    again = FileSpool.open(memory)
    assert (again.id, again.first, again.next) == (spool.id, 3, 3)
    memory.close()
    other = MemoryFile(tmp_path / "b")
    assert FileSpool.open(other).id != spool.id
    other.close()


def test_an_area_keeps_each_stations_queue_by_itself(tmp_path):
    memory = MemoryFile(tmp_path / "area")
    spools = FileSpools(memory)
    one, two, third = spools.open(1, ID, 7), spools.open(2, ID, 1), spools.open(1, b"other-id", 1)
    one.append([item(1)])
    two.append([item(2), item(3)])
    with pytest.raises(ValueError, match="still holds"):
        spools.forget(2, ID)
    spools.forget(1, b"other-id")
    spools.forget(9, ID)
    assert third.first == third.next
    memory.close()
    memory = MemoryFile(tmp_path / "area")
    assert [(station, held(spool)) for station, spool in FileSpools(memory).held()] == [
        (1, (7, 8, (item(1),))),
        (2, (1, 3, (item(2), item(3)))),
    ]
    memory.close()


def test_a_memory_belongs_to_one_process_at_a_time(tmp_path):
    memory = MemoryFile(tmp_path / "box")
    with pytest.raises(BoxMemoryError, match="another process"):
        MemoryFile(tmp_path / "box")
    code = "import pathlib, sys, prewatt.apps.boxes.spoolfile as boxes; boxes.MemoryFile(pathlib.Path(sys.argv[1]))"
    other = subprocess.run([sys.executable, "-c", code, tmp_path / "box"], capture_output=True, text=True, check=False)
    assert "another process works on it" in other.stderr
    memory.close()
    MemoryFile(tmp_path / "box").close()
    assert (tmp_path / "box").stat().st_mode & 0o077 == 0


def test_what_is_no_memory_is_refused_and_left_alone(tmp_path):
    text, database = tmp_path / "text", tmp_path / "other.db"
    text.write_bytes(b"This is no database at all, but long enough to be looked at. " * 20)
    connection = sqlite3.connect(database)
    connection.execute("CREATE TABLE a (b)")
    connection.close()
    for path in (text, database):
        before = path.read_bytes()
        with pytest.raises(BoxMemoryError, match="not one, or damaged"):
            MemoryFile(path)
        if path is text:
            assert path.read_bytes() == before
    with pytest.raises(BoxMemoryError, match="cannot be opened"):
        MemoryFile(tmp_path / "nowhere" / "box")


def test_a_tail_torn_anywhere_loses_at_most_what_no_call_had_returned(tmp_path):
    """The log is cut at many places: what is found is always what was there after some call, in order."""
    memory = MemoryFile(tmp_path / "box")
    spool = FileSpool.open(memory)
    log = tmp_path / "box-wal"
    states, sizes = [held(spool)], [log.stat().st_size]
    for number in range(6):
        spool.append([item(number)])
        states.append(held(spool))
        sizes.append(log.stat().st_size)
    whole, base = log.read_bytes(), (tmp_path / "box").read_bytes()
    cuts = sorted({*range(sizes[0], len(whole), 997), *sizes, *(size - 1 for size in sizes), len(whole)})
    for cut in cuts:
        place = tmp_path / f"cut-{cut}"
        place.mkdir()
        (place / "box").write_bytes(base)
        (place / "box-wal").write_bytes(whole[:cut])
        found = MemoryFile(place / "box")
        least = max(sum(size <= cut for size in sizes) - 1, 0)
        assert held(FileSpool.open(found)) in states[least : least + 2]
        found.close()
        shutil.rmtree(place)
    memory.close()


def test_garbage_behind_the_log_is_cut_off(tmp_path):
    memory = MemoryFile(tmp_path / "box")
    spool = FileSpool.open(memory)
    spool.append([item(1)])
    (tmp_path / "copy").write_bytes((tmp_path / "box").read_bytes())
    log = (tmp_path / "box-wal").read_bytes()
    (tmp_path / "copy-wal").write_bytes(log + os.urandom(5_000))
    found = MemoryFile(tmp_path / "copy")
    assert held(FileSpool.open(found)) == held(spool)
    found.close()
    memory.close()


def test_a_killed_process_loses_nothing_that_append_had_returned_for(tmp_path):
    code = """
import sys
from pathlib import Path
from prewatt.apps.boxes.spoolfile import FileSpool, MemoryFile
spool = FileSpool.open(MemoryFile(Path(sys.argv[1])))
for number in range(100_000):
    spool.append([(number.to_bytes(3, "big"), b"x" * 300)])
    print(number, flush=True)
"""
    process = subprocess.Popen([sys.executable, "-c", code, tmp_path / "box"], stdout=subprocess.PIPE, text=True)
    said = [process.stdout.readline() for _ in range(200)]
    process.kill()
    said += process.stdout.readlines()
    process.stdout.close()
    process.wait()
    last = int([line for line in said if line.endswith("\n")][-1])
    memory = MemoryFile(tmp_path / "box")
    spool = FileSpool.open(memory)
    items = spool.read(1, 100_000)
    assert [int.from_bytes(meter, "big") for meter, _ in items] == list(range(len(items)))
    assert last + 1 <= len(items) <= last + 2
    memory.close()


def test_a_full_disk_refuses_and_keeps_what_was_there(tmp_path):
    memory = MemoryFile(tmp_path / "box")
    spool = FileSpool.open(memory)
    spool.append([item(1)])
    before = held(spool)
    memory._connection.execute("PRAGMA max_page_count = 8")
    big = [(item(number)[0], bytes(2_000)) for number in range(50)]
    with pytest.raises(SpoolError, match="full"):
        spool.append(big)
    with pytest.raises(SpoolError, match="full"):
        spool.write_note("members", bytes(100_000))
    assert held(spool) == before
    assert spool.read_note("members") == b""
    memory._connection.execute("PRAGMA max_page_count = 100000")
    spool.append(big)
    assert spool.next == 52
    memory.close()
