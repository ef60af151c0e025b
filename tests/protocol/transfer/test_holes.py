"""The walkers have eyes: each planted hole is found, and half a hole, caught by the other half, is not."""

import re

import pytest
from world import walk
from world_holes import HALVES, HOLES
from world_meter import ViolationError

STEPS = 400
# The rarest hole shows in one walk of some 240; the known seed is tried first and usually ends the hunt.
HUNT_WALKS = 300
HALF_WALKS = 8


def hunt(hole):
    """The first violation that names what this hole breaks; None where none of the walks finds it."""
    for seed in (hole.seed, *range(HUNT_WALKS)):
        try:
            walk(seed, STEPS, **hole.how())
        except ViolationError as violation:
            if re.search(hole.needs, str(violation)):
                return violation
    return None


@pytest.mark.parametrize("hole", HOLES, ids=[hole.name for hole in HOLES])
def test_the_walkers_find_a_planted_hole(hole):
    assert hunt(hole) is not None, f"{hole.name}: not found in {HUNT_WALKS} walks of {STEPS} steps"


@pytest.mark.parametrize("half", HALVES, ids=[half.name for half in HALVES])
def test_half_a_hole_is_caught_by_the_other_half(half):
    for seed in range(HALF_WALKS):
        walk(seed, STEPS, **half.how())
