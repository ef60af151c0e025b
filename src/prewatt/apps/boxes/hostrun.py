"""`prewatt host run`: the host alone, with its API, for area servers that are other processes or other computers."""

import asyncio
import secrets
import time
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager, ExitStack
from typing import Final

from prewatt.apps.api.app import build_host_app
from prewatt.apps.boxes.authority import write_host_papers
from prewatt.apps.boxes.clock import WallClock
from prewatt.apps.boxes.host import HostBox
from prewatt.apps.boxes.running import BoxError, say, until_stopped
from prewatt.apps.boxes.watch import watching_host
from prewatt.apps.installation import CLOCK_NAME, open_or_create
from prewatt.apps.logs import set_up_logs
from prewatt.apps.selling import Selling
from prewatt.apps.serving import dispatching, listening, reached_at, serving
from prewatt.apps.settings import Settings
from prewatt.host.dispatch import DispatchDriver
from prewatt.host.folder import DataFolder
from prewatt.link.carrier import End
from prewatt.link.certificates import CertificateError
from prewatt.link.names import host_name

__all__ = ["run_host"]

_TOKEN_BYTES: Final = 24


def run_host(settings: Settings, addresses: Sequence[str]) -> None:
    """Until it is told to stop. Errors before that are HostError, VaultError or ValueFieldError with one line."""
    set_up_logs(settings.log_level)
    if (settings.data / CLOCK_NAME).exists():
        raise BoxError(
            f"data folder {settings.data}: its street of `prewatt up` has a clock of its own, and boxes of their own "
            "live in the world's time: name another folder in PREWATT_DATA, and make an installation there with "
            "`prewatt init`"
        )
    with ExitStack() as stack:
        listener = stack.enter_context(listening(settings.address, settings.port))
        folder = stack.enter_context(DataFolder.claim(settings.data, starting=True))
        clock = WallClock()
        host = stack.enter_context(open_or_create(folder, settings, clock.now_s, create=False, serves=True))
        try:
            papers = write_host_papers(settings, host.installation.id, int(time.time()))
        except CertificateError as error:
            raise BoxError(str(error)) from None
        box = HostBox()
        driver = DispatchDriver(host.network, box, clock_ms=clock.line_ms)
        box.arrived, box.link = driver.arrived, lambda area, up: driver.link(area, up=up)
        host.on_work(driver.wake)
        token, port = secrets.token_urlsafe(_TOKEN_BYTES), listener.getsockname()[1]
        with serving(build_host_app(Selling(host), token), listener), dispatching(driver):
            folder.publish(port, token, reached_at(settings.address))
            api = f"{settings.address} port {port}"
            watching = watching_host(settings, host.installation.id)
            own = End(host_name(host.installation.id), papers)
            asyncio.run(until_stopped(_live(watching, box, addresses, own, api)))


async def _live(
    watching: AbstractAsyncContextManager[None], box: HostBox, addresses: Sequence[str], own: End, api: str
) -> None:
    ready = asyncio.Event()
    async with watching:
        running = asyncio.create_task(box.run(addresses, own, ready))
        waiting = asyncio.create_task(ready.wait())
        await asyncio.wait([running, waiting], return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if not running.done():
            say(f"host: API at {api}, area servers at {', '.join(box.places)}")
        await running
