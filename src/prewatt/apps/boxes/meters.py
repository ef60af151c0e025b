"""Meters of one process: their memories, what their homes take, and the time; driven with either clock.

The meters are `prewatt.device.meter.Meter`, the very objects that any other driver runs; at most one of them is the
transformer's own (`CtMeter`), fed with what the others take (`prewatt.apps.boxes.transformer`). Nothing leaves a meter
before its memory is on disk. All of them share one end of the line; a frame is given to the meter whose id it bears, as
the meter's own modem would do. Whatever touches a meter happens under one lock, so that a page's thread may look at a
face or press a key at any time.
"""

import asyncio
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from prewatt.apps.boxes.clock import BoxClock, now_of
from prewatt.apps.boxes.spoolfile import BoxMemoryError
from prewatt.apps.boxes.transformer import Transformer
from prewatt.apps.faces import Face, face_of
from prewatt.apps.street.loads import HomeLoad
from prewatt.apps.street.nvm_file import FileNvm
from prewatt.codec.errors import DecodeError
from prewatt.device.meter import (
    Birth,
    Button,
    CtMeter,
    Effect,
    Event,
    KeyPress,
    LastGasp,
    LineFrame,
    LineSend,
    Load,
    Meter,
    Tick,
)
from prewatt.device.meter.birth import BodyKind, Certificate
from prewatt.device.meter.journal import JournalError
from prewatt.device.meter.slots import SlotError, Slots, Store
from prewatt.device.now import Now
from prewatt.units import MINUTE_S, MeterId, ValueFieldError, format_meter_id

__all__ = ["BUTTON_KEY", "HOMES_MAX", "KEYS_MAX", "MEMORY_SUFFIX", "Meters", "manufacture"]

# As many as there are modem addresses on a line.
HOMES_MAX: Final = 256
RANDOM_BYTES: Final = 32
BUTTON_KEY: Final = "!"
KEYS: Final = "0123456789*#ABCD" + BUTTON_KEY
KEYS_MAX: Final = 64
MEMORY_SUFFIX: Final = ".nvm"
# Where a frame names its meter (`prewatt.codec.frame`); the meter's modem looks at the whole frame.
_ID_AT: Final = slice(4, 7)
# The transformer's meter has nothing to do in a hurry, and before each of its steps every home is brought up to date.
_CT_TICK_MS: Final = 1_000


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
    """One meter, its memory, its home, up to when it knows the home's load, and what was told of it upwards."""

    meter: Meter
    memory: FileNvm
    load: HomeLoad
    load_until_s: int
    m_id: int
    number: int
    told_pulses: int
    phase: int = 0


@dataclass(slots=True)
class _Pole:
    """The transformer's meter, its memory, and what flows through it."""

    meter: CtMeter
    memory: FileNvm
    flow: Transformer
    meter_id: MeterId
    m_id: int
    ticked_ms: int = 0


class Meters:
    """Up to HOMES_MAX meters. Drivers add the way between them and their line."""

    def __init__(self, clock: BoxClock, *, tick_s: float) -> None:
        """``tick_s``: real seconds between two ticks of every meter."""
        self._clock = clock
        self._tick_s = tick_s
        self._lock = threading.RLock()
        self._homes: dict[bytes, _Home] = {}
        self._pole: _Pole | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = 0
        self._outlet: Callable[[bytes], None] = lambda frame: None

    @property
    def clock(self) -> BoxClock:
        """The clock of their world."""
        return self._clock

    def add(self, path: Path, load: HomeLoad) -> MeterId:
        """Powers up the meter whose memory is the file at ``path``; a home's takes ``load``. BoxMemoryError where no
        whole meter is in it, another process has it, it is here twice, or a transformer's meter is here already."""
        if not path.is_file():
            raise BoxMemoryError(f"memory {path}: there is no such file; make one with `prewatt meter make`")
        try:
            memory = FileNvm(path)
        except OSError as error:
            raise BoxMemoryError(f"memory {path}: cannot be opened ({error.strerror})") from None
        try:
            certificate = Certificate.parse(Slots(memory).read(Store.BIRTH, 0))
            self._check_new(certificate)
            self._power_up(certificate, memory, load)
        except (JournalError, SlotError, DecodeError) as error:
            memory.close()
            raise BoxMemoryError(f"memory {path}: holds no whole meter ({error})") from None
        except BoxMemoryError as error:
            memory.close()
            raise BoxMemoryError(f"memory {path}: {error}") from None
        return certificate.meter_id

    def __len__(self) -> int:
        """How many homes there are."""
        return len(self._homes)

    def places(self) -> list[tuple[MeterId, int]]:
        """Id and M-ID of every meter, the transformer's last."""
        found = [(MeterId(meter_id), home.m_id) for meter_id, home in self._homes.items()]
        return found if self._pole is None else [*found, (self._pole.meter_id, self._pole.m_id)]

    def faces(self) -> list[Face]:
        """The face of every home's meter, by id."""
        with self._lock:
            return [face_of(home.meter.view()) for _, home in sorted(self._homes.items())]

    def face(self, meter: str) -> Face:
        """The face of one home's meter; ValueFieldError where it is not here."""
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
                self._step(home, Button() if key == BUTTON_KEY else KeyPress(key), now_of(self._clock))
            return face_of(home.meter.view())

    def close(self) -> None:
        """The power goes, in good order; may be called twice."""
        self._loop = None
        with self._lock:
            now = now_of(self._clock)
            for home in self._homes.values():
                self._step(home, LastGasp(), now)
            if self._pole is not None:
                self._step_pole(self._pole, LastGasp())
                self._pole.memory.close()
            for home in self._homes.values():
                home.memory.close()
            self._homes, self._pole = {}, None

    def _open(self, outlet: Callable[[bytes], None]) -> None:
        """From now on ``outlet`` takes what meters say, in the thread of the loop that runs now."""
        self._loop, self._thread, self._outlet = asyncio.get_running_loop(), threading.get_ident(), outlet

    async def _tick(self) -> None:
        """Ticks until cancelled."""
        while True:
            for home in tuple(self._homes.values()):
                with self._lock:
                    self._step(home, Tick(), now_of(self._clock))
                # Sockets and other meters get their turn between two meters, also when a tick has much to catch up.
                await asyncio.sleep(0)
            if self._pole is not None and self._clock.line_ms() - self._pole.ticked_ms >= _CT_TICK_MS:
                with self._lock:
                    self._step_pole(self._pole, Tick())
            await asyncio.sleep(self._tick_s)

    def _hear(self, frame: bytes) -> None:
        """A frame from the line, in the loop's thread."""
        meter_id = frame[_ID_AT]
        with self._lock:
            home = self._homes.get(meter_id)
            if home is not None:
                self._step(home, LineFrame(frame), now_of(self._clock))
            elif self._pole is not None and self._pole.meter_id == meter_id:
                self._step_pole(self._pole, LineFrame(frame))

    def _home(self, meter: str) -> _Home:
        for meter_id, home in self._homes.items():
            if format_meter_id(meter_id) == meter.upper():
                return home
        raise ValueFieldError("meter", meter, "a home's meter of this street")

    def _check_new(self, certificate: Certificate) -> None:
        if certificate.meter_id in dict(self.places()) or len(self.places()) >= HOMES_MAX:
            shown = format_meter_id(certificate.meter_id)
            raise BoxMemoryError(f"meter {shown} is here already, or {HOMES_MAX} meters are")
        if certificate.kind is BodyKind.TRANSFORMER and self._pole is not None:
            shown = format_meter_id(self._pole.meter_id)
            raise BoxMemoryError(f"a transformer's meter, {shown}, is here already")

    def _power_up(self, certificate: Certificate, memory: FileNvm, load: HomeLoad) -> None:
        now, random, meter_id = now_of(self._clock), os.urandom(RANDOM_BYTES), certificate.meter_id
        if certificate.kind is BodyKind.TRANSFORMER:
            ct = CtMeter.power_up(memory, now, random)
            self._pole = _Pole(ct, memory, Transformer(now.meter_s), meter_id, certificate.m_id)
            for home in self._homes.values():
                home.phase = self._pole.flow.join(home.number)
            return
        meter, minute_s = Meter.power_up(memory, now, random), now.meter_s - now.meter_s % MINUTE_S
        home = _Home(meter, memory, load, minute_s, certificate.m_id, len(self._homes), meter.total_pulses)
        self._homes[meter_id] = home
        if self._pole is not None:
            home.phase = self._pole.flow.join(home.number)

    def _step(self, home: _Home, event: Event, now: Now) -> None:
        minute_s = now.meter_s - now.meter_s % MINUTE_S
        while home.load_until_s <= minute_s:
            pulses, angle_cdeg = home.load.at(home.load_until_s)
            self._say(home.memory, home.meter.step(Load(0, home.load_until_s, pulses, angle_cdeg), now, _random()))
            # The meter has come to where this load begins, so what it counted since is the minute before.
            self._tell(home)
            home.load_until_s += MINUTE_S
        self._say(home.memory, home.meter.step(event, now, _random()))
        self._tell(home)

    def _tell(self, home: _Home) -> None:
        """Tells the transformer what the home has taken in the minute up to where its load is known."""
        total = home.meter.total_pulses
        if self._pole is not None:
            self._pole.flow.take(home.phase, home.load_until_s - MINUTE_S, total - home.told_pulses)
        home.told_pulses = total

    def _step_pole(self, pole: _Pole, event: Tick | LineFrame | LastGasp) -> None:
        """Brings every home up to now, so that all that flowed is known, then gives the event."""
        now = now_of(self._clock)
        for home in self._homes.values():
            self._step(home, Tick(), now)
        for measured in pole.flow.flow(now.meter_s):
            self._say(pole.memory, pole.meter.step(measured, now, _random()))
        pole.ticked_ms = now.line_ms
        self._say(pole.memory, pole.meter.step(event, now, _random()))

    def _say(self, memory: FileNvm, effects: list[Effect]) -> None:
        """Onto the line, from whatever thread; a meter whose process ends says nothing any more."""
        for effect in effects:
            if not isinstance(effect, LineSend):
                continue
            memory.sync()
            if self._loop is None:
                continue
            if threading.get_ident() == self._thread:
                self._outlet(effect.data)
            else:
                self._loop.call_soon_threadsafe(self._outlet, effect.data)


def _random() -> bytes:
    return os.urandom(RANDOM_BYTES)
