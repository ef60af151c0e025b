"""Puts this folder on the path, so that tests and hunters share the planted holes (sim_holes.py)."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
