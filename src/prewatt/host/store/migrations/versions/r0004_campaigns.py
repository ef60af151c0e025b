"""Campaigns, programs, and the settings each meter should have.

What was wished of settings before stands in the commands that were sent; the newest of each is taken over. Revision
0004, after 0003.
"""

import json
from pathlib import Path
from typing import Final

from alembic import op
from sqlalchemy import Connection

from prewatt.codec.settings import SettingsChange

__all__ = ["branch_labels", "depends_on", "down_revision", "downgrade", "revision", "upgrade"]

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_SETTINGS_CODE: Final = 0x0A


def upgrade() -> None:
    """Makes what is new in this format."""
    connection = op.get_bind()
    script = Path(__file__).with_name(f"r0004_campaigns.{connection.dialect.name}.sql").read_text()
    for statement in filter(str.strip, script.split(";\n")):
        connection.exec_driver_sql(statement)
    _take_over(connection)


def downgrade() -> None:
    """A format is never taken back."""
    raise RuntimeError("a format is not taken back; put a backup in its place")


def _take_over(connection: Connection) -> None:
    wishes = "SELECT meter, what FROM controls WHERE code = ? AND state IN ('waiting', 'done') ORDER BY number"
    put = "INSERT OR REPLACE INTO wanted_settings (meter, name, value) VALUES (?, ?, ?)"
    for meter, what in connection.exec_driver_sql(wishes, (_SETTINGS_CODE,)).all():
        change = SettingsChange.parse(bytes.fromhex(json.loads(what)["settings"]))
        for name, value in change.values.items():
            connection.exec_driver_sql(put, (meter, name, value))
