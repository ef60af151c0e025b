"""Addresses of areas and stations, polling, and what the boxes of the field tell of themselves.

Areas and stations that were there get the lowest numbers in the order of their ids. The first format knew no limit
below an area; where more than 256 stations stand below one, the rest moves below further areas. Revision 0002, after
0001.
"""

from itertools import count
from pathlib import Path
from typing import Final

from alembic import op
from sqlalchemy import Connection

__all__ = ["branch_labels", "depends_on", "down_revision", "downgrade", "revision", "upgrade"]

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_BELOW_MAX: Final = 256
_UNIQUE: Final = (
    "CREATE UNIQUE INDEX areas_number ON areas (number)",
    "CREATE UNIQUE INDEX stations_number ON stations (area, number)",
)


def upgrade() -> None:
    """Makes what is new in this format, and numbers what is there."""
    connection = op.get_bind()
    script = Path(__file__).with_name(f"r0002_network.{connection.dialect.name}.sql").read_text()
    for statement in script.split(";\n"):
        if statement.strip():
            connection.exec_driver_sql(statement)
    _number(connection)
    for statement in _UNIQUE:
        connection.exec_driver_sql(statement)


def downgrade() -> None:
    """A format is never taken back."""
    raise RuntimeError("a format is not taken back; put a backup in its place")


def _number(connection: Connection) -> None:
    areas = [row[0] for row in connection.exec_driver_sql("SELECT id FROM areas ORDER BY id")]
    for area in list(areas):
        found = connection.exec_driver_sql("SELECT id FROM stations WHERE area = ? ORDER BY id", (area,))
        stations = [row[0] for row in found]
        for first in range(0, len(stations), _BELOW_MAX):
            place = area if first == 0 else _further_area(connection, area, areas)
            for number, station in enumerate(stations[first : first + _BELOW_MAX]):
                moved = "UPDATE stations SET area = ?, number = ? WHERE id = ?"
                connection.exec_driver_sql(moved, (place, number, station))
    for number, area in enumerate(areas):
        connection.exec_driver_sql("UPDATE areas SET number = ? WHERE id = ?", (number, area))


def _further_area(connection: Connection, area: str, areas: list[str]) -> str:
    """A new area beside one that is full; its id begins like that one's (64 characters at most)."""
    name = next(name for number in count(2) if (name := f"{area[:58]}-{number}") not in areas)
    areas.append(name)
    connection.exec_driver_sql("INSERT INTO areas (id) VALUES (?)", (name,))
    return name
