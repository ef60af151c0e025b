"""From which day on a plan holds for a meter, or for the installation; and the tariff that this makes.

Only days that have not begun before today can be named: what was sold was sold. Of assignments for one day the last
counts, so one that was wrong is put right by another.
"""

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, insert, or_, select

from prewatt.host.context import HostContext, log_action
from prewatt.host.days import day_number, local_day
from prewatt.host.fields import check_meter, check_text
from prewatt.host.plans.answers import RateAssignmentAnswer
from prewatt.host.plans.importing import parse_day
from prewatt.host.plans.sending import read_holdings, send_plan
from prewatt.host.plans.stored import choose_stored, date_of, read_holding, read_versions, unknown_plan
from prewatt.host.refusals import RefusalOutcome, RefusedError
from prewatt.host.registry import CT, unknown_meter
from prewatt.host.store import Writing, schema

__all__ = ["AHEAD_DAYS_MAX", "LISTED_MAX", "Assigned", "assign", "check_home", "read_all_assignments"]

# Ten years: who names a later day has mistyped it.
AHEAD_DAYS_MAX: Final = 3_653
# Assignments in one answer.
LISTED_MAX: Final = 1_000


@dataclass(frozen=True, slots=True)
class Assigned:
    """What is asked: a meter (None: the installation), a plan (None: none of its own), a day (None: today)."""

    meter: str | None
    plan: str | None
    from_day: str | None
    lifeline: bool
    reason: str


def assign(writing: Writing, context: HostContext, wanted: Assigned) -> tuple[RateAssignmentAnswer, list[str]]:
    """The assignment, and the meters to which something was sent. The same as the last one of this meter is that."""
    meter = None if wanted.meter is None else check_meter(wanted.meter)
    reason = check_text(wanted.reason, field="reason")
    if meter is not None:
        check_home(writing.connection, meter)
    day = _check_day(context, wanted.from_day)
    if wanted.plan is not None:
        _check_plan(writing.connection, wanted.plan, day)
    elif wanted.lifeline:
        raise RefusedError(RefusalOutcome.BAD_FIELD, "lifeline", True, "a plan; without one there is no lifeline")
    last = _last(writing.connection, meter)
    if last is not None and (last.plan, last.from_day, last.lifeline) == (wanted.plan, day, wanted.lifeline):
        return _answer(last), []
    now_s = context.now()
    row = {"meter": meter, "plan": wanted.plan, "from_day": day, "lifeline": wanted.lifeline}
    writing.connection.execute(insert(schema.rate_assignments).values(row | {"reason": reason, "made_s": now_s}))
    what = f"{wanted.plan or 'none'} from {date_of(day).isoformat()}{', lifeline' if wanted.lifeline else ''}"
    log_action(writing, now_s, "rate assign", meter or context.installation.id, f"{what}: {reason}")
    made = _last(writing.connection, meter)
    if made is None:
        raise AssertionError("an assignment that is not there")
    return _answer(made), _send(writing, context, meter, day)


def check_home(connection: Connection, meter: str) -> None:
    """RefusedError unless the meter is enrolled and one of a home."""
    kind = connection.execute(select(schema.meters.c.kind).where(schema.meters.c.id == meter)).scalar()
    if kind is None:
        raise unknown_meter(meter)
    if kind == CT:
        allowed = "a home's meter; this is the current transformer of a station, to which nothing is sold"
        raise RefusedError(RefusalOutcome.NOT_SOLD_TO, "meter", meter, allowed)


def read_all_assignments(connection: Connection, meter: str | None) -> list[RateAssignmentAnswer]:
    """What was assigned, newest first; of one meter, with the installation's."""
    rows = schema.rate_assignments
    wanted = select(rows).order_by(rows.c.number.desc()).limit(LISTED_MAX)
    if meter is not None:
        wanted = wanted.where(or_(rows.c.meter == meter, rows.c.meter.is_(None)))
    return [_answer(row) for row in connection.execute(wanted)]


def _check_day(context: HostContext, given: str | None) -> int:
    today = local_day(context.now(), context.zone)
    if given is None:
        return today
    day = day_number(parse_day("from", given))
    if not today <= day <= today + AHEAD_DAYS_MAX:
        first, last = (date_of(each).isoformat() for each in (today, today + AHEAD_DAYS_MAX))
        raise RefusedError(RefusalOutcome.BAD_FIELD, "from", given, f"{first} to {last}: what was sold was sold")
    return day


def _check_plan(connection: Connection, name: str, day: int) -> None:
    versions = read_versions(connection, name)
    if not versions:
        raise unknown_plan(name)
    if choose_stored(versions, day) is None:
        allowed = f"a plan with a version that is valid on {date_of(day).isoformat()}; see `prewatt rate list`"
        raise RefusedError(RefusalOutcome.NO_RATE, "plan", name, allowed)


def _send(writing: Writing, context: HostContext, meter: str | None, day: int) -> list[str]:
    """Sends what holds on that day to whom it concerns."""
    connection = writing.connection
    if meter is not None:
        holding = read_holding(connection, meter, day)
        meters = [meter]
    else:
        holdings = read_holdings(connection, day)
        meters = [each for each, found in holdings.items() if found is not None and not found.own]
        holding = read_holding(connection, "", day)
    stored = None if holding is None else choose_stored(read_versions(connection, holding.name), day)
    if stored is None:
        return []
    send_plan(writing, context, stored, meters, from_day=day, everywhere=meter is None)
    return meters


def _last(connection: Connection, meter: str | None) -> Row[Any] | None:
    rows = schema.rate_assignments
    mine = rows.c.meter.is_(None) if meter is None else rows.c.meter == meter
    return connection.execute(select(rows).where(mine).order_by(rows.c.number.desc()).limit(1)).one_or_none()


def _answer(row: Row[Any]) -> RateAssignmentAnswer:
    from_day = date_of(row.from_day).isoformat()
    return RateAssignmentAnswer(row.number, row.meter, row.plan, from_day, row.lifeline, row.reason, row.made_s)
