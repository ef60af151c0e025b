"""A bounded number of messages that wait for one end of a carrier inside this process."""

import asyncio
from collections import deque
from typing import Final

from prewatt.link.carrier import CarrierClosedError

__all__ = ["WAITING_MAX", "Mailbox"]

# Messages that wait for one end. A round is at most 256; four rounds wait before anybody is held up.
WAITING_MAX: Final = 1_024


class Mailbox:
    """Messages waiting for one end. After close, those inside can still be taken."""

    def __init__(self) -> None:
        self._waiting: deque[bytes] = deque()
        self._changed = asyncio.Event()
        self._closed = False

    @property
    def full(self) -> bool:
        """Whether no more may be added."""
        return len(self._waiting) >= WAITING_MAX

    @property
    def closed(self) -> bool:
        """Whether its end has closed."""
        return self._closed

    async def put(self, data: bytes) -> None:
        """Adds a message, as soon as there is room; CarrierClosedError once it is closed."""
        while self.full and not self._closed:
            await self._wait()
        if self._closed:
            raise CarrierClosedError("the other end has closed")
        self.add(data)

    def add(self, data: bytes) -> None:
        """Adds a message; the caller has looked whether there is room."""
        self._waiting.append(data)
        self._changed.set()

    async def take(self) -> bytes:
        """The next message, as soon as there is one; CarrierClosedError once it is closed and empty."""
        while not self._waiting:
            if self._closed:
                raise CarrierClosedError("nothing more will come: an end has closed")
            await self._wait()
        self._changed.set()
        return self._waiting.popleft()

    def empty(self) -> list[bytes]:
        """Takes all that wait now."""
        waiting = list(self._waiting)
        self._waiting.clear()
        self._changed.set()
        return waiting

    async def wait_closed(self) -> None:
        """Returns when its end has closed."""
        while not self._closed:
            await self._wait()

    def close(self) -> None:
        """Wakes everybody who waits; nothing is added any more."""
        self._closed = True
        self._changed.set()

    async def _wait(self) -> None:
        self._changed.clear()
        await self._changed.wait()
