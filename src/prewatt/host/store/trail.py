"""The chain through the audit log: each line's hash is SHA-256 of the hash before it and the line's own bytes.

A line's bytes are its columns as a JSON array (RFC 8259, ASCII), so that no two lines have the same. Numbers have no
gaps from the first line on that was written so, and the newest number and hash stand once more in `log_tail`. So
whoever changes, removes or adds a line without writing every later one anew is found, and the line is named. Whoever
owns the database can write all of it anew; against that, `prewatt audit` shows the newest hash, to be noted elsewhere.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, select

from prewatt.host.store.dialect.hot import Hot
from prewatt.host.store.schema.registry import audit_log, log_tail

__all__ = ["HOST", "By", "LogBreak", "LogLine", "LogTail", "check_chain", "check_log", "hash_line"]

# Lines in memory at once while the log is looked through.
_READ_AT_ONCE: Final = 2_000


class By(NamedTuple):
    """Who does a piece of work, and from where."""

    actor: str
    origin: str


# What the host does by itself: dispatch, campaigns, recognising a restore.
HOST: Final = By("host", "host")


class LogLine(NamedTuple):
    """A line of the audit log, as it is hashed."""

    number: int
    at_s: int
    actor: str
    origin: str
    action: str
    subject: str
    detail: str
    before: str | None
    after: str | None


class LogBreak(NamedTuple):
    """The first line at which the log is not what was written."""

    number: int
    what: str
    """changed, removed or added"""


def hash_line(previous: bytes, line: LogLine) -> bytes:
    """The hash of ``line`` behind the one whose hash is ``previous`` (empty before the first)."""
    return sha256(previous + json.dumps(line, separators=(",", ":")).encode()).digest()


class LogTail:
    """The end of the log inside one group: read once, and written once more at the end."""

    __slots__ = ("_run", "_written", "hash", "number")

    def __init__(self, run: Callable[..., Any]) -> None:
        self._run = run
        self._written: int | None = None
        self.number, self.hash = -1, b""

    def mark(self) -> tuple[int, bytes]:
        """Where it stands, for `undo`."""
        return self.number, self.hash

    def undo(self, mark: tuple[int, bytes]) -> None:
        """Back to where it stood; what was not read yet then is read again."""
        self.number, self.hash = mark
        if self.number < 0:
            self._written = None

    def append(self, at_s: int, by: By, what: Sequence[str], before: str | None, after: str | None) -> None:
        """Writes a line; ``what`` is action, subject and detail."""
        if self._written is None:
            number, digest = self._run(Hot.LOG_TAIL).fetchone()
            self.number, self.hash, self._written = int(number), bytes(digest), int(number)
        action, subject, detail = what
        line = LogLine(self.number + 1, at_s, by.actor, by.origin, action, subject, detail, before, after)
        digest = hash_line(self.hash, line)
        self._run(Hot.LOG_INSERT, (*line, digest))
        self.number, self.hash = line.number, digest

    def write(self) -> None:
        """Puts number and hash of the newest line where a removed one shows."""
        if self._written is not None and self.number > self._written:
            self._run(Hot.LOG_TAIL_PUT, (self.number, self.hash))
            self._written = self.number


def check_chain(rows: Iterable[tuple[LogLine, bytes]], tail: tuple[int, bytes]) -> LogBreak | None:
    """The first line that was changed, removed or added; None where all is as it was written.

    ``rows`` are all lines by number, ``tail`` is number and hash of the newest as noted beside the log.
    """
    number, previous = 0, b""
    for line, digest in rows:
        if line.number > tail[0]:
            missing = number < tail[0]
            return LogBreak(number + 1, "removed") if missing else LogBreak(line.number, "added")
        if hash_line(previous, line) != digest:
            return LogBreak(number + 1, "removed") if line.number > number + 1 else LogBreak(line.number, "changed")
        number, previous = line.number, digest
    if number < tail[0]:
        return LogBreak(number + 1, "removed")
    # Every line fits the one before it, and the last is not the one that was noted: it was written anew.
    return None if previous == tail[1] else LogBreak(number, "changed")


def check_log(connection: Connection) -> tuple[int, bytes, LogBreak | None]:
    """Looks through the whole log: the newest number and hash as noted, and where it breaks."""
    noted = connection.execute(select(log_tail.c.number, log_tail.c.hash)).one()
    tail = int(noted.number), bytes(noted.hash)
    columns = [audit_log.c[name] for name in LogLine._fields]
    found = connection.execution_options(yield_per=_READ_AT_ONCE).execute(
        select(*columns, audit_log.c.hash).order_by(audit_log.c.number)
    )
    rows = ((LogLine(*row[:-1]), bytes(row[-1])) for row in found)
    return *tail, check_chain(rows, tail)
