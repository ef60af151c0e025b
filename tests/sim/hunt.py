"""Hunts with fresh seeds for as long as it is told to, on both cores; `make sim`.

python tests/sim/hunt.py [--seconds 300] [--first N] [--steps 8000] [--jobs 2] [--worst 3]

Prints every seed that broke something with the source it ran on and its story, and at the end the seeds walked and
steps a second.
"""

import argparse
import sys
import time
from collections import Counter
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from itertools import count

from prewatt.sim.run import CALM_EVERY, Request, run
from prewatt.sim.shrink import kind_of, shrink
from prewatt.sim.source import source
from prewatt.sim.story import story


def request(seed, steps):
    how = seed % 8
    return Request(seed, steps, meters=1 + seed // 8 % 5, calm=how != 0, calm_every=CALM_EVERY if how == 1 else 0)


def told(outcome, lines):
    """A run that broke something, with all it takes to see that again: which source, which seed."""
    first = f"prewatt {source()}, seed {outcome.request.seed}: {outcome.request}"
    return "\n".join([first, *lines, outcome.trace])


def walk(seed, steps, tries):
    """Steps, counts and days of a seed; and what broke, as (kind, story), if anything did."""
    outcome = run(request(seed, steps))
    broken = None
    if outcome.violation is not None:
        lines = story(shrink(outcome, tries)) if tries else [outcome.violation]
        broken = (kind_of(outcome.violation), told(outcome, lines))
    return seed, outcome.steps, outcome.counts, outcome.calm_s, broken


def main():
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--seconds", type=float, default=300, help="how long to hunt")
    asked.add_argument("--first", type=int, default=time.time_ns() // 1_000_000, help="the first seed")
    asked.add_argument("--steps", type=int, default=8_000, help="steps of each seed")
    asked.add_argument("--jobs", type=int, default=2, help="processes")
    asked.add_argument("--tries", type=int, default=150, help="runs spent on making a story short; 0: none")
    asked.add_argument("--worst", type=int, default=3, help="end after so many broken seeds")
    given = asked.parse_args()
    begun, steps, seeds, broken, counts, slowest_s = time.monotonic(), 0, 0, Counter(), Counter(), 0
    numbers = count(given.first)
    with ProcessPoolExecutor(given.jobs) as pool:
        under_way = {pool.submit(walk, next(numbers), given.steps, given.tries) for _ in range(given.jobs)}
        while under_way:
            done, under_way = wait(under_way, return_when=FIRST_COMPLETED)
            for each in done:
                seed, walked, counted, calm_s, wrong = each.result()
                seeds, steps, slowest_s = seeds + 1, steps + walked, max(slowest_s, calm_s)
                counts.update(counted)
                if wrong is not None:
                    broken[wrong[0]] += 1
                    print(f"--- seed {seed} broke\n{wrong[1]}", flush=True)
                if time.monotonic() - begun < given.seconds and broken.total() < given.worst:
                    under_way.add(pool.submit(walk, next(numbers), given.steps, given.tries))
    took = time.monotonic() - begun
    print(f"seeds {given.first} to {given.first + seeds - 1}, {steps} steps, {steps / took:.0f} steps/s")
    print(f"slowest to converge {slowest_s} s of virtual time; {dict(sorted(counts.items()))}; broken {dict(broken)}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
