"""The street of one process: meters, and the local station and the area server above them, on a clock one can hurry.

One event loop does it all, and the ways between meters, station and area server are memory. A meter that has something
to say says it onto the line; the station hears it, keeps it, and the area server above it hands it to the host.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

from prewatt.apps.boxes.meters import MEMORY_SUFFIX, Meters, manufacture
from prewatt.apps.boxes.peer import Peer
from prewatt.apps.boxes.timer import LineTimer
from prewatt.apps.street.boxes import StreetBoxes
from prewatt.apps.street.clock import StreetClock
from prewatt.apps.street.loads import home_load
from prewatt.device.meter import Birth
from prewatt.link import memory_pipe
from prewatt.units import MeterId, format_meter_id

__all__ = ["Street"]

TICK_S: Final = 0.05


class Street(Meters):
    """Up to 256 meters below one station; their memories are files in ``folder``."""

    def __init__(self, folder: Path, clock: StreetClock) -> None:
        super().__init__(clock, tick_s=TICK_S)
        self.folder = folder
        self._street_clock = clock
        self._boxes = StreetBoxes(folder, clock.line_ms())
        self._station: Peer | None = None
        self._timer = LineTimer(clock.line_ms, partial(self._step_boxes, self._boxes.tick))

    def make(self, birth: Birth) -> None:
        """Makes a meter's memory in the street's folder; one that is there already stays."""
        manufacture(self._memory(birth.meter_id), birth)

    def settle(self, meter_id: MeterId) -> None:
        """Powers up a meter that was made; a home's gets the next home. The host tells the station about it."""
        self.add(self._memory(meter_id), home_load(len(self)))

    def on_uplink(self, uplink: Callable[[bytes], None]) -> None:
        """``uplink`` takes the area server's messages for the host, in the street's thread; it must not block."""
        self._boxes.uplink = uplink

    def set_speed(self, speed: int) -> None:
        """Changes the clock's speed; ValueFieldError outside its limits."""
        with self._lock:
            self._street_clock.set_speed(speed)

    def deliver(self, data: bytes) -> None:
        """A box message from the host; may be called from any thread."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._step_boxes, partial(self._boxes.from_host, data))

    async def run(self) -> None:
        """Runs until cancelled; then every meter gets its last gasp and the clock is written down."""
        there, here = memory_pipe()
        line, self._station = Peer(here, self._hear), Peer(there, self._hear_meters)
        self._open(line.post)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(line.run())
                tasks.create_task(self._station.run())
                tasks.create_task(self._tick())
                self._step_boxes(self._boxes.connect)
        finally:
            self._timer.set(None)
            self.close()

    def close(self) -> None:
        """The power goes, in good order, and the clock stands."""
        super().close()
        self._boxes.close()
        self._street_clock.stop()

    def _memory(self, meter_id: MeterId) -> Path:
        return self.folder / (format_meter_id(meter_id) + MEMORY_SUFFIX)

    def _hear_meters(self, frame: bytes) -> None:
        self._step_boxes(partial(self._boxes.heard, frame))

    def _step_boxes(self, step: Callable[[int], list[tuple[bytes, bool]]]) -> None:
        if self._loop is None or self._station is None:
            return
        for frame, _ in step(self._clock.line_ms()):
            self._station.post(frame)
        self._timer.set(self._boxes.wake_ms)
