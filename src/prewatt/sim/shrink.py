"""Makes the story of a failing run short: operations are left out as long as the same thing still breaks.

First all of one name at once, the most frequent names first: most of what happens in a walk has nothing to do with what
broke. Then halves, quarters, down to single operations (delta debugging, Zeller and Hildebrandt 2002). What broke is
compared without its numbers. Bounded by tries, not by time, so that a story hangs on its seed alone.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from prewatt.sim.run import Outcome, Request, run
from prewatt.sim.script import Operation

__all__ = ["TRIES_MAX", "kind_of", "shrink"]

TRIES_MAX: Final = 300
_SIGNIFICANT: Final = 60


def kind_of(violation: str) -> str:
    """What is broken, without whose and how much; sales are called p and a number here."""
    return re.sub(r"\bp?[0-9A-Fa-f]*[0-9]+[0-9A-Fa-f]*\b", "#", violation)[:_SIGNIFICANT]


def shrink(outcome: Outcome, tries_max: int = TRIES_MAX) -> Outcome:
    """The outcome of a script as short as could be found that still breaks the same."""
    assert outcome.violation is not None
    # A shorter script makes fewer steps; it must not go on longer for that.
    request = replace(outcome.request, steps=10 * outcome.request.steps)
    wanted, best, tries = kind_of(outcome.violation), outcome, 0
    names = Counter(operation.name for operation in outcome.operations)
    for name, _ in names.most_common():
        if tries < tries_max:
            tries += 1
            others = [operation for operation in best.operations if operation.name != name]
            best = _try(request, others, wanted) or best
    size = max(1, len(best.operations) // 2)
    while size and tries < tries_max:
        at, shorter = 0, False
        while at < len(best.operations) and tries < tries_max:
            tries += 1
            found = _try(request, [*best.operations[:at], *best.operations[at + size :]], wanted)
            if found is not None:
                best, shorter = found, True
            else:
                at += size
        if not shorter or size > len(best.operations):
            size //= 2
    return run(request, best.operations, keep_all=True) if best is not outcome else outcome


def _try(request: Request, operations: Sequence[Operation], wanted: str) -> Outcome | None:
    """What comes of these operations, where the same breaks."""
    found = run(request, operations)
    return found if found.violation is not None and kind_of(found.violation) == wanted else None
