"""The hash chain over the entries: each group of entries that was committed together is a link to the one before.

    hash = SHA-256(hash of the link before | JSON of the group's entries, in the order of their numbers)

The JSON is a list of lists without spaces and in ASCII, each with the ten fields of an `Entry`; the first link follows
32 zero bytes. Whoever changes, removes or adds an entry breaks the hash of its link; whoever then makes all hashes anew
changes the last one, which is why the last one is worth writing down outside (every period close keeps it). Beside its
hash, a link carries a mark for each entry (number and CRC-32): no proof, but it tells which entry of a broken link it
was. The idea is Haber and Stornetta's linked time-stamping (Journal of Cryptology 3, 1991).
"""

import hashlib
import json
import zlib
from collections.abc import Iterator, Sequence
from struct import Struct
from typing import Final, NamedTuple

__all__ = ["GENESIS", "NO_LINK", "Break", "Entry", "EntryRow", "Link", "check_links", "make_link"]

GENESIS: Final = bytes(32)
_MARK: Final = Struct(">QI")
# What somebody put where no host puts it (bytes for a text) is hashed by what it looks like.
_ENCODE: Final = json.JSONEncoder(separators=(",", ":"), default=repr).encode


class Entry(NamedTuple):
    """A row of `entries`; the order of its fields is that of the hash."""

    number: int
    id: str
    phase: str
    debit: str
    credit: str
    amount_micro: int
    cause: str
    reference: str
    pending_id: str | None
    at_s: int


# An entry as databases give it. Python's collector of garbage lets plain tuples alone, and goes again and again
# through a million of anything else.
EntryRow = tuple[int, str, str, str, str, int, str, str, str | None, int]


class Link(NamedTuple):
    """A row of `chain`: ``number`` counts from 1 without a gap, the entries are ``first`` to ``last``."""

    number: int
    first: int
    last: int
    marks: bytes
    hash: bytes


NO_LINK: Final = Link(0, 0, 0, b"", GENESIS)


class Break(NamedTuple):
    """An entry (or a whole link) that is not as it was committed."""

    what: str
    law: str
    expected: str
    found: str


def make_link(number: int, previous: bytes, entries: Sequence[EntryRow]) -> Link:
    """The link of a group, whose entries come in the order of their numbers; at least one."""
    texts = _texts(entries)
    return Link(number, entries[0][0], entries[-1][0], _marks(entries, texts), _hash(previous, texts))


def check_links(links: Iterator[Link], blocks: Iterator[Sequence[EntryRow]]) -> Iterator[Break]:
    """Everything that is not as it was committed, in the order of the entries; both sides are streams.

    ``blocks`` are all entries by number, in blocks of any size. Each link is judged by the hash that the one before
    says, so that one break does not become many.
    """
    entries, before, previous = _Entries(blocks), 0, GENESIS
    for link in links:
        for entry in entries.take(link.first - 1):
            yield Break(f"{entry[1]}", f"entry {entry[0]} was committed", "a link with it", "none")
        if link.number != before + 1:
            yield Break(f"link {before + 1}", "links are numbered without a gap", str(before + 1), str(link.number))
        found = entries.take(link.last)
        # What follows a link that is gone is still judged one by one.
        texts = _texts(found)
        if _hash(previous, texts) != link.hash:
            yield from _blame(link, found)
        elif not found or link.first != found[0][0] or link.marks != _marks(found, texts):
            law = "first entry and marks are those of its entries"
            yield Break(f"link {link.number}", law, "as they were made", "changed")
        before, previous = link.number, link.hash
    for entry in entries.rest():
        yield Break(f"{entry[1]}", f"entry {entry[0]} was committed", "a link with it", "none")


def _blame(link: Link, found: Sequence[EntryRow]) -> Iterator[Break]:
    """Which entries of a link are not as they were."""
    whole = link.marks[: len(link.marks) // _MARK.size * _MARK.size]
    marks: dict[int, int] = dict(_MARK.iter_unpack(whole))
    there = {entry[0]: entry for entry in found}
    innocent = True
    for number in sorted({*marks, *there}):
        entry = there.get(number)
        if entry is None:
            yield Break(f"entry {number}", f"entry {number} is kept", "as it was committed", "removed")
        elif number not in marks:
            yield Break(f"{entry[1]}", f"entry {number} was committed", f"no such entry in link {link.number}", "added")
        elif _crc(entry) != marks[number]:
            yield Break(f"{entry[1]}", f"entry {number} is as it was committed", f"CRC {marks[number]:08x}", "changed")
        else:
            continue
        innocent = False
    if innocent:
        law = f"entries {link.first} to {link.last} have the hash of their link"
        yield Break(f"link {link.number}", law, link.hash.hex(), "another hash: an entry, or a link, was changed")


class _Entries:
    """Blocks of entries, to be taken by number."""

    def __init__(self, blocks: Iterator[Sequence[EntryRow]]) -> None:
        self._blocks = blocks
        self._block: Sequence[EntryRow] = ()
        self._next = 0

    def take(self, last: int) -> Sequence[EntryRow]:
        """The entries up to and with number ``last`` that were not taken yet."""
        taken: Sequence[EntryRow] = ()
        while True:
            end = self._find(last)
            part = self._block[self._next : end]
            taken = [*taken, *part] if taken else part
            self._next = end
            if end < len(self._block) or not self._load():
                return taken

    def rest(self) -> Iterator[EntryRow]:
        """All that is left."""
        yield from self._block[self._next :]
        for block in self._blocks:
            yield from block

    def _find(self, last: int) -> int:
        """Where the first entry beyond ``last`` stands; links are short, so steps are few."""
        block, end = self._block, self._next
        if block and block[-1][0] <= last:
            return len(block)
        while end < len(block) and block[end][0] <= last:
            end += 1
        return end

    def _load(self) -> bool:
        block = next(self._blocks, None)
        self._block, self._next = block or (), 0
        return bool(block)


def _texts(entries: Sequence[EntryRow]) -> list[bytes]:
    """The JSON of each entry, which is read for the hash of all and for its own mark."""
    return [_ENCODE(each).encode() for each in entries]


def _hash(previous: bytes, texts: Sequence[bytes]) -> bytes:
    return hashlib.sha256(previous + b"[" + b",".join(texts) + b"]").digest()


def _marks(entries: Sequence[EntryRow], texts: Sequence[bytes]) -> bytes:
    return b"".join(_MARK.pack(each[0], zlib.crc32(text)) for each, text in zip(entries, texts, strict=True))


def _crc(entry: EntryRow) -> int:
    return zlib.crc32(_ENCODE(entry).encode())
