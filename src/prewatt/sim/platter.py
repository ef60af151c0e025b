"""What lies on a simulated disk: files with what is not synced yet, and what power and damage make of them.

A power cut takes each write that was not synced by itself: kept, lost, or torn at a sector. A write may go astray,
whole or with one of its sectors, to another place of its file or of another; a sector at rest may rot. From then on
each file keeps beside it what it would be had that not happened: whoever checks knows exactly what is damaged and
whether it matters, and nobody else can see it.
"""

from dataclasses import dataclass, field, replace
from random import Random
from typing import Final

__all__ = ["SECTOR_BYTES", "Copy", "File", "rot", "write_astray"]

# What a drive writes whole or not at all.
SECTOR_BYTES: Final = 512


@dataclass(slots=True)
class _Write:
    """One change that is not synced: what stood there before, and what was written."""

    offset: int
    before: bytes
    after: bytes
    size_before: int


@dataclass(slots=True)
class File:
    """What a reader sees now, and the changes since the last sync; ``made`` is False until the first one.

    ``right`` is what would lie here had no write gone astray and nothing rotted; None where nothing did.
    """

    content: bytearray = field(default_factory=bytearray)
    pending: list[_Write] = field(default_factory=list)
    made: bool = False
    right: "File | None" = None

    def put(self, offset: int, data: bytes, right: bytes | None = None) -> None:
        """A write that is not synced; ``right`` is what should have been written, where that is something else."""
        if right is not None and self.right is None:
            self.right = File(bytearray(self.content), list(self.pending), self.made)
        content = self.content
        size = len(content)
        if offset > size:
            content.extend(bytes(offset - size))
        self.pending.append(_Write(offset, bytes(content[offset : offset + len(data)]), data, size))
        content[offset : offset + len(data)] = data
        if self.right is not None:
            self.right.put(offset, data if right is None else right)

    def cut(self, size: int) -> None:
        """The end is taken away, and that is not synced."""
        self.pending.append(_Write(size, bytes(self.content[size:]), b"", len(self.content)))
        del self.content[size:]
        if self.right is not None:
            self.right.cut(size)

    def settle(self) -> None:
        """What was written is durable."""
        self.pending.clear()
        if self.right is not None:
            self.right.pending.clear()

    def set_made(self) -> None:
        """Its name is durable."""
        self.made = True
        if self.right is not None:
            self.right.made = True

    def lose_power(self, chance: Random) -> None:
        """What was not synced is kept, lost or torn; the same of it in what should be there."""
        if self.right is not None:
            same = Random()
            same.setstate(chance.getstate())
            _forget(self.right, same)
        _forget(self, chance)

    def spoil(self, offset: int, data: bytes) -> None:
        """These bytes lie here from now on, and should not; what should stays known."""
        if self.right is None:
            self.right = File(bytearray(self.content), list(self.pending), self.made)
        self.content[offset : offset + len(data)] = data


@dataclass(frozen=True, slots=True)
class Copy:
    """Files by name as they lie there, and as they would without damage."""

    files: dict[str, bytes]
    right: dict[str, bytes]


def rot(files: list[File], chance: Random) -> None:
    """One sector of these files, which are not empty, holds zeros, noise, or what another one holds."""
    file = chance.choice(files)
    size = len(file.content)
    offset, other = (chance.randrange(size) // SECTOR_BYTES * SECTOR_BYTES for _ in range(2))
    length = min(SECTOR_BYTES, size - offset)
    stale = bytes(file.content[other : other + length]).ljust(length, b"\0")
    file.spoil(offset, chance.choice((bytes(length), chance.randbytes(length), stale)))


def write_astray(file: File, offset: int, data: bytes, files: list[File], chance: Random) -> None:
    """A write to ``file`` of which all, or one sector, lands at the beginning of another sector of one of ``files``.

    Where it lands it lies for good; where it should have, what stood there before.
    """
    first, end = 0, len(data)
    if end > SECTOR_BYTES and chance.random() < 0.5:
        first = chance.randrange(end // SECTOR_BYTES) * SECTOR_BYTES
        end = first + SECTOR_BYTES
    stays = bytes(file.content[offset + first : offset + end]).ljust(end - first, b"\0")
    file.put(offset, data)
    file.spoil(offset + first, stays)
    # A power cut that undoes the write and makes it again must not make it right.
    last = file.pending.pop()
    file.pending.append(replace(last, after=bytes(file.content[offset : offset + len(data)])))
    victim = chance.choice(files)
    place = chance.randrange(len(victim.content)) // SECTOR_BYTES * SECTOR_BYTES
    victim.spoil(place, data[first:end][: len(victim.content) - place])


def _forget(file: File, chance: Random) -> None:
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
