"""Which meters a campaign is for, and meters that are enrolled while one runs.

A meter enrolled into the place of a running campaign joins it where the wish holds for whoever stands there: a tariff,
a key, a program. A text was for the customers of its day, and a new meter's clock is checked anyhow. A meter that
moves joins nothing and leaves nothing.
"""

import json
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, and_, exists, false, insert, or_, select, true

from prewatt.host.campaigns.answers import CampaignKind, CampaignScope
from prewatt.host.refusals import RefusalOutcome, RefusedError
from prewatt.host.store import Writing, schema
from prewatt.protocol.transfer import BodyState

__all__ = ["JOINED", "campaign_tariff", "check_meter_joins", "join_running", "target_of"]

JOINED: Final = frozenset({CampaignKind.TARIFF, CampaignKind.KEY, CampaignKind.PROGRAM})
# Customers' meters; the one at a transformer has no customer to be charged or told.
_HOMES_ONLY: Final = frozenset({CampaignKind.TARIFF, CampaignKind.TEXT})
_BROUGHT: Final = ("running", "paused", "done", "ended")


def target_of(kind: str, scope: str, place: str, what: dict[str, Any]) -> ColumnElement[bool]:
    """The condition on meters (joined with stations) for a campaign; ``what`` names the suite of a key set, and the
    kind of meters that a program is for."""
    meters, stations = schema.meters.c, schema.stations.c
    where = {
        CampaignScope.METER: meters.id == place,
        CampaignScope.STATION: meters.station == place,
        CampaignScope.AREA: stations.area == place,
        CampaignScope.ALL: true(),
    }.get(CampaignScope(scope), false())
    wanted = "home" if kind in _HOMES_ONLY else what.get("meters")
    built = meters.kind == wanted if wanted is not None else true()
    sealed = meters.suite == what["suite"] if "suite" in what else true()
    books = schema.books.c
    lost = select(books.meter).where(books.meter == meters.id, books.body == BodyState.LOST.value)
    return and_(where, built, sealed, meters.account != "closed", ~exists(lost))


def check_meter_joins(connection: Connection, kind: str, meter: str, what: dict[str, Any]) -> None:
    """RefusedError (bad_field) where a campaign for this meter alone, which is known, would be for nobody."""
    meters, stations = schema.meters, schema.stations
    joined = meters.join(stations, stations.c.id == meters.c.station)
    target = target_of(kind, CampaignScope.METER, meter, what)
    if connection.execute(select(meters.c.id).select_from(joined).where(target)).scalar() is not None:
        return
    suite = f" of suite {what['suite']}" if "suite" in what else ""
    built = {"home": "customer's meter", "ct": "meter at a transformer"}.get(
        "home" if kind in _HOMES_ONLY else str(what.get("meters")), "meter"
    )
    raise RefusedError(RefusalOutcome.BAD_FIELD, "place", meter, f"a {built}{suite} that is in use")


def join_running(writing: Writing, meter: str, now_s: int) -> None:
    """A meter was enrolled: it takes part in what runs where it stands."""
    for row in _covering(writing.connection, meter, ("running", "paused")):
        if row.kind in JOINED:
            values = {"campaign": row.number, "meter": meter, "state": "waiting", "step": "send", "asks": False}
            writing.connection.execute(insert(schema.campaign_meters).values(values | {"due_s": now_s, "reason": ""}))


def _covering(connection: Connection, meter: str, states: tuple[str, ...]) -> list[Row[Any]]:
    """The campaigns in these states that are for a meter."""
    campaigns, meters, stations = schema.campaigns, schema.meters, schema.stations
    found = connection.execute(select(campaigns).where(campaigns.c.state.in_(states)).order_by(campaigns.c.number))
    covering = []
    for row in found.all():
        target = target_of(row.kind, row.scope, row.place, json.loads(row.what))
        joined = meters.join(stations, stations.c.id == meters.c.station)
        here = select(meters.c.id).select_from(joined).where(meters.c.id == meter, target)
        if connection.execute(here).scalar() is not None:
            covering.append(row)
    return covering


def campaign_tariff(connection: Connection, station: str) -> int | None:
    """The newest version that a campaign has brought to the meters below a station; None where there is none."""
    campaigns, stations = schema.campaigns.c, schema.stations
    area = select(stations.c.area).where(stations.c.id == station).scalar_subquery()
    here = or_(
        campaigns.scope == CampaignScope.ALL.value,
        and_(campaigns.scope == CampaignScope.STATION.value, campaigns.place == station),
        and_(campaigns.scope == CampaignScope.AREA.value, campaigns.place == area),
    )
    brought = select(campaigns.what).where(
        campaigns.kind == CampaignKind.TARIFF.value, campaigns.state.in_(_BROUGHT), campaigns.begun_s.is_not(None), here
    )
    versions = [json.loads(what)["tariff"] for what in connection.execute(brought).scalars()]
    return max(versions, default=None)
