"""Control commands that wait for their meter: price, keys, relay, texts, settings, in the order in which they go.

A row holds what is wanted, never the body itself (a new terminal key is derived when it is sent, and stands nowhere).
Counter and digest are the rules' business (`next_control`); the digest here is how their answers find the row. Where
the same kind is wished anew, the older wish is dropped: contradicting commands never pile up for a dead link.
"""

import json
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, and_, bindparam, func, insert, select, update

from prewatt.codec.bodies import KeyChange, RelayOrder, Text
from prewatt.codec.commands import Code, control_digest
from prewatt.codec.program import UNIT_BYTES
from prewatt.codec.settings import SettingsChange
from prewatt.crypto import check_value, suite
from prewatt.host.answers import ControlAnswer
from prewatt.host.campaigns.loading import Ended, next_step, parse_step, read_running, step_body
from prewatt.host.campaigns.progress import control_ended, controls_dropped, program_runs
from prewatt.host.context import HostContext, log_action
from prewatt.host.fields import check_meter, meter_bytes
from prewatt.host.keys import KeySetState
from prewatt.host.refusals import RefusalOutcome, RefusedError
from prewatt.host.store import Writing, schema
from prewatt.host.wanted import remember_settings

__all__ = ["CONTROLS_WAITING_MAX", "Control", "Controls", "end_control", "next_waiting", "queue_control"]

# Commands that may wait for one meter: more on a dead link only hide that it is dead.
CONTROLS_WAITING_MAX: Final = 64
# Waiting work goes money (the rules' own), key, tariff, clock (the query), text.
_RANKS: Final = {
    Code.KEY: 1,
    Code.KEY_DROP: 1,
    Code.MODE: 2,
    Code.RELAY: 3,
    Code.SETTINGS: 4,
    Code.TEXT: 5,
    Code.PROGRAM_OFFER: 6,
}
# Every text is shown; of all other kinds only the newest wish counts.
_EVERY_ONE_COUNTS: Final = frozenset({Code.TEXT, Code.SETTINGS})


# A current transformer refuses these.
_FOR_HOMES: Final = frozenset({Code.MODE, Code.RELAY, Code.TEXT})


@dataclass(frozen=True, slots=True)
class Control:
    """A command that waits."""

    number: int
    code: Code
    what: str
    digest: bytes


class Controls:
    """Relay, texts, settings and keys, asked for by people."""

    def __init__(self, context: HostContext) -> None:
        self._context = context

    def order_relay(self, meter: str, order: RelayOrder) -> ControlAnswer:
        """Opens, arms or closes the relay of a meter from afar."""
        return self._queue(meter, Code.RELAY, order.build(), {"relay": order.name.lower()})

    def send_text(self, meter: str, text: str) -> ControlAnswer:
        """A message for the meter's display, at most 160 bytes of UTF-8."""
        if not text.strip():
            raise RefusedError(RefusalOutcome.BAD_FIELD, "text", text, "a message that is not empty")
        try:
            body = Text(text).build()
        except ValueError as error:
            raise RefusedError(RefusalOutcome.BAD_FIELD, "text", text, str(error)) from None
        return self._queue(meter, Code.TEXT, body, {"text": text})

    def change_settings(self, meter: str, change: SettingsChange) -> ControlAnswer:
        """Sets some of the meter's settings."""
        return self._queue(meter, Code.SETTINGS, change.build(), {"settings": change.build().hex()}, change)

    def change_key(self, meter: str, key_set: int) -> ControlAnswer:
        """Gives the meter its key of an active set that it does not have yet, under a set that it has."""
        meter = check_meter(meter)
        with self._context.store.reading() as connection:
            suite_name = _suite_of(connection, meter)
        sets = self._context.vault.sets()
        active = [each.index for each in sets if each.state is KeySetState.ACTIVE and each.suite == suite_name]
        if key_set not in active:
            listed = ", ".join(map(str, active)) or "none"
            raise RefusedError(RefusalOutcome.NO_KEY_SET, "key_set", key_set, f"active sets of {suite_name}: {listed}")
        body = key_body(self._context, meter, suite_name, key_set)
        return self._queue(meter, Code.KEY, body, {"key_set": key_set})

    def read(self, meter: str) -> list[ControlAnswer]:
        """The newest hundred control commands of a meter, newest first."""
        meter, controls = check_meter(meter), schema.controls
        with self._context.store.reading() as connection:
            rows = connection.execute(
                select(controls).where(controls.c.meter == meter).order_by(controls.c.number.desc()).limit(100)
            )
            return [
                ControlAnswer(
                    row.number, meter, Code(row.code).name.lower(), _shown(row), row.state, row.made_s, row.settled_s
                )
                for row in rows
            ]

    def _queue(
        self, meter: str, code: Code, body: bytes, what: dict[str, str | int], change: SettingsChange | None = None
    ) -> ControlAnswer:
        meter, now_s = check_meter(meter), self._context.now()
        digest = control_digest(code, body)

        def work(writing: Writing) -> None:
            _suite_of(writing.connection, meter)
            _check_kind(writing.connection, meter, code)
            _check_room(writing.connection, meter)
            queue_control(writing, meter, code, json.dumps(what), digest, now_s)
            if change is not None:
                remember_settings(writing, meter, change)
            log_action(writing, now_s, f"control {code.name.lower()}", meter, json.dumps(what))

        self._context.store.write(work)
        self._context.wake(meter)
        return self.read(meter)[0]


def _check_kind(connection: Connection, meter: str, code: Code) -> None:
    kind = connection.execute(select(schema.meters.c.kind).where(schema.meters.c.id == meter)).scalar()
    if kind == "ct" and code in _FOR_HOMES:
        allowed = "a home's meter; the current transformer of a station has no display, no price and no relay"
        raise RefusedError(RefusalOutcome.NOT_SOLD_TO, "meter", meter, allowed)


def _check_room(connection: Connection, meter: str) -> None:
    controls = schema.controls
    waits = select(func.count()).where(controls.c.meter == meter, controls.c.state == "waiting")
    if connection.execute(waits).scalar_one() >= CONTROLS_WAITING_MAX:
        allowed = f"a meter for which fewer than {CONTROLS_WAITING_MAX} commands wait"
        raise RefusedError(RefusalOutcome.METER_BLOCKED, "meter", meter, allowed)


def _shown(row: Row[Any]) -> str:
    """What a command asks for, as JSON; settings by their names and not as the bytes that travel."""
    if row.code != Code.SETTINGS:
        return str(row.what)
    change = SettingsChange.parse(bytes.fromhex(json.loads(row.what)["settings"]))
    return json.dumps({"settings": dict(change.values)})


def queue_control(writing: Writing, meter: str, code: Code, what: str, digest: bytes, now_s: int) -> int:
    """A command waits from this commit on; an older wish of its kind is dropped where only the newest counts. Gives
    its number."""
    controls, connection = schema.controls, writing.connection
    if code not in _EVERY_ONE_COUNTS:
        older = and_(controls.c.meter == meter, controls.c.code == int(code), controls.c.state == "waiting")
        numbers = select(controls.c.number).where(older).order_by(controls.c.number)
        controls_dropped(writing, connection.execute(numbers).scalars().all(), now_s)
        connection.execute(update(controls).where(older).values(state="dropped", settled_s=now_s))
    row = {"meter": meter, "rank": _RANKS[code], "code": int(code), "what": what, "digest": digest}
    added = connection.execute(insert(controls).values(row | {"state": "waiting", "made_s": now_s}))
    key = added.inserted_primary_key
    if key is None:
        raise AssertionError("a command without a number")
    return int(key[0])


_NO_CODE: Final = 0
# Asked for every session: made once.
_NEXT_WAITING: Final = (
    select(schema.controls)
    .where(schema.controls.c.state == "waiting", schema.controls.c.meter == bindparam("meter_id"))
    .where(schema.controls.c.code != bindparam("but_code"))
    .order_by(schema.controls.c.rank, schema.controls.c.number)
    .limit(1)
)


def next_waiting(connection: Connection, meter: str, *, but: Code | None = None) -> Control | None:
    """The control command that goes next; ``but``: of another code."""
    given = {"meter_id": meter, "but_code": _NO_CODE if but is None else int(but)}
    row = connection.execute(_NEXT_WAITING, given).one_or_none()
    return None if row is None else Control(row.number, Code(row.code), row.what, row.digest)


def end_control(
    writing: Writing,
    meter: str,
    digest: bytes,
    state: str,
    now_s: int,
    *,
    rest: bytes | None = None,
    reason: str = "",
) -> None:
    """The command of this digest is done, refused or dropped: the oldest that waits. A later wish for the same is its
    own. ``rest`` is what the meter added to its receipt; a program goes on with it."""
    controls = schema.controls
    waits = and_(controls.c.meter == meter, controls.c.digest == digest, controls.c.state == "waiting")
    row = writing.connection.execute(select(controls).where(waits).order_by(controls.c.number).limit(1)).one_or_none()
    if row is None:
        return
    if row.code == Code.PROGRAM_OFFER and state != "dropped":
        ended = _go_on(writing, row, done=state == "done", rest=rest)
        if ended is None:
            return
        state, reason = ended.state, ended.reason
    ending = update(controls).where(controls.c.number == row.number)
    writing.connection.execute(ending.values(state=state, settled_s=now_s))
    control_ended(writing, row.number, state, now_s, reason)


def _go_on(writing: Writing, row: Row[Any], *, done: bool, rest: bytes | None) -> Ended | None:
    """The next step of a program stands in the place of the one that was answered; what it ended in, if it did."""
    connection, programs, step = writing.connection, schema.programs, parse_step(row.what)
    size = connection.execute(select(programs.c.size_bytes).where(programs.c.version == step["program"])).scalar()
    following = next_step(step, done=done, rest=rest, units=-(-(size or 0) // UNIT_BYTES))
    if rest is not None and (running := read_running(rest)) is not None:
        program_runs(writing, row.meter, running)
    if isinstance(following, Ended):
        return following
    made = step_body(connection, _suite_of(connection, row.meter), following)
    if made is None:
        return Ended("dropped", "the program is not here")
    values = {"what": json.dumps(following), "digest": control_digest(*made)}
    connection.execute(update(schema.controls).where(schema.controls.c.number == row.number).values(values))
    return None


def key_body(context: HostContext, meter: str, suite_name: str, key_set: int) -> bytes:
    """The plain body of a key change, derived at the moment it is needed."""
    chosen, meter_id = suite(suite_name), meter_bytes(meter)
    key = context.vault.terminal_key(key_set, meter_id)
    return KeyChange(key_set, key, check_value(chosen, key_set, meter_id, key)).build()


def _suite_of(connection: Connection, meter: str) -> str:
    row = connection.execute(
        select(schema.meters.c.suite, schema.meters.c.account).where(schema.meters.c.id == meter)
    ).one_or_none()
    if row is None:
        allowed = "a meter that is enrolled; see `prewatt meter list`"
        raise RefusedError(RefusalOutcome.UNKNOWN_METER, "meter", meter, allowed)
    return str(row.suite)
