"""Both kinds of database for the host's tests: one place for one database, which a test may copy, tamper with, drop."""

import os
import re
import shutil
import sqlite3
from contextlib import closing
from itertools import count

from tests.database_servers import DatabaseServer as Server

from prewatt.host.folder import DATABASE_NAME
from prewatt.host.store import Store, schema
from prewatt.host.store.dialect.postgresql import PostgresqlDialect
from prewatt.host.store.files import DatabaseFile
from prewatt.host.store.migrate import upgrade
from prewatt.host.store.server import DatabaseServer


class FilePlace:
    """A database in a data folder."""

    kind = "sqlite"

    def __init__(self, folder):
        self.folder = folder
        self.path = folder / DATABASE_NAME
        self.database = DatabaseFile(self.path)

    def back_up(self, name):
        """Copies the database, which nobody has open, under a name."""
        copy = self.folder.parent / f"{self.folder.name} {name}"
        shutil.rmtree(copy, ignore_errors=True)
        copy.mkdir()
        for path in self.folder.glob(f"{DATABASE_NAME}*"):
            shutil.copy(path, copy / path.name)

    def restore(self, name):
        """Puts that copy in place of the database."""
        for path in self.folder.glob(f"{DATABASE_NAME}*"):
            path.unlink()
        for path in (self.folder.parent / f"{self.folder.name} {name}").glob(f"{DATABASE_NAME}*"):
            shutil.copy(path, self.folder / path.name)

    def run(self, statement):
        """Runs a statement past the host, with its rules in force; gives its rows."""
        with closing(sqlite3.connect(self.path)) as connection, connection:
            return [tuple(row) for row in connection.execute(statement)]

    def written(self):
        """Whatever bytes and texts it holds, one behind the other."""
        return b"".join(path.read_bytes() for path in self.folder.glob(f"{DATABASE_NAME}*"))

    def content(self):
        """All that it holds, to be compared."""
        return self.path.read_bytes()

    def open_store(self):
        """A store on the tables, with nothing in them."""
        self.folder.mkdir(parents=True, exist_ok=True)
        upgrade(self.path)
        return Store(self.path)

    def tamper(self, *statements):
        """Runs statements as one would who owns the database: without its rules. Each must change something."""
        with closing(sqlite3.connect(self.path)) as connection, connection:
            for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
                connection.execute(f"DROP TRIGGER {name}")
            for each in statements:
                assert connection.execute(each).rowcount, each

    def let_go(self, store):
        """Lets the database be copied while a store has it open, at a moment at which that does nothing with it."""

    def copied(self, folder):
        """A copy as a place of its own; nobody works on the database."""
        folder.mkdir(parents=True, exist_ok=True)
        for path in self.folder.glob(f"{DATABASE_NAME}*"):
            shutil.copy(path, folder / path.name)
        return FilePlace(folder)

    def drop(self):
        """Nothing to do: the folder goes with the test."""


class CopiedServer(DatabaseServer):
    """Makes its database from a template that holds the tables already: what a migration does is tested elsewhere."""

    def __init__(self, address):
        super().__init__(address)
        self.dialect = PostgresqlDialect(address)

    def exists(self):
        return self.dialect.ask("SELECT one FROM installation") is not None

    def create(self, fill):
        store = Store(self.dialect)
        try:
            store.write(fill)
        finally:
            store.close()


class ServerPlace:
    """A database on the server of the tests."""

    kind = "postgresql"

    def __init__(self, places, name):
        self.places, self.name = places, name
        self.server = places.server
        self.database = CopiedServer(self.server.address(name))
        self.made = [name]

    def back_up(self, name):
        self.server.run(f'DROP DATABASE IF EXISTS "{self.name} {name}"')
        self.server.run(f'CREATE DATABASE "{self.name} {name}" TEMPLATE "{self.name}" STRATEGY file_copy')
        self.made.append(f"{self.name} {name}")

    def restore(self, name):
        self.server.run(f'DROP DATABASE "{self.name}"')
        self.server.run(f'CREATE DATABASE "{self.name}" TEMPLATE "{self.name} {name}" STRATEGY file_copy')

    def run(self, statement):
        with closing(self.server.connect(self.name)) as link:
            found = link.execute(statement)
            return [tuple(row) for row in found.fetchall()] if found.description else []

    def written(self):
        values = [value for rows in self.content().values() for row in rows for value in row]
        return b"".join(each if isinstance(each, bytes) else str(each).encode() for each in values)

    def content(self):
        tables = sorted(schema.metadata.tables)
        return {table: self.run(f"SELECT * FROM {table} ORDER BY 1") for table in (*tables, "alembic_version")}

    def open_store(self):
        return Store(self.database.dialect)

    def tamper(self, *statements):
        with closing(self.server.connect(self.name)) as link:
            link.execute("SET session_replication_role = replica")
            for each in statements:
                # SQLite writes bytes as x'00', and has no booleans of its own.
                text = re.sub(r"x'([0-9A-Fa-f]*)'", r"'\\x\1'::bytea", each)
                assert link.execute(text).rowcount, each

    def let_go(self, store):
        # A server copies no database that has connections; the store makes new ones when it needs them.
        store._drop()
        store._readers.dispose()

    def copied(self, folder):
        copy = self.places.new(f"{self.name} {folder.parent.name} {folder.name}")
        copy.drop()
        copy.made = [copy.name]
        self.server.run(f'CREATE DATABASE "{copy.name}" TEMPLATE "{self.name}" STRATEGY file_copy')
        self.made.append(copy.name)
        return copy

    def drop(self):
        for each in self.made:
            self.server.run(f'DROP DATABASE IF EXISTS "{each}" WITH (FORCE)')
        self.made = []


class Files:
    """Databases in data folders."""

    kind = "sqlite"

    def place(self, folder):
        """A place for the database of this folder."""
        return FilePlace(folder)

    def close(self):
        """Nothing to do."""


class Servers:
    """Databases on a server that is started for them, each a copy of one that holds the tables."""

    kind = "postgresql"
    TEMPLATE = "tables"

    def __init__(self):
        self.server = Server().start()
        self.numbers = count(1)
        self.server.run(f"CREATE DATABASE {self.TEMPLATE}")
        upgrade(PostgresqlDialect(self.server.address(self.TEMPLATE)))

    def new(self, name):
        """A place of this name, without a database."""
        return ServerPlace(self, name)

    def place(self, folder):
        name = f"t{next(self.numbers)}"
        self.server.run(f"CREATE DATABASE {name} TEMPLATE {self.TEMPLATE} STRATEGY file_copy")
        return self.new(name)

    def close(self):
        self.server.close()


KINDS = {"sqlite": Files, "postgresql": Servers}


def wanted_kinds():
    """Both, or the one that PREWATT_TEST_DATABASE names, for whoever looks for something in one of them."""
    named = os.environ.get("PREWATT_TEST_DATABASE")
    return [named] if named else list(KINDS)
