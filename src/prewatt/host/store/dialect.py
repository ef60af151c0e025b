"""Everything that depends on the kind of database: how a connection is set up, triggers, and the hot statements.

Only SQLite is here now; PostgreSQL gets a second set of the same names. The hot statements are written by hand because
every posting runs them; the rest of the host uses SQLAlchemy Core.
"""

import sqlite3
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import QueuePool

from prewatt.host.refusals import StoreError

__all__ = [
    "ACCOUNT_BY_ID",
    "ACCOUNT_PUT",
    "ACTION_INSERT",
    "BOOK_BY_METER",
    "BOOK_UPDATE",
    "BUSY_MS",
    "COMMITS",
    "COMMIT_NUMBER",
    "DATABASE_ERRORS",
    "ENTRY_BY_ID",
    "ENTRY_END",
    "ENTRY_INSERT",
    "METER_ACCOUNT",
    "ORDER_BY_TAG",
    "ORDER_EXISTS",
    "ORDER_INSERT",
    "ORDER_LET_GO",
    "ORDER_MONEY",
    "ORDER_PLACE",
    "ORDER_STEP",
    "PAYMENT_INSERT",
    "READERS_MAX",
    "RECORD_HOLDER",
    "WRITING_BEGIN",
    "WRITING_PRAGMAS",
    "append_only_triggers",
    "is_damage",
    "is_fatal",
    "is_missing_table",
    "reading_engine",
    "store_error",
    "writing_engine",
]

# What the database raises, through SQLAlchemy or from a hot statement.
DATABASE_ERRORS: Final = (SQLAlchemyError, sqlite3.Error)
# Another process (a reader that checkpoints) may hold the file for a moment.
BUSY_MS: Final = 5_000
# Connections that read at once; every one is a few open files.
READERS_MAX: Final = 16
# The one writing connection: WAL, every commit on the disk, foreign keys checked.
WRITING_PRAGMAS: Final = ("PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL", "PRAGMA foreign_keys = ON")
WRITING_BEGIN: Final = "BEGIN IMMEDIATE"

ENTRY_BY_ID: Final = (
    "SELECT id, phase, debit, credit, amount_micro, cause, reference, pending_id FROM entries WHERE id = ?"
)
ENTRY_END: Final = "SELECT phase FROM entries WHERE pending_id = ?"
ENTRY_INSERT: Final = (
    "INSERT INTO entries (id, phase, debit, credit, amount_micro, cause, reference, pending_id, at_s)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
ACCOUNT_BY_ID: Final = (
    "SELECT id, debits_micro, credits_micro, debits_pending_micro, credits_pending_micro FROM accounts WHERE id = ?"
)
ACCOUNT_PUT: Final = (
    "INSERT INTO accounts (id, debits_micro, credits_micro, debits_pending_micro, credits_pending_micro)"
    " VALUES (?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET debits_micro = excluded.debits_micro,"
    " credits_micro = excluded.credits_micro, debits_pending_micro = excluded.debits_pending_micro,"
    " credits_pending_micro = excluded.credits_pending_micro"
)
BOOK_BY_METER: Final = "SELECT book FROM books WHERE meter = ?"
BOOK_UPDATE: Final = (
    "UPDATE books SET book = ?, epoch_highest = ?, synced = ?, frozen = ?, reconciling = ?, live = ?, body = ?,"
    " work = ? WHERE meter = ?"
)
ORDER_MONEY: Final = "SELECT place, moves, amount_micro FROM orders WHERE id = ? AND meter = ?"
ORDER_PLACE: Final = "UPDATE orders SET place = ?, moves = ? WHERE id = ?"
ORDER_LET_GO: Final = "UPDATE orders SET sequence = NULL WHERE id = ? AND settled_s IS NULL"
ORDER_STEP: Final = "UPDATE orders SET step = ?, sequence = ?, settled_s = ? WHERE id = ? AND settled_s IS NULL"
ORDER_BY_TAG: Final = "SELECT id FROM orders WHERE meter = ? AND tag = ?"
ORDER_INSERT: Final = (
    "INSERT INTO orders (id, meter, amount_micro, tag, step, place, moves, made_s)"
    " VALUES (?, ?, ?, ?, 'waiting', 'wallet', 0, ?) RETURNING number"
)
ORDER_EXISTS: Final = "SELECT 1 FROM orders WHERE id = ?"
METER_ACCOUNT: Final = "SELECT account, reason, kind FROM meters WHERE id = ?"
ACTION_INSERT: Final = "INSERT INTO audit_log (at_s, actor, action, subject, detail) VALUES (?, ?, ?, ?, ?)"
PAYMENT_INSERT: Final = (
    "INSERT INTO payments (authorization, order_id, method, amount_micro, at_s) VALUES (?, ?, ?, ?, ?)"
)
RECORD_HOLDER: Final = (
    "INSERT INTO record_file (meter, sequence, tag, amount_micro, what, order_id, receipt, at_s)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (meter, sequence) DO NOTHING"
)
COMMITS: Final = "SELECT commits FROM mark"
COMMIT_NUMBER: Final = "UPDATE mark SET commits = commits + 1 RETURNING commits"


def append_only_triggers(table: str) -> list[str]:
    """The statements that make ``table`` refuse UPDATE and DELETE."""
    return [
        f"CREATE TRIGGER {table}_no_{word.lower()} BEFORE {word} ON {table} BEGIN"
        f" SELECT RAISE(ABORT, '{table}: rows are never changed or removed'); END"
        for word in ("UPDATE", "DELETE")
    ]


def writing_engine(path: Path) -> Engine:
    """An engine for the one writing connection."""
    return _engine(path, WRITING_BEGIN, WRITING_PRAGMAS)


def reading_engine(path: Path) -> Engine:
    """An engine for any number of connections that cannot write."""
    return _engine(path, "BEGIN", ("PRAGMA query_only = ON",))


def is_fatal(error: Exception) -> bool:
    """Whether the database itself failed, so that a whole group of work must be undone."""
    return _error_name(error).startswith(("SQLITE_FULL", "SQLITE_IOERR", "SQLITE_READONLY")) or is_damage(error)


def is_damage(error: Exception) -> bool:
    """Whether the database says of itself that it is damaged."""
    return _error_name(error).startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB"))


def is_missing_table(error: Exception) -> bool:
    """Whether a statement failed because a table it names is not there (or because it is wrong)."""
    return getattr(getattr(error, "orig", None), "sqlite_errorname", "") == "SQLITE_ERROR"


def store_error(error: Exception, path: Path) -> StoreError:
    """What went wrong below, in one line for a person."""
    cause = getattr(error, "orig", None) or error
    code = _error_name(error)
    if code.startswith("SQLITE_FULL"):
        return StoreError(f"database {path}: the disk is full; free some space, nothing was half done")
    if code.startswith("SQLITE_READONLY"):
        return StoreError(f"database {path}: it cannot be written (read-only)")
    if is_damage(error):
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
