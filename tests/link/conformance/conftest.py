"""The carriers that the one suite is run over: for each, how a place is opened and how two ends come together there.

A new carrier needs one entry in CASES: an asynchronous context that gives a `Place`.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import pytest

from prewatt.codec.frame import Frame, FrameFlags
from prewatt.codec.messages import PAYLOAD_BYTES_MAX
from prewatt.link.carrier import Carrier, CarrierScheme, End, Listener, dial, find_scheme, listen
from prewatt.link.names import BoxName
from prewatt.units import MeterId, format_meter_id

sys.path.insert(0, str(Path(__file__).parent))
import carrier_places

# A hang is told from a busy computer by a wide margin.
ENDS_WITHIN_S = 20


@dataclass
class Ends:
    """Two ends that hear each other: the one that dialled and the one that the listener was given."""

    dialled: Carrier
    accepted: Carrier
    meter_id: MeterId = field(default=MeterId(b"\0\0\1"))


@dataclass
class Place:
    """An open place of one carrier."""

    scheme: CarrierScheme
    listener: Listener
    dial: Callable[[MeterId], "asyncio.Future[Carrier] | object"]
    accepted: "asyncio.Queue[Carrier]"
    reopen: Callable[[], "AbstractAsyncContextManager[Place]"]
    numbers: "count[int]" = field(default_factory=lambda: count(1))
    station: Carrier | None = None

    @property
    def promise(self):
        return self.scheme.promise

    async def open(self) -> Ends:
        """Two new ends. On a shared carrier the listener's end is always the same."""
        meter_id = MeterId(next(self.numbers).to_bytes(3, "big"))
        dialled = await self.dial(meter_id)
        if not self.promise.shared:
            return Ends(dialled, await self.accepted.get(), meter_id)
        if self.station is None:
            self.station = await self.accepted.get()
        return Ends(dialled, self.station, meter_id)

    def message(self, ends: Ends, number: int, size: int, *, up: bool) -> bytes:
        """A message of ``size`` bytes of its own, different for each number; ``up``: for the dialled end to send."""
        own = (number.to_bytes(4, "big") * (size // 4 + 1))[:size]
        if not self.promise.frames_only:
            return own
        flags = FrameFlags.UP if up else FrameFlags.NONE
        return Frame(ends.meter_id[-1], flags, 0, ends.meter_id, own).build()

    @property
    def size_max(self) -> int:
        """The most bytes of its own that a message may have."""
        return PAYLOAD_BYTES_MAX if self.promise.frames_only else self.promise.message_bytes_max

    def own(self, data: bytes) -> bytes:
        """What `message` put in; the number of a frame is the modem's affair."""
        return Frame.parse(data).payload if self.promise.frames_only else data


PlaceContext = Callable[[Path], AbstractAsyncContextManager[Place]]


@asynccontextmanager
async def place_of(
    listen_at: str,
    dial_at: Callable[[Listener, MeterId], str],
    server: End,
    client: Callable[[], End],
    name: BoxName | None,
) -> AsyncIterator[Place]:
    """A place of an installed carrier. ``dial_at``: the address that a peer dials, as the end that ``client`` gives."""
    accepted: asyncio.Queue[Carrier] = asyncio.Queue()
    dialled: list[Carrier] = []
    before = asyncio.all_tasks()
    listener = await listen(listen_at, server, lambda carrier, _: accepted.put_nowait(carrier))
    scheme, _ = find_scheme(listen_at)

    async def dial_it(meter_id: MeterId) -> Carrier:
        dialled.append(await dial(dial_at(listener, meter_id), client(), name))
        return dialled[-1]

    try:
        yield Place(scheme, listener, dial_it, accepted, lambda: place_of(listen_at, dial_at, server, client, name))
    finally:
        for each in (*dialled, listener):
            each.close()
        await all_ended(before)


async def all_ended(but: set[asyncio.Task[None]]) -> None:
    """Waits for what a place began: some carriers say farewell over the net before they let their connection go."""
    with suppress(TimeoutError):
        async with asyncio.timeout(ENDS_WITHIN_S):
            # The next turns of the loop carry what closing a transport has left to it.
            await asyncio.sleep(0)
            while others := asyncio.all_tasks() - but - {asyncio.current_task()}:
                await asyncio.wait(others)


def memory(_: Path) -> AbstractAsyncContextManager[Place]:
    return place_of("memory:somewhere", lambda at, _: f"memory:{at.place}", End(), End, None)


def powerline(_: Path) -> AbstractAsyncContextManager[Place]:
    def dial_at(at: Listener, meter_id: MeterId) -> str:
        return f"powerline:{at.place}?meter={format_meter_id(meter_id)}&m_id={meter_id[-1]}&distance_m=300"

    return place_of("powerline:street?profile=powerline-64k&seed=1&speed=2000", dial_at, End(), End, None)


CASES: dict[str, PlaceContext] = {
    "memory": memory,
    "powerline": powerline,
    "tcp": lambda folder: carrier_places.tcp(folder, place_of),
    "tcp without papers": lambda folder: carrier_places.tcp_bare(folder, place_of),
    "nats": lambda folder: carrier_places.nats(folder, place_of),
}


@pytest.fixture(params=list(CASES))
def place(request, tmp_path) -> Callable[[], AbstractAsyncContextManager[Place]]:
    """Opens a place of the carrier under test."""
    return lambda: CASES[request.param](tmp_path)
