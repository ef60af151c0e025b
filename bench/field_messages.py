"""From the host to a meter and back: messages a second through area server and station, over each carrier.

A message is a Hello to a real meter, and back comes its Proof: the first step of every session, which changes nothing
that lasts. The area server is a process of its own, the station another one, with its 256 meters on a line in memory:
what is measured is the way and the boxes on it. One by one, the next message waits for the last answer; in rounds 256
travel as one. The baseline of each carrier is its own echo in the same run, in turns with what is measured: a message
of the same size to one process and back, one at a time, without any box.
"""

import asyncio
import logging
import multiprocessing
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import TypeVar

import structlog

from bench.harness import Result, figure, ratio_at_least
from prewatt.apps.boxes.area import AreaBox
from prewatt.apps.boxes.clock import WallClock
from prewatt.apps.boxes.homes import Homes
from prewatt.apps.boxes.meters import manufacture
from prewatt.apps.boxes.station import StationBox
from prewatt.apps.street.loads import home_load
from prewatt.codec.batch import Item
from prewatt.codec.commands import Code, Command
from prewatt.codec.hop import Answers, Members, Round, build_hop, parse_hop
from prewatt.crypto import suite
from prewatt.device.meter import Birth
from prewatt.device.spool import MemorySpool, MemorySpools
from prewatt.link.carrier import Carrier, CarrierClosedError, End, dial, listen
from prewatt.link.certificates import issue, make_authority
from prewatt.link.names import BoxName, area_name, host_name, server_name, station_name
from prewatt.link.natsconfig import ServerPlaces, build_hub_config, build_leaf_config
from prewatt.link.papers import Papers, write_papers
from prewatt.protocol.host import HostSession
from prewatt.units import Address, MeterId
from prewatt.units import Sequence as Number

__all__ = ["run"]

ONE_BY_ONE_GOAL = 0.25
ROUNDS_GOAL = 5.0
METERS = 256
# Baseline and boxes are measured in turns, since a machine is not as fast in one minute as in the next; of each the
# best few messages in a row count, as in the harness.
TURNS = 6
# A meter answers eight Hellos at once and then one a second. In a turn it is asked once to see that all are there, in
# every second turn once alone, and in two rounds; so a turn takes this time at least.
SINGLES = METERS // 2
ROUNDS = 2
TURN_S = 3.5
ECHOES = 512
IN_A_ROW = 16
HERE = "ab" * 16
AT = Address(1, 1)
HOST, AREA, STATION = host_name(HERE), area_name(HERE, AT.area), station_name(HERE, AT)
_SUITE = "aes-2026"
# Rounds are numbered upwards for as long as the station lives; so many numbers are a turn's.
_FIRST, _A_TURN = 1, 1_000
_FORK = multiprocessing.get_context("fork")
_WITHIN_S = 60.0
_QUICK = "/dev/shm"  # noqa: S108 - a folder with a random name is made in it
_Found = TypeVar("_Found")


def run() -> list[Result]:
    """Messages a second: memory as a figure, tcp and nats against their own echo."""
    # What boxes log is no part of the table.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    logging.getLogger("asyncio").setLevel(logging.ERROR)
    # In memory where there is such a place: a meter that has lived a minute writes it down before it answers, and how
    # long this computer's disk takes for that is another question.
    with tempfile.TemporaryDirectory(dir=_QUICK if os.access(_QUICK, os.W_OK) else None) as folder:
        memories = _make_meters(Path(folder))
        single, rounds = asyncio.run(_in_one_process(memories))
        results = [
            figure("field.memory_one_by_one", single, "messages/s"),
            figure("field.memory_rounds_of_256", rounds, "messages/s"),
        ]
        for carrier, places in (("tcp", _tcp_places), ("nats", _nats_places)):
            work = Path(folder) / carrier
            with places(work, _papers(work)) as (up, below, down):
                echo, single, rounds = _measure(work, up, below, down, memories)
            name = f"field.{carrier}_"
            results += [
                figure(f"{name}echo", echo, "messages/s"),
                ratio_at_least(f"{name}one_by_one", single, "messages/s", echo, ONE_BY_ONE_GOAL),
                ratio_at_least(f"{name}rounds_of_256", rounds, "messages/s", single, ROUNDS_GOAL),
            ]
        return results


def _make_meters(folder: Path) -> list[Path]:
    made = []
    for number in range(METERS):
        meter_id = _meter_id(number)
        made.append(folder / f"{meter_id.hex()}.nvm")
        manufacture(made[-1], Birth(meter_id, number, _SUITE, {0: bytes(32)}, 250_000))
    return made


def _meter_id(number: int) -> MeterId:
    return MeterId((number + 1).to_bytes(3, "big"))


def _hello(number: int) -> Item:
    """A fresh Hello to a meter; what would follow it is never sent."""
    command = Command(Code.RING, Number(0), b"")
    session = HostSession(_meter_id(number), suite(_SUITE), 0, bytes(32), command, os.urandom(32))
    return _meter_id(number), session.hello()


# The boxes, each in a process that ends with this one.


async def _be_area(folder: Path, up: str, down: str) -> None:
    box = AreaBox(MemorySpools(), AT.area, WallClock())
    await box.run(up, [down], End(AREA, folder / "area"), HOST)


async def _be_station(folder: Path, down: str, memories: list[Path]) -> None:
    homes = Homes(WallClock(), tick_s=_WITHIN_S)
    for number, path in enumerate(memories):
        homes.add(path, home_load(number))
    box = StationBox(MemorySpool(bytes(8)), AT, WallClock())
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(box.run(down, ["memory:bench-line"], End(STATION, folder / "station"), AREA))
        tasks.create_task(homes.run("memory:bench-line"))


async def _be_echo(folder: Path, up: str) -> None:
    while True:
        try:
            carrier = await dial(up, End(AREA, folder / "area"), HOST)
            while True:
                await carrier.send(await carrier.receive())
        except CarrierClosedError:
            await asyncio.sleep(0.05)


@contextmanager
def _process(be: Callable[..., Awaitable[None]], *given: object) -> Iterator[BaseProcess]:
    async def live() -> None:
        await be(*given)

    process = _FORK.Process(target=lambda: asyncio.run(live()), daemon=True)
    process.start()
    try:
        yield process
    finally:
        process.kill()
        process.join()


# The measuring, from the host's end.


def _measure(folder: Path, up: str, below: str, down: str, memories: list[Path]) -> tuple[float, float, float]:
    """Messages a second: echo, one by one, in rounds. ``up``: where the host is, ``below``: where the area server
    reaches it, ``down``: where the station reaches the area server."""
    echo = single = rounds = 0.0
    with _process(_be_station, folder, down, memories):
        for turn in range(TURNS):
            until_s = time.monotonic() + TURN_S
            with _process(_be_echo, folder, below):
                echo = max(echo, asyncio.run(_at_host(folder, up, _echo)))
            with _process(_be_area, folder, below, down):
                through = asyncio.run(_at_host(folder, up, partial(_through, turn)))
            single, rounds = max(single, through[0]), max(rounds, through[1])
            time.sleep(max(0.0, until_s - time.monotonic()))
    return echo, single, rounds


async def _at_host(folder: Path, up: str, measure: Callable[[Carrier], Awaitable[_Found]]) -> _Found:
    accepted: asyncio.Queue[Carrier] = asyncio.Queue()
    listener = await listen(up, End(HOST, folder / "host"), lambda carrier, _: accepted.put_nowait(carrier))
    try:
        async with asyncio.timeout(_WITHIN_S):
            return await measure(await accepted.get())
    finally:
        listener.close()
        await asyncio.sleep(0.1)


async def _echo(carrier: Carrier) -> float:
    data = build_hop(Round(AT, 1, True, (_hello(0),)))

    async def once(_turn: int) -> None:
        await carrier.send(data)
        await carrier.receive()

    return await _best_rate(once, ECHOES, IN_A_ROW)


async def _through(turn: int, carrier: Carrier) -> tuple[float, float]:
    """One by one, and in rounds."""
    await _until_all_answer(carrier, _FIRST + turn * _A_TURN)
    first = _FIRST + turn * _A_TURN + _A_TURN // 2
    asked = [turn % 2 * SINGLES + number for number in range(SINGLES)]
    singles = [build_hop(Round(AT, first + at, True, (_hello(number),))) for at, number in enumerate(asked)]
    rounds = [build_hop(Round(AT, first + SINGLES + at, True, _whole_round())) for at in range(ROUNDS)]

    async def single(at: int) -> None:
        await carrier.send(singles[at])
        assert await _answers(carrier, first + at) == 1

    async def whole(at: int) -> None:
        await carrier.send(rounds[at])
        assert await _answers(carrier, first + SINGLES + at) == METERS

    return await _best_rate(single, SINGLES, IN_A_ROW), METERS * await _best_rate(whole, ROUNDS, 1)


async def _best_rate(work: Callable[[int], Awaitable[None]], calls: int, in_a_row: int) -> float:
    """Calls a second in the best stretch: whatever else the machine does can only slow one down."""
    best = 0.0
    for first in range(0, calls, in_a_row):
        began_s = time.perf_counter()
        for number in range(first, first + in_a_row):
            await work(number)
        best = max(best, in_a_row / (time.perf_counter() - began_s))
    return best


def _whole_round() -> tuple[Item, ...]:
    return tuple(_hello(number) for number in range(METERS))


async def _until_all_answer(carrier: Carrier, number: int) -> None:
    """The boxes are there, know the meters, and every meter has answered once; rounds count from ``number``."""
    first = number
    while True:
        number += 1
        await carrier.send(build_hop(Members(AT, 1, tuple((_meter_id(each), each) for each in range(METERS)))))
        await carrier.send(build_hop(Round(AT, number, True, _whole_round())))
        try:
            async with asyncio.timeout(1 if number == first + 1 else 5):
                if await _answers(carrier, number) == METERS:
                    return
        except TimeoutError:
            continue
        await asyncio.sleep(0.2)


async def _answers(carrier: Carrier, number: int) -> int:
    """How many meters answered the round, once it is worked through."""
    answered = 0
    while True:
        message = parse_hop(await carrier.receive())
        if isinstance(message, Answers) and message.number == number:
            answered += len(message.items)
            if message.done:
                return answered


async def _in_one_process(memories: list[Path]) -> tuple[float, float]:
    """All boxes in this event loop, over carriers in memory."""
    accepted: asyncio.Queue[Carrier] = asyncio.Queue()
    listener = await listen("memory:bench-host", End(HOST), lambda carrier, _: accepted.put_nowait(carrier))
    homes = Homes(WallClock(), tick_s=_WITHIN_S)
    for number, path in enumerate(memories):
        homes.add(path, home_load(number))
    area, station = AreaBox(MemorySpools(), AT.area, WallClock()), StationBox(MemorySpool(bytes(8)), AT, WallClock())
    boxes = [
        asyncio.create_task(area.run("memory:bench-host", ["memory:bench-area"], End(AREA), HOST)),
        asyncio.create_task(station.run("memory:bench-area", ["memory:bench-line"], End(STATION), AREA)),
        asyncio.create_task(homes.run("memory:bench-line")),
    ]
    try:
        async with asyncio.timeout(_WITHIN_S):
            carrier, single, rounds = await accepted.get(), 0.0, 0.0
            for turn in range(TURNS):
                through = await _through(turn, carrier)
                single, rounds = max(single, through[0]), max(rounds, through[1])
                await asyncio.sleep(TURN_S)
            return single, rounds
    finally:
        for box in boxes:
            box.cancel()
        await asyncio.gather(*boxes, return_exceptions=True)
        listener.close()


# Places of the carriers.


def _papers(folder: Path) -> dict[str, Papers]:
    now_s = int(time.time())
    authority = make_authority(HERE, now_s)
    boxes: dict[str, BoxName] = {"host": HOST, "area": AREA, "station": STATION, "server": server_name(HERE, 1)}
    for word, name in boxes.items():
        at = ["127.0.0.1"] if word == "server" else []
        write_papers(folder / word, issue(authority, name, now_s, reached_at=at))
    return {word: Papers(folder / word) for word in boxes}


def _free() -> str:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return f"127.0.0.1:{found.getsockname()[1]}"


@contextmanager
def _tcp_places(folder: Path, papers: dict[str, Papers]) -> Iterator[tuple[str, str, str]]:
    up = f"tcp://{_free()}"
    yield up, up, f"tcp://{_free()}"


@contextmanager
def _nats_places(folder: Path, papers: dict[str, Papers]) -> Iterator[tuple[str, str, str]]:
    """A server beside the host, and a leaf beside the area server."""
    program = shutil.which("nats-server", path=str(Path(sys.executable).parent)) or "nats-server"
    hub, leaves, leaf = _free(), _free(), _free()
    configs = {
        "hub": build_hub_config("hub", papers["server"], ServerPlaces(hub, leaves), folder / "hub"),
        "leaf": build_leaf_config(papers["area"], leaf, [leaves], folder / "leaf"),
    }
    with ExitStack() as stack:
        for (name, config), place in zip(configs.items(), (hub, leaf), strict=True):
            path = folder / f"{name}.conf"
            path.write_text(config)
            server = stack.enter_context(subprocess.Popen([program, "-c", path], stderr=subprocess.DEVNULL))
            stack.callback(server.terminate)
            _wait_open(place)
        yield f"nats://{hub}", f"nats://{leaf}", f"nats://{leaf}"


def _wait_open(place: str) -> None:
    host, _, port = place.rpartition(":")
    until_s = time.monotonic() + _WITHIN_S
    while True:
        try:
            socket.create_connection((host, int(port)), timeout=1).close()
        except OSError:
            if time.monotonic() > until_s:
                raise
            time.sleep(0.02)
        else:
            return
