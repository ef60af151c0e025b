"""The course of a database that others can reach: whether a new connection finds it where the last one left it.

Every commit has a number in the books. While a host runs, that number is known, and only this host may raise it; so
each new connection asks for it. One commit more than was answered is the one in doubt, whose answer got lost. Anything
else was not this host: a standby that took over without the last commits, a backup put in its place, another host. What
this process remembers is then worth nothing, and it writes no more until it is started again; the start recognises a
database that went back and sets every meter out of step (R7).
"""

from typing import Any

from sqlalchemy import Connection

from prewatt.host.refusals import StoreError
from prewatt.host.store.dialect import Dialect, Hot

__all__ = ["Course", "CourseError"]


class CourseError(StoreError):
    """The database is not where this host left it."""


class Course:
    """The number of the last commit (None before the first connection), and the commit that is in doubt."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self.last: int | None = None
        self.in_doubt: tuple[Any, ...] | None = None
        self._left = False

    def check(self, connection: Connection) -> None:
        """Settles what is in doubt; CourseError where the database is not where it was left, now and from now on."""
        driver: Any = connection.connection.driver_connection
        if not self._left:
            row = driver.execute(self._dialect.hot[Hot.COMMITS]).fetchone()
            found = int(row[0]) if row is not None else 0
            self._left = not self._follows(connection, found)
        if self._left:
            raise CourseError(
                f"database {self._dialect.place}: it is not as this host left it (another host wrote, or an older copy"
                " took its place); stop prewatt and start it again, which recognises a copy"
            )

    def _follows(self, connection: Connection, found: int) -> bool:
        """Whether ``found`` commits are what this host left."""
        if self.last is None:
            self.last = found
        elif self.in_doubt is not None and self._dialect.has_happened(connection, self.in_doubt):
            self.last = int(self.in_doubt[0])
        self.in_doubt = None
        return self.last == found
