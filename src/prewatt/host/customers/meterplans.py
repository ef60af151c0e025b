"""What a file of meters does: each row enrols a meter, gives one another customer or other premises, or finds it so.

A station that is not there is added, below the area that the row names (`A1` where it names none). A modem address that
is left out is the lowest that is free once all rows that name theirs have it. A row for a meter that is enrolled may
change who has it and where it hangs, nothing else: moving it and changing its suite are acts of their own. Nor does an
empty cell take its customer away: that a tenancy ended is said by `prewatt meter vacate`.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy import Connection, select

from prewatt.crypto import SuiteName
from prewatt.host.context import HostContext
from prewatt.host.customers.answers import BadRow
from prewatt.host.customers.customers import move_people
from prewatt.host.customers.kinds import CUSTOMERS, PREMISES, Row
from prewatt.host.customers.meterplaces import PlacedMeter, Places
from prewatt.host.customers.plans import Plan, Told, twice
from prewatt.host.customers.records import CHUNK, chunks, read_rows
from prewatt.host.customers.sheets import Line, bad_row
from prewatt.host.enrolling import HOME, KINDS, NewMeter, insert_meters, key_sets_for
from prewatt.host.fields import check_id, check_meter
from prewatt.host.refusals import RefusalOutcome, RefusedError
from prewatt.host.store import Writing, schema
from prewatt.host.topology import METERS_PER_STATION_MAX, STATION_DEFAULT, add_station

__all__ = ["MeterSheet"]

_IMPORT_REASON: Final = "imported"


@dataclass(frozen=True, slots=True)
class MeterRow:
    """A row whose fields are right by themselves; None: left out, as a meter that is enrolled has it."""

    line: int
    meter: str
    area: str | None
    station: str | None
    m_id: int | None
    suite: str | None
    kind: str | None
    customer: str | None
    premises: str | None

    @property
    def place(self) -> str:
        """The station that the row means for a new meter."""
        return self.station or STATION_DEFAULT

    @property
    def algorithms(self) -> str:
        """The suite that the row means for a new meter."""
        return self.suite or SuiteName.AES_2026.value


class MeterSheet:
    """A CSV file of meters."""

    columns: tuple[str, ...] = ("meter", "area", "station", "m_id", "suite", "kind", "customer", "premises")

    def check(self, lines: Iterable[Line], told: Told) -> tuple[list[MeterRow], list[BadRow]]:
        """The rows by themselves and against each other: those without a fault, and all faults."""
        good: list[MeterRow] = []
        bad: list[BadRow] = []
        seen: dict[tuple[str, object], int] = {}
        areas: dict[str, tuple[str, int]] = {}
        for number, (line, cells) in enumerate(lines, 1):
            row, wrong = _check(line, *cells)
            for what, key in () if row is None else _claims(row):
                before = seen.setdefault((what, key), line)
                if before != line:
                    wrong.append(twice(what, str(key), before))
            if row is not None and row.area is not None:
                area, before = areas.setdefault(row.place, (row.area, line))
                if area != row.area:
                    allowed = f"area {area}, where line {before} has station {row.place}"
                    wrong.append(RefusedError(RefusalOutcome.BAD_FIELD, "area", row.area, allowed))
            bad += [bad_row(line, error) for error in wrong]
            if row is not None and not wrong:
                good.append(row)
            if number % CHUNK == 0:
                told("checking", number)
        return good, bad

    def plan(self, connection: Connection, context: HostContext, good: list[MeterRow], told: Told) -> Plan:
        """The rows against what is there."""
        plan, places, new = Plan(), Places(connection, context), list[MeterRow]()
        key_sets = {suite.value: _sets(context, suite.value) for suite in SuiteName}
        done = 0
        for chunk in chunks(good):
            found = _there(connection, chunk)
            customers = read_rows(connection, CUSTOMERS, {row.customer for row in chunk if row.customer is not None})
            premises = read_rows(connection, PREMISES, {row.premises for row in chunk if row.premises is not None})
            for row in chunk:
                there = found.get(row.meter)
                wrong = [CUSTOMERS.unknown_key(row.customer)] if row.customer and row.customer not in customers else []
                wrong += [PREMISES.unknown_key(row.premises)] if row.premises and row.premises not in premises else []
                wrong += _against(row, there) if there is not None else []
                sets = key_sets[row.algorithms]
                wrong += [sets] if there is None and isinstance(sets, RefusedError) else []
                plan.bad += [bad_row(row.line, error) for error in wrong]
                if there is None:
                    new.append(row)
                elif not wrong:
                    _plan_known(plan, row, there)
            done += len(chunk)
            told("checking", done)
        _plan_new(plan, places, new, key_sets, context)
        return plan

    def rows(self, connection: Connection) -> Iterable[Row]:
        """Every meter as the file has it, by id."""
        meters, stations = schema.meters, schema.stations
        joined = meters.join(stations, stations.c.id == meters.c.station)
        for row in connection.execute(select(meters, stations.c.area).select_from(joined).order_by(meters.c.id)):
            yield {
                "meter": row.id,
                "area": row.area,
                "station": row.station,
                "m_id": str(row.m_id),
                "suite": row.suite,
                "kind": row.kind,
                "customer": row.customer or "",
                "premises": row.premises or "",
            }


def _check(line: int, *cells: str) -> tuple[MeterRow | None, list[RefusedError]]:
    """The row, and all that is wrong with it by itself; without the row where its fields cannot be compared."""
    meter, area, station, m_id, suite, kind, customer, premises = cells
    row = MeterRow(
        line,
        meter.upper(),
        area or None,
        station or None,
        None,
        suite or None,
        kind or None,
        customer or None,
        premises or None,
    )
    wrong: list[RefusedError] = []
    ids = (("area", row.area), ("station", row.station), ("customer", row.customer), ("premises", row.premises))
    checks: list[Callable[[], object]] = [lambda: check_meter(meter)]
    checks += [lambda text=text, name=name: check_id(text, field=name) for name, text in ids if text is not None]  # type: ignore[misc]
    checks += [lambda: _one_of("suite", row.algorithms, [each.value for each in SuiteName])]
    checks += [lambda: _one_of("kind", row.kind or HOME, KINDS)]
    for check in checks:
        try:
            check()
        except RefusedError as error:
            wrong.append(error)
    number = int(m_id) if m_id.isascii() and m_id.isdecimal() and len(m_id) <= len(str(METERS_PER_STATION_MAX)) else -1
    if m_id and not 0 <= number < METERS_PER_STATION_MAX:
        allowed = f"0 to {METERS_PER_STATION_MAX - 1}, or empty for the lowest free one"
        wrong.append(RefusedError(RefusalOutcome.BAD_FIELD, "m_id", m_id, allowed))
    if wrong:
        return None, wrong
    return replace(row, m_id=number if m_id else None), wrong


def _one_of(field: str, given: str, allowed: Iterable[str]) -> None:
    if given not in allowed:
        raise RefusedError(RefusalOutcome.BAD_FIELD, field, given, " or ".join(allowed))


def _claims(row: MeterRow) -> Iterable[tuple[str, object]]:
    """What no two rows may have."""
    yield "meter", row.meter
    if row.m_id is not None:
        yield "m_id", f"{row.m_id} below {row.place}"


def _sets(context: HostContext, suite: str) -> tuple[int, ...] | RefusedError:
    try:
        return key_sets_for(context, suite, None)
    except RefusedError as error:
        return error


def _there(connection: Connection, rows: list[MeterRow]) -> dict[str, MeterRow]:
    """Which of them are enrolled, and how."""
    meters, stations = schema.meters, schema.stations
    joined = meters.join(stations, stations.c.id == meters.c.station)
    query = select(meters, stations.c.area).select_from(joined).where(meters.c.id.in_([row.meter for row in rows]))
    return {
        each.id: MeterRow(
            0, each.id, each.area, each.station, each.m_id, each.suite, each.kind, each.customer, each.premises
        )
        for each in connection.execute(query)
    }


def _against(row: MeterRow, there: MeterRow) -> list[RefusedError]:
    """What a row asks of an enrolled meter that a file cannot do."""
    wrong = []
    for field, how in (
        ("area", "`prewatt meter move`"),
        ("station", "`prewatt meter move`"),
        ("m_id", "`prewatt meter move`"),
        ("suite", "a meter of its own"),
        ("kind", "a meter of its own"),
    ):
        wanted, found = getattr(row, field), getattr(there, field)
        if wanted is not None and wanted != found:
            allowed = f"{found}, as this meter is enrolled; another needs {how}"
            wrong.append(RefusedError(RefusalOutcome.EXISTS_WITH_DIFFERENT_FIELDS, field, wanted, allowed))
    for field, how in (("customer", "is ended by `prewatt meter vacate`"), ("premises", "stay until there are others")):
        if getattr(row, field) is None and getattr(there, field) is not None:
            allowed = f"{getattr(there, field)}, or another; what a meter has {how}"
            wrong.append(RefusedError(RefusalOutcome.EXISTS_WITH_DIFFERENT_FIELDS, field, "", allowed))
    return wrong


def _plan_known(plan: Plan, row: MeterRow, there: MeterRow) -> None:
    before, after = (there.customer, there.premises), (row.customer, row.premises)
    if before == after:
        plan.unchanged += 1
        return
    plan.changed += 1
    plan.steps.append(lambda writing, now_s: move_people(writing, row.meter, before, after, _IMPORT_REASON, now_s))


def _plan_new(
    plan: Plan,
    places: Places,
    new: list[MeterRow],
    key_sets: dict[str, tuple[int, ...] | RefusedError],
    context: HostContext,
) -> None:
    """Gives every new meter its place, and plans its rows."""
    wanted = [PlacedMeter(row.line, row.area, row.place, row.m_id) for row in new]
    placed, stations, wrong = places.place(wanted)
    plan.bad += [bad_row(line, error) for line, error in wrong]
    plan.added += len(new)
    if plan.bad:
        return
    for station, area in stations:
        plan.steps.append(_adds_station(station, area))
    meters = [
        NewMeter(row.meter, row.place, m_id, row.algorithms, row.kind or HOME, row.customer, row.premises, sets)
        for row, m_id in zip(new, placed, strict=True)
        if isinstance(sets := key_sets[row.algorithms], tuple)
    ]
    for chunk in chunks(meters):
        plan.steps.append(_enrols(context, chunk))
    plan.stations |= {each.station for each in meters}
    plan.meters += [each.meter for each in meters]


def _adds_station(station: str, area: str) -> Callable[[Writing, int], None]:
    return lambda writing, now_s: add_station(writing, now_s, station, area)


def _enrols(context: HostContext, meters: list[NewMeter]) -> Callable[[Writing, int], None]:
    return lambda writing, now_s: insert_meters(writing, context, meters, now_s)
