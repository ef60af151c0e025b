"""The engine: which meters are called now, what is done with what they answer, when to try again.

One session at a time a meter, held in memory; what must survive is in the database before its bytes go out. A session
that waits longer than a prompt session lives is given up, a failed one is tried again with back-off, for ever. All
messages of one moment are handled as one batch: every choice and every fact is a piece of work of its own, and the
writer puts them into one commit. Call `tick` and `arrived` from one thread; `wake` from any.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Final

import structlog
from sqlalchemy import or_, select

from prewatt.codec.bodies import UsageQuery
from prewatt.codec.commands import Code, Command
from prewatt.codec.messages import MessageType
from prewatt.codec.receipt import Status
from prewatt.crypto import suite
from prewatt.host.context import HostContext
from prewatt.host.dispatch.agenda import Agenda, Call, Line
from prewatt.host.dispatch.choice import Choice, Wish, choose
from prewatt.host.dispatch.inbound import Inbound
from prewatt.host.dispatch.posts import DispatchSettings, Post
from prewatt.host.dispatch.results import book_result, parse_info
from prewatt.host.fields import meter_bytes
from prewatt.host.store import Writing, schema
from prewatt.protocol.host import Done, Ended, HostSession, Outcome, Send
from prewatt.protocol.transfer import WorkKind
from prewatt.units import MeterId, Sequence

__all__ = ["Dispatch"]

_log = structlog.get_logger("prewatt.dispatch")
_SESSION_RANDOM_BYTES: Final = 32
_TIME_BYTES: Final = 4
# After these a meter shows other registers, another relay, another price, or a key that has to prove itself.
_REFRESHED: Final = frozenset({Code.VALUE, Code.COMMISSION, Code.RETIRE, Code.MODE, Code.RELAY, Code.KEY})
_FROM_METER: Final = frozenset({MessageType.REPORT, MessageType.ALARM, MessageType.WISH})
_NOTHING: Final = Wish(query=False)


@dataclass(slots=True)
class _Batch:
    """What one arrival of messages has led to."""

    answers: list[tuple[Line, bytes]]
    results: list[tuple[Line, Call, Outcome, "Future[None]"]]
    bookings: list[tuple[Line, "Future[list[bytes]]"]]


class Dispatch:
    """See the module."""

    def __init__(self, context: HostContext, settings: DispatchSettings | None = None) -> None:
        self._context = context
        self.settings = settings or DispatchSettings()
        self._lines: dict[str, Line] = {}
        self._busy: dict[str, Line] = {}
        self._per_station: dict[str, int] = {}
        self._agenda = Agenda()
        self._inbound = Inbound(context)
        self._started = False

    @property
    def sessions_open(self) -> int:
        """How many sessions are under way."""
        return len(self._busy)

    def wake(self, meter: str) -> None:
        """Something waits for this meter: it is looked at in the next tick. Safe from any thread."""
        self._agenda.wake(meter)

    def tick(self, line_ms: int) -> list[Post]:
        """Gives up what waited too long, and calls every meter that is due. ``line_ms`` never goes back."""
        if not self._started:
            self._start(line_ms)
        for meter in self._agenda.take_woken():
            self._woken(meter, line_ms)
        for line in [line for line in self._busy.values() if self._overdue(line, line_ms)]:
            self._end_call(line)
            self._back_off(line, line_ms)
        self._poll(line_ms)
        return self._posts(self._call_due(line_ms))

    def arrived(self, messages: Iterable[tuple[bytes, bytes]], line_ms: int) -> list[Post]:
        """What meters sent, as (id, payload) pairs from any station; gives what is to be posted next, new calls too."""
        batch = _Batch([], [], [])
        for meter_id, payload in messages:
            line = self._line(bytes(meter_id).hex().upper())
            if line is None or not payload:
                continue
            if payload[0] in _FROM_METER:
                batch.bookings += [(line, booking) for booking in self._inbound.take(line.meter, payload)]
            elif line.call is not None:
                self._answer_safely(line, line.call, payload, line_ms, batch)
        for line, call, outcome, booked in batch.results:
            self._concluded(line, call, outcome, booked, line_ms)
        for line, booking in batch.bookings:
            batch.answers += [(line, reply) for reply in self._replies(line, booking)]
        return self._posts(batch.answers) + self.tick(line_ms)

    def next_wake_ms(self, line_ms: int) -> int:
        """When to tick again at the latest, in line milliseconds."""
        latest = line_ms + self.settings.backoff_first_ms
        due_ms = self._agenda.next_ms(line_ms)
        return latest if due_ms is None else max(line_ms, min(latest, due_ms))

    def _start(self, line_ms: int) -> None:
        """After a start, everything that waited before it waits again."""
        self._started = True
        meters, books, controls = schema.meters, schema.books, schema.controls
        waiting = select(controls.c.meter).where(controls.c.state == "waiting")
        pending = or_(books.c.work, meters.c.id.in_(waiting))
        with self._context.store.reading() as connection:
            joined = select(meters.c.id, meters.c.station, pending).join_from(meters, books)
            for meter, station, work in connection.execute(joined):
                line = self._lines.setdefault(meter, Line(meter, station))
                self._agenda.add_poll(meter, self._context.now())
                if work:
                    self._agenda.schedule(line, line_ms)

    def _line(self, meter: str) -> Line | None:
        """What is remembered of a meter, read from the registry the first time; None for one that is not enrolled."""
        line = self._lines.get(meter)
        if line is None:
            with self._context.store.reading() as connection:
                wanted = select(schema.meters.c.station).where(schema.meters.c.id == meter)
                station = connection.execute(wanted).scalar()
            if station is None:
                return None
            line = self._lines[meter] = Line(meter, station)
            self._agenda.add_poll(meter, self._context.now())
        return line

    def _woken(self, meter: str, line_ms: int) -> None:
        line = self._line(meter)
        if line is not None:
            line.failures = 0
            self._agenda.schedule(line, line_ms)

    def _poll(self, line_ms: int) -> None:
        for meter in self._agenda.pop_polls(self._context.now(), self.settings.poll_s):
            line = self._line(meter)
            if line is None or (line.polled_ms is not None and line_ms - line.polled_ms < self.settings.poll_floor_ms):
                continue
            line.polled_ms = line_ms
            if line.wish.day is None:
                line.wish = Wish(query=True)
            self._agenda.schedule(line, line_ms)

    def _overdue(self, line: Line, line_ms: int) -> bool:
        return line.call is not None and line_ms - line.call.begun_ms > self.settings.session_ms

    def _end_call(self, line: Line) -> None:
        line.call = None
        self._busy.pop(line.meter, None)
        self._per_station[line.station] -= 1

    def _back_off(self, line: Line, line_ms: int) -> None:
        self._agenda.back_off(line, line_ms, self.settings.backoff_first_ms, self.settings.backoff_most_ms)

    def _call_due(self, line_ms: int) -> list[tuple[Line, bytes]]:
        """Begins a session with every meter that is due and has something to be sent."""
        chosen: list[tuple[Line, Future[Choice | None]]] = []
        later: list[tuple[Line, int]] = []
        for line in self._agenda.pop_due(line_ms, self._lines):
            pause_ms = line.pause_ms(line_ms)
            if self._per_station.get(line.station, 0) >= self.settings.sessions_per_station_max:
                pause_ms = max(pause_ms, 1)
            if pause_ms:
                later.append((line, line_ms + pause_ms))
                continue
            self._per_station[line.station] = self._per_station.get(line.station, 0) + 1
            chosen.append((line, self._context.store.submit(self._choosing(line))))
        for line, due_ms in later:
            self._agenda.schedule(line, due_ms)
        return [hello for line, future in chosen for hello in self._begin(line, future, line_ms)]

    def _choosing(self, line: Line) -> Callable[[Writing], Choice | None]:
        return lambda writing: choose(writing, self._context, line.meter, line.wish, failures=line.failures)

    def _begin(self, line: Line, future: "Future[Choice | None]", line_ms: int) -> list[tuple[Line, bytes]]:
        try:
            choice = future.result()
            if choice is None:
                self._per_station[line.station] -= 1
                return []
            if choice.work.kind is WorkKind.COMMISSION:
                # The body of code 07 begins with the epoch; it stands outside the database before it goes out (R8).
                self._context.generation.note_epoch(line.meter, choice.work.body[0])
            random = self._context.random(_SESSION_RANDOM_BYTES)
            session = self._session(line.meter, choice, choice.work.body, random)
        except Exception as error:  # one meter's trouble, whatever it is, must not hold up the others
            self._per_station[line.station] -= 1
            _log.error("cannot call meter", meter=line.meter, cause=str(error))
            self._back_off(line, line_ms)
            return []
        line.spend_hello()
        line.call = Call(choice, session, random, line_ms)
        self._busy[line.meter] = line
        return [(line, session.hello())]

    def _session(self, meter: str, choice: Choice, body: bytes, random: bytes) -> HostSession:
        meter_id = meter_bytes(meter)
        key = self._context.vault.terminal_key(choice.key_set, meter_id)
        command = Command(choice.work.code, Sequence(choice.work.sequence), body)
        return HostSession(meter_id, suite(choice.suite), choice.key_set, key, command, random)

    def _answer_safely(self, line: Line, call: Call, payload: bytes, line_ms: int, batch: _Batch) -> None:
        try:
            self._answer(line, call, payload, line_ms, batch)
        except Exception as error:  # as above: a key set that was retired meanwhile, say
            _log.error("session dropped", meter=line.meter, cause=str(error))
            if line.call is not None:
                self._end_call(line)
            self._back_off(line, line_ms)

    def _answer(self, line: Line, call: Call, payload: bytes, line_ms: int, batch: _Batch) -> None:
        """One payload for the session under way with its meter."""
        if payload[0] == MessageType.PROOF and call.choice.work.code is Code.USAGE and not call.timed:
            self._set_time(line, call)
        reply = call.session.receive(payload)
        if isinstance(reply, Send):
            batch.answers.append((line, reply.payload))
        elif isinstance(reply, Done):
            booked = self._context.store.submit(self._booking(line.meter, call.choice, reply.outcome))
            batch.results.append((line, call, reply.outcome, booked))
            self._end_call(line)
        elif isinstance(reply, Ended):
            self._end_call(line)
            self._back_off(line, line_ms)

    def _set_time(self, line: Line, call: Call) -> None:
        """A usage query carries the time at which its Command goes out, not that of the Hello: a meter takes the true
        time to lie between it and the arrival (R11). The session is made again from the same random bytes: the same
        Hello, another body; the first body was never sent."""
        body = self._context.now().to_bytes(_TIME_BYTES, "big") + call.choice.work.body[_TIME_BYTES:]
        call.session = self._session(line.meter, call.choice, body, call.random)
        call.session.hello()
        call.timed = True

    def _booking(self, meter: str, choice: Choice, outcome: Outcome) -> Callable[[Writing], None]:
        return lambda writing: book_result(writing, self._context, meter, choice, outcome)

    def _concluded(self, line: Line, call: Call, outcome: Outcome, booked: "Future[None]", line_ms: int) -> None:
        """A Result was proved: what comes next for this meter, once it is booked."""
        try:
            booked.result()
        except Exception as error:  # one meter's trouble, whatever it is, must not hold up the others
            _log.error("cannot book a result", meter=line.meter, cause=str(error))
            self._back_off(line, line_ms)
            return
        work = call.choice.work
        self._follow(line, call, outcome)
        this = (work.kind, work.sequence, work.body)
        again, line.last_work = this == line.last_work, this
        if outcome.receipt.status is not Status.DONE or again:
            # Refused, or no step further: whatever it is, it does not help to ask at once.
            self._back_off(line, line_ms)
        else:
            # A fence that lets the next order pass a refused one is no success: several refused ones would else take
            # turns without a pause, for ever, and use up the sequences of the epoch.
            line.failures = line.failures if work.kind is WorkKind.FENCE else 0
            self._agenda.schedule(line, line_ms)

    def _follow(self, line: Line, call: Call, outcome: Outcome) -> None:
        """What to ask next where nothing more urgent waits: the rest of a day, or the registers after a transfer."""
        choice = call.choice
        if choice.work.code is Code.USAGE:
            part = parse_info(outcome.plain)
            more = part is not None and part.part == choice.part and part.part + 1 < part.parts
            cursor = UsageQuery.parse(choice.work.body).events_acknowledged
            line.wish = (
                Wish(query=more, day=choice.day, part=choice.part + 1, acknowledged=cursor) if more else _NOTHING
            )
        elif choice.work.code in _REFRESHED and self.settings.refresh_after_value and not line.wish.query:
            line.wish = Wish(query=True, registers_only=True)

    def _replies(self, line: Line, booking: "Future[list[bytes]]") -> list[bytes]:
        """What to send back for a message that started at a meter, once it is booked; it may have woken work."""
        try:
            replies = booking.result()
        except Exception as error:  # one meter's trouble, whatever it is, must not hold up the others
            _log.error("cannot book a message", meter=line.meter, cause=str(error))
            return []
        self.wake(line.meter)
        return replies

    def _posts(self, messages: Iterable[tuple[Line, bytes]]) -> list[Post]:
        """Rounds: a second message for the same meter (two Alarms heard at once are two answers) goes in the next."""
        rounds: dict[tuple[str, int], list[tuple[MeterId, bytes]]] = {}
        posted: Counter[str] = Counter()
        for line, payload in messages:
            rounds.setdefault((line.station, posted[line.meter]), []).append((meter_bytes(line.meter), payload))
            posted[line.meter] += 1
        return [Post(station, tuple(each)) for (station, _), each in rounds.items()]
