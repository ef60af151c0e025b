"""Closed periods: nothing that was posted after a close is dated into what it closed."""

from collections.abc import Sequence

from sqlalchemy import Connection, select

from prewatt.host.ledger import Break, EntryRow
from prewatt.host.store import schema
from prewatt.host.store.entries import as_number

__all__ = ["Dated", "read_dated"]


class Dated:
    """Looks at the entries in their order; ``found`` are those with a date that was closed when they were posted."""

    def __init__(self, closes: Sequence[tuple[int, int]]) -> None:
        """``closes``: for each close the number of the last entry before it, and until when it closed; oldest first."""
        self.found: list[Break] = []
        self._closes = list(closes)
        self._until_s: int | None = None

    def look(self, block: Sequence[EntryRow]) -> None:
        """The next entries; at least one."""
        if not self._closes and self._until_s is None:
            return
        for entry in block:
            number, name, at_s = entry[0], entry[1], entry[9]
            while self._closes and number > self._closes[0][0]:
                self._until_s = max(self._until_s or 0, self._closes.pop(0)[1])
            if self._until_s is not None and not (type(at_s) is int and at_s >= self._until_s):
                law = f"entry {number} is dated after the periods that were closed before it"
                self.found.append(Break(f"{name}", law, f"{self._until_s} or later", f"{at_s}"))


def read_dated(connection: Connection) -> Dated:
    """With the closes of the database."""
    columns = schema.closes.c
    rows = connection.execute(select(columns.last_entry, columns.until_s).order_by(columns.number))
    return Dated([(as_number(row.last_entry), as_number(row.until_s)) for row in rows])
