"""Makes and checks the database: Alembic revisions, from the first one on, shipped inside the package.

Opening a folder only compares its revision with the newest (one read); Alembic itself is loaded where there is
something to do.
"""

from pathlib import Path
from typing import Final

from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError

from prewatt.host.refusals import FolderVersionError
from prewatt.host.store import dialect

__all__ = ["HEAD", "REVISIONS", "check_revision", "upgrade"]

# Oldest first; the last is what this version works with.
REVISIONS: Final = ("0001", "0002", "0003", "0004", "0005", "0006")
HEAD: Final = REVISIONS[-1]
_SCRIPTS: Final = Path(__file__).parent / "migrations"


def upgrade(path: Path, engine: Engine | None = None) -> None:
    """Brings the database at ``path`` (which may not exist yet), or behind ``engine``, to the newest revision."""
    from alembic import command
    from alembic.config import Config

    used = engine or dialect.writing_engine(path)
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS))
    config.set_main_option("path_separator", "os")
    try:
        with used.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except SQLAlchemyError as error:
        raise dialect.store_error(error, path) from error
    finally:
        if engine is None:
            used.dispose()


def check_revision(path: Path) -> None:
    """Nothing where the database is of this version, or was and is now; FolderVersionError for any other."""
    engine = dialect.reading_engine(path)
    try:
        found = _read_revision(engine, path)
    finally:
        engine.dispose()
    if found in REVISIONS[:-1]:
        upgrade(path)
    elif found != HEAD:
        raise FolderVersionError(
            f"data folder {path.parent}: its format is {found or 'unknown'}, this program works with {HEAD};"
            " use the version of prewatt that made it"
        )


def _read_revision(engine: Engine, path: Path) -> str | None:
    """The revision in the database; None where it holds none. StoreError where it is no database at all."""
    try:
        with engine.connect() as connection:
            return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    except SQLAlchemyError as error:
        if dialect.is_missing_table(error):
            return None
        raise dialect.store_error(error, path) from error
