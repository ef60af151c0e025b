"""Campaigns as they are shown: counts in one read, stragglers and failures by name."""

import json
from typing import Any, Final

from sqlalchemy import Connection, Row, Select, case, func, select

from prewatt.host.campaigns.answers import CampaignAnswer, CampaignMeter, CampaignOutline
from prewatt.host.refusals import RefusalOutcome, RefusedError
from prewatt.host.store import schema

__all__ = ["LISTED_MAX", "NOT_SHOWN", "STRAGGLING_AFTER_S", "read_campaign", "read_outlines"]

# Of what a campaign wants, what only the campaigns themselves go by.
NOT_SHOWN: Final = frozenset({"asked", "made"})
LISTED_MAX: Final = 100
# A meter that has not confirmed for so long is one to look after.
STRAGGLING_AFTER_S: Final = 3_600
_FAILED: Final = ("refused", "dropped", "cancelled", "ended")


def read_campaign(connection: Connection, campaign: str, now_s: int) -> CampaignAnswer:
    """One campaign; RefusedError where there is none."""
    campaigns, rows = schema.campaigns, schema.campaign_meters
    row = connection.execute(select(campaigns).where(campaigns.c.id == campaign)).one_or_none()
    if row is None:
        allowed = "a campaign that was started before; see `prewatt campaign list`"
        raise RefusedError(RefusalOutcome.UNKNOWN_CAMPAIGN, "campaign", campaign, allowed)
    ours = _meters().where(rows.c.campaign == row.number)
    sent = ours.where(rows.c.state == "sent").order_by(rows.c.sent_s, rows.c.meter).limit(LISTED_MAX)
    failed = ours.where(rows.c.state.in_(_FAILED)).order_by(rows.c.meter).limit(LISTED_MAX)
    return CampaignAnswer(
        outline=_outline(connection, row, now_s),
        stragglers=tuple(_meter(each) for each in connection.execute(sent)),
        failed=tuple(_meter(each) for each in connection.execute(failed)),
    )


def read_outlines(connection: Connection, now_s: int) -> list[CampaignOutline]:
    """The newest campaigns, newest first."""
    campaigns = schema.campaigns
    newest = select(campaigns).order_by(campaigns.c.number.desc()).limit(LISTED_MAX)
    return [_outline(connection, row, now_s) for row in connection.execute(newest).all()]


def _meters() -> Select[Any]:
    rows, standings = schema.campaign_meters, schema.standings
    return select(rows, standings.c.at_s).join_from(rows, standings, standings.c.meter == rows.c.meter)


def _meter(row: Row[Any]) -> CampaignMeter:
    return CampaignMeter(row.meter, row.state, row.step, row.sent_s, row.settled_s, row.at_s or None, row.reason)


def _outline(connection: Connection, row: Row[Any], now_s: int) -> CampaignOutline:
    rows = schema.campaign_meters
    late = case((rows.c.sent_s <= now_s - STRAGGLING_AFTER_S, 1), else_=0)
    counted = select(rows.c.state, func.count().label("meters"), func.sum(late).label("late"))
    found = connection.execute(counted.where(rows.c.campaign == row.number).group_by(rows.c.state)).all()
    counts = {each.state: each.meters for each in found}
    what = {name: value for name, value in json.loads(row.what).items() if name not in NOT_SHOWN}
    return CampaignOutline(
        id=row.id,
        kind=row.kind,
        scope=row.scope,
        place=row.place,
        what=json.dumps(what),
        state=row.state,
        start_s=row.start_s,
        until_s=row.until_s,
        hours=f"{row.hour_from}-{row.hour_to}",
        per_minute=row.per_minute,
        per_station=row.per_station,
        made_s=row.made_s,
        begun_s=row.begun_s,
        ended_s=row.ended_s,
        meters=sum(counts.values()),
        waiting=counts.get("waiting", 0),
        sent=counts.get("sent", 0),
        confirmed=counts.get("confirmed", 0),
        refused=counts.get("refused", 0),
        dropped=sum(counts.get(state, 0) for state in _FAILED[1:]),
        straggling=next((int(each.late) for each in found if each.state == "sent"), 0),
        straggling_after_s=STRAGGLING_AFTER_S,
    )
