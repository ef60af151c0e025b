"""How a restored database is recognised: a generation number kept beside the user, never in the data folder.

A database that was put back from a backup has forgotten orders that meters hold. So each installation has a file in the
user's state folder with the generation, the number of the last commit and each meter id's highest epoch. A database
whose generation is another, or whose last commit lies before the one noted here, was restored (or copied): all its
meters are unsynced until fences have shown what they hold, and the generation goes up by one.

The commit number is written after each commit, without waiting for the disk: after a crash it may lie behind the
database, which means nothing, but it never runs ahead of one that was not restored.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from prewatt.host.refusals import DataFolderError

__all__ = ["GenerationFile", "GenerationMark", "state_home"]

_STATE_BYTES_MAX: Final = 64 * 1024 * 1024
_MARK_BYTES: Final = 8


@dataclass(frozen=True, slots=True)
class GenerationMark:
    """What the state folder remembers. ``epochs``: the highest epoch of each meter id; 0 where it names none."""

    generation: int
    commits: int
    epochs: Mapping[str, int] = field(default_factory=dict)


def state_home() -> Path:
    """Where a user's programs keep their state (XDG Base Directory Specification)."""
    named = os.environ.get("XDG_STATE_HOME", "")
    home = Path(named) if named.startswith("/") else Path.home() / ".local" / "state"
    return home / "prewatt"


class GenerationFile:
    """The two files of one installation: `<id>.json` (generation, epochs) and `<id>.mark` (last commit)."""

    def __init__(self, folder: Path, installation: str) -> None:
        self._json = folder / f"{installation}.json"
        self._mark = folder / f"{installation}.mark"
        self._descriptor = -1

    def read(self) -> GenerationMark | None:
        """What is remembered; None where nothing is, or what is there cannot be read as such."""
        try:
            found = json.loads(self._json.read_bytes()[:_STATE_BYTES_MAX])
            epochs = {str(meter): int(epoch) for meter, epoch in found["epochs"].items()}
            commits = int.from_bytes(self._mark.read_bytes()[:_MARK_BYTES], "big")
            return GenerationMark(int(found["generation"]), commits, epochs)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None

    def write(self, mark: GenerationMark) -> None:
        """Replaces both files, durable on return; DataFolderError where the state folder cannot be written."""
        text = json.dumps({"generation": mark.generation, "epochs": dict(mark.epochs)}).encode()
        try:
            self._json.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            _replace(self._mark, mark.commits.to_bytes(_MARK_BYTES, "big"))
            _replace(self._json, text)
            self.close()
            self._descriptor = os.open(self._mark, os.O_WRONLY | os.O_CLOEXEC)
        except OSError as error:
            raise DataFolderError(f"state folder {self._json.parent}: cannot be written ({error.strerror})") from error

    def note_commit(self, commits: int) -> None:
        """Notes the number of a commit that is durable; cheap, called after every one."""
        if self._descriptor >= 0:
            os.pwrite(self._descriptor, commits.to_bytes(_MARK_BYTES, "big"), 0)

    def close(self) -> None:
        """Lets the file go; may be called twice."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def _replace(path: Path, content: bytes) -> None:
    """Writes a file whole: the old content or the new, never another, also after power goes."""
    fresh = path.with_suffix(path.suffix + ".new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
