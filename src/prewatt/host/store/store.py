"""One thread writes. Work is handed to it, collected for a moment, run in one transaction and made durable together.

Each piece of work runs in a savepoint of its own: where it raises, only its own changes are undone, and its caller gets
the exception; the others go on. Results are handed out after the commit, never before: who has an answer has it for
ever. Where the commit itself fails (disk full), all of the group are undone and every caller is told.

The lever is the group: one commit costs the disk one wait, whether it carries one vend or five hundred.
"""

import queue
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, Engine

from prewatt.host.refusals import HostError, StoreError
from prewatt.host.store import dialect
from prewatt.host.store.whole import note_damage

__all__ = ["GROUP_MAX", "GROUP_WINDOW_S", "Job", "Store", "Writing"]

T = TypeVar("T")

# Pieces of work in one commit: more gains nothing and makes the last caller wait.
GROUP_MAX: Final = 500
# How long the writer collects before it begins: less than the disk takes to commit, so nobody notices.
GROUP_WINDOW_S: Final = 0.001
# Work waiting to be written; beyond it callers wait (no queue without an end).
WAITING_MAX: Final = 10_000


class Writing:
    """What a piece of work writes with: a SQLAlchemy connection, and the driver's for hot statements."""

    __slots__ = ("connection", "driver")

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        # The driver's own connection; its type is the database's.
        self.driver: Any = connection.connection.driver_connection


class Job:
    """A piece of work that waits for its commit."""

    __slots__ = ("future", "work")

    def __init__(self, work: Callable[[Writing], Any]) -> None:
        self.work = work
        self.future: Future[Any] = Future()


class Store:
    """An open database. `submit` and `write` hand work to the one writer; `reading` gives a connection to read."""

    def __init__(self, path: Path) -> None:
        self.path = path
        # Called by the writer with the number of each commit, once that is durable and before anybody is answered.
        self.after_commit: Callable[[int], None] | None = None
        self._readers: Engine = dialect.reading_engine(path)
        self._writer: Engine = dialect.writing_engine(path)
        self._damaged: str | None = None
        self._jobs: queue.Queue[Job | None] = queue.Queue(maxsize=WAITING_MAX)
        self._closed = False
        self._gate = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="prewatt store", daemon=True)
        self._thread.start()

    def submit(self, work: Callable[[Writing], T]) -> "Future[T]":
        """Hands ``work`` to the writer; the future is done when the commit that carries it is durable."""
        job = Job(work)
        self.check_sound()
        with self._gate:
            if self._closed:
                raise StoreError(f"database {self.path}: closed")
            self._jobs.put(job)
        return job.future

    def write(self, work: Callable[[Writing], T]) -> T:
        """Runs ``work`` in the next commit and waits for it; raises what the work raised, or StoreError."""
        return self.submit(work).result()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection inside one read transaction: everything in the block sees one moment of the database."""
        self.check_sound()
        try:
            with self._readers.connect() as connection, connection.begin():
                yield connection
        except dialect.DATABASE_ERRORS as error:
            raise self.failed(error) from error

    def check_sound(self) -> None:
        """StoreError where the database once said that it is damaged: nothing is read from it or written to it any
        more by this process, because whatever still works may work on half of the truth."""
        if self._damaged is not None:
            raise StoreError(self._damaged)

    def failed(self, error: Exception) -> StoreError:
        """What went wrong, for a person; where it is damage, this was the last that this process did with it."""
        if isinstance(error, StoreError):
            return error
        found = dialect.store_error(error, self.path)
        if dialect.is_damage(error):
            self._damaged = str(found)
            note_damage(self.path)
        return found

    def close(self) -> None:
        """Writes what was handed in, then ends; may be called twice."""
        with self._gate:
            already, self._closed = self._closed, True
        if not already:
            self._jobs.put(None)
            self._thread.join()
            self._writer.dispose()
            self._readers.dispose()

    def _run(self) -> None:
        more = True
        connection: Connection | None = None
        while more:
            jobs, more = self._collect()
            if not jobs:
                continue
            try:
                self.check_sound()
                connection = connection or self._writer.connect()
                self.commit_group(connection, jobs)
            except Exception as error:  # the writer must live, and no caller may wait for ever
                _fail(jobs, self.failed(error))
                _drop(connection)
                connection = None
        if connection is not None:
            connection.close()

    def _collect(self) -> tuple[list[Job], bool]:
        """The next group, and whether there may be another."""
        first = self._jobs.get()
        if first is None:
            return [], False
        jobs = [first]
        while len(jobs) < GROUP_MAX:
            try:
                job = self._jobs.get(timeout=GROUP_WINDOW_S)
            except queue.Empty:
                break
            if job is None:
                return jobs, False
            jobs.append(job)
        return jobs, True

    def commit_group(self, connection: Connection, jobs: list[Job]) -> None:
        """One commit of all ``jobs``; their futures are done when it is durable. Raises where the commit failed."""
        outcomes: list[tuple[Job, Any, BaseException | None]] = []
        with connection.begin():
            writing = Writing(connection)
            for job in jobs:
                outcomes.append((job, *self._run_one(writing, job)))
            (commits,) = writing.driver.execute(dialect.COMMIT_NUMBER).fetchone()
        if self.after_commit is not None:
            self.after_commit(commits)
        for job, value, error in outcomes:
            if error is None:
                job.future.set_result(value)
            else:
                job.future.set_exception(error)

    def _run_one(self, writing: Writing, job: Job) -> tuple[Any, BaseException | None]:
        """What one piece of work gave or raised; its changes are undone where it raised."""
        writing.driver.execute("SAVEPOINT work")
        try:
            value = job.work(writing)
        except Exception as error:  # whatever it is belongs to the caller, not to the writer
            if dialect.is_fatal(error):
                raise
            writing.driver.execute("ROLLBACK TO work")
            writing.driver.execute("RELEASE work")
            return None, dialect.store_error(error, self.path) if isinstance(error, dialect.DATABASE_ERRORS) else error
        writing.driver.execute("RELEASE work")
        return value, None


def _fail(jobs: list[Job], error: HostError) -> None:
    for job in jobs:
        if not job.future.done():
            job.future.set_exception(error)


def _drop(connection: Connection | None) -> None:
    """Throws away a connection that failed; the next group begins with a fresh one."""
    if connection is not None:
        try:
            connection.invalidate()
            connection.close()
        except dialect.DATABASE_ERRORS:
            return
