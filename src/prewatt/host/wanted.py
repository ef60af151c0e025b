"""What each meter should have, kept apart from the commands that say so: its settings by name.

A command that was carried out is history; a new body behind an id begins without it. `resend` sends it again.
"""

from sqlalchemy import Connection, select

from prewatt.codec.settings import SettingsChange
from prewatt.host.store import Writing, schema

__all__ = ["read_wanted_settings", "remember_settings"]


def read_wanted_settings(connection: Connection, meter: str) -> dict[str, int]:
    """The settings that were asked for, by name; those never asked for stay as the factory set them."""
    wanted = schema.wanted_settings
    rows = connection.execute(select(wanted.c.name, wanted.c.value).where(wanted.c.meter == meter))
    return {row.name: row.value for row in rows}


def remember_settings(writing: Writing, meter: str, change: SettingsChange) -> None:
    """What was asked for is what the meter should have from now on."""
    for name, value in change.values.items():
        row = {"meter": meter, "name": name, "value": value}
        put = writing.insert(schema.wanted_settings).values(row)
        writing.connection.execute(put.on_conflict_do_update(index_elements=["meter", "name"], set_={"value": value}))
