"""The carriers that the one suite is run over: for each, how a place is opened and how two ends come together there.

A new carrier needs one entry in CASES, whose first word is its scheme: an asynchronous context that gives a `Place`.
One that comes from another package is put through the suite as it is, installed beside this one, by an address:

    python -m pytest tests/link/conformance --carrier pigeon:loft
"""

import asyncio
import re
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from pathlib import Path

import pytest

from prewatt.codec.frame import Frame, FrameFlags
from prewatt.codec.hop import HOP_VERSION, HopKind
from prewatt.codec.messages import PAYLOAD_BYTES_MAX
from prewatt.link.carrier import Carrier, CarrierScheme, End, Listener, dial, find_scheme, listen
from prewatt.link.line import PROFILES
from prewatt.link.names import BoxName
from prewatt.units import MeterId, format_meter_id

sys.path.insert(0, str(Path(__file__).parent))
import carrier_places

# A hang is told from a busy computer by a wide margin.
ENDS_WITHIN_S = 20
LINE_SPEED = 2_000
# What a box message begins with that goes through a stream.
LASTING = bytes([HOP_VERSION, HopKind.KEPT])


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
    mark: bytes = b""
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
        own = (self.mark + number.to_bytes(4, "big") * (size // 4 + 1))[:size]
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
    mark: bytes = b"",
) -> AsyncIterator[Place]:
    """A place of an installed carrier. ``dial_at``: the address that a peer dials, as the end that ``client`` gives
    next; ``mark``: what messages begin with."""
    accepted: asyncio.Queue[Carrier] = asyncio.Queue()
    dialled: list[Carrier] = []
    before = asyncio.all_tasks()
    listener = await listen(listen_at, server, lambda carrier, _: accepted.put_nowait(carrier))
    scheme, _ = find_scheme(listen_at)

    async def dial_it(meter_id: MeterId) -> Carrier:
        dialled.append(await dial(dial_at(listener, meter_id), client(), name))
        return dialled[-1]

    try:
        reopen = partial(place_of, listen_at, dial_at, server, client, name, mark)
        yield Place(scheme, listener, dial_it, accepted, reopen, mark)
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


def line(profile: str) -> PlaceContext:
    """A modelled line, fast enough that the slowest of them costs a test little more than the others."""

    def dial_at(at: Listener, meter_id: MeterId) -> str:
        return f"powerline:{at.place}?meter={format_meter_id(meter_id)}&m_id={meter_id[-1]}&distance_m=300"

    at = f"powerline:street?profile={profile}&seed=1&speed={LINE_SPEED}"
    return lambda _: place_of(at, dial_at, End(), End, None)


CASES: dict[str, PlaceContext] = {
    "memory": memory,
    **{f"powerline {profile.removeprefix('powerline-')}": line(profile) for profile in PROFILES},
    "tcp": lambda folder: carrier_places.tcp(folder, place_of),
    "tcp without papers": lambda folder: carrier_places.tcp_bare(folder, place_of),
    "nats": lambda folder: carrier_places.nats(folder, place_of),
    "nats through hub and leaf": lambda folder: carrier_places.nats_far(folder, place_of),
    # All but one clause: see DIFFERS.
    "nats through streams": lambda folder: carrier_places.nats_far(folder, place_of, LASTING),
}


# Where a carrier keeps something else instead of a clause, and where that is held.
DIFFERS = {
    ("nats through streams", "test_what_was_sent_before_the_peer_closed_can_still_be_taken"): (
        "what lies in a stream waits for the next end of the box, not for the one that hears the farewell: "
        "tests/link/test_nats.py, test_what_was_sent_through_a_stream_before_closing_comes_to_the_next_end"
    ),
}


def scheme_of(case: str) -> str:
    """The scheme that a case is a place of."""
    return re.split("[ :]", case)[0]


def address(at: str) -> PlaceContext:
    """A place of whatever carrier is installed: two ends without papers, and one address for both."""
    return lambda _: place_of(at, lambda listener, _: f"{scheme_of(at)}:{listener.place}", End(), End, None)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--carrier", action="append", metavar="ADDRESS", help="of a carrier to test instead of our own")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Runs a test of a place over each case; where a carrier is named, over that alone."""
    if "place" in metafunc.fixturenames:
        asked = metafunc.config.getoption("--carrier", default=None)
        metafunc.parametrize("place", [marked(case, metafunc.function) for case in asked or CASES], indirect=True)


def marked(case: str, test: Callable[..., None]) -> object:
    """A case of a test; skipped where its carrier differs."""
    why = DIFFERS.get((case, test.__name__))
    return pytest.param(case, marks=[pytest.mark.skip(reason=why)] if why else [])


@pytest.fixture
def place(request, tmp_path) -> Callable[[], AbstractAsyncContextManager[Place]]:
    """Opens a place of the carrier under test."""
    case = request.param

    @asynccontextmanager
    async def opened() -> AsyncIterator[Place]:
        async with CASES.get(case, address(case))(tmp_path) as at:
            assert at.scheme is find_scheme(f"{scheme_of(case)}:")[0]
            yield at

    return opened


@pytest.fixture
def schemes() -> set[str]:
    """The schemes that have a case."""
    return {scheme_of(case) for case in CASES}


@pytest.fixture
def differs() -> list[tuple[str, str]]:
    """The clauses that a carrier does not keep, as case and test."""
    return list(DIFFERS)
