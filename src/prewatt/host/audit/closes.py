"""Closed periods themselves: each is as the audit log says it was closed, and the chain still holds the hash it kept.

A close is told twice, in its own row and in the line of the audit log of the same commit, and the log has a chain of
its own. So whoever removes a close, adds one or moves its end has to write the log anew too; and whoever writes the
whole chain over the entries anew no longer has the hashes that the closes kept.
"""

import json
from collections.abc import Iterator
from typing import Any, Final

from sqlalchemy import Connection, select

from prewatt.host.ledger import GENESIS, Break, Link
from prewatt.host.store import schema
from prewatt.host.store.entries import as_bytes

__all__ = ["CLOSE_ACTION", "Closes", "close_shown", "read_closes"]

# What the audit log calls it.
CLOSE_ACTION: Final = "period close"


def close_shown(number: int, until_s: int, last_entry: int, head: bytes) -> dict[str, Any]:
    """What the line of the log says of a close."""
    return {"number": number, "until_s": until_s, "last_entry": last_entry, "head": head.hex()}


class Closes:
    """The closes, those of the log, and which of their hashes were met among the links so far."""

    def __init__(self, stored: dict[int, dict[str, Any]], logged: dict[int, dict[str, Any]]) -> None:
        self._stored, self._logged = stored, logged
        self._unmet = {shown["head"] for shown in stored.values()} - {GENESIS.hex()}

    def look(self, link: Link) -> None:
        """The next link of the chain."""
        if self._unmet:
            self._unmet.discard(link.hash.hex())

    def breaks(self) -> Iterator[Break]:
        """What is wrong, once all links were looked at."""
        for number in sorted({*self._stored, *self._logged}):
            told, found = self._logged.get(number), self._stored.get(number)
            if told != found:
                law = "closed period is as the audit log says"
                yield Break(f"close {number}", law, _line(told), _line(found))
            if found is not None and found["head"] in self._unmet:
                law = "the chain holds the hash that the close kept"
                yield Break(f"close {number}", law, found["head"], "no link with it: the chain was made anew")


def read_closes(connection: Connection) -> Closes:
    """With the rows of the database."""
    closes, log = schema.closes.c, schema.audit_log.c
    rows = connection.execute(select(closes.number, closes.until_s, closes.last_entry, closes.head))
    stored = {row.number: close_shown(row.number, row.until_s, row.last_entry, as_bytes(row.head)) for row in rows}
    lines = connection.execute(select(log.after).where(log.action == CLOSE_ACTION).order_by(log.number)).scalars()
    logged = dict(filter(None, map(_told, lines)))
    return Closes(stored, logged)


def _told(line: object) -> tuple[int, dict[str, Any]] | None:
    """Number and close of a line of the log; None for what no host writes, which the log's own chain names."""
    try:
        shown = json.loads(str(line))
    except ValueError:
        return None
    number = shown.get("number") if isinstance(shown, dict) else None
    return (number, shown) if isinstance(number, int) else None


def _line(shown: dict[str, Any] | None) -> str:
    return "none" if shown is None else f"until {shown.get('until_s')}, to entry {shown.get('last_entry')}"
