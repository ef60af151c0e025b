"""Bodies behind ids that are in use no more, what became of their value, and suspense that a person matched.

An order's money may go to two more places; SQLite keeps a table's checks only as the text that made it, and changing
that text is its own documented way (ALTER TABLE, section 7). Revision 0003, after 0002.
"""

from pathlib import Path
from typing import Final

from alembic import op
from sqlalchemy import Connection

from prewatt.protocol.transfer import unpack_book

__all__ = ["branch_labels", "depends_on", "down_revision", "downgrade", "revision", "upgrade"]

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_PLACES_BEFORE: Final = "'lost', 'refunded')"
_PLACES_AFTER: Final = "'lost', 'refunded', 'carried', 'written')"


def upgrade() -> None:
    """Makes what is new in this format, and shows of each meter which body its book tells of."""
    connection = op.get_bind()
    script = Path(__file__).with_name(f"r0003_bodies.{connection.dialect.name}.sql").read_text()
    for statement in filter(str.strip, script.split(";\n")):
        connection.exec_driver_sql(statement)
    _allow_places(connection)
    for meter, book in connection.exec_driver_sql("SELECT meter, book FROM books").all():
        connection.exec_driver_sql("UPDATE books SET body = ? WHERE meter = ?", (unpack_book(book).body.value, meter))


def _allow_places(connection: Connection) -> None:
    version = connection.exec_driver_sql("PRAGMA schema_version").scalar_one()
    connection.exec_driver_sql("PRAGMA writable_schema = ON")
    connection.exec_driver_sql(
        "UPDATE sqlite_schema SET sql = replace(sql, ?, ?) WHERE name = 'orders'", (_PLACES_BEFORE, _PLACES_AFTER)
    )
    connection.exec_driver_sql(f"PRAGMA schema_version = {int(version) + 1}")
    connection.exec_driver_sql("PRAGMA writable_schema = OFF")


def downgrade() -> None:
    """A format is never taken back."""
    raise RuntimeError("a format is not taken back; put a backup in its place")
