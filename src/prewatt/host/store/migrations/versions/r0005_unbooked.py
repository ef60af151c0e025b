"""What meters said and could not be booked, and key sets of which nobody knows whether a meter still has them.

Revision 0005, after 0004.
"""

from pathlib import Path

from alembic import op

__all__ = ["branch_labels", "depends_on", "down_revision", "downgrade", "revision", "upgrade"]

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Makes what is new in this format."""
    connection = op.get_bind()
    script = Path(__file__).with_name(f"r0005_unbooked.{connection.dialect.name}.sql").read_text()
    for statement in filter(str.strip, script.split(";\n")):
        connection.exec_driver_sql(statement)


def downgrade() -> None:
    """A format is never taken back."""
    raise RuntimeError("a format is not taken back; put a backup in its place")
