"""Hunts each planted hole with fresh seeds and tells how many steps it took: are the simulator's eyes still good?

    python tests/sim/hunt_holes.py [--seconds 60] [--first N] [HOLE ...]

The table is the one in docs/operating/simulator.md. Ends with 1 where a hole was not found in its time.
"""

import argparse
import secrets
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from sim_holes import HOLES, MOODS, fall, has_boxes, moody

from prewatt.sim.run import run


def hunt(name, first, seconds):
    """The first seed that falls into the hole, its outcome, and the steps of all runs until then; or None."""
    steps, until = 0, time.monotonic() + seconds
    seed = first
    while time.monotonic() < until:
        seed += 1
        if has_boxes(seed) is not MOODS[name][1]:
            continue
        outcome = fall(name, seed)
        steps += outcome.steps
        # What breaks without the hole as well says nothing about the hole.
        if outcome.violation is not None and run(outcome.request, moody(name, seed)).violation is None:
            return outcome, steps
    return None, steps


def main():
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("holes", nargs="*", default=sorted(HOLES))
    asked.add_argument("--seconds", type=float, default=60, help="for each hole")
    asked.add_argument("--first", type=int, help="the first seed; fresh ones otherwise")
    given = asked.parse_args()
    first = secrets.randbits(32) if given.first is None else given.first
    missed = []
    print("| hole | seed | steps of that run | steps in all | what was seen |\n| --- | --- | --- | --- | --- |")
    for name in given.holes:
        outcome, steps = hunt(name, first, given.seconds)
        if outcome is None:
            missed.append(name)
            print(f"| {name} | - | - | {steps:,} | not found |", flush=True)
            continue
        seen = outcome.violation.split(" Money(")[0].replace("|", "/")[:90]
        print(f"| {name} | {outcome.request.seed} | {outcome.steps:,} | {steps:,} | {seen} |", flush=True)
    if missed:
        print(f"not found: {', '.join(missed)}", file=sys.stderr)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
