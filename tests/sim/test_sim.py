"""A million steps of the whole platform under every fault, from seeds that nobody has seen before: no violation.

A seed that breaks something is printed with the source it ran on and its story; `prewatt sim --seed N --steps S` runs
it again. Two tests share the million, so that two processes share the work.
"""

import secrets

import pytest

from prewatt.sim.run import CALM_EVERY, Request, run
from prewatt.sim.shrink import shrink
from prewatt.sim.story import story

STEPS = 500_000
# What one run may take: long enough for faults to meet, short enough for many moods.
RUN_STEPS = (4_000, 8_000, 8_000, 16_000, 40_000)


def request(seed):
    """Most runs end with everything converging; some never stop the faults, some stop them again and again."""
    how = seed % 8
    steps, meters = RUN_STEPS[seed // 8 % len(RUN_STEPS)], (1, 2, 3, 3, 5)[seed // 64 % 5]
    return Request(seed, steps, meters=meters, calm=how != 0, calm_every=CALM_EVERY if how == 1 else 0)


def walk_until(steps):
    """Fresh seeds until so many steps are done; gives their number, or fails with the story of the first that broke."""
    done = applied = 0
    while done < steps:
        asked = request(secrets.randbits(40))
        outcome = run(asked)
        if outcome.violation is not None:
            told = "\n".join(story(shrink(outcome, tries_max=60, steps_max=300_000)))
            pytest.fail(f"{asked}\n{told}\n{outcome.trace}", pytrace=False)
        done += outcome.steps
        applied += outcome.counts["applied"]
    return applied


@pytest.mark.heavy
@pytest.mark.parametrize("half", ["one half", "the other half"])
def test_half_a_million_fresh_steps_break_nothing(half):
    assert walk_until(STEPS) > STEPS // 5_000


@pytest.mark.parametrize("seed", [1, 2, 4, 8, 1_005, 1_016, 1_027])
def test_a_known_seed_breaks_nothing(seed):
    outcome = run(Request(seed, steps=2_000, bodies=False))
    assert outcome.violation is None, outcome.trace
    assert outcome.steps >= 2_000


# Walks in which meters are exchanged, lost or copied, and which broke something once.
BODIES = [
    Request(138093911194, 2_900, calm=False),
    Request(700000122, 4_000, meters=1, calm=False),
    Request(700000137, 7_000, meters=5, calm=False),
    Request(1000000006, 8_000, meters=3),
]


@pytest.mark.parametrize("request_", BODIES, ids=lambda request_: str(request_.seed))
def test_a_known_walk_of_bodies_breaks_nothing(request_):
    outcome = run(request_)
    assert outcome.violation is None, f"{outcome.violation}\n{outcome.trace}"
    assert len(outcome.operations) > 100
