"""Value moves exactly once whatever happens: seeded walks through thousands of steps, and Hypothesis after them.

Behind every step stand the real money core, journal, sessions and value codes of both suites; messages are lost,
doubled, delayed, replayed for ever; power goes inside any write, the host dies between any two commits, comes back from
old backups, gets bodies replaced and destroyed. world.py says what must hold.
"""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule
from world import RestoredWorld, World, walk
from world_holes import BODIES, CANCELS, CODES, CRASHES, REFUSALS, REPLACING, RESTORES

MOODS = {
    "any": {},
    "codes": CODES,
    "replacing": REPLACING,
    "bodies": BODIES,
    "crashes": CRASHES,
    "cancels": CANCELS,
    "restores": RESTORES,
    "refusals": REFUSALS,
}
CHOICES = st.integers(0, 2**30 - 1)


@pytest.mark.parametrize("suite_name", ["aes-2026", "tdes-1998"])
@pytest.mark.parametrize("mood", MOODS)
def test_a_long_walk_moves_value_exactly_once(mood, suite_name):
    for seed in range(5):
        walk(seed, 1_500, mood=MOODS[mood], suite_name=suite_name)


def test_walks_that_calm_down_on_the_way_go_on_as_before():
    for seed in range(100, 104):
        walk(seed, 1_500, calm_every=300)


@pytest.mark.parametrize("mood", MOODS)
def test_a_backup_put_back_at_the_end_of_a_walk_moves_nothing_twice(mood):
    for seed in range(300, 306):
        walk(seed, 300, mood=MOODS[mood], world_type=RestoredWorld)


def test_the_walks_reach_every_corner():
    seen = {}
    for seed in range(200, 230):
        world = walk(seed, 800, mood=(CODES, REPLACING, RESTORES, BODIES, {})[seed % 5])
        for name, count in (world.events + world.host.events).items():
            seen[name] = seen.get(name, 0) + count
    wanted = {"swaps", "crashes", "restores", "Synced", "reconciled", "Suspense", "Renumbered", "Refused", "Retired"}
    wanted |= {"code STORED", "code EARLY", "code ALREADY_USED", "transfer SEQUENCE", "fence DONE", "Frozen"}
    wanted |= {"leaving", "moved balance", "SignedOver", "destroyed"}
    assert wanted - set(seen) == set()


def test_orders_of_lost_bodies_go_on_at_other_meters():
    walks = (walk(seed, 400, mood=BODIES, world_type=RestoredWorld) for seed in range(60))
    assert any(world.host.events["moved order"] for world in walks)


class Walker(RuleBasedStateMachine):
    """The same world, driven by Hypothesis; `World.step` checks after every step."""

    def __init__(self):
        super().__init__()
        self.world = World()
        self.world.calm()

    @rule(name=st.sampled_from([name for name, weight in World.OPS if weight >= 3]), choice=CHOICES)
    def daily(self, name, choice):
        self.world.step(name, choice)

    @rule(name=st.sampled_from(World.NAMES), choice=CHOICES)
    def anything(self, name, choice):
        self.world.step(name, choice)

    @rule(choices=st.lists(CHOICES, min_size=4, max_size=12))
    def deliver(self, choices):
        for choice in choices:
            self.world.step("deliver", choice)

    def teardown(self):
        self.world.calm()


TestWalker = Walker.TestCase
TestWalker.settings = settings(max_examples=25, stateful_step_count=60, deadline=None)
