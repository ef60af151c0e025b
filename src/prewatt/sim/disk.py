"""A disk in memory that forgets, tears, misplaces and fails as disks do when the power goes.

What a file was told is seen by whoever reads it at once, but it is durable only when it was synced. A crash takes each
write that was not synced by itself: kept, lost, or torn at a sector, in any combination (that is what reordering by the
drive looks like afterwards). Every operation that changes something is a point where the process may die, and may fail
with an I/O error or a full disk. Misplaced and rotten sectors are a fault of the disk, not of the moment: they are
planted between two lives of the host.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Final

__all__ = ["SECTOR_BYTES", "Disk", "DiskFault", "DiskFullError", "DiskGoneError", "DiskIoError", "File"]

# What a drive writes whole or not at all.
SECTOR_BYTES: Final = 512


class DiskGoneError(Exception):
    """The process that used the disk is dead; nothing it still does reaches the disk."""


class DiskIoError(Exception):
    """The disk could not read or write."""


class DiskFullError(Exception):
    """No room for more."""


@dataclass(slots=True)
class DiskFault:
    """What goes wrong next: operations counted from now, None for never."""

    crash_in: int | None = None
    error_in: int | None = None
    full: bool = False


@dataclass(slots=True)
class _Write:
    """One change that is not synced: what stood there before, and what was written."""

    offset: int
    before: bytes
    after: bytes
    size_before: int


@dataclass(slots=True)
class File:
    """What a reader sees now, and the changes since the last sync; ``made`` is False until the first one."""

    content: bytearray = field(default_factory=bytearray)
    pending: list[_Write] = field(default_factory=list)
    made: bool = False


class Disk:
    """Files by name. A process notes ``life`` when it starts, and names it with everything it does."""

    def __init__(self, wrote: Callable[[str], None]) -> None:
        """``wrote`` is told of every change that reached the disk."""
        self.files: dict[str, File] = {}
        self.fault = DiskFault()
        self.operations = 0
        self._life = 0
        self._wrote = wrote

    @property
    def life(self) -> int:
        """The process that holds the disk now; whatever an earlier one still does comes to nothing."""
        return self._life

    def alive(self, life: int) -> bool:
        """Whether this life still holds the disk."""
        return life == self._life

    def end_life(self) -> None:
        """The process that holds the disk is gone."""
        self._life += 1

    def crash(self, chance: Random, *, power: bool) -> None:
        """The process is gone. With ``power`` the computer too: what was not synced is kept, lost or torn."""
        self._life += 1
        self.fault.crash_in = None
        for name in sorted(self.files):
            file = self.files[name]
            if power and (file.pending or not file.made):
                _forget(file, chance)
            file.pending.clear()
        self.files = {name: file for name, file in self.files.items() if file.made or file.content}

    def open(self, life: int, name: str) -> None:
        """The file is there, empty where it is new."""
        if life != self._life:
            raise DiskGoneError(name)
        self.files.setdefault(name, File())

    def size(self, life: int, name: str) -> int:
        """How long the file is now."""
        if life != self._life:
            raise DiskGoneError(name)
        return len(self.files[name].content)

    def read(self, life: int, name: str, offset: int, length: int) -> bytes:
        """The bytes that are there, fewer at the end of the file."""
        if life != self._life:
            raise DiskGoneError(name)
        return bytes(self.files[name].content[offset : offset + length])

    def write(self, life: int, name: str, offset: int, data: bytes) -> None:
        """Seen at once, durable after ``sync``."""
        self._point(life, name, len(data))
        file = self.files.setdefault(name, File())
        content = file.content
        size = len(content)
        if offset > size:
            content.extend(bytes(offset - size))
        file.pending.append(_Write(offset, bytes(content[offset : offset + len(data)]), data, size))
        content[offset : offset + len(data)] = data

    def truncate(self, life: int, name: str, size: int) -> None:
        """Takes the end of a file away."""
        self._point(life, name, 0)
        file = self.files[name]
        file.pending.append(_Write(size, bytes(file.content[size:]), b"", len(file.content)))
        del file.content[size:]

    def sync(self, life: int, name: str) -> None:
        """What was written to the file is durable on return."""
        self._point(life, name, 0)
        file = self.files[name]
        if file.pending or not file.made:
            self._wrote(name)
        file.pending.clear()
        file.made = True

    def delete(self, life: int, name: str) -> None:
        """Takes a file away, durable on return."""
        self._point(life, name, 0)
        del self.files[name]

    def replace(self, life: int, name: str, content: bytes) -> None:
        """A whole new file under the name, as by writing another, syncing and renaming it: old or new, durable."""
        self._point(life, name, len(content))
        self.files[name] = File(bytearray(content), made=True)
        self._wrote(name)
        self._point(life, name, 0)

    def copy(self, prefix: str) -> dict[str, bytes]:
        """The files whose name begins with ``prefix``, as they lie there: a backup."""
        return {name: bytes(file.content) for name, file in self.files.items() if name.startswith(prefix)}

    def put(self, prefix: str, files: dict[str, bytes]) -> None:
        """These files instead of all that begin with ``prefix``, durable; while no process runs."""
        self.files = {name: file for name, file in self.files.items() if not name.startswith(prefix)}
        self.files |= {name: File(bytearray(content), made=True) for name, content in files.items()}

    def _point(self, life: int, name: str, growth: int) -> None:
        """One operation: the process may die here, or the disk may fail."""
        if life != self._life:
            raise DiskGoneError(name)
        self.operations += 1
        fault = self.fault
        if fault.crash_in is not None:
            fault.crash_in -= 1
            if fault.crash_in < 0:
                fault.crash_in = None
                self._life += 1
                raise DiskGoneError(name)
        if fault.error_in is not None:
            fault.error_in -= 1
            if fault.error_in < 0:
                fault.error_in = None
                raise DiskIoError(name)
        if fault.full and growth:
            raise DiskFullError(name)


def _forget(file: File, chance: Random) -> None:
    """What the power leaves of the writes that were not synced."""
    if not file.made and chance.random() < 0.5:
        # Not even its name was durable.
        file.content, file.pending = bytearray(), []
        return
    file.made = True
    for write in reversed(file.pending):
        _undo(file.content, write)
    kept_share = chance.choice((0.0, 0.5, 0.9, 1.0))
    for write in file.pending:
        if chance.random() >= kept_share:
            continue
        _redo(file.content, write, chance, torn=chance.random() < 0.2)


def _undo(content: bytearray, write: _Write) -> None:
    if write.after:
        content[write.offset : write.offset + len(write.after)] = write.before
        del content[write.size_before :]
    else:
        content.extend(bytes(max(0, write.offset - len(content))))
        content[write.offset :] = write.before


def _redo(content: bytearray, write: _Write, chance: Random, *, torn: bool) -> None:
    if not write.after:
        del content[write.offset :]
        return
    if write.offset > len(content):
        content.extend(bytes(write.offset - len(content)))
    if not torn:
        content[write.offset : write.offset + len(write.after)] = write.after
        return
    for start in range(0, len(write.after), SECTOR_BYTES):
        piece = write.after[start : start + SECTOR_BYTES]
        if chance.random() < 0.5:
            place = write.offset + start
            content.extend(bytes(max(0, place + len(piece) - len(content))))
            content[place : place + len(piece)] = piece
