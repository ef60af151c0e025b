"""Makes and checks the database: Alembic revisions, from the first one on, shipped inside the package.

Opening a folder only compares its revision with the newest (one read); Alembic itself is loaded where there is
something to do. SQLite begins at the first revision. PostgreSQL came later: there, the revisions before its own first
are one script, and from then on both take the same steps.
"""

from pathlib import Path
from typing import Final

from sqlalchemy import Connection, Engine, inspect, text
from sqlalchemy.exc import SQLAlchemyError

from prewatt.host.refusals import FolderVersionError
from prewatt.host.store.dialect import Dialect, SqliteDialect

__all__ = ["HEAD", "REVISIONS", "bring_up", "check_revision", "upgrade"]

# Oldest first; the last is what this version works with.
REVISIONS: Final = ("0001", "0002", "0003", "0004", "0005", "0006", "0008", "0009", "0010", "0011")
HEAD: Final = REVISIONS[-1]
_SCRIPTS: Final = Path(__file__).parent / "migrations"
_VERSIONS: Final = "alembic_version"
# The revision that a kind of database begins with, made by the script of its name.
_FIRST: Final = {"postgresql": "0004"}


def upgrade(where: Path | Dialect, engine: Engine | None = None) -> None:
    """Brings the database at ``where`` (which may not exist yet), or behind ``engine``, to the newest revision."""
    dialect = _dialect(where)
    used = engine or dialect.writing_engine()
    try:
        with used.begin() as connection:
            bring_up(connection)
    except dialect.errors as error:
        raise dialect.store_error(error) from error
    finally:
        if engine is None:
            used.dispose()


def bring_up(connection: Connection) -> None:
    """Brings the database to the newest revision, inside the caller's transaction."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    first = _FIRST.get(connection.dialect.name)
    if first is not None and not inspect(connection).has_table(_VERSIONS):
        for statement in (_SCRIPTS / f"first_{first}.{connection.dialect.name}.sql").read_text().split(";\n\n"):
            connection.exec_driver_sql(statement)
        command.stamp(config, first)
    command.upgrade(config, "head")


def check_revision(where: Path | Dialect) -> None:
    """Nothing where the database is of this version, or was and is now; FolderVersionError for any other."""
    dialect = _dialect(where)
    engine = dialect.reading_engine()
    try:
        found = _read_revision(engine, dialect)
    finally:
        engine.dispose()
    if found in REVISIONS[:-1]:
        upgrade(where)
    elif found != HEAD:
        place = f"data folder {where.parent}" if isinstance(where, Path) else f"database {where.place}"
        raise FolderVersionError(
            f"{place}: its format is {found or 'unknown'}, this program works with {HEAD};"
            " use the version of prewatt that made it"
        )


def _dialect(where: Path | Dialect) -> Dialect:
    return SqliteDialect(where) if isinstance(where, Path) else where


def _read_revision(engine: Engine, dialect: Dialect) -> str | None:
    """The revision in the database; None where it holds none. StoreError where it is no database at all."""
    try:
        with engine.connect() as connection:
            return connection.execute(text(f"SELECT version_num FROM {_VERSIONS}")).scalar()
    except SQLAlchemyError as error:
        if dialect.is_missing_table(error):
            return None
        raise dialect.store_error(error) from error
