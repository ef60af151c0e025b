"""The engine as the field sees it: box messages in, box messages out.

Every message of a moment is handled as one batch. What stations kept is booked in the order in which they numbered it,
in one commit with the number up to which it is booked; only then is it acknowledged, and the boxes below forget it. A
number that was jumped over is waited for, unless its sender says that it holds nothing lower any more. Stations whose
Health shows other members or other settings than the registry's are told theirs again; so are those below which a
place has changed. What names another place than the one it came through, or nobody's, is foreign: counted, and nothing
else.
"""

from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

import structlog
from sqlalchemy import select

from prewatt.codec.errors import DecodeError
from prewatt.codec.hop import (
    Answers,
    AreaHealth,
    Health,
    HopMessage,
    Kept,
    KeptAck,
    Members,
    Plan,
    Refused,
    RefusedReason,
    Round,
    build_hop,
    parse_hop,
)
from prewatt.host.context import HostContext
from prewatt.host.dispatch.engine import Arrived, Dispatch
from prewatt.host.dispatch.keeping import KeptMarks
from prewatt.host.dispatch.posts import Post
from prewatt.host.dispatch.reach import Reach
from prewatt.host.health import book_area_health, book_health, book_refusal
from prewatt.host.refusals import StoreError
from prewatt.host.stations import members_of, plan_of
from prewatt.host.store import Writing, schema
from prewatt.units import Address

__all__ = ["Hop", "Network"]

_log = structlog.get_logger("prewatt.dispatch")
# After these a station does not know its meters as the registry has them.
_MISPLACED: Final = frozenset(
    {
        RefusedReason.NOT_MEMBER,
        RefusedReason.METER_TWICE,
        RefusedReason.M_ID_TWICE,
        RefusedReason.NOT_STORED,
    }
)
# Pauses, in line time, between two tellings of the same thing to the same station.
_TELL_EVERY_MS: Final = 5_000


@dataclass(frozen=True, slots=True)
class Hop:
    """A box message for the area server of this number."""

    area: int
    data: bytes


@dataclass(slots=True)
class _Heard:
    """What one arrival of box messages holds, by kind."""

    messages: list[Arrived] = field(default_factory=list)
    done: list[tuple[str, int]] = field(default_factory=list)
    kept: OrderedDict[tuple[str, bytes], KeptAck] = field(default_factory=OrderedDict)
    tell: set[str] = field(default_factory=set)
    health: list[tuple[str, Health | AreaHealth | Refused]] = field(default_factory=list)


class Network:
    """See the module. Call `tick` and `arrived` from one thread; `wake` from any."""

    def __init__(self, context: HostContext, dispatch: Dispatch) -> None:
        self._context = context
        self._dispatch = dispatch
        self._addresses: dict[str, Address] = {}
        self._stations: dict[Address, str] = {}
        self._areas: dict[int, str] = {}
        self._told_ms: dict[str, int] = {}
        self._tell: set[str] = set()
        self._marks = KeptMarks(context)
        self._reach = Reach()
        self.counts: Counter[str] = Counter()
        """Messages since the start: `foreign`, `unreadable`, `gaps` (kept items that came too early), `again`."""

    def wake(self, meter: str) -> None:
        """Something waits for this meter. Safe from any thread."""
        self._dispatch.wake(meter)

    def tick(self, line_ms: int) -> list[Hop]:
        """What is to be sent now. ``line_ms`` never goes back."""
        self._look_again()
        return [*self._tellings(line_ms), *self._rounds(self._dispatch.tick(line_ms))]

    def arrived(self, messages: Iterable[tuple[int, bytes]], line_ms: int) -> list[Hop]:
        """What came up, as (area it came through, box message); gives what is to be sent now."""
        self._look_again()
        heard = _Heard()
        for area, data in messages:
            message = self._parse(area, data)
            if message is not None:
                self._sort(message, heard)
        return self._handle(heard, line_ms)

    def link(self, area: int, line_ms: int, *, up: bool) -> None:
        """The way to an area server is there, or is gone: its stations are called anew, or not waited for."""
        self._look_again()
        turn = self._dispatch.station_back if up else self._dispatch.station_away
        self._reach.forget(area)
        for station in self._below(area):
            turn(station, line_ms)

    def next_wake_ms(self, line_ms: int) -> int:
        """When to tick again at the latest, in line milliseconds."""
        return self._dispatch.next_wake_ms(line_ms)

    def _handle(self, heard: _Heard, line_ms: int) -> list[Hop]:
        marks = [self._telling(place, told) for place, told in heard.health]
        marks += [self._marks.write] if self._marks.fresh else []
        try:
            posts = self._dispatch.arrived(heard.messages, line_ms, marks)
        except StoreError:
            self._marks.undo()
            raise
        self._marks.settle()
        acks = [_hop(ack) for ack in heard.kept.values()]
        for station, number in heard.done:
            self._dispatch.round_done(station, number, line_ms)
        for _, told in heard.health:
            self._turn(told, line_ms)
        self._tell |= heard.tell
        return [*acks, *self._tellings(line_ms), *self._rounds(posts)]

    def _turn(self, told: Health | AreaHealth | Refused, line_ms: int) -> None:
        """What a box told of itself may mean that stations are away, or back."""
        for address, there in self._reach.turned(told):
            station = self._stations.get(address)
            if station is not None:
                (self._dispatch.station_back if there else self._dispatch.station_away)(station, line_ms)

    def _below(self, area: int) -> list[str]:
        return [station for address, station in self._stations.items() if address.area == area]

    def _parse(self, area: int, data: bytes) -> HopMessage | None:
        try:
            message = parse_hop(data)
        except DecodeError as error:
            self.counts["unreadable"] += 1
            _log.info("box message unreadable", area=area, cause=str(error))
            return None
        if message.address.area != area:
            self.counts["foreign"] += 1
            return None
        return message

    def _sort(self, message: HopMessage, heard: _Heard) -> None:
        if isinstance(message, AreaHealth):
            area = self._areas.get(message.address.area)
            if area is not None:
                heard.health.append((area, message))
                return
        station = self._stations.get(message.address)
        if station is None:
            self.counts["foreign"] += 1
            return
        if isinstance(message, Answers):
            heard.messages += [Arrived(meter_id, payload, station) for meter_id, payload in message.items]
            if message.done:
                heard.done.append((station, message.number))
        elif isinstance(message, Kept):
            self._keep(station, message, heard)
        elif isinstance(message, Health | Refused):
            heard.health.append((station, message))
            if self._is_stale(station, message):
                heard.tell.add(station)
        else:
            self.counts["foreign"] += 1

    def _keep(self, station: str, message: Kept, heard: _Heard) -> None:
        fresh = self._marks.take(station, message)
        if fresh is None:
            self.counts["gaps"] += 1
            return
        self.counts["again"] += len(message.items) - len(fresh)
        heard.messages += [Arrived(meter_id, payload, station) for meter_id, payload in fresh]
        # Never more than was there: a mark that somebody lied about would else make an honest box forget what it holds.
        before, last = heard.kept.get((station, message.spool)), message.first + len(message.items) - 1
        number = max(last, before.number if before is not None else 0)
        heard.kept[station, message.spool] = KeptAck(message.address, message.spool, number)

    def _is_stale(self, station: str, message: Health | Refused) -> bool:
        """Whether the station has to be told again who stands below it and how it works."""
        if isinstance(message, Refused):
            return message.reason in _MISPLACED
        with self._context.store.reading() as connection:
            line = connection.execute(
                select(schema.stations.c.line).where(schema.stations.c.id == station)
            ).scalar_one()
            members = members_of(connection, station, message.address)
        current = (members.version, plan_of(line, message.address).version)
        return (message.members_version, message.plan_version) != current

    def _look_again(self) -> None:
        """Places that changed since the last time: addresses are read again, and who is concerned is told."""
        places = self._context.places
        changed: list[str] = [] if self._addresses else [""]
        while places:
            changed.append(places.popleft())
        if not changed:
            return
        try:
            self._read_places()
            for station in dict.fromkeys(changed):
                self._dispatch.places_changed(station)
        except Exception:
            places.extend(changed)
            raise
        for station in changed:
            if station:
                self._tell.add(station)
                self._told_ms.pop(station, None)

    def _read_places(self) -> None:
        areas, stations = schema.areas, schema.stations
        with self._context.store.reading() as connection:
            self._areas = {row.number: row.id for row in connection.execute(select(areas.c.number, areas.c.id))}
            numbers = {area: number for number, area in self._areas.items()}
            rows = connection.execute(select(stations.c.id, stations.c.area, stations.c.number))
            self._addresses = {row.id: Address(numbers[row.area], row.number) for row in rows}
        self._stations = {address: station for station, address in self._addresses.items()}

    def _tellings(self, line_ms: int) -> list[Hop]:
        """Members and Plan for the stations that have to be told, none of them too often."""
        due = [
            each for each in sorted(self._tell) if line_ms - self._told_ms.get(each, -_TELL_EVERY_MS) >= _TELL_EVERY_MS
        ]
        hops: list[Hop] = []
        if not due:
            return hops
        with self._context.store.reading() as connection:
            for station in due:
                address = self._addresses.get(station)
                if address is None:
                    continue
                line = connection.execute(select(schema.stations.c.line).where(schema.stations.c.id == station))
                hops += [_hop(plan_of(line.scalar_one(), address)), _hop(members_of(connection, station, address))]
                self._told_ms[station] = line_ms
        self._tell -= set(due)
        return hops

    def _telling(self, place: str, told: Health | AreaHealth | Refused) -> Callable[[Writing], None]:
        """The piece of work that books what a box told of itself."""
        now_s = self._context.now()
        if isinstance(told, AreaHealth):
            return lambda writing: book_area_health(writing, place, told, now_s)
        if isinstance(told, Refused):
            return lambda writing: book_refusal(writing, place, told, now_s)
        return lambda writing: book_health(writing, place, told, now_s)

    def _rounds(self, posts: Sequence[Post]) -> list[Hop]:
        return [
            _hop(Round(self._addresses[post.station], post.number, post.urgent, post.messages))
            for post in posts
            if post.station in self._addresses
        ]


def _hop(message: Round | Members | Plan | KeptAck) -> Hop:
    return Hop(message.address.area, build_hop(message))
