"""Areas and stations as people see them: coverage counted from what was booked, health as the boxes told it last."""

import json
from collections.abc import Iterable
from typing import Any, Final

from sqlalchemy import Connection, Row, func, select

from prewatt.host.boxanswers import AreaAnswer, BoxAnswer, Coverage, StationAnswer, Straggler
from prewatt.host.context import HostContext
from prewatt.host.days import local_day, midnight_s
from prewatt.host.stations import members_of, plan_of
from prewatt.host.store import schema
from prewatt.units import Address

__all__ = ["coverage_of", "read_area_answers", "read_station_answers", "read_stragglers", "today_s"]

_NOBODY: Final = (0, 0, 0)


def today_s(context: HostContext) -> tuple[int, int]:
    """From when to when the installation's day has lasted, in UTC seconds. What lies later was noted while the clock
    was ahead, and is of no day."""
    now_s = context.now()
    return midnight_s(local_day(now_s, context.zone), context.zone), now_s


def coverage_of(counts: Iterable[tuple[int, int, int]]) -> Coverage:
    """The sum of (meters, read, polled)."""
    meters, read, polled = (sum(each) for each in zip(_NOBODY, *counts, strict=True))
    return Coverage(meters, read, polled, f"{read} of {meters} read today")


def read_station_answers(
    connection: Connection, context: HostContext, station: str | None = None
) -> list[StationAnswer]:
    """Every station by id, or the one named where it is there."""
    stations, areas, boxes = schema.stations, schema.areas, schema.boxes
    wanted = (
        select(stations, areas.c.number.label("area_number"), boxes)
        .select_from(
            stations.join(areas, areas.c.id == stations.c.area).outerjoin(boxes, boxes.c.station == stations.c.id)
        )
        .order_by(stations.c.id)
    )
    if station is not None:
        wanted = wanted.where(stations.c.id == station)
    counts = _counts(connection, context, station)
    return [_station(connection, row, counts.get(row.id, _NOBODY)) for row in connection.execute(wanted)]


def read_area_answers(connection: Connection, context: HostContext) -> list[AreaAnswer]:
    """Every area by id, with its stations counted together."""
    areas, stations, boxes = schema.areas, schema.stations, schema.area_boxes
    below: dict[str, list[Any]] = {}
    for row in connection.execute(select(stations.c.id, stations.c.area, stations.c.number).order_by(stations.c.id)):
        below.setdefault(row.area, []).append(row)
    counts = _counts(connection, context, None)
    wanted = select(areas, boxes).select_from(areas.outerjoin(boxes, boxes.c.area == areas.c.id)).order_by(areas.c.id)
    found = []
    for row in connection.execute(wanted):
        mine = below.get(row.id, [])
        away = set(json.loads(row.away)) if row.away is not None else set()
        found.append(
            AreaAnswer(
                area=row.id,
                number=row.number,
                name=row.name,
                stations=len(mine),
                coverage=coverage_of(counts.get(each.id, _NOBODY) for each in mine),
                heard_s=row.heard_s,
                kept=row.kept,
                stations_away=tuple(each.id for each in mine if each.number in away),
            )
        )
    return found


def read_stragglers(connection: Connection, context: HostContext, station: str) -> tuple[Straggler, ...]:
    """The meters of a station that were not read today, the longest missing first."""
    meters, standings = schema.meters, schema.standings
    wanted = (
        select(meters.c.id, meters.c.m_id, standings.c.read_s)
        .join_from(meters, standings, standings.c.meter == meters.c.id)
        .where(meters.c.station == station, ~standings.c.read_s.between(*today_s(context)))
        .order_by(standings.c.read_s, meters.c.m_id)
    )
    return tuple(Straggler(row.id, row.m_id, row.read_s or None) for row in connection.execute(wanted))


def _counts(connection: Connection, context: HostContext, station: str | None) -> dict[str, tuple[int, int, int]]:
    """(meters, read today, polled today) by station; stations without meters are not in it."""
    meters, standings, today = schema.meters, schema.standings, today_s(context)
    wanted = (
        select(
            meters.c.station,
            func.count(),
            func.count().filter(standings.c.read_s.between(*today)),
            func.count().filter(standings.c.polled_s.between(*today)),
        )
        .join_from(meters, standings, standings.c.meter == meters.c.id)
        .group_by(meters.c.station)
    )
    if station is not None:
        wanted = wanted.where(meters.c.station == station)
    return {row[0]: (row[1], row[2], row[3]) for row in connection.execute(wanted)}


def _station(connection: Connection, row: Row[Any], counts: tuple[int, int, int]) -> StationAnswer:
    address = Address(row.area_number, row.number)
    return StationAnswer(
        station=row.id,
        area=row.area,
        number=row.number,
        address=str(address),
        name=row.name,
        line=row.line,
        rating_va=row.rating_va or None,
        meters=counts[0],
        transformers=_transformers(connection, row.id),
        coverage=coverage_of([counts]),
        unbooked=_unbooked(connection, row.id),
        box=None if row.heard_s is None else _box(connection, row, address),
    )


def _transformers(connection: Connection, station: str) -> tuple[str, ...]:
    meters = schema.meters
    wanted = select(meters.c.id).where(meters.c.station == station, meters.c.kind == "ct").order_by(meters.c.id)
    return tuple(connection.execute(wanted).scalars())


def _unbooked(connection: Connection, station: str) -> int:
    unbooked = schema.unbooked
    return int(connection.execute(select(func.count()).where(unbooked.c.station == station)).scalar_one())


def _box(connection: Connection, row: Row[Any], address: Address) -> BoxAnswer:
    return BoxAnswer(
        heard_s=row.heard_s,
        boots=row.boots,
        waiting=row.waiting,
        dropped=row.dropped,
        overtaken=row.overtaken,
        strange=row.strange,
        silent=tuple(json.loads(row.silent)),
        members_current=row.members_version == members_of(connection, row.id, address).version,
        plan_current=row.plan_version == plan_of(row.line, address).version,
        refused=row.refused,
    )
