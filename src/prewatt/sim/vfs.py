"""SQLite's files on a `Disk`: a virtual file system for apsw, and the DB-API that SQLAlchemy expects, over apsw.

One connection holds the database exclusively, which SQLite needs for a WAL without shared memory; there are no threads
here, so readers and the writer take turns on it. Errors come out as the standard library's exceptions with their SQLite
names, as the host knows them. Where the process died on the way, what comes out is `HostCrashError`.
"""

import sqlite3
from collections.abc import Sequence
from contextlib import suppress
from itertools import count
from typing import Any, ClassVar, Final

import apsw

from prewatt.sim.disk import Disk, DiskFullError, DiskGoneError, DiskIoError
from prewatt.sim.platter import SECTOR_BYTES

__all__ = ["HostCrashError", "SimConnection"]

_NAMES = count()
# Prepared statements that a connection keeps: all that the host has.
_STATEMENTS: Final = 1_000
_CODES: Final[tuple[tuple[type[Exception], type[sqlite3.Error], str], ...]] = (
    (apsw.ConstraintError, sqlite3.IntegrityError, "SQLITE_CONSTRAINT"),
    (apsw.FullError, sqlite3.OperationalError, "SQLITE_FULL"),
    (apsw.IOError, sqlite3.OperationalError, "SQLITE_IOERR"),
    (DiskFullError, sqlite3.OperationalError, "SQLITE_FULL"),
    (DiskIoError, sqlite3.OperationalError, "SQLITE_IOERR"),
    (apsw.CantOpenError, sqlite3.OperationalError, "SQLITE_CANTOPEN"),
    (apsw.CorruptError, sqlite3.DatabaseError, "SQLITE_CORRUPT"),
    (apsw.NotADBError, sqlite3.DatabaseError, "SQLITE_NOTADB"),
    (apsw.ReadOnlyError, sqlite3.OperationalError, "SQLITE_READONLY"),
    (apsw.BusyError, sqlite3.OperationalError, "SQLITE_BUSY"),
)


class HostCrashError(BaseException):
    """The host's process ended here: nothing in the host can live through it."""


class _SqliteErrors:
    """What the disk raises, by the names that SQLite knows."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, DiskFullError):
            raise apsw.FullError("disk is full") from None
        if isinstance(error, DiskIoError):
            raise apsw.IOError("disk error") from None


class _SimFile:
    """One open file, of one life."""

    def __init__(self, disk: Disk, life: int, name: str) -> None:
        self._disk, self._life, self._name = disk, life, name
        disk.open(life, name)

    def excepthook(self, *_error: object) -> None:
        """What fails while SQLite undoes something is told by the statement that failed."""

    def xRead(self, amount: int, offset: int) -> bytes:  # noqa: N802 - SQLite's names
        return self._disk.read(self._life, self._name, offset, amount)

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802
        with _SqliteErrors():
            self._disk.write(self._life, self._name, offset, bytes(data))

    def xSync(self, _flags: int) -> None:  # noqa: N802
        with _SqliteErrors():
            self._disk.sync(self._life, self._name)

    def xTruncate(self, size: int) -> None:  # noqa: N802
        with _SqliteErrors():
            self._disk.truncate(self._life, self._name, size)

    def xFileSize(self) -> int:  # noqa: N802
        return self._disk.size(self._life, self._name)

    def xClose(self) -> None:  # noqa: N802
        return None

    def xLock(self, _level: int) -> None:  # noqa: N802
        return None

    def xUnlock(self, _level: int) -> None:  # noqa: N802
        return None

    def xCheckReservedLock(self) -> bool:  # noqa: N802
        return False

    def xFileControl(self, _op: int, _pointer: int) -> bool:  # noqa: N802
        return False

    def xSectorSize(self) -> int:  # noqa: N802
        return SECTOR_BYTES

    def xDeviceCharacteristics(self) -> int:  # noqa: N802
        return int(apsw.SQLITE_IOCAP_POWERSAFE_OVERWRITE)


class _SimVfs(apsw.VFS):
    """The file system of one disk, for one life of the process."""

    def __init__(self, disk: Disk) -> None:
        self.sim_name = f"prewatt-sim-{next(_NAMES)}"
        self._disk, self._life = disk, disk.life
        super().__init__(self.sim_name, base="")

    def excepthook(self, *_error: object) -> bool:
        """As in _SimFile."""
        return True

    def xOpen(self, name: Any, _flags: list[int]) -> Any:  # noqa: N802, ANN401
        filename = name.filename() if isinstance(name, apsw.URIFilename) else name
        return _SimFile(self._disk, self._life, filename)

    def xAccess(self, name: str, _flags: int) -> bool:  # noqa: N802
        return name in self._disk.files

    def xDelete(self, name: str, _sync: bool) -> None:  # noqa: N802
        with _SqliteErrors():
            self._disk.delete(self._life, name)

    def xFullPathname(self, name: str) -> str:  # noqa: N802
        return name

    def xRandomness(self, length: int) -> bytes:  # noqa: N802
        return bytes(length)

    def xSleep(self, _microseconds: int) -> int:  # noqa: N802
        return 0

    def xCurrentTimeInt64(self) -> int:  # noqa: N802
        return 0


class _Cursor:
    """A DB-API cursor (PEP 249) over apsw's."""

    arraysize = 1

    def __init__(self, owner: "SimConnection") -> None:
        self._owner = owner
        self._cursor = owner.real.cursor()
        self.description: tuple[Any, ...] | None = None
        self.rowcount = -1
        self.lastrowid = 0

    def execute(self, statement: str, parameters: Sequence[Any] = ()) -> "_Cursor":
        owner = self._owner
        owner.disk.misread = False
        known = owner.shapes.get(statement, False)
        try:
            if known is False:
                known = self._learn(statement, parameters)
            else:
                self._cursor.execute(statement, parameters)
        except (apsw.Error, DiskGoneError, DiskIoError, DiskFullError) as error:
            raise owner.translate(error) from None
        owner.check_read()
        self.description = known
        if known is None:
            self.rowcount = owner.real.changes()
            self.lastrowid = owner.real.last_insert_rowid()
        else:
            self.rowcount = -1
        return self

    def executemany(self, statement: str, rows: Sequence[Sequence[Any]]) -> "_Cursor":
        total = 0
        for row in rows:
            self.execute(statement, row)
            total += max(self.rowcount, 0)
        self.rowcount = total
        return self

    def _learn(self, statement: str, parameters: Sequence[Any]) -> Any:  # noqa: ANN401
        """Runs a statement for the first time, and remembers what its rows look like."""
        found: list[Any] = [None]

        def trace(cursor: apsw.Cursor, _statement: str, _bindings: object) -> bool:
            columns = cursor.get_description()
            found[0] = tuple((each[0], None, None, None, None, None, None) for each in columns) or None
            return True

        self._cursor.exec_trace = trace
        self._cursor.execute(statement, parameters)
        self._cursor.exec_trace = None
        if not statement.lstrip().upper().startswith(("PRAGMA", "CREATE", "DROP", "ALTER")):
            self._owner.shapes[statement] = found[0]
        return found[0]

    def fetchone(self) -> Any:  # noqa: ANN401
        try:
            row = self._cursor.fetchone()
        except (apsw.Error, DiskGoneError, DiskIoError, DiskFullError) as error:
            raise self._owner.translate(error) from None
        self._owner.check_read()
        return row

    def fetchall(self) -> list[Any]:
        try:
            rows = list(self._cursor.fetchall())
        except (apsw.Error, DiskGoneError, DiskIoError, DiskFullError) as error:
            raise self._owner.translate(error) from None
        self._owner.check_read()
        return rows

    def fetchmany(self, size: int = 1) -> list[Any]:
        rows: list[Any] = []
        while len(rows) < size and (row := self.fetchone()) is not None:
            rows.append(row)
        return rows

    def __iter__(self) -> Any:  # noqa: ANN401
        return iter(self.fetchall())

    def close(self) -> None:
        self._cursor.close(True)


class SimConnection:
    """A DB-API connection to the database ``name`` on a disk."""

    isolation_level: str | None = None
    # What the rows of a statement look like hangs on the schema alone; it is the same for all connections.
    shapes: ClassVar[dict[str, Any]] = {}

    def __init__(self, disk: Disk, name: str) -> None:
        self.disk, self.name, self._life = disk, name, disk.life
        self._vfs = _SimVfs(disk)
        try:
            self.real = apsw.Connection(name, vfs=self._vfs.sim_name, statementcachesize=_STATEMENTS)
        except (apsw.Error, DiskGoneError, DiskIoError) as error:
            raise self.translate(error) from None

    def cursor(self) -> _Cursor:
        """See PEP 249, as all of these."""
        return _Cursor(self)

    def execute(self, statement: str, parameters: Sequence[Any] = ()) -> _Cursor:
        """See PEP 249."""
        return _Cursor(self).execute(statement, parameters)

    def commit(self) -> None:
        """See PEP 249."""
        if self.real.in_transaction:
            self.execute("COMMIT")

    def rollback(self) -> None:
        """See PEP 249."""
        if self.disk.life == self._life and self.real.in_transaction:
            self.execute("ROLLBACK")

    def close(self) -> None:
        """Ends it; in a dead process nothing more is written."""
        with suppress(apsw.Error, DiskGoneError, DiskIoError, DiskFullError):
            self.real.close(True)
        self._vfs.unregister()

    def check_read(self) -> None:
        """HostCrashError where a statement was given damaged bytes and did not say so: what a program makes of them
        nobody can foretell, and nothing of it shall be seen. What it said, it said (SQLITE_CORRUPT)."""
        if self.disk.misread:
            self.disk.misread = False
            self.disk.end_life()
            raise HostCrashError

    def create_function(self, *_given: object, **_named: object) -> None:
        """SQLAlchemy offers a function that nothing here uses."""

    def translate(self, error: Exception) -> BaseException:
        """What the standard library's driver would have raised; HostCrashError where the process died."""
        if self.disk.life != self._life:
            return HostCrashError()
        for kind, raised, code in _CODES:
            if isinstance(error, kind):
                return _named(raised(str(error)), code)
        return _named(sqlite3.OperationalError(str(error)), "SQLITE_ERROR")


def _named(error: sqlite3.Error, code: str) -> sqlite3.Error:
    error.sqlite_errorname = code
    return error
