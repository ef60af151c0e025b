"""A carrier is an entry point: a package that Prewatt knows nothing of adds one, and keeps what all of them keep."""

import os
import re
import secrets
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
WITHIN_S = 120

TALK = """
import asyncio, sys
from prewatt.link.carrier import End, dial, installed_carriers, listen

async def talk(address):
    accepted = asyncio.Queue()
    listener = await listen(address, End(), lambda carrier, name: accepted.put_nowait(carrier))
    dialled = await dial(address, End())
    await dialled.send(b"200 kWh")
    there = await accepted.get()
    heard = await there.receive()
    await there.send(heard + b" received")
    print((await dialled.receive()).decode())
    dialled.close()
    listener.close()

print(*installed_carriers())
asyncio.run(talk(sys.argv[1]))
"""


@pytest.fixture
def outside(tmp_path):
    """Runs Python where the package of pigeons is installed; under an address that nobody else listens at."""
    shutil.copy(HERE / "pigeon.py", tmp_path)
    about = tmp_path / "prewatt_pigeons-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: prewatt-pigeons\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[prewatt.carriers]\npigeon = pigeon:PIGEONS\n")
    paths = [str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(paths)}

    def run(*words):
        asked = [sys.executable, *(word.replace("ADDRESS", f"pigeon:loft-{secrets.token_hex(8)}") for word in words)]
        return subprocess.run(
            asked, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=WITHIN_S, check=False
        )

    return run


def test_a_carrier_of_another_package_is_found_listens_dials_sends_and_receives(outside):
    done = outside("-c", TALK, "ADDRESS")
    assert (done.returncode, done.stderr) == (0, "")
    names, heard = done.stdout.splitlines()
    assert "pigeon" in names.split()
    assert heard == "200 kWh received"


def test_a_carrier_of_another_package_is_put_through_the_suite_as_ours_are(outside):
    suite = ("tests/link/conformance/test_carriers.py", "-q", "-p", "no:cacheprovider", "--carrier", "ADDRESS")
    done = outside("-m", "pytest", *suite, "-k", "pigeon")
    assert done.returncode == 0, done.stdout + done.stderr
    passed = int(re.search(r"(\d+) passed", done.stdout)[1])
    # Every test of a place; one of them comes twice.
    assert passed == (HERE / "test_carriers.py").read_text().count("(place") + 1
    assert "skipped" not in done.stdout
