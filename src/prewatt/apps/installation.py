"""Opening the installation in a data folder: claim, vault, host; or making a new one."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from prewatt.apps.database import check_known, database_of, note_address
from prewatt.apps.settings import Settings
from prewatt.apps.street.clock import read_mark
from prewatt.apps.vault import create_vault, open_vault
from prewatt.host.folder import DataFolder
from prewatt.host.host import Host, HostOptions

__all__ = ["CLOCK_NAME", "open_installation", "open_or_create", "street_time"]

CLOCK_NAME: Final = "clock.json"
_SUITES: Final = ("aes-2026", "aes-2026")
_LOCALTIME: Final = Path("/etc/localtime")
_ZONES: Final = "zoneinfo/"


@contextmanager
def open_installation(settings: Settings, *, create: bool = False) -> Iterator[Host]:
    """The host on the data folder, claimed while it is open. ``create`` makes what is not there yet.

    DataFolderError, StoreError and VaultError say in one line why it cannot be.
    """
    folder = DataFolder.claim(settings.data, create=create)
    try:
        host = open_or_create(folder, settings, street_time(settings.data), create=create)
    except BaseException:
        folder.release()
        raise
    with host:
        yield host


def open_or_create(
    folder: DataFolder, settings: Settings, now: Callable[[], int], *, create: bool, serves: bool = False
) -> Host:
    """The host in a claimed folder; ``now`` is its clock, ``serves`` whether it stays open for long."""
    database = database_of(settings, serves=serves)
    if not create or database.exists():
        check_known(settings)
        return Host.open(folder, open_vault(settings), store=database, now=now)
    vault = open_vault(settings) if folder.vault.exists() else create_vault(settings, _SUITES)
    options = HostOptions(currency_digits=settings.digits, zone=settings.zone or local_zone())
    note_address(settings)
    return Host.create(folder, vault, options=options, store=database, now=now)


def street_time(data: Path) -> Callable[[], int]:
    """The clock of an installation whose street is not running: where the street stopped, else the computer's."""
    path = data / CLOCK_NAME
    if not path.exists():
        return lambda: int(time.time())
    mark_s = read_mark(path)
    return lambda: mark_s


def local_zone() -> str:
    """The computer's IANA zone: TZ, else where /etc/localtime points to, else UTC."""
    named = os.environ.get("TZ", "").removeprefix(":")
    if "/" in named and not named.startswith("/"):
        return named
    target = os.path.realpath(_LOCALTIME)
    _, found, name = target.partition(_ZONES)
    return name if found and name != "Etc/UTC" else "UTC"
