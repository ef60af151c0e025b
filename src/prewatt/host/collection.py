"""Collection: what meters tell about themselves, joined and kept. Older facts never overwrite newer ones.

Sums and registers are rows that only grow in number (`reports`); which is the newest is decided by the rules of
transfer, not by a clock. The minutes of a day are kept as the packed stretches in which they came: each is a fact of
its own, so parts of a Report and parts of a usage command fill the same day, in any order. Events are kept once each,
and the cursor that lets a meter forget them follows what is here.
"""

import json
from collections.abc import Callable
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, and_, delete, insert, select, update

from prewatt.codec.events import EventRecord
from prewatt.codec.info import InfoPart
from prewatt.codec.receipt import NO_TAG, Receipt
from prewatt.host.campaigns.progress import program_told
from prewatt.host.store import Writing, schema
from prewatt.protocol.transfer import Change, Commissioned, Measured, Totals
from prewatt.units import DAY_S, epoch_of
from prewatt.units.ids import SEQUENCE_COUNTER_MAX

__all__ = [
    "COLLECT_DAYS_MAX",
    "DAY_MINUTES_MIN",
    "book_standing",
    "collect_part",
    "day_is_whole",
    "pass_day",
    "prune_reports",
    "report_is_shown",
    "totals_of",
]

# A meter keeps 35 days; older ones are not asked for.
COLLECT_DAYS_MAX: Final = 35
_GROWING: Final = ("received_micro", "burned_micro", "returned_micro", "total_pulses", "last_sequence")
# The day on which clocks go forward.
DAY_MINUTES_MIN: Final = 1_380


def totals_of(part: InfoPart) -> Totals | None:
    """The sums of an Info part that has them."""
    standing = part.standing
    if standing is None:
        return None
    return Totals(
        received_micro=standing.received_micro,
        burned_micro=standing.burned_micro,
        returned_micro=standing.returned_micro,
        owed_micro=standing.owed_micro,
    )


def book_standing(
    writing: Writing, meter: str, changes: tuple[Change, ...], report: int | None, *, now_s: int, in_session: bool
) -> None:
    """What is shown of the meter: the newest receipt, the newest report (``report``, where the rules say so), and when
    it was read, in a session (polled) or by a Report of its own."""
    values: dict[str, Any] = {}
    if report is not None:
        values |= {"read_s": now_s} | ({"polled_s": now_s} if in_session else {})
    for change in changes:
        if isinstance(change, Measured) and change.receipt is not None:
            values |= _balance_of(change.receipt, now_s)
        if isinstance(change, Measured) and change.totals is not None and report is not None:
            values |= {"report": report}
        if isinstance(change, Commissioned):
            # A new body counts its events from one.
            values |= {"events_acknowledged": 0}
    if values:
        standings = schema.standings
        writing.connection.execute(update(standings).where(standings.c.meter == meter).values(values))


def report_is_shown() -> ColumnElement[bool]:
    """Joins a meter's standing with its newest report: only one of the body that its newest receipt is of. What the
    body before it counted, or held as its price, says nothing of a new one."""
    standings, reports = schema.standings.c, schema.reports.c
    epoch = standings.last_sequence // (SEQUENCE_COUNTER_MAX + 1)
    return and_(reports.number == standings.report, reports.epoch == epoch)


def _balance_of(receipt: Receipt, now_s: int) -> dict[str, int]:
    return {"balance_micro": receipt.balance_micro, "last_sequence": receipt.last_sequence, "at_s": max(now_s, 1)}


def collect_part(
    writing: Writing,
    meter: str,
    part: InfoPart,
    *,
    now_s: int,
    in_session: bool,
    in_use: int,
    allowed: Callable[[], bool],
) -> int | None:
    """Keeps one part; gives the number of its report where it has the standing. ``in_use``: the epoch of the body in
    use; events of another body are kept, and say nothing of the cursor. ``allowed``: whether one more new event is."""
    epoch = epoch_of(part.receipt.last_sequence)
    number = _add_report(writing, meter, epoch, part, now_s) if part.standing is not None else None
    _add_minutes(writing, meter, part)
    if part.receipt.last_tag != NO_TAG:
        # A body without an epoch tells its events again when it has one: they are kept under that.
        _add_events(writing, meter, epoch, part.events, now_s, allowed)
    if epoch == in_use:
        _move_cursor(writing, meter, epoch, part.events if in_session else ())
    return number


def _add_report(writing: Writing, meter: str, epoch: int, part: InfoPart, now_s: int) -> int | None:
    standing, receipt = part.standing, part.receipt
    if standing is None:
        return None
    registers = standing.registers
    added = writing.connection.execute(
        insert(schema.reports).values(
            meter=meter,
            epoch=epoch,
            last_sequence=receipt.last_sequence,
            balance_micro=receipt.balance_micro,
            svm_micro=standing.split.svm_micro,
            tank_micro=standing.split.tank_micro,
            exchanger_micro=standing.split.exchanger_micro,
            received_micro=standing.received_micro,
            burned_micro=standing.burned_micro,
            returned_micro=standing.returned_micro,
            owed_micro=standing.owed_micro,
            unit_price_micro=standing.unit_price_micro,
            table_digest=standing.table_digest,
            relay_causes=standing.relay_causes,
            total_pulses=registers.total_pulses,
            registers=json.dumps(
                {
                    "year": registers.year_pulses,
                    "month": registers.month_pulses,
                    "week": registers.week_pulses,
                    "day": registers.day_pulses,
                    "steps": list(registers.step_pulses),
                }
            ),
            timer_s=standing.timer_s,
            at_s=now_s,
        )
    )
    key = added.inserted_primary_key
    return int(key[0]) if key is not None else None


def prune_reports(writing: Writing, meter: str, number: int) -> None:
    """Removes what report ``number`` has made needless: earlier ones of the same body and day by the meter's clock.

    One stays where it is the one that is shown, where it breaks the meter's own law, or where a sum in it is above the
    new one's: what the audit would blame is never removed. So of each body and day one row stays for ever.
    """
    reports, standings = schema.reports.c, schema.standings.c
    new = writing.connection.execute(select(schema.reports).where(reports.number == number)).one()
    day_s = new.timer_s - new.timer_s % DAY_S
    shown = select(standings.report).where(standings.meter == meter, standings.report.is_not(None))
    explained = reports.balance_micro + reports.burned_micro + reports.returned_micro - reports.owed_micro
    writing.connection.execute(
        delete(schema.reports).where(
            reports.meter == meter,
            reports.epoch == new.epoch,
            reports.timer_s.between(day_s, new.timer_s),
            reports.number < number,
            reports.number.not_in(shown),
            reports.received_micro == explained,
            reports.balance_micro == reports.svm_micro + reports.tank_micro + reports.exchanger_micro,
            *(getattr(reports, name) <= getattr(new, name) for name in _GROWING),
        )
    )


def _add_minutes(writing: Writing, meter: str, part: InfoPart) -> None:
    if not part.day or not part.minutes:
        return
    logs = schema.day_logs
    row = {
        "meter": meter,
        "day": part.day,
        "first_minute": part.first_minute,
        "day_start_s": part.day_start_s,
        "minutes": len(part.minutes),
        "packing": int(part.packing),
        "log": part.log,
        "ends": part.part == part.parts - 1,
    }
    add = writing.insert(logs).values(row)
    longer = {name: add.excluded[name] for name in ("day_start_s", "minutes", "packing", "log", "ends")}
    # A day that was still running when it was first asked for grows; it never shrinks.
    writing.connection.execute(
        add.on_conflict_do_update(
            index_elements=[logs.c.meter, logs.c.day, logs.c.first_minute],
            set_=longer,
            where=logs.c.minutes <= add.excluded.minutes,
        )
    )


def _add_events(
    writing: Writing,
    meter: str,
    epoch: int,
    events: tuple[EventRecord, ...],
    now_s: int,
    allowed: Callable[[], bool],
) -> None:
    """What is new, as far as it is allowed; the cursor stops before what is not, so that the meter keeps it."""
    if not events:
        return
    rows = schema.events
    mine = (rows.c.meter == meter, rows.c.epoch == epoch, rows.c.number.in_([event.number for event in events]))
    known = set(writing.connection.execute(select(rows.c.number).where(*mine)).scalars())
    for event in events:
        if event.number in known or not allowed():
            continue
        known.add(event.number)
        row = {"meter": meter, "epoch": epoch, "number": event.number, "time_s": event.time_s, "code": event.code}
        writing.connection.execute(insert(rows).values(row | {"detail": event.detail, "at_s": now_s}))
        program_told(writing, meter, event.code, event.time_s, event.detail, now_s)


def _move_cursor(writing: Writing, meter: str, epoch: int, sent: tuple[EventRecord, ...]) -> None:
    """The cursor goes to the end of the unbroken run that is kept here.

    ``sent`` are the events of a session's Result: they begin with the oldest that the meter still has, so a number
    before them will never come.
    """
    standings, events = schema.standings, schema.events
    where = standings.c.meter == meter
    cursor: int = writing.connection.execute(select(standings.c.events_acknowledged).where(where)).scalar_one()
    reached = max(cursor, sent[0].number - 1) if sent else cursor
    following = select(events.c.number).where(
        events.c.meter == meter, events.c.epoch == epoch, events.c.number > reached
    )
    for number in writing.connection.execute(following.order_by(events.c.number)).scalars():
        if number != reached + 1:
            break
        reached = number
    if reached != cursor:
        writing.connection.execute(update(standings).where(where).values(events_acknowledged=reached))


def pass_day(writing: Writing, meter: str, day: int, today: int) -> None:
    """A meter has sent all it has of a day that ended yesterday or before: it will not be asked for that day again.

    The day that has just ended is asked for once more while it is not whole: the meter's clock may be behind.
    """
    if day < today - 1:
        standings = schema.standings
        later = update(standings).where(standings.c.meter == meter, standings.c.day_next <= day)
        writing.connection.execute(later.values(day_next=day + 1))


def day_is_whole(rows: list[Row[Any]]) -> bool:
    """Whether the stretches of a day, in order, cover it from its first minute to its end."""
    covered = 0
    for row in rows:
        if row.first_minute > covered:
            return False
        covered = max(covered, row.first_minute + row.minutes)
    return covered >= DAY_MINUTES_MIN and any(row.ends for row in rows)
