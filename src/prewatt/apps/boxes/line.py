"""A station's line whose meters are other processes: everybody on it hears everything, and ids decide.

Each process with meters is one end. The first thing an end says for each of its meters is an empty frame of that meter
(see `HERE`), which no station heeds. On a plain line whatever one end says goes to the station and to every other end.
A shaped line goes through the model of a real one (`prewatt.link.powerline`): each meter that has said it is here gets
a modem of its own on the modelled line, and bits, turns, noise and collisions are the model's.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Final, Protocol

import structlog

from prewatt.apps.boxes.peer import Peer
from prewatt.codec.errors import DecodeError
from prewatt.codec.frame import Frame, FrameFlags
from prewatt.link.carrier import Carrier, End, Listener, dial, listen
from prewatt.link.names import BoxName
from prewatt.link.powerline import LineEnd
from prewatt.units import MeterId, format_meter_id

__all__ = ["HERE", "LINE_ENDS_MAX", "Line", "PlainLine", "ShapedLine", "here_frame", "open_shaped"]

_log = structlog.get_logger("prewatt.boxes")
# A line has at most 256 meters.
LINE_ENDS_MAX: Final = 256
HERE: Final = b""
"""The payload of the frame by which a meter's process says that this meter is on the line."""
_MODEL: Final = "powerline:"


def here_frame(meter_id: MeterId, m_id: int) -> bytes:
    """The frame that says that a meter is on the line."""
    return Frame(m_id, FrameFlags.UP, 0, meter_id, HERE).build()


class Line(Protocol):
    """What a station speaks on."""

    def send(self, frame: bytes, *, urgent: bool = False) -> None:
        """Puts a whole frame of the station on the line; ``urgent``: before others that wait for it."""
        ...

    def accept(self, carrier: Carrier, peer: BoxName | None) -> None:
        """A process with meters has come."""
        ...

    def close(self) -> None:
        """The line is dead."""
        ...


class PlainLine:
    """As fast as the carrier is."""

    def __init__(self, hear: Callable[[bytes], None]) -> None:
        """``hear`` takes what the station hears."""
        self._hear = hear
        self._ends: dict[Carrier, Peer] = {}
        self._serving: set[asyncio.Task[None]] = set()

    def send(self, frame: bytes, *, urgent: bool = False) -> None:
        """See Line; nothing waits here."""
        for end in self._ends.values():
            end.post(frame)

    def accept(self, carrier: Carrier, peer: BoxName | None) -> None:
        """See Line; no more than LINE_ENDS_MAX ends."""
        if len(self._ends) >= LINE_ENDS_MAX:
            _log.warning("line is full", ends=LINE_ENDS_MAX)
            carrier.close()
            return
        self._ends[carrier] = end = Peer(carrier, lambda frame: self._heard(carrier, frame))
        task = asyncio.get_running_loop().create_task(self._serve(carrier, end))
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)

    def close(self) -> None:
        """See Line."""
        for end in tuple(self._ends.values()):
            end.close()

    def _heard(self, sender: Carrier, frame: bytes) -> None:
        for carrier, end in self._ends.items():
            if carrier is not sender:
                end.post(frame)
        self._hear(frame)

    async def _serve(self, carrier: Carrier, end: Peer) -> None:
        try:
            await end.run()
        finally:
            del self._ends[carrier]


class ShapedLine:
    """Through the model of a line."""

    def __init__(
        self, street: Listener, modem: LineEnd, hear: Callable[[bytes], None], hold: Callable[[bool], None]
    ) -> None:
        """See `open_shaped`."""
        self._street, self._modem = street, modem
        self._station = Peer(modem, hear)
        modem.on_hold(hold)
        self._serving = {asyncio.get_running_loop().create_task(self._listen())}
        self._ends: set[Peer] = set()

    def send(self, frame: bytes, *, urgent: bool = False) -> None:
        """See Line."""
        if not (urgent and self._modem.send_urgent(frame)):
            self._station.post(frame)

    def accept(self, carrier: Carrier, peer: BoxName | None) -> None:
        """See Line; no more than LINE_ENDS_MAX ends."""
        if len(self._ends) >= LINE_ENDS_MAX:
            _log.warning("line is full", ends=LINE_ENDS_MAX)
            carrier.close()
            return
        modems: dict[tuple[MeterId, int], Peer | None] = {}
        end = Peer(carrier, lambda frame: self._from_meters(end, modems, frame))
        self._ends.add(end)
        self._keep(self._serve(end, modems))

    def close(self) -> None:
        """See Line."""
        for end in tuple(self._ends):
            end.close()
        self._street.close()

    async def _listen(self) -> None:
        await self._station.run()

    def _keep(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)

    def _from_meters(self, end: Peer, modems: dict[tuple[MeterId, int], Peer | None], data: bytes) -> None:
        try:
            frame = Frame.parse(data)
        except DecodeError:
            return
        if frame.flags is not FrameFlags.UP:
            return
        meter = (frame.meter_id, frame.m_id)
        modem = modems.get(meter)
        if frame.payload and modem is not None:
            modem.post(data)
        elif not frame.payload and meter not in modems and len(modems) < LINE_ENDS_MAX:
            modems[meter] = None
            self._keep(self._plug_in(end, modems, meter))

    async def _plug_in(
        self, end: Peer, modems: dict[tuple[MeterId, int], Peer | None], meter: tuple[MeterId, int]
    ) -> None:
        place = f"{_MODEL}{self._street.place}?meter={format_meter_id(meter[0])}&m_id={meter[1]}"
        modem = modems[meter] = Peer(await dial(place, End()), end.post)
        await modem.run()

    async def _serve(self, end: Peer, modems: dict[tuple[MeterId, int], Peer | None]) -> None:
        try:
            await end.run()
        finally:
            self._ends.discard(end)
            for modem in modems.values():
                if modem is not None:
                    modem.close()


async def open_shaped(
    name: str, profile: str, hear: Callable[[bytes], None], hold: Callable[[bool], None]
) -> ShapedLine:
    """A modelled line of this process. ``hear`` takes what the station hears, ``hold`` whether its modem is in the
    middle of a message. ValueFieldError for a profile that there is not."""
    stations: list[Carrier] = []
    street = await listen(f"{_MODEL}{name}?profile={profile}", End(), lambda carrier, _: stations.append(carrier))
    (modem,) = stations
    assert isinstance(modem, LineEnd)
    return ShapedLine(street, modem, hear, hold)
