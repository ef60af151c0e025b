"""A seed is a history: the same bytes in every process, whatever order its sets and dictionaries of hashes have."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

PROGRAM = """
import sys
from prewatt.sim.run import Request, run
outcome = run(Request(int(sys.argv[1]), steps=int(sys.argv[2]), calm=sys.argv[3] == "calm"), keep_all=True)
sys.stdout.write("".join(outcome.lines) + outcome.digest + " " + str(outcome.violation))
"""


def history(seed, steps, end, hash_seed):
    environment = os.environ | {"PYTHONHASHSEED": hash_seed}
    arguments = [sys.executable, "-c", PROGRAM, str(seed), str(steps), end]
    done = subprocess.run(arguments, env=environment, capture_output=True, text=True, check=True)
    return done.stdout


# One with a hostile station, two with boxes and lines; one to the end of all faults; one replaces and copies meters.
@pytest.mark.parametrize(
    ("seed", "steps", "end"), [(2, 1_200, "faults"), (4, 1_200, "faults"), (6, 600, "calm"), (42, 1_200, "faults")]
)
def test_the_same_seed_makes_the_same_history_in_another_process(seed, steps, end):
    with ThreadPoolExecutor(2) as pool:
        one, other = pool.map(lambda hash_seed: history(seed, steps, end, hash_seed), ("0", "4711"))
    assert one == other
    assert one.count("\n") >= steps
    assert one.endswith(" None")


def test_another_seed_makes_another_history():
    from prewatt.sim.run import Request, run

    digests = {run(Request(seed, steps=300, calm=False)).digest for seed in range(3)}
    assert len(digests) == 3
