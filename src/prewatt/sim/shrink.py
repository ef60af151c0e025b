"""Makes the story of a failing run short: operations are left out as long as the same thing still breaks.

Halves first, then quarters, down to single operations (delta debugging, Zeller and Hildebrandt 2002). What broke is
compared without its numbers. Bounded by tries, not by time, so that a story hangs on its seed alone.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from prewatt.sim.run import Outcome, run
from prewatt.sim.script import Operation

__all__ = ["TRIES_MAX", "kind_of", "shrink"]

TRIES_MAX: Final = 300
_SIGNIFICANT: Final = 60


def kind_of(violation: str) -> str:
    """What is broken, without whose and how much."""
    return re.sub(r"\b[0-9A-Fa-f]*[0-9]+[0-9A-Fa-f]*\b", "#", violation)[:_SIGNIFICANT]


def shrink(outcome: Outcome, tries_max: int = TRIES_MAX) -> Outcome:
    """The outcome of a script as short as could be found that still breaks the same."""
    assert outcome.violation is not None
    wanted, best, tries = kind_of(outcome.violation), outcome, 0
    # A shorter script makes fewer steps; it must not go on longer for that.
    request = replace(outcome.request, steps=10 * outcome.request.steps)
    operations: Sequence[Operation] = outcome.operations
    size = max(1, len(operations) // 2)
    while size and tries < tries_max:
        at, shorter = 0, False
        while at < len(operations) and tries < tries_max:
            tries += 1
            fewer = [*operations[:at], *operations[at + size :]]
            found = run(request, fewer)
            if found.violation is not None and kind_of(found.violation) == wanted:
                operations, best, shorter = found.operations, found, True
            else:
                at += size
        if not shorter or size > len(operations):
            size //= 2
    return run(request, best.operations, keep_all=True) if best is not outcome else outcome
