"""A seed is a history: the same bytes in every process, whatever order its sets and dictionaries of hashes have."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

PROGRAM = """
import sys
from prewatt.sim.run import Request, run
outcome = run(Request(int(sys.argv[1]), steps=2_500, meters=4), keep_all=True)
sys.stdout.write("".join(outcome.lines) + outcome.digest + " " + str(outcome.violation))
"""


def history(seed, hash_seed):
    environment = os.environ | {"PYTHONHASHSEED": hash_seed}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(seed)], env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout


@pytest.mark.heavy
# One with a hostile station, two with boxes and lines.
@pytest.mark.parametrize("seed", [2, 4, 6])
def test_the_same_seed_makes_the_same_history_in_another_process(seed):
    with ThreadPoolExecutor(2) as pool:
        one, other = pool.map(history, (seed, seed), ("0", "4711"))
    assert one == other
    assert one.count("\n") > 2_000
    assert one.endswith(" None")


def test_another_seed_makes_another_history():
    from prewatt.sim.run import Request, run

    digests = {run(Request(seed, steps=300, calm=False)).digest for seed in range(3)}
    assert len(digests) == 3
