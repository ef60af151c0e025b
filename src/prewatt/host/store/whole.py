"""Whether a database that was left in disorder is still whole, looked at before anything else is done with it.

A program that ends in order takes SQLite's write-ahead log away; one that lies there with content tells of a crash or a
power cut, and these are the times at which disks write to the wrong place or lose what they said they had. Then every
page, index and reference is looked at (SQLite's integrity_check and foreign_key_check): about a second for 100 MB. What
this cannot see: a changed value that still fits its column, which no index and no reference names (see docs/operating).
"""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

from prewatt.host.refusals import StoreError

__all__ = ["check_whole"]

_CHECKS: Final = ("PRAGMA integrity_check(1)", "PRAGMA foreign_key_check")
_WHOLE: Final = ("ok",)


def check_whole(path: Path) -> None:
    """Nothing where the database ended in order or is whole all the same; StoreError otherwise, at each start again."""
    log = path.with_name(path.name + "-wal")
    if not log.exists() or not log.stat().st_size:
        return
    try:
        found = _look(path)
    except (sqlite3.Error, UnicodeDecodeError) as error:
        # The second where a name in the schema is none any more: the driver cannot even say what SQLite told it.
        found = str(error)
    if found:
        why = found.splitlines()[0]
        raise StoreError(f"database {path}: it did not end in order and is damaged ({why}); put a backup in its place")


def _look(path: Path) -> str:
    """What is wrong, in the database's own words; empty where nothing is."""
    # The last connection that may write takes the log away when it closes, and with it the sign that something
    # happened: so that one closes first, and one that only reads is the last.
    with closing(sqlite3.connect(path)) as first:
        first.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        last = sqlite3.connect(f"file:{_quoted(path)}?mode=ro", uri=True)
        last.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    with closing(last):
        for check in _CHECKS:
            for row in last.execute(check):
                if row != _WHOLE:
                    return " ".join(str(each) for each in row)
    return ""


def _quoted(path: Path) -> str:
    return path.absolute().as_uri().removeprefix("file://")
