"""The thread that runs the engine: it waits for arrivals, work and time, and hands payloads to the field.

Everything that needs a moment is handled in one go: all arrivals that lie there become one batch.
"""

import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Protocol

import structlog

from prewatt.host.dispatch.network import Hop, Network

__all__ = ["ARRIVALS_BYTES_MAX", "ARRIVALS_MAX", "BATCH_MAX", "DispatchDriver", "Field", "line_clock_ms"]

_log = structlog.get_logger("prewatt.dispatch")
# Batches that wait for an engine that cannot go on; what is beyond is lost like a frame on the line, and comes again.
ARRIVALS_MAX = 4_096
# And no more bytes than this: one area server that says only its longest would else fill the host's memory.
ARRIVALS_BYTES_MAX = 64 * 1024 * 1024
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
        self._arrivals: queue.SimpleQueue[tuple[int, bytes] | None] = queue.SimpleQueue()
        self._gate = threading.Lock()
        self._waiting = 0
        self._waiting_bytes = 0
        self._links: deque[tuple[int, bool]] = deque()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="prewatt dispatch", daemon=True)

    def start(self) -> None:
        """Begins to work."""
        self._thread.start()

    def stop(self) -> None:
        """Ends after what is being done; sessions under way are dropped and tried again after the next start."""
        self._stopping = True
        self._arrivals.put(None)
        if self._thread.is_alive():
            self._thread.join()

    def arrived(self, area: int, data: bytes) -> None:
        """A box message that came through this area server."""
        with self._gate:
            if self._waiting >= ARRIVALS_MAX or self._waiting_bytes + len(data) > ARRIVALS_BYTES_MAX:
                return
            self._waiting += 1
            self._waiting_bytes += len(data)
        self._arrivals.put((area, data))

    @property
    def waiting(self) -> int:
        """How many arrivals the engine has not taken yet (wakes and links are not arrivals)."""
        return self._waiting

    def link(self, area: int, *, up: bool) -> None:
        """The way to this area server is there, or is gone."""
        self._links.append((area, up))
        self._arrivals.put(None)

    def wake(self, meter: str) -> None:
        """Something waits for this meter."""
        self._network.wake(meter)
        self._arrivals.put(None)

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
        now_ms = self._clock_ms()
        wait_s = (self._network.next_wake_ms(now_ms) - now_ms) / 1_000
        batch: list[tuple[int, bytes] | None] = []
        with suppress(queue.Empty):
            batch.append(self._arrivals.get(timeout=max(wait_s, 0)))
            while len(batch) < BATCH_MAX:
                batch.append(self._arrivals.get_nowait())
        found = [each for each in batch if each is not None]
        with self._gate:
            self._waiting -= len(found)
            self._waiting_bytes -= sum(len(data) for _, data in found)
        return found

    def _post(self, hops: Iterable[Hop]) -> None:
        for hop in hops:
            self._field.post(hop.area, hop.data)
