"""Carriers inside one process: a pipe between two ends, and a line that everybody on it hears.

Both hold a bounded number of messages for an end that does not receive. A full pipe makes its sender wait; a full line
drops the message for that listener alone, as a modem that is not listening misses what is on the wire. As a scheme,
`memory:NAME` is a pipe to whoever listens under that name in this process.
"""

from collections.abc import Callable
from typing import Final

from prewatt.link.carrier import (
    MESSAGE_BYTES_MAX,
    Accept,
    Carrier,
    CarrierClosedError,
    CarrierScheme,
    End,
    Promise,
)
from prewatt.link.mailbox import WAITING_MAX, Mailbox
from prewatt.link.names import BoxName

__all__ = ["MEMORY", "WAITING_MAX", "MemoryLine", "memory_pipe"]


class _PipeEnd:
    def __init__(self, inbox: Mailbox, outbox: Mailbox) -> None:
        self._inbox, self._outbox = inbox, outbox
        self._failed: Exception | None = None
        self._deaf = False

    async def send(self, data: bytes) -> None:
        if len(data) > MESSAGE_BYTES_MAX:
            raise ValueError(f"message: {len(data)} bytes are not allowed; allowed is up to {MESSAGE_BYTES_MAX}")
        await self._outbox.put(bytes(data))

    def try_send(self, data: bytes) -> bool:
        """`send` for whoever cannot wait: False, and nothing sent, where it would have to or cannot."""
        if self._outbox.closed or self._outbox.full or len(data) > MESSAGE_BYTES_MAX:
            return False
        if self._inbox.hears:
            self._outbox.answer(bytes(data))
        else:
            self._outbox.add(bytes(data))
        return True

    async def receive(self) -> bytes:
        return await self._inbox.take()

    def hand_over(self, hear: Callable[[bytes], None]) -> None:
        """From now on ``hear`` is given each message, in the event loop, and `receive` is not used any more."""

        def give(data: bytes) -> None:
            if not self._deaf:
                try:
                    hear(data)
                except Exception as error:  # whatever it is, it belongs to whoever waits for the end
                    self._failed = error
                    self.close()

        self._inbox.hand_over(give)

    async def wait_closed(self) -> str:
        """Until nothing more will come or go; gives why, or raises what ``hear`` raised."""
        await self._inbox.wait_closed()
        if self._failed is not None:
            raise self._failed
        return "nothing more will come: an end has closed"

    def close(self) -> None:
        self._deaf = True
        self._inbox.close()
        self._outbox.close()


def memory_pipe() -> tuple[Carrier, Carrier]:
    """Two ends; what one sends the other receives, all of it and in order."""
    there, back = Mailbox(), Mailbox()
    return _PipeEnd(back, there), _PipeEnd(there, back)


class _LineEnd:
    def __init__(self, line: "MemoryLine") -> None:
        self._line = line
        self.inbox = Mailbox()

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


class _Place:
    """A name under which somebody listens, and the ends that were opened there."""

    def __init__(self, scheme: "MemoryScheme", place: str, accept: Accept) -> None:
        self._scheme, self.place, self._accept = scheme, place, accept
        self._ends: list[Carrier] = []

    def open(self, peer: BoxName | None) -> Carrier:
        """Gives one end of a new pipe to the listener, and the other back."""
        theirs, ours = memory_pipe()
        self._ends.append(ours)
        self._accept(ours, peer)
        return theirs

    def close(self) -> None:
        """See Listener."""
        self._scheme.forget(self)
        for end in self._ends:
            end.close()
        self._ends = []


class MemoryScheme:
    """`memory:NAME`: pipes inside this process; names are given by whoever listens first."""

    promise = Promise()

    def __init__(self) -> None:
        self._places: dict[str, _Place] = {}

    async def listen(self, place: str, own: End, accept: Accept) -> _Place:
        """See CarrierScheme; FileExistsError where somebody listens under that name already."""
        if place in self._places:
            raise FileExistsError(f"memory:{place}: somebody listens there already")
        self._places[place] = _Place(self, place, accept)
        return self._places[place]

    async def dial(self, place: str, own: End, peer: BoxName | None) -> Carrier:
        """See CarrierScheme."""
        found = self._places.get(place)
        if found is None:
            raise CarrierClosedError(f"memory:{place}: nobody listens there")
        return found.open(own.name)

    def forget(self, place: _Place) -> None:
        """Frees the name of a place that has closed."""
        if self._places.get(place.place) is place:
            del self._places[place.place]


MEMORY: Final[CarrierScheme] = MemoryScheme()
