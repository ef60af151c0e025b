"""Which source this is. A seed makes the same history on the same source alone, so both are told together."""

import subprocess
from importlib.metadata import version
from pathlib import Path

__all__ = ["source"]


def source() -> str:
    """The commit where this runs from a repository, `-dirty` where more was changed since; else the version."""
    root = Path(__file__).parents[3]
    if (root / ".git").exists():
        asked = ["git", "-C", str(root), "describe", "--always", "--dirty"]
        found = subprocess.run(asked, capture_output=True, text=True, check=False)
        if found.returncode == 0:
            return found.stdout.strip()
    return version("prewatt")
