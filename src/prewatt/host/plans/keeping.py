"""Plans into the database and out of it: the check of a document, a new version, a version as an answer.

A document that names no version gets the next one of its name. What is the same as the newest version, but for that
number, is that version: a document that is handed in twice makes one.
"""

import json
from typing import Any, Final

from sqlalchemy import Connection, func, insert, select

from prewatt.codec.modeparts import Daylight
from prewatt.host.context import HostContext, log_action
from prewatt.host.days import day_number, local_day
from prewatt.host.plans.answers import RateAnswer, RateCheckAnswer, RateProblem
from prewatt.host.plans.sending import read_holdings, send_plan
from prewatt.host.plans.stored import (
    StoredPlan,
    choose_stored,
    holding_of,
    read_assignments,
    read_versions,
    unknown_plan,
)
from prewatt.host.rates import MisfitError, RatePlan, build_document, find_misfits, parse_plan, plan_digest
from prewatt.host.rates.explain import explain
from prewatt.host.refusals import RefusalOutcome, RefusedError
from prewatt.host.store import Writing, schema
from prewatt.units import ValueFieldError

__all__ = ["PLANS_MAX", "add_plan", "answer_of", "check_document", "find_version", "read_stored"]

# Versions of one name; each sale looks through them.
PLANS_MAX: Final = 1_000
_VERSION: Final = "version"
# No meter has this id: the assignments of the installation alone.
_NOBODY: Final = ""


def check_document(
    context: HostContext, document: object, zone_quarters: int, daylight: Daylight | None
) -> RateCheckAnswer:
    """What a document comes to; nothing is stored."""
    try:
        plan = parse_plan(document, zone_quarters=zone_quarters, daylight=daylight)
        _check_digits(context, plan)
    except ValueFieldError as error:
        problem = RateProblem(error.field, str(error.given)[:80], f"allowed is {error.allowed}")
        return RateCheckAnswer(None, (), (problem,), (), ())
    misfits = tuple(RateProblem(each.field, each.given, each.allowed) for each in find_misfits(plan))
    return RateCheckAnswer(build_document(plan), explain(plan), (), misfits, ())


def add_plan(
    writing: Writing, context: HostContext, document: object, zone_quarters: int, daylight: Daylight | None
) -> tuple[StoredPlan, bool, list[str]]:
    """The version, whether it was there before, and the meters to which it was sent."""
    plan = parse_plan(document, zone_quarters=zone_quarters, daylight=daylight)
    _check_digits(context, plan)
    versions = read_versions(writing.connection, plan.name)
    named = isinstance(document, dict) and document.get(_VERSION) is not None
    number = plan.version if named else versions[-1].plan.version + 1 if versions else 1
    same = _find_same(versions, plan, number if named else None)
    if same is not None:
        return same, True, []
    if len(versions) >= PLANS_MAX:
        raise RefusedError(RefusalOutcome.BAD_FIELD, "name", plan.name, f"up to {PLANS_MAX} versions; take a new name")
    given = {**build_document(plan), _VERSION: number}
    plan = parse_plan(given)
    misfits = find_misfits(plan)
    if misfits:
        raise MisfitError(misfits)
    stored = _insert(writing, context, plan)
    return stored, False, _bring(writing, context, stored)


def find_version(connection: Connection, name: str, version: int | None) -> StoredPlan:
    """One version (None: the highest); RefusedError where there is none."""
    found = read_versions(connection, name)
    if not found:
        raise unknown_plan(name)
    if version is None:
        return found[-1]
    chosen = next((each for each in found if each.plan.version == version), None)
    if chosen is None:
        listed = ", ".join(str(each.plan.version) for each in found[-8:])
        raise RefusedError(RefusalOutcome.UNKNOWN_RATE, "version", version, f"one of {listed}")
    return chosen


def read_stored(connection: Connection) -> list[StoredPlan]:
    """Every version, by name."""
    names = connection.execute(select(schema.rate_plans.c.name).distinct().order_by(schema.rate_plans.c.name))
    return [each for name in list(names.scalars()) for each in read_versions(connection, name)]


def answer_of(connection: Connection, stored: StoredPlan) -> RateAnswer:
    """A version as an answer."""
    tariffs = schema.rate_tariffs.c
    brought = select(tariffs.tariff).where(tariffs.plan == stored.number).order_by(tariffs.tariff)
    return RateAnswer(
        name=stored.plan.name,
        version=stored.plan.version,
        document=build_document(stored.plan),
        text=explain(stored.plan),
        digest=stored.digest.hex(),
        made_s=stored.made_s,
        tariffs=tuple(connection.execute(brought).scalars()),
    )


def _find_same(versions: tuple[StoredPlan, ...], plan: RatePlan, number: int | None) -> StoredPlan | None:
    """The version that this document is already; RefusedError where its number is another plan's."""
    if number is None:
        newest = versions[-1] if versions else None
        return newest if newest is not None and _content(newest.plan) == _content(plan) else None
    taken = next((each for each in versions if each.plan.version == number), None)
    if taken is not None and taken.digest != plan_digest(plan):
        allowed = f"a version that is not taken, from {versions[-1].plan.version + 1} on; leave it out for the next"
        raise RefusedError(RefusalOutcome.EXISTS_WITH_DIFFERENT_FIELDS, _VERSION, number, allowed)
    return taken


def _content(plan: RatePlan) -> dict[str, Any]:
    document = build_document(plan)
    del document[_VERSION]
    return document


def _insert(writing: Writing, context: HostContext, plan: RatePlan) -> StoredPlan:
    now_s, digest = context.now(), plan_digest(plan)
    row = {
        "name": plan.name,
        "version": plan.version,
        "valid_from": day_number(plan.valid_from),
        "valid_to": None if plan.valid_to is None else day_number(plan.valid_to),
        "document": json.dumps(build_document(plan), separators=(",", ":")),
        "digest": digest,
        "made_s": now_s,
    }
    writing.connection.execute(insert(schema.rate_plans).values(row))
    plans = schema.rate_plans.c
    mine = select(func.max(plans.number)).where(plans.name == plan.name, plans.version == plan.version)
    number = int(writing.connection.execute(mine).scalar_one())
    log_action(writing, now_s, "rate add", plan.name, f"version {plan.version}, {digest.hex()[:16]}")
    return StoredPlan(number, plan, digest, now_s)


def _bring(writing: Writing, context: HostContext, stored: StoredPlan) -> list[str]:
    """Sends a new version to the meters for which its plan holds on its first day, or today where that was before."""
    plan, connection = stored.plan, writing.connection
    day = max(local_day(context.now(), context.zone), day_number(plan.valid_from))
    chosen = choose_stored(read_versions(connection, plan.name), day)
    if chosen is None or chosen.number != stored.number:
        return []
    house = holding_of(read_assignments(connection, _NOBODY, day), day)
    everywhere = house is not None and house.name == plan.name
    holdings = read_holdings(connection, day).items()
    meters = [meter for meter, holding in holdings if holding is not None and holding.name == plan.name]
    if meters or everywhere:
        send_plan(writing, context, stored, meters, from_day=day, everywhere=everywhere)
    return meters


def _check_digits(context: HostContext, plan: RatePlan) -> None:
    most = context.installation.currency_digits
    if plan.digits > most:
        raise ValueFieldError("digits", plan.digits, f"0 to {most}, the decimals of the installation's currency")
