"""Puts this folder on the path, so that tests and hunter share one world (chaos_*.py)."""

import os
import sys
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def quick_paths():
    """Gives folders in memory where there is one: a walk commits thousands of times."""
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with TemporaryDirectory(prefix="prewatt-chaos-", dir=memory) as folder:
        numbers = count()
        yield lambda: Path(folder) / str(next(numbers))
