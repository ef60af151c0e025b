"""A file that is replaced whole or not at all, and one writer at a time.

New bytes go to a file beside the old one, are forced to the disk, and take its name in one step (POSIX rename); a
power cut leaves the old file or the new one. Writers of several processes wait for each other on a lock file that
stays.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from prewatt.host.keys.errors import VaultBusyError

__all__ = ["LOCK_WAIT_S", "FileStamp", "one_writer", "read_stamped", "replace_whole", "stamp_of"]

# A writer holds the lock for one read and one write; ten seconds is far more than a slow SD card needs.
LOCK_WAIT_S: Final = 10.0
_LOCK_POLL_S: Final = 0.02
_OWNER_ONLY: Final = 0o600

# Inode, modification time in ns, length: different after every replacement.
FileStamp = tuple[int, int, int]


def stamp_of(status: os.stat_result) -> FileStamp:
    """What tells one replacement of the file from the next."""
    return (status.st_ino, status.st_mtime_ns, status.st_size)


def read_stamped(path: Path, limit_bytes: int) -> tuple[bytes, FileStamp]:
    """Up to `limit_bytes` + 1 bytes of the file, and its stamp; OSError where it cannot be read."""
    with path.open("rb") as file:
        return file.read(limit_bytes + 1), stamp_of(os.fstat(file.fileno()))


def replace_whole(path: Path, data: bytes) -> FileStamp:
    """Makes `data` the file, mode 0600, durable on return; on OSError the old file is still there."""
    fresh = path.with_name(path.name + ".new")
    try:
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, _OWNER_ONLY)
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(file.fileno(), _OWNER_ONLY)
            file.write(data)
            file.flush()
            _pass_by_time(file.fileno(), path)
            os.fsync(file.fileno())
            stamp = stamp_of(os.fstat(file.fileno()))
        os.replace(fresh, path)
    except BaseException:
        with suppress(OSError):
            fresh.unlink()
        raise
    _sync_folder(path.parent)
    return stamp


@contextmanager
def one_writer(path: Path, *, wait_s: float = LOCK_WAIT_S) -> Iterator[None]:
    """Holds the write lock of `path`; VaultBusyError where another writer keeps it longer than `wait_s`."""
    lock = path.with_name(path.name + ".lock")
    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, _OWNER_ONLY)
    try:
        give_up_s = time.monotonic() + wait_s
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= give_up_s:
                    raise VaultBusyError(f"vault {path}: another process is changing it; try again") from None
                time.sleep(_LOCK_POLL_S)
        yield
    finally:
        os.close(descriptor)


def _pass_by_time(descriptor: int, old: Path) -> None:
    """File times move in steps of milliseconds; two quick changes must not leave equal stamps."""
    with suppress(FileNotFoundError):
        before_ns = old.stat().st_mtime_ns
        status = os.fstat(descriptor)
        os.utime(descriptor, ns=(status.st_atime_ns, max(status.st_mtime_ns, before_ns + 1)))


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
