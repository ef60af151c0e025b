"""Staff, and the chain through the audit log, which the lines that are there get now. Revision 0008, after 0006.

The database refuses to change a line; that rule is lifted for this one step, inside its transaction.
"""

from pathlib import Path
from typing import Final

from alembic import op
from sqlalchemy import Connection, text

from prewatt.host.store.trail import LogLine, hash_line

__all__ = ["branch_labels", "depends_on", "down_revision", "downgrade", "revision", "upgrade"]

revision = "0008"
down_revision = "0006"
branch_labels = None
depends_on = None

# Lines that are read, hashed and written together.
_AT_ONCE: Final = 2_000
_TRIGGER: Final = "audit_log_no_update"


def upgrade() -> None:
    """Makes what is new in this format, and gives every line of the log its hash."""
    connection = op.get_bind()
    script = Path(__file__).with_name(f"r0008_staff.{connection.dialect.name}.sql").read_text()
    for statement in filter(str.strip, script.split(";\n")):
        connection.exec_driver_sql(statement)
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"ALTER TABLE audit_log DISABLE TRIGGER {_TRIGGER}")
        _chain(connection)
        connection.exec_driver_sql(f"ALTER TABLE audit_log ENABLE TRIGGER {_TRIGGER}")
        return
    found = text("SELECT sql FROM sqlite_schema WHERE type = 'trigger' AND name = :name")
    trigger = connection.execute(found, {"name": _TRIGGER}).scalar_one()
    connection.exec_driver_sql(f"DROP TRIGGER {_TRIGGER}")
    _chain(connection)
    connection.exec_driver_sql(trigger)


def _chain(connection: Connection) -> None:
    columns = ", ".join(LogLine._fields)
    read = text(f"SELECT {columns} FROM audit_log WHERE number > :number ORDER BY number LIMIT {_AT_ONCE}")
    number, digest = 0, b""
    while rows := connection.execute(read, {"number": number}).all():
        made = []
        for row in rows:
            line = LogLine(*row)
            number, digest = line.number, hash_line(digest, line)
            made.append({"number": number, "hash": digest})
        connection.execute(text("UPDATE audit_log SET hash = :hash WHERE number = :number"), made)
    connection.execute(text("UPDATE log_tail SET number = :number, hash = :hash"), {"number": number, "hash": digest})


def downgrade() -> None:
    """A format is never taken back."""
    raise RuntimeError("a format is not taken back; put a backup in its place")
