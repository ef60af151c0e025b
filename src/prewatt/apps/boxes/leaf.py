"""The message server beside an area server: found, configured, started, and stopped with it.

It is told to read its configuration again when the area's papers or the list of revoked ones have changed.

For an area server `nats://HUB:PORT` names where its leaf node reaches the servers beside the host; its own client and
its stations meet at the leaf. The program is any nats-server: the one named, the one on PATH, or the one that a Python
package put beside this interpreter.
"""

import asyncio
import ctypes
import shutil
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final

import structlog

from prewatt.host.refusals import HostError
from prewatt.link.names import parse_place
from prewatt.link.natsconfig import build_leaf_config
from prewatt.link.papers import Papers, write_file
from prewatt.link.renewal import LivePapers

__all__ = ["find_program", "run_leaf"]

_log = structlog.get_logger("prewatt.boxes")
NATS: Final = "nats:"
_PROGRAM: Final = "nats-server"
# Of linux/prctl.h.
_PR_SET_PDEATHSIG: Final = 1
_STARTS_WITHIN_S: Final = 20.0
_LOOK_EVERY_S: Final = 0.05
_LOOK_AT_PAPERS_EVERY_S: Final = 2.0
_CONFIG: Final = "server.conf"
_STOPS_WITHIN_S: Final = 5.0


def find_program(named: str | None) -> str:
    """The message server to start; HostError where there is none."""
    beside = str(Path(sys.executable).parent)
    found = shutil.which(named or _PROGRAM) or (None if named else shutil.which(_PROGRAM, path=beside))
    if found is None:
        raise HostError(
            f"{named or _PROGRAM}: there is no such program; install nats-server, or name it with --nats-server PATH, "
            "or a running one with --nats-server nats://HOST:PORT"
        )
    return found


@asynccontextmanager
async def run_leaf(
    folder: Path, host: str, stations: Sequence[str], program: str | None
) -> AsyncIterator[tuple[str, Sequence[str]]]:
    """The addresses to dial and to listen at, once the message server runs; as they are where none is needed."""
    if not host.startswith(NATS):
        yield host, stations
    elif program is not None and program.startswith(NATS):
        yield program, [program if each.startswith(NATS) else each for each in stations]
    else:
        own = next((each for each in stations if each.startswith(NATS)), f"{NATS}//127.0.0.1:0")
        async with _server(folder, _places(host), _with_port(_places(own)[0]), find_program(program)) as place:
            met = f"{NATS}//{place}"
            yield met, [met if each.startswith(NATS) else each for each in stations]


@asynccontextmanager
async def _server(folder: Path, hubs: list[str], place: str, program: str) -> AsyncIterator[str]:
    def configure(papers: Papers) -> None:
        write_file(folder, _CONFIG, build_leaf_config(papers, place, hubs, folder / "streams").encode())

    live = LivePapers(folder)
    configure(live.now)
    with (folder / "server.log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            program, "-c", folder / _CONFIG, stdout=log, stderr=log, preexec_fn=_die_with_parent
        )
    dead = asyncio.create_task(process.wait())
    current = asyncio.create_task(_keep_current(process, live, configure))
    try:
        await _wait_open(place, dead, folder / "server.log")
        yield place
    finally:
        current.cancel()
        with suppress(ProcessLookupError):
            process.terminate()
        try:
            await asyncio.wait_for(dead, _STOPS_WITHIN_S)
        except TimeoutError:
            process.kill()


async def _keep_current(
    process: asyncio.subprocess.Process, live: LivePapers, configure: Callable[[Papers], None]
) -> None:
    used = live.now
    while True:
        await asyncio.sleep(_LOOK_AT_PAPERS_EVERY_S)
        papers = live.now
        if papers is not used:
            try:
                configure(papers)
            except OSError as error:
                _log.error("message server: configuration cannot be written", cause=str(error))
                continue
            used = papers
            with suppress(ProcessLookupError):
                process.send_signal(signal.SIGHUP)


async def _wait_open(place: str, dead: "asyncio.Task[int]", log: Path) -> None:
    host, port = parse_place(place, field="message server")
    until_s = asyncio.get_running_loop().time() + _STARTS_WITHIN_S
    while True:
        try:
            _, writer = await asyncio.open_connection(_reached(host), port)
        except OSError:
            if dead.done() or asyncio.get_running_loop().time() > until_s:
                raise HostError(f"message server: does not start; {log} says why") from None
            await asyncio.sleep(_LOOK_EVERY_S)
        else:
            writer.close()
            return


def _die_with_parent() -> None:
    """In the child, before it becomes the server: where the box is killed, its server must not hold its port."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _reached(host: str) -> str:
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound


def _places(address: str) -> list[str]:
    places = address.removeprefix(NATS).removeprefix("//").split(",")
    for place in places:
        parse_place(place, field="message server")
    return places


def _with_port(place: str) -> str:
    """``place`` itself, or with a free port where it asks for one."""
    host, port = parse_place(place, field="message server")
    if port:
        return place
    with socket.create_server((host, 0)) as found:
        return f"{host}:{found.getsockname()[1]}"
