"""A story is made short in few tries, and what is left still breaks the same."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import prewatt.sim.shrink as shrink_module
from prewatt.sim.run import Outcome, Request
from prewatt.sim.script import Operation
from prewatt.sim.shrink import STEPS_MAX, kind_of, shrink

NAMES = 20


def script(length):
    return [Operation(1_000 * at, f"people.{at * 7 % NAMES}", at) for at in range(length)]


class Walks:
    """Runs of scripts that break where all ``needed`` operations are in them, and otherwise where ``other`` is."""

    def __init__(self, needed, other=-1, steps=0):
        self.needed, self.other, self.steps, self.tries = set(needed), other, steps, 0

    def run(self, request, operations, *, keep_all=False):
        self.tries += not keep_all
        numbers = {operation.number for operation in operations}
        outcome = Outcome(request, steps=self.steps, operations=list(operations))
        if self.needed <= numbers:
            outcome.violation = f"order p{len(numbers)} is confirmed, and no meter holds it"
        elif self.other in numbers:
            outcome.violation = "something else"
        return outcome


def shortened(walks, length, tries, steps=STEPS_MAX):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shrink_module, "run", walks.run)
        return shrink(walks.run(Request(1), script(length), keep_all=True), tries, steps)


@given(st.sets(st.integers(0, 199), min_size=1, max_size=4), st.integers(-1, 199))
@settings(deadline=None)
def test_a_long_story_is_as_short_as_can_be_in_few_tries(needed, other):
    walks = Walks(needed, other)
    short = shortened(walks, 200, 150)
    assert {operation.number for operation in short.operations} == needed
    assert kind_of(short.violation) == kind_of("order p1 is confirmed, and no meter holds it")


@pytest.mark.parametrize("tries", [0, 1, 7, 60])
def test_no_more_is_tried_than_is_allowed(tries):
    walks = Walks({3, 190})
    short = shortened(walks, 200, tries)
    assert walks.tries <= tries
    assert {3, 190} <= {operation.number for operation in short.operations}


@pytest.mark.parametrize(("steps", "tries"), [(0, 0), (1, 1), (100, 1), (101, 2), (2_000, 20)])
def test_no_more_steps_are_spent_than_are_allowed_but_for_the_last_run(steps, tries):
    walks = Walks({3, 190}, steps=100)
    shortened(walks, 200, 1_000, steps)
    assert walks.tries == tries


def test_what_every_operation_is_needed_for_stays_whole():
    assert len(shortened(Walks(range(30)), 30, 200).operations) == 30
