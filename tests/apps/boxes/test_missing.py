"""Whatever a box lacks is one line, and nothing is left behind by a start that could not be."""

import shutil

import pytest

from prewatt.apps.boxes.clock import WallClock
from prewatt.apps.boxes.homes import Homes
from prewatt.apps.boxes.spoolfile import BoxMemoryError, MemoryFile
from prewatt.apps.street.loads import home_load


@pytest.fixture
def made(field):
    """An installation with papers for a box of each kind, and a meter's memory."""
    (memory,) = field.make()
    field.run("area", "certify", "A1", "--out", field.folder / "area")
    field.run("station", "certify", "S1", "--out", field.folder / "station")
    return field, memory


def refused(field, *words):
    """The one line with which a command ends."""
    box = field.box(words[0], *words).start()
    assert box.wait() == 1, box.said.read_text()
    (line,) = box.failed.read_text().splitlines()
    box.failed.write_text("")
    return line


def test_a_box_without_papers_or_with_anothers_says_so(made):
    field, _ = made
    assert "prewatt area certify" in refused(field, "area", "run", field.folder / "nowhere")
    assert "are those of area 0; allowed are those of a station" in refused(
        field, "station", "run", field.folder / "area"
    )
    (field.folder / "station" / "box.key").chmod(0o644)
    assert "chmod 600" in refused(field, "station", "run", field.folder / "station")


def test_a_box_whose_memory_is_anothers_or_damaged_says_so(made):
    field, _ = made
    (field.folder / "station" / "memory").write_bytes(b"no memory at all " * 400)
    assert "not one, or damaged" in refused(field, "station", "run", field.folder / "station")
    memory = MemoryFile(field.folder / "area" / "memory")
    assert "another process works on it" in refused(field, "area", "run", field.folder / "area")
    memory.close()


def test_an_address_that_is_none_or_cannot_be_had_is_named(made):
    field, _ = made
    area, station, free = field.folder / "area", field.folder / "station", "tcp://127.0.0.1:0"
    assert "'pigeon://loft'" in refused(field, "area", "run", area, "--host", "pigeon://loft", "--stations", free)
    assert "HOST:PORT" in refused(field, "station", "run", station, "--meters", "tcp://nowhere")
    assert "powerline-9600" in refused(field, "station", "run", station, "--meters", free, "--line", "string")
    assert "no such file" in refused(field, "meter", "run", field.folder / "none.nvm")
    assert "no such program" in refused(
        field, "area", "run", area, "--host", "nats://127.0.0.1:1", "--nats-server", "no-such-server"
    )


def test_a_street_of_up_is_not_run_as_a_host_of_its_own(made):
    field, _ = made
    (field.data / "clock.json").write_text('{"world_s": 1800000000}')
    assert "prewatt init" in refused(field, "host", "run", "--data", field.data, "--port", "0")


def test_a_host_without_an_installation_says_how_to_make_one(field):
    field.folder.mkdir(exist_ok=True)
    assert "prewatt init" in refused(field, "host", "run", "--data", field.folder / "empty", "--port", "0")


def test_a_memory_is_made_once_for_its_owner_and_runs_once(made):
    field, memory = made
    assert memory.stat().st_mode & 0o077 == 0
    before = memory.read_bytes()
    with pytest.raises(AssertionError, match="never written over"):
        field.run("meter", "make", "000001", "--out", memory)
    assert memory.read_bytes() == before
    homes = Homes(WallClock(), tick_s=1)
    homes.add(memory, home_load(0))
    with pytest.raises(BoxMemoryError, match="cannot be opened"):
        Homes(WallClock(), tick_s=1).add(memory, home_load(0))
    homes.close()
    copy = shutil.copy(memory, field.folder / "copy.nvm")
    again = Homes(WallClock(), tick_s=1)
    again.add(memory, home_load(0))
    with pytest.raises(BoxMemoryError, match="here already"):
        again.add(field.folder / "copy.nvm", home_load(0))
    again.close()
    copy.write_bytes(before[:100])
    with pytest.raises(BoxMemoryError, match="no whole meter"):
        Homes(WallClock(), tick_s=1).add(copy, home_load(0))


def test_papers_are_renewed_in_place_and_name_their_end(made):
    field, _ = made
    said = field.json("area", "certify", "A1", "--out", field.folder / "area", "--days", "30")
    assert (said["area"], said["number"]) == ("A1", 0)
    with pytest.raises(AssertionError, match="one of A1"):
        field.run("area", "certify", "A7", "--out", field.folder / "x")
    with pytest.raises(AssertionError, match="S7"):
        field.run("station", "certify", "S7", "--out", field.folder / "x")
    assert not (field.folder / "x").exists()
