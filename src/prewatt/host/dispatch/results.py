"""What came back, booked: one fact, one commit, with everything that follows from it."""

from collections.abc import Iterable
from functools import partial

from sqlalchemy import insert, select, update

from prewatt.codec.commands import Code
from prewatt.codec.errors import DecodeError
from prewatt.codec.info import InfoPart, parse_part
from prewatt.codec.meter_messages import Alarm, Report, Wish
from prewatt.codec.reader import Reader
from prewatt.codec.receipt import NO_TAG, RING_ENTRY_BYTES, Receipt, RingEntry, Status
from prewatt.host.allowance import Said
from prewatt.host.bodyvalue import follow_bodies
from prewatt.host.booking import book_changes, record_facts
from prewatt.host.campaigns.progress import clock_checked, key_proved, program_told
from prewatt.host.collection import book_standing, collect_part, pass_day, prune_reports, totals_of
from prewatt.host.context import HostContext
from prewatt.host.controls import end_control
from prewatt.host.dispatch.choice import Choice
from prewatt.host.meterkeys import doubt_others, note_gone, note_proved, note_sent
from prewatt.host.refusals import HostError
from prewatt.host.resend import resend_wanted
from prewatt.host.store import Writing, schema
from prewatt.host.store.books import take_book
from prewatt.host.tags import TAG_RANDOM_BYTES, make_tag
from prewatt.host.tariffs import check_shown
from prewatt.host.usage import local_day
from prewatt.protocol.host import Outcome
from prewatt.protocol.meter_messages import CounterBook
from prewatt.protocol.transfer import (
    NO_EPOCH,
    SAFE_EPOCH_FIRST,
    BodyState,
    Change,
    Commissioned,
    ControlDone,
    ControlImpossible,
    Fact,
    MeterBook,
    ReportFact,
    ResultFact,
    Synced,
    ask_commission,
    learn,
    reconciled,
)
from prewatt.units import epoch_of

__all__ = ["book_alarm", "book_report", "book_result", "book_wish", "parse_info", "settle_step"]


def book_result(writing: Writing, context: HostContext, meter: str, choice: Choice, outcome: Outcome) -> None:
    """A session's Result: the holders it names, the orders it settles, what it tells of the meter."""
    part = parse_info(outcome.plain) if choice.work.code is Code.USAGE else None
    ring = part.standing.ring if part is not None and part.standing is not None else None
    if choice.work.code is Code.RING:
        ring = _parse_ring(outcome.rest)
    totals = totals_of(part) if part is not None else None
    fact = ResultFact(choice.work, outcome.receipt, ring, totals)
    if part is not None and not context.allowance.take(meter, Said.INFO, context.now()):
        part = None
    _book_fact(writing, context, meter, fact, part, outcome.rest, under=choice.key_set)
    if choice.key_set_unproved:
        _prove_key(writing, meter, choice.key_set, context.now())
    if part is not None and part.standing is not None:
        check_shown(writing, meter, part.standing.table_digest, context.now())
    if part is not None and outcome.receipt.status is Status.DONE:
        clock_checked(writing, meter, context.now())
    if part is not None and choice.day and part.part + 1 >= part.parts:
        pass_day(writing, meter, choice.day, local_day(context.now(), context.zone))


def book_report(writing: Writing, context: HostContext, meter: str, report: Report) -> bool:
    """A Report, once; False where its counter was booked before. HostError where it has no receipt of this meter."""
    part = parse_info(report.plain)
    receipt = part.receipt if part is not None else _parse_receipt(report.plain)
    if receipt is None or receipt.meter_id != report.head.meter_id:
        raise HostError(f"report: {len(report.plain)} bytes without a receipt of meter {meter}")
    if not _book_counter(writing, meter, "report", report.head.counter):
        return False
    context.allowance.check(meter, Said.REPORT, context.now())
    ring = part.standing.ring if part is not None and part.standing is not None else None
    totals = totals_of(part) if part is not None else None
    _book_fact(writing, context, meter, ReportFact(receipt, ring, totals), part, under=report.head.key_set)
    return True


def book_alarm(writing: Writing, context: HostContext, meter: str, alarm: Alarm) -> bool:
    """An Alarm, once; False where it was booked before (it is acknowledged again all the same)."""
    if not _book_counter(writing, meter, "alarm", alarm.head.counter):
        return False
    context.allowance.check(meter, Said.ALARM, context.now())
    row = {"meter": meter, "counter": alarm.head.counter, "time_s": alarm.time_s, "event": alarm.event}
    add = insert(schema.alarms).values(row | {"detail": alarm.detail, "at_s": context.now()})
    writing.connection.execute(add)
    program_told(writing, meter, alarm.event, alarm.time_s, alarm.detail, context.now())
    return True


def book_wish(writing: Writing, context: HostContext, meter: str, wish: Wish) -> bool:
    """A customer's Wish, once. The PIN is not kept."""
    if not _book_counter(writing, meter, "wish", wish.head.counter):
        return False
    context.allowance.check(meter, Said.WISH, context.now())
    row = {"meter": meter, "counter": wish.head.counter, "amount_micro": wish.amount_micro, "at_s": context.now()}
    writing.connection.execute(insert(schema.wishes).values(row))
    return True


def _book_fact(
    writing: Writing,
    context: HostContext,
    meter: str,
    fact: Fact,
    part: InfoPart | None,
    rest: bytes | None = None,
    *,
    under: int,
) -> None:
    """``under``: the key set that carried the fact."""
    before, now_s = take_book(writing, meter), context.now()
    record_facts(writing, before, fact.receipt, fact.ring, at_s=now_s)
    after, changes = learn(before, fact)
    in_session = isinstance(fact, ResultFact)
    after, more = settle_step(context, after, bare=in_session and fact.receipt.last_tag == NO_TAG)
    changes = (*changes, *more)
    report = None
    if part is not None:
        allowed = partial(context.allowance.take, meter, Said.EVENT, now_s)
        report = collect_part(
            writing, meter, part, now_s=now_s, in_session=in_session, in_use=after.epoch, allowed=allowed
        )
    book_changes(writing, meter, before, after, changes, at_s=now_s)
    book_standing(writing, meter, changes, report, now_s=now_s, in_session=in_session)
    if report is not None:
        prune_reports(writing, meter, report)
    follow_bodies(writing, meter, after, epoch_of(fact.receipt.last_sequence), now_s)
    _end_controls(writing, meter, fact, changes, now_s, rest)
    if any(isinstance(change, Commissioned | Synced) for change in changes):
        resend_wanted(writing, meter, now_s)
    if after.epoch > SAFE_EPOCH_FIRST and any(isinstance(change, Commissioned) for change in changes):
        # What the body before proved says nothing of this one.
        doubt_others(writing, meter, under)


def settle_step(context: HostContext, book: MeterBook, *, bare: bool) -> tuple[MeterBook, tuple[Change, ...]]:
    """What follows by itself once a meter is in step again.

    With open orders a person reconciles first: before a restore one of them may have been paid back in cash, and
    nothing here would know. With value in suspense too: a sale that was forgotten and is made again would be delivered
    twice. Without either there is nothing to reconcile. A body that was never commissioned is, in an
    epoch above every one that was ever asked for; so is a ``bare`` one, which has just answered without an epoch, where
    all bodies before it are accounted for (a person said so to end the freeze NO_EPOCH, or the old one was retired).
    """
    changes: tuple[Change, ...] = ()
    if book.synced and book.reconciling and not (book.orders or book.suspense) and book.frozen is None:
        book, changes = reconciled(book)
    expected = book.body is BodyState.NEW or (bare and book.body is BodyState.RETIRED)
    if expected and book.synced and not book.reconciling and book.frozen is None:
        # A thaw may have lowered the book's epoch below one that a body took before a restore.
        highest = context.generation.highest_epoch(book.meter_id.hex().upper())
        epoch = max(book.epoch, NO_EPOCH if highest is None else highest) + 1
        book = ask_commission(book, epoch, make_tag(context.random(TAG_RANDOM_BYTES)))
    return book, changes


def _end_controls(
    writing: Writing, meter: str, fact: Fact, changes: Iterable[Change], now_s: int, rest: bytes | None
) -> None:
    for change in changes:
        if isinstance(change, ControlDone | ControlImpossible):
            done = isinstance(change, ControlDone)
            if done and isinstance(fact, ResultFact) and fact.work.code is Code.KEY:
                # Old and new are kept until a session under the new one has succeeded (R12).
                note_sent(writing, meter, fact.work.body[0])
            elif done and isinstance(fact, ResultFact) and fact.work.code is Code.KEY_DROP:
                note_gone(writing, meter, fact.work.body[0])
            end_control(writing, meter, change.digest, "done" if done else "refused", now_s, rest=rest)


def _prove_key(writing: Writing, meter: str, key_set: int, now_s: int) -> None:
    """A session under this set has succeeded, and a campaign may have waited for it."""
    note_proved(writing, meter, key_set)
    key_proved(writing, meter, key_set, now_s)


def _book_counter(writing: Writing, meter: str, kind: str, counter: int) -> bool:
    books = schema.counter_books
    where = (books.c.meter == meter, books.c.kind == kind)
    stored = writing.connection.execute(select(books.c.book).where(*where)).scalar()
    book = (CounterBook.parse(stored) if stored is not None else CounterBook()).book(counter)
    if book is None:
        return False
    if stored is None:
        row = {"meter": meter, "kind": kind, "book": book.build()}
        writing.connection.execute(insert(books).values(row))
    else:
        writing.connection.execute(update(books).where(*where).values(book=book.build()))
    return True


def parse_info(plain: bytes) -> InfoPart | None:
    """The Info part in an authentic answer; None where it cannot be read: then its receipt still counts."""
    try:
        part = parse_part(plain)
    except DecodeError:
        return None
    return part if isinstance(part, InfoPart) else None


def _parse_receipt(plain: bytes) -> Receipt | None:
    try:
        return Receipt.read(Reader(plain))
    except DecodeError:
        return None


def _parse_ring(rest: bytes) -> tuple[RingEntry, ...] | None:
    """The entries behind the receipt of code 04, oldest first; None where they cannot be read."""
    if len(rest) % RING_ENTRY_BYTES:
        return None
    reader = Reader(rest)
    return tuple(RingEntry.read(reader) for _ in range(len(rest) // RING_ENTRY_BYTES))
