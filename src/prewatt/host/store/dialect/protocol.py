"""What the store asks of a kind of database; `sqlite` and `postgresql` answer it.

A dialect is bound to one database: it opens connections to it, names it in errors, and has the text of each hot
statement. The store is given one and chooses everything by it; nothing here is global.
"""

from collections.abc import Mapping
from typing import Any, Protocol

from sqlalchemy import Connection, Engine, Table
from sqlalchemy.dialects import postgresql, sqlite

from prewatt.host.ledger import EntryRow
from prewatt.host.refusals import StoreError
from prewatt.host.store.dialect.hot import Hot

__all__ = ["READERS_MAX", "Dialect", "Insert"]

# Both kinds have the same words for "or, where it is there, ...".
Insert = sqlite.Insert | postgresql.Insert
# Connections that read at once; every one is a few open files.
READERS_MAX = 16


class Dialect(Protocol):
    """One database, and all that depends on its kind."""

    @property
    def place(self) -> str:
        """Where it is, for people; never a secret."""
        ...

    @property
    def hot(self) -> Mapping[Hot, str]:
        """The hot statements' texts."""
        ...

    @property
    def errors(self) -> tuple[type[Exception], ...]:
        """What the database raises, through SQLAlchemy or from a hot statement."""
        ...

    @property
    def is_shared(self) -> bool:
        """Whether others can reach it too, so that the writer must claim it and may lose it."""
        ...

    def writing_engine(self) -> Engine:
        """An engine for the one writing connection."""
        ...

    def reading_engine(self) -> Engine:
        """An engine for any number of connections that cannot write."""
        ...

    def insert(self, table: Table) -> Insert:
        """An INSERT that can say what to do where the row is there already."""
        ...

    def send(self, driver: Any, statement: str) -> None:  # noqa: ANN401 - the driver's own type
        """Runs a statement that gives nothing and cannot be refused, such as SAVEPOINT."""
        ...

    def read_entries(self, connection: Connection, after: int, most: int) -> list[EntryRow]:
        """The first ``most`` entries beyond number ``after``, by number."""
        ...

    def claim(self, connection: Connection) -> None:
        """Takes the database for this writer, until the connection ends; FolderBusyError where another has it."""
        ...

    def has_happened(self, connection: Connection, row: tuple[Any, ...]) -> bool:
        """Whether the commit that COMMIT_NUMBER gave ``row`` for became durable; asked on a new connection."""
        ...

    def is_fatal(self, error: Exception) -> bool:
        """Whether the database itself failed, so that a whole group of work must be undone."""
        ...

    def is_damage(self, error: Exception) -> bool:
        """Whether the database says of itself that it is damaged."""
        ...

    def note_damage(self) -> None:
        """Leaves a note where whoever opens it next looks for it."""
        ...

    def is_lost(self, error: Exception) -> bool:
        """Whether the connection ended, so that nobody knows whether a commit under way happened."""
        ...

    def is_missing_table(self, error: Exception) -> bool:
        """Whether a statement failed because a table it names is not there (or because it is wrong)."""
        ...

    def store_error(self, error: Exception) -> StoreError:
        """What went wrong below, in one line for a person."""
        ...
