"""Walks of the real host against real meters over a hostile field: whatever happens, value moves exactly once.

`hunt.py` beside this file walks for as long as it is told to, and makes the story of a broken walk short.
"""

import pytest
from chaos_world import Script, walk

STEPS = 700


@pytest.mark.parametrize("seed", [1, 3, 4, 5, 1_017])
def test_a_known_walk_ends_with_every_micro_unit_in_its_place(seed, quick_paths):
    world = walk(quick_paths(), Script.draw(seed, STEPS))
    assert world.events["applied"] > 0
