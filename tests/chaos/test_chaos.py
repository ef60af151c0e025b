"""Walks of the real host against real meters over a hostile field: whatever happens, value moves exactly once.

`hunt.py` beside this file walks for as long as it is told to, and makes the story of a broken walk short.
"""

import time

import pytest
from chaos_world import Script, walk

STEPS = 700
# Fresh walks begin while this much time is left; one takes a few seconds.
FRESH_S = 15


@pytest.mark.parametrize("seed", [1, 3, 4, 5, 1_017, 900_012])
def test_a_known_walk_ends_with_every_micro_unit_in_its_place(seed, quick_paths):
    world = walk(quick_paths(), Script.draw(seed, STEPS))
    assert world.events["applied"] > 0


@pytest.mark.heavy
def test_fresh_walks_end_with_every_micro_unit_in_its_place(quick_paths):
    """A violation names its seed; `hunt.py --seed N --steps 700 --shrink 60` tells its story."""
    first, until = time.time_ns() // 1_000, time.monotonic() + FRESH_S
    seed, applied = first, 0
    while seed == first or time.monotonic() < until:
        applied += walk(quick_paths(), Script.draw(seed, STEPS)).events["applied"]
        seed += 1
    assert applied > 0
