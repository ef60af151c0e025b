"""A bounded number of messages that wait for one end of a carrier inside this process."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final

from prewatt.link.carrier import CarrierClosedError

__all__ = ["WAITING_MAX", "Mailbox"]

# Messages that wait for one end. A round is at most 256; four rounds wait before anybody is held up.
WAITING_MAX: Final = 1_024


class Mailbox:
    """Messages waiting for one end, which takes them or is given them. After close, those inside still come out."""

    def __init__(self) -> None:
        self._waiting: deque[bytes] = deque()
        self._changed = asyncio.Event()
        # Apart from `_changed`, so that who waits for the end is not woken by every message.
        self._ended = asyncio.Event()
        self._hear: Callable[[bytes], None] | None = None
        self._giving: asyncio.Handle | None = None
        self._busy = False

    @property
    def full(self) -> bool:
        """Whether no more may be added."""
        return len(self._waiting) >= WAITING_MAX

    @property
    def closed(self) -> bool:
        """Whether its end has closed."""
        return self._ended.is_set()

    @property
    def hears(self) -> bool:
        """Whether its end is in the middle of hearing a message."""
        return self._busy

    async def put(self, data: bytes) -> None:
        """Adds a message, as soon as there is room; CarrierClosedError once it is closed."""
        while self.full and not self.closed:
            await self._wait()
        if self.closed:
            raise CarrierClosedError("the other end has closed")
        self.add(data)

    def add(self, data: bytes) -> None:
        """Adds a message; the caller has looked whether there is room."""
        self._waiting.append(data)
        if self._hear is None:
            self._changed.set()
        elif self._giving is None:
            self._give_soon()

    def answer(self, data: bytes) -> None:
        """`add` for an end that says this because of what it is hearing: whoever waits for an answer is given it at
        once, unless it is in the middle of another one, or others came before."""
        if self._hear is None or self._busy or self._waiting:
            self.add(data)
        else:
            self._hear_one(data)

    def hand_over(self, hear: Callable[[bytes], None]) -> None:
        """From now on ``hear`` is given each message in the next turn of the event loop, after whatever its sender is
        in the middle of; it must not raise. Nobody takes any more."""
        self._hear = hear
        if self._waiting:
            self._give_soon()

    async def take(self) -> bytes:
        """The next message, as soon as there is one; CarrierClosedError once it is closed and empty."""
        while not self._waiting:
            if self.closed:
                raise CarrierClosedError("nothing more will come: an end has closed")
            await self._wait()
        self._changed.set()
        return self._waiting.popleft()

    def empty(self) -> list[bytes]:
        """Takes all that wait now."""
        was_full, waiting = self.full, list(self._waiting)
        self._waiting.clear()
        if was_full:
            self._changed.set()
        return waiting

    async def wait_closed(self) -> None:
        """Returns when its end has closed."""
        await self._ended.wait()

    def close(self) -> None:
        """Wakes everybody who waits; nothing is added any more."""
        self._ended.set()
        self._changed.set()

    def _give_soon(self) -> None:
        self._giving = asyncio.get_running_loop().call_soon(self._give)

    def _give(self) -> None:
        """Gives what waits now; what that leads to waits for the turn after, so that no socket is kept waiting."""
        self._giving = None
        for data in self.empty():
            self._hear_one(data)

    def _hear_one(self, data: bytes) -> None:
        assert self._hear is not None
        self._busy = True
        self._hear(data)
        self._busy = False

    async def _wait(self) -> None:
        self._changed.clear()
        await self._changed.wait()
