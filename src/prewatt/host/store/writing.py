"""What a piece of work writes with, inside the one transaction of its group."""

from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, Table, event

from prewatt.host.store.dialect import Dialect, Hot, Insert
from prewatt.host.store.groupledger import GroupLedger
from prewatt.host.store.trail import HOST, By, LogTail

__all__ = ["Writing"]

T = TypeVar("T")

_LEDGER: Final = "prewatt ledger"
# What the ledger keeps back for the end of the group is written before anybody looks at it.
_LEDGER_TABLES: Final = ("entries", "accounts")


class Writing:
    """What a piece of work writes with: a SQLAlchemy connection, and the driver's for hot statements."""

    __slots__ = ("by", "connection", "dialect", "driver", "ledger", "log")

    def __init__(self, connection: Connection, dialect: Dialect) -> None:
        self.connection = connection
        self.dialect = dialect
        # The driver's own connection; its type is the database's.
        self.driver: Any = connection.connection.driver_connection
        self.ledger = GroupLedger(self.run)
        self.log = LogTail(self.run)
        self.by: By = HOST
        if not event.contains(connection, "before_cursor_execute", _write_ledger):
            event.listen(connection, "before_cursor_execute", _write_ledger)
        connection.info[_LEDGER] = self.ledger

    def end_group(self) -> None:
        """Writes what was kept back for the end of the group."""
        self.ledger.write()
        self.log.write()

    def run(self, statement: Hot, row: Sequence[Any] = ()) -> Any:  # noqa: ANN401 - the driver's own cursor
        """Runs a hot statement with its parameters; fetchone, fetchall and rowcount tell what it gave."""
        return self.driver.execute(self.dialect.hot[statement], row)

    def insert(self, table: Table) -> Insert:
        """An INSERT that can say what to do where the row is there already."""
        return self.dialect.insert(table)

    def attempt(self, work: Callable[["Writing"], T]) -> tuple[T | None, Exception | None]:
        """What ``work`` gave, or raised: then its own changes are undone, and nothing else is.

        Where the database itself failed, that is raised: nothing of the group can be kept.
        """
        mark, logged = self.ledger.mark(), self.log.mark()
        self.dialect.send(self.driver, "SAVEPOINT work")
        try:
            value = work(self)
        except Exception as error:  # whatever it is belongs to whoever handed the work in
            if self.dialect.is_fatal(error):
                raise
            self.dialect.send(self.driver, "ROLLBACK TO work")
            self.dialect.send(self.driver, "RELEASE work")
            self.ledger.undo(mark)
            self.log.undo(logged)
            return None, error
        self.dialect.send(self.driver, "RELEASE work")
        return value, None


def _write_ledger(connection: Connection, _cursor: object, statement: str, *_rest: object) -> None:
    """Before a statement that SQLAlchemy made."""
    if any(table in statement for table in _LEDGER_TABLES):
        connection.info[_LEDGER].write()
