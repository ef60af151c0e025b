"""PostgreSQL: a server that others can reach too, so the writer claims its database and may lose the way to it.

One writer a database: it holds an advisory lock for as long as its connection lives, and the server lets go of it with
the connection. A commit whose answer never came is looked up by the transaction's own number and by the number of
commits in the books; both must say that it happened.

What the host expects of the database: UTF-8, names ordered by their bytes (as SQLite orders them), and commits that are
on the disk, and on the standby that the server waits for, before they are answered.
"""

import json
import socket
from collections.abc import Callable, Mapping
from contextlib import closing
from typing import Any, Final

from sqlalchemy import Connection, Engine, Table, create_engine, event
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool, QueuePool

from prewatt.host.ledger import EntryRow
from prewatt.host.refusals import FolderBusyError, StoreError
from prewatt.host.store.dialect.address import ServerAddress
from prewatt.host.store.dialect.hot import Hot
from prewatt.host.store.dialect.postgresql_hot import POSTGRESQL_HOT
from prewatt.host.store.dialect.protocol import READERS_MAX, Insert
from prewatt.host.store.dialect.wire import Link, LinkLostError, WireError, sqlstate

__all__ = ["LOCK_KEY", "LOCK_WAIT_MS", "PostgresqlDialect"]

# The advisory lock that says "a Prewatt host writes here": the letters of its name as a number.
LOCK_KEY: Final = int.from_bytes(b"Prewatt", "big")
# A host that was killed is gone for the server once that has finished what it was doing for it.
LOCK_WAIT_MS: Final = 3_000
CONNECT_WAIT_S: Final = 10.0
# A server that fell silent is given up after idle + count x interval seconds.
_KEEPALIVE: Final = ((socket.TCP_KEEPIDLE, 15), (socket.TCP_KEEPINTVL, 5), (socket.TCP_KEEPCNT, 3))
_UNANSWERED_MS: Final = 30_000
_READING_BEGIN: Final = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
_DURABLE: Final = (
    "SELECT set_config('synchronous_commit', 'on', false)"
    " WHERE current_setting('synchronous_commit') NOT IN ('on', 'remote_apply')"
)
# A text stays prepared as long as its connection. Its plan may not: one made while a table was empty reads the whole of
# it for each commit, a year later.
_PLANNED_ANEW: Final = "SET plan_cache_mode = force_custom_plan"
# Not retried one by one: disk full, I/O error, damaged, read-only (a standby), out of memory, shutting down.
_FATAL: Final = ("53", "58", "XX", "25006", "57P", "08", "25P02")
_DAMAGED: Final = ("XX001", "XX002")
_MISSING_TABLE: Final = ("42P01",)
_TEXTS: Final = {
    "53100": "the server's disk is full; free some space, nothing was half done",
    "25006": "it cannot be written (the server is a standby, or read-only)",
    "28P01": "the server does not take the password of this user",
    "28000": "the server does not let this user in (its pg_hba.conf says who comes from where, with TLS or without)",
    "3D000": "there is no such database on the server; make it with `createdb --template=template0 --locale=C NAME`",
    "53300": "the server has no connection left; raise its max_connections",
    "XX001": "it is damaged; put a backup in its place",
    "XX002": "it is damaged; put a backup in its place",
}


class PostgresqlDialect:
    """See Dialect."""

    hot: Mapping[Hot, str] = POSTGRESQL_HOT
    errors: tuple[type[Exception], ...] = (SQLAlchemyError, WireError)
    is_shared = True

    def __init__(self, address: ServerAddress) -> None:
        self.address = address

    @property
    def place(self) -> str:
        """See Dialect."""
        return str(self.address)

    def writing_engine(self) -> Engine:
        """See Dialect."""
        engine = _engine(self._connect, poolclass=NullPool)
        event.listen(engine, "connect", lambda link, _record: link.execute(_DURABLE))
        event.listen(engine, "begin", lambda connection: _link(connection).later("BEGIN"))
        return engine

    def reading_engine(self) -> Engine:
        """See Dialect; everything in one transaction sees one moment."""
        engine = _engine(self._connect, poolclass=QueuePool, pool_size=READERS_MAX, max_overflow=0, pool_pre_ping=True)
        event.listen(engine, "begin", lambda connection: _link(connection).later(_READING_BEGIN))
        return engine

    def ask(self, question: str) -> Any:  # noqa: ANN401 - whatever the server says
        """The one value that a SELECT gives, asked on a connection of its own; None where it gives no row."""
        try:
            with closing(self._connect()) as link:
                row = link.execute(question).fetchone()
        except WireError as error:
            raise self.store_error(error) from error
        return None if row is None else row[0]

    def insert(self, table: Table) -> Insert:
        """See Dialect."""
        return postgresql.insert(table)

    def send(self, driver: Link, statement: str) -> None:
        """See Dialect: it goes with what is sent next."""
        driver.later(statement)

    def read_entries(self, connection: Connection, after: int, most: int) -> list[EntryRow]:
        """See Dialect; as one text, which Python reads many times as fast as the driver reads rows."""
        (text,) = _link(connection).execute(self.hot[Hot.ENTRIES_AFTER], (after, most)).fetchone()
        return [tuple(row) for row in json.loads(text)]

    def claim(self, connection: Connection) -> None:
        """See Dialect."""
        link = _link(connection)
        link.execute(f"SET lock_timeout = {LOCK_WAIT_MS}")
        try:
            link.execute("SELECT pg_advisory_lock($1)", (LOCK_KEY,))
        except WireError as error:
            if sqlstate(error) != "55P03":
                raise
            raise FolderBusyError(
                f"database {self.place}: another prewatt works on it; stop that one first (where its computer is gone,"
                " the server lets go when it notices)"
            ) from None
        link.execute("SET lock_timeout = 0")

    def has_happened(self, connection: Connection, row: tuple[Any, ...]) -> bool:
        """See Dialect: the transaction is known as committed, and the books count it."""
        commits, transaction = row
        link = _link(connection)
        try:
            (status,) = link.execute("SELECT pg_xact_status($1::xid8)", (transaction,)).fetchone()
        except WireError as error:
            # A number that this server has not come to: what answers now is a standby that never had the commit.
            if sqlstate(error) != "22023":
                raise
            return False
        (found,) = link.execute(POSTGRESQL_HOT[Hot.COMMITS]).fetchone()
        return bool(status == "committed" and found >= commits)

    def is_fatal(self, error: Exception) -> bool:
        """See Dialect."""
        return self.is_lost(error) or sqlstate(_cause(error)).startswith(_FATAL)

    def is_damage(self, error: Exception) -> bool:
        """See Dialect."""
        return sqlstate(_cause(error)) in _DAMAGED

    def note_damage(self) -> None:
        """See Dialect: the server's own log has it."""

    def is_lost(self, error: Exception) -> bool:
        """See Dialect."""
        return isinstance(_cause(error), LinkLostError)

    def is_missing_table(self, error: Exception) -> bool:
        """See Dialect."""
        return sqlstate(_cause(error)) in _MISSING_TABLE

    def store_error(self, error: Exception) -> StoreError:
        """See Dialect. Only the server's first line: what follows it may hold values."""
        if isinstance(error, StoreError):
            return error
        cause = _cause(error)
        if isinstance(cause, LinkLostError):
            why = str(cause).removeprefix("network error: ")
            return StoreError(f"database {self.place}: the server cannot be reached ({why}); nothing was half done")
        said = cause.args[0].get("M", "") if sqlstate(cause) else str(cause)
        line = str(said).splitlines()[0] if str(said).strip() else type(cause).__name__
        return StoreError(f"database {self.place}: {_TEXTS.get(sqlstate(cause), line)}")

    def _connect(self) -> Link:
        address = self.address
        sock = _socket(address)
        try:
            link = Link(
                user=address.user,
                database=address.name,
                password=address.read_password(),
                application_name="prewatt",
                # Certificates are checked against this name.
                host=address.host,
                sock=sock,
                ssl_context=address.tls(),
            )
        except BaseException as error:
            sock.close()
            if isinstance(error, AttributeError):
                # The driver's way of saying that it was asked for a password and has none.
                raise StoreError(f"database {self.place}: the server asks for a password, and none is kept") from None
            raise
        link.wait_for_ever()
        return link


def _socket(address: ServerAddress) -> socket.socket:
    """A connected socket that notices when the other end is gone."""
    try:
        if address.is_local:
            sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            sock.settimeout(CONNECT_WAIT_S)
            try:
                sock.connect(address.socket_path)
            except BaseException:
                sock.close()
                raise
            return sock
        sock = socket.create_connection((address.host, address.port), CONNECT_WAIT_S)
    except OSError as error:
        raise LinkLostError(error.strerror or str(error)) from error
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in _KEEPALIVE:
        sock.setsockopt(socket.IPPROTO_TCP, option, value)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _UNANSWERED_MS)
    return sock


def _engine(connect: Callable[[], Link], **pool: Any) -> Engine:  # noqa: ANN401
    # The address stays out of the engine, whose URL is shown in many places.
    engine = create_engine("postgresql+pg8000://", creator=connect, **pool)
    # Many rows at once are one statement, not one each.
    engine.dialect.use_insertmanyvalues_wo_returning = True
    event.listen(engine, "connect", lambda link, _record: link.execute(_PLANNED_ANEW))
    return engine


def _link(connection: Connection) -> Link:
    link: Any = connection.connection.driver_connection
    assert isinstance(link, Link)
    return link


def _cause(error: Exception) -> BaseException:
    return getattr(error, "orig", None) or error
