"""The street's local station and the area server above it, in this process: the same objects that run as boxes.

Both keep what meters said in files of their own, so that a street that is killed has lost nothing of it. Effects of the
one are events of the other; what is left goes onto the line, up to the host, or into the clock.
"""

import os
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Final

from prewatt.apps.boxes.spoolfile import FileSpool, FileSpools, MemoryFile
from prewatt.codec.hop import SPOOL_ID_BYTES
from prewatt.device import area, station
from prewatt.units import Address

__all__ = ["STREET", "StreetBoxes"]

# The area and the station that a new installation begins with.
STREET: Final = Address(0, 0)

_Event = area.AreaEvent | station.StationEvent


class StreetBoxes:
    """One area server with one local station. Not thread-safe: the street calls it under its lock."""

    def __init__(self, folder: Path, line_ms: int) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._memories = [MemoryFile(folder / "area.box"), MemoryFile(folder / "station.box")]
        self._area = area.AreaServer(FileSpools(self._memories[0]), STREET.area, line_ms)
        fresh_id = os.urandom(SPOOL_ID_BYTES)
        self._station = station.LocalStation(FileSpool.open(self._memories[1]), STREET, line_ms, fresh_id)
        self._wakes: dict[str, int] = {}
        self.uplink: Callable[[bytes], None] = lambda data: None
        """Takes what goes up to the host."""

    def connect(self, line_ms: int) -> list[tuple[bytes, bool]]:
        """The ways between station, area server and host are there; gives frames for the line, urgent or not."""
        links = (station.UplinkUp(True), area.StationLink(STREET.station, True), area.HostLink(True))
        return [frame for link in links for frame in self._run(link, line_ms)]

    def from_host(self, data: bytes, line_ms: int) -> list[tuple[bytes, bool]]:
        """A box message from the host."""
        return self._run(area.FromHost(data), line_ms)

    def heard(self, frame: bytes, line_ms: int) -> list[tuple[bytes, bool]]:
        """A frame from the line."""
        return self._run(station.LineHeard(frame), line_ms)

    def tick(self, line_ms: int) -> list[tuple[bytes, bool]]:
        """Time has passed."""
        return self._run(station.Tick(), line_ms) + self._run(area.Tick(), line_ms)

    @property
    def wake_ms(self) -> int | None:
        """When the next tick is due; None: not before something else happens."""
        return min(self._wakes.values(), default=None)

    def close(self) -> None:
        """Lets the files go."""
        for memory in self._memories:
            memory.close()

    def _run(self, first: _Event, line_ms: int) -> list[tuple[bytes, bool]]:
        events, frames = deque[_Event]([first]), list[tuple[bytes, bool]]()
        while events:
            event = events.popleft()
            if isinstance(event, station.FromAbove | station.LineHeard | station.UplinkUp | station.Tick):
                self._step_station(event, line_ms, events, frames)
            elif not isinstance(event, station.LineHeld):
                self._step_area(event, line_ms, events)
        return frames

    def _step_station(
        self, event: station.StationEvent, line_ms: int, events: deque[_Event], frames: list[tuple[bytes, bool]]
    ) -> None:
        self._wakes.pop("station", None)
        for effect in self._station.step(event, line_ms):
            if isinstance(effect, station.LineSend):
                frames.append((effect.data, effect.urgent))
            elif isinstance(effect, station.Uplink):
                events.append(area.FromStation(STREET.station, effect.data))
            else:
                self._wakes["station"] = effect.line_ms

    def _step_area(self, event: area.AreaEvent, line_ms: int, events: deque[_Event]) -> None:
        self._wakes.pop("area", None)
        for effect in self._area.step(event, line_ms):
            if isinstance(effect, area.ToHost):
                self.uplink(effect.data)
            elif isinstance(effect, area.ToStation):
                events.append(station.FromAbove(effect.data))
            else:
                self._wakes["area"] = effect.line_ms
