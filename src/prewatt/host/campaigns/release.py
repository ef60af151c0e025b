"""Letting meters of a campaign go: each gets the command, or the question, that its campaign's kind begins with."""

import json
from collections.abc import Callable, Iterable
from typing import Any, Final

from sqlalchemy import Row, func, select

from prewatt.codec.bodies import KeyDrop, Text
from prewatt.codec.commands import Code, control_digest
from prewatt.device.meter.birth import KEY_SETS_MAX
from prewatt.host.campaigns.answers import CampaignKind
from prewatt.host.campaigns.loading import first_step, step_body
from prewatt.host.campaigns.progress import drop_replaced, move_meter, settle_meter
from prewatt.host.context import HostContext
from prewatt.host.controls import CONTROLS_WAITING_MAX, key_body, queue_control
from prewatt.host.keys import KeySetState, VaultError
from prewatt.host.store import Writing, schema
from prewatt.host.tariffs import read_tariff

__all__ = ["LATER_S", "release"]

# A meter for which too much waits already is looked at again.
LATER_S: Final = 3_600


def release(writing: Writing, context: HostContext, row: Row[Any], meters: Iterable[str], now_s: int) -> list[str]:
    """Each meter's first step, in this commit; gives those for which something waits now."""
    kind, what, rows = CampaignKind(row.kind), json.loads(row.what), schema.campaign_meters
    woken = []
    for meter in meters:
        found = select(rows).where(rows.c.campaign == row.number, rows.c.meter == meter)
        place = writing.connection.execute(found).one()
        if _too_much(writing, meter):
            move_meter(writing, place, due_s=now_s + LATER_S)
            continue
        _KINDS[kind](writing, context, place, what, now_s)
        woken.append(meter)
    return woken


def _too_much(writing: Writing, meter: str) -> bool:
    controls = schema.controls
    waits = select(func.count()).where(controls.c.meter == meter, controls.c.state == "waiting")
    return bool(writing.connection.execute(waits).scalar_one() >= CONTROLS_WAITING_MAX)


def _send(
    writing: Writing, place: Row[Any], code: Code, what: dict[str, Any], body: bytes, now_s: int, step: str = "send"
) -> None:
    digest = control_digest(code, body)
    number = queue_control(writing, place.meter, code, json.dumps(what), digest, now_s)
    move_meter(writing, place, state="sent", step=step, control=number, asks=False, sent_s=now_s)


def _tariff(writing: Writing, context: HostContext, place: Row[Any], what: dict[str, Any], now_s: int) -> None:
    tariff, meters = read_tariff(writing.connection, what["tariff"]), schema.meters
    wanted = writing.connection.execute(select(meters.c.tariff).where(meters.c.id == place.meter)).scalar()
    if tariff is None:
        settle_meter(writing, place, "refused", now_s, "the tariff is not here")
    elif wanted is not None and wanted > tariff.version:
        # Set by a person while the meter waited here: the older wish must not push it out.
        settle_meter(writing, place, "dropped", now_s, f"tariff {wanted}, which is newer, took its place")
    else:
        _send(writing, place, Code.MODE, {"tariff": tariff.version}, tariff.build_body(), now_s)


def _text(writing: Writing, context: HostContext, place: Row[Any], what: dict[str, Any], now_s: int) -> None:
    _send(writing, place, Code.TEXT, {"text": what["text"]}, Text(what["text"]).build(), now_s)


def _clock(writing: Writing, context: HostContext, place: Row[Any], what: dict[str, Any], now_s: int) -> None:
    move_meter(writing, place, state="sent", step="send", asks=True, due_s=now_s, sent_s=now_s)


def _program(writing: Writing, context: HostContext, place: Row[Any], what: dict[str, Any], now_s: int) -> None:
    meters = schema.meters
    row = writing.connection.execute(select(meters.c.suite, meters.c.program).where(meters.c.id == place.meter)).one()
    if row.program == what["program"]:
        settle_meter(writing, place, "confirmed", now_s, "it runs already")
        return
    step = first_step(what["program"], what["at_s"])
    made = step_body(writing.connection, row.suite, step)
    if made is None:
        settle_meter(writing, place, "refused", now_s, "the program is not here")
    else:
        _send(writing, place, Code.PROGRAM_OFFER, step, made[1], now_s, "load")


def _key(writing: Writing, context: HostContext, place: Row[Any], what: dict[str, Any], now_s: int) -> None:
    """Give, prove, drop; or wherever the meter stands already. A full meter first makes room."""
    keys = schema.meter_keys
    ours = select(keys.c.key_set, keys.c.state).where(keys.c.meter == place.meter).order_by(keys.c.key_set)
    rows = writing.connection.execute(ours).all()
    held = {row.key_set: row.state for row in rows if row.state != "gone"}
    key_set = what["key_set"]
    if held.get(key_set) == "confirmed":
        drop_replaced(writing, place, what["replaces"], now_s)
    elif held.get(key_set) == "sent":
        move_meter(writing, place, state="sent", step="prove", asks=True, due_s=now_s, sent_s=now_s)
    elif len(held) >= KEY_SETS_MAX:
        oldest = _oldest(context, set(held), what["replaces"])
        _send(writing, place, Code.KEY_DROP, {"key_set": oldest}, KeyDrop(oldest).build(), now_s, "room")
    else:
        suite = select(schema.meters.c.suite).where(schema.meters.c.id == place.meter)
        try:
            body = key_body(context, place.meter, writing.connection.execute(suite).scalar_one(), key_set)
        except VaultError as error:
            settle_meter(writing, place, "refused", now_s, str(error))
            return
        _send(writing, place, Code.KEY, {"key_set": key_set}, body, now_s, "give")


def _oldest(context: HostContext, held: set[int], replaces: int | None) -> int:
    """The set that gives way in a full meter: the one to be replaced, else the oldest retired, else the oldest."""
    if replaces in held:
        return int(replaces or 0)
    sets = sorted((each for each in context.vault.sets() if each.index in held), key=lambda each: each.created_s)
    retired = [each.index for each in sets if each.state is KeySetState.RETIRED]
    return retired[0] if retired else sets[0].index


_KINDS: Final[dict[CampaignKind, Callable[[Writing, HostContext, Row[Any], dict[str, Any], int], None]]] = {
    CampaignKind.TARIFF: _tariff,
    CampaignKind.TEXT: _text,
    CampaignKind.CLOCK: _clock,
    CampaignKind.PROGRAM: _program,
    CampaignKind.KEY: _key,
}
