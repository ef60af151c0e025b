"""The runner: begins and ends campaigns at their times, and lets their meters go a few at a time.

It keeps nothing: each `tick` reads where things stand and moves them on in one commit, so a restart, a pause and a
second call change nothing. A meter that was let go is *sent*: its command waits like any other and dispatch tries it
for ever, with back-off. Outside of the window of hours, in a pause, and at the end, what still waits is withdrawn.
"""

import json
from datetime import datetime
from typing import Any, Final

import structlog
from sqlalchemy import Row, func, insert, literal, or_, select, update

from prewatt.codec.commands import Code, control_digest
from prewatt.codec.modetable import ModeTable
from prewatt.host.campaigns.answers import CampaignKind, CampaignState
from prewatt.host.campaigns.joining import target_of
from prewatt.host.campaigns.loading import withdraw_body, withdraw_step
from prewatt.host.campaigns.progress import OPEN_STATES
from prewatt.host.campaigns.release import LATER_S, release
from prewatt.host.context import HostContext, log_action
from prewatt.host.controls import queue_control
from prewatt.host.refusals import StoreError
from prewatt.host.store import Writing, schema
from prewatt.host.tariffs import make_tariff, next_version, read_tariff

__all__ = ["GIVE_WAY_S", "LOOK_EVERY_MS", "RELEASE_EVERY_S", "WOKEN_AT_ONCE_MAX", "Runner", "begin", "end", "withdraw"]

_log = structlog.get_logger("prewatt.dispatch")
# Meters are let go in batches of so many seconds of the rate: looking at a large campaign costs more than a step of it.
RELEASE_EVERY_S: Final = 10
# And not more often than this in line time, however fast the installation's clock runs.
LOOK_EVERY_MS: Final = 1_000
# A meter that has not answered for so long holds up no other of its station any more; it is tried all the same.
GIVE_WAY_S: Final = 600
# Meters asked again in one go.
WOKEN_AT_ONCE_MAX: Final = 500
_MINUTE_S: Final = 60
_OPEN_ONE: Final = (
    select(schema.campaigns.c.number).where(schema.campaigns.c.state.in_(("scheduled", "running", "paused"))).limit(1)
)


class Runner:
    """Moves campaigns on. ``tick`` gives the meters to be woken; call it as often as is convenient."""

    def __init__(self, context: HostContext) -> None:
        self._context = context
        self._looked_s: int | None = None
        self._looked_ms: int | None = None

    def tick(self, line_ms: int) -> list[str]:
        """Meters that have something new. It looks at most once in LOOK_EVERY_MS of line time, and in RELEASE_EVERY_S
        of the installation's clock, which may run faster; a clock that was set back does not keep it waiting."""
        now_s = self._context.now()
        early = self._looked_ms is not None and line_ms - self._looked_ms < LOOK_EVERY_MS
        if early or (self._looked_s is not None and 0 <= now_s - self._looked_s < RELEASE_EVERY_S):
            return []
        self._looked_ms = line_ms
        try:
            return self.look()
        except StoreError:
            raise
        except Exception as error:  # a campaign that cannot go on, whatever it is, must not stop the money
            _log.error("campaigns pause", cause=str(error), kind=type(error).__name__)
            return []

    def look(self) -> list[str]:
        """The same, at once: something was started, or ended."""
        now_s = self._context.now()
        with self._context.store.reading() as connection:
            if connection.execute(_OPEN_ONE).scalar() is None:
                self._looked_s = now_s
                return []
        elapsed_s = RELEASE_EVERY_S if self._looked_s is None else now_s - self._looked_s
        self._looked_s = now_s
        share_s = min(max(elapsed_s, RELEASE_EVERY_S), _MINUTE_S)
        return self._context.store.write(lambda writing: self._move_on(writing, now_s, share_s))

    def _move_on(self, writing: Writing, now_s: int, share_s: int) -> list[str]:
        campaigns, woken = schema.campaigns, list[str]()
        # Ends first: one whose whole time went by while the host was off must not push out others of its kind.
        late = (
            select(campaigns)
            .where(campaigns.c.state.in_(("scheduled", "running", "paused")))
            .order_by(campaigns.c.number)
        )
        for row in writing.connection.execute(
            late.where(campaigns.c.until_s <= now_s).order_by(campaigns.c.number)
        ).all():
            woken += end(writing, row, CampaignState.ENDED, now_s)
        due = select(campaigns).where(campaigns.c.state == "scheduled", campaigns.c.start_s <= now_s)
        for row in writing.connection.execute(due.order_by(campaigns.c.start_s, campaigns.c.number)).all():
            begin(writing, row, now_s)
        running = select(campaigns).where(campaigns.c.state == "running").order_by(campaigns.c.number)
        for row in writing.connection.execute(running).all():
            if not self._in_window(row, now_s):
                withdraw(writing, row, now_s)
                continue
            woken += release(writing, self._context, row, self._chosen(writing, row, now_s, share_s), now_s)
            woken += _to_be_asked(writing, row, now_s)
            _finish(writing, row, now_s)
        return woken

    def _in_window(self, row: Row[Any], now_s: int) -> bool:
        """Whether the local hour is one of the campaign's; a window may go over midnight."""
        hour = datetime.fromtimestamp(now_s, self._context.zone).hour
        first, end_hour = int(row.hour_from), int(row.hour_to)
        return first <= hour < end_hour if first < end_hour else hour >= first or hour < end_hour

    def _chosen(self, writing: Writing, row: Row[Any], now_s: int, share_s: int) -> list[str]:
        """The next meters: as many as the rate allows, and no more at once below a station than its share."""
        rows, meters = schema.campaign_meters, schema.meters
        ours = rows.c.campaign == row.number
        # Bounded above too: a program on trial bears the time at which it starts, and a clock may have been set back.
        recent = select(func.count()).where(ours, rows.c.sent_s.between(now_s - _MINUTE_S + 1, now_s))
        room = row.per_minute - writing.connection.execute(recent).scalar_one()
        if room <= 0:
            return []
        room = min(room, -(-row.per_minute * share_s // _MINUTE_S))
        under_way = (
            select(meters.c.station, func.count().label("busy"))
            .join_from(rows, meters, meters.c.id == rows.c.meter)
            .where(ours, rows.c.state == "sent", rows.c.sent_s.between(now_s - GIVE_WAY_S + 1, now_s))
            .group_by(meters.c.station)
            .subquery()
        )
        place = func.row_number().over(partition_by=meters.c.station, order_by=rows.c.meter).label("place")
        waiting = (
            select(rows.c.meter, place, func.coalesce(under_way.c.busy, 0).label("busy"))
            .join_from(rows, meters, meters.c.id == rows.c.meter)
            .outerjoin(under_way, under_way.c.station == meters.c.station)
            .where(ours, rows.c.state == "waiting", ~rows.c.due_s.between(now_s + 1, now_s + LATER_S))
            .subquery()
        )
        free = select(waiting.c.meter).where(waiting.c.place + waiting.c.busy <= row.per_station)
        return list(writing.connection.execute(free.order_by(waiting.c.place, waiting.c.meter).limit(room)).scalars())


def begin(writing: Writing, row: Row[Any], now_s: int) -> None:
    """The campaign runs from now on: its meters wait, and those that wait in an older one of its kind are dropped."""
    if row.kind == CampaignKind.TARIFF:
        _renew_tariff(writing, row, now_s)
    campaigns, rows, connection = schema.campaigns, schema.campaign_meters, writing.connection
    meters, stations = schema.meters, schema.stations
    target = target_of(row.kind, row.scope, row.place, json.loads(row.what))
    values = (row.number, "waiting", "send", False, now_s, "")
    chosen = (
        select(meters.c.id, *(literal(value) for value in values))
        .select_from(meters.join(stations, stations.c.id == meters.c.station))
        .where(target)
    )
    columns = ["meter", "campaign", "state", "step", "asks", "due_s", "reason"]
    connection.execute(insert(rows).from_select(columns, chosen))
    ours = select(rows.c.meter).where(rows.c.campaign == row.number)
    older = select(campaigns.c.number).where(campaigns.c.kind == row.kind, campaigns.c.number != row.number)
    dropped = (rows.c.campaign.in_(older), rows.c.meter.in_(ours), rows.c.state.in_(OPEN_STATES))
    _drop_controls(writing, dropped, now_s)
    connection.execute(
        update(rows)
        .where(*dropped)
        .values(state="dropped", settled_s=now_s, control=None, asks=False, reason=f"campaign {row.id} took its place")
    )
    connection.execute(update(campaigns).where(campaigns.c.number == row.number).values(state="running", begun_s=now_s))
    log_action(writing, now_s, "campaign begin", row.id, row.kind)


def _renew_tariff(writing: Writing, row: Row[Any], now_s: int) -> None:
    """A tariff that the campaign made for itself gets a version above every one set since: meters take none below the
    one they have. A version that was named is brought as it is."""
    what, campaigns = json.loads(row.what), schema.campaigns
    made = read_tariff(writing.connection, what["tariff"])
    if not what.get("made") or made is None or made.version + 1 == next_version(writing.connection):
        return
    table = ModeTable.parse(made.table)
    what["tariff"] = make_tariff(
        writing, table, made.unit_price_micro, table.valid_from_s, now_s, everywhere=False
    ).version
    renewed = update(campaigns).where(campaigns.c.number == row.number).values(what=json.dumps(what))
    writing.connection.execute(renewed)


def withdraw(writing: Writing, row: Row[Any], now_s: int, state: str = "waiting") -> None:
    """What still waits for its meter is taken back; the meters wait again (or have ``state``, for good)."""
    rows = schema.campaign_meters
    # A meter that is asked for a key's proof or a program's start has done the work already.
    sent = (rows.c.campaign == row.number, rows.c.state == "sent")
    moved = sent if state != "waiting" else (*sent, rows.c.step.not_in(("prove", "trial")))
    _drop_controls(writing, moved, now_s)
    values: dict[str, object] = {"state": state, "control": None, "asks": False}
    if state == "waiting":
        values |= {"step": "send", "due_s": now_s}
    else:
        values |= {"settled_s": now_s}
        moved = (rows.c.campaign == row.number, rows.c.state.in_(OPEN_STATES))
    writing.connection.execute(update(rows).where(*moved).values(values))


def _drop_controls(writing: Writing, chosen: tuple[Any, ...], now_s: int) -> None:
    controls, rows = schema.controls, schema.campaign_meters
    numbers = select(rows.c.control).where(*chosen, rows.c.control.is_not(None))
    dropped = update(controls).where(controls.c.number.in_(numbers), controls.c.state == "waiting")
    writing.connection.execute(dropped.values(state="dropped", settled_s=now_s))


def end(writing: Writing, row: Row[Any], state: CampaignState, now_s: int) -> list[str]:
    """By a person or by its date: nothing more is sent; what was confirmed stays. A program that waits for its time in
    a meter is forgotten there; gives the meters that are told so."""
    told = _may_hold_program(writing, row, now_s)
    withdraw(writing, row, now_s, "ended" if state is CampaignState.ENDED else "cancelled")
    _call_back_program(writing, row, told, now_s)
    campaigns = schema.campaigns
    ended = update(campaigns).where(campaigns.c.number == row.number)
    writing.connection.execute(ended.values(state=state.value, ended_s=now_s))
    log_action(writing, now_s, f"campaign {state.value}", row.id, row.kind)
    return told


def _may_hold_program(writing: Writing, row: Row[Any], now_s: int) -> list[str]:
    """The meters in which a program of this campaign may wait for its time, whether their word of it came or not: all
    that were ever let go and have not settled."""
    what, rows = json.loads(row.what), schema.campaign_meters
    if row.kind != CampaignKind.PROGRAM or what["at_s"] <= now_s:
        return []
    ours = (rows.c.campaign == row.number, rows.c.state.in_(OPEN_STATES), rows.c.sent_s.is_not(None))
    return list(writing.connection.execute(select(rows.c.meter).where(*ours).order_by(rows.c.meter)).scalars())


def _call_back_program(writing: Writing, row: Row[Any], meters: list[str], now_s: int) -> None:
    if not meters:
        return
    version = json.loads(row.what)["program"]
    digest = control_digest(Code.PROGRAM_ACTIVATE, withdraw_body(version))
    for meter in meters:
        queue_control(writing, meter, Code.PROGRAM_OFFER, json.dumps(withdraw_step(version)), digest, now_s)


def _to_be_asked(writing: Writing, row: Row[Any], now_s: int) -> list[str]:
    rows = schema.campaign_meters
    asked = select(rows.c.meter).where(
        rows.c.campaign == row.number, rows.c.state == "sent", rows.c.asks, rows.c.due_s <= now_s
    )
    first = asked.order_by(rows.c.due_s, rows.c.meter).limit(WOKEN_AT_ONCE_MAX)
    return list(writing.connection.execute(first).scalars())


def _finish(writing: Writing, row: Row[Any], now_s: int) -> None:
    rows, campaigns = schema.campaign_meters, schema.campaigns
    left = select(rows.c.meter).where(rows.c.campaign == row.number)
    still = left.where(or_(*(rows.c.state == each for each in OPEN_STATES)))
    if writing.connection.execute(still.limit(1)).scalar() is None:
        done = update(campaigns).where(campaigns.c.number == row.number)
        writing.connection.execute(done.values(state="done", ended_s=now_s))
        log_action(writing, now_s, "campaign done", row.id, row.kind)
