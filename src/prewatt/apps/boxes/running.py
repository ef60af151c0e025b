"""Runs one box as a process: from its folder, until Ctrl-C or TERM, with one line for whatever is missing.

    DIR/box.pem, box.key, authority.pem   its papers          DIR/memory   what it must not forget

A box that was stopped in any way goes on from its memory the next time.
"""

import asyncio
import logging
import signal
import time
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from prewatt.apps.boxes.area import AreaBox
from prewatt.apps.boxes.clock import WallClock
from prewatt.apps.boxes.homes import Homes
from prewatt.apps.boxes.leaf import run_leaf
from prewatt.apps.boxes.spoolfile import FileSpool, FileSpools, MemoryFile
from prewatt.apps.boxes.station import StationBox
from prewatt.apps.boxes.watch import watching_box
from prewatt.apps.logs import set_up_logs
from prewatt.apps.street.loads import home_load
from prewatt.host.refusals import HostError
from prewatt.link.carrier import End
from prewatt.link.certificates import CertificateError
from prewatt.link.names import Role, area_name, host_name
from prewatt.link.papers import Papers
from prewatt.link.validity import PAPERS_WARN_DAYS
from prewatt.units import DAY_S, Address, format_meter_id

__all__ = ["MEMORY_NAME", "BoxError", "run_area", "run_meters", "run_station", "say", "until_stopped"]

MEMORY_NAME: Final = "memory"
# At the speed of the world nothing in a meter happens more often than each second.
_TICK_S: Final = 0.5
_A: Final = {Role.AREA: "an area", Role.STATION: "a station"}


class BoxError(HostError):
    """A box that cannot run, in one line."""


def run_area(folder: Path, host: str, stations: Sequence[str], program: str | None, level: str) -> None:
    """An area server until it is told to stop. ``program``: the message server to start, for `nats:` addresses."""
    papers, memory = _begin(folder, Role.AREA, level)
    own, number = End(papers.name, folder), papers.name.numbers[0]

    async def live() -> None:
        box, ready = AreaBox(FileSpools(memory), number, WallClock()), asyncio.Event()
        async with watching_box(folder), run_leaf(folder, host, stations, program) as (up, below):
            running = asyncio.create_task(box.run(up, below, own, host_name(papers.name.installation), ready))
            await _ready(running, ready)
            say(f"area {number}: host at {host}, stations at {', '.join(box.places)}")
            await running

    _run(live(), memory)


def run_station(folder: Path, area: str, meters: Sequence[str], profile: str | None, level: str) -> None:
    """A local station until it is told to stop. ``profile``: the modelled line between it and its meters."""
    papers, memory = _begin(folder, Role.STATION, level)
    address = Address(*papers.name.numbers)
    own, above = End(papers.name, folder), area_name(papers.name.installation, address.area)

    async def live() -> None:
        box, ready = StationBox(FileSpool.open(memory), address, WallClock()), asyncio.Event()
        async with watching_box(folder):
            running = asyncio.create_task(box.run(area, meters, own, above, profile=profile, ready=ready))
            await _ready(running, ready)
            shaped = f" through {profile}" if profile else ""
            say(f"station {address}: area server at {area}, meters at {', '.join(box.places)}{shaped}")
            await running

    _run(live(), memory)


def run_meters(memories: Sequence[Path], line: str, home: int, level: str) -> None:
    """Meters on one line until they are told to stop; the first one hangs in the home numbered ``home``."""
    _set_up(level)
    homes = Homes(WallClock(), tick_s=_TICK_S)
    try:
        for path in memories:
            homes.add(path, home_load(home + len(homes)))
        places = homes.places()
        shown = ", ".join(format_meter_id(meter) for meter, _ in places[:4]) + (" ..." if len(places) > 4 else "")
        say(f"{len(places)} meter{'s' if len(places) > 1 else ''} ({shown}): line at {line}")
        asyncio.run(until_stopped(_show(homes, line)))
    finally:
        homes.close()


def say(text: str) -> None:
    """One line for whoever started the box, at once, also into a file."""
    print(text, flush=True)  # noqa: T201 - the box's only words


async def until_stopped(work: Coroutine[Any, Any, None]) -> None:
    """Runs ``work`` until it ends or a signal comes."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    working, waiting = loop.create_task(work), loop.create_task(stop.wait())
    try:
        await asyncio.wait([working, waiting], return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            say("stopping; the next start goes on from here")
    finally:
        waiting.cancel()
        working.cancel()
        with suppress(asyncio.CancelledError):
            await working


async def _show(homes: Homes, line: str) -> None:
    # Imported here: only a meter has a face.
    from prewatt.apps.street.screen import Screen

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(homes.run(line))
        tasks.create_task(Screen().show(homes, homes.way))


async def _ready(running: "asyncio.Task[None]", ready: asyncio.Event) -> None:
    """Until the box listens, or has failed to."""
    waiting = asyncio.create_task(ready.wait())
    await asyncio.wait([running, waiting], return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    if running.done():
        await running


def _begin(folder: Path, role: Role, level: str) -> tuple[Papers, MemoryFile]:
    _set_up(level)
    try:
        papers = Papers(folder)
        papers.caller_tls()
    except CertificateError as error:
        raise BoxError(str(error)) from None
    if papers.name.role is not role:
        raise BoxError(f"papers {folder}: are those of {papers.name}; allowed are those of {_A[role]}")
    left_s = papers.expires_s - int(time.time())
    until = datetime.fromtimestamp(papers.expires_s, UTC).strftime("%Y-%m-%d")
    if left_s <= 0:
        raise BoxError(f"papers {folder}: the certificate ended {until}; make another with `prewatt {role} certify`")
    say(f"papers of {papers.name}, valid until {until}{'; renew them' if left_s < PAPERS_WARN_DAYS * DAY_S else ''}")
    return papers, MemoryFile(folder / MEMORY_NAME)


def _set_up(level: str) -> None:
    set_up_logs(level)
    # It warns of what TLS connections of libraries do at their end, which means nothing to anybody here.
    logging.getLogger("asyncio").setLevel(logging.ERROR)


def _run(live: Coroutine[Any, Any, None], memory: MemoryFile) -> None:
    try:
        asyncio.run(until_stopped(live))
    except CertificateError as error:
        raise BoxError(str(error)) from None
    finally:
        memory.close()
