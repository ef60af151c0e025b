"""What every program with a host serves: a port taken first, a web server in a thread of its own, and dispatch."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import uvicorn

from prewatt.host.dispatch import DispatchDriver
from prewatt.host.folder import LOOPBACK
from prewatt.host.refusals import HostError

__all__ = ["dispatching", "listening", "reached_at", "serving"]

_WEB_STOPS_WITHIN_S: Final = 5.0


def reached_at(address: str) -> str:
    """Where this computer reaches what listens on ``address``: the loopback, where it listens on every address."""
    return {"0.0.0.0": LOOPBACK, "::": "::1", "": LOOPBACK}.get(address, address)  # noqa: S104 - compared, not bound


@contextmanager
def listening(address: str, port: int) -> Iterator[socket.socket]:
    """The port, taken before anything else is done, so that a port in use changes nothing."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((address, port))
            listener.listen()
        except OSError as error:
            place = f"{address} port {port}"
            why = error.strerror or str(error)
            raise HostError(f"{place}: {why}; take another with --port, or 0 for a free one") from error
        yield listener
    finally:
        listener.close()


@contextmanager
def serving(app: object, listener: socket.socket) -> Iterator[None]:
    """The web server in a thread of its own; begun when it answers, ended when its open requests are."""
    # Headers that say where a request was forwarded from are anybody's word; the log and the lock-out need the truth.
    config = uvicorn.Config(
        app,  # type: ignore[arg-type]
        log_config=None,
        access_log=False,
        lifespan="off",
        timeout_graceful_shutdown=2,
        proxy_headers=False,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="prewatt web", daemon=True)
    thread.start()
    while not server.started and thread.is_alive():
        time.sleep(0.005)
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(_WEB_STOPS_WITHIN_S)


@contextmanager
def dispatching(driver: DispatchDriver) -> Iterator[None]:
    """Dispatch at work, in its own thread."""
    driver.start()
    try:
        yield
    finally:
        driver.stop()
