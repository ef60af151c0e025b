"""The first format: registry, ledger, transfers, record file, collection. Its SQL stands beside it, one file a dialect.

Revision 0001, after nothing.
"""

from pathlib import Path

from alembic import op

__all__ = ["branch_labels", "depends_on", "down_revision", "downgrade", "revision", "upgrade"]

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Makes every table, index and trigger."""
    connection = op.get_bind()
    script = Path(__file__).with_name(f"r0001_first.{connection.dialect.name}.sql").read_text()
    for statement in _statements(script):
        connection.exec_driver_sql(statement)


def downgrade() -> None:
    """There is nothing before the first format."""
    raise RuntimeError("the first format has none before it; put a backup in its place")


def _statements(script: str) -> list[str]:
    """The statements of a script: each ends at a line that ends in a semicolon."""
    found: list[str] = []
    lines: list[str] = []
    for line in script.splitlines():
        lines.append(line)
        if line.endswith(";"):
            found.append("\n".join(lines))
            lines = []
    return found
