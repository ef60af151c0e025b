"""The engine: which meters are called now, what is done with what they answer, when to try again.

One session at a time a meter, held in memory; what must survive is in the database before its bytes go out. A session
that waits longer than a prompt session lives is given up, a failed one is tried again with back-off, for ever. All
messages of one moment are handled as one batch: every choice and every fact is a piece of work of its own, and the
writer puts them into one commit. Call `tick` and `arrived` from one thread; `wake` from any.
"""

import heapq
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Final

import structlog
from sqlalchemy import or_, select

from prewatt.codec.commands import Code, Command
from prewatt.codec.messages import MessageType
from prewatt.codec.receipt import Status
from prewatt.crypto import suite
from prewatt.host.context import HostContext
from prewatt.host.dispatch.choice import Choice, Wish, choose
from prewatt.host.dispatch.inbound import Inbound
from prewatt.host.dispatch.results import book_result, parse_info
from prewatt.host.fields import meter_bytes
from prewatt.host.keys import VaultError
from prewatt.host.refusals import HostError
from prewatt.host.store import Writing, schema
from prewatt.protocol.host import Done, Ended, HostSession, Outcome, Send
from prewatt.protocol.transfer import TransferRuleError, WorkKind
from prewatt.units import MeterId, Sequence

__all__ = ["Dispatch", "DispatchSettings", "Post"]

_log = structlog.get_logger("prewatt.dispatch")
_SESSION_RANDOM_BYTES: Final = 32
# After these a meter shows other registers, another relay, another price.
_REFRESHED: Final = frozenset({Code.VALUE, Code.COMMISSION, Code.MODE, Code.RELAY})


@dataclass(frozen=True, slots=True)
class DispatchSettings:
    """Times of the line are milliseconds of wall time; ``poll_s`` is installation time."""

    session_ms: int = 30_000
    """A prompt session's life."""
    backoff_first_ms: int = 1_000
    backoff_most_ms: int = 60_000
    sessions_per_station_max: int = 64
    """Sessions at once below one station: a batch that its line can carry in a fraction of a session's life."""
    poll_s: int = 6 * 3_600
    """How often each meter's clock is checked and its usage collected."""
    poll_floor_ms: int = 2_000
    """The least wall time between two polls of a meter, however fast installation time runs."""
    refresh_after_value: bool = True
    """Ask for the registers right after a transfer, so that relay and sums are shown as they are."""


@dataclass(frozen=True, slots=True)
class Post:
    """Payloads for the meters below one station, at most one a meter."""

    station: str
    messages: tuple[tuple[MeterId, bytes], ...]


@dataclass(slots=True)
class _Call:
    """One session under way."""

    choice: Choice
    session: HostSession
    random: bytes
    begun_ms: int


@dataclass(slots=True)
class _Line:
    """What the engine remembers of one meter; nothing of it has to survive."""

    meter: str
    station: str
    call: _Call | None = None
    due_ms: int | None = None
    failures: int = 0
    attempts: int = 0
    polled_ms: int | None = None
    wish: Wish = field(default_factory=lambda: Wish(query=False))
    last_work: tuple[WorkKind, int, int] | None = None


class Dispatch:
    """See the module."""

    def __init__(self, context: HostContext, settings: DispatchSettings | None = None) -> None:
        self._context = context
        self.settings = settings or DispatchSettings()
        self._lines: dict[str, _Line] = {}
        self._due: list[tuple[int, str]] = []
        self._polls: list[tuple[int, str]] = []
        self._calls: dict[str, int] = {}
        self._woken: set[str] = set()
        self._gate = threading.Lock()
        self._inbound = Inbound(context)
        self._started = False

    def wake(self, meter: str) -> None:
        """Something waits for this meter: it is looked at in the next tick. Safe from any thread."""
        with self._gate:
            self._woken.add(meter)

    def tick(self, line_ms: int) -> list[Post]:
        """Gives up what waited too long, and calls every meter that is due. ``line_ms`` never goes back."""
        if not self._started:
            self._start(line_ms)
        self._take_woken(line_ms)
        self._give_up(line_ms)
        self._take_polls(line_ms)
        return self._posts(self._call_due(line_ms))

    def arrived(self, messages: Iterable[tuple[bytes, bytes]], line_ms: int) -> list[Post]:
        """What meters sent, as (id, payload) pairs from any station; gives what is to be posted next, new calls too."""
        answers: list[tuple[_Line, bytes]] = []
        done: list[tuple[_Line, _Call, Outcome, Future[None]]] = []
        begun: list[tuple[str, Future[list[bytes]]]] = []
        for meter_id, payload in messages:
            line = self._line(bytes(meter_id).hex().upper())
            if line is None or not payload:
                continue
            if payload[0] in (MessageType.REPORT, MessageType.ALARM, MessageType.WISH):
                begun += [(line.meter, booking) for booking in self._inbound.take(line.meter, payload)]
                continue
            self._answer(line, payload, line_ms, answers, done)
        for line, call, outcome, future in done:
            self._concluded(line, call, outcome, future, line_ms)
        for meter, booking in begun:
            answers += [(self._lines[meter], reply) for reply in self._replies(meter, booking)]
        return self._posts(answers) + self.tick(line_ms)

    def next_wake_ms(self, line_ms: int) -> int:
        """When to tick again at the latest, in line milliseconds."""
        with self._gate:
            if self._woken:
                return line_ms
        waiting = [line_ms + self.settings.backoff_first_ms]
        if self._due:
            waiting.append(self._due[0][0])
        return max(line_ms, min(waiting))

    def read_open_sessions(self) -> int:
        """How many sessions are under way."""
        return sum(self._calls.values())

    def _start(self, line_ms: int) -> None:
        """After a start, everything that waited before it waits again."""
        self._started = True
        meters, books, controls = schema.meters, schema.books, schema.controls
        waiting = select(controls.c.meter).where(controls.c.state == "waiting")
        wanted = (
            select(meters.c.id)
            .join_from(meters, books, books.c.meter == meters.c.id)
            .where(or_(books.c.work, meters.c.id.in_(waiting)))
        )
        with self._context.store.reading() as connection:
            for meter in connection.execute(wanted).scalars():
                self._schedule(self._line(meter), line_ms)
            for meter in connection.execute(select(meters.c.id)).scalars():
                heapq.heappush(self._polls, (self._context.now(), meter))

    def _line(self, meter: str) -> _Line | None:
        """What is remembered of a meter, read from the registry the first time; None for one that is not enrolled."""
        line = self._lines.get(meter)
        if line is None:
            with self._context.store.reading() as connection:
                wanted = select(schema.meters.c.station).where(schema.meters.c.id == meter)
                station = connection.execute(wanted).scalar()
            if station is None:
                return None
            line = self._lines[meter] = _Line(meter, station)
        return line

    def _schedule(self, line: _Line | None, due_ms: int) -> None:
        if line is not None and (line.due_ms is None or due_ms < line.due_ms):
            line.due_ms = due_ms
            heapq.heappush(self._due, (due_ms, line.meter))

    def _take_woken(self, line_ms: int) -> None:
        with self._gate:
            woken, self._woken = self._woken, set()
        for meter in sorted(woken):
            line = self._line(meter)
            if line is None:
                continue
            if line.polled_ms is None:
                heapq.heappush(self._polls, (self._context.now(), meter))
            line.failures = 0
            self._schedule(line, line_ms)

    def _take_polls(self, line_ms: int) -> None:
        now_s = self._context.now()
        while self._polls and self._polls[0][0] <= now_s:
            _, meter = heapq.heappop(self._polls)
            line = self._line(meter)
            if line is None:
                continue
            heapq.heappush(self._polls, (now_s + self.settings.poll_s, meter))
            if line.polled_ms is None or line_ms - line.polled_ms >= self.settings.poll_floor_ms:
                line.polled_ms = line_ms
                if not line.wish.query:
                    line.wish = Wish(query=True)
                self._schedule(line, line_ms)

    def _give_up(self, line_ms: int) -> None:
        for meter in [meter for meter, begun_ms in self._open() if line_ms - begun_ms > self.settings.session_ms]:
            line = self._lines[meter]
            self._end_call(line)
            self._back_off(line, line_ms)

    def _open(self) -> list[tuple[str, int]]:
        return [(line.meter, line.call.begun_ms) for line in self._lines.values() if line.call is not None]

    def _end_call(self, line: _Line) -> None:
        if line.call is not None:
            line.call = None
            self._calls[line.station] -= 1

    def _back_off(self, line: _Line, line_ms: int) -> None:
        """The next try: later each time, up to the most."""
        pause = self.settings.backoff_first_ms << min(line.failures, 16)
        line.failures += 1
        self._schedule(line, line_ms + min(pause, self.settings.backoff_most_ms))

    def _call_due(self, line_ms: int) -> list[tuple[_Line, bytes]]:
        """Begins a session with every meter that is due and has something to be sent."""
        chosen: list[tuple[_Line, Future[Choice | None]]] = []
        later: list[_Line] = []
        for line in self._pop_due(line_ms):
            if self._calls.get(line.station, 0) >= self.settings.sessions_per_station_max:
                later.append(line)
                continue
            self._calls[line.station] = self._calls.get(line.station, 0) + 1
            chosen.append((line, self._context.store.submit(self._choosing(line))))
        for line in later:
            self._schedule(line, line_ms + self.settings.backoff_first_ms)
        return [hello for line, future in chosen for hello in self._begin(line, future, line_ms)]

    def _choosing(self, line: _Line) -> Callable[[Writing], Choice | None]:
        return lambda writing: choose(writing, self._context, line.meter, line.wish, attempt=line.attempts)

    def _pop_due(self, line_ms: int) -> list[_Line]:
        found: list[_Line] = []
        while self._due and self._due[0][0] <= line_ms:
            due_ms, meter = heapq.heappop(self._due)
            line = self._lines[meter]
            if line.due_ms != due_ms:
                continue
            line.due_ms = None
            if line.call is None:
                found.append(line)
        return found

    def _begin(self, line: _Line, future: Future[Choice | None], line_ms: int) -> list[tuple[_Line, bytes]]:
        try:
            choice = future.result()
            if choice is None:
                self._calls[line.station] -= 1
                return []
            if choice.work.kind is WorkKind.COMMISSION:
                # The body of code 07 begins with the epoch; it stands outside the database before it goes out (R8).
                self._context.generation.note_epoch(line.meter, choice.work.body[0])
            random = self._context.random(_SESSION_RANDOM_BYTES)
            session = self._session(line.meter, choice, choice.work.body, random)
        except (HostError, VaultError, TransferRuleError, ValueError) as error:
            self._calls[line.station] -= 1
            _log.error("cannot call meter", meter=line.meter, cause=str(error))
            self._back_off(line, line_ms)
            return []
        line.attempts += 1
        line.call = _Call(choice, session, random, line_ms)
        return [(line, session.hello())]

    def _session(self, meter: str, choice: Choice, body: bytes, random: bytes) -> HostSession:
        meter_id = meter_bytes(meter)
        key = self._context.vault.terminal_key(choice.key_set, meter_id)
        command = Command(choice.work.code, Sequence(choice.work.sequence), body)
        return HostSession(meter_id, suite(choice.suite), choice.key_set, key, command, random)

    def _answer(
        self,
        line: _Line,
        payload: bytes,
        line_ms: int,
        answers: list[tuple[_Line, bytes]],
        done: list[tuple[_Line, _Call, Outcome, Future[None]]],
    ) -> None:
        """One payload for the session under way with its meter, if there is one."""
        call = line.call
        if call is None:
            return
        if payload[0] == MessageType.PROOF and call.choice.work.code is Code.USAGE:
            self._set_time(line, call)
        reply = call.session.receive(payload)
        if isinstance(reply, Send):
            answers.append((line, reply.payload))
        elif isinstance(reply, Done):
            booked = self._context.store.submit(self._booking(line.meter, call.choice, reply.outcome))
            done.append((line, call, reply.outcome, booked))
            self._end_call(line)
        elif isinstance(reply, Ended):
            self._end_call(line)
            self._back_off(line, line_ms)

    def _set_time(self, line: _Line, call: _Call) -> None:
        """A usage query carries the time at which its Command goes out, not that of the Hello: a meter takes the true
        time to lie between it and the arrival (R11). The session is made again from the same random bytes: the same
        Hello, another body; the first body was never sent."""
        if call.session.command.body != call.choice.work.body:
            return
        choice = call.choice
        body = self._context.now().to_bytes(4, "big") + choice.work.body[4:]
        call.session = self._session(line.meter, choice, body, call.random)
        call.session.hello()

    def _booking(self, meter: str, choice: Choice, outcome: Outcome) -> Callable[[Writing], None]:
        def work(writing: Writing) -> None:
            book_result(writing, self._context, meter, choice, outcome)

        return work

    def _concluded(self, line: _Line, call: _Call, outcome: Outcome, booked: Future[None], line_ms: int) -> None:
        """A Result was proved: what comes next for this meter, once it is booked."""
        try:
            booked.result()
        except (HostError, TransferRuleError, ValueError) as error:
            _log.error("cannot book a result", meter=line.meter, cause=str(error))
            self._back_off(line, line_ms)
            return
        work = call.choice.work
        self._follow(line, call, outcome)
        this = (work.kind, int(work.sequence), call.choice.part if work.kind is WorkKind.QUERY else 0)
        again = this == line.last_work and not line.wish.query
        line.last_work = this
        if outcome.receipt.status is not Status.DONE or again:
            self._back_off(line, line_ms)
        else:
            line.failures = 0
            self._schedule(line, line_ms)

    def _follow(self, line: _Line, call: _Call, outcome: Outcome) -> None:
        """What to ask next where nothing more urgent waits: the rest of a day, or the registers after a transfer."""
        choice = call.choice
        if choice.work.code is Code.USAGE:
            part = parse_info(outcome.plain)
            more = part is not None and choice.day and part.part + 1 < part.parts and part.part == choice.part
            line.wish = Wish(query=bool(more), day=choice.day, part=choice.part + 1) if more else Wish(query=False)
        elif choice.work.code in _REFRESHED and self.settings.refresh_after_value and not line.wish.query:
            line.wish = Wish(query=True, registers_only=True)

    def _replies(self, meter: str, booking: Future[list[bytes]]) -> list[bytes]:
        """What to send back for a message that started at a meter, once it is booked; it may have woken work."""
        try:
            replies = booking.result()
        except (HostError, TransferRuleError, ValueError) as error:
            _log.error("cannot book a message", meter=meter, cause=str(error))
            return []
        self.wake(meter)
        return replies

    def _posts(self, messages: Iterable[tuple[_Line, bytes]]) -> list[Post]:
        stations: dict[str, list[tuple[MeterId, bytes]]] = {}
        for line, payload in messages:
            stations.setdefault(line.station, []).append((meter_bytes(line.meter), payload))
        return [Post(station, tuple(each)) for station, each in stations.items()]
