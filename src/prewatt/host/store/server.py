"""An installation's database on a PostgreSQL server: made in one transaction, opened by one host at a time."""

from collections.abc import Callable
from typing import Final

from sqlalchemy import Connection

from prewatt.host.refusals import StoreError
from prewatt.host.store.dialect import Hot
from prewatt.host.store.dialect.address import ServerAddress
from prewatt.host.store.dialect.postgresql import PostgresqlDialect
from prewatt.host.store.migrate import bring_up, check_revision
from prewatt.host.store.store import Store
from prewatt.host.store.writing import Writing

__all__ = ["DatabaseServer"]

_EXISTS: Final = "SELECT to_regclass('installation')::text"
_MAKE: Final = "make it with `createdb --template=template0 --encoding=UTF8 --locale=C NAME`"
# Ordered by bytes, as every list of the host is.
_ORDER: Final = "SELECT string_agg(each, '' ORDER BY each) FROM unnest(ARRAY['a','B','-','_','b','A','1']) AS each"
_ORDERED: Final = "-1AB_ab"


class DatabaseServer:
    """See prewatt.host.store.files.Database. The database itself is made by whoever looks after the server."""

    def __init__(self, address: ServerAddress) -> None:
        self._dialect = PostgresqlDialect(address)

    def exists(self) -> bool:
        """See Database. StoreError where the server cannot be asked."""
        return self._dialect.ask(_EXISTS) is not None

    def create(self, fill: Callable[[Writing], object]) -> None:
        """See Database: one transaction."""
        engine = self._dialect.writing_engine()
        try:
            with engine.connect() as connection:
                self._dialect.claim(connection)
                with connection.begin():
                    self._check_suited(connection)
                    bring_up(connection)
                    writing = Writing(connection, self._dialect)
                    fill(writing)
                    writing.end_group()
                    writing.run(Hot.COMMIT_NUMBER)
        except self._dialect.errors as error:
            raise self._dialect.store_error(error) from error
        finally:
            engine.dispose()

    def open(self) -> Store:
        """See Database; FolderBusyError where another host has it."""
        check_revision(self._dialect)
        return Store(self._dialect)

    def _check_suited(self, connection: Connection) -> None:
        """StoreError for a database in which texts would be other texts, or in another order."""
        encoding = connection.exec_driver_sql("SHOW server_encoding").scalar_one()
        if encoding != "UTF8":
            raise StoreError(f"database {self._dialect.place}: its encoding is {encoding}, allowed is UTF8; {_MAKE}")
        if connection.exec_driver_sql(_ORDER).scalar_one() != _ORDERED:
            raise StoreError(f"database {self._dialect.place}: it orders texts by a language; {_MAKE}")
