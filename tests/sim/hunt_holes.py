"""Hunts each planted hole with fresh seeds and tells how many steps it took: are the simulator's eyes still good?

    python tests/sim/hunt_holes.py [--hunts 3] [--steps 10000] [--alone 4000] [--jobs 2] [HOLE ...]

A hunt walks one fresh seed after the other until one falls into the hole, or until its steps are used up. For each hole
the table has how many of its hunts found it, the median of the steps of all hunts (one that found nothing counts as
longer than any), the seed that found it soonest, and what was seen there. A hole that another rule covers is walked
alone besides, and has to do no harm. Ends with 1 where a hole was found by no hunt at all, or one alone did harm.
"""

import argparse
import secrets
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from statistics import median_low

sys.path.insert(0, str(Path(__file__).parent))

import sim_bodies  # noqa: F401 - plants more of them
import sim_burns  # noqa: F401 - plants more of them
import sim_rules
from sim_holes import ALONE, HOLES, MOODS, clean, fall, has_boxes, named


def hunt(name, first, steps_max):
    """The first fresh seed that falls into the hole, or None, and the steps of all runs of this hunt."""
    steps, seed = 0, first
    while steps < steps_max:
        seed += 1
        if has_boxes(seed) is not MOODS[name][1]:
            continue
        outcome = fall(name, seed)
        steps += outcome.steps
        # What breaks without the hole as well says nothing about the hole.
        if outcome.violation is not None and named(name, outcome) and clean(name, seed, outcome.steps):
            return (outcome.steps, seed, outcome.violation), steps
    return None, steps


def told(name, hunts, steps_max):
    """A row of the table, and how many of the hunts found the hole."""
    tried = [hunt(name, secrets.randbits(32), steps_max) for _ in range(hunts)]
    found = sorted(outcome for outcome, _ in tried if outcome is not None)
    middle = median_low([steps if outcome is not None else sys.maxsize for outcome, steps in tried])
    took = f"over {steps_max:,}" if middle == sys.maxsize else f"{middle:,}"
    _, seed, seen = found[0] if found else (0, "", "")
    seen = seen.split(" Money(")[0].replace("|", "/")[:90]
    return f"| {name.replace('_', ' ')} | {len(found)} of {hunts} | {took} | {seed} | {seen} |", len(found)


def harm(name, steps_max):
    """What a hole did that should do no harm alone, or None."""
    steps, seed = 0, secrets.randbits(32)
    while steps < steps_max:
        seed += 1
        if has_boxes(seed) is MOODS[name][1]:
            outcome = fall(name, seed)
            steps += outcome.steps
            if outcome.violation is not None:
                return f"seed {seed}: {outcome.violation[:150]}"
    return None


def main():
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("holes", nargs="*", default=sorted(HOLES))
    asked.add_argument("--hunts", type=int, default=3, help="hunts for each hole")
    asked.add_argument("--steps", type=int, default=10_000, help="steps after which a hunt is given up")
    asked.add_argument("--alone", type=int, default=4_000, help="steps that a covered hole is walked alone")
    asked.add_argument("--jobs", type=int, default=2, help="processes")
    given = asked.parse_args()
    missed, harmed = [], []
    print("| planted | found by | steps, median of all hunts | seed | seen |\n| --- | --- | --- | --- | --- |")
    with ProcessPoolExecutor(given.jobs) as pool:
        hunts = [pool.submit(told, name, given.hunts, given.steps) for name in given.holes]
        alone = sorted(ALONE) if given.holes == sorted(HOLES) else []
        walks = [pool.submit(harm, name, given.alone) for name in alone]
        for name, each in zip(given.holes, hunts, strict=True):
            row, found = each.result()
            print(row, flush=True)
            missed += [] if found else [name]
        for name, each in zip(alone, walks, strict=True):
            wrong = each.result()
            print(f"{name.replace('_', ' ')} alone: {wrong or f'no harm in {given.alone:,} steps'}", flush=True)
            harmed += [] if wrong is None else [name]
    print(f"{len(sim_rules.COVERED)} of these are pairs: each alone is covered by another rule", file=sys.stderr)
    if missed:
        print(f"found by no hunt: {', '.join(missed)}", file=sys.stderr)
    return 1 if missed or harmed else 0


if __name__ == "__main__":
    sys.exit(main())
