"""`prewatt up`: host, station, street and web server in one process.

Three threads share the work. The main one drives the street (an event loop: time, loads, frames); dispatch has its own
and talks to the street through batches, as to any station; the web server has its own too, so that a slow page never
delays a frame. Ctrl-C (or TERM) ends them in the order in which nothing is left behind: web, street, dispatch, host.
"""

import asyncio
import secrets
import signal
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from typing import Final

import structlog

from prewatt.apps.api import build_app
from prewatt.apps.installation import CLOCK_NAME, open_or_create
from prewatt.apps.logs import set_up_logs
from prewatt.apps.selling import Selling
from prewatt.apps.serving import dispatching, listening, reached_at, serving
from prewatt.apps.settings import Settings
from prewatt.apps.street.boxes import STREET
from prewatt.apps.street.clock import StreetClock
from prewatt.apps.street.screen import Screen
from prewatt.apps.street.settle import settle_street
from prewatt.apps.street.street import Street
from prewatt.host.dispatch import DispatchDriver
from prewatt.host.folder import DataFolder
from prewatt.host.host import Host
from prewatt.host.topology import STATION_DEFAULT

__all__ = ["run_up"]

TOKEN_BYTES: Final = 24
_log = structlog.get_logger("prewatt.up")


class _StreetField:
    """The street's area server, as dispatch sees it."""

    def __init__(self, street: Street) -> None:
        self._street = street

    def post(self, area: int, data: bytes) -> None:
        """See `prewatt.host.dispatch.Field`; other areas have no way from here."""
        if area == STREET.area:
            self._street.deliver(data)


def run_up(settings: Settings) -> None:
    """Runs until it is told to stop. Errors before that are HostError, VaultError or ValueFieldError with one line."""
    set_up_logs(settings.log_level)
    screen = Screen()
    with ExitStack() as stack:
        listener = stack.enter_context(listening(settings.address, settings.port))
        folder = stack.enter_context(DataFolder.claim(settings.data, create=True, starting=True))
        clock = StreetClock(
            settings.data / CLOCK_NAME, start_s=int(time.time()), speed=settings.speed, monotonic=time.monotonic
        )
        with screen.busy("opening the books"):
            host = stack.enter_context(open_or_create(folder, settings, clock.now_s, create=True, serves=True))
        street = Street(settings.data / "meters", clock)
        with screen.busy("powering up the meters"):
            settle_street(host, street, settings)
        driver = _connect(host, street)
        token = secrets.token_urlsafe(TOKEN_BYTES)
        reached = reached_at(settings.address)
        place = f"[{reached}]" if ":" in reached else reached
        address = f"http://{place}:{listener.getsockname()[1]}"
        with serving(build_app(Selling(host), street, token), listener), dispatching(driver):
            folder.publish(listener.getsockname()[1], token, reached_at(settings.address))
            screen.greet(f"{address}/?token={token}", settings)
            asyncio.run(_live(street, screen, lambda: _coverage(host)))
            # Whoever asks now waits for the end instead of for an answer.
            folder.publish(None, None)
            screen.say("stopping; the next start goes on from here")


def _connect(host: Host, street: Street) -> DispatchDriver:
    driver = DispatchDriver(host.network, _StreetField(street), clock_ms=street.clock.line_ms)
    host.on_work(driver.wake)
    street.on_uplink(partial(driver.arrived, STREET.area))
    return driver


def _coverage(host: Host) -> str:
    return host.polling.coverage(STATION_DEFAULT).coverage.text


async def _live(street: Street, screen: Screen, coverage: Callable[[], str]) -> None:
    """The street and its picture, until a signal comes."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    tasks = [asyncio.create_task(street.run()), asyncio.create_task(screen.show(street, coverage))]
    waiting = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait([*tasks, waiting], return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (*tasks, waiting):
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException) and not isinstance(result, asyncio.CancelledError):
            raise result
