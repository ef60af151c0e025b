"""Places of the carriers between boxes: tcp with papers, and message servers, which are real ones."""

import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
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


@asynccontextmanager
async def nats(folder: Path, place_of: Callable[..., AbstractAsyncContextManager[object]]) -> AsyncIterator[object]:
    """An area server at its message server, and stations that meet it there, another one each time."""
    stations = [station_name(HERE, Address(1, number)) for number in range(STATIONS)]
    area, server, *ends = make_papers(folder, area_name(HERE, 1), server_name(HERE, 1), *stations)
    (hub,), leaves = make_hub(folder, Papers(server.papers), 1)
    leaf, turn = make_leaf(folder, Papers(area.papers), leaves), count()
    as_it_is, nats_carrier.OPENS_WITHIN_S = nats_carrier.OPENS_WITHIN_S, 2.0
    try:
        hub.start().wait_ready()
        at = f"nats://{leaf.start().wait_ready().clients}"
        async with place_of(at, lambda *_: at, area, lambda: ends[next(turn) % STATIONS], area.name) as place:
            yield place
    finally:
        nats_carrier.OPENS_WITHIN_S = as_it_is
        leaf.stop()
        hub.stop()
