"""The modelled line as a carrier: stations and meters of this process talk over it as over wire and copper.

`LineStreet` is one line with its clock: line time runs with the wall, ``speed`` times as fast. What happens on the line
happens at its own times and in order, however busy the computer is; only what devices say enters when they say it.
As a scheme: `powerline:STREET?profile=powerline-2400&speed=1&seed=1` listens as the station of a new line, and
`powerline:STREET?meter=000001&m_id=1&distance_m=300` is a meter on it. Messages are link frames.
"""

import asyncio
from collections.abc import Callable
from typing import Final
from urllib.parse import parse_qsl

from prewatt.codec.errors import DecodeError
from prewatt.codec.frame import FRAME_BYTES_MAX, Frame, FrameFlags
from prewatt.device.modem import MasterModem, SlaveModem
from prewatt.device.modem.master import OUTGOING_MAX
from prewatt.link.carrier import Accept, Carrier, CarrierClosedError, CarrierScheme, End, Promise
from prewatt.link.line import PROFILES, LineProfile, ModemLine, profile_named
from prewatt.link.line.medium import REACH_M_MAX
from prewatt.link.mailbox import Mailbox
from prewatt.link.names import BoxName
from prewatt.units import MeterId, ValueFieldError, parse_meter_id

__all__ = ["POWERLINE", "SPEED_MAX", "UNSENT_MAX", "LineEnd", "LineStreet"]

# Frames that wait for one end's modem before its sender is held up: what a modem of a meter keeps at most.
UNSENT_MAX: Final = 4
SPEED_MAX: Final = 100_000  # a day in a second; beyond it the wall's clock is too coarse
_MS: Final = 1_000
# Moments of the line between two looks at the rest of the process.
_STEPS_AT_ONCE: Final = 64
_M_ID_MAX: Final = 255
_SEED_MAX: Final = 2**63 - 1


class LineEnd:
    """One modem's end of a line of this process; see Carrier."""

    def __init__(self, street: "LineStreet", end: int, flags: FrameFlags) -> None:
        self._street, self._end, self._flags = street, end, flags
        self.inbox = Mailbox()
        self.told: Callable[[bool], None] | None = None
        self._hear: Callable[[bytes], None] | None = None
        self._failed: Exception | None = None

    async def send(self, data: bytes, *, urgent: bool = False) -> None:
        """See Carrier; ``urgent``: ahead of what the modem still has to send, and into an open window."""
        try:
            frame = Frame.parse(data)
        except DecodeError as error:
            raise ValueError(f"message: {len(data)} bytes are not allowed; allowed is a link frame: {error}") from None
        if frame.flags != self._flags:
            raise ValueError(f"flags: {frame.flags:02X} is not allowed; allowed is {self._flags:02X}, a whole frame")
        await self._street.send(self._end, data, self.inbox, urgent=urgent)

    def send_urgent(self, data: bytes) -> bool:
        """`send` of an urgent frame for whoever cannot wait; False, and nothing sent, where nothing more is taken."""
        return not self.inbox.closed and self._street.send_urgent(self._end, data)

    async def receive(self) -> bytes:
        """See Carrier."""
        return await self.inbox.take()

    def close(self) -> None:
        """See Carrier."""
        if not self.inbox.closed:
            self.inbox.close()
            self._street.leave(self._end)

    def hand_over(self, hear: Callable[[bytes], None]) -> None:
        """From now on ``hear`` is given each message at the moment of its arrival, in the event loop, and so before
        what `on_hold` tells of that moment; `receive` is not used any more."""
        self._hear = hear
        for data in self.inbox.empty():
            hear(data)

    async def wait_closed(self) -> str:
        """Until nothing more will come or go; gives why, or raises what ``hear`` raised."""
        await self.inbox.wait_closed()
        if self._failed is not None:
            raise self._failed
        return "the line is dead"

    def give(self, data: bytes) -> bool:
        """A frame that has arrived; False where there is no room for it."""
        if self._hear is not None:
            try:
                self._hear(data)
            except Exception as error:  # whatever it is, it belongs to whoever waits for the end
                self._failed = error
                self.close()
        elif self.inbox.full:
            return False
        else:
            self.inbox.add(data)
        return True

    def on_hold(self, told: Callable[[bool], None]) -> None:
        """``told`` hears when the station's modem is in the middle of a message, and when it is no more: what a
        station takes as LineHeld. For the station's end; a meter has no use for it."""
        self.told = told


class LineStreet:
    """One line, its station and its meters, run by the event loop it was made in."""

    def __init__(self, profile: LineProfile, seed: int, speed: int = 1) -> None:
        """``speed``: seconds of line a second; ValueFieldError beyond 1 to SPEED_MAX."""
        if not 1 <= speed <= SPEED_MAX:
            raise ValueFieldError("speed", speed, f"1 to {SPEED_MAX}")
        self.line = ModemLine(profile, seed)
        self._profile, self._speed = profile, speed
        self._ends: dict[int, LineEnd] = {}
        self._station: int | None = None
        self._meters: set[tuple[MeterId, int]] = set()
        self._ids: dict[int, tuple[MeterId, int]] = {}
        self._changed = asyncio.Event()
        self._progress = asyncio.Event()
        self._closed = self._held = False
        self._loop = asyncio.get_running_loop()
        self._began_s = self._loop.time()
        self._pump = self._loop.create_task(self._run())
        self.missed = 0

    @property
    def line_ms(self) -> int:
        """The line's clock."""
        return max(self.line.now_ms, int((self._loop.time() - self._began_s) * self._speed * _MS))

    def station(self, knows: Callable[[MeterId, int], bool] | None = None) -> LineEnd:
        """The station's end; when it closes, the line is dead. ``knows``: see MasterModem; unless given, meters that
        are on the line. ValueError where there is one already."""
        if self._station is not None:
            raise ValueError("station: a second one is not allowed; allowed is one on a line")
        known = knows or (lambda meter_id, m_id: (meter_id, m_id) in self._meters)
        self._station = self.line.attach(MasterModem(self._profile.timing, known), 0)
        return self._open(self._station, FrameFlags.NONE)

    def meter(self, meter_id: MeterId, m_id: int, distance_m: int, number: int = 0) -> Carrier:
        """A meter's end, so far from the station; ValueError as `SlaveModem` and `Line.attach` have it."""
        if self._closed:
            raise CarrierClosedError("the line is dead")
        end = self.line.attach(SlaveModem(self._profile.timing, meter_id, m_id, number), distance_m)
        self._ids[end] = (meter_id, m_id)
        self._meters.add((meter_id, m_id))
        return self._open(end, FrameFlags.UP)

    def close(self) -> None:
        """Takes everybody off the line; who waits is woken."""
        if self._closed:
            return
        self._closed = True
        for end in tuple(self._ends.values()):
            end.close()
        self._pump.cancel()

    async def send(self, end: int, data: bytes, inbox: Mailbox, *, urgent: bool = False) -> None:
        """Gives a frame to an end's modem, as soon as it has room; see Carrier."""
        while not inbox.closed and self.line.waiting(end) >= UNSENT_MAX:
            self._progress.clear()
            await self._progress.wait()
        if inbox.closed:
            raise CarrierClosedError("this end has closed")
        self.line.send(end, data, self.line_ms, urgent=urgent)
        self._changed.set()

    def send_urgent(self, end: int, data: bytes) -> bool:
        """Gives an urgent frame to an end's modem, beyond what others may leave there; False where that is full too."""
        if taken := self.line.waiting(end) < OUTGOING_MAX:
            self.line.send(end, data, self.line_ms, urgent=True)
            self._changed.set()
        return taken

    def leave(self, end: int) -> None:
        """Takes one end off the line."""
        self.line.detach(end)
        self._ends.pop(end, None)
        known = self._ids.pop(end, None)
        if known is not None and known not in self._ids.values():
            self._meters.discard(known)
        self._progress.set()
        if end == self._station:
            self.close()

    def _open(self, end: int, flags: FrameFlags) -> LineEnd:
        return self._ends.setdefault(end, LineEnd(self, end, flags))

    async def _run(self) -> None:
        try:
            await self._pace()
        finally:
            self.close()

    async def _pace(self) -> None:
        while True:
            next_ms = self.line.next_ms
            wait_s = None if next_ms is None else self._began_s + next_ms / self._speed / _MS - self._loop.time()
            if wait_s is None or wait_s > 0:
                await self._wait(wait_s)
                continue
            for _ in range(_STEPS_AT_ONCE):
                self._step()
                next_ms = self.line.next_ms
                if next_ms is None or next_ms > self.line_ms:
                    break
            await asyncio.sleep(0)

    def _step(self) -> None:
        for delivered in self.line.step():
            end = self._ends.get(delivered.end)
            if end is None or not end.give(delivered.data):
                self.missed += 1
        self._progress.set()
        station = self._ends.get(-1 if self._station is None else self._station)
        held = self._station is not None and self.line.holding(self._station)
        if station is not None and station.told is not None and held is not self._held:
            self._held = held
            station.told(held)

    async def _wait(self, wait_s: float | None) -> None:
        self._changed.clear()
        try:
            async with asyncio.timeout(wait_s):
                await self._changed.wait()
        except TimeoutError:
            return


class _Place:
    """A street under its name."""

    def __init__(self, scheme: "PowerlineScheme", place: str, street: LineStreet) -> None:
        self._scheme, self.place, self.street = scheme, place, street

    def close(self) -> None:
        """See Listener."""
        self._scheme.forget(self)
        self.street.close()


class PowerlineScheme:
    """`powerline:STREET?...`: lines inside this process; see the top of this module."""

    promise = Promise(message_bytes_max=FRAME_BYTES_MAX, lossless=False, shared=True, turns=True, frames_only=True)

    def __init__(self) -> None:
        self._places: dict[str, _Place] = {}

    async def listen(self, place: str, own: End, accept: Accept) -> _Place:
        """See CarrierScheme; gives the station's end to ``accept`` at once. FileExistsError for a street there is."""
        name, settings = _parse(place, {"profile", "speed", "seed"})
        if name in self._places:
            raise FileExistsError(f"powerline:{name}: the street is there already")
        try:
            profile = profile_named(settings.get("profile", next(iter(PROFILES))))
        except ValueError as error:
            raise ValueFieldError("profile", settings["profile"], ", ".join(PROFILES)) from error
        seed, speed = _number(settings, "seed", 0, _SEED_MAX, 1), _number(settings, "speed", 1, SPEED_MAX, 1)
        opened = self._places[name] = _Place(self, name, LineStreet(profile, seed, speed))
        accept(opened.street.station(), None)
        return opened

    async def dial(self, place: str, own: End, peer: BoxName | None) -> Carrier:
        """See CarrierScheme."""
        name, settings = _parse(place, {"meter", "m_id", "distance_m"})
        meter_id = parse_meter_id(settings.get("meter", ""))
        m_id = _number(settings, "m_id", 0, _M_ID_MAX, None)
        distance_m = _number(settings, "distance_m", 0, REACH_M_MAX, 0)
        found = self._places.get(name)
        if found is None:
            raise CarrierClosedError(f"powerline:{name}: there is no such street")
        return found.street.meter(meter_id, m_id, distance_m)

    def forget(self, place: _Place) -> None:
        """Frees the name of a street that has closed."""
        if self._places.get(place.place) is place:
            del self._places[place.place]


def _parse(place: str, allowed: set[str]) -> tuple[str, dict[str, str]]:
    name, _, query = place.partition("?")
    try:
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query))
    except ValueError:
        pairs = [(query, "")]
    settings = dict(pairs)
    if not name or len(settings) < len(pairs) or settings.keys() - allowed:
        raise ValueFieldError("powerline", place, f"STREET?, with {', '.join(sorted(allowed))}, each once")
    return name, settings


def _number(settings: dict[str, str], field: str, least: int, most: int, default: int | None) -> int:
    text = settings.get(field, "" if default is None else str(default))
    if not text.isascii() or not text.isdigit() or not least <= int(text) <= most:
        raise ValueFieldError(field, text, f"{least} to {most}")
    return int(text)


POWERLINE: Final[CarrierScheme] = PowerlineScheme()
