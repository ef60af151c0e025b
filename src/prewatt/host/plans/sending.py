"""What of a plan meters follow: each assignment, and each new version of a plan that holds, becomes a tariff for them.

A tariff is made anew each time, also where the plan is an old one: meters take no table below the one they have. It is
sent at once and holds from the day on which the plan does; a meter keeps one that is to come, and a later wish replaces
it. Settings of the plan are sent at once, and only those that the meter does not have already.
"""

import json
from collections import defaultdict
from collections.abc import Sequence
from operator import attrgetter
from typing import Any, Final

from sqlalchemy import Connection, Row, insert, select

from prewatt.codec.commands import Code, control_digest
from prewatt.codec.settings import SettingsChange
from prewatt.host.context import HostContext
from prewatt.host.controls import queue_control
from prewatt.host.days import midnight_s
from prewatt.host.plans.stored import Holding, StoredPlan, holding_of
from prewatt.host.rates import fit_meter
from prewatt.host.registry import HOME
from prewatt.host.store import Writing, schema
from prewatt.host.tariffs import make_tariff, queue_tariff
from prewatt.host.wanted import read_wanted_settings, remember_settings
from prewatt.units import UTC_MAX_S

__all__ = ["read_holdings", "send_plan"]

# In which assignments take over.
_ORDER: Final = attrgetter("from_day", "number")


def read_holdings(connection: Connection, day: int) -> dict[str, Holding | None]:
    """Which plan holds on a day for each home's meter whose account is not closed."""
    meters, rows = schema.meters.c, schema.rate_assignments
    begun = select(rows).where(rows.c.from_day <= day).order_by(rows.c.from_day, rows.c.number)
    own: dict[str | None, list[Row[Any]]] = defaultdict(list)
    for row in connection.execute(begun):
        own[row.meter].append(row)
    of_all = own.pop(None, [])
    house = holding_of(of_all, day)
    wanted = select(meters.id).where(meters.account != "closed", meters.kind == HOME).order_by(meters.id)
    return {
        meter: holding_of(sorted([*of_all, *own[meter]], key=_ORDER), day) if meter in own else house
        for meter in connection.execute(wanted).scalars()
    }


def send_plan(
    writing: Writing,
    context: HostContext,
    stored: StoredPlan,
    meters: Sequence[str],
    *,
    from_day: int,
    everywhere: bool = False,
) -> int:
    """Makes the tariff of a plan and queues it for these meters; ``everywhere``: also for those enrolled later. Gives
    its version. MisfitError for what no meter can follow."""
    fit, now_s = fit_meter(stored.plan), context.now()
    from_s = min(max(fit.table.valid_from_s, midnight_s(from_day, context.zone)), UTC_MAX_S)
    tariff = make_tariff(writing, fit.table, fit.unit_price_micro, from_s, now_s, everywhere=everywhere)
    row = {"tariff": tariff.version, "plan": stored.number, "made_s": now_s}
    writing.connection.execute(insert(schema.rate_tariffs).values(row))
    queue_tariff(writing, meters, tariff, now_s)
    if fit.settings is not None:
        for meter in meters:
            _send_settings(writing, meter, fit.settings, now_s)
    return tariff.version


def _send_settings(writing: Writing, meter: str, settings: SettingsChange, now_s: int) -> None:
    has = read_wanted_settings(writing.connection, meter)
    news = {name: given for name, given in settings.values.items() if has.get(name) != given}
    if not news:
        return
    change = SettingsChange(news)
    body = change.build()
    what = json.dumps({"settings": body.hex()})
    queue_control(writing, meter, Code.SETTINGS, what, control_digest(Code.SETTINGS, body), now_s)
    remember_settings(writing, meter, change)
