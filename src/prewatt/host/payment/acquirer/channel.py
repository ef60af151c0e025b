"""The machine of `iso8583.acquirer` at work: events in one bounded queue, one commit for all that lie there, then
bytes.

One task takes events and does what follows, so everything happens in one order. All events that wait become one
batch: the machine takes them one by one, their rows go to the journal in one commit, and only then bytes leave and
callers are told. A journal that fails ends the channel: nothing behind the failed commit is done, every caller is
told, and the next channel starts from what is durable.
"""

import asyncio
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Final

import structlog

from prewatt.host.fields import check_id
from prewatt.host.payment.acquirer.calls import Calls, ChannelError
from prewatt.host.payment.acquirer.connection import AcquirerPlace, Connection
from prewatt.host.payment.acquirer.journal import PaymentJournal
from prewatt.host.payment.iso8583.acquirer import Acquirer
from prewatt.host.payment.iso8583.card import Card, CardOnFile, TokenKey
from prewatt.host.payment.iso8583.messages import Wire
from prewatt.host.payment.iso8583.profile import AMOUNT_MAX_MINOR, AcquirerProfile, Moment
from prewatt.host.payment.iso8583.reasons import Reason
from prewatt.host.payment.iso8583.rows import PaymentRow, Trace, outcome_of
from prewatt.host.payment.iso8583.steps import (
    Answer,
    Ask,
    Capture,
    Dial,
    Effect,
    Event,
    HangUp,
    LineLost,
    LineUp,
    Note,
    Received,
    Refuse,
    Reverse,
    Save,
    SaveTrace,
    Send,
    SignOver,
    Started,
    Tell,
    Tick,
)
from prewatt.host.payment.port import Declined, PaymentOutcome, PaymentState, is_decided, outcome_has_ended
from prewatt.units import ValueFieldError

__all__ = ["BATCH_MAX", "EVENTS_MAX", "AcquirerChannel", "wall_clock"]

_log = structlog.get_logger("prewatt.payment")
# Events that wait: callers beyond are told that too much is under way; the acquirer is read more slowly.
EVENTS_MAX: Final = 1_024
# Events of one commit: more gains nothing and makes the first wait.
BATCH_MAX: Final = 128
_MS_PER_S: Final = 1_000

Called = Ask | Capture | Reverse | SignOver
Clock = Callable[[], Moment]


def wall_clock() -> Moment:
    """The line's monotonic milliseconds and the world's second."""
    return Moment(time.monotonic_ns() // 1_000_000, int(time.time()))


def log_note(note: Note) -> None:
    """Puts a note into the log."""
    _log.info(note.what, payment=note.payment_id, rrn=note.rrn, code=note.code)


class AcquirerChannel:
    """Card payments at one acquirer. `run` does the work; the other methods are for tasks of the same loop."""

    def __init__(
        self,
        place: AcquirerPlace,
        profile: AcquirerProfile,
        key: TokenKey,
        journal: PaymentJournal,
        *,
        clock: Clock = wall_clock,
        notes: Callable[[Note], None] = log_note,
    ) -> None:
        self._place, self._profile, self._key, self._journal = place, profile, key, journal
        self._clock, self._notes = clock, notes
        self._machine: Acquirer | None = None
        self._events: asyncio.Queue[Event] = asyncio.Queue(EVENTS_MAX)
        self._calls = Calls()
        self._connection: Connection | None = None
        self._dialling: asyncio.Task[None] | None = None
        self._why_ended = ""
        self.ready = asyncio.Event()
        """Set while the acquirer can be asked."""

    async def ask(self, payment_id: str, amount_minor: int, card: Card | CardOnFile) -> PaymentOutcome:
        """Asks for a guarantee, and waits for it: Guaranteed, Declined, Unknown, or how the payment stands by now.

        RefusedError for an id with other fields, ValueFieldError for one or an amount that cannot be; ChannelError
        where the channel ended first (ask again, same id).
        """
        check_id(payment_id, field="payment")
        if not 0 < amount_minor <= AMOUNT_MAX_MINOR:
            raise ValueFieldError("amount", amount_minor, f"1 to {AMOUNT_MAX_MINOR} minor units")
        if self._events.full():
            return Declined(Reason.BUSY.value, asked=False)
        return await self._call(Ask(self._calls.number(), payment_id, amount_minor, card), is_decided)

    async def capture(self, payment_id: str) -> PaymentOutcome:
        """Decides to take the money: durable on return. RefusedError, ChannelError."""
        return await self._call(Capture(self._calls.number(), payment_id), lambda outcome: True)

    async def reverse(self, payment_id: str) -> PaymentOutcome:
        """Decides to give the money back: durable on return. RefusedError, ChannelError."""
        return await self._call(Reverse(self._calls.number(), payment_id), lambda outcome: True)

    async def sign_over(self, payment_id: str, state: PaymentState) -> PaymentOutcome:
        """A person ends what the acquirer does not confirm: durable on return. RefusedError, ChannelError."""
        return await self._call(SignOver(self._calls.number(), payment_id, state), lambda outcome: True)

    async def wait_ended(self, payment_id: str) -> PaymentOutcome | None:
        """How a payment ended, once it has; None where it was never asked for. ChannelError."""
        # Registered before the look, so that an end in between is not missed.
        waiter = self._calls.wait(payment_id, outcome_has_ended)
        try:
            row = (await asyncio.to_thread(self._journal.read, [payment_id])).get(payment_id)
            if row is None or row.has_ended:
                return None if row is None else outcome_of(row)
            return await waiter.future
        finally:
            self._calls.forget(waiter)

    async def run(self) -> None:
        """Works until it is cancelled; raises what the journal raised. What is open goes on in the next channel."""
        try:
            rows, trace = await asyncio.to_thread(lambda: (self._journal.read_open(), self._journal.read_trace()))
            self._machine = Acquirer(self._profile, self._key, rows, trace)
            await self._take(self._machine, [Started()])
            while True:
                await self._take(self._machine, await self._next_events(self._machine))
        except Exception as error:
            self._why_ended = str(error) or type(error).__name__
            raise
        finally:
            self._end()

    async def _call(self, event: Called, wanted: Callable[[PaymentOutcome], bool]) -> PaymentOutcome:
        if self._why_ended:
            raise ChannelError(f"payment {event.payment_id}: the channel has ended: {self._why_ended}")
        if self._events.full():
            raise ChannelError(f"payment {event.payment_id}: {EVENTS_MAX:,} calls wait already; call again later")
        waiter = self._calls.begin(event.call, event.payment_id, wanted)
        self._events.put_nowait(event)
        return await waiter.future

    async def _next_events(self, machine: Acquirer) -> list[Event]:
        """Everything that waits, or a Tick when that is due."""
        events: list[Event] = []
        wake_ms = machine.wake_ms
        wait_s = None if wake_ms is None else max(0, wake_ms - self._clock().ms) / _MS_PER_S
        try:
            async with asyncio.timeout(wait_s):
                events.append(await self._events.get())
        except TimeoutError:
            return [Tick()]
        while len(events) < BATCH_MAX and not self._events.empty():
            events.append(self._events.get_nowait())
        # A busy line does not keep time from passing.
        return [*events, Tick()]

    async def _take(self, machine: Acquirer, events: list[Event]) -> None:
        known = await self._read_ended(machine, events)
        effects: list[Effect] = []
        for event in events:
            if isinstance(event, Called):
                event = replace(event, known=known.get(event.payment_id))
            for effect in machine.step(event, self._clock()):
                if isinstance(effect, Save) and effect.row.has_ended:
                    known[effect.row.payment_id] = effect.row
                effects.append(effect)
        saves = [effect for effect in effects if isinstance(effect, Save)]
        traces = [effect.trace for effect in effects if isinstance(effect, SaveTrace)]
        if saves or traces:
            await self._commit(saves, traces[-1] if traces else None)
        for effect in effects:
            self._carry_out(effect)
        self.ready.set() if machine.is_open else self.ready.clear()

    async def _commit(self, saves: list[Save], trace: Trace | None) -> None:
        writing = asyncio.ensure_future(asyncio.to_thread(self._journal.write, saves, trace))
        try:
            await asyncio.shield(writing)
        except asyncio.CancelledError:
            # A commit cannot be called back: whoever starts next must find it done.
            await asyncio.wait([writing])
            raise

    async def _read_ended(self, machine: Acquirer, events: Iterable[Event]) -> dict[str, PaymentRow]:
        """The stored rows of what is called for and is not open."""
        called = {event.payment_id for event in events if isinstance(event, Called)}
        closed = sorted(payment_id for payment_id in called if not machine.has_open(payment_id))
        return dict(await asyncio.to_thread(self._journal.read, closed)) if closed else {}

    def _carry_out(self, effect: Effect) -> None:
        match effect:
            case Send(data):
                self._send(data)
            case Answer(call, outcome):
                self._calls.answer(call, outcome)
            case Refuse():
                self._calls.refuse(effect)
            case Tell(payment_id, outcome):
                self._calls.tell(payment_id, outcome)
            case Dial():
                self._dialling = asyncio.create_task(self._connect())
            case HangUp(why):
                self._notes(Note(f"hung up: {why}"))
                if self._connection is not None:
                    self._connection.close()
            case Note():
                self._notes(effect)

    def _send(self, data: Wire) -> None:
        if self._connection is not None:
            self._connection.send(data)

    async def _connect(self) -> None:
        """One connection, from dialling to its end."""
        connection = self._connection = Connection(self._place)
        try:
            why = await connection.run(
                lambda: self._events.put(LineUp()), lambda data: self._events.put(Received(data))
            )
        except Exception as error:
            # Whatever it was (a host name that is none), the line is lost, and is dialled again.
            why = f"{type(error).__name__}: {error}"
        self._notes(Note(f"no connection: {why}"))
        await self._events.put(LineLost())

    def _end(self) -> None:
        self._why_ended = self._why_ended or "it was closed"
        self.ready.clear()
        if self._connection is not None:
            self._connection.close()
        if self._dialling is not None:
            self._dialling.cancel()
        self._calls.end(self._why_ended)
