"""The topology: which areas and stations there are, under which numbers, and where each meter stands.

Ids are what people chose and stay what they are, in the audit log and in other programs; a name beside them can be
changed at any time. Numbers are what the field uses: at most 256 areas below the host, 256 stations below an area, 256
meters below a station. Moving a meter touches its place alone: its book, its orders and its keys belong to the meter,
and what the station before it still heard of it is booked as if it had not moved.
"""

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from sqlalchemy import Connection, insert, select, update

from prewatt.host.answers import MeterAnswer
from prewatt.host.boxanswers import AreaAnswer, StationAnswer
from prewatt.host.boxviews import read_area_answers, read_station_answers
from prewatt.host.context import HostContext, log_action
from prewatt.host.customers.checks import check_rating, format_rating
from prewatt.host.customers.sought import write_sought
from prewatt.host.fields import check_id, check_meter, check_text
from prewatt.host.lines import check_line
from prewatt.host.meterviews import read_meter_answers
from prewatt.host.refusals import RefusalOutcome, RefusedError
from prewatt.host.store import Writing, schema
from prewatt.units import BELOW_MAX

__all__ = [
    "AREA_DEFAULT",
    "METERS_PER_STATION_MAX",
    "STATION_DEFAULT",
    "StationFields",
    "Topology",
    "add_station",
    "change_station",
    "free_m_id",
    "has_station",
    "unknown_station",
]

# One modem address is one byte.
METERS_PER_STATION_MAX: Final = BELOW_MAX
AREA_DEFAULT: Final = "A1"
STATION_DEFAULT: Final = "S1"


class StationFields(NamedTuple):
    """What people say of a station and may change at any time; all are checked."""

    name: str = ""
    line: str = ""
    rating_va: int = 0
    """What its transformer may carry; 0: not known."""


_NO_FIELDS: Final = StationFields()


class Topology:
    """Areas, stations, and the places of meters."""

    def __init__(self, context: HostContext) -> None:
        self._context = context

    def add_area(self, area: str, *, number: int | None = None, name: str = "") -> AreaAnswer:
        """An area server. One of this id that is there already is answered as it is, where the number fits."""
        check_id(area, field="area")
        wanted_name = check_text(name, field="name") if name else ""
        self._context.store.write(lambda writing: _add_area(writing, self._context.now(), area, number, wanted_name))
        return self.read_area(area)

    def add_station(
        self,
        station: str,
        area: str = AREA_DEFAULT,
        *,
        number: int | None = None,
        name: str = "",
        line: str = "",
        rating_kva: str = "",
    ) -> StationAnswer:
        """A local station below an area server, which is added where it is new; the station may exist in that area."""
        check_id(station, field="station")
        check_id(area, field="area")
        check_line(line)
        given = StationFields(check_text(name, field="name") if name else "", line, check_rating(rating_kva))
        now_s = self._context.now()
        self._context.store.write(lambda writing: add_station(writing, now_s, station, area, number, given))
        self._context.note_place(station)
        return self.read_station(station)

    def read_areas(self) -> list[AreaAnswer]:
        """Every area, by id."""
        with self._context.store.reading() as connection:
            return read_area_answers(connection, self._context)

    def read_area(self, area: str) -> AreaAnswer:
        """One area; RefusedError (unknown_area) where none has this id."""
        found = [each for each in self.read_areas() if each.area == area]
        if not found:
            raise unknown_area(area)
        return found[0]

    def read_stations(self, *, area: str | None = None) -> list[StationAnswer]:
        """Every station, by id; those of one area where it is given."""
        with self._context.store.reading() as connection:
            return [
                each for each in read_station_answers(connection, self._context) if area is None or each.area == area
            ]

    def read_station(self, station: str) -> StationAnswer:
        """One station; RefusedError (unknown_station) where none has this id."""
        with self._context.store.reading() as connection:
            found = read_station_answers(connection, self._context, station)
        if not found:
            raise unknown_station(station)
        return found[0]

    def rename_area(self, area: str, name: str) -> AreaAnswer:
        """Gives an area another name; its id stays."""
        name = check_text(name, field="name")

        def work(writing: Writing) -> None:
            if not _area_number(writing.connection, area):
                raise unknown_area(area)
            writing.connection.execute(update(schema.areas).where(schema.areas.c.id == area).values(name=name))
            log_action(writing, self._context.now(), "area rename", area, name)

        self._context.store.write(work)
        return self.read_area(area)

    def rename_station(self, station: str, name: str) -> StationAnswer:
        """Gives a station another name; its id stays."""
        return self._change_station(station, "rename", name=check_text(name, field="name"))

    def set_line(self, station: str, line: str) -> StationAnswer:
        """Says which line the station has: the profile that its timing follows, or none."""
        check_line(line)
        return self._change_station(station, "line", line=line)

    def set_rating(self, station: str, rating_kva: str) -> StationAnswer:
        """Says what the station's transformer may carry, in kVA as a decimal; empty: not known."""
        return self._change_station(station, "rating", rating_va=check_rating(rating_kva))

    def move_meter(self, meter: str, station: str, *, m_id: int | None = None, reason: str) -> MeterAnswer:
        """Moves a meter below another station, or to another modem address below its own. Its money stays as it is."""
        meter, reason = check_meter(meter), check_text(reason, field="reason")
        now_s = self._context.now()
        left = self._context.store.write(lambda writing: _move(writing, now_s, meter, station, m_id, reason))
        self._context.note_place(left)
        self._context.note_place(station)
        self._context.wake(meter)
        with self._context.store.reading() as connection:
            return read_meter_answers(connection, meter)[0]

    def _change_station(self, station: str, action: str, **values: str | int) -> StationAnswer:
        def work(writing: Writing) -> None:
            if not has_station(writing.connection, station):
                raise unknown_station(station)
            change_station(writing, self._context.now(), station, action, values)

        self._context.store.write(work)
        self._context.note_place(station)
        return self.read_station(station)


def unknown_area(area: str) -> RefusedError:
    """The refusal of an area that was never added."""
    return RefusedError(RefusalOutcome.UNKNOWN_AREA, "area", area, "an area that was added; see `prewatt area list`")


def unknown_station(station: str) -> RefusedError:
    """The refusal of a station that was never added."""
    allowed = "a station that was added before; see `prewatt station list`"
    return RefusedError(RefusalOutcome.UNKNOWN_STATION, "station", station, allowed)


def has_station(connection: Connection, station: str) -> bool:
    """Whether there is a station of this id."""
    return connection.execute(select(schema.stations.c.id).where(schema.stations.c.id == station)).scalar() is not None


def change_station(writing: Writing, now_s: int, station: str, action: str, values: Mapping[str, str | int]) -> None:
    """Changes fields of a station that is there, all of which were checked."""
    connection, stations = writing.connection, schema.stations
    columns = [stations.c[name] for name in values]
    before = connection.execute(select(*columns).where(stations.c.id == station)).one()._mapping
    connection.execute(update(stations).where(stations.c.id == station).values(values))
    if "name" in values:
        write_sought(connection, "stations", [(station, {"name": str(values["name"])})], [station])
    shown = ", ".join(str(format_rating(each) if isinstance(each, int) else each) for each in values.values())
    log_action(writing, now_s, f"station {action}", station, shown, before=dict(before), after=values)


def add_station(
    writing: Writing,
    now_s: int,
    station: str,
    area: str,
    number: int | None = None,
    given: StationFields = _NO_FIELDS,
) -> None:
    """The rows of a station, and of its area where that is new; nothing where both are there as wanted."""
    connection, stations = writing.connection, schema.stations
    found = connection.execute(select(stations.c.area, stations.c.number).where(stations.c.id == station)).one_or_none()
    if found is not None:
        if found.area != area:
            allowed = f"area {found.area}, where this station stands"
            raise RefusedError(RefusalOutcome.EXISTS_WITH_DIFFERENT_FIELDS, "area", area, allowed)
        _check_same(number, found.number, "station")
        return
    _add_area(writing, now_s, area, None, "")
    taken = connection.execute(select(stations.c.number).where(stations.c.area == area)).scalars()
    chosen = _free_number(taken, number, field="number", full=RefusalOutcome.AREA_FULL, place=f"area {area}")
    row = {"id": station, "area": area, "number": chosen} | given._asdict()
    connection.execute(insert(stations).values(row))
    write_sought(connection, "stations", [(station, {"name": given.name})])
    log_action(writing, now_s, "station add", station, f"area {area}, number {chosen}", after=given._asdict())


def _add_area(writing: Writing, now_s: int, area: str, number: int | None, name: str) -> None:
    connection, areas = writing.connection, schema.areas
    found = connection.execute(select(areas.c.number).where(areas.c.id == area)).scalar()
    if found is not None:
        _check_same(number, found, "area")
        return
    taken = connection.execute(select(areas.c.number)).scalars()
    chosen = _free_number(taken, number, field="number", full=RefusalOutcome.AREAS_FULL, place="the host")
    connection.execute(insert(areas).values(id=area, number=chosen, name=name))
    log_action(writing, now_s, "area add", area, f"number {chosen}")


def _area_number(connection: Connection, area: str) -> bool:
    return connection.execute(select(schema.areas.c.number).where(schema.areas.c.id == area)).scalar() is not None


def _check_same(wanted: int | None, found: int, what: str) -> None:
    if wanted is not None and wanted != found:
        allowed = f"{found}, the number of this {what}, which is there already"
        raise RefusedError(RefusalOutcome.EXISTS_WITH_DIFFERENT_FIELDS, "number", wanted, allowed)


def _free_number(taken: Iterable[int], wanted: int | None, *, field: str, full: RefusalOutcome, place: str) -> int:
    """The number wanted where it is free, else the lowest that is."""
    used = set(taken)
    if len(used) >= BELOW_MAX:
        raise RefusedError(full, field, wanted, f"{place} with fewer than {BELOW_MAX} below it")
    if wanted is None:
        return next(each for each in range(BELOW_MAX) if each not in used)
    if isinstance(wanted, bool) or not 0 <= wanted < BELOW_MAX:
        raise RefusedError(RefusalOutcome.BAD_FIELD, field, wanted, f"0 to {BELOW_MAX - 1}")
    if wanted in used:
        outcome = RefusalOutcome.NUMBER_TAKEN
        raise RefusedError(outcome, field, wanted, f"a number that nothing else below {place} has")
    return wanted


def free_m_id(connection: Connection, station: str, wanted: int | None, *, but: str = "") -> int:
    """The modem address a meter gets below a station, which must be there; ``but``: the meter that moves itself."""
    if not has_station(connection, station):
        raise unknown_station(station)
    meters = schema.meters
    below = select(meters.c.m_id).where(meters.c.station == station, meters.c.id != but)
    taken = set(connection.execute(below).scalars())
    if len(taken) >= METERS_PER_STATION_MAX:
        allowed = f"a station with fewer than {METERS_PER_STATION_MAX} meters"
        raise RefusedError(RefusalOutcome.STATION_FULL, "station", station, allowed)
    if wanted is None:
        return next(each for each in range(METERS_PER_STATION_MAX) if each not in taken)
    if isinstance(wanted, bool) or not 0 <= wanted < METERS_PER_STATION_MAX:
        raise RefusedError(RefusalOutcome.BAD_FIELD, "m_id", wanted, f"0 to {METERS_PER_STATION_MAX - 1}")
    if wanted in taken:
        allowed = f"a modem address that no other meter below {station} has"
        raise RefusedError(RefusalOutcome.M_ID_TAKEN, "m_id", wanted, allowed)
    return wanted


def _move(writing: Writing, now_s: int, meter: str, station: str, m_id: int | None, reason: str) -> str:
    """Writes the move; gives the station that the meter left."""
    meters = schema.meters
    row = writing.connection.execute(select(meters.c.station, meters.c.m_id).where(meters.c.id == meter)).one_or_none()
    if row is None:
        allowed = "a meter that is enrolled; see `prewatt meter list`"
        raise RefusedError(RefusalOutcome.UNKNOWN_METER, "meter", meter, allowed)
    if m_id is None and station == row.station:
        allowed = "another station than its own, or another modem address below it (--m-id)"
        raise RefusedError(RefusalOutcome.BAD_FIELD, "station", station, allowed)
    chosen = free_m_id(writing.connection, station, m_id, but=meter)
    writing.connection.execute(update(meters).where(meters.c.id == meter).values(station=station, m_id=chosen))
    moved = f"from {row.station}, modem address {row.m_id}, to {station}, modem address {chosen}: {reason}"
    log_action(writing, now_s, "meter move", meter, moved)
    return str(row.station)
