"""A box's durable memory as one SQLite file: the queues of kept items, and the notes beside them.

The write-ahead log with synchronous FULL is what makes an append durable when it returns, and a torn tail of it is
cut off when the file is opened again. The file is locked for as long as a process has it, so that no two boxes work on
one memory; the kernel drops the lock with the process, also on kill -9. See `prewatt.device.spool` for what both
classes promise.
"""

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from prewatt.codec.batch import Item
from prewatt.codec.hop import SPOOL_ID_BYTES
from prewatt.device.spool import FIRST_NUMBER, Spool, SpoolError
from prewatt.host.refusals import HostError
from prewatt.units import MeterId

__all__ = ["BoxMemoryError", "FileSpool", "FileSpools", "MemoryFile"]

# Marks the file as one of a box ("prwB"), and the version of its tables.
_APPLICATION: Final = 0x70727742
_VERSION: Final = 1
_TABLES: Final = """
CREATE TABLE spools (key INTEGER PRIMARY KEY, station INTEGER NOT NULL, id BLOB NOT NULL, first INTEGER NOT NULL,
    next INTEGER NOT NULL, UNIQUE (station, id)) STRICT;
CREATE TABLE items (spool INTEGER NOT NULL REFERENCES spools, number INTEGER NOT NULL, meter BLOB NOT NULL,
    payload BLOB NOT NULL, PRIMARY KEY (spool, number)) STRICT, WITHOUT ROWID;
CREATE TABLE notes (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;
"""
_OWNER_ONLY: Final = 0o600
_ITEM_INSERT: Final = "INSERT INTO items VALUES (?, ?, ?, ?)"
_SIZE: Final = "SELECT coalesce(sum(length(payload)), 0) FROM items WHERE spool = ? AND number < ?"
_ITEM_READ: Final = "SELECT meter, payload FROM items WHERE spool = ? AND number >= ? ORDER BY number LIMIT ?"


class BoxMemoryError(HostError):
    """The memory of a box cannot be used, in one line."""


class MemoryFile:
    """An open memory. BoxMemoryError where the file cannot be had, is another process's, or is damaged."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            # The owner's alone from its first moment; SQLite makes its log with the same mode.
            if not path.exists():
                os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _OWNER_ONLY))
            self._connection = sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)
        except (OSError, sqlite3.Error) as error:
            raise BoxMemoryError(f"memory {path}: cannot be opened ({error})") from None
        try:
            self._begin()
        except sqlite3.Error as error:
            self._connection.close()
            busy = getattr(error, "sqlite_errorcode", None) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
            why = "another process works on it" if busy else f"it is not one, or damaged ({error})"
            raise BoxMemoryError(f"memory {path}: {why}") from None

    def _begin(self) -> None:
        for pragma in ("locking_mode = EXCLUSIVE", "journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
            self._connection.execute(f"PRAGMA {pragma}")
        with self.writing():
            (application,) = self._connection.execute("PRAGMA application_id").fetchone()
            (version,) = self._connection.execute("PRAGMA user_version").fetchone()
            (tables,) = self._connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
            if not tables and not application:
                for statement in _TABLES.split(";")[:-1]:
                    self._connection.execute(statement)
                self._connection.execute(f"PRAGMA application_id = {_APPLICATION}")
                self._connection.execute(f"PRAGMA user_version = {_VERSION}")
            elif (application, version) != (_APPLICATION, _VERSION):
                raise sqlite3.DatabaseError(f"application {application:X}, version {version}")

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction, durable at the end; undone on any error."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield self._connection
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    @contextmanager
    def storing(self) -> Iterator[sqlite3.Connection]:
        """`writing`, with SpoolError for whatever the disk refuses."""
        try:
            with self.writing() as connection:
                yield connection
        except sqlite3.Error as error:
            raise SpoolError(f"memory {self._path}: {error}") from error

    def read(self, statement: str, *given: object) -> list[tuple[Any, ...]]:
        """Rows of a query. SpoolError where the file cannot be read."""
        try:
            return self._connection.execute(statement, given).fetchall()
        except sqlite3.Error as error:
            raise SpoolError(f"memory {self._path}: {error}") from error

    def read_note(self, name: str) -> bytes:
        """See Spool."""
        rows = self.read("SELECT value FROM notes WHERE name = ?", name)
        return bytes(rows[0][0]) if rows else b""

    def write_note(self, name: str, value: bytes) -> None:
        """See Spool."""
        with self.storing() as connection:
            connection.execute("INSERT OR REPLACE INTO notes VALUES (?, ?)", (name, value))

    def close(self) -> None:
        """Lets the file go; may be called twice."""
        self._connection.close()


class FileSpool:
    """One queue in a memory file; made by `FileSpool.open` or `FileSpools`."""

    def __init__(self, memory: MemoryFile, key: int, spool_id: bytes, first: int, after: int) -> None:
        self._memory, self._key = memory, key
        self._id, self._first, self._next = spool_id, first, after
        self._bytes = int(memory.read(_SIZE, key, after)[0][0]) if first < after else 0

    @classmethod
    def open(cls, memory: MemoryFile) -> "FileSpool":
        """The one queue of a local station; a fresh one with a random id where there is none."""
        rows = memory.read("SELECT key, id, first, next FROM spools")
        if rows:
            return cls(memory, *rows[0])
        return cls.make(memory, 0, os.urandom(SPOOL_ID_BYTES), FIRST_NUMBER)

    @classmethod
    def make(cls, memory: MemoryFile, station: int, spool_id: bytes, first: int) -> "FileSpool":
        """A new, empty queue; durable on return."""
        with memory.storing() as connection:
            values = (station, spool_id, first, first)
            made = connection.execute("INSERT INTO spools (station, id, first, next) VALUES (?, ?, ?, ?)", values)
        assert made.lastrowid is not None
        return cls(memory, made.lastrowid, bytes(spool_id), first, first)

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
        return self._next

    @property
    def held_bytes(self) -> int:
        """See Spool."""
        return self._bytes

    def append(self, items: Sequence[Item]) -> None:
        """See Spool."""
        rows = [(self._key, self._next + at, *item) for at, item in enumerate(items)]
        with self._memory.storing() as connection:
            connection.executemany(_ITEM_INSERT, rows)
            connection.execute("UPDATE spools SET next = ? WHERE key = ?", (self._next + len(rows), self._key))
        self._next += len(rows)
        self._bytes += sum(len(payload) for _, payload in items)

    def read(self, number: int, count: int) -> tuple[Item, ...]:
        """See Spool."""
        if number < self._first:
            raise ValueError(f"number: {number} is not allowed; allowed is {self._first} or more")
        rows = self._memory.read(_ITEM_READ, self._key, number, count)
        return tuple((MeterId(bytes(meter)), bytes(payload)) for meter, payload in rows)

    def drop_through(self, number: int) -> None:
        """See Spool."""
        first = min(number + 1, self._next)
        if first <= self._first:
            return
        with self._memory.storing() as connection:
            (gone,) = connection.execute(_SIZE, (self._key, first)).fetchone()
            connection.execute("DELETE FROM items WHERE spool = ? AND number < ?", (self._key, first))
            connection.execute("UPDATE spools SET first = ? WHERE key = ?", (first, self._key))
        self._first = first
        self._bytes -= gone

    def skip_to(self, number: int) -> None:
        """See Spool."""
        if self._first < self._next or number < self._next:
            raise ValueError(f"number: {number} is not allowed; allowed is {self._next} or more, with nothing held")
        with self._memory.storing() as connection:
            connection.execute("UPDATE spools SET first = ?, next = ? WHERE key = ?", (number, number, self._key))
        self._first = self._next = number

    def renew(self, spool_id: bytes) -> None:
        """See Spool."""
        less, after = self._first - FIRST_NUMBER, FIRST_NUMBER + self._next - self._first
        with self._memory.storing() as connection:
            held = connection.execute(
                "SELECT number FROM items WHERE spool = ? ORDER BY number", (self._key,)
            ).fetchall()
            # One by one and rising, so that no two items ever have the same number.
            renumbered = [(number - less, self._key, number) for (number,) in held]
            connection.executemany("UPDATE items SET number = ? WHERE spool = ? AND number = ?", renumbered)
            values = (spool_id, FIRST_NUMBER, after, self._key)
            connection.execute("UPDATE spools SET id = ?, first = ?, next = ? WHERE key = ?", values)
        self._id, self._first, self._next = bytes(spool_id), FIRST_NUMBER, after

    def read_note(self, name: str) -> bytes:
        """See Spool."""
        return self._memory.read_note(name)

    def write_note(self, name: str, value: bytes) -> None:
        """See Spool."""
        self._memory.write_note(name, value)


class FileSpools:
    """The queues of an area server in a memory file."""

    def __init__(self, memory: MemoryFile) -> None:
        self._memory = memory
        rows = memory.read("SELECT station, key, id, first, next FROM spools ORDER BY key")
        self._spools = {(row[0], bytes(row[2])): FileSpool(memory, *row[1:]) for row in rows}

    def held(self) -> Sequence[tuple[int, Spool]]:
        """See Spools."""
        return [(station, spool) for (station, _), spool in self._spools.items()]

    def open(self, station: int, spool_id: bytes, first: int) -> Spool:
        """See Spools."""
        spool = FileSpool.make(self._memory, station, spool_id, first)
        self._spools[station, bytes(spool_id)] = spool
        return spool

    def forget(self, station: int, spool_id: bytes) -> None:
        """See Spools."""
        spool = self._spools.get((station, bytes(spool_id)))
        if spool is None:
            return
        if spool.first < spool.next:
            raise ValueError(f"spool: {spool_id.hex()} of station {station} still holds items")
        with self._memory.storing() as connection:
            connection.execute("DELETE FROM spools WHERE station = ? AND id = ?", (station, spool_id))
        del self._spools[station, bytes(spool_id)]

    def read_note(self, name: str) -> bytes:
        """See Spools."""
        return self._memory.read_note(name)

    def write_note(self, name: str, value: bytes) -> None:
        """See Spools."""
        self._memory.write_note(name, value)
