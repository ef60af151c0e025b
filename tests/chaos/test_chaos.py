"""Walks of the real host against real meters over a hostile field: whatever happens, value moves exactly once.

`hunt.py` beside this file walks for as long as it is told to, and makes the story of a broken walk short.
"""

import os

import pytest
from chaos_world import Script, walk

STEPS = 700
FRESH_SEED = int.from_bytes(os.urandom(4), "big")


@pytest.mark.parametrize("seed", [1, 3, 4, 5, 1_017])
def test_a_known_walk_ends_with_every_micro_unit_in_its_place(seed, quick_paths):
    world = walk(quick_paths(), Script.draw(seed, STEPS))
    assert world.events["applied"] > 0


def test_a_fresh_walk_ends_with_every_micro_unit_in_its_place(quick_paths):
    print(f"seed {FRESH_SEED}: python tests/chaos/hunt.py --seed {FRESH_SEED} --steps {STEPS} --shrink 60")
    walk(quick_paths(), Script.draw(FRESH_SEED, STEPS))
