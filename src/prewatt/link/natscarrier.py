"""One end of the nats carrier: a session between two boxes at the message servers; see `prewatt.link.nats`."""

import asyncio
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.errors import TimeoutError as NatsTimeoutError
from nats.js.errors import APIError

from prewatt.link.carrier import MESSAGE_BYTES_MAX, CarrierClosedError
from prewatt.link.names import BoxName
from prewatt.link.tcpcarrier import ALIVE_EVERY_S, SILENT_TURNS, WAITING_MAX

if TYPE_CHECKING:
    from prewatt.link.natsmeeting import Meeting

__all__ = ["ALIVE", "BYE", "DATA", "HEAD_BYTES", "HELLO", "SESSION_BYTES", "WELCOME", "NatsCarrier"]

SESSION_BYTES: Final = 8
HEAD_BYTES: Final = 1 + SESSION_BYTES
# The first byte of what boxes say to each other.
DATA, HELLO, WELCOME, ALIVE, BYE = (bytes((number,)) for number in range(5))
_HELLO_EVERY_S: Final = 0.5
_FETCH_MAX: Final = 64
_FETCH_WITHIN_S: Final = 5.0
_FETCH_PAUSE_S: Final = 0.5


class NatsCarrier:
    """One end between two boxes; see `prewatt.link.carrier.Carrier`."""

    def __init__(self, meeting: "Meeting", peer: BoxName, session: bytes) -> None:
        self._meeting = meeting
        self.peer = peer
        self.session = session
        self._waiting: deque[tuple[bytes, Msg | None]] = deque()
        self._taken: Msg | None = None
        self._changed = asyncio.Event()
        self._welcomed = asyncio.Event()
        self._closed = False
        self._said, self._heard, self._silent_turns = False, False, 0
        self._tasks = [asyncio.create_task(self._stay_alive())]
        if meeting.lasting is not None:
            self._tasks.append(asyncio.create_task(self._pull()))
        self.why_closed = "the other end has closed"

    async def send(self, data: bytes) -> None:
        """See Carrier. ValueError for more than MESSAGE_BYTES_MAX."""
        if len(data) > MESSAGE_BYTES_MAX:
            raise ValueError(f"message: {len(data)} bytes are not allowed; allowed is up to {MESSAGE_BYTES_MAX}")
        if self._closed:
            raise CarrierClosedError(self.why_closed)
        self._said = True
        if self._meeting.lasting is not None and self._meeting.lasting(data):
            await self._meeting.publish_lasting(self.peer, data)
        else:
            await self._meeting.publish(self.peer, DATA + self.session + data)

    async def receive(self) -> bytes:
        """See Carrier. What it gave before counts as processed when it is called again."""
        await self._acknowledge()
        while not self._waiting:
            if self._closed:
                raise CarrierClosedError(self.why_closed)
            self._changed.clear()
            await self._changed.wait()
        data, self._taken = self._waiting.popleft()
        return data

    def close(self) -> None:
        """See Carrier; the other end is told."""
        if not self._closed:
            self._meeting.say(self.peer, BYE + self.session)
            self.end("this end has closed")

    async def wait_welcome(self) -> None:
        """Asks to be let in until the other end does, or a time-out of the caller's ends it."""
        while not self._welcomed.is_set() and not self._closed:
            await self._meeting.publish(self.peer, HELLO + self.session)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._welcomed.wait(), _HELLO_EVERY_S)
        if self._closed:
            raise CarrierClosedError(self.why_closed)

    def hear(self, sign: bytes, data: bytes) -> None:
        """A message of this session."""
        self._heard = True
        if sign == DATA:
            self._take(data, None)
        elif sign == WELCOME:
            self._welcomed.set()
        elif sign == BYE:
            self.end("the other end has closed")

    def end(self, why: str) -> None:
        """Nothing more will come or go; what had arrived is still given out."""
        if self._closed:
            return
        self._closed, self.why_closed = True, why
        self._meeting.forget(self)
        for task in self._tasks:
            if task is not asyncio.current_task():
                task.cancel()
        self._changed.set()
        self._welcomed.set()

    def _take(self, data: bytes, message: Msg | None) -> None:
        # Subjects do not make a sender wait: what is beyond is lost as on a line, and comes again.
        if len(self._waiting) < WAITING_MAX:
            self._waiting.append((data, message))
            self._changed.set()

    async def _acknowledge(self) -> None:
        taken, self._taken = self._taken, None
        if taken is not None:
            with suppress(NatsError, OSError):
                await taken.ack()

    async def _stay_alive(self) -> None:
        while True:
            await asyncio.sleep(ALIVE_EVERY_S)
            self._silent_turns = 0 if self._heard else self._silent_turns + 1
            if self._silent_turns >= SILENT_TURNS:
                self.end(f"nothing heard for {SILENT_TURNS * ALIVE_EVERY_S:.0f} s")
                return
            if not self._said:
                self._meeting.say(self.peer, ALIVE + self.session)
            self._said = self._heard = False

    async def _pull(self) -> None:
        """Fetches what lasts for as long as the session does.

        It looks whether that has ended: where the connection has closed too, the client makes an error of its own of
        the cancelling, and a box that waits for this task would never stop.
        """
        while not self._closed:
            try:
                subscription = await self._meeting.consume_lasting(self.peer)
                while True:
                    # Nothing more is taken out of the stream than there is room for here.
                    if len(self._waiting) > WAITING_MAX - _FETCH_MAX:
                        await asyncio.sleep(_FETCH_PAUSE_S)
                        continue
                    with suppress(NatsTimeoutError):
                        for message in await subscription.fetch(_FETCH_MAX, timeout=_FETCH_WITHIN_S):
                            self._take(message.data, message)
            except (NatsError, APIError, OSError):
                self._meeting.forget_lasting(self.peer)
                await asyncio.sleep(_FETCH_PAUSE_S)
