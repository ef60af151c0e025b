"""An index for each table of many rows, so that a look at the database finds a row that is gone (`store.whole`).

Revision 0006, after 0005.
"""

from pathlib import Path

from alembic import op

__all__ = ["branch_labels", "depends_on", "down_revision", "downgrade", "revision", "upgrade"]

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Makes what is new in this format."""
    connection = op.get_bind()
    script = Path(__file__).with_name("r0006_indexes.sql").read_text()
    for statement in filter(str.strip, script.split(";\n")):
        connection.exec_driver_sql(statement)


def downgrade() -> None:
    """A format is never taken back."""
    raise RuntimeError("a format is not taken back; put a backup in its place")
