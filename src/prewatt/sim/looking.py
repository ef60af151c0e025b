"""What a damaged database holds, beside what it should hold: looked at on copies of its files, past host and disk.

A host looks at a database that did not end in order before it uses it. This module looks at the same files and, since
the disk knows what should lie there, also at the right ones: damage that the host's look finds is noticed; damage that
changes no row is harmless; damage that changes rows and is not found is silent, and that must not be.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import apsw

from prewatt.host.store.whole import find_mark, look, look_at_log
from prewatt.sim.disk import Disk
from prewatt.sim.platter import Copy
from prewatt.sim.vfs import SimConnection

__all__ = ["DATABASE", "Looked", "look_through"]

DATABASE: Final = "prewatt.db"
_LOG: Final = DATABASE + "-wal"
_TABLES: Final = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name"


@dataclass(frozen=True, slots=True)
class Looked:
    """``wrong``: what the host's own look finds, empty where nothing; ``rows``: all that can be read, by table."""

    wrong: str
    rows: dict[str, Any]

    @property
    def generation(self) -> int:
        """R7's."""
        return int(self.rows["mark"][0][1])

    @property
    def commits(self) -> int:
        """The number of the last commit."""
        return int(self.rows["mark"][0][2])


def look_through(files: Mapping[str, bytes], *, rows: bool = False) -> Looked:
    """The database in these files, after a crash; its ``rows`` only where asked for."""
    disk = Disk(lambda name: None)
    disk.put(DATABASE, Copy(dict(files), dict(files)))
    connection = SimConnection(disk, DATABASE)
    real = connection.real
    try:
        real.execute("PRAGMA locking_mode = EXCLUSIVE").fetchall()
        ((_, frames, _),) = real.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
        log, file = files.get(_LOG, b""), files[DATABASE]
        read = lambda offset, length: file[offset : offset + length]  # noqa: E731
        wrong = look_at_log(log, max(int(str(frames)), 0), read, find_mark(real.execute)) or look(real.execute)
        return Looked(wrong, _read(real) if rows else {})
    except (apsw.Error, UnicodeDecodeError) as error:
        return Looked(str(error) or type(error).__name__, {})
    finally:
        connection.close()


def _read(real: apsw.Connection) -> dict[str, Any]:
    tables = [name for (name,) in real.execute(_TABLES)]
    return {table: sorted(real.execute(f"SELECT * FROM {table}").fetchall(), key=repr) for table in tables}
