"""Whoever is at the other end of a carrier: messages posted to it without waiting, and what it says handed on.

A device never waits for a carrier. What a peer is too slow for is lost like a frame on the line, beyond a bound, and
whoever sent it repeats what matters. `Uplink` keeps one way up open: it dials, says when the way is there and when it
is gone, and dials again with a pause that doubles.
"""

import asyncio
import random
from collections import deque
from collections.abc import Callable
from typing import Final, Protocol, runtime_checkable

import structlog

from prewatt.link.carrier import Accept, Carrier, CarrierClosedError, End, Listener, dial, listen
from prewatt.link.names import BoxName

__all__ = ["POSTED_MAX", "Peer", "Uplink", "open_place"]

_log = structlog.get_logger("prewatt.boxes")
# Messages that wait for a slow peer: as many as a carrier holds for its receiver.
POSTED_MAX: Final = 1_024
_POSTED_BYTES_MAX: Final = 4 * 1024 * 1024
_PAUSE_FIRST_S: Final = 0.2
_PAUSE_LONGEST_S: Final = 15.0
# Between half and the whole of a pause, so that a street of boxes does not dial all at once.
_PAUSE_LEAST: Final = 0.5


@runtime_checkable
class _HandsOver(Protocol):
    """A carrier that gives messages to the box itself, as soon as they are there."""

    def hand_over(self, hear: Callable[[bytes], None]) -> None: ...

    async def wait_closed(self) -> str: ...


class Peer:
    """One open carrier, driven by `run`."""

    def __init__(self, carrier: Carrier, hear: Callable[[bytes], None]) -> None:
        """``hear`` takes each message, in the event loop; it must not block."""
        self._carrier, self._hear = carrier, hear
        self._try_send: Callable[[bytes], bool] = getattr(carrier, "try_send", lambda data: False)
        self._posted: deque[bytes] = deque()
        self._posted_bytes = 0
        self._changed = asyncio.Event()
        self.lost = 0

    def post(self, data: bytes) -> None:
        """Sends as soon as the carrier takes it."""
        if not self._posted and self._try_send(data):
            return
        full = len(self._posted) >= POSTED_MAX or self._posted_bytes + len(data) > _POSTED_BYTES_MAX
        if full and self._posted:
            self.lost += 1
            return
        self._posted.append(data)
        self._posted_bytes += len(data)
        self._changed.set()

    async def run(self) -> str:
        """Until the carrier has closed; gives why."""
        sending = asyncio.create_task(self._send())
        try:
            if isinstance(self._carrier, _HandsOver):
                # Without a task between the socket and the box: a third of the time that a message takes.
                self._carrier.hand_over(self._hear)
                return await self._carrier.wait_closed()
            while True:
                self._hear(await self._carrier.receive())
        except CarrierClosedError as error:
            return str(error)
        finally:
            sending.cancel()
            self._carrier.close()

    def close(self) -> None:
        """Closes the carrier."""
        self._carrier.close()

    async def _send(self) -> None:
        try:
            while True:
                while self._posted:
                    await self._carrier.send(self._posted[0])
                    self._posted_bytes -= len(self._posted.popleft())
                self._changed.clear()
                await self._changed.wait()
        except CarrierClosedError:
            self._carrier.close()


class Uplink:
    """The way to the box above."""

    def __init__(
        self,
        address: str,
        own: End,
        above: BoxName | None,
        hear: Callable[[bytes], None],
        turned: Callable[[bool], None],
    ) -> None:
        """``turned`` is told when the way is there (True) and when it is gone."""
        self._address, self._own, self._above = address, own, above
        self._hear, self._turned = hear, turned
        self._peer: Peer | None = None

    def post(self, data: bytes) -> None:
        """Sends up; lost where there is no way."""
        if self._peer is not None:
            self._peer.post(data)

    async def run(self) -> None:
        """Until cancelled. ValueFieldError for an address that cannot be one."""
        pause_s, last = _PAUSE_FIRST_S, ""
        while True:
            try:
                carrier = await dial(self._address, self._own, self._above)
            except CarrierClosedError as error:
                if str(error) != last:
                    _log.warning("no way up yet", address=self._address, cause=str(error))
                last = str(error)
                await asyncio.sleep(pause_s * random.uniform(_PAUSE_LEAST, 1))
                pause_s = min(2 * pause_s, _PAUSE_LONGEST_S)
                continue
            pause_s, last = _PAUSE_FIRST_S, ""
            await self._serve(carrier)

    async def _serve(self, carrier: Carrier) -> None:
        self._peer = Peer(carrier, self._hear)
        _log.info("the way up is there", address=self._address)
        self._turned(True)
        why = "this box stops"
        try:
            why = await self._peer.run()
        finally:
            self._peer = None
            self._turned(False)
            _log.warning("the way up is gone", address=self._address, cause=why)


async def open_place(address: str, own: End, accept: Accept) -> Listener:
    """Listens at ``address``, as soon as the message servers that it may name are there.

    OSError where the address cannot be had, ValueFieldError where it cannot be one.
    """
    last = ""
    while True:
        try:
            return await listen(address, own, accept)
        except CarrierClosedError as error:
            if str(error) != last:
                _log.warning("cannot listen yet", address=address, cause=str(error))
            last = str(error)
            await asyncio.sleep(_PAUSE_FIRST_S)
