"""Drives an area server: carriers to the host and to its stations, a memory file, time."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

import structlog

from prewatt.apps.boxes.clock import BoxClock
from prewatt.apps.boxes.peer import Peer, Uplink, open_place
from prewatt.apps.boxes.timer import LineTimer
from prewatt.device.area import (
    AreaEvent,
    AreaServer,
    FromHost,
    FromStation,
    HostLink,
    StationLink,
    Tick,
    ToHost,
    ToStation,
)
from prewatt.device.spool import Spools
from prewatt.link.carrier import Carrier, End, Listener
from prewatt.link.names import BoxName, Role

__all__ = ["AreaBox"]

_log = structlog.get_logger("prewatt.boxes")
_STATION_NUMBER_AT: Final = -1


class AreaBox:
    """One area server in this event loop."""

    def __init__(self, spools: Spools, number: int, clock: BoxClock) -> None:
        self._server = AreaServer(spools, number, clock.line_ms())
        self._clock = clock
        self._timer = LineTimer(clock.line_ms, lambda: self._step(Tick()))
        self._stations: dict[int, Peer] = {}
        self._serving: set[asyncio.Task[None]] = set()
        self._uplink: Uplink | None = None
        self.places: list[str] = []
        """Where stations reach it, once it runs."""

    async def run(
        self, host: str, stations: Sequence[str], own: End, above: BoxName | None, ready: asyncio.Event | None = None
    ) -> None:
        """Until cancelled. ``host``: the address of the host; ``stations``: addresses to listen at."""
        self._uplink = Uplink(host, own, above, lambda data: self._step(FromHost(data)), self._host_link)
        listeners: list[Listener] = []
        try:
            for address in stations:
                listeners.append(await open_place(address, own, self._accept))
                self.places.append(f"{address.partition(':')[0]}://{listeners[-1].place}")
            self._step(Tick())
            if ready is not None:
                ready.set()
            await self._uplink.run()
        finally:
            self._timer.set(None)
            for listener in listeners:
                listener.close()
            for task in self._serving:
                task.cancel()
            await asyncio.gather(*self._serving, return_exceptions=True)

    def _accept(self, carrier: Carrier, peer: BoxName | None) -> None:
        if peer is None or peer.role is not Role.STATION:
            carrier.close()
            return
        task = asyncio.get_running_loop().create_task(self._serve(carrier, peer.numbers[_STATION_NUMBER_AT]))
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)

    async def _serve(self, carrier: Carrier, station: int) -> None:
        peer = Peer(carrier, lambda data: self._step(FromStation(station, data)))
        older = self._stations.get(station)
        if older is not None:
            # A station that was killed comes back before its old connection is known to be dead.
            older.close()
            self._step(StationLink(station, False))
        self._stations[station] = peer
        _log.info("station is there", station=station)
        self._step(StationLink(station, True))
        why = "this box stops"
        try:
            why = await peer.run()
        finally:
            if self._stations.get(station) is peer:
                del self._stations[station]
                with suppress(Exception):
                    self._step(StationLink(station, False))
            _log.warning("station is gone", station=station, cause=why)

    def _host_link(self, up: bool) -> None:
        self._step(HostLink(up))

    def _step(self, event: AreaEvent) -> None:
        wake_ms: int | None = None
        for effect in self._server.step(event, self._clock.line_ms()):
            if isinstance(effect, ToHost):
                if self._uplink is not None:
                    self._uplink.post(effect.data)
            elif isinstance(effect, ToStation):
                station = self._stations.get(effect.station)
                if station is not None:
                    station.post(effect.data)
            else:
                wake_ms = effect.line_ms
        self._timer.set(wake_ms)
