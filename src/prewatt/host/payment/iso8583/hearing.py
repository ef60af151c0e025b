"""What an answer about a payment does: one that fits moves it on, any other changes nothing and is noted."""

from dataclasses import replace

from prewatt.host.payment.iso8583.answers import (
    Verdict,
    approval_of,
    belongs_to,
    is_about,
    judge_authorization,
    token_of,
    verdict_reason,
)
from prewatt.host.payment.iso8583.book import Entry
from prewatt.host.payment.iso8583.desk import Desk
from prewatt.host.payment.iso8583.fields import De
from prewatt.host.payment.iso8583.messages import Message
from prewatt.host.payment.iso8583.profile import Moment
from prewatt.host.payment.iso8583.reasons import APPROVED, PASSING, Reason, state_of_reversal
from prewatt.host.payment.iso8583.rows import resolve_day
from prewatt.host.payment.iso8583.steps import Note
from prewatt.host.payment.port import PaymentState

__all__ = ["hear"]


def hear(desk: Desk, message: Message, now: Moment) -> None:
    """Takes an answer (0110, 0230, 0410, 0430)."""
    rrn, code = message.get(De.RRN), message.get(De.RESPONSE)
    entry = desk.book.find_rrn(rrn)
    if entry is None:
        desk.out.append(Note("an answer about no open payment", rrn=rrn, code=code))
    elif not belongs_to(message, entry.row):
        desk.note("an answer that does not fit", entry.row, code)
    elif message.mti == "0110":
        _authorized(desk, entry, message, now)
    elif not is_about(message, entry.row):
        desk.note("an answer about another amount", entry.row, code)
    elif message.mti == "0230":
        _completed(desk, entry, message, now)
    else:
        _undone(desk, entry, code, now)


def _authorized(desk: Desk, entry: Entry, message: Message, now: Moment) -> None:
    row, code, approval = entry.row, message.get(De.RESPONSE), approval_of(message)
    if row.state is not PaymentState.ASKED:
        _authorized_late(desk, entry, message)
        return
    verdict = judge_authorization(message, row)
    desk.book.rest(entry, None)
    if verdict is Verdict.APPROVED:
        guaranteed = replace(row, state=PaymentState.GUARANTEED, approval=approval, code=code)
        desk.move(entry, replace(guaranteed, token=token_of(message, row)), for_device=message.get(De.CHIP))
    elif verdict is Verdict.DECLINED:
        reason = verdict_reason(message, row).value
        declined = replace(row, state=PaymentState.DECLINED, reason=reason, code=code)
        desk.end(entry, declined, now, for_device=message.get(De.CHIP))
    else:
        desk.undo(entry, verdict_reason(message, row), now, code=code, approval=approval)


def _authorized_late(desk: Desk, entry: Entry, message: Message) -> None:
    """An answer to what has been answered, or is being undone: it changes no state, but their number is kept."""
    row, code, approval = entry.row, message.get(De.RESPONSE), approval_of(message)
    if row.state is PaymentState.REVERSING:
        desk.note("an answer after the reversal began", row, code)
        if code == APPROVED and approval and not row.approval:
            known = replace(row, approval=approval)
            desk.save(known, row.state)
            desk.book.put(entry, known)
    elif code == APPROVED and approval == row.approval:
        desk.note("answered twice", row, code)
    else:
        desk.note("a second answer that contradicts the first", row, code)


def _completed(desk: Desk, entry: Entry, message: Message, now: Moment) -> None:
    row, code = entry.row, message.get(De.RESPONSE)
    if row.state is not PaymentState.CAPTURING:
        desk.note("a completion answered after the reversal began", row, code)
    elif code == APPROVED:
        day = resolve_day(message.get(De.SETTLEMENT_DATE), now.utc_s)
        desk.end(entry, replace(row, state=PaymentState.CAPTURED, code=code, settled_day=day), now)
    elif code in PASSING or not code:
        desk.not_yet(entry, code, now)
    else:
        desk.note("completion refused", row, code)
        desk.undo(entry, Reason.COMPLETION_REFUSED, now, code=code)


def _undone(desk: Desk, entry: Entry, code: str, now: Moment) -> None:
    may_arrive = now.ms - entry.since_ms < desk.profile.travel_ms
    state = state_of_reversal(code, approved=bool(entry.row.approval), may_arrive=may_arrive)
    if state is PaymentState.REVERSED:
        desk.end(entry, replace(entry.row, state=state), now)
    else:
        desk.not_yet(entry, code, now)
