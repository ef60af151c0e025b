"""`prewatt sim` as a person runs it: what it prints, and the exit code that a script goes by."""

import json
import sys
from functools import partial
from pathlib import Path

import pytest

from prewatt.apps.cli import app
from prewatt.apps.cli.shell import run
from prewatt.sim import shrink
from prewatt.sim.source import source

sys.path.insert(0, str(Path(__file__).parents[1] / "sim"))
import sim_holes

# Falls over soon, and without many steps after it.
HOLE = "answers_before_the_journal_is_written"
# The first of these seeds that falls into it is looked at: which one it is hangs on all that the simulator does.
SEEDS = range(1, 20)
WALK = ("--meters", "2", "--steps", "1500", "--safety")


@pytest.fixture
def short_of_time(monkeypatch):
    """Next to nothing is spent on making a story short."""
    monkeypatch.setattr(shrink, "shrink", partial(shrink.shrink, tries_max=3))


def test_a_clean_seed_ends_with_0_and_tells_the_same_each_time(capsys):
    found = []
    for _ in range(2):
        assert run(app, ["sim", "--seed", "7", "--days", "1", "--meters", "1", "--steps", "800", "--json"]) == 0
        found.append(json.loads(capsys.readouterr().out))
    assert found[0] == found[1]
    said = found[0]
    assert (said["seed"], said["violations"], said["story"], said["operations"]) == (7, [], [], [])
    assert (said["request"]["days"], said["request"]["meters"], said["source"]) == (1, 1, source())
    assert said["steps"] >= 800


def test_the_days_asked_for_end_a_run_that_was_asked_for_no_steps(capsys, monkeypatch):
    """The walk itself would take long: what it is asked for is looked at."""
    asked = []
    monkeypatch.setattr("prewatt.sim.run.run", lambda request, **_: asked.append(request) or stop())
    for words, days, many in (("--days 2", 2, True), ("--days 2 --steps 9", 2, False), ("", None, False)):
        assert run(app, ["sim", "--seed", "7", *words.split()]) == 1
        assert days in (None, asked[-1].days)
        assert (asked[-1].steps == sys.maxsize) is many
    capsys.readouterr()


def stop():
    raise OSError("far enough")


def test_a_violation_ends_with_1_and_names_seed_and_source_and_what_happened(capsys, short_of_time):
    with sim_holes.planted(HOLE):
        for seed in SEEDS:
            code, said = run(app, ["sim", "--seed", str(seed), *WALK]), capsys.readouterr()
            if code:
                break
    assert code == 1, f"none of {SEEDS} falls into the hole; plant another"
    *story, last = (said.out + said.err).splitlines()
    assert last == f"violation (prewatt {source()}, seed {seed})"
    assert len(story) > 10
    with sim_holes.planted(HOLE):
        assert run(app, ["sim", "--seed", str(seed), *WALK, "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    (violation,) = told["violations"]
    assert violation.split(" Money(")[0] in "\n".join(story)
    assert (told["seed"], told["source"]) == (seed, source())
    assert all(line in story for line in told["story"])
    assert told["operations"]


def test_the_same_seed_without_the_hole_ends_with_0_and_names_its_source(capsys):
    assert run(app, ["sim", "--seed", "1", *WALK]) == 0
    said = capsys.readouterr()
    assert (said.out + said.err).splitlines()[-1] == f"no violation (prewatt {source()}, seed 1)"
