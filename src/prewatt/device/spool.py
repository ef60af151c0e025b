"""A box's durable queue: what meters said by themselves, in the order heard, until the box above has it durably too.

``Spool`` is all that a box knows of its memory. Its contract is what "nothing is lost" rests on: what `append` was
given is durable when it returns, numbers only grow, also over restarts and also when the queue has been emptied, and
forgetting may be undone by a crash (an item that comes back is sent again, and the host books it once). ``MemorySpool``
keeps it in RAM, for the simulator and the tests.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import islice
from typing import Final, Protocol

from prewatt.codec.batch import Item
from prewatt.codec.hop import SPOOL_ID_BYTES

__all__ = [
    "FIRST_NUMBER",
    "MemorySpool",
    "MemorySpools",
    "Notes",
    "Spool",
    "SpoolError",
    "Spools",
    "count_boot",
    "read_all",
]

FIRST_NUMBER: Final = 1
# How many items are looked at together where a whole spool is read.
_READ_ITEMS: Final = 256
_BOOTS_NOTE: Final = "boots"
_BOOTS_BYTES: Final = 4
_BOOTS_MAX: Final = 2**32 - 1


class SpoolError(Exception):
    """The memory did not take it: full, or broken. Nothing of what was given is kept."""


class Notes(Protocol):
    """Small durable values of a box, by name."""

    def read_note(self, name: str) -> bytes:
        """What was written last; empty where nothing was."""
        ...

    def write_note(self, name: str, value: bytes) -> None:
        """Replaces a note; durable on return, whole or not at all. SpoolError: the old one stays."""
        ...


class Spool(Notes, Protocol):
    """One queue. Items have numbers from `first` on, without gaps; `next` is what the next one gets.

    A power cut or crash may keep or undo a call that did not return, and may undo `drop_through`; nothing else.
    """

    @property
    def id(self) -> bytes:
        """8 bytes, drawn at random when this memory was new, or when the box last started on it (`renew`)."""
        ...

    @property
    def first(self) -> int:
        """The lowest number held; equal to `next` where nothing is held."""
        ...

    @property
    def next(self) -> int:
        """The number behind the last one ever given. It never falls, not even over a restart with nothing held."""
        ...

    @property
    def held_bytes(self) -> int:
        """The payloads of what is held, together."""
        ...

    def append(self, items: Sequence[Item]) -> None:
        """Holds ``items`` under the next numbers; durable on return, all of them. SpoolError: none of them."""
        ...

    def read(self, number: int, count: int) -> tuple[Item, ...]:
        """Up to ``count`` items from ``number`` on, fewer where there are no more. ValueError below `first`, SpoolError
        where the memory cannot be read."""
        ...

    def drop_through(self, number: int) -> None:
        """Forgets the items up to and with ``number``; what is held no more, or never was, changes nothing. SpoolError:
        nothing is forgotten."""
        ...

    def skip_to(self, number: int) -> None:
        """Lets the next item be ``number``, at least `next`. ValueError below it, or while anything is held; SpoolError
        where the memory does not take it."""
        ...

    def renew(self, spool_id: bytes) -> None:
        """Holds the same items as a new spool: another id, numbers from 1. Durable on return, all or nothing (then
        SpoolError)."""
        ...


class Spools(Notes, Protocol):
    """The spools that an area server keeps for its stations, each under the id that the station gave it."""

    def held(self) -> Sequence[tuple[int, Spool]]:
        """(station number, spool) of every spool there is, in the order in which they were opened."""
        ...

    def open(self, station: int, spool_id: bytes, first: int) -> Spool:
        """A new and empty spool whose first item will be ``first``; durable on return. SpoolError: there is none."""
        ...

    def forget(self, station: int, spool_id: bytes) -> None:
        """Removes a spool that holds nothing. ValueError where it holds something, SpoolError where it stays."""
        ...


def count_boot(notes: Notes) -> int:
    """How often the box has started on this memory, this time included. A memory that takes no more keeps the count
    where it was: that is no reason not to relay."""
    boots = min(int.from_bytes(notes.read_note(_BOOTS_NOTE), "big") + 1, _BOOTS_MAX)
    with suppress(SpoolError):
        notes.write_note(_BOOTS_NOTE, boots.to_bytes(_BOOTS_BYTES, "big"))
    return boots


def read_all(spool: Spool) -> Iterator[Item]:
    """Every item held, lowest number first."""
    number = spool.first
    while number < spool.next:
        items = spool.read(number, _READ_ITEMS)
        yield from items
        number += len(items)


class MemorySpool:
    """A spool in RAM, as durable as the object. ``items_max`` stands for the size of the memory."""

    __slots__ = ("_first", "_id", "_items", "_items_max", "_notes")

    def __init__(self, spool_id: bytes, *, first: int = FIRST_NUMBER, items_max: int | None = None) -> None:
        if len(spool_id) != SPOOL_ID_BYTES or first < FIRST_NUMBER:
            raise ValueError(f"spool: {spool_id.hex()} from {first} is not allowed; allowed are {SPOOL_ID_BYTES} bytes")
        self._id, self._first, self._items_max = bytes(spool_id), first, items_max
        self._items: deque[Item] = deque()
        self._notes: dict[str, bytes] = {}

    @property
    def id(self) -> bytes:
        """See Spool."""
        return self._id

    @property
    def first(self) -> int:
        """See Spool."""
        return self._first

    @property
    def next(self) -> int:
        """See Spool."""
        return self._first + len(self._items)

    @property
    def held_bytes(self) -> int:
        """See Spool."""
        return sum(len(payload) for _, payload in self._items)

    def append(self, items: Sequence[Item]) -> None:
        """See Spool."""
        if self._items_max is not None and len(self._items) + len(items) > self._items_max:
            raise SpoolError(f"no room for {len(items)} items beside {len(self._items)}")
        self._items += items

    def read(self, number: int, count: int) -> tuple[Item, ...]:
        """See Spool."""
        if number < self._first:
            raise ValueError(f"number: {number} is not allowed; allowed is {self._first} or more")
        at = number - self._first
        return tuple(islice(self._items, at, at + count))

    def drop_through(self, number: int) -> None:
        """See Spool."""
        while self._items and self._first <= number:
            self._items.popleft()
            self._first += 1

    def skip_to(self, number: int) -> None:
        """See Spool."""
        if self._items or number < self._first:
            raise ValueError(f"number: {number} is not allowed; allowed is {self._first} or more, with nothing held")
        self._first = number

    def renew(self, spool_id: bytes) -> None:
        """See Spool."""
        self._id, self._first = bytes(spool_id), FIRST_NUMBER

    def read_note(self, name: str) -> bytes:
        """See Spool."""
        return self._notes.get(name, b"")

    def write_note(self, name: str, value: bytes) -> None:
        """See Spool."""
        self._notes[name] = bytes(value)


class MemorySpools:
    """An area server's spools in RAM. ``items_max``: of each spool."""

    __slots__ = ("_items_max", "_notes", "_spools")

    def __init__(self, *, items_max: int | None = None) -> None:
        self._items_max = items_max
        self._spools: dict[tuple[int, bytes], MemorySpool] = {}
        self._notes: dict[str, bytes] = {}

    def held(self) -> Sequence[tuple[int, Spool]]:
        """See Spools."""
        return [(station, spool) for (station, _), spool in self._spools.items()]

    def open(self, station: int, spool_id: bytes, first: int) -> Spool:
        """See Spools."""
        spool = MemorySpool(spool_id, first=first, items_max=self._items_max)
        self._spools[station, bytes(spool_id)] = spool
        return spool

    def forget(self, station: int, spool_id: bytes) -> None:
        """See Spools."""
        spool = self._spools.get((station, spool_id))
        if spool is not None and spool.first < spool.next:
            raise ValueError(f"spool: {spool_id.hex()} of station {station} still holds items")
        self._spools.pop((station, spool_id), None)

    def read_note(self, name: str) -> bytes:
        """See Spools."""
        return self._notes.get(name, b"")

    def write_note(self, name: str, value: bytes) -> None:
        """See Spools."""
        self._notes[name] = bytes(value)
