"""The real host under chaos: its store without a thread, so that a seed is a walk, and a process that can die.

`QuickStore` is the host's own Store but for the thread: pieces of work handed in are collected, and become one group
commit as soon as anybody asks for a result. The disk is not waited for. `Faults` counts down over the points between
two durable writes: before a commit, after it and before the mark beside it, after that and before the caller knows,
and around every file of the state folder. A crash there is a BaseException: nothing in the host can live through it.
"""

import shutil
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager

import prewatt.host.dispatch.engine as engine_module
import prewatt.host.dispatch.inbound as inbound_module
import prewatt.host.dispatch.unbooked as unbooked_module
import prewatt.host.generation as generation_module
import prewatt.host.store.files as files_module
from prewatt.host.dispatch import DispatchSettings
from prewatt.host.folder import DataFolder
from prewatt.host.host import Host, HostOptions
from prewatt.host.keys import FileVault, SealCost, VaultSecret
from prewatt.host.store import Store
from prewatt.host.store.dialect import SqliteDialect
from prewatt.host.store.store import Job

PASSPHRASE = "only for tests, nothing else"
COST = SealCost(time_cost=1, memory_kib=8_192, lanes=1)
# Key sets 0-2 and 3-5; meters are made with the first two of their suite.
SUITES = ("aes-2026",) * 3 + ("tdes-1998",) * 3


class ViolationError(AssertionError):
    """Something that must never be."""


class HostCrashError(BaseException):
    """The host's process ended here."""


class Faults:
    """Where the host dies next: at the point that is reached when the count is down to zero."""

    def __init__(self):
        self.crash_in = None
        self.points = 0

    def point(self):
        self.points += 1
        if self.crash_in is not None:
            self.crash_in -= 1
            if self.crash_in < 0:
                self.crash_in = None
                raise HostCrashError


class _Result(Future):
    """A future whose result makes the commit that it waits for."""

    def __init__(self, store):
        super().__init__()
        self._store = store

    def result(self, timeout=None):
        self._store.flush()
        return super().result(timeout)


class QuickStore(Store):
    """See the module."""

    faults = None

    def __init__(self, path):
        self.dialect = SqliteDialect(path)
        self._after = None
        self._readers = self.dialect.reading_engine()
        self._writer = self.dialect.writing_engine()
        self._waiting = []
        self._connection = None
        self._damaged = None
        self.commits = 0

    @property
    def after_commit(self):
        return self._committed

    @after_commit.setter
    def after_commit(self, function):
        self._after = function

    def _committed(self, number):
        self.commits += 1
        self.faults.point()
        if self._after is not None:
            self._after(number)
            self.faults.point()

    def submit(self, work):
        job = Job(work)
        job.future = _Result(self)
        self._waiting.append(job)
        return job.future

    def flush(self):
        jobs, self._waiting = self._waiting, []
        if not jobs:
            return
        self.faults.point()
        if self._connection is None:
            self._connection = self._writer.connect()
            self._connection.connection.driver_connection.execute("PRAGMA synchronous = OFF")
        self.commit_group(self._connection, jobs)

    def read_rows(self, statement):
        """Rows as they stand, for the oracle: not by way of anything that the host uses."""
        if self._connection is None:
            with self._writer.connect() as connection:
                return connection.connection.driver_connection.execute(statement).fetchall()
        return self._connection.connection.driver_connection.execute(statement).fetchall()

    def close(self):
        self.flush()
        self.drop()

    def drop(self):
        """The process is gone: what was not committed never was."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        self._writer.dispose()
        self._readers.dispose()


class LoudLog:
    """The engine goes on after an error of its own and writes a line; here that line is a violation."""

    def __init__(self):
        self.errors = []

    def error(self, event, **told):
        self.errors.append(f"{event}: {told}")

    def info(self, event, **told):
        pass


class Installation:
    """One data folder and its state folder, and the host that runs on them, dies and starts again."""

    def __init__(self, path, faults, now, random, settings=None):
        self.path, self.state = path / "data", path / "state"
        self.faults = faults
        self.log = LoudLog()
        self._outer = {
            "state_dir": self.state,
            "now": now,
            "random": random,
            "dispatch_settings": settings or DispatchSettings(poll_floor_ms=0),
        }
        self.host = None
        folder = DataFolder.claim(self.path, create=True)
        secret = VaultSecret.from_passphrase(PASSPHRASE)
        self.vault = FileVault.create(folder.vault, secret, suites=SUITES, now_s=now(), random=random, cost=COST)
        self._patched = ExitStack()
        self._patched.enter_context(self._patch())
        self.host = Host.create(folder, self.vault, options=HostOptions(), **self._outer)

    @contextmanager
    def _patch(self):
        """The host with the quick store, the crash points of the state folder and the loud log, until `close`."""

        class Faulty(QuickStore):
            faults = self.faults

        def replace(path, content, real=generation_module._replace):
            self.faults.point()
            real(path, content)
            self.faults.point()

        def note_epoch(files, meter, epoch, real=generation_module.GenerationFiles.note_epoch):
            self.faults.point()
            real(files, meter, epoch)
            self.faults.point()

        changes = (
            (files_module, "Store", Faulty),
            (generation_module, "_replace", replace),
            (generation_module.GenerationFiles, "note_epoch", note_epoch),
            (engine_module, "_log", self.log),
            (inbound_module, "_log", self.log),
            (unbooked_module, "_log", self.log),
        )
        before = [getattr(place, name) for place, name, _ in changes]
        for place, name, changed in changes:
            setattr(place, name, changed)
        try:
            yield
        finally:
            for (place, name, _), old in zip(changes, before, strict=True):
                setattr(place, name, old)

    def close(self):
        """Ends it all, and leaves the host's modules as they were."""
        self.end()
        self._patched.close()

    @property
    def store(self):
        return self.host.context.store

    def start(self):
        """Opens what is there; raises HostCrashError where it dies on the way."""
        folder = DataFolder.claim(self.path)
        try:
            self.host = Host.open(folder, self.vault, **self._outer)
        except BaseException:
            folder.release()
            raise

    def end(self, *, cleanly=False):
        """The process ends; with ``cleanly`` it was asked to."""
        if self.host is None:
            return
        host, self.host = self.host, None
        if cleanly:
            host.context.store.flush()
        host.context.store.drop()
        host.context.generation.close()
        host.folder.release()

    def back_up(self):
        """The files of the database as they lie there."""
        return {path.name: path.read_bytes() for path in self._files()}

    def put_back(self, backup):
        """A backup in place of the database, while no host runs. The state folder stays."""
        for path in self._files():
            path.unlink()
        for name, content in backup.items():
            (self.path / name).write_bytes(content)

    def lose_state(self):
        """The state folder of another user, or another computer: empty."""
        shutil.rmtree(self.state, ignore_errors=True)

    def _files(self):
        return [path for path in sorted(self.path.glob("prewatt.db*")) if not path.name.endswith("-shm")]
