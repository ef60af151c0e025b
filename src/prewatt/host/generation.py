"""How a restored database is recognised: a generation number kept beside the user, never in the data folder.

A database that was put back from a backup has forgotten orders that meters hold. So each installation has files in the
user's state folder: the generation, the number of the last commit, and each meter id's highest epoch. A database whose
generation is another, or whose last commit lies before the one noted here, was restored (or copied): all its meters
are unsynced until fences have shown what they hold, and the generation goes up by one.

The commit number is written after each commit, without waiting for the disk: after a crash it may lie behind the
database, which means nothing, but it never runs ahead of one that was not restored. So a power cut can take away what
tells a fresh backup from the database that it replaces; whoever puts one back then removes the number, and its absence
beside a generation says the same. An epoch is noted, and on the disk, before the first byte that asks a meter to take
value in it.
"""

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final, Protocol

from prewatt.host.refusals import DataFolderError

__all__ = ["GenerationFiles", "StateFolder", "state_home"]

_MARK_BYTES: Final = 8
_MARK_REMOVED: Final = 2 ** (8 * _MARK_BYTES)


def state_home() -> Path:
    """Where a user's programs keep their state (XDG Base Directory Specification)."""
    named = os.environ.get("XDG_STATE_HOME", "")
    home = Path(named) if named.startswith("/") else Path.home() / ".local" / "state"
    return home / "prewatt"


class StateFolder(Protocol):
    """Small files by name, outside the data folder. Every method may raise OSError."""

    def read(self, name: str) -> bytes:
        """The whole file; FileNotFoundError where there is none."""
        ...

    def replace(self, name: str, content: bytes) -> None:
        """The file becomes ``content``, whole or not at all, and durable on return."""
        ...

    def append(self, name: str, content: bytes) -> None:
        """``content`` stands behind what the file held, durable on return; a crash may leave a part of it."""
        ...

    def note(self, name: str, content: bytes) -> None:
        """Writes ``content`` over the beginning of a file that was made by `replace`; nobody waits for the disk."""
        ...

    def close(self) -> None:
        """Lets every file go; may be called twice."""
        ...


class _PathFolder:
    """A folder of the operating system, made where it is missing."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._noted: dict[str, int] = {}

    def read(self, name: str) -> bytes:
        return (self._path / name).read_bytes()

    def replace(self, name: str, content: bytes) -> None:
        self._path.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._let_go(name)
        _replace(self._path / name, content)

    def append(self, name: str, content: bytes) -> None:
        self._path.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._path / name
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        # The file may be new: its name has to be as durable as what is in it.
        _sync_folder(self._path)

    def note(self, name: str, content: bytes) -> None:
        if name not in self._noted:
            self._noted[name] = os.open(self._path / name, os.O_WRONLY | os.O_CLOEXEC)
        os.pwrite(self._noted[name], content, 0)

    def close(self) -> None:
        for name in list(self._noted):
            self._let_go(name)

    def _let_go(self, name: str) -> None:
        if name in self._noted:
            os.close(self._noted.pop(name))

    def __str__(self) -> str:
        return str(self._path)


class GenerationFiles:
    """The three files of one installation: `<id>.json` (generation), `<id>.mark` (last commit), `<id>.epochs`.

    The last has a line `meter epoch` for every epoch that was ever asked for; the highest of each meter counts.
    """

    def __init__(self, folder: Path | StateFolder, installation: str) -> None:
        self._folder: StateFolder = _PathFolder(folder) if isinstance(folder, Path) else folder
        self._json = f"{installation}.json"
        self._mark = f"{installation}.mark"
        self._epochs = f"{installation}.epochs"
        self._begun = False
        self._highest: dict[str, int] = {}

    def read(self) -> tuple[int, int] | None:
        """Generation and last commit as remembered; None where nothing is, or nothing readable."""
        try:
            self._highest = self._read_epochs()
            generation = json.loads(self._folder.read(self._json))["generation"]
            return int(generation), self._read_mark()
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def _read_mark(self) -> int:
        """The last commit; more than any where a person removed it, since `begin` writes it before the generation."""
        try:
            return int.from_bytes(self._folder.read(self._mark)[:_MARK_BYTES], "big")
        except FileNotFoundError:
            return _MARK_REMOVED

    def begin(self, generation: int, commits: int) -> None:
        """Remembers this generation from now on, durable on return; DataFolderError where it cannot be."""
        try:
            self._folder.replace(self._mark, commits.to_bytes(_MARK_BYTES, "big"))
            self._folder.replace(self._json, json.dumps({"generation": generation}).encode())
        except OSError as error:
            raise self._failed(error) from error
        self._begun = True

    def note_commit(self, commits: int) -> None:
        """Notes the number of a commit that is durable; cheap, called after every one.

        A mark that cannot be written stays behind, which means nothing; the commit has been made all the same.
        """
        if self._begun:
            with suppress(OSError):
                self._folder.note(self._mark, commits.to_bytes(_MARK_BYTES, "big"))

    def highest_epoch(self, meter: str) -> int | None:
        """The highest epoch ever asked for this meter id; None where none was."""
        return self._highest.get(meter)

    def note_epoch(self, meter: str, epoch: int) -> None:
        """Notes an epoch, durable on return; nothing to do where one as high is noted already."""
        self.note_epochs({meter: epoch})

    def note_epochs(self, epochs: Mapping[str, int]) -> None:
        """Notes an epoch of each meter, all durable on return and in one write."""
        higher = {meter: epoch for meter, epoch in epochs.items() if epoch > self._highest.get(meter, -1)}
        if not higher:
            return
        lines = "".join(f"{meter} {epoch}\n" for meter, epoch in higher.items())
        try:
            # The line break before them ends a line that a crash may have cut short.
            self._folder.append(self._epochs, f"\n{lines}".encode())
        except OSError as error:
            raise self._failed(error) from error
        self._highest |= higher

    def close(self) -> None:
        """Lets the files go; may be called twice."""
        self._begun = False
        self._folder.close()

    def _read_epochs(self) -> dict[str, int]:
        highest: dict[str, int] = {}
        try:
            lines = self._folder.read(self._epochs).decode(errors="replace").splitlines()
        except FileNotFoundError:
            return highest
        for line in lines:
            meter, _, epoch = line.partition(" ")
            # A line cut short was never relied on: its epoch was not asked for yet.
            if epoch.isdecimal():
                highest[meter] = max(highest.get(meter, -1), int(epoch))
        return highest

    def _failed(self, error: OSError) -> DataFolderError:
        return DataFolderError(f"state folder {self._folder}: cannot be written ({error.strerror})")


def _replace(path: Path, content: bytes) -> None:
    """Writes a file whole: the old content or the new, never another, also after power goes."""
    fresh = path.with_suffix(path.suffix + ".new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
