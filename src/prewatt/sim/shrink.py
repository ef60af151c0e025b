"""Makes the story of a failing run short: operations are left out as long as the same thing still breaks.

First all of one name at once, the most frequent names first: most of what happens in a walk has nothing to do with what
broke. Then halves, quarters, down to single operations (delta debugging, Zeller and Hildebrandt 2002). What broke is
compared without its numbers. Bounded by tries and by steps, not by time, so that a story hangs on its seed alone.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from prewatt.sim.run import Outcome, Request, run
from prewatt.sim.script import Operation

__all__ = ["STEPS_MAX", "TRIES_MAX", "kind_of", "shrink"]

TRIES_MAX: Final = 300
# A walk that does not come to its end makes many steps until that is certain: some minutes altogether.
STEPS_MAX: Final = 1_000_000
_SIGNIFICANT: Final = 60


def kind_of(violation: str) -> str:
    """What is broken, without whose and how much; sales are called p and a number here."""
    return re.sub(r"\bp?[0-9A-Fa-f]*[0-9]+[0-9A-Fa-f]*\b", "#", violation)[:_SIGNIFICANT]


def shrink(outcome: Outcome, tries_max: int = TRIES_MAX, steps_max: int = STEPS_MAX) -> Outcome:
    """The outcome of a script as short as could be found that still breaks the same."""
    assert outcome.violation is not None
    # A shorter script makes fewer steps; it must not go on longer for that.
    request = replace(outcome.request, steps=10 * outcome.request.steps)
    tries = _Tries(request, kind_of(outcome.violation), tries_max, steps_max)
    best = outcome
    names = Counter(operation.name for operation in outcome.operations)
    for name, _ in names.most_common():
        best = tries.run([operation for operation in best.operations if operation.name != name]) or best
    size = max(1, len(best.operations) // 2)
    while size and tries.left:
        at, shorter = 0, False
        while at < len(best.operations) and tries.left:
            found = tries.run([*best.operations[:at], *best.operations[at + size :]])
            if found is not None:
                best, shorter = found, True
            else:
                at += size
        if not shorter or size > len(best.operations):
            size //= 2
    return run(request, best.operations, keep_all=True) if best is not outcome else outcome


class _Tries:
    """Runs of shorter scripts, as many as are allowed."""

    def __init__(self, request: Request, wanted: str, tries_max: int, steps_max: int) -> None:
        self._request, self._wanted = request, wanted
        self._tries, self._steps = tries_max, steps_max

    @property
    def left(self) -> bool:
        """Whether another is allowed."""
        return self._tries > 0 and self._steps > 0

    def run(self, operations: Sequence[Operation]) -> Outcome | None:
        """What comes of these operations, where the same breaks; None also where no more is allowed."""
        if not self.left:
            return None
        found = run(self._request, operations)
        self._tries, self._steps = self._tries - 1, self._steps - found.steps
        return found if found.violation is not None and kind_of(found.violation) == self._wanted else None
