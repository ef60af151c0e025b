"""Carriers inside one process: a pipe between two ends, and a line that everybody on it hears.

Both hold a bounded number of messages for an end that does not receive. A full pipe makes its sender wait; a full line
drops the message for that listener alone, as a modem that is not listening misses what is on the wire.
"""

import asyncio
from collections import deque
from typing import Final

from prewatt.link.carrier import Carrier, CarrierClosedError

__all__ = ["WAITING_MAX", "MemoryLine", "memory_pipe"]

# Messages that wait for one end. A round is at most 256; four rounds wait before anybody is held up.
WAITING_MAX: Final = 1_024


class _Mailbox:
    """Messages waiting for one end. After close, those inside can still be taken."""

    def __init__(self) -> None:
        self._waiting: deque[bytes] = deque()
        self._changed = asyncio.Event()
        self._closed = False

    @property
    def full(self) -> bool:
        return len(self._waiting) >= WAITING_MAX

    @property
    def closed(self) -> bool:
        return self._closed

    async def put(self, data: bytes) -> None:
        while self.full and not self._closed:
            await self._wait()
        if self._closed:
            raise CarrierClosedError("the other end has closed")
        self.add(data)

    def add(self, data: bytes) -> None:
        self._waiting.append(data)
        self._changed.set()

    async def take(self) -> bytes:
        while not self._waiting:
            if self._closed:
                raise CarrierClosedError("nothing more will come: an end has closed")
            await self._wait()
        self._changed.set()
        return self._waiting.popleft()

    def close(self) -> None:
        self._closed = True
        self._changed.set()

    async def _wait(self) -> None:
        self._changed.clear()
        await self._changed.wait()


class _PipeEnd:
    def __init__(self, inbox: _Mailbox, outbox: _Mailbox) -> None:
        self._inbox, self._outbox = inbox, outbox

    async def send(self, data: bytes) -> None:
        await self._outbox.put(bytes(data))

    async def receive(self) -> bytes:
        return await self._inbox.take()

    def close(self) -> None:
        self._inbox.close()
        self._outbox.close()


def memory_pipe() -> tuple[Carrier, Carrier]:
    """Two ends; what one sends the other receives, all of it and in order."""
    there, back = _Mailbox(), _Mailbox()
    return _PipeEnd(back, there), _PipeEnd(there, back)


class _LineEnd:
    def __init__(self, line: "MemoryLine") -> None:
        self._line = line
        self.inbox = _Mailbox()

    async def send(self, data: bytes) -> None:
        if self.inbox.closed:
            raise CarrierClosedError("this end has closed")
        self._line.spread(self, bytes(data))

    async def receive(self) -> bytes:
        return await self.inbox.take()

    def close(self) -> None:
        self.inbox.close()
        self._line.detach(self)


class MemoryLine:
    """A shared line: every end hears what every other end sends. There is nothing below 'heard' or 'not heard'."""

    def __init__(self) -> None:
        self._ends: list[_LineEnd] = []

    def attach(self) -> Carrier:
        """A new end on the line; it hears what is sent from now on."""
        end = _LineEnd(self)
        self._ends.append(end)
        return end

    def detach(self, end: _LineEnd) -> None:
        """Takes an end off the line."""
        if end in self._ends:
            self._ends.remove(end)

    def spread(self, sender: _LineEnd, data: bytes) -> None:
        """Gives ``data`` to every end but its sender's; an end that is full misses it."""
        for end in self._ends:
            if end is not sender and not end.inbox.full:
                end.inbox.add(data)
