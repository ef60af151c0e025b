"""A million steps of the whole platform under every fault, from seeds that nobody has seen before: no violation.

A seed that breaks something is printed with the source it ran on and its story; `prewatt sim --seed N --steps S` runs
it again. Eight tests share the million, so that processes share the work to its end.
"""

import re
import secrets
import sys
from itertools import count

import hunt
import pytest
from hunt import told
from sim_holes import planted

from prewatt.sim.run import CALM_EVERY, Request, run
from prewatt.sim.script import has_bodies
from prewatt.sim.shrink import shrink
from prewatt.sim.source import source
from prewatt.sim.story import story

PARTS = 8
STEPS = 1_000_000 // PARTS
# So many sales are applied at least, in at most this much more steps: some seeds sell little.
APPLIED = STEPS // 5_000
STEPS_MAX = 2 * STEPS
# What is spent on making the story of a broken seed short.
TRIES_MAX, STORY_STEPS_MAX = 60, 300_000
# What one run may take: long enough for faults to meet, short enough for many moods.
RUN_STEPS = (4_000, 8_000, 8_000, 16_000, 40_000)


def fresh_seed():
    """One that exchanges, loses and clones no meters: those are hunted with `make sim`, and known ones walked below."""
    return next(seed for seed in iter(lambda: secrets.randbits(40), None) if not has_bodies(seed))


def request(seed):
    """Most runs end with everything converging; some never stop the faults, some stop them again and again."""
    how = seed % 8
    steps, meters = RUN_STEPS[seed // 8 % len(RUN_STEPS)], (1, 2, 3, 3, 5)[seed // 64 % 5]
    return Request(seed, steps, meters=meters, calm=how != 0, calm_every=CALM_EVERY if how == 1 else 0)


def walk_until(steps, sales):
    """Fresh seeds until so many steps are done and sales applied; gives the steps, or fails with the story of the first
    that broke."""
    done = applied = 0
    while done < steps or applied < sales:
        asked = request(fresh_seed())
        outcome = run(asked)
        if outcome.violation is not None:
            pytest.fail(told(outcome, story(shrink(outcome, TRIES_MAX, STORY_STEPS_MAX))), pytrace=False)
        done += outcome.steps
        applied += outcome.counts["applied"]
        assert applied >= sales or done < STEPS_MAX, f"{applied} sales applied in {done} steps"
    return done


@pytest.mark.heavy
@pytest.mark.parametrize("part", range(1, PARTS + 1))
def test_a_million_fresh_steps_break_nothing(part):
    assert walk_until(STEPS, APPLIED) >= STEPS


@pytest.mark.parametrize("seed", [1, 2, 4, 8, 1_005, 1_016, 1_027])
def test_a_known_seed_breaks_nothing(seed):
    outcome = run(Request(seed, steps=2_000, bodies=False))
    assert outcome.violation is None, told(outcome, [outcome.violation])
    assert outcome.steps >= 2_000


# Walks in which meters are exchanged, lost or copied, and which broke something once.
BODIES = [
    Request(138093911194, 2_900, calm=False),
    Request(700000122, 4_000, meters=1, calm=False),
    Request(700000137, 7_000, meters=5, calm=False),
    Request(1000000006, 8_000, meters=3),
    Request(754727310924, 4_000, meters=3),
    Request(780222157182, 8_000, meters=1),
    Request(369994391409, 8_000, meters=1, calm_every=60),
    Request(355169273602, 4_000, meters=1),
]


@pytest.mark.parametrize("request_", BODIES, ids=lambda request_: str(request_.seed))
def test_a_known_walk_of_bodies_breaks_nothing(request_):
    outcome = run(request_)
    assert outcome.violation is None, told(outcome, [outcome.violation])
    assert len(outcome.operations) > 100


def test_a_run_that_breaks_something_names_its_seed_and_its_source():
    with planted("answers_before_the_journal_is_written"):
        broken = next(filter(None, (hunt.walk(seed, steps=1_500, tries=0)[-1] for seed in range(1, 100))))
    assert re.match(rf"prewatt {re.escape(source())}, seed (\d+): Request\(seed=\1, steps=1500, ", broken[1])


def test_a_fresh_seed_that_breaks_something_fails_with_its_seed_and_its_source(monkeypatch):
    seeds = count(1)
    for name, value in (("TRIES_MAX", 0), ("RUN_STEPS", (1_500,)), ("fresh_seed", lambda: next(seeds))):
        monkeypatch.setattr(sys.modules[__name__], name, value)
    with planted("answers_before_the_journal_is_written"), pytest.raises(pytest.fail.Exception) as caught:
        walk_until(10**6, 0)
    assert re.match(rf"prewatt {re.escape(source())}, seed (\d+): Request\(seed=\1, ", caught.value.msg)
