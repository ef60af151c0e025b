"""What the engine remembers: every meter, every station's line, who is due. Nothing of it has to survive.

It is read from the registry at the start, and again where somebody tells that a place has changed.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Final, NamedTuple

from sqlalchemy import or_, select

from prewatt.codec.batch import METERS_MAX
from prewatt.codec.messages import MessageType
from prewatt.host.context import HostContext
from prewatt.host.dispatch.agenda import Agenda, Line
from prewatt.host.dispatch.polls import Polls
from prewatt.host.dispatch.posts import DispatchSettings, Post
from prewatt.host.dispatch.quota import StationQueue
from prewatt.host.fields import meter_bytes
from prewatt.host.lines import line_cost
from prewatt.host.store import schema

__all__ = ["Outgoing", "Roster"]

# More rounds a second than one station is ever given.
_ROUNDS_S: Final = 64
_NUMBERS: Final = 2**32


class Outgoing(NamedTuple):
    """A payload for a meter, by way of a station; ``urgent``: before what is not."""

    line: Line
    station: str
    urgent: bool
    payload: bytes


class Roster:
    """Lines of meters, queues of stations, due times, polls."""

    def __init__(self, context: HostContext, settings: DispatchSettings) -> None:
        self._context = context
        self._settings = settings
        self._lines: dict[str, Line] = {}
        # The same by station: one that comes and goes must not cost a look at every meter there is.
        self._stations: dict[str, dict[str, Line]] = {}
        self._started = False
        self.queues: dict[str, StationQueue] = {}
        self.agenda = Agenda()
        self.polls = Polls(context, settings.poll_s)
        self.sessions = 0

    def start(self, line_ms: int) -> None:
        """The first time: everything that waited before the start waits again."""
        if self._started:
            return
        self._started = True
        meters, books, controls = schema.meters, schema.books, schema.controls
        waiting = select(controls.c.meter).where(controls.c.state == "waiting")
        pending = or_(books.c.work, meters.c.id.in_(waiting))
        with self._context.store.reading() as connection:
            joined = select(meters.c.id, meters.c.station, meters.c.m_id, pending).join_from(meters, books)
            for meter, station, m_id, work in connection.execute(joined.order_by(meters.c.id)):
                line = self._lines.get(meter) or self._add(Line(meter, station, m_id))
                if work:
                    self.agenda.schedule(line, line_ms)
        self.polls.look_again("")

    def line(self, meter: str) -> Line | None:
        """What is remembered of a meter, read from the registry the first time; None for one that is not enrolled."""
        line = self._lines.get(meter)
        if line is None:
            with self._context.store.reading() as connection:
                wanted = select(schema.meters.c.station, schema.meters.c.m_id).where(schema.meters.c.id == meter)
                place = connection.execute(wanted).one_or_none()
            if place is None:
                return None
            line = self._add(Line(meter, place.station, place.m_id))
        return line

    def _add(self, line: Line) -> Line:
        self._lines[line.meter] = line
        self._stations.setdefault(line.station, {})[line.meter] = line
        return line

    def queue(self, station: str) -> StationQueue:
        """The queue of a station, begun where there is none."""
        queue = self.queues.get(station)
        if queue is None:
            with self._context.store.reading() as connection:
                wanted = select(schema.stations.c.line).where(schema.stations.c.id == station)
                profile = connection.execute(wanted).scalar_one()
            # Above the numbers of an earlier life of this host, some of which may still wait in the station.
            first = self._context.now() * _ROUNDS_S % _NUMBERS
            queue = self.queues[station] = StationQueue(station, line_cost(profile), self._settings, first)
        return queue

    def woken(self, meter: str, line_ms: int, *, urgent: bool = True) -> None:
        """Somebody asked for something: the meter is called at once, ahead of polls. What a campaign brings is not
        ``urgent``: on a slow line a sale would else wait for every meter that it has let go."""
        line = self.line(meter)
        if line is not None:
            line.failures, line.silent, line.urgent = 0, False, line.urgent or urgent
            self.agenda.schedule(line, line_ms)

    def places_changed(self, station: str) -> None:
        """Something below this station (all of them: "") is not as it was: remembered places are read again."""
        if not self._started:
            return
        meters, stations = schema.meters, schema.stations
        wanted = select(meters.c.id, meters.c.station, meters.c.m_id)
        lines = select(stations.c.id, stations.c.line)
        if station:
            wanted, lines = wanted.where(meters.c.station == station), lines.where(stations.c.id == station)
        with self._context.store.reading() as connection:
            for meter, place, m_id in connection.execute(wanted):
                if (line := self._lines.get(meter)) is not None:
                    if line.station != place:
                        # Where it waited it is passed over; it waits anew where it stands now.
                        line.waits = None
                        self.agenda.schedule(line, 0)
                    self._stations[line.station].pop(meter, None)
                    line.station, line.m_id = place, m_id
                    self._add(line)
            for name, profile in connection.execute(lines):
                if (queue := self.queues.get(name)) is not None:
                    queue.cost = line_cost(profile)
        self.polls.look_again(station)

    def pop_due(self, line_ms: int) -> list[Line]:
        """The meters that are due and have no session under way."""
        return self.agenda.pop_due(line_ms, self._lines)

    def pop_overdue(self, line_ms: int) -> list[Line]:
        """The meters whose session has waited too long."""
        return self.agenda.pop_overdue(line_ms, self._lines)

    def end_call(self, line: Line) -> None:
        """The session under way is over, however it ended."""
        if line.call is not None:
            line.call.queue.release(line)
            line.call, self.sessions = None, self.sessions - 1

    def unanswered(self, line: Line, line_ms: int) -> None:
        """A call brought no answer in time."""
        line.silent = True
        if line.call is not None:
            line.call.queue.was_silent(line, line_ms)
        self.fail(line, line_ms)

    def fail(self, line: Line, line_ms: int) -> None:
        """The session came to nothing: the next is held after a pause that grows."""
        self.end_call(line)
        self.agenda.back_off(line, line_ms, self._settings.backoff_first_ms, self._settings.backoff_most_ms)

    def away(self, station: str, line_ms: int) -> None:
        """Nothing reaches this station now: what is under way there has come to nothing."""
        for line in self._below(station):
            if line.call is not None and line.call.queue.station == station:
                self.fail(line, line_ms)

    def back(self, station: str, line_ms: int) -> None:
        """The station can be reached again, or has begun anew: whoever waits below it waits no longer."""
        self.away(station, line_ms)
        for line in self._below(station):
            if line.failures:
                line.failures = 0
                self.agenda.schedule(line, line_ms)

    def _below(self, station: str) -> list[Line]:
        return list(self._stations.get(station, {}).values())

    def posts(self, messages: Iterable[Outgoing]) -> list[Post]:
        """Rounds: a second message for the same meter (two Alarms heard at once are two answers) goes in the next, and
        so does what a batch has no room for: a station may hand on what it heard of more meters than its own."""
        rounds: dict[tuple[str, bool, int], list[tuple[Line, bytes]]] = {}
        posted: Counter[tuple[str, str]] = Counter()
        for line, station, urgent, payload in messages:
            rounds.setdefault((station, not urgent, posted[line.meter, station]), []).append((line, payload))
            posted[line.meter, station] += 1
        found: list[Post] = []
        batches = (
            (station, not ordinary, each[at : at + METERS_MAX])
            for (station, ordinary, _), each in sorted(rounds.items(), key=lambda item: item[0])
            for at in range(0, len(each), METERS_MAX)
        )
        for station, urgent, each in batches:
            # No meter answers an acknowledgement: that it went out ends no call that is under way in another round.
            asked = [line for line, payload in each if payload[0] != MessageType.ALARM_ACK]
            number = self.queue(station).begin_round(asked)
            payloads = tuple((meter_bytes(line.meter), payload) for line, payload in each)
            found.append(Post(station, number, urgent, payloads))
        return found
