"""Where the new meters of a file stand: which stations must be added, and which modem address each meter gets.

All numbers of the field are bytes: 256 areas, 256 stations below each, 256 meters below each. What does not fit is
named by the row that it does not fit for.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from prewatt.host.context import HostContext
from prewatt.host.refusals import RefusalOutcome, RefusedError
from prewatt.host.store import schema
from prewatt.host.topology import AREA_DEFAULT, METERS_PER_STATION_MAX
from prewatt.units import BELOW_MAX

__all__ = ["PlacedMeter", "Places"]

Wrong = list[tuple[int, RefusedError]]


@dataclass(frozen=True, slots=True)
class PlacedMeter:
    """The place that a row asks for; None: any."""

    line: int
    area: str | None
    station: str
    m_id: int | None


class Places:
    """What stands where at this moment."""

    def __init__(self, connection: Connection, context: HostContext) -> None:
        stations, meters = schema.stations, schema.meters
        self._connection = connection
        self._area_of: dict[str, str] = {
            row.id: row.area for row in connection.execute(select(stations.c.id, stations.c.area))
        }
        self._areas = set(connection.execute(select(schema.areas.c.id)).scalars())
        self._below = Counter(self._area_of.values())
        self._count = connection.execute(select(func.count()).select_from(meters)).scalar_one()
        self._ceiling = context.installation.meters_ceiling

    def place(self, wanted: Sequence[PlacedMeter]) -> tuple[list[int], list[tuple[str, str]], Wrong]:
        """A modem address for each, the stations to be added with their areas, and what does not fit."""
        wrong: Wrong = []
        stations = self._new_stations(wanted, wrong)
        for number, each in enumerate(wanted, self._count + 1):
            if number > self._ceiling:
                allowed = f"at most {self._ceiling} meters"
                wrong.append((each.line, RefusedError(RefusalOutcome.METERS_CEILING, "meter", "one more", allowed)))
        used = self._used({each.station for each in wanted})
        for each in wanted:
            if each.m_id is None:
                continue
            if each.m_id in used[each.station]:
                allowed = f"a modem address that no other meter below {each.station} has"
                wrong.append((each.line, RefusedError(RefusalOutcome.M_ID_TAKEN, "m_id", each.m_id, allowed)))
            used[each.station].add(each.m_id)
        return [self._choose(each, used[each.station], wrong) for each in wanted], stations, wrong

    def _choose(self, each: PlacedMeter, used: set[int], wrong: Wrong) -> int:
        if each.m_id is not None:
            return each.m_id
        free = next((number for number in range(METERS_PER_STATION_MAX) if number not in used), None)
        if free is None:
            allowed = f"a station with fewer than {METERS_PER_STATION_MAX} meters"
            wrong.append((each.line, RefusedError(RefusalOutcome.STATION_FULL, "station", each.station, allowed)))
            return 0
        used.add(free)
        return free

    def _used(self, stations: set[str]) -> dict[str, set[int]]:
        """The modem addresses taken below each of them."""
        used: dict[str, set[int]] = {station: set() for station in stations}
        meters = schema.meters
        for row in self._connection.execute(select(meters.c.station, meters.c.m_id)):
            if row.station in used:
                used[row.station].add(row.m_id)
        return used

    def _new_stations(self, wanted: Sequence[PlacedMeter], wrong: Wrong) -> list[tuple[str, str]]:
        added: list[tuple[str, str]] = []
        named = {each.station: each.area for each in wanted if each.area is not None}
        for each in wanted:
            there = self._area_of.get(each.station)
            if there is not None:
                if each.area is not None and each.area != there:
                    allowed = f"area {there}, where this station stands"
                    outcome = RefusalOutcome.EXISTS_WITH_DIFFERENT_FIELDS
                    wrong.append((each.line, RefusedError(outcome, "area", each.area, allowed)))
                continue
            area = named.get(each.station, AREA_DEFAULT)
            self._area_of[each.station] = area
            added.append((each.station, area))
            self._below[area] += 1
            if self._below[area] > BELOW_MAX:
                allowed = f"an area with fewer than {BELOW_MAX} stations"
                wrong.append((each.line, RefusedError(RefusalOutcome.AREA_FULL, "area", area, allowed)))
            if area not in self._areas and len(self._areas) >= BELOW_MAX:
                allowed = f"one of the areas that are there; there are {BELOW_MAX}"
                wrong.append((each.line, RefusedError(RefusalOutcome.AREAS_FULL, "area", area, allowed)))
            self._areas.add(area)
        return added
