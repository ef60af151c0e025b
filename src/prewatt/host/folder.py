"""The data folder: which files stand in it, who works on it, and where a running `up` can be found.

    DATA/prewatt.db    the database      DATA/keys.vault   sealed master keys
    DATA/lock          exclusive flock of the one process at work; JSON with its pid, port and token

The flock is the truth (the kernel drops it with the process, also on kill -9); the JSON only says how to reach its
holder. A left-over lock file without a holder means nothing.
"""

import fcntl
import json
import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Final

from prewatt.host.refusals import DataFolderError, FolderBusyError, FolderMissingError

__all__ = [
    "DATABASE_NAME",
    "LOCK_NAME",
    "LOOPBACK",
    "VAULT_NAME",
    "DataFolder",
    "LockHolder",
    "missing_text",
    "read_holder",
]

DATABASE_NAME: Final = "prewatt.db"
VAULT_NAME: Final = "keys.vault"
LOCK_NAME: Final = "lock"
LOOPBACK: Final = "127.0.0.1"
_LOCK_BYTES_MAX: Final = 4_096
# A look by `read_holder` holds the lock, shared, for microseconds; a claim that meets one tries again.
_CLAIM_TRIES: Final = 10
_CLAIM_PAUSE_S: Final = 0.02


@dataclass(frozen=True, slots=True)
class LockHolder:
    """Who holds a data folder. ``port`` and ``token`` are None while it serves nothing; ``starting``: it soon will. The
    token is never shown."""

    pid: int
    port: int | None
    token: str | None = field(repr=False)
    address: str = LOOPBACK
    starting: bool = False


class DataFolder:
    """One claimed data folder. Exclusive until `release`; a context manager releases at its end."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor = descriptor

    @classmethod
    def claim(cls, path: str | os.PathLike[str], *, create: bool = False, starting: bool = False) -> "DataFolder":
        """Takes the folder for this process; FolderBusyError where another has it, DataFolderError for no folder.
        ``starting``: others are told that this process will serve."""
        place = Path(path)
        try:
            if create:
                place.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(place / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except FileNotFoundError as error:
            raise FolderMissingError(missing_text(place)) from error
        except OSError as error:
            raise DataFolderError(f"data folder {place}: cannot be used ({error.strerror})") from error
        if not _locked(descriptor):
            os.close(descriptor)
            raise FolderBusyError(_busy_text(place))
        folder = cls(place, descriptor)
        folder.publish(None, None, starting=starting)
        return folder

    @property
    def database(self) -> Path:
        """Where the database is."""
        return self.path / DATABASE_NAME

    @property
    def vault(self) -> Path:
        """Where the sealed master keys are."""
        return self.path / VAULT_NAME

    def publish(self, port: int | None, token: str | None, address: str = LOOPBACK, *, starting: bool = False) -> None:
        """Tells other processes where this one serves, or that it will soon."""
        where = {"pid": os.getpid(), "address": address, "port": port, "token": token, "starting": starting}
        text = json.dumps(where).encode()
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, text, 0)

    def release(self) -> None:
        """Lets the folder go; may be called twice."""
        if self._descriptor >= 0:
            os.ftruncate(self._descriptor, 0)
            os.close(self._descriptor)
            self._descriptor = -1

    def __enter__(self) -> "DataFolder":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def _locked(descriptor: int) -> bool:
    """Whether the exclusive lock could be had."""
    for attempt in range(_CLAIM_TRIES):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            if attempt + 1 < _CLAIM_TRIES:
                time.sleep(_CLAIM_PAUSE_S)
        else:
            return True
    return False


def read_holder(path: str | os.PathLike[str]) -> LockHolder | None:
    """Who works on the folder now; None where nobody does, or there is no folder."""
    try:
        descriptor = os.open(Path(path) / LOCK_NAME, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return _parse_holder(os.pread(descriptor, _LOCK_BYTES_MAX, 0))
    else:
        return None
    finally:
        os.close(descriptor)


def _parse_holder(text: bytes) -> LockHolder:
    """The holder that a lock file names; one without port where it is being written just now."""
    try:
        found = json.loads(text)
        starting = found.get("starting", False) is True
        return LockHolder(int(found["pid"]), found["port"], found["token"], found["address"], starting)
    except (ValueError, KeyError, TypeError, AttributeError):
        return LockHolder(0, None, None)


def missing_text(place: Path) -> str:
    """What a person reads where there is nothing to open."""
    return f"data folder {place}: there is no installation here; make one with `prewatt up` or `prewatt init`"


def _busy_text(place: Path) -> str:
    holder = read_holder(place)
    if holder is not None and holder.starting:
        return f"data folder {place}: prewatt is starting on it (process {holder.pid}); try again in a moment"
    if holder is None or holder.port is None:
        return f"data folder {place}: another prewatt works on it; wait for it to end"
    return f"data folder {place}: prewatt is up on it already (process {holder.pid}, port {holder.port})"
