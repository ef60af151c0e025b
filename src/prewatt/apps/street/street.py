"""Drives the street: feeds loads and time to the meters, carries frames between them and their station.

One event loop does it all. A meter that has something to say says it onto the line; the station hears it, keeps it, and
the area server above it hands it to the host. Nothing leaves a meter before its memory is on disk. Everything that
touches a meter or a box happens under one lock, so that a page's thread may look at a face or press a key at any time.
"""

import asyncio
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from prewatt.apps.faces import Face, face_of
from prewatt.apps.street.boxes import StreetBoxes
from prewatt.apps.street.clock import StreetClock
from prewatt.apps.street.loads import HomeLoad, home_load
from prewatt.apps.street.nvm_file import FileNvm
from prewatt.device.meter import Birth, Button, Event, KeyPress, LastGasp, LineFrame, LineSend, Load, Meter, Tick
from prewatt.device.now import Now
from prewatt.link import Carrier, MemoryLine
from prewatt.units import MINUTE_S, MeterId, ValueFieldError, format_meter_id

__all__ = ["BUTTON_KEY", "Street", "manufacture"]

TICK_S: Final = 0.05
RANDOM_BYTES: Final = 32
BUTTON_KEY: Final = "!"
KEYS: Final = "0123456789*#ABCD" + BUTTON_KEY
KEYS_MAX: Final = 64
_MEMORY_SUFFIX: Final = ".nvm"


def manufacture(folder: Path, birth: Birth) -> None:
    """Makes the memory of a new meter in ``folder``; whole or not at all. A meter that is there already stays."""
    path = _memory_path(folder, birth.meter_id)
    if path.exists():
        return
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    unfinished = path.with_suffix(".new")
    unfinished.unlink(missing_ok=True)
    memory = FileNvm(unfinished)
    try:
        Meter.manufacture(memory, birth)
    finally:
        memory.close()
    os.replace(unfinished, path)


def _memory_path(folder: Path, meter_id: bytes) -> Path:
    return folder / (format_meter_id(meter_id) + _MEMORY_SUFFIX)


@dataclass(slots=True)
class _Home:
    """One meter, its memory, its end of the line, its home, and up to when it knows the home's load."""

    meter: Meter
    memory: FileNvm
    line: Carrier
    load: HomeLoad
    load_until_s: int


class Street:
    """Up to 256 meters below one station; their memories are files in ``folder``."""

    def __init__(self, folder: Path, clock: StreetClock) -> None:
        self.folder = folder
        self._clock = clock
        self._lock = threading.RLock()
        self._line = MemoryLine()
        self._boxes = StreetBoxes(folder, clock.line_ms())
        self._station_end = self._line.attach()
        self._boxes_wake: asyncio.TimerHandle | None = None
        self._homes: dict[str, _Home] = {}
        self._frames: list[tuple[Carrier, bytes]] = []
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def clock(self) -> StreetClock:
        """The street's clock."""
        return self._clock

    def add(self, meter_id: MeterId) -> None:
        """Powers up a manufactured meter and gives it the next home; the host tells the station about it."""
        memory = FileNvm(_memory_path(self.folder, meter_id))
        now = self._now()
        meter = Meter.power_up(memory, now, os.urandom(RANDOM_BYTES))
        minute_s = now.meter_s - now.meter_s % MINUTE_S
        load = home_load(len(self._homes))
        self._homes[format_meter_id(meter_id)] = _Home(meter, memory, self._line.attach(), load, minute_s)

    def on_uplink(self, uplink: Callable[[bytes], None]) -> None:
        """``uplink`` takes the area server's messages for the host, in the street's thread; it must not block."""
        self._boxes.uplink = uplink

    def set_speed(self, speed: int) -> None:
        """Changes the clock's speed; ValueFieldError outside its limits."""
        with self._lock:
            self._clock.set_speed(speed)

    def faces(self) -> list[Face]:
        """The face of every meter, by id."""
        with self._lock:
            return [face_of(home.meter.view()) for _, home in sorted(self._homes.items())]

    def face(self, meter: str) -> Face:
        """The face of one meter; ValueFieldError where it is not in this street."""
        with self._lock:
            return face_of(self._home(meter).meter.view())

    def press(self, meter: str, keys: str) -> Face:
        """Presses keys one after the other, BUTTON_KEY for the button beside the relay; the face afterwards."""
        wrong = [key for key in keys if key not in KEYS]
        if wrong or not 0 < len(keys) <= KEYS_MAX:
            raise ValueFieldError("keys", keys, f"1 to {KEYS_MAX} of {KEYS}")
        with self._lock:
            home = self._home(meter)
            for key in keys:
                self._step(home, Button() if key == BUTTON_KEY else KeyPress(key))
            face = face_of(home.meter.view())
        self._send_soon()
        return face

    def deliver(self, data: bytes) -> None:
        """A box message from the host; may be called from any thread."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._step_boxes, partial(self._boxes.from_host, data))

    async def run(self) -> None:
        """Runs until cancelled; then every meter gets its last gasp and the clock is written down."""
        self._loop = asyncio.get_running_loop()
        self._step_boxes(self._boxes.connect)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._listen_station())
                for home in self._homes.values():
                    tasks.create_task(self._listen(home))
                tasks.create_task(self._tick())
        finally:
            self._close()

    def _home(self, meter: str) -> _Home:
        try:
            return self._homes[meter.upper()]
        except KeyError:
            raise ValueFieldError("meter", meter, "a meter of this street") from None

    def _now(self) -> Now:
        return Now(self._clock.line_ms(), self._clock.now_s(), self._clock.speed)

    async def _tick(self) -> None:
        while True:
            for home in self._homes.values():
                with self._lock:
                    self._step(home, Tick())
                # Sockets and other meters get their turn between two meters, also when a tick has much to catch up.
                await asyncio.sleep(0)
            self._send_soon()
            await asyncio.sleep(TICK_S)

    async def _listen(self, home: _Home) -> None:
        while True:
            frame = await home.line.receive()
            with self._lock:
                self._step(home, LineFrame(frame))
            await self._send()

    async def _listen_station(self) -> None:
        while True:
            frame = await self._station_end.receive()
            self._step_boxes(partial(self._boxes.heard, frame))

    def _step(self, home: _Home, event: Event) -> None:
        now = self._now()
        minute_s = now.meter_s - now.meter_s % MINUTE_S
        while home.load_until_s <= minute_s:
            pulses, angle_cdeg = home.load.at(home.load_until_s)
            self._take(home, Load(0, home.load_until_s, pulses, angle_cdeg), now)
            home.load_until_s += MINUTE_S
        self._take(home, event, now)

    def _take(self, home: _Home, event: Event, now: Now) -> None:
        for effect in home.meter.step(event, now, os.urandom(RANDOM_BYTES)):
            if isinstance(effect, LineSend):
                home.memory.sync()
                self._frames.append((home.line, effect.data))

    def _step_boxes(self, step: Callable[[int], list[tuple[bytes, bool]]]) -> None:
        with self._lock:
            self._frames += [(self._station_end, frame) for frame, _ in step(self._clock.line_ms())]
            wake_ms = self._boxes.wake_ms
        if self._boxes_wake is not None:
            self._boxes_wake.cancel()
            self._boxes_wake = None
        if wake_ms is not None and self._loop is not None:
            wait_s = max(wake_ms - self._clock.line_ms(), 0) / 1000 + 0.001
            self._boxes_wake = self._loop.call_later(wait_s, self._step_boxes, self._boxes.tick)
        self._send_soon()

    def _send_soon(self) -> None:
        if self._frames and self._loop is not None:
            asyncio.run_coroutine_threadsafe(self._send(), self._loop)

    async def _send(self) -> None:
        with self._lock:
            frames, self._frames = self._frames, []
        for line, data in frames:
            await line.send(data)

    def _close(self) -> None:
        self._loop = None
        if self._boxes_wake is not None:
            self._boxes_wake.cancel()
        with self._lock:
            for home in self._homes.values():
                self._take(home, LastGasp(), self._now())
                home.memory.close()
            self._boxes.close()
            self._clock.stop()
