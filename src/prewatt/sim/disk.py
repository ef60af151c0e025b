"""A disk in memory that forgets, tears, misplaces and fails as disks do when the power goes.

What a file was told is seen by whoever reads it at once, but it is durable only when it was synced. A crash takes each
write that was not synced by itself: kept, lost, or torn at a sector, in any combination (that is what reordering by the
drive looks like afterwards). Every operation that changes something is a point where the process may die, may fail with
an I/O error or a full disk, and a write of the database may go astray (prewatt.sim.platter).
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from prewatt.sim.platter import Copy, File, rot, write_astray

__all__ = ["Disk", "DiskFault", "DiskFullError", "DiskGoneError", "DiskIoError"]


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
    astray_in: int | None = None
    """Writes to files whose name begins with ``astray_prefix``; the chance says whereto."""
    astray_prefix: str = ""
    astray: Random = field(default_factory=lambda: Random(0))


class Disk:
    """Files by name. A process notes ``life`` when it starts, and names it with everything it does."""

    def __init__(self, wrote: Callable[[str], None]) -> None:
        """``wrote`` is told of every change that reached the disk."""
        self.files: dict[str, File] = {}
        self.fault = DiskFault()
        self.operations = 0
        # Whether a process was given damaged bytes, since somebody last made it False.
        self.misread = False
        # The auditor reads what should be there.
        self.auditing = False
        # What was given, and what should have been: a copy made of it elsewhere is known to be damaged as well.
        self._misreads: dict[bytes, bytes] = {}
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
                file.lose_power(chance)
            file.settle()
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
        file = self.files[name]
        found = bytes(file.content[offset : offset + length])
        if file.right is not None and found != (right := bytes(file.right.content[offset : offset + length])):
            if self.auditing:
                return right
            self.misread = True
            self._misreads[found] = right
        return found

    def write(self, life: int, name: str, offset: int, data: bytes) -> None:
        """Seen at once, durable after ``sync``."""
        self._point(life, name, len(data))
        file, fault = self.files.setdefault(name, File()), self.fault
        if fault.astray_in is not None and name.startswith(fault.astray_prefix):
            fault.astray_in -= 1
            if fault.astray_in < 0:
                fault.astray_in = None
                write_astray(file, offset, data, self._files_of(fault.astray_prefix) or [file], fault.astray)
                return
        file.put(offset, data, self._misreads.get(data))

    def truncate(self, life: int, name: str, size: int) -> None:
        """Takes the end of a file away."""
        self._point(life, name, 0)
        self.files[name].cut(size)

    def sync(self, life: int, name: str) -> None:
        """What was written to the file is durable on return."""
        self._point(life, name, 0)
        file = self.files[name]
        if file.pending or not file.made:
            self._wrote(name)
        file.settle()
        file.set_made()

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

    def copy(self, prefix: str) -> Copy:
        """The files whose name begins with ``prefix``, as they lie there: a backup."""
        files = {name: file for name, file in self.files.items() if name.startswith(prefix)}
        right = {name: file.right or file for name, file in files.items()}
        return Copy(*({name: bytes(file.content) for name, file in each.items()} for each in (files, right)))

    def put(self, prefix: str, copy: Copy) -> None:
        """These files instead of all that begin with ``prefix``, durable; while no process runs."""
        self.files = {name: file for name, file in self.files.items() if not name.startswith(prefix)}
        self._misreads.clear()
        for name, content in copy.files.items():
            file = self.files[name] = File(bytearray(content), made=True)
            if copy.right[name] != content:
                file.right = File(bytearray(copy.right[name]), made=True)

    def remove(self, prefix: str, suffix: str) -> None:
        """A person takes files away by their names, durable; while no process runs."""
        for name in [each for each in self.files if each.startswith(prefix) and each.endswith(suffix)]:
            del self.files[name]

    # -- damage

    @property
    def damaged(self) -> bool:
        """Whether anything lies there that should not, or does not lie there and should."""
        return any(file.right is not None and file.right.content != file.content for file in self.files.values())

    def rot(self, prefix: str, chance: Random) -> None:
        """One sector of the files whose name begins with ``prefix`` is not what it was."""
        files = self._files_of(prefix)
        if files:
            rot(files, chance)

    def mend(self) -> None:
        """Everything is as it should be, as where another disk held the same."""
        self.files = {name: file.right or file for name, file in self.files.items()}
        self._misreads.clear()

    def mend_as_is(self) -> None:
        """What lies there is what should, from now on."""
        for file in self.files.values():
            file.right = None
        self._misreads.clear()

    def _files_of(self, prefix: str) -> list[File]:
        return [file for name, file in sorted(self.files.items()) if name.startswith(prefix) and file.content]

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
