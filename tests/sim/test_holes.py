"""The simulator has eyes: each hole planted on purpose is found by a run that is known to fall into it.

The very same run without the hole has to be clean, or it is a broken tree that was found. `hunt_holes.py` beside this
file looks for them with fresh seeds (`make sim HOLES=1`).
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import sim_bodies  # noqa: F401 - plants more of them
import sim_burns  # noqa: F401 - plants more of them
from sim_holes import ALONE, HOLES, MOODS, SEEDS, clean, fall, has_boxes, moody, named, planted
from sim_rules import COVERED, UNSEEN

from prewatt.sim.run import Request, run

HOLES_MIN = 20
# Seeds beside the known one that are tried where it sees nothing any more.
NEAR = 30


def test_every_planted_hole_has_a_run_that_finds_it_and_says_what_it_would_do():
    assert set(SEEDS) == set(HOLES) - UNSEEN
    assert len(HOLES) >= HOLES_MIN
    assert [name for name, hole in (HOLES | ALONE).items() if not hole.__doc__] == []


def test_a_hole_that_another_rule_covers_is_hunted_together_with_one_in_that_rule():
    assert {each for name in COVERED for each in name.split(" and ")} <= set(ALONE) | set(HOLES)
    assert all(name in HOLES and by for name, by in COVERED.items())
    assert set(ALONE).isdisjoint(HOLES)


def test_what_is_hunted_with_fresh_seeds_is_every_planted_hole():
    """In a process of its own: here the holes of all modules are planted already."""
    say = "import json, hunt_holes; print(json.dumps([sorted(hunt_holes.HOLES), sorted(hunt_holes.ALONE)]))"
    asked = [sys.executable, "-c", say]
    found = subprocess.run(asked, cwd=Path(__file__).parent, capture_output=True, text=True, check=True)
    assert json.loads(found.stdout) == [sorted(HOLES), sorted(ALONE)]


def hunted(name):
    """The first run that falls into the hole: the known one, or one near it where the world has changed since."""
    near = [seed for seed in range(SEEDS[name] + 1, SEEDS[name] + NEAR) if has_boxes(seed) is MOODS[name][1]]
    for seed in (SEEDS[name], *near):
        outcome = fall(name, seed)
        if outcome.violation is not None and named(name, outcome):
            return outcome
    return None


@pytest.mark.parametrize("name", sorted(SEEDS))
def test_the_simulator_falls_into_a_planted_hole_and_into_nothing_without_it(name):
    outcome = hunted(name)
    assert outcome is not None, f"{name}: nothing seen near seed {SEEDS[name]}; find another with hunt_holes.py"
    seed = outcome.request.seed
    assert clean(name, seed, outcome.steps), f"{name}: seed {seed} breaks something without the hole as well"


def test_what_was_planted_is_gone_afterwards():
    name = "sequence_checked_after_the_write"
    with pytest.raises(KeyError), planted(name):
        raise KeyError
    assert run(Request(SEEDS[name], 400, meters=2, calm=False), moody(name, SEEDS[name])).violation is None
