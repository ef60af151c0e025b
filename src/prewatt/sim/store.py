"""The host's store in the simulator: its own code but for the thread, on SQLite's own code, on a disk that fails.

Pieces of work that are handed in are collected and become one group commit as soon as anybody asks for a result: a walk
hangs on its seed alone, and not on what a second thread was doing. Everything else is the host's: statements, schema,
group commit, savepoints, what is done after an error. A migrated database is made once a process and copied from then
on; what a migration does is tested elsewhere.
"""

import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import NullPool

from prewatt.host.refusals import StoreError
from prewatt.host.store import Store, Writing
from prewatt.host.store.dialect.sqlite import WRITING_BEGIN, WRITING_PRAGMAS, SqliteDialect
from prewatt.host.store.migrate import upgrade
from prewatt.host.store.store import Job
from prewatt.host.store.trail import HOST, By
from prewatt.host.store.whole import DAMAGED
from prewatt.sim.disk import Disk
from prewatt.sim.looking import DATABASE, look_through
from prewatt.sim.platter import Copy
from prewatt.sim.vfs import HostCrashError, SimConnection

__all__ = ["DATABASE", "SimDatabase", "SimStore"]

T = TypeVar("T")

# A checkpoint after so many pages instead of a thousand: it has to be seen failing too.
_CHECKPOINT_PAGES: Final = 200
# Looking through a whole database costs as much as some hundred steps.
_LOOK_EVERY_STARTS: Final = 8
_PRAGMAS: Final = (
    "PRAGMA locking_mode = EXCLUSIVE",
    # Nothing of what SQLite keeps in temporary files outlives a process.
    "PRAGMA temp_store = MEMORY",
    *WRITING_PRAGMAS,
    f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}",
)


class _Door:
    """Where the one engine of this process finds the disk that is meant: its cache of statements outlives a host."""

    disk: Disk
    # Nobody writes while somebody reads: there is one thread, and a reader needs no transaction of the database.
    reads = False


class _Result(Future[Any]):
    """A future whose result makes the commit that it waits for."""

    def __init__(self, store: "SimStore") -> None:
        super().__init__()
        self._store = store

    def result(self, timeout: float | None = None) -> Any:  # noqa: ANN401
        self._store.flush()
        return super().result(timeout)


class SimStore(Store):
    """See the module. Ends with ``close`` or, where its process died, with ``drop``."""

    def __init__(self, disk: Disk) -> None:
        self.dialect = SqliteDialect(Path(DATABASE))
        self.after_commit = None
        self._damaged: str | None = None
        self._waiting: list[Job] = []
        self.commits = 0
        self._disk, self._life = disk, disk.life
        self._connection: Connection | None = _connect(disk)

    def submit(self, work: Callable[[Writing], T], by: By = HOST) -> "Future[T]":
        """See Store."""
        self.check_sound()
        job = Job(work, by)
        job.future = _Result(self)
        self._waiting.append(job)
        return job.future

    def flush(self) -> None:
        """Commits what waits."""
        jobs, self._waiting = self._waiting, []
        if not jobs:
            return
        self.commits += 1
        try:
            self.commit_group(self._open(), jobs)
        except Exception as error:  # as in the host's own thread: every caller is told, and it goes on
            for job in jobs:
                if not job.future.done():
                    job.future.set_exception(self.failed(error))
            self.drop()
            if not self._disk.alive(self._life):
                # It died as it let the connection go, where no driver passes that on.
                raise HostCrashError from None

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """See Store; what waits to be written is not seen."""
        self.check_sound()
        try:
            connection = self._open()
            if connection.in_transaction():
                raise AssertionError("the host reads on another connection while it writes on this one")
            _Door.reads = True
            with connection.begin():
                _Door.reads = False
                yield connection
        except self.dialect.errors as error:
            raise self.failed(error) from error

    def failed(self, error: Exception) -> StoreError:
        """See Store; the note is that of a file."""
        found = self.dialect.store_error(error)
        if self.dialect.is_damage(error):
            self._damaged = str(found)
        return found

    def read_rows(self, statement: str) -> list[Any]:
        """Rows as they stand, for the auditor: not by way of anything that the host uses."""
        self._disk.auditing = True
        try:
            driver: Any = self._open().connection.driver_connection
            return list(driver.real.execute(statement).fetchall())
        finally:
            self._disk.auditing = False

    def close(self) -> None:
        """See Store."""
        self.flush()
        self.drop()

    def kill(self) -> None:
        """The process is gone: nothing that it did not write is written any more."""
        self._waiting = []
        self._disk.end_life()
        self.drop()

    def drop(self) -> None:
        """Lets the connection go."""
        if self._connection is not None:
            connection, self._connection = self._connection, None
            connection.invalidate()
            connection.close()

    def _open(self) -> Connection:
        if self._connection is None:
            self._connection = _connect(self._disk)
        return self._connection


class SimDatabase:
    """The database of a host on a disk."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk
        self._starts = 0

    def exists(self) -> bool:
        """See prewatt.host.store.files.Database."""
        return DATABASE in self._disk.files

    def create(self, fill: Callable[[Writing], object]) -> None:
        """A copy of a migrated database, and what ``fill`` writes."""
        self._disk.put(DATABASE, Copy({DATABASE: _migrated()}, {DATABASE: _migrated()}))
        store = SimStore(self._disk)
        store.write(fill)
        store.close()

    def open(self) -> SimStore:
        """See prewatt.host.store.files.Database. It is looked at as a host that serves looks at its own."""
        self._check_whole()
        return SimStore(self._disk)

    def _check_whole(self) -> None:
        """Always where something is damaged; where nothing is, which would find nothing, only now and then."""
        self._starts += 1
        if not self._disk.damaged and self._starts % _LOOK_EVERY_STARTS:
            return
        found = look_through(self._disk.copy(DATABASE).files).wrong
        if found:
            raise StoreError(f"database {DATABASE}: it is damaged ({found}); {DAMAGED}")


@cache
def _migrated() -> bytes:
    disk = Disk(lambda name: None)
    _Door.disk = disk
    engine = _engine()
    upgrade(Path(DATABASE), engine)
    connection = _connect(disk)
    driver: Any = connection.connection.driver_connection
    driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    connection.close()
    return bytes(disk.files[DATABASE].content)


def _connect(disk: Disk) -> Connection:
    _Door.disk = disk
    return _engine().connect()


@cache
def _engine() -> Engine:
    engine = create_engine(
        "sqlite+pysqlite://", creator=lambda: SimConnection(_Door.disk, DATABASE), module=sqlite3, poolclass=NullPool
    )

    def set_up(connection: SimConnection, _record: object) -> None:
        for pragma in _PRAGMAS:
            connection.execute(pragma).fetchall()

    event.listen(engine, "connect", set_up)

    def begin(connection: Connection) -> None:
        if not _Door.reads:
            driver: Any = connection.connection.driver_connection
            driver.execute(WRITING_BEGIN)

    event.listen(engine, "begin", begin)
    return engine
