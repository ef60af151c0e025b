"""Homes on one line: their meters, the memories of those, and what each home takes; driven with either clock.

The meters are `prewatt.device.meter.Meter`, the very objects that any other driver runs. Nothing leaves a meter before
its memory is on disk. One end of the line serves all meters of this process; a frame is given to the meter whose id it
bears, as the meter's own modem would do. Whatever touches a meter happens under one lock, so that a page's thread may
look at a face or press a key at any time.
"""

import asyncio
import os
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from prewatt.apps.boxes.clock import BoxClock, now_of
from prewatt.apps.boxes.line import here_frame
from prewatt.apps.boxes.peer import Uplink
from prewatt.apps.boxes.spoolfile import BoxMemoryError
from prewatt.apps.faces import Face, face_of
from prewatt.apps.street.loads import HomeLoad
from prewatt.apps.street.nvm_file import FileNvm
from prewatt.codec.errors import DecodeError
from prewatt.device.meter import (
    Birth,
    Button,
    Event,
    KeyPress,
    LastGasp,
    LineFrame,
    LineSend,
    Load,
    Meter,
    Tick,
)
from prewatt.device.meter.journal import JournalError
from prewatt.device.meter.slots import SlotError
from prewatt.device.now import Now
from prewatt.link.carrier import End
from prewatt.units import MINUTE_S, MeterId, ValueFieldError, format_meter_id

__all__ = ["BUTTON_KEY", "HOMES_MAX", "MEMORY_SUFFIX", "Homes", "manufacture"]

# As many as there are modem addresses on a line.
HOMES_MAX: Final = 256
RANDOM_BYTES: Final = 32
BUTTON_KEY: Final = "!"
KEYS: Final = "0123456789*#ABCD" + BUTTON_KEY
KEYS_MAX: Final = 64
MEMORY_SUFFIX: Final = ".nvm"
# Where a frame names its meter (`prewatt.codec.frame`); the meter's modem looks at the whole frame.
_ID_AT: Final = slice(4, 7)


def manufacture(path: Path, birth: Birth) -> None:
    """Makes the memory of a new meter at ``path``; whole or not at all. A meter that is there already stays."""
    if path.exists():
        return
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    unfinished = path.with_suffix(".new")
    unfinished.unlink(missing_ok=True)
    memory = FileNvm(unfinished)
    try:
        Meter.manufacture(memory, birth)
    finally:
        memory.close()
    os.replace(unfinished, path)


@dataclass(slots=True)
class _Home:
    """One meter, its memory, its home, and up to when it knows the home's load."""

    meter: Meter
    memory: FileNvm
    load: HomeLoad
    load_until_s: int
    m_id: int


class Homes:
    """Up to HOMES_MAX meters of this process."""

    def __init__(self, clock: BoxClock, *, tick_s: float) -> None:
        """``tick_s``: real seconds between two ticks of every meter."""
        self.clock = clock
        self._tick_s = tick_s
        self._lock = threading.RLock()
        self._homes: dict[bytes, _Home] = {}
        self._uplink: Uplink | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def add(self, path: Path, load: HomeLoad) -> MeterId:
        """Powers up the meter whose memory is the file at ``path``. BoxMemoryError where no whole meter is in it,
        another process has it, or it is here twice."""
        if not path.is_file():
            raise BoxMemoryError(f"memory {path}: there is no such file; make one with `prewatt meter make`")
        try:
            memory = FileNvm(path)
        except OSError as error:
            raise BoxMemoryError(f"memory {path}: cannot be opened ({error.strerror})") from None
        now = now_of(self.clock)
        try:
            meter = Meter.power_up(memory, now, os.urandom(RANDOM_BYTES))
        except (JournalError, SlotError, DecodeError) as error:
            memory.close()
            raise BoxMemoryError(f"memory {path}: holds no whole meter ({error})") from None
        view = meter.view()
        if view.meter_id in self._homes or len(self._homes) >= HOMES_MAX:
            memory.close()
            shown = format_meter_id(view.meter_id)
            raise BoxMemoryError(f"memory {path}: meter {shown} is here already, or {HOMES_MAX} meters are")
        minute_s = now.meter_s - now.meter_s % MINUTE_S
        self._homes[view.meter_id] = _Home(meter, memory, load, minute_s, view.m_id)
        return MeterId(view.meter_id)

    def __len__(self) -> int:
        return len(self._homes)

    def faces(self) -> list[Face]:
        """The face of every meter, by id."""
        with self._lock:
            return [face_of(home.meter.view()) for _, home in sorted(self._homes.items())]

    def face(self, meter: str) -> Face:
        """The face of one meter; ValueFieldError where it is not here."""
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
            return face_of(home.meter.view())

    async def run(self, line: str) -> None:
        """Until cancelled; then every meter gets its last gasp. ``line``: the address of the line."""
        self._loop = asyncio.get_running_loop()
        self._uplink = Uplink(line, End(), None, self._hear, self._turned)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._uplink.run())
                tasks.create_task(self._tick())
        finally:
            self.close()

    def close(self) -> None:
        """The power goes, in good order; may be called twice."""
        self._loop = None
        with self._lock:
            homes, self._homes = self._homes, {}
            for home in homes.values():
                self._take(home, LastGasp(), now_of(self.clock))
                home.memory.close()

    def _home(self, meter: str) -> _Home:
        for meter_id, home in self._homes.items():
            if format_meter_id(meter_id) == meter.upper():
                return home
        raise ValueFieldError("meter", meter, "a meter of this street")

    def _turned(self, up: bool) -> None:
        if up and self._uplink is not None:
            for meter_id, home in self._homes.items():
                self._uplink.post(here_frame(MeterId(meter_id), home.m_id))

    def _hear(self, frame: bytes) -> None:
        home = self._homes.get(frame[_ID_AT])
        if home is not None:
            with self._lock:
                self._step(home, LineFrame(frame))

    async def _tick(self) -> None:
        while True:
            for home in tuple(self._homes.values()):
                with self._lock:
                    self._step(home, Tick())
                # Sockets and other meters get their turn between two meters, also when a tick has much to catch up.
                await asyncio.sleep(0)
            await asyncio.sleep(self._tick_s)

    def _step(self, home: _Home, event: Event) -> None:
        now = now_of(self.clock)
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
                self._say(effect.data)

    def _say(self, frame: bytes) -> None:
        """Onto the line, from whatever thread; a meter whose process ends says nothing any more."""
        if self._loop is None or self._uplink is None:
            return
        if threading.get_ident() == getattr(self._loop, "_thread_id", None):
            self._uplink.post(frame)
        else:
            self._loop.call_soon_threadsafe(self._uplink.post, frame)
