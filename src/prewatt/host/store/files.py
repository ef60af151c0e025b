"""Where an installation's database lies, as the host sees it: is there one, make one, open it.

The host itself knows only this port. `DatabaseFile` is a file in the data folder, `DatabaseServer` a database on a
PostgreSQL server; a simulation gives its own, on a disk that it breaks as it likes.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from prewatt.host.store.migrate import check_revision, upgrade
from prewatt.host.store.store import Store, Writing
from prewatt.host.store.whole import check_whole

__all__ = ["Database", "DatabaseFile"]


class Database(Protocol):
    """One place for one database."""

    def exists(self) -> bool:
        """Whether a whole database is there."""
        ...

    def create(self, fill: Callable[[Writing], object]) -> None:
        """Makes a new one of the newest revision with what ``fill`` writes: whole and durable on return, or none."""
        ...

    def open(self) -> Store:
        """Opens it; FolderVersionError or StoreError where it cannot be."""
        ...


class DatabaseFile:
    """A database in a file, written by a thread of its own."""

    def __init__(self, path: Path, *, serves: bool = False) -> None:
        """``serves``: opened for long, by a host, and so looked through however it ended."""
        self._path, self._serves = path, serves

    def exists(self) -> bool:
        """See Database."""
        return self._path.exists()

    def create(self, fill: Callable[[Writing], object]) -> None:
        """Under another name first, so that half a database is none."""
        fresh = self._path.with_suffix(".new")
        for leftover in fresh.parent.glob(fresh.name + "*"):
            leftover.unlink()
        upgrade(fresh)
        # Books hold the tags and codes of open orders: for the owner only.
        fresh.chmod(0o600)
        store = Store(fresh)
        try:
            store.write(fill)
        finally:
            store.close()
        fresh.replace(self._path)

    def open(self) -> Store:
        """See Database; an older revision is brought to the newest. One that is damaged is refused."""
        check_whole(self._path, always=self._serves)
        check_revision(self._path)
        return Store(self._path)
