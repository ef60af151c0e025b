"""The hash chain over the entries, and the periods that were closed; entries of before become its first links.

Revision 0010, after 0009. What was changed before this revision cannot be told: the chain begins with the entries as
they stand now.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from alembic import op
from sqlalchemy import Connection, text

from prewatt.host.ledger import GENESIS, Entry, make_link

__all__ = ["branch_labels", "depends_on", "down_revision", "downgrade", "revision", "upgrade"]

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

# Entries in a link: the mark of an entry is 12 bytes, and a row should fit a few pages.
_LINK_ENTRIES: Final = 1_000
_ENTRIES: Final = text(
    "SELECT number, id, phase, debit, credit, amount_micro, cause, reference, pending_id, at_s FROM entries"
    " WHERE number > :after ORDER BY number LIMIT :most"
)
_LINK: Final = text(
    "INSERT INTO chain (number, first_entry, last_entry, marks, hash) VALUES (:number, :first, :last, :marks, :hash)"
)


def upgrade() -> None:
    """Makes what is new in this format."""
    connection = op.get_bind()
    script = Path(__file__).with_name(f"r0010_ledger.{connection.dialect.name}.sql").read_text()
    for statement in _statements(script):
        connection.exec_driver_sql(statement)
    _link_all(connection)


def _statements(script: str) -> Iterator[str]:
    """A trigger of SQLite has a semicolon inside; none of them ends a line but the last."""
    return filter(str.strip, script.split(";\n"))


def _link_all(connection: Connection) -> None:
    number, after, previous = 0, 0, GENESIS
    while True:
        rows = connection.execute(_ENTRIES, {"after": after, "most": _LINK_ENTRIES}).all()
        if not rows:
            return
        link = make_link(number + 1, previous, [Entry(*row) for row in rows])
        connection.execute(_LINK, link._asdict())
        number, after, previous = link.number, link.last, link.hash


def downgrade() -> None:
    """A format is never taken back."""
    raise RuntimeError("a format is not taken back; put a backup in its place")
