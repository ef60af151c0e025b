"""Puts this folder on the path, so that the walkers and the planted holes share one small world (world_*.py)."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
