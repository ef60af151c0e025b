"""Campaigns as people ask for them: start one, see how far it is, hold it, end it.

A wish is checked whole before anything is kept. The same id with the same fields starts nothing a second time, so a
caller who heard no answer asks again. Which meters a campaign is for is decided when it begins.
"""

import json
from collections.abc import Callable
from hashlib import sha256
from typing import Any, Final

from sqlalchemy import Connection, Row, func, insert, select, update

from prewatt.host.campaigns.answers import CampaignAnswer, CampaignKind, CampaignOutline, CampaignScope, CampaignState
from prewatt.host.campaigns.joining import check_meter_joins
from prewatt.host.campaigns.runner import Runner, end, withdraw
from prewatt.host.campaigns.shown import NOT_SHOWN, read_campaign, read_outlines
from prewatt.host.campaigns.wishes import CampaignWish, check_wish
from prewatt.host.context import HostContext, log_action
from prewatt.host.fields import check_id
from prewatt.host.programs import meters_for
from prewatt.host.refusals import RefusalOutcome, RefusedError
from prewatt.host.store import Writing, schema
from prewatt.host.tariffs import make_tariff

__all__ = ["CAMPAIGNS_OPEN_MAX", "CampaignWish", "Campaigns"]

# Campaigns that have not ended: more than these nobody watches, and each costs a look every ten seconds.
CAMPAIGNS_OPEN_MAX: Final = 64
_ENDS: Final = frozenset({CampaignState.DONE, CampaignState.CANCELLED, CampaignState.ENDED})


class Campaigns:
    """See the module. ``runner`` is what dispatch ticks."""

    def __init__(self, context: HostContext, runner: Runner) -> None:
        self._context = context
        self._runner = runner

    def start(self, wish: CampaignWish) -> CampaignAnswer:
        """A new campaign, scheduled or running at once. RefusedError names the first field that is not allowed."""
        asked = sha256(repr(wish).encode()).hexdigest()[:32]
        if wish.id is not None:
            check_id(wish.id, field="id")
            with self._context.store.reading() as connection:
                if _is_known(connection, wish.id, asked):
                    # Whatever has become of its time, its place or its key since.
                    return read_campaign(connection, wish.id, self._context.now())
        checked = check_wish(self._context, wish)
        campaign = self._context.store.write(lambda writing: self._start(writing, checked, asked))
        return self._changed(campaign)

    def read(self, campaign: str) -> CampaignAnswer:
        """One campaign; RefusedError (unknown_campaign) where none has this id."""
        with self._context.store.reading() as connection:
            return read_campaign(connection, campaign, self._context.now())

    def read_all(self) -> list[CampaignOutline]:
        """The newest hundred campaigns, newest first."""
        with self._context.store.reading() as connection:
            return read_outlines(connection, self._context.now())

    def pause(self, campaign: str) -> CampaignAnswer:
        """Holds a running campaign: what still waits for its meter is taken back."""

        def hold(writing: Writing, row: Row[Any], now_s: int) -> None:
            withdraw(writing, row, now_s)
            _set_state(writing, row, "paused")

        return self._change(campaign, "pause", ("running",), hold)

    def resume(self, campaign: str) -> CampaignAnswer:
        """Lets a paused campaign go on."""

        def let_go(writing: Writing, row: Row[Any], now_s: int) -> None:
            _set_state(writing, row, "running")

        return self._change(campaign, "resume", ("paused",), let_go)

    def cancel(self, campaign: str) -> CampaignAnswer:
        """Ends a campaign; what its meters have confirmed stays."""

        told: list[str] = []

        def stop(writing: Writing, row: Row[Any], now_s: int) -> None:
            told[:] = end(writing, row, CampaignState.CANCELLED, now_s)

        answer = self._change(campaign, "cancel", ("scheduled", "running", "paused"), stop)
        self._context.released.extend(told)
        return answer

    def _changed(self, campaign: str) -> CampaignAnswer:
        self._context.released.extend(self._runner.look())
        return self.read(campaign)

    def _start(self, writing: Writing, wish: CampaignWish, asked: str) -> str:
        campaigns, connection, now_s = schema.campaigns, writing.connection, self._context.now()
        number = (connection.execute(select(func.max(campaigns.c.number))).scalar() or 0) + 1
        campaign = wish.id or _free_id(connection, number)
        if _is_known(connection, campaign, asked):
            return campaign
        still = select(func.count()).where(campaigns.c.state.in_(("scheduled", "running", "paused")))
        if connection.execute(still).scalar_one() >= CAMPAIGNS_OPEN_MAX:
            allowed = f"fewer than {CAMPAIGNS_OPEN_MAX} campaigns that have not ended"
            raise RefusedError(RefusalOutcome.BAD_FIELD, "campaign", campaign, allowed)
        what = self._what(writing, wish, now_s) | {"asked": asked}
        if wish.scope == CampaignScope.METER:
            check_meter_joins(connection, wish.kind, wish.place, what)
        connection.execute(
            insert(campaigns).values(
                id=campaign,
                kind=wish.kind,
                scope=wish.scope,
                place=wish.place,
                what=json.dumps(what),
                state="scheduled",
                start_s=now_s if wish.start_s is None else wish.start_s,
                until_s=wish.until_s,
                hour_from=wish.hours[0],
                hour_to=wish.hours[1],
                per_minute=wish.per_minute,
                per_station=wish.per_station,
                made_s=now_s,
            )
        )
        shown = {name: value for name, value in what.items() if name not in NOT_SHOWN}
        place = f"{wish.scope} {wish.place}".strip()
        log_action(writing, now_s, "campaign start", campaign, f"{wish.kind} for {place}: {json.dumps(shown)}")
        return campaign

    def _what(self, writing: Writing, wish: CampaignWish, now_s: int) -> dict[str, Any]:
        if wish.kind == CampaignKind.KEY and wish.key_set is not None:
            suite = self._context.vault.find(wish.key_set).suite.value
            return {"key_set": wish.key_set, "replaces": wish.replaces, "suite": suite}
        if wish.kind == CampaignKind.TEXT:
            return {"text": wish.text}
        if wish.kind == CampaignKind.PROGRAM and wish.program is not None:
            meters = meters_for(writing.connection, wish.program)
            return {"program": wish.program, "meters": meters, "at_s": wish.activate_s or 0}
        if wish.kind == CampaignKind.CLOCK:
            return {}
        if wish.tariff is not None:
            return {"tariff": wish.tariff}
        table, price = wish.table, wish.price_micro
        assert table is not None
        assert price is not None
        from_s = now_s if wish.valid_from_s is None else wish.valid_from_s
        # Meters that are enrolled later get it through the campaign, once that has begun.
        made = make_tariff(writing, table, price, from_s, now_s, everywhere=False)
        return {"tariff": made.version, "made": True}

    def _change(
        self, campaign: str, action: str, states: tuple[str, ...], how: Callable[[Writing, Row[Any], int], None]
    ) -> CampaignAnswer:
        """Changes a campaign that is in one of ``states``; one that is already as was wished stays so."""
        wanted = {"pause": "paused", "resume": "running", "cancel": "cancelled"}[action]

        def work(writing: Writing) -> None:
            campaigns, now_s = schema.campaigns, self._context.now()
            row = writing.connection.execute(select(campaigns).where(campaigns.c.id == campaign)).one_or_none()
            if row is None or row.state == wanted:
                return
            if row.state not in states:
                allowed = f"a campaign that is {' or '.join(states)}; this one is {row.state}"
                raise RefusedError(RefusalOutcome.ALREADY_SETTLED, "campaign", campaign, allowed)
            how(writing, row, now_s)
            log_action(writing, now_s, f"campaign {action}", campaign, row.kind)

        self._context.store.write(work)
        return self._changed(campaign)


def _is_known(connection: Connection, campaign: str, asked: str) -> bool:
    """Whether this very campaign was started before; RefusedError where its id was given to another."""
    campaigns = schema.campaigns.c
    known = connection.execute(select(campaigns.what).where(campaigns.id == campaign)).scalar()
    if known is not None and json.loads(known)["asked"] != asked:
        allowed = "an id that is new, or the same campaign again"
        raise RefusedError(RefusalOutcome.EXISTS_WITH_DIFFERENT_FIELDS, "id", campaign, allowed)
    return known is not None


def _free_id(connection: Connection, number: int) -> str:
    """`C` and a number, from this one on the first that nobody gave to a campaign."""
    campaigns = schema.campaigns.c
    while connection.execute(select(campaigns.id).where(campaigns.id == f"C{number}")).scalar() is not None:
        number += 1
    return f"C{number}"


def _set_state(writing: Writing, row: Row[Any], state: str) -> None:
    campaigns = schema.campaigns
    writing.connection.execute(update(campaigns).where(campaigns.c.number == row.number).values(state=state))
