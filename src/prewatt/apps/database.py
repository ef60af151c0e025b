"""Which database a data folder's installation has: a file in the folder, or a PostgreSQL server that the folder names.

    DATA/prewatt.db          the database itself, unless there is
    DATA/database.address    one line: postgresql://user@host:port/name, never with a password

The folder's word is the truth. PREWATT_DATABASE says which address a new installation gets; for one that is there it
may only say the same, so that a host never works on another database than the one its folder knows.
"""

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Final

from prewatt.host.folder import DATABASE_NAME, missing_text
from prewatt.host.refusals import DataFolderError, FolderExistsError, FolderMissingError, StoreError
from prewatt.units import ValueFieldError

if TYPE_CHECKING:
    from prewatt.apps.settings import Settings
    from prewatt.host.store.dialect.address import ServerAddress
    from prewatt.host.store.files import Database

__all__ = ["ADDRESS_NAME", "check_known", "database_of", "has_installation", "note_address", "read_installation_id"]

ADDRESS_NAME: Final = "database.address"
_ADDRESS_BYTES_MAX: Final = 4_096


def database_of(settings: "Settings", *, serves: bool = False) -> "Database":
    """The database of the folder in ``settings``, there already or not; ``serves``: it stays open for long.

    ValueFieldError for an address that is none; DataFolderError where setting and folder name different ones.
    """
    # Imported here: commands that only ask a running `up` load no database.
    from prewatt.host.store.files import DatabaseFile

    address = _address(settings)
    if address is None:
        return DatabaseFile(settings.data / DATABASE_NAME, serves=serves)
    from prewatt.host.store.server import DatabaseServer

    return DatabaseServer(address)


def note_address(settings: "Settings") -> None:
    """Writes into the folder which server a new installation is on; nothing to do where it is a file."""
    from prewatt.host.keys.durable import replace_whole

    address = _address(settings)
    if address is not None and not (settings.data / ADDRESS_NAME).exists():
        replace_whole(settings.data / ADDRESS_NAME, f"{address}\n".encode())


def check_known(settings: "Settings") -> None:
    """FolderExistsError where only the setting names the server: its installation has another folder, with its keys."""
    address = _address(settings)
    if address is not None and not (settings.data / ADDRESS_NAME).exists():
        raise FolderExistsError(
            f"database {address}: there is an installation in it already; to work on that one from the folder"
            f" {settings.data}, put its key vault there, and its address into {ADDRESS_NAME}"
        )


def has_installation(settings: "Settings") -> bool:
    """Whether there is an installation in the folder. StoreError where the server that it names cannot be asked."""
    if (settings.data / DATABASE_NAME).exists():
        return True
    return (settings.data / ADDRESS_NAME).exists() and database_of(settings).exists()


def read_installation_id(settings: "Settings") -> str:
    """The id of the installation in a data folder, whoever works on it now; FolderMissingError where there is none."""
    data, file = settings.data, settings.data / DATABASE_NAME
    address = _address(settings) if (data / ADDRESS_NAME).exists() else None
    if address is not None:
        from prewatt.host.store.dialect.postgresql import PostgresqlDialect

        return str(PostgresqlDialect(address).ask("SELECT id FROM installation"))
    if not file.exists():
        raise FolderMissingError(missing_text(data))
    try:
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
            ((installation,),) = connection.execute("SELECT id FROM installation")
    except (sqlite3.Error, ValueError) as error:
        raise StoreError(f"data folder {data}: the installation cannot be read ({error})") from None
    return str(installation)


def _address(settings: "Settings") -> "ServerAddress | None":
    """The server that the folder or else the setting names; None for a file."""
    named = _named(settings.data)
    if named is None and settings.database is None:
        return None
    from prewatt.host.store.dialect.address import ServerAddress

    secret = settings.database_password_file
    wanted = None if settings.database is None else ServerAddress.parse(settings.database, secret)
    if named is None:
        if (settings.data / DATABASE_NAME).exists():
            raise DataFolderError(
                f"data folder {settings.data}: its database is the file {DATABASE_NAME}, and PREWATT_DATABASE names"
                f" {wanted}; unset it, or name another folder"
            )
        return wanted
    try:
        found = ServerAddress.parse(named, secret)
    except ValueFieldError as error:
        raise DataFolderError(f"data folder {settings.data}: {ADDRESS_NAME}: {error}") from None
    if wanted is not None and wanted != found:
        raise DataFolderError(
            f"data folder {settings.data}: its database is {found}, and PREWATT_DATABASE names {wanted}; unset it, or,"
            f" where the database was moved, put the new address into {ADDRESS_NAME}"
        )
    return found


def _named(data: Path) -> str | None:
    """The folder's own word; None where it names no server."""
    try:
        with (data / ADDRESS_NAME).open("rb") as file:
            return os.fsdecode(file.read(_ADDRESS_BYTES_MAX)).strip()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise DataFolderError(f"data folder {data}: {ADDRESS_NAME} cannot be read ({error.strerror})") from None
