"""Drives a local station: the carrier to its area server, its line, a memory file, time."""

import asyncio
import os
from collections.abc import Sequence

from prewatt.apps.boxes.clock import BoxClock
from prewatt.apps.boxes.line import Line, PlainLine, open_shaped
from prewatt.apps.boxes.peer import Uplink
from prewatt.apps.boxes.timer import LineTimer
from prewatt.codec.hop import SPOOL_ID_BYTES
from prewatt.device.spool import Spool
from prewatt.device.station import (
    FromAbove,
    LineHeard,
    LineHeld,
    LineSend,
    LocalStation,
    StationEvent,
    Tick,
    UplinkUp,
)
from prewatt.device.station import Uplink as Up
from prewatt.link.carrier import End, Listener, listen
from prewatt.link.names import BoxName
from prewatt.units import Address

__all__ = ["StationBox"]


class StationBox:
    """One local station in this event loop."""

    def __init__(self, spool: Spool, address: Address, clock: BoxClock) -> None:
        self._station = LocalStation(spool, address, clock.line_ms(), os.urandom(SPOOL_ID_BYTES))
        self._name = str(address)
        self._clock = clock
        self._timer = LineTimer(clock.line_ms, lambda: self._step(Tick()))
        self._uplink: Uplink | None = None
        self._line: Line | None = None
        self.places: list[str] = []
        """Where meters reach it, once it runs."""

    async def run(
        self,
        area: str,
        meters: Sequence[str],
        own: End,
        above: BoxName | None,
        *,
        profile: str | None = None,
        ready: asyncio.Event | None = None,
    ) -> None:
        """Until cancelled. ``area``: the address of the area server; ``meters``: addresses at which processes with
        meters come onto the line; ``profile``: the modelled line that lies between, if any."""
        self._uplink = Uplink(area, own, above, lambda data: self._step(FromAbove(data)), self._turned)
        if profile is None:
            self._line = PlainLine(self._hear)
        else:
            self._line = await open_shaped(self._name, profile, self._hear, self._hold)
        listeners: list[Listener] = []
        try:
            for address in meters:
                listeners.append(await listen(address, End(), self._line.accept))
                self.places.append(f"{address.partition(':')[0]}://{listeners[-1].place}")
            self._step(Tick())
            if ready is not None:
                ready.set()
            await self._uplink.run()
        finally:
            self._timer.set(None)
            for listener in listeners:
                listener.close()
            self._line.close()

    def _turned(self, up: bool) -> None:
        self._step(UplinkUp(up))

    def _hear(self, frame: bytes) -> None:
        self._step(LineHeard(frame))

    def _hold(self, held: bool) -> None:
        self._step(LineHeld(held))

    def _step(self, event: StationEvent) -> None:
        wake_ms: int | None = None
        for effect in self._station.step(event, self._clock.line_ms()):
            if isinstance(effect, LineSend):
                if self._line is not None:
                    self._line.send(effect.data, urgent=effect.urgent)
            elif isinstance(effect, Up):
                if self._uplink is not None:
                    self._uplink.post(effect.data)
            else:
                wake_ms = effect.line_ms
        self._timer.set(wake_ms)
