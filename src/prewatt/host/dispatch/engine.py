"""The engine: which meters are called now, what is done with what they answer, when to try again.

One session at a time a meter, held in memory; what must survive is in the database before its bytes go out. A session
that waits longer than a prompt session lives is given up, a failed one is tried again with back-off, for ever. All
messages of one moment are handled as one batch: all choices of a moment are one commit, and so is all that came back.
Call `tick` and `arrived` from one thread; `wake` from any.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import structlog

from prewatt.codec.commands import Code
from prewatt.codec.messages import MessageType
from prewatt.codec.receipt import Status
from prewatt.host.campaigns.loading import PROGRAM_CODES
from prewatt.host.campaigns.runner import Runner
from prewatt.host.context import HostContext
from prewatt.host.dispatch.agenda import Call, Line
from prewatt.host.dispatch.choice import Choice, Wish
from prewatt.host.dispatch.inbound import Arrived, Inbound
from prewatt.host.dispatch.posts import DispatchSettings, Post
from prewatt.host.dispatch.quota import Place, StationQueue
from prewatt.host.dispatch.roster import Outgoing, Roster
from prewatt.host.dispatch.sessions import (
    SESSION_RANDOM_BYTES,
    booking,
    choosing,
    is_urgent,
    make_session,
    set_time,
    wish_after,
)
from prewatt.host.dispatch.together import write_together
from prewatt.host.dispatch.unbooked import or_unbooked
from prewatt.host.refusals import StoreError
from prewatt.host.store import Writing
from prewatt.protocol.host import Done, Ended, Outcome, Send
from prewatt.protocol.transfer import WorkKind

__all__ = ["Arrived", "Dispatch"]

_log = structlog.get_logger("prewatt.dispatch")
# Choices in one commit: a start with many stations must not hold up a sale for seconds.
_CHOICES_MAX: Final = 512


@dataclass(slots=True)
class _Batch:
    """What one arrival of messages leads to: pieces of work, and what to do with what each gave."""

    answers: list[Outgoing] = field(default_factory=list)
    works: list[Callable[[Writing], Any]] = field(default_factory=list)
    then: list[Callable[[Any], None]] = field(default_factory=list)


class Dispatch:
    """See the module."""

    def __init__(self, context: HostContext, settings: DispatchSettings | None = None) -> None:
        self._context = context
        self.settings = settings or DispatchSettings()
        self._roster = Roster(context, self.settings)
        self._inbound = Inbound(context)
        self.campaigns = Runner(context)

    @property
    def sessions_open(self) -> int:
        """How many sessions are under way."""
        return self._roster.sessions

    @property
    def dropped(self) -> int:
        """Messages of meters that proved nothing."""
        return self._inbound.dropped

    def wake(self, meter: str) -> None:
        """Something waits for this meter: it is looked at in the next tick. Safe from any thread."""
        self._roster.agenda.wake(meter)

    def tick(self, line_ms: int) -> list[Post]:
        """Gives up what waited too long, and calls every meter that is due. ``line_ms`` never goes back."""
        self._roster.start(line_ms)
        for meter in self._roster.agenda.take_woken():
            self._roster.woken(meter, line_ms)
        for line in self._roster.pop_overdue(line_ms):
            self._roster.unanswered(line, line_ms)
        self._poll(line_ms)
        self._context.released.extend(self.campaigns.tick(line_ms))
        while self._context.released:
            self._roster.woken(self._context.released.popleft(), line_ms, urgent=False)
        return self._call_due(line_ms)

    def arrived(
        self,
        messages: Iterable[tuple[bytes, bytes] | Arrived],
        line_ms: int,
        marks: Sequence[Callable[[Writing], None]] = (),
    ) -> list[Post]:
        """What meters sent, in order; gives what is to be posted next, new calls too.

        ``marks`` are written in the same commit, after everything else. StoreError where that commit failed: nothing
        of it is booked then, and the sessions are held again. What is booked is answered, whatever fails after it.
        """
        batch = _Batch()
        known = [each if isinstance(each, Arrived) else Arrived(*each) for each in messages]
        self._inbound.expect(each.meter for each in known if each.is_from_meter)
        for each in known:
            self._take(each, line_ms, batch)
        try:
            outcomes = write_together(self._context.store, [*batch.works, *marks])
        except StoreError as error:
            for follow in batch.then:
                follow(error)
            raise
        for follow, outcome in zip(batch.then, outcomes, strict=False):
            follow(outcome)
        for failed in filter(_is_error, outcomes[len(batch.works) :]):
            _log.error("cannot book what a box told", cause=str(failed))
        posts = self._roster.posts(batch.answers)
        try:
            return posts + self.tick(line_ms)
        except StoreError as error:
            _log.error("dispatch pauses", cause=str(error))
            return posts

    def round_done(self, station: str, number: int, line_ms: int) -> None:
        """A station has worked through a round: meters that did not answer it are given up and called again later."""
        queue = self._roster.queues.get(station)
        for line in queue.end_round(number) if queue is not None else ():
            self._roster.unanswered(line, line_ms)

    def station_away(self, station: str, line_ms: int) -> None:
        """Nothing reaches this station now; what is under way there is given up at once."""
        self._roster.away(station, line_ms)

    def station_back(self, station: str, line_ms: int) -> None:
        """The station can be reached again, or has begun anew; its meters are called without waiting."""
        self._roster.back(station, line_ms)

    def places_changed(self, station: str) -> None:
        """Something below this station (all of them: "") is not as it was: remembered places are read again."""
        self._roster.places_changed(station)

    def next_wake_ms(self, line_ms: int) -> int:
        """When to tick again at the latest, in line milliseconds."""
        latest = line_ms + self.settings.backoff_first_ms
        due_ms = self._roster.agenda.next_ms(line_ms)
        return latest if due_ms is None else max(line_ms, min(latest, due_ms))

    def _poll(self, line_ms: int) -> None:
        for meter in self._roster.polls.pop_due():
            line = self._roster.line(meter)
            if line is None or (line.polled_ms is not None and line_ms - line.polled_ms < self.settings.poll_floor_ms):
                continue
            line.polled_ms = line_ms
            if line.wish.day is None:
                line.wish = Wish(query=True)
            self._roster.agenda.schedule(line, line_ms)

    def _call_due(self, line_ms: int) -> list[Post]:
        """Begins a session with every meter that is due, has something to be sent, and finds room on its line."""
        for line in self._roster.pop_due(line_ms):
            pause_ms = line.pause_ms(line_ms)
            if pause_ms:
                self._roster.agenda.schedule(line, line_ms + pause_ms)
            else:
                self._roster.queue(line.station).put(line, _place_of(line))
        hellos: list[Outgoing] = []
        while admitted := [(line, queue) for queue in self._roster.queues.values() for line in queue.admit(line_ms)]:
            for first in range(0, len(admitted), _CHOICES_MAX):
                hellos += self._begin_all(admitted[first : first + _CHOICES_MAX], line_ms)
        return self._roster.posts(hellos)

    def _begin_all(self, admitted: list[tuple[Line, StationQueue]], line_ms: int) -> list[Outgoing]:
        works = [choosing(self._context, line, self._wish_now(line)) for line, _ in admitted]
        try:
            chosen = write_together(self._context.store, works)
        except StoreError as error:
            chosen = [error] * len(admitted)
        hellos: list[Outgoing] = []
        for (line, queue), choice in zip(admitted, chosen, strict=True):
            if choice is None:
                line.urgent = False
                queue.release(line)
            else:
                hellos += self._begin(line, queue, choice, line_ms)
        return hellos

    def _wish_now(self, line: Line) -> Wish:
        """A poll that was not begun waits for its window."""
        if line.wish.query and line.wish.day is None and not line.wish.registers_only:
            return line.wish if self._roster.polls.is_open(line.station) else Wish(query=False)
        return line.wish

    def _begin(self, line: Line, queue: StationQueue, choice: Choice | Exception, line_ms: int) -> list[Outgoing]:
        try:
            if isinstance(choice, Exception):
                raise choice
            if choice.work.kind is WorkKind.COMMISSION:
                # The body of code 07 begins with the epoch; it stands outside the database before it goes out (R8).
                self._context.generation.note_epoch(line.meter, choice.work.body[0])
            random = self._context.random(SESSION_RANDOM_BYTES)
            session = make_session(self._context, line.meter, choice, choice.work.body, random)
        except Exception as error:  # one meter's trouble, whatever it is, must not hold up the others
            queue.release(line)
            _log.error("cannot call meter", meter=line.meter, cause=str(error))
            self._roster.fail(line, line_ms)
            return []
        # A program is long, and no money waits for this meter now: it does not stand before what others wait for.
        line.urgent = line.urgent and choice.work.code not in PROGRAM_CODES
        line.spend_hello()
        line.call = Call(choice, session, random, queue, line_ms + queue.patience_ms())
        self._roster.agenda.expect(line, line.call)
        self._roster.sessions += 1
        # A meter that may be silent overtakes nobody; its Command does, once it has answered.
        return [Outgoing(line, queue.station, is_urgent(choice) and not line.silent, session.hello())]

    def _take(self, arrived: Arrived, line_ms: int, batch: _Batch) -> None:
        line = self._roster.line(arrived.meter)
        if arrived.is_from_meter:
            station = arrived.station or (line.station if line is not None else None)
            for work in self._inbound.take(arrived.meter, arrived.payload):
                batch.works.append(or_unbooked(work, self._context, arrived, station))
                batch.then.append(self._booked(line, station, batch, line_ms))
        # What only another station says of a meter ends no session, and does not show that its own station hears it.
        if line is None or not arrived.payload or not line.is_heard_through(arrived.station):
            return
        line.silent = False
        if line.call is not None and not arrived.is_from_meter:
            try:
                self._answer(line, line.call, arrived.payload, line_ms, batch)
            except Exception as error:  # as above: a key set that was retired meanwhile, say
                _log.error("session dropped", meter=line.meter, cause=str(error))
                self._roster.fail(line, line_ms)

    def _answer(self, line: Line, call: Call, payload: bytes, line_ms: int, batch: _Batch) -> None:
        """One payload for the session under way with its meter."""
        if payload[0] == MessageType.PROOF and call.choice.work.code is Code.USAGE and not call.timed:
            set_time(self._context, line.meter, call)
        reply = call.session.receive(payload)
        if isinstance(reply, Send):
            call.round, call.deadline_ms = None, line_ms + call.queue.patience_ms()
            self._roster.agenda.expect(line, call)
            batch.answers.append(Outgoing(line, call.queue.station, is_urgent(call.choice), reply.payload))
        elif isinstance(reply, Done):
            batch.works.append(booking(self._context, line.meter, call.choice, reply.outcome))
            batch.then.append(self._concluded(line, call, reply.outcome, line_ms))
            self._roster.end_call(line)
        elif isinstance(reply, Ended):
            self._roster.fail(line, line_ms)

    def _concluded(self, line: Line, call: Call, outcome: Outcome, line_ms: int) -> Callable[[Any], None]:
        """A Result was proved: what comes next for this meter, once it is booked."""

        def conclude(booked: object) -> None:
            if isinstance(booked, Exception):
                _log.error("cannot book a result", meter=line.meter, cause=str(booked))
                self._roster.fail(line, line_ms)
                return
            work = call.choice.work
            line.wish = wish_after(line, call.choice, outcome, refresh=self.settings.refresh_after_value)
            this = (work.kind, work.sequence, work.body)
            again, line.last_work = this == line.last_work, this
            if outcome.receipt.status is not Status.DONE or again:
                # Refused, or no step further: whatever it is, it does not help to ask at once.
                self._roster.fail(line, line_ms)
            else:
                # A fence that lets the next order pass a refused one is no success: several refused ones would else
                # take turns without a pause, for ever, and use up the sequences of the epoch.
                line.failures = line.failures if work.kind is WorkKind.FENCE else 0
                self._roster.agenda.schedule(line, line_ms)

        return conclude

    def _booked(self, line: Line | None, station: str | None, batch: _Batch, line_ms: int) -> Callable[[Any], None]:
        """What to send back for a message that started at a meter, once it is booked; it may have woken work."""

        def reply(booked: list[bytes] | Exception) -> None:
            if isinstance(booked, Exception) or line is None or station is None:
                return
            batch.answers += [Outgoing(line, station, True, payload) for payload in booked]
            line.failures = 0
            self._roster.agenda.schedule(line, line_ms)

        return reply


def _place_of(line: Line) -> Place:
    if line.silent:
        return Place.DOUBTFUL
    return Place.URGENT if line.urgent else Place.ORDINARY


def _is_error(outcome: object) -> bool:
    return isinstance(outcome, Exception)
