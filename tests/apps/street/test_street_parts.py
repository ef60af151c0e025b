"""The street's clock, memory files and loads."""

from pathlib import Path

import pytest

from prewatt.apps.street.clock import SPEED_MAX, StreetClock
from prewatt.apps.street.loads import WEEK_MINUTES, home_load, read_weeks
from prewatt.apps.street.nvm_file import FileNvm
from prewatt.device.meter.nvm import NvmRangeError, Region
from prewatt.units import DAY_S, ValueFieldError

START_S = 1_800_000_000


class Wall:
    """A monotonic clock that goes when told."""

    def __init__(self) -> None:
        self.s = 1000.0

    def __call__(self) -> float:
        return self.s


def test_the_clock_runs_at_its_speed_and_can_be_hurried_without_a_jump(tmp_path: Path) -> None:
    wall = Wall()
    clock = StreetClock(tmp_path / "clock.json", start_s=START_S, speed=1, monotonic=wall)
    wall.s += 10
    assert clock.now_s() == START_S + 10
    clock.set_speed(SPEED_MAX)
    assert clock.now_s() == START_S + 10
    wall.s += 2
    assert clock.now_s() == START_S + 10 + 2 * SPEED_MAX


def test_a_stopped_clock_goes_on_where_it_was(tmp_path: Path) -> None:
    wall = Wall()
    clock = StreetClock(tmp_path / "clock.json", start_s=START_S, speed=600, monotonic=wall)
    wall.s += 7
    clock.stop()
    wall.s += 1_000
    again = StreetClock(tmp_path / "clock.json", start_s=5, speed=1, monotonic=wall)
    assert again.now_s() == START_S + 7 * 600 + 1


@pytest.mark.parametrize("speed", [1, 60, SPEED_MAX])
def test_a_crashed_clock_never_goes_back_and_loses_little(tmp_path: Path, speed: int) -> None:
    wall = Wall()
    clock = StreetClock(tmp_path / "clock.json", start_s=START_S, speed=speed, monotonic=wall)
    for _ in range(100):
        wall.s += 0.05
        last_s = clock.now_s()
        again = StreetClock(tmp_path / "copy.json", start_s=0, speed=1, monotonic=wall)
        (tmp_path / "copy.json").write_bytes((tmp_path / "clock.json").read_bytes())
        again = StreetClock(tmp_path / "copy.json", start_s=0, speed=1, monotonic=wall)
        assert last_s <= again.now_s() <= last_s + 3 * speed


@pytest.mark.parametrize("speed", [0, -1, SPEED_MAX + 1])
def test_a_speed_outside_its_limits_is_refused(tmp_path: Path, speed: int) -> None:
    with pytest.raises(ValueFieldError, match="speed"):
        StreetClock(tmp_path / "clock.json", start_s=START_S, speed=speed, monotonic=Wall())


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"world_s": "x"}', '{"world_s": -1}', "\x00"])
def test_a_damaged_clock_file_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "clock.json").write_text(text)
    with pytest.raises(ValueFieldError, match="clock file"):
        StreetClock(tmp_path / "clock.json", start_s=START_S, speed=1, monotonic=Wall())


def test_a_memory_file_keeps_what_was_written_and_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "000001.nvm"
    memory = FileNvm(path)
    assert memory.born
    assert memory.read(Region.EVENTS, 0, 4) == b"\xff" * 4
    memory.write(Region.EVENTS, 8, b"abc")
    memory.close()
    again = FileNvm(path)
    assert not again.born
    assert again.read(Region.EVENTS, 7, 5) == b"\xffabc\xff"
    assert path.stat().st_mode & 0o777 == 0o600
    again.close()


def test_regions_of_a_memory_file_do_not_touch(tmp_path: Path) -> None:
    memory = FileNvm(tmp_path / "m.nvm")
    for index, region in enumerate(Region):
        memory.write(region, 0, bytes((index,)) * region.size)
    for index, region in enumerate(Region):
        assert memory.read(region, 0, region.size) == bytes((index,)) * region.size
        with pytest.raises(NvmRangeError):
            memory.write(region, region.size, b"x")
    memory.close()


def test_the_street_has_eight_different_real_weeks() -> None:
    weeks = read_weeks()
    assert len({week.pulses for week in weeks}) == 8
    for week in weeks:
        assert len(week.pulses) == len(week.angles_cdeg) == WEEK_MINUTES
        assert 100 < sum(week.pulses) / 10_000 < 350


def test_a_ninth_home_lives_the_first_week_some_hours_later() -> None:
    first, ninth = home_load(0), home_load(8)
    monday_s = 4 * DAY_S
    assert [ninth.at(monday_s + 7 * 3600 + 60 * m) for m in range(100)] == [
        first.at(monday_s + 60 * m) for m in range(100)
    ]
    assert first.at(monday_s) == first.at(monday_s + 7 * DAY_S)
