"""A meter's non-volatile memory as a file: one region after the other, erased cells 0xFF.

A write is in the kernel's hands when it returns, so a killed process loses nothing; `sync` forces it to the disk, and
the street calls it before anything leaves a meter, so no answer on the line rests on bytes that a power failure of
the computer could take back.
"""

import fcntl
import os
from pathlib import Path
from typing import Final

from prewatt.device.meter.nvm import ERASED_BYTE, NvmRangeError, Region

__all__ = ["FileNvm"]

_OFFSETS: Final = {region: sum(before.size for before in list(Region)[:index]) for index, region in enumerate(Region)}
_TOTAL_BYTES: Final = sum(region.size for region in Region)
_OWNER_ONLY: Final = 0o600


class FileNvm:
    """See `prewatt.device.meter.nvm.Nvm`. The file holds keys of its meter: mode 0600."""

    def __init__(self, path: Path) -> None:
        """Opens the memory in ``path``, or makes an erased one; OSError where the disk refuses, and BlockingIOError
        where another process has it: two meters on one memory would be a clone."""
        self.born = not path.exists()
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _OWNER_ONLY)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._file)
            raise
        self._unsynced = False
        size = os.fstat(self._file).st_size
        if size < _TOTAL_BYTES:
            erased = bytes((ERASED_BYTE,)) * (_TOTAL_BYTES - size)
            os.pwrite(self._file, erased, size)
            os.fsync(self._file)

    def read(self, region: Region, offset: int, length: int) -> bytes:
        """See Nvm."""
        return os.pread(self._file, length, self._at(region, offset, length))

    def write(self, region: Region, offset: int, data: bytes) -> None:
        """See Nvm; OSError where the disk is full or broken, and then nothing later is claimed."""
        at = self._at(region, offset, len(data))
        while data:
            written = os.pwrite(self._file, data, at)
            at, data = at + written, data[written:]
        self._unsynced = True

    def sync(self) -> None:
        """Forces what was written to the disk."""
        if self._unsynced:
            os.fdatasync(self._file)
            self._unsynced = False

    def close(self) -> None:
        """Syncs and closes."""
        self.sync()
        os.close(self._file)

    def _at(self, region: Region, offset: int, length: int) -> int:
        if offset < 0 or length < 0 or offset + length > region.size:
            raise NvmRangeError(f"{region.value[0]}: {length} bytes at {offset} are not inside its {region.size} bytes")
        return _OFFSETS[region] + offset
