"""An area server as a value: (event, line time) -> effects.

It joins up to 256 stations to the host. Rounds, members and plans go down to a station that is connected now, and wait
for none: they are worth nothing later, and the host is told at once. Answers go up and are forgotten. What stations
kept is stored, acknowledged below only when it is durable here, and goes up until the host has booked it. It looks into
no more than the head of a message where it need not; whatever names another area, or another station than the one it
came from, is refused. Losing its power is dropping the object.
"""

from typing import Final

from prewatt.codec.errors import DecodeError
from prewatt.codec.hop import (
    AreaHealth,
    Health,
    HopKind,
    HopMessage,
    Kept,
    KeptAck,
    RefusedReason,
    StationState,
    build_hop,
    parse_head,
    parse_hop,
)
from prewatt.device.area.events import (
    AreaEffect,
    AreaEvent,
    FromHost,
    FromStation,
    HostLink,
    StationLink,
    ToHost,
    ToStation,
    WakeAt,
)
from prewatt.device.area.storing import Storing
from prewatt.device.refusing import NotTakenError, refused
from prewatt.device.spool import Spools, count_boot
from prewatt.units import Address, check_number

__all__ = ["AREA_HEALTH_MS", "AREA_HEALTH_SOON_MS", "AreaServer"]

AREA_HEALTH_MS: Final = 60_000
# Stations that come and go together are told of together.
AREA_HEALTH_SOON_MS: Final = 1_000
_COUNT_MAX: Final = 2**32 - 1
_ROUTED_DOWN: Final = (HopKind.ROUND, HopKind.MEMBERS, HopKind.PLAN)
_ROUTED_UP: Final = (HopKind.ANSWERS, HopKind.REFUSED)


class AreaServer:
    """One area server with power. Its links are down until it is told otherwise."""

    def __init__(self, spools: Spools, area: int, line_ms: int) -> None:
        """``spools``: its memory, maybe of an earlier life; ValueFieldError for an area that is not 0 to 255."""
        self._area = check_number(area, field="area")
        self._address = Address(area, 0)
        self._boots = count_boot(spools)
        self._storing = Storing(spools, area)
        self._host_up = False
        self._connected: set[int] = set()
        self._health: dict[int, Health] = {}
        self._refused = 0
        self._health_ms = line_ms

    def step(self, event: AreaEvent, line_ms: int) -> list[AreaEffect]:
        """What the area server does about ``event`` at line time ``line_ms`` (milliseconds, never falling)."""
        effects: list[AreaEffect] = []
        match event:
            case FromHost():
                self._hear_host(event.data, effects)
            case FromStation():
                self._hear_station(event.station, event.data, effects)
            case StationLink():
                self._turn_station(event.station, line_ms, up=event.up)
            case HostLink():
                self._turn_host(line_ms, effects, up=event.up)
        return self._go_on(line_ms, effects)

    def _hear_host(self, data: bytes, effects: list[AreaEffect]) -> None:
        address = self._address
        try:
            kind, address = _parse_head(data)
            if address.area != self._area:
                raise NotTakenError(RefusedReason.FOREIGN, f"address: {address} came to area {self._area}")
            if kind is HopKind.KEPT_ACK:
                self._booked(data)
            elif kind not in _ROUTED_DOWN:
                raise NotTakenError(RefusedReason.DIRECTION, f"kind {kind:02X} goes up, and came down")
            elif address.station not in self._connected:
                raise NotTakenError(RefusedReason.AWAY, f"station: {address} is not connected")
            else:
                effects.append(ToStation(address.station, data))
        except NotTakenError as error:
            self._refuse(address, data, error, effects)

    def _booked(self, data: bytes) -> None:
        message = _parse(data)
        if isinstance(message, KeptAck):
            self._storing.booked(message.address.station, message.spool, message.number)

    def _hear_station(self, station: int, data: bytes, effects: list[AreaEffect]) -> None:
        try:
            kind, address = _parse_head(data)
            if address.area != self._area or address.station != station:
                here = Address(self._area, station)
                raise NotTakenError(RefusedReason.FOREIGN, f"address: {address} came from station {here}")
            if kind is HopKind.KEPT:
                self._keep(data, effects)
                return
            if kind is HopKind.HEALTH:
                self._note_health(data)
            elif kind not in _ROUTED_UP:
                raise NotTakenError(RefusedReason.DIRECTION, f"kind {kind:02X} goes down, and came up")
            self._to_host(data, effects)
        except NotTakenError as error:
            self._refuse(Address(self._area, station), data, error, effects)

    def _keep(self, data: bytes, effects: list[AreaEffect]) -> None:
        message = _parse(data)
        if not isinstance(message, Kept):
            return
        number = self._storing.take(message)
        if number is not None:
            ack = KeptAck(message.address, message.spool, number)
            effects.append(ToStation(message.address.station, build_hop(ack)))

    def _note_health(self, data: bytes) -> None:
        message = _parse(data)
        if isinstance(message, Health):
            self._health[message.address.station] = message

    def _turn_station(self, station: int, line_ms: int, *, up: bool) -> None:
        check_number(station, field="station")
        if up:
            self._connected.add(station)
        else:
            self._connected.discard(station)
        self._health_ms = min(self._health_ms, line_ms + AREA_HEALTH_SOON_MS)

    def _turn_host(self, line_ms: int, effects: list[AreaEffect], *, up: bool) -> None:
        self._host_up = up
        if up:
            self._storing.link_is_new()
            self._health_ms = line_ms
            # What stations told while the host was away: it sends them by that what they have not got yet.
            for station in sorted(self._connected & self._health.keys()):
                self._to_host(build_hop(self._health[station]), effects)

    def _refuse(self, address: Address, data: bytes, error: NotTakenError, effects: list[AreaEffect]) -> None:
        self._refused = min(self._refused + 1, _COUNT_MAX)
        self._to_host(build_hop(refused(address, data, error)), effects)

    def _to_host(self, data: bytes, effects: list[AreaEffect]) -> None:
        if self._host_up:
            effects.append(ToHost(data))

    def _go_on(self, line_ms: int, effects: list[AreaEffect]) -> list[AreaEffect]:
        if not self._host_up:
            return effects
        if line_ms >= self._health_ms:
            self._health_ms = line_ms + AREA_HEALTH_MS
            effects.append(ToHost(build_hop(self._area_health())))
        wake_ms = self._health_ms
        if self._storing.busy:
            effects += [ToHost(build_hop(message)) for message in self._storing.pick(line_ms)]
            due_ms = self._storing.due_ms()
            wake_ms = wake_ms if due_ms is None else min(due_ms, wake_ms)
        effects.append(WakeAt(max(wake_ms, line_ms + 1)))
        return effects

    def _area_health(self) -> AreaHealth:
        numbers = sorted({*self._connected, *self._health, *self._storing.stations})
        states = tuple(map(self._state, numbers))
        return AreaHealth(self._address, self._boots, sum(state.kept for state in states), self._refused, states)

    def _state(self, station: int) -> StationState:
        health = self._health.get(station)
        return StationState(
            station=station,
            connected=station in self._connected,
            kept=self._storing.kept(station),
            waiting=health.waiting if health is not None else 0,
            silent=len(health.silent) if health is not None else 0,
        )


def _parse_head(data: bytes) -> tuple[HopKind, Address]:
    try:
        return parse_head(data)
    except DecodeError as error:
        raise NotTakenError(RefusedReason.UNREADABLE, str(error)) from None


def _parse(data: bytes) -> HopMessage:
    try:
        return parse_hop(data)
    except DecodeError as error:
        raise NotTakenError(RefusedReason.UNREADABLE, str(error)) from None
