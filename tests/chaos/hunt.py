"""Hunts for walks that break something, and makes their stories short.

python tests/chaos/hunt.py --seconds 300 [--first 1000] [--steps 2000]
python tests/chaos/hunt.py --seed 1017 --steps 2000        # one seed; --shrink makes its story short
"""

import argparse
import os
import re
import sys
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import structlog
from chaos_world import Script, World, walk

MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


def run(script, **how):
    """The world of a walk, or the exception that ended it."""
    with tempfile.TemporaryDirectory(prefix="prewatt-hunt-", dir=MEMORY) as folder:
        try:
            return walk(Path(folder) / "world", script, **how)
        except Exception as error:
            return error


def kind(error):
    """What is broken, without whose and how much."""
    return type(error).__name__ + " " + re.sub(r"[0-9A-Fa-f]*[0-9]+[0-9A-Fa-f]*", "#", str(error))[:45]


def shrink(script, error, seconds):
    """A script as short as could be found in that time that still breaks the same."""
    wanted, steps, until = kind(error), script.steps[: error.at_step], time.monotonic() + seconds
    size = max(1, len(steps) // 2)
    while size and time.monotonic() < until:
        at, shorter = 0, False
        while at < len(steps) and time.monotonic() < until:
            fewer = steps[:at] + steps[at + size :]
            found = run(Script(script.seed, fewer), audit_every=10**9)
            if isinstance(found, Exception) and kind(found) == wanted:
                steps, shorter, error = fewer[: found.at_step], True, found
            else:
                at += size
        if not shorter or size > len(steps):
            size //= 2
    return Script(script.seed, steps), error


def tell(script, error):
    print(f"--- seed {script.seed}, {len(script.steps)} steps")
    for step in script.steps[:60]:
        print(f"    {step!r},")
    traceback.print_exception(error, limit=-4)
    sys.stdout.flush()


def main():
    asked = argparse.ArgumentParser()
    asked.add_argument("--seconds", type=float, default=60)
    asked.add_argument("--first", type=int, default=int(time.time()))
    asked.add_argument("--steps", type=int, default=2_000)
    asked.add_argument("--seed", type=int)
    asked.add_argument("--shrink", type=float, default=0, help="seconds to spend on making a story short")
    asked.add_argument("--worst", type=int, default=5, help="end after so many broken seeds")
    given = asked.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    begun, seeds, steps, broken, events = time.monotonic(), 0, 0, Counter(), Counter()
    seed = given.first if given.seed is None else given.seed
    while time.monotonic() - begun < given.seconds:
        script = Script.draw(seed, given.steps)
        found = run(script)
        seeds, steps = seeds + 1, steps + given.steps
        if isinstance(found, World):
            events += found.events
        else:
            print(f"seed {seed}: {kind(found)} (step {found.at_step})", flush=True)
            if given.shrink and kind(found) not in broken:
                script, found = shrink(script, found, given.shrink)
                tell(script, found)
            elif given.seed is not None:
                traceback.print_exception(found)
            broken[kind(found)] += 1
        if given.seed is not None or broken.total() >= given.worst:
            break
        seed += 1
    took = time.monotonic() - begun
    print(f"{seeds} seeds, {steps} steps, {steps / took:.0f} steps/s; broken {dict(broken)}; {dict(events)}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
