"""Puts this folder on the path, so that tests and the drill share one fleet."""

import os
import sys
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def fleet_paths():
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with TemporaryDirectory(prefix="prewatt-fleet-", dir=memory) as folder:
        numbers = count()
        yield lambda: Path(folder) / str(next(numbers))


@pytest.fixture
def make_fleet(fleet_paths, databases):
    from fleet import Fleet

    made = []

    def make(*given, **named):
        made.append(Fleet(fleet_paths(), *given, place=databases.place, **named))
        return made[-1]

    yield make
    for each in made:
        each.close()
        each.place.drop()
