"""How a campaign's meters get on: what a command that ended, a key that proved itself, an event means for them.

These functions run inside the commit that books the meter's own word, so that progress is never ahead of it nor
behind. They touch rows only; what has to be sent next is put there as a control command like any other.
"""

import json
from collections.abc import Iterable
from typing import Any, Final

from sqlalchemy import Row, bindparam, select, update

from prewatt.codec.bodies import KeyDrop
from prewatt.codec.commands import Code, control_digest
from prewatt.codec.events import EventCode
from prewatt.codec.program import ProgramActivation
from prewatt.host.campaigns.answers import CampaignKind
from prewatt.host.campaigns.loading import ask_step
from prewatt.host.store import Writing, schema

__all__ = [
    "ASK_FIRST_S",
    "ASK_LONGEST_S",
    "OPEN_STATES",
    "asks_query",
    "clock_checked",
    "control_ended",
    "control_held",
    "controls_dropped",
    "drop_replaced",
    "key_proved",
    "leave_campaigns",
    "move_meter",
    "program_runs",
    "program_told",
    "settle_meter",
    "tariff_shown",
]

OPEN_STATES: Final = ("waiting", "sent")
# A meter whose word is awaited (its clock, a key to prove itself, a program on trial) is asked again, less and less
# often: after half of the time it has been silent.
ASK_FIRST_S: Final = 60
ASK_LONGEST_S: Final = 3_600
_VERSION_BYTES: Final = 4
# As a meter tries a program: what it has to confirm itself, and the least it takes to confirm (device/meter/program).
TRIAL_S: Final = 300
CONFIRM_S: Final = 60
_CLOCKS_APART_S: Final = 120
_RETURNED_WHY: Final = {1: "it did not confirm itself in time", 2: "the power went too often", 3: "it was damaged"}


# Asked in every session: made once.
_ROWS: Final = (
    select(
        schema.campaign_meters,
        schema.campaigns.c.kind,
        schema.campaigns.c.what,
        schema.campaigns.c.state.label("standing"),
    )
    .join_from(schema.campaign_meters, schema.campaigns, schema.campaigns.c.number == schema.campaign_meters.c.campaign)
    .where(
        schema.campaign_meters.c.meter == bindparam("meter_id"),
        schema.campaign_meters.c.state.in_(OPEN_STATES),
        schema.campaigns.c.kind == bindparam("kind_named"),
    )
)
_ASKED: Final = (
    select(schema.campaign_meters, schema.standings.c.at_s.label("heard_s"))
    .join_from(schema.campaign_meters, schema.standings, schema.standings.c.meter == schema.campaign_meters.c.meter)
    .where(
        schema.campaign_meters.c.meter == bindparam("meter_id"),
        schema.campaign_meters.c.state == "sent",
        schema.campaign_meters.c.asks,
        schema.campaign_meters.c.due_s <= bindparam("before_s"),
    )
)


def _rows(writing: Writing, meter: str, kind: CampaignKind, states: tuple[str, ...] = ("sent",)) -> list[Row[Any]]:
    """The meter's open rows in campaigns of a kind, with what the campaign wants."""
    found = writing.connection.execute(_ROWS, {"meter_id": meter, "kind_named": kind.value})
    return [row for row in found if row.state in states]


def move_meter(writing: Writing, row: Row[Any], **values: object) -> None:
    """Changes one meter's row."""
    rows = schema.campaign_meters
    changed = update(rows).where(rows.c.campaign == row.campaign, rows.c.meter == row.meter)
    writing.connection.execute(changed.values(values))


def settle_meter(writing: Writing, row: Row[Any], state: str, now_s: int, reason: str = "") -> None:
    """One meter of a campaign has come to its end."""
    move_meter(writing, row, state=state, settled_s=now_s, reason=reason, control=None, asks=False)


def control_ended(writing: Writing, control: int, state: str, now_s: int, reason: str = "") -> None:
    """A control command is done, refused or dropped; what that means for the campaign it was of, if any."""
    rows, campaigns = schema.campaign_meters, schema.campaigns
    found = select(rows, campaigns.c.kind, campaigns.c.what).join_from(
        rows, campaigns, campaigns.c.number == rows.c.campaign
    )
    row = writing.connection.execute(found.where(rows.c.control == control)).one_or_none()
    if row is None or row.state not in OPEN_STATES:
        return
    if state == "dropped":
        settle_meter(writing, row, "dropped", now_s, reason or "a newer wish took its place")
    elif state != "done":
        settle_meter(writing, row, "refused", now_s, reason or "the meter cannot do it")
    elif row.kind == CampaignKind.KEY:
        _key_step_done(writing, row, now_s)
    elif row.kind == CampaignKind.PROGRAM:
        _program_loaded(writing, row, now_s)
    else:
        if row.kind == CampaignKind.TARIFF:
            _mark_tariff(writing, row)
        settle_meter(writing, row, "confirmed", now_s)


def control_held(writing: Writing, control: int, reason: str) -> None:
    """A control command cannot go out yet; why stands beside its meter, where it is of a campaign."""
    rows = schema.campaign_meters
    told = update(rows).where(rows.c.control == control, rows.c.state.in_(OPEN_STATES), rows.c.reason != reason)
    writing.connection.execute(told.values(reason=reason))


def controls_dropped(writing: Writing, controls: Iterable[int], now_s: int) -> None:
    """Newer wishes of people took the place of these."""
    for number in controls:
        control_ended(writing, number, "dropped", now_s)


def leave_campaigns(writing: Writing, meter: str, now_s: int, reason: str) -> None:
    """Nothing will ever be sent to this meter again: no campaign waits for it."""
    rows = schema.campaign_meters
    open_rows = select(rows).where(rows.c.meter == meter, rows.c.state.in_(OPEN_STATES))
    for row in writing.connection.execute(open_rows).all():
        if row.control is not None:
            _drop_control(writing, row.control, "dropped", now_s)
        settle_meter(writing, row, "dropped", now_s, reason)


def _mark_tariff(writing: Writing, row: Row[Any]) -> None:
    """From now on this is the tariff that the meter should have."""
    marked = update(schema.meters).where(schema.meters.c.id == row.meter)
    writing.connection.execute(marked.values(tariff=json.loads(row.what)["tariff"]))


def tariff_shown(writing: Writing, meter: str, shown: bytes, now_s: int) -> bool:
    """The meter has shown the digest of its newest table; whether a campaign has a word in what it should be."""
    found = _rows(writing, meter, CampaignKind.TARIFF, OPEN_STATES)
    tariffs = schema.tariffs
    for row in found:
        version = json.loads(row.what)["tariff"]
        digest = writing.connection.execute(select(tariffs.c.digest).where(tariffs.c.version == version)).scalar()
        if digest == shown:
            if row.control is not None:
                _drop_control(writing, row.control, "done", now_s)
            _mark_tariff(writing, row)
            settle_meter(writing, row, "confirmed", now_s)
    return bool(found)


def clock_checked(writing: Writing, meter: str, now_s: int) -> None:
    """A usage query was answered: the clock is right, or was set."""
    for row in _rows(writing, meter, CampaignKind.CLOCK):
        settle_meter(writing, row, "confirmed", now_s)


def asks_query(writing: Writing, meter: str, now_s: int) -> bool:
    """Whether a campaign waits for the meter's word, not for the end of a command, and it is time to ask (again)."""
    found = writing.connection.execute(_ASKED, {"meter_id": meter, "before_s": now_s}).all()
    for row in found:
        # A key may have waited for days for its meter: that was heard when it took the key, and is there now.
        since_s = max(row.sent_s or now_s, row.heard_s if row.step == "prove" else 0)
        pause_s = min(max((now_s - since_s) // 2, ASK_FIRST_S), ASK_LONGEST_S)
        move_meter(writing, row, due_s=now_s + pause_s)
    return bool(found)


def _key_step_done(writing: Writing, row: Row[Any], now_s: int) -> None:
    if row.step == "room":
        # A slot is free now; the meter is looked at anew and gets its key.
        move_meter(writing, row, state="waiting", step="send", control=None, due_s=now_s)
    elif row.step == "drop":
        settle_meter(writing, row, "confirmed", now_s)
    else:
        what, keys = json.loads(row.what), schema.meter_keys
        state = select(keys.c.state).where(keys.c.meter == row.meter, keys.c.key_set == what["key_set"])
        if writing.connection.execute(state).scalar() == "confirmed":
            # It had it all along: a host that was restored had forgotten.
            drop_replaced(writing, row, what["replaces"], now_s)
        else:
            move_meter(writing, row, step="prove", control=None, asks=True, due_s=now_s)


def _program_loaded(writing: Writing, row: Row[Any], now_s: int) -> None:
    what, meters = json.loads(row.what), schema.meters
    running = writing.connection.execute(select(meters.c.program).where(meters.c.id == row.meter)).scalar()
    if running == what["program"]:
        # It had it all along: from the factory, or a host that was restored had forgotten. No event comes of it.
        settle_meter(writing, row, "confirmed", now_s, "it runs already")
        return
    begins_s = max(what["at_s"], now_s)
    asked_s = begins_s + TRIAL_S + CONFIRM_S
    move_meter(writing, row, step="trial", control=None, asks=True, due_s=asked_s, sent_s=begins_s)


def key_proved(writing: Writing, meter: str, key_set: int, now_s: int) -> None:
    """A session under this set has succeeded: the set it replaces may go."""
    for row in _rows(writing, meter, CampaignKind.KEY):
        what = json.loads(row.what)
        if what["key_set"] != key_set or row.step != "prove":
            continue
        if row.standing == "running":
            drop_replaced(writing, row, what["replaces"], now_s)
        else:
            # A pause holds the next step; the campaign looks at the meter anew when it goes on.
            move_meter(writing, row, state="waiting", step="send", asks=False, due_s=now_s)


def drop_replaced(writing: Writing, row: Row[Any], replaces: int | None, now_s: int) -> None:
    """The last step of a key change: the meter forgets the set that was replaced, if it has it."""
    keys = schema.meter_keys
    held = select(keys.c.state).where(keys.c.meter == row.meter, keys.c.key_set == replaces, keys.c.state != "gone")
    if replaces is None or writing.connection.execute(held).scalar() is None:
        settle_meter(writing, row, "confirmed", now_s)
        return
    # Imported here: the queue tells this module when a wish is dropped, and this one makes the next wish.
    from prewatt.host.controls import queue_control

    digest = control_digest(Code.KEY_DROP, KeyDrop(replaces).build())
    what = json.dumps({"key_set": replaces})
    number = queue_control(writing, row.meter, Code.KEY_DROP, what, digest, now_s)
    move_meter(writing, row, state="sent", step="drop", control=number, asks=False, sent_s=row.sent_s or now_s)


def _drop_control(writing: Writing, number: int, state: str, now_s: int) -> None:
    controls = schema.controls
    ended = update(controls).where(controls.c.number == number, controls.c.state == "waiting")
    writing.connection.execute(ended.values(state=state, settled_s=now_s))


def program_told(writing: Writing, meter: str, code: int, time_s: int, detail: bytes, now_s: int) -> None:
    """A new event, or an alarm, of a meter's programs."""
    if code not in (EventCode.PROGRAM_STARTED, EventCode.PROGRAM_RETURNED) or len(detail) < 2 * _VERSION_BYTES:
        return
    coming, other = (int.from_bytes(detail[at : at + _VERSION_BYTES], "big") for at in (0, _VERSION_BYTES))
    started = code == EventCode.PROGRAM_STARTED
    program_runs(writing, meter, coming if started else other)
    for row in _rows(writing, meter, CampaignKind.PROGRAM):
        if json.loads(row.what)["program"] != coming or row.step != "trial":
            continue
        why = "" if started else _RETURNED_WHY.get(int.from_bytes(detail[2 * _VERSION_BYTES :], "big"), "")
        # A program that was confirmed runs, whenever that was by the meter's clock. A return may be from an earlier
        # trial of the same program and told late, or from a meter whose clock is behind: the meter is asked.
        if not started and time_s + _CLOCKS_APART_S < (row.sent_s or 0):
            _ask_program(writing, row, coming, why, now_s)
        else:
            settle_meter(writing, row, "confirmed" if started else "refused", now_s, why)


def _ask_program(writing: Writing, row: Row[Any], version: int, why: str, now_s: int) -> None:
    """The activation once more: the meter's answer names what runs, and refuses a program that it has not any more."""
    # Imported here: as in `drop_replaced`.
    from prewatt.host.controls import queue_control

    step = ask_step(version, json.loads(row.what)["at_s"], why)
    digest = control_digest(Code.PROGRAM_ACTIVATE, ProgramActivation(version, step["at_s"]).build())
    number = queue_control(writing, row.meter, Code.PROGRAM_OFFER, json.dumps(step), digest, now_s)
    move_meter(writing, row, step="load", control=number, asks=False)


def program_runs(writing: Writing, meter: str, version: int) -> None:
    """The meter says which program is in force."""
    writing.connection.execute(update(schema.meters).where(schema.meters.c.id == meter).values(program=version))
