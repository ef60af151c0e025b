"""One thread writes. Work is handed to it, collected for a moment, run in one transaction and made durable together.

Each piece of work runs in a savepoint of its own: where it raises, only its own changes are undone, and its caller gets
the exception; the others go on. Results are handed out after the commit, never before: who has an answer has it for
ever. Where the commit itself fails (disk full), all of the group are undone and every caller is told.

A server may go away in the middle of a commit. Then callers wait until it is back and says whether that commit
happened, and get the answer that is true; where it stays away, they are told that nobody knows.

The lever is the group: one commit costs the disk one wait, whether it carries one vend or five hundred.
"""

import queue
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, Engine

from prewatt.host.refusals import HostError, StoreError, StoreUnknownError
from prewatt.host.store.course import Course, CourseError
from prewatt.host.store.dialect import Dialect, Hot, SqliteDialect
from prewatt.host.store.trail import HOST, By
from prewatt.host.store.writing import Writing

__all__ = ["GROUP_MAX", "GROUP_WINDOW_S", "Job", "Store", "Writing"]

T = TypeVar("T")

# Pieces of work in one commit: more gains nothing and makes the last caller wait.
GROUP_MAX: Final = 500
# How long the writer collects before it begins: less than the disk takes to commit, so nobody notices.
GROUP_WINDOW_S: Final = 0.001
# Work waiting to be written; beyond it callers wait (no queue without an end).
WAITING_MAX: Final = 10_000
# How long callers wait for a server that went away in the middle of a commit to say what became of it: a restart
# after a crash takes seconds.
SETTLING_S: Final = 30.0
SETTLING_PAUSE_S: Final = 0.2


class Job:
    """A piece of work that waits for its commit."""

    __slots__ = ("by", "future", "work")

    def __init__(self, work: Callable[[Writing], Any], by: By = HOST) -> None:
        self.work = work
        self.by = by
        self.future: Future[Any] = Future()


Outcome = tuple[Job, Any, BaseException | None]


class CommitInDoubtError(Exception):
    """The connection was lost during the commit: nobody knows yet whether it happened."""

    def __init__(self, commits: int, outcomes: list[Outcome], cause: Exception) -> None:
        super().__init__(f"commit {commits}")
        self.commits, self.outcomes, self.cause = commits, outcomes, cause


class Store:
    """An open database. `submit` and `write` hand work to the one writer; `reading` gives a connection to read."""

    def __init__(self, where: Path | Dialect) -> None:
        self.dialect: Dialect = SqliteDialect(where) if isinstance(where, Path) else where
        # Called by the writer with the number of each commit, once that is durable and before anybody is answered.
        self.after_commit: Callable[[int], None] | None = None
        self._readers: Engine = self.dialect.reading_engine()
        self._writer: Engine = self.dialect.writing_engine()
        self._damaged: str | None = None
        self._course = Course(self.dialect)
        # What others can reach is claimed before anything is done with it.
        self._connection: Connection | None = self._connect() if self.dialect.is_shared else None
        self._jobs: queue.Queue[Job | None] = queue.Queue(maxsize=WAITING_MAX)
        self._closed = False
        self._gate = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="prewatt store", daemon=True)
        self._thread.start()

    def submit(self, work: Callable[[Writing], T], by: By = HOST) -> "Future[T]":
        """Hands ``work`` of ``by`` to the writer; the future is done when the commit that carries it is durable."""
        job = Job(work, by)
        self.check_sound()
        with self._gate:
            if self._closed:
                raise StoreError(f"database {self.dialect.place}: closed")
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
        except self.dialect.errors as error:
            raise self.failed(error) from error

    def check_sound(self) -> None:
        """StoreError where the database once said that it is damaged: nothing is read from it or written to it any
        more by this process, because whatever still works may work on half of the truth."""
        if self._damaged is not None:
            raise StoreError(self._damaged)

    def failed(self, error: Exception) -> HostError:
        """What went wrong, for a person; where it is damage, this was the last that this process did with it."""
        if isinstance(error, HostError):
            return error
        found = self.dialect.store_error(error)
        if self.dialect.is_damage(error):
            self._damaged = str(found)
            self.dialect.note_damage()
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
        while more:
            jobs, more = self._collect()
            if jobs:
                self._commit(jobs)
        self._drop()

    def _commit(self, jobs: list[Job]) -> None:
        """One commit; every job has its answer afterwards, whatever happened."""
        try:
            self.check_sound()
            if self._connection is None:
                self._connection = self._connect()
            self.commit_group(self._connection, jobs)
        except CommitInDoubtError as doubt:
            self._drop()
            self._settle(doubt, jobs)
        except Exception as error:  # the writer must live, and no caller may wait for ever
            _fail(jobs, self.failed(error))
            self._drop()

    def _connect(self) -> Connection:
        """A connection that writes. StoreError or FolderBusyError where it cannot be had."""
        try:
            connection = self._writer.connect()
        except self.dialect.errors as error:
            raise self.dialect.store_error(error) from error
        try:
            if self.dialect.is_shared:
                self.dialect.claim(connection)
                self._course.check(connection)
        except BaseException as error:
            _throw_away(connection, self.dialect)
            if isinstance(error, self.dialect.errors):
                raise self.dialect.store_error(error) from error
            raise
        return connection

    def _settle(self, doubt: CommitInDoubtError, jobs: list[Job]) -> None:
        """Asks the server until it says what became of a commit; callers wait, but not for ever."""
        until_s = time.monotonic() + SETTLING_S
        error: HostError
        while True:
            try:
                self._connection = self._connect()
            except HostError as failed:
                error = failed
            else:
                break
            if time.monotonic() >= until_s or isinstance(error, CourseError):
                _fail(jobs, StoreUnknownError(f"{error}; whether it was done is not known: ask again with the same id"))
                return
            time.sleep(SETTLING_PAUSE_S)
        if self._course.last == doubt.commits:
            self._answer(doubt.commits, doubt.outcomes)
        else:
            _fail(jobs, self.dialect.store_error(doubt.cause))

    def _drop(self) -> None:
        """Lets the connection go; the next group begins with a fresh one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            _throw_away(connection, self.dialect)

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
        outcomes: list[Outcome] = []
        with connection.begin() as transaction:
            writing = Writing(connection, self.dialect)
            writing.ledger.load(each for job in jobs for each in getattr(job.work, "postings", ()))
            for job in jobs:
                outcomes.append((job, *self._run_one(writing, job)))
            writing.end_group()
            row = tuple(writing.run(Hot.COMMIT_NUMBER).fetchone())
            try:
                transaction.commit()
            except self.dialect.errors as error:
                if not self.dialect.is_lost(error):
                    raise
                self._course.in_doubt = row
                raise CommitInDoubtError(int(row[0]), outcomes, error) from error
        self._answer(int(row[0]), outcomes)

    def _answer(self, commits: int, outcomes: "list[Outcome]") -> None:
        """Tells everybody what their work came to, now that it is durable."""
        if self.dialect.is_shared:
            self._course.last = commits
        if self.after_commit is not None:
            self.after_commit(commits)
        for job, value, error in outcomes:
            if error is None:
                job.future.set_result(value)
            else:
                job.future.set_exception(error)

    def _run_one(self, writing: Writing, job: Job) -> tuple[Any, BaseException | None]:
        """What one piece of work gave or raised; its changes are undone where it raised."""
        writing.by = job.by
        value, error = writing.attempt(job.work)
        return value, self.dialect.store_error(error) if isinstance(error, self.dialect.errors) else error


def _fail(jobs: list[Job], error: HostError) -> None:
    for job in jobs:
        if not job.future.done():
            job.future.set_exception(error)


def _throw_away(connection: Connection, dialect: Dialect) -> None:
    try:
        connection.invalidate()
        connection.close()
    except dialect.errors:
        return
