"""SQLite: one file, WAL, every commit on the disk before anybody is answered."""

import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, Table, create_engine, event
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import QueuePool

from prewatt.host.ledger import EntryRow
from prewatt.host.refusals import StoreError
from prewatt.host.store.dialect.hot import Hot
from prewatt.host.store.dialect.protocol import READERS_MAX, Insert
from prewatt.host.store.dialect.sqlite_hot import SQLITE_HOT
from prewatt.host.store.whole import note_damage

__all__ = ["BUSY_MS", "WRITING_BEGIN", "WRITING_PRAGMAS", "SqliteDialect"]

# Another process (a reader that checkpoints) may hold the file for a moment.
BUSY_MS: Final = 5_000
# The one writing connection: WAL, every commit on the disk, foreign keys checked.
WRITING_PRAGMAS: Final = ("PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL", "PRAGMA foreign_keys = ON")
WRITING_BEGIN: Final = "BEGIN IMMEDIATE"


class SqliteDialect:
    """See Dialect."""

    hot: Mapping[Hot, str] = SQLITE_HOT
    errors: tuple[type[Exception], ...] = (SQLAlchemyError, sqlite3.Error)
    # The folder's lock keeps others away.
    is_shared = False

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def place(self) -> str:
        """See Dialect."""
        return str(self.path)

    def writing_engine(self) -> Engine:
        """See Dialect."""
        return _engine(self.path, WRITING_BEGIN, WRITING_PRAGMAS)

    def reading_engine(self) -> Engine:
        """See Dialect."""
        return _engine(self.path, "BEGIN", ("PRAGMA query_only = ON",))

    def insert(self, table: Table) -> Insert:
        """See Dialect."""
        return sqlite.insert(table)

    def send(self, driver: Any, statement: str) -> None:  # noqa: ANN401
        """See Dialect."""
        driver.execute(statement)

    def read_entries(self, connection: Connection, after: int, most: int) -> list[EntryRow]:
        """See Dialect; past SQLAlchemy, whose rows cost more than the database does."""
        driver: Any = connection.connection.driver_connection
        found: list[EntryRow] = driver.execute(self.hot[Hot.ENTRIES_AFTER], (after, most)).fetchall()
        return found

    def claim(self, connection: Connection) -> None:
        """See Dialect: nothing to do."""

    def has_happened(self, connection: Connection, row: tuple[Any, ...]) -> bool:
        """See Dialect: a commit that raised was undone."""
        return False

    def is_fatal(self, error: Exception) -> bool:
        """See Dialect."""
        return _error_name(error).startswith(("SQLITE_FULL", "SQLITE_IOERR", "SQLITE_READONLY")) or self.is_damage(
            error
        )

    def is_damage(self, error: Exception) -> bool:
        """See Dialect."""
        return _error_name(error).startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB"))

    def note_damage(self) -> None:
        """See Dialect."""
        note_damage(self.path)

    def is_lost(self, error: Exception) -> bool:
        """See Dialect: there is nothing between the database and this process."""
        return False

    def is_missing_table(self, error: Exception) -> bool:
        """See Dialect."""
        return getattr(getattr(error, "orig", None), "sqlite_errorname", "") == "SQLITE_ERROR"

    def store_error(self, error: Exception) -> StoreError:
        """See Dialect."""
        path = self.path
        cause = getattr(error, "orig", None) or error
        code = _error_name(error)
        if code.startswith("SQLITE_FULL"):
            return StoreError(f"database {path}: the disk is full; free some space, nothing was half done")
        if code.startswith("SQLITE_READONLY"):
            return StoreError(f"database {path}: it cannot be written (read-only)")
        if self.is_damage(error):
            return StoreError(f"database {path}: it is damaged or no database; put a backup in its place")
        return StoreError(f"database {path}: {str(cause).splitlines()[0] if str(cause) else type(cause).__name__}")


def _error_name(error: Exception) -> str:
    return str(getattr(getattr(error, "orig", None) or error, "sqlite_errorname", ""))


def _engine(path: Path, begin: str, pragmas: tuple[str, ...]) -> Engine:
    engine = create_engine(
        f"sqlite:///{path}",
        poolclass=QueuePool,
        pool_size=READERS_MAX,
        max_overflow=0,
        connect_args={"check_same_thread": False, "timeout": BUSY_MS / 1_000},
    )

    def set_up(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's own type
        # The driver shall not begin or commit by itself: transactions are ours.
        connection.isolation_level = None
        for pragma in pragmas:
            connection.execute(pragma)

    event.listen(engine, "connect", set_up)
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(begin))
    return engine
