"""Plans as they are stored, and which of them holds for a meter on a day.

A version is a row that nobody changes. An assignment says from which local day on a plan of this name holds for a
meter, or for the whole installation; which version that is, the versions' own days say. Of assignments that have begun,
the one of the latest day holds, and of one day the one made last; a meter's own goes before the installation's.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import Connection, Row, bindparam, or_, select

from prewatt.host.days import EPOCH_DAY
from prewatt.host.rates import RatePlan, choose_plan, parse_plan
from prewatt.host.refusals import RefusalOutcome, RefusedError
from prewatt.host.store import schema

__all__ = [
    "Holding",
    "StoredPlan",
    "choose_stored",
    "date_of",
    "day_text",
    "holding_of",
    "plan_of_day",
    "read_assignments",
    "read_holding",
    "read_versions",
    "unknown_plan",
]

# Documents kept parsed: a sale asks for one of a few.
_PARSED_MAX: Final = 256
# Asked in every sale: made once.
_PLANS: Final = schema.rate_plans
_ROWS: Final = schema.rate_assignments
_VERSIONS: Final = select(_PLANS).where(_PLANS.c.name == bindparam("plan_name")).order_by(_PLANS.c.version)
_ASSIGNMENTS: Final = (
    select(_ROWS)
    .where(_ROWS.c.from_day <= bindparam("until_day"))
    .where(or_(_ROWS.c.meter == bindparam("meter_id"), _ROWS.c.meter.is_(None)))
    .order_by(_ROWS.c.from_day, _ROWS.c.number)
)


@dataclass(frozen=True, slots=True)
class StoredPlan:
    """A version and the number of its row."""

    number: int
    plan: RatePlan
    digest: bytes
    made_s: int


@dataclass(frozen=True, slots=True)
class Holding:
    """The plan that holds for a meter on a day: its name, the day since which it does without a break, the flag."""

    name: str
    since_day: int
    lifeline: bool
    own: bool


def date_of(day: int) -> date:
    """The date of a day number."""
    return date.fromordinal(day + EPOCH_DAY)


def day_text(day: int | None) -> str | None:
    """A day number as a date."""
    return None if day is None else date_of(day).isoformat()


def read_versions(connection: Connection, name: str) -> tuple[StoredPlan, ...]:
    """Every version of this name, lowest first; empty where there is none."""
    rows = connection.execute(_VERSIONS, {"plan_name": name})
    return tuple(StoredPlan(row.number, _parsed(row.document), row.digest, row.made_s) for row in rows)


def choose_stored(versions: Sequence[StoredPlan], day: int) -> StoredPlan | None:
    """The version that holds on a day."""
    chosen = choose_plan((each.plan for each in versions), date_of(day))
    return next((each for each in versions if each.plan is chosen), None)


def read_assignments(connection: Connection, meter: str, until_day: int) -> list[Row[Any]]:
    """What was said for this meter and for the installation up to a day, in the order in which it takes over."""
    return list(connection.execute(_ASSIGNMENTS, {"meter_id": meter, "until_day": until_day}))


def holding_of(assignments: Sequence[Row[Any]], day: int) -> Holding | None:
    """The plan that holds on a day by these assignments of one meter and its installation."""
    now = _effective(assignments, day)
    if now is None:
        return None
    since = day
    for from_day in sorted({each.from_day for each in assignments if each.from_day <= day}, reverse=True):
        then = _effective(assignments, from_day)
        if then is None or then.plan != now.plan:
            break
        since = from_day
    return Holding(now.plan, since, now.lifeline, now.meter is not None)


def read_holding(connection: Connection, meter: str, day: int) -> Holding | None:
    """The plan that holds for a meter on a day; None where none does."""
    return holding_of(read_assignments(connection, meter, day), day)


def plan_of_day(versions: Sequence[StoredPlan], meter: str, holding: Holding, day: int) -> StoredPlan:
    """The version of the plan that holds; RefusedError where the plan has none on this day."""
    chosen = choose_stored(versions, day)
    if chosen is None:
        allowed = f"one whose plan has a version for {date_of(day).isoformat()}; {holding.name} has none"
        raise RefusedError(RefusalOutcome.NO_RATE, "meter", meter, f"{allowed}: see `prewatt rate list`")
    return chosen


def unknown_plan(name: str) -> RefusedError:
    """There is no plan of this name."""
    return RefusedError(RefusalOutcome.UNKNOWN_RATE, "plan", name, "a rate plan; see `prewatt rate list`")


def _effective(assignments: Sequence[Row[Any]], day: int) -> Row[Any] | None:
    begun = [each for each in assignments if each.from_day <= day]
    own: Row[Any] | None = next((each for each in reversed(begun) if each.meter is not None), None)
    if own is not None and own.plan is not None:
        return own
    house: Row[Any] | None = next((each for each in reversed(begun) if each.meter is None), None)
    return house if house is not None and house.plan is not None else None


@lru_cache(maxsize=_PARSED_MAX)
def _parsed(document: str) -> RatePlan:
    return parse_plan(json.loads(document))
