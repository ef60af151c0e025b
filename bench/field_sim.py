"""Steps a second of the simulator on one core: host, boxes, lines and meters under every fault, audited at each step.

A figure, and no claim: there is no other program that does the same. It tells how far a night of `make sim` reaches.
"""

from time import process_time

from bench.harness import Result
from prewatt.sim import run as simulator

__all__ = ["run", "run_seeds"]

# Enough seeds for several kinds of worlds, the same on every machine; without exchanged meters, as first measured.
SEEDS = range(1, 9)
STEPS = 4_000


def run_seeds(seeds: range, steps: int) -> float:
    """Steps a second over these seeds. AssertionError where one of them is violated."""
    begun, done = process_time(), 0
    for seed in seeds:
        outcome = simulator.run(simulator.Request(seed, steps=steps, bodies=False))
        assert outcome.violation is None, f"seed {seed}: {outcome.violation}"
        done += outcome.steps
    return done / (process_time() - begun)


def run() -> list[Result]:
    """The one figure."""
    run_seeds(range(1), 200)
    return [Result("field.simulator", run_seeds(SEEDS, STEPS), "steps/s a core")]
