"""Everything that depends on the kind of database: one set of names, and two implementations, SQLite and PostgreSQL.

PostgreSQL's half is loaded where a server is spoken to.
"""

from prewatt.host.store.dialect.hot import Hot
from prewatt.host.store.dialect.protocol import Dialect, Insert
from prewatt.host.store.dialect.sqlite import SqliteDialect

__all__ = ["Dialect", "Hot", "Insert", "SqliteDialect"]
