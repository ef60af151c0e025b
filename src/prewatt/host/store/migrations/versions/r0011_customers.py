"""What is known of customers, who lived where since when, suppliers and agents, how large transformers are, and texts
to search.

Revision 0011, after 0010. Whoever has a meter at this moment is taken to have had it since it was enrolled.
"""

from pathlib import Path

from alembic import op
from sqlalchemy import text

from prewatt.host.customers.words import search_text

__all__ = ["branch_labels", "depends_on", "down_revision", "downgrade", "revision", "upgrade"]

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_ROWS = (
    ("customers", "id", "SELECT id, id FROM customers"),
    ("customers", "name", "SELECT id, name FROM customers"),
    ("premises", "id", "SELECT id, id FROM premises"),
    ("premises", "address", "SELECT id, address FROM premises"),
    ("stations", "id", "SELECT id, id FROM stations"),
    ("stations", "name", "SELECT id, name FROM stations"),
)


def upgrade() -> None:
    """Makes what is new in this format."""
    connection = op.get_bind()
    script = Path(__file__).with_name(f"r0011_customers.{connection.dialect.name}.sql").read_text()
    for statement in filter(str.strip, script.split(";\n")):
        connection.exec_driver_sql(statement)
    insert = text("INSERT INTO sought (kind, id, field, text) VALUES (:kind, :id, :field, :text)")
    for kind, field, query in _ROWS:
        found = connection.execute(text(query)).all()
        rows = [
            {"kind": kind, "id": key, "field": field, "text": sought}
            for key, given in found
            if (sought := search_text(given))
        ]
        if rows:
            connection.execute(insert, rows)


def downgrade() -> None:
    """A format is never taken back."""
    raise RuntimeError("a format is not taken back; put a backup in its place")
