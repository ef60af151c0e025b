"""Places of the carriers between boxes: tcp with papers, and message servers, which are real ones."""

import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from itertools import count
from pathlib import Path

from prewatt.link import nats as nats_carrier
from prewatt.link.carrier import End
from prewatt.link.certificates import issue, make_authority
from prewatt.link.names import BoxName, Role, area_name, host_name, server_name, station_name
from prewatt.link.papers import write_papers
from prewatt.units import Address

sys.path.insert(0, str(Path(__file__).parent.parent))
from message_servers import make_hub, make_leaf

from prewatt.link.papers import Papers

HERE = "ab" * 16
STATIONS = 4
AREAS = 3


def make_papers(folder: Path, *names: BoxName) -> list[End]:
    """Ends with fresh papers of one installation."""
    now_s = int(time.time())
    authority = make_authority(HERE, now_s)
    ends = []
    for name in names:
        place = folder / str(name).replace(" ", "-")
        at = ["127.0.0.1"] if name.role is Role.SERVER else []
        write_papers(place, issue(authority, name, now_s, reached_at=at))
        ends.append(End(name, place))
    return ends


def tcp(folder: Path, place_of: Callable[..., AbstractAsyncContextManager[object]]) -> object:
    """A host and the area that calls it."""
    host, area = make_papers(folder, host_name(HERE), area_name(HERE, 1))
    return place_of("tcp://127.0.0.1:0", lambda at, _: f"tcp://{at.place}", host, lambda: area, host.name)


def tcp_bare(_: Path, place_of: Callable[..., AbstractAsyncContextManager[object]]) -> object:
    """Two ends without papers, as on a line of meters."""
    return place_of("tcp:127.0.0.1:0", lambda at, _: f"tcp://{at.place}", End(), End, None)


@contextmanager
def message_servers(folder: Path, hub: End, areas: Sequence[End]) -> Iterator[tuple[str, list[str]]]:
    """Where a hub is met, and the leaf beside each area server. A box that nobody lets in gives up soon."""
    (server,), leaf_places = make_hub(folder, Papers(hub.papers), 1)
    leaves = [make_leaf(folder, Papers(area.papers), leaf_places, f"leaf-{n}") for n, area in enumerate(areas, 1)]
    as_it_is, nats_carrier.OPENS_WITHIN_S = nats_carrier.OPENS_WITHIN_S, 2.0
    try:
        yield server.start().wait_ready().clients, [leaf.start().wait_ready().clients for leaf in leaves]
    finally:
        nats_carrier.OPENS_WITHIN_S = as_it_is
        for each in (*leaves, server):
            each.stop()


@asynccontextmanager
async def nats(folder: Path, place_of: Callable[..., AbstractAsyncContextManager[object]]) -> AsyncIterator[object]:
    """An area server at its message server, and stations that meet it there, another one each time."""
    stations = [station_name(HERE, Address(1, number)) for number in range(STATIONS)]
    area, server, *ends = make_papers(folder, area_name(HERE, 1), server_name(HERE, 1), *stations)
    turn = count()
    with message_servers(folder, server, [area]) as (_, (leaf,)):
        at = f"nats://{leaf}"
        async with place_of(at, lambda *_: at, area, lambda: ends[next(turn) % STATIONS], area.name) as place:
            yield place


@asynccontextmanager
async def nats_far(
    folder: Path, place_of: Callable[..., AbstractAsyncContextManager[object]], mark: bytes = b""
) -> AsyncIterator[object]:
    """A host at the hub, and area servers that come to it through the leaf beside each, another one each time."""
    names = [area_name(HERE, number) for number in range(1, AREAS + 1)]
    host, server, *areas = make_papers(folder, host_name(HERE), server_name(HERE, 1), *names)
    turn = 0

    def dial_at(*_: object) -> str:
        nonlocal turn
        turn = (turn + 1) % AREAS
        return f"nats://{leaves[turn]}"

    with message_servers(folder, server, areas) as (hub, leaves):
        async with place_of(f"nats://{hub}", dial_at, host, lambda: areas[turn], host.name, mark) as place:
            yield place
