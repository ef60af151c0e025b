"""The texts that rows are found by, kept normalised beside them, in the commit that writes the rows themselves."""

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, delete, insert

from prewatt.host.customers.words import search_text
from prewatt.host.store import schema

__all__ = ["write_sought"]


def write_sought(
    connection: Connection, kind: str, rows: Sequence[tuple[str, Mapping[str, str]]], known: Sequence[str] = ()
) -> None:
    """``rows``: key of each, and the texts that it is found by besides; ``known``: keys of those that were there.

    At most as many rows as fit into one statement (`prewatt.host.customers.records.CHUNK`).
    """
    sought = schema.sought
    if known:
        connection.execute(delete(sought).where(sought.c.kind == kind, sought.c.id.in_(known)))
    found = [
        {"kind": kind, "id": key, "field": field, "text": text}
        for key, texts in rows
        for field, given in (("id", key), *texts.items())
        if (text := search_text(given))
    ]
    if found:
        connection.execute(insert(sought), found)
