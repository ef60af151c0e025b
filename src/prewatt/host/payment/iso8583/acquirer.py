"""Many card payments at one acquirer, as a machine: ``(event, now) -> effects``.

    asked --approved--> guaranteed --capture--> capturing --confirmed--> captured
      |                     |                       |
      |--declined           |--reverse              |--completion refused
      |--no answer, line lost, restart,             |
      |  any answer that leaves it open             |
      v                     v                       v
    reversing  <-----------------------------------------------  until confirmed: reversed

An authorization (0100) is sent once and never repeated. Completions (0220) and reversals (0400, then 0420) are
repeated, after restarts too, until their side has confirmed; every answer is matched by RRN, message number,
terminal, amount and currency, and what does not match changes nothing. "No such payment" ends a reversal only where
the authorization can not arrive any more and no approval has been seen. Effects and the rule of `Save` are told in
`steps`.

What has ended leaves the machine: the row tells later callers what became of it (``known``).
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from prewatt.codec.errors import DecodeError
from prewatt.host.payment.iso8583.book import Entry, restored
from prewatt.host.payment.iso8583.card import CardOnFile, TokenKey
from prewatt.host.payment.iso8583.desk import Desk
from prewatt.host.payment.iso8583.hearing import hear
from prewatt.host.payment.iso8583.messages import parse_message
from prewatt.host.payment.iso8583.owner import answer_decided, restate
from prewatt.host.payment.iso8583.profile import AcquirerProfile, Moment
from prewatt.host.payment.iso8583.reasons import Reason
from prewatt.host.payment.iso8583.requests import authorization, echo_answer
from prewatt.host.payment.iso8583.rows import PaymentRow, Trace, make_rrn, outcome_of, resolve_day
from prewatt.host.payment.iso8583.steps import (
    Answer,
    Ask,
    Capture,
    Effect,
    Event,
    LineLost,
    LineUp,
    Note,
    Received,
    Reverse,
    Send,
    SignOver,
    Started,
    Tick,
)
from prewatt.host.payment.port import Declined, PaymentState

__all__ = ["Acquirer"]


class Acquirer:
    """The machine. ``rows`` and ``trace``: what is stored of payments that have not ended, and of message numbers."""

    def __init__(
        self, profile: AcquirerProfile, key: TokenKey, rows: Iterable[PaymentRow] = (), trace: Trace | None = None
    ) -> None:
        self.profile = profile
        self._key = key
        self._stored: tuple[PaymentRow, ...] = tuple(row for row in rows if not row.has_ended)
        self._desk = Desk(profile, trace or Trace())

    @property
    def wake_ms(self) -> int | None:
        """When a `Tick` is due, in milliseconds of the line; None: only another event can change anything."""
        times = (self._desk.book.wake_ms, self._desk.line.wake_ms)
        return min((due_ms for due_ms in times if due_ms is not None), default=None)

    @property
    def is_open(self) -> bool:
        """Whether the acquirer can be asked now."""
        return self._desk.line.is_open

    def open_rows(self) -> Mapping[str, PaymentRow]:
        """The rows of all payments that have not ended."""
        return {row.payment_id: row for row in (*self._stored, *(entry.row for entry in self._desk.book))}

    def has_open(self, payment_id: str) -> bool:
        """Whether this payment has not ended, so that the machine needs no row to know it."""
        return self._desk.book.find(payment_id) is not None

    def step(self, event: Event, now: Moment) -> tuple[Effect, ...]:
        """Takes one event; see `steps` for what has to be done with the effects."""
        desk = self._desk
        desk.out = []
        match event:
            case Started():
                self._start(now)
            case Ask():
                self._ask(event, now)
            case Capture() | Reverse() | SignOver():
                self._decide(event, now)
            case Received():
                self._receive(event.data, now)
            case LineUp():
                desk.out += desk.line.up(now)
                desk.take_up()
            case LineLost():
                self._lose(now)
            case Tick():
                self._tick(now)
        desk.send_turns(now)
        return tuple(desk.out)

    def _start(self, now: Moment) -> None:
        self._desk.book.raise_numbers(now)
        for entry in restored(self._stored, now):
            self._desk.book.add(entry)
            if entry.row.state is PaymentState.ASKED:
                # The question may have left and been approved; nobody was told, so it is undone.
                self._desk.undo(entry, Reason.RESTARTED, now)
        self._stored = ()
        self._desk.out += self._desk.line.start(now)

    def _ask(self, event: Ask, now: Moment) -> None:
        desk, profile, card = self._desk, self.profile, event.card
        entry = desk.book.find(event.payment_id)
        row = entry.row if entry is not None else event.known
        if row is not None:
            desk.out.append(restate(event, row))
            return
        reason = self._why_not(now)
        if reason is not None:
            desk.out.append(Answer(event.call, Declined(reason.value, asked=False)))
            return
        number = desk.book.take_number(now)
        row = PaymentRow(
            payment_id=event.payment_id,
            state=PaymentState.ASKED,
            amount_minor=event.amount_minor,
            currency=profile.currency,
            terminal=profile.terminal,
            merchant=profile.merchant,
            acquirer_id=profile.acquirer_id,
            rrn=make_rrn(number, now.utc_s),
            stan=number,
            asked_s=now.utc_s,
            token=card.token if isinstance(card, CardOnFile) else self._key.token(card.pan),
            last4=card.last4,
        )
        # Laid out first: a card that cannot be written asks for nothing.
        question = authorization(row, card, profile).build(profile.dialect)
        entry = Entry(row, since_ms=now.ms)
        desk.book.add(entry)
        desk.book.wake(entry, now.ms + profile.answer_wait_ms)
        desk.save(row, None)
        desk.out += (Send(question), Answer(event.call, outcome_of(row)))

    def _why_not(self, now: Moment) -> Reason | None:
        book = self._desk.book
        if not self._desk.line.is_open:
            return Reason.UNREACHABLE
        full = book.asked >= self.profile.asks_max or len(book) >= self.profile.open_max
        return Reason.BUSY if full or not book.has_numbers(now) else None

    def _decide(self, event: Capture | Reverse | SignOver, now: Moment) -> None:
        desk = self._desk
        entry = desk.book.find(event.payment_id)
        decided = answer_decided(event, entry.row if entry is not None else event.known)
        if decided is not None or entry is None:
            desk.out += () if decided is None else (decided,)
            return
        if isinstance(event, Capture):
            desk.capture(entry, now)
        elif isinstance(event, Reverse):
            desk.undo(entry, Reason.WITHDRAWN, now)
        else:
            self._sign_over(entry, event.state, now)
        desk.out.append(Answer(event.call, outcome_of(entry.row)))

    def _sign_over(self, entry: Entry, state: PaymentState, now: Moment) -> None:
        day = resolve_day("", now.utc_s) if state is PaymentState.CAPTURED else ""
        self._desk.note("signed over", entry.row, entry.code)
        signed = replace(entry.row, state=state, reason=Reason.SIGNED_OVER.value, code=entry.code, settled_day=day)
        self._desk.end(entry, signed, now)

    def _lose(self, now: Moment) -> None:
        desk = self._desk
        desk.out += desk.line.lost(now)
        desk.book.drop_turns()
        for entry in desk.book:
            if entry.row.state is PaymentState.ASKED:
                desk.undo(entry, Reason.LINE_LOST, now)

    def _tick(self, now: Moment) -> None:
        desk = self._desk
        for entry in desk.book.due(now.ms):
            if entry.row.state is PaymentState.ASKED:
                desk.undo(entry, Reason.TIMED_OUT, now)
            elif entry.under_way:
                desk.rest(entry, now)
            elif desk.line.is_open:
                desk.book.queue(entry)
        desk.out += desk.line.tick(now)

    def _receive(self, data: bytes, now: Moment) -> None:
        desk = self._desk
        try:
            message = parse_message(data, self.profile.dialect)
        except DecodeError as error:
            desk.out.append(Note(f"not a message: {error.field}"))
            return
        desk.line.heard(now)
        if message.mti == "0800":
            desk.out.append(Send(echo_answer(message).build(self.profile.dialect)))
        elif message.mti == "0810":
            was_open = desk.line.is_open
            desk.out += desk.line.answered(message, now)
            if not was_open:
                desk.take_up()
        else:
            hear(desk, message, now)
