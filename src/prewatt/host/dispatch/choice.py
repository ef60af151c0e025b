"""What goes to a meter next, chosen inside the commit that makes the choice durable, before any byte goes out.

Waiting work goes money, key, tariff, clock, text; money that the meter refused goes last. Money is the rules' own
(`next_work`); control commands get their counter from the same book; the clock is set by a usage query, which also
collects. An unsynced or frozen meter gets
what the rules give and nothing else.
"""

import json
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Row, bindparam, select

from prewatt.codec.bodies import DAY_NONE, DIGEST_BYTES, KeyDrop, RelayOrder, Text, UsageQuery
from prewatt.codec.commands import Code
from prewatt.host.booking import book_changes
from prewatt.host.campaigns.loading import parse_step, step_body
from prewatt.host.campaigns.progress import asks_query, control_held
from prewatt.host.codes import code_rests_on
from prewatt.host.collection import COLLECT_DAYS_MAX, day_is_whole
from prewatt.host.context import HostContext
from prewatt.host.controls import Control, end_control, key_body, next_waiting
from prewatt.host.keys import KeySetState, VaultError
from prewatt.host.meterkeys import doubt_set, read_held
from prewatt.host.store import Writing, schema
from prewatt.host.store.books import take_book
from prewatt.host.tariffs import read_tariff
from prewatt.host.usage import local_day
from prewatt.protocol.transfer import (
    BodyState,
    MeterBook,
    Work,
    WorkKind,
    gives_way,
    next_control,
    next_work,
    query_work,
)

__all__ = ["Choice", "Wish", "choose"]

_FENCE_RANDOM_BYTES: Final = 8
# A body that is not in use yet, or no more, is asked too: whether the one that waits to be commissioned is there.
_ASKED: Final = frozenset({BodyState.NEW, BodyState.LIVE, BodyState.RETIRED})
_NO_DIGEST: Final = bytes(DIGEST_BYTES)
# The clock goes before these: a query that waits is asked first.
_AFTER_CLOCK: Final = frozenset({Code.TEXT, Code.PROGRAM_OFFER})
# Of 256 queries that nothing stands against, so many go under a set in doubt, where there is one.
_DOUBTED_ASKED: Final = 32
# After so many failures one try goes to a set that the books do not name for certain: they may be older than the
# meter's keys, or another body may hang there.
_STRANGE_EVERY: Final = 4


@dataclass(frozen=True, slots=True)
class Wish:
    """What dispatch would like to ask of a meter when nothing more urgent waits: a query or not, and which part.

    ``acknowledged``: the events cursor that the first part was asked with. The parts of one Info are cut anew for each
    query; with another cursor they would be cut elsewhere.
    """

    query: bool
    registers_only: bool = False
    day: int | None = None
    part: int = 0
    acknowledged: int | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """A session to hold: the work, and under which key set. ``day`` and ``part`` where it is a usage query."""

    work: Work
    suite: str
    key_set: int
    key_set_unproved: bool
    day: int = DAY_NONE
    part: int = 0


def choose(writing: Writing, context: HostContext, meter: str, wish: Wish, *, failures: int) -> Choice | None:
    """The next session of a meter, its book already as it will be when the bytes go out; None where nothing waits."""
    before, now_s = take_book(writing, meter), context.now()
    row = writing.connection.execute(_METER, {"meter_id": meter}).one()
    after, work = money = next_work(before, context.random(_FENCE_RANDOM_BYTES))
    if work is not None and gives_way(before, work):
        after, work = before, None
    if work is None and before.synced and before.frozen is None and not before.reconciling:
        after, work = _control(writing, context, row, before, wish)
    day, part = DAY_NONE, 0
    if work is None and not wish.query and _may_query(before) and asks_query(writing, meter, now_s):
        wish = Wish(query=True, registers_only=True)
    if work is None and wish.query and _may_query(before):
        day, part = _day_wanted(writing, context, row, wish)
        # The cursor is that of the body in use; one that may be another has acknowledged nothing yet.
        acknowledged = wish.acknowledged if before.body is BodyState.LIVE else 0
        work = query_work(after, Code.USAGE, _usage_body(writing, meter, now_s, day, part, acknowledged))
    if work is None:
        after, work = money
    book_changes(writing, meter, before, after, (), at_s=now_s)
    if work is None:
        return None
    key_set, unproved = _key_set(writing, context, row, work, failures)
    return Choice(work, row.suite, key_set, unproved, day, part)


# Statements of every session, made once: making one anew costs as much as running it.
_METER: Final = (
    select(schema.meters.c.id, schema.meters.c.suite, schema.meters.c.tariff, schema.meters.c.made_s, schema.standings)
    .join_from(schema.meters, schema.standings, schema.standings.c.meter == schema.meters.c.id)
    .where(schema.meters.c.id == bindparam("meter_id"))
)
_EXPECTED: Final = (
    select(schema.standings.c.events_acknowledged, schema.tariffs.c.digest)
    .select_from(
        schema.meters.join(schema.standings, schema.standings.c.meter == schema.meters.c.id).outerjoin(
            schema.tariffs, schema.tariffs.c.version == schema.meters.c.tariff
        )
    )
    .where(schema.meters.c.id == bindparam("meter_id"))
)
_STRETCHES: Final = (
    select(schema.day_logs)
    .where(schema.day_logs.c.meter == bindparam("meter_id"), schema.day_logs.c.day == bindparam("wanted"))
    .order_by(schema.day_logs.c.first_minute)
)


def _may_query(book: MeterBook) -> bool:
    return book.synced and book.frozen is None and book.body in _ASKED


def _control(
    writing: Writing, context: HostContext, row: Row[Any], before: MeterBook, wish: Wish
) -> tuple[MeterBook, Work | None]:
    """The control command that waits, unless it is a text or a program and the clock waits too. A key set that an open
    value code rests on stays where it is: its digits are on paper."""
    waiting = next_waiting(writing.connection, row.id)
    dropped = json.loads(waiting.what)["key_set"] if waiting is not None and waiting.code is Code.KEY_DROP else None
    if waiting is not None and dropped is not None and code_rests_on(writing, context, row.id, dropped):
        control_held(writing, waiting.number, f"an open value code rests on key set {dropped}")
        waiting = next_waiting(writing.connection, row.id, but=Code.KEY_DROP)
    if waiting is None or before.body is not BodyState.LIVE:
        return before, None
    if waiting.code in _AFTER_CLOCK and wish.query:
        return before, None
    if waiting.code is Code.PROGRAM_OFFER:
        made = step_body(writing.connection, row.suite, parse_step(waiting.what))
    else:
        body = _body(writing, context, row, waiting)
        made = None if body is None else (waiting.code, body)
    if made is None:
        reason = "what it names is not there any more, or no other key could carry it"
        end_control(writing, row.id, waiting.digest, "dropped", context.now(), reason=reason)
        return _control(writing, context, row, before, wish)
    after, work = next_control(before, *made)
    if work is not None and work.code is Code.KEY_DROP:
        doubt_set(writing, row.id, work.body[0])
    return after, work


def _body(writing: Writing, context: HostContext, row: Row[Any], waiting: Control) -> bytes | None:
    """The plain body of a command that waits, made now; None where what it names is gone, or no session could carry it
    (a key changes and goes under another one alone)."""
    what = json.loads(waiting.what)
    if waiting.code in (Code.KEY, Code.KEY_DROP) and not _others(writing, context, row.id, what["key_set"]):
        return None
    if waiting.code is Code.KEY_DROP:
        return KeyDrop(what["key_set"]).build()
    if waiting.code is Code.MODE:
        tariff = read_tariff(writing.connection, what["tariff"])
        return tariff.build_body() if tariff is not None else None
    if waiting.code is Code.KEY:
        try:
            return key_body(context, row.id, row.suite, what["key_set"])
        except VaultError:  # retired while it waited
            return None
    if waiting.code is Code.RELAY:
        return RelayOrder[what["relay"].upper()].build()
    return Text(what["text"]).build() if waiting.code is Code.TEXT else bytes.fromhex(what["settings"])


def _usage_body(writing: Writing, meter: str, now_s: int, day: int, part: int, acknowledged: int | None) -> bytes:
    """The plain body of code 03 as of now: time, what is wanted, the tariff expected, the events that are kept."""
    row = writing.connection.execute(_EXPECTED, {"meter_id": meter}).one()
    cursor = row.events_acknowledged if acknowledged is None else acknowledged
    return UsageQuery(now_s, day, part, row.digest or _NO_DIGEST, cursor).build()


def _day_wanted(writing: Writing, context: HostContext, row: Row[Any], wish: Wish) -> tuple[int, int]:
    """The day and part to ask for: the rest of a day under way, else the oldest day that is not whole, else today."""
    if wish.registers_only:
        return DAY_NONE, 0
    if wish.day is not None:
        return wish.day, wish.part
    today = local_day(context.now(), context.zone)
    # Days that are still to come were noted while the clock here was ahead: none of them is asked for.
    ahead = row.day_next > today
    wanted = max(0 if ahead else row.day_next, local_day(row.made_s, context.zone), today - COLLECT_DAYS_MAX)
    wanted = min(wanted, today)
    while wanted < today:
        stretches = writing.connection.execute(_STRETCHES, {"meter_id": row.id, "wanted": wanted}).all()
        if not day_is_whole(list(stretches)):
            break
        wanted += 1
    if ahead or wanted > row.day_next:
        standings = schema.standings
        moved = standings.update().where(standings.c.meter == row.id).values(day_next=wanted)
        writing.connection.execute(moved)
    return wanted, 0


def _key_set(writing: Writing, context: HostContext, row: Row[Any], work: Work, failures: int) -> tuple[int, bool]:
    """The key set for a session: at random among those the meter has proved, or one that shall prove itself.

    A new key is tried with a query only, and every other time, so that a meter that does not have it is not lost. A
    set that a command changes or drops is never the one it goes under (R12). Where failures go on, every fourth try
    goes under an active set that the books do not name for certain: after a restore they may be behind what the meter
    holds, and a body that was hung since has no set but those it was made with. A set in doubt is asked now and then
    besides, and where there is no other.
    """
    held = read_held(writing.connection, row.id)
    barred = {work.body[0]} if work.code in (Code.KEY, Code.KEY_DROP) else set()
    unproved = sorted(_active(context) & held.sent)
    if unproved and work.kind is WorkKind.QUERY and failures % 2 == 0:
        # Any of them: one that the meter has not, whatever the books believe, must not stand before the others.
        return unproved[context.random(1)[0] % len(unproved) if len(unproved) > 1 else 0], True
    if failures % _STRANGE_EVERY == _STRANGE_EVERY - 1:
        strange = _strange_sets(context, row.suite, {*held.sure, *barred})
        if strange:
            return strange[failures // _STRANGE_EVERY % len(strange)], True
    sure, doubted = held.sure - barred, (held.doubted - barred) & _active(context)
    asked = work.kind is WorkKind.QUERY and not failures and bool(doubted) and context.random(1)[0] < _DOUBTED_ASKED
    if doubted and (asked or not sure & _active(context)):
        return context.vault.choose(sorted(doubted), context.random(8)), True
    return context.vault.choose(sorted(sure), context.random(8)), False


def _others(writing: Writing, context: HostContext, meter: str, but: int) -> frozenset[int]:
    """The active sets that the meter has proved, without one."""
    return read_held(writing.connection, meter).proved & _active(context) - {but}


def _active(context: HostContext) -> set[int]:
    """The key sets that derive keys."""
    return {each.index for each in context.vault.sets() if each.state is KeySetState.ACTIVE}


def _strange_sets(context: HostContext, suite: str, known: set[int]) -> list[int]:
    """The active sets of a suite that are not known for certain to be this meter's."""
    return [
        each.index
        for each in context.vault.sets()
        if each.state is KeySetState.ACTIVE and each.suite == suite and each.index not in known
    ]
