"""What is done to one payment, whatever caused it: the next row, durable and told; its turn to speak; its next try."""

from dataclasses import replace
from typing import Final

from prewatt.host.payment.iso8583.book import Book, Entry
from prewatt.host.payment.iso8583.line import Line
from prewatt.host.payment.iso8583.profile import AcquirerProfile, Moment
from prewatt.host.payment.iso8583.reasons import Reason
from prewatt.host.payment.iso8583.requests import completion, reversal
from prewatt.host.payment.iso8583.rows import PaymentRow, Trace, outcome_of
from prewatt.host.payment.iso8583.steps import Effect, Note, Save, SaveTrace, Send, Tell
from prewatt.host.payment.port import NEXT_STATES, Declined, Guaranteed, PaymentState

__all__ = ["Desk"]

_TO_SEND: Final = (PaymentState.CAPTURING, PaymentState.REVERSING)
# Doublings of a pause; more would pass the longest wait anyway.
_DOUBLINGS_MAX: Final = 32


class Desk:
    """The book, the line, and the effects of the step that runs (`out`)."""

    def __init__(self, profile: AcquirerProfile, trace: Trace) -> None:
        self.profile = profile
        self.book = Book(trace, profile.advices_max)
        self.line = Line(profile)
        self.out: list[Effect] = []
        self._saved_trace = trace

    def note(self, what: str, row: PaymentRow, code: str = "") -> None:
        """Something for the log and for people."""
        self.out.append(Note(what, row.payment_id, row.rrn, code))

    def save(self, row: PaymentRow, before: PaymentState | None) -> None:
        """The row, and the message number it uses, are durable before what follows."""
        self.out.append(Save(row, before))
        if self.book.trace != self._saved_trace:
            self._saved_trace = self.book.trace
            self.out.append(SaveTrace(self.book.trace))

    def move(self, entry: Entry, row: PaymentRow, *, for_device: str = "") -> None:
        """The next state of a payment: durable, then told, with what their side says to the card's chip."""
        before = entry.row.state
        assert row.state in NEXT_STATES[before], f"{before} is never followed by {row.state}"
        self.save(row, before)
        self.book.put(entry, row)
        outcome = outcome_of(row)
        if isinstance(outcome, Guaranteed | Declined):
            outcome = replace(outcome, for_device=for_device)
        self.out.append(Tell(row.payment_id, outcome))

    def end(self, entry: Entry, row: PaymentRow, now: Moment, *, for_device: str = "") -> None:
        """The last state of a payment."""
        self.move(entry, replace(row, ended_s=max(now.utc_s, 1)), for_device=for_device)

    def capture(self, entry: Entry, now: Moment) -> None:
        """The money is to be taken from now on."""
        number = self.book.take_number(now)
        self.move(
            entry, replace(entry.row, state=PaymentState.CAPTURING, completion_stan=number, completion_s=now.utc_s)
        )
        self._begin(entry)

    def undo(self, entry: Entry, reason: Reason, now: Moment, *, code: str = "", approval: str = "") -> None:
        """The payment is reversed from now on, for good."""
        if entry.row.state is PaymentState.ASKED:
            # The question has left by now, if it has left at all.
            entry.since_ms = now.ms
        row = replace(
            entry.row,
            state=PaymentState.REVERSING,
            reason=reason.value,
            code=code,
            approval=approval or entry.row.approval,
            reversal_stan=self.book.take_number(now),
            reversal_s=now.utc_s,
        )
        self.move(entry, row)
        self._begin(entry)

    def take_up(self) -> None:
        """The line has just opened: everything that has to be said is said now."""
        if self.line.is_open:
            for entry in self.book:
                if entry.row.state in _TO_SEND:
                    self.book.queue(entry)

    def send_turns(self, now: Moment) -> None:
        """Completions and reversals whose turn it is."""
        if not self.line.is_open:
            return
        for entry in self.book.turns():
            if entry.row.state is PaymentState.CAPTURING:
                message = completion(entry.row, repeat=entry.attempts > 0)
            else:
                message = reversal(entry.row, self._reversal_type(entry.attempts))
            entry.attempts += 1
            self.book.wake(entry, now.ms + self.profile.advice_wait_ms)
            self.out.append(Send(message.build(self.profile.dialect)))

    def rest(self, entry: Entry, now: Moment) -> None:
        """It was not confirmed: its turn is given back, and it comes again after a pause that grows."""
        doublings = min(max(entry.attempts - 1, 0), _DOUBLINGS_MAX)
        pause_ms = min(self.profile.repeat_first_ms << doublings, self.profile.repeat_longest_ms)
        self.book.rest(entry, now.ms + pause_ms)

    def not_yet(self, entry: Entry, code: str, now: Moment) -> None:
        """Answered, but not confirmed: it comes again. Each new code is told once."""
        if code != entry.code:
            entry.code = code
            self.note("not confirmed yet", entry.row, code)
        if entry.under_way:
            self.rest(entry, now)

    def _begin(self, entry: Entry) -> None:
        """A completion or a reversal that has never been sent takes its turn, where there is a line."""
        entry.attempts, entry.code = 0, ""
        self.book.rest(entry, None)
        if self.line.is_open:
            self.book.queue(entry)

    def _reversal_type(self, attempts: int) -> str:
        requests = self.profile.requests_before_advice
        if attempts < requests:
            return "0401" if attempts else "0400"
        return "0421" if attempts > requests else "0420"
