"""What a file of stations (transformers) does: each row adds one, changes what people say of it, or finds it so.

An area that is not there is added. A number that is left out is the lowest that is free once all rows that name theirs
have it. For a station that is there a row may change name, line and rating, which stand as the row has them; its area
and its number are what the field knows it by, and stay.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, select

from prewatt.host.context import HostContext
from prewatt.host.customers.answers import BadRow
from prewatt.host.customers.checks import check_rating, format_rating
from prewatt.host.customers.plans import Plan, Told, twice
from prewatt.host.customers.sheets import Line, bad_row
from prewatt.host.fields import check_id, check_text
from prewatt.host.lines import check_line
from prewatt.host.refusals import RefusalOutcome, RefusedError
from prewatt.host.store import Writing, schema
from prewatt.host.topology import AREA_DEFAULT, StationFields, add_station, change_station
from prewatt.units import BELOW_MAX

__all__ = ["StationSheet"]

_NUMBER_DIGITS_MAX: Final = 3


@dataclass(frozen=True, slots=True)
class StationRow:
    """A row whose fields are right by themselves; None: left out."""

    line: int
    station: str
    area: str | None
    number: int | None
    given: StationFields

    @property
    def place(self) -> str:
        """The area that the row means for a new station."""
        return self.area or AREA_DEFAULT


class StationSheet:
    """A CSV file of stations."""

    columns: tuple[str, ...] = ("station", "area", "number", "name", "line", "rating_kva")

    def check(self, lines: Iterable[Line], told: Told) -> tuple[list[StationRow], list[BadRow]]:
        """The rows by themselves and against each other: those without a fault, and all faults."""
        good: list[StationRow] = []
        bad: list[BadRow] = []
        seen: dict[tuple[str, str], int] = {}
        for number, (line, cells) in enumerate(lines, 1):
            row, wrong = _check(line, *cells)
            claims = [("station", cells[0])]
            if row is not None and row.number is not None:
                claims.append(("number", f"{row.number} below {row.place}"))
            for what, key in claims:
                before = seen.setdefault((what, key), line)
                if before != line:
                    wrong.append(twice(what, key, before))
            bad += [bad_row(line, error) for error in wrong]
            if row is not None and not wrong:
                good.append(row)
            told("checking", number)
        return good, bad

    def plan(self, connection: Connection, context: HostContext, good: list[StationRow], told: Told) -> Plan:
        """The rows against what is there."""
        plan, new = Plan(), list[StationRow]()
        there = {row.id: row for row in connection.execute(select(schema.stations))}
        for row in good:
            if row.station in there:
                _plan_known(plan, row, there[row.station])
            else:
                new.append(row)
        _plan_new(plan, _Numbers(connection, there.values()), new)
        told("checking", len(good))
        return plan

    def rows(self, connection: Connection) -> Iterable[dict[str, str]]:
        """Every station as the file has it, by id."""
        for row in connection.execute(select(schema.stations).order_by(schema.stations.c.id)):
            yield {
                "station": row.id,
                "area": row.area,
                "number": str(row.number),
                "name": row.name,
                "line": row.line,
                "rating_kva": format_rating(row.rating_va),
            }


class _Numbers:
    """Which numbers are taken, below which areas."""

    def __init__(self, connection: Connection, there: Iterable[Row[Any]]) -> None:
        self._used: dict[str, set[int]] = defaultdict(set)
        self._areas = set(connection.execute(select(schema.areas.c.id)).scalars())
        for row in there:
            self._used[row.area].add(row.number)

    def take(self, area: str, wanted: int | None) -> int:
        """The number wanted, else the lowest that is free; RefusedError where there is none."""
        if area not in self._areas and len(self._areas) >= BELOW_MAX:
            allowed = f"one of the areas that are there; there are {BELOW_MAX}"
            raise RefusedError(RefusalOutcome.AREAS_FULL, "area", area, allowed)
        self._areas.add(area)
        used = self._used[area]
        number = next((each for each in range(BELOW_MAX) if each not in used), None) if wanted is None else wanted
        if number is None:
            allowed = f"an area with fewer than {BELOW_MAX} stations"
            raise RefusedError(RefusalOutcome.AREA_FULL, "area", area, allowed)
        if number in used:
            allowed = f"a number that no other station below {area} has"
            raise RefusedError(RefusalOutcome.NUMBER_TAKEN, "number", number, allowed)
        used.add(number)
        return number


def _check(line: int, *cells: str) -> tuple[StationRow | None, list[RefusedError]]:
    """The row, and all that is wrong with it by itself; without the row where there is something."""
    station, area, number, name, wire, rating = cells
    wrong: list[RefusedError] = []
    given: dict[str, Any] = {}
    checks: tuple[tuple[str, Callable[[], object]], ...] = (
        ("station", lambda: check_id(station, field="station")),
        ("area", lambda: check_id(area, field="area") if area else None),
        ("number", lambda: _check_number(number)),
        ("name", lambda: check_text(name, field="name") if name else ""),
        ("line", lambda: check_line(wire)),
        ("rating_va", lambda: check_rating(rating)),
    )
    for field, check in checks:
        try:
            given[field] = check()
        except RefusedError as error:
            wrong.append(error)
    if wrong:
        return None, wrong
    said = StationFields(given["name"], wire, given["rating_va"])
    return StationRow(line, station, area or None, given["number"], said), wrong


def _check_number(text: str) -> int | None:
    if not text:
        return None
    is_number = text.isascii() and text.isdecimal() and len(text) <= _NUMBER_DIGITS_MAX
    if not is_number or int(text) >= BELOW_MAX:
        allowed = f"0 to {BELOW_MAX - 1}, or empty for the lowest free one"
        raise RefusedError(RefusalOutcome.BAD_FIELD, "number", text, allowed)
    return int(text)


def _plan_known(plan: Plan, row: StationRow, there: Row[Any]) -> None:
    wrong = []
    for field, wanted, found in (("area", row.area, there.area), ("number", row.number, there.number)):
        if wanted is not None and wanted != found:
            allowed = f"{found}, by which the field knows this station"
            wrong.append(RefusedError(RefusalOutcome.EXISTS_WITH_DIFFERENT_FIELDS, field, wanted, allowed))
    plan.bad += [bad_row(row.line, error) for error in wrong]
    changed = {name: value for name, value in row.given._asdict().items() if value != getattr(there, name)}
    if not changed:
        plan.unchanged += 1
        return
    plan.changed += 1
    plan.stations.add(row.station)
    plan.steps.append(lambda writing, now_s: change_station(writing, now_s, row.station, "change", changed))


def _plan_new(plan: Plan, numbers: _Numbers, new: list[StationRow]) -> None:
    """Gives every new station its number, those that name theirs first, and plans its row."""
    for row in sorted(new, key=lambda each: each.number is None):
        try:
            number = numbers.take(row.place, row.number)
        except RefusedError as error:
            plan.bad.append(bad_row(row.line, error))
            continue
        plan.added += 1
        plan.stations.add(row.station)
        plan.steps.append(_adds(row, number))


def _adds(row: StationRow, number: int) -> Callable[[Writing, int], None]:
    return lambda writing, now_s: add_station(writing, now_s, row.station, row.place, number, row.given)
