"""From `prewatt vend` to the display: how long a person at the counter waits until the meter shows what was sold.

The clock starts before the process of the command does, interpreter and all, and stops when the face of the meter
shows the value: payment, order, commit, session over the memory carrier, the meter's durable write. Each sale goes to
another meter, as sales do, and the middle one of them counts. At speed 3,600 the same is done while an hour of street
passes every second.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from statistics import median

from bench.harness import Result, at_most
from prewatt.host.folder import LockHolder, read_holder
from prewatt.units import MICRO_PER_UNIT

__all__ = ["run"]

# What feels immediate to somebody who has just pressed the key.
GOAL_S = 2.0
SALES = 5
SPEEDS = {"web.vend_to_display_s": 1, "web.vend_to_display_at_3600_s": 3_600}
_LOOK_EVERY_S = 0.005
_STARTS_WITHIN_S = 60.0
_SHOWS_WITHIN_S = 30.0
_PROGRAM = Path(sys.executable).parent / "prewatt"


def run() -> list[Result]:
    """Seconds at the speed of the world, and at the highest."""
    return [at_most(name, _vend_to_display_s(speed), "s", GOAL_S) for name, speed in SPEEDS.items()]


def _vend_to_display_s(speed: int) -> float:
    with tempfile.TemporaryDirectory() as folder, _street(Path(folder), speed) as holder:
        return median(_sell(Path(folder), holder, f"{number:06X}") for number in range(1, SALES + 1))


def _sell(folder: Path, holder: LockHolder, meter: str) -> float:
    """One sale, in seconds until the face shows it."""
    command = [str(_PROGRAM), "vend", meter, "10.00", "--data", str(folder / "data")]
    begun_s = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as vend:
        while _received_micro(holder, meter) < 10 * MICRO_PER_UNIT:
            if time.perf_counter() - begun_s > _SHOWS_WITHIN_S:
                vend.kill()
                raise TimeoutError(f"meter {meter} shows nothing after {_SHOWS_WITHIN_S} s")
            time.sleep(_LOOK_EVERY_S)
        return time.perf_counter() - begun_s


def _received_micro(holder: LockHolder, meter: str) -> int:
    connection = HTTPConnection("127.0.0.1", holder.port)
    try:
        connection.request("GET", f"/api/v1/street/{meter}", headers={"Authorization": f"Bearer {holder.token}"})
        return int(json.loads(connection.getresponse().read())["received_micro"])
    finally:
        connection.close()


@contextmanager
def _street(folder: Path, speed: int) -> Iterator[LockHolder]:
    """A running `up` on a new installation, and how to reach it."""
    words = ["up", "--data", str(folder / "data"), "--port", "0", "--speed", str(speed), "--meters", str(SALES)]
    settings = {name: value for name, value in os.environ.items() if not name.startswith("PREWATT_")}
    settings["XDG_STATE_HOME"] = str(folder / "state")
    with subprocess.Popen([str(_PROGRAM), *words], stdout=subprocess.DEVNULL, env=settings) as up:
        try:
            yield _holder(folder / "data", up)
        finally:
            up.terminate()


def _holder(data: Path, up: "subprocess.Popen[bytes]") -> LockHolder:
    until_s = time.perf_counter() + _STARTS_WITHIN_S
    while time.perf_counter() < until_s and up.poll() is None:
        holder = read_holder(data)
        if holder is not None and holder.port is not None:
            return holder
        time.sleep(_LOOK_EVERY_S)
    raise TimeoutError("prewatt up did not start")
