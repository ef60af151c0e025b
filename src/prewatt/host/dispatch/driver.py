"""The thread that runs the engine: it waits for arrivals, work and time, and hands payloads to the field.

Everything that needs a moment is handled in one go: all arrivals that lie there become one batch.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import Protocol

import structlog

from prewatt.host.dispatch.arrivals import Arrivals
from prewatt.host.dispatch.network import Hop, Network

__all__ = ["BATCH_MAX", "DispatchDriver", "Field", "line_clock_ms"]

_log = structlog.get_logger("prewatt.dispatch")
# Box messages handled as one batch: more gains nothing and makes the first wait.
BATCH_MAX = 256
# An engine that cannot write (disk full) tries again after so long.
_FAULT_PAUSE_S = 1.0


class Field(Protocol):
    """The way out to the area servers. `post` is called from the driver's thread and must not block for long."""

    def post(self, area: int, data: bytes) -> None:
        """Takes a box message for the area server of this number."""
        ...


def line_clock_ms() -> int:
    """Milliseconds of the line: monotonic wall time."""
    return time.monotonic_ns() // 1_000_000


class DispatchDriver:
    """Runs a `Network` over a `Field`. `arrived` and `wake` may be called from any thread."""

    def __init__(self, network: Network, field: Field, *, clock_ms: Callable[[], int] = line_clock_ms) -> None:
        self._network = network
        self._field = field
        self._clock_ms = clock_ms
        self._arrivals = Arrivals()
        self._rung = threading.Event()
        self._links: deque[tuple[int, bool]] = deque()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="prewatt dispatch", daemon=True)

    def start(self) -> None:
        """Begins to work."""
        self._thread.start()

    def stop(self) -> None:
        """Ends after what is being done; sessions under way are dropped and tried again after the next start."""
        self._stopping = True
        self._rung.set()
        if self._thread.is_alive():
            self._thread.join()

    def arrived(self, area: int, data: bytes) -> None:
        """A box message that came through this area server."""
        self._arrivals.put(area, data)
        self._rung.set()

    @property
    def waiting(self) -> int:
        """How many arrivals the engine has not taken yet (wakes and links are not arrivals)."""
        return len(self._arrivals)

    def link(self, area: int, *, up: bool) -> None:
        """The way to this area server is there, or is gone."""
        self._links.append((area, up))
        self._rung.set()

    def wake(self, meter: str) -> None:
        """Something waits for this meter."""
        self._network.wake(meter)
        self._rung.set()

    def _run(self) -> None:
        while not self._stopping:
            try:
                while self._links:
                    area, up = self._links.popleft()
                    self._network.link(area, self._clock_ms(), up=up)
                self._post(self._network.tick(self._clock_ms()))
                batch = self._collect()
                if batch:
                    self._post(self._network.arrived(batch, self._clock_ms()))
            except Exception as error:  # the thread must live: meters wait for ever, and so does it
                _log.error("dispatch pauses", cause=str(error), kind=type(error).__name__)
                time.sleep(_FAULT_PAUSE_S)

    def _collect(self) -> list[tuple[int, bytes]]:
        """All arrivals that lie here, after waiting for the first, a wake or the time of the next tick."""
        if not len(self._arrivals):
            now_ms = self._clock_ms()
            self._rung.wait(max((self._network.next_wake_ms(now_ms) - now_ms) / 1_000, 0))
        # Cleared before they are taken: what comes meanwhile rings anew.
        self._rung.clear()
        return self._arrivals.take(BATCH_MAX)

    def _post(self, hops: Iterable[Hop]) -> None:
        for hop in hops:
            self._field.post(hop.area, hop.data)
