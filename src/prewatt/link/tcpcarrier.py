"""One end of the tcp carrier: whole messages over one TCP connection.

On the wire a message is length(4) | bytes. Two lengths are signs without bytes: WELCOME, the first thing an end says
once it has let its peer in, and ALIVE, said by an end that has had nothing else to say for ALIVE_EVERY_S. An end that
heard nothing for SILENT_TURNS such times takes its peer for gone: a pulled plug sends no farewell. A peer is let in by
the name in its certificate (`prewatt.link.names`), never by what it says; and with each ALIVE turn an end looks whether
those papers have been revoked since.

Both ends hold a bounded amount for whoever is slow: an end that does not receive is not read from any more, and then
its sender waits in `send`.
"""

import asyncio
import ssl
from collections import deque
from collections.abc import Callable
from typing import Final

from prewatt.link.carrier import MESSAGE_BYTES_MAX, CarrierClosedError
from prewatt.link.names import BoxName
from prewatt.link.papers import PeerCertificate, peer_name

__all__ = [
    "ALIVE_EVERY_S",
    "OPENS_WITHIN_S",
    "SILENT_TURNS",
    "WAITING_BYTES_MAX",
    "WAITING_MAX",
    "Admits",
    "Refuses",
    "TcpCarrier",
    "reason_of",
    "refuses_none",
]

ALIVE_EVERY_S: Final = 5.0
# Three turns, so that a computer that slept, or a busy loop, does not take a living peer for gone.
SILENT_TURNS: Final = 3
OPENS_WITHIN_S: Final = 10.0
_FLUSHES_WITHIN_S: Final = 5.0
# What waits for an end that does not receive: four rounds of single messages, or three of the largest batches.
WAITING_MAX: Final = 1_024
WAITING_BYTES_MAX: Final = 3 * MESSAGE_BYTES_MAX

_LENGTH_BYTES: Final = 4
_WELCOME: Final = b"\xff\xff\xff\xfe"
_ALIVE: Final = b"\xff\xff\xff\xff"
_SIGNS: Final = frozenset((_WELCOME, _ALIVE))

Admits = Callable[[BoxName | None], bool]
Refuses = Callable[[PeerCertificate | None], str]
"""Why the bearer of a certificate is believed no more; empty where it is."""


class TcpCarrier(asyncio.Protocol):
    """One end of one connection; see `prewatt.link.carrier.Carrier`."""

    def __init__(
        self,
        admits: Admits,
        opened: "Callable[[TcpCarrier], None] | None" = None,
        refuses: "Refuses | None" = None,
    ) -> None:
        """``admits`` says whether a peer of this name (None: no TLS) may stay; ``opened`` is told of one that may.
        ``refuses`` is asked again as long as it stays."""
        self._admits, self._opened, self._refuses = admits, opened, refuses or refuses_none
        self._transport: asyncio.Transport | None = None
        self._held = bytearray()
        self._waiting: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._changed = asyncio.Event()
        self._writable = asyncio.Event()
        self._writable.set()
        self._welcomed = asyncio.Event()
        self._closed = False
        self._paused = False
        self._said, self._heard, self._silent_turns = False, False, 0
        self._alive: asyncio.TimerHandle | None = None
        self._flush: asyncio.TimerHandle | None = None
        self._hear: Callable[[bytes], None] | None = None
        self._failed: Exception | None = None
        self.peer: BoxName | None = None
        self.certificate: PeerCertificate | None = None
        self.why_closed = "the other end has closed"

    async def send(self, data: bytes) -> None:
        """See Carrier; waits while the peer is slow. ValueError for more than MESSAGE_BYTES_MAX."""
        if len(data) > MESSAGE_BYTES_MAX:
            raise ValueError(f"message: {len(data)} bytes are not allowed; allowed is up to {MESSAGE_BYTES_MAX}")
        if not self._writable.is_set():
            await self._writable.wait()
        if self._closed or self._transport is None:
            raise CarrierClosedError(self.why_closed)
        self._said = True
        self._transport.write(len(data).to_bytes(_LENGTH_BYTES, "big") + data)
        if not self._writable.is_set():
            await self._writable.wait()

    def try_send(self, data: bytes) -> bool:
        """`send` for whoever cannot wait: False, and nothing sent, where it would have to or cannot."""
        if self._closed or self._transport is None or not self._writable.is_set() or len(data) > MESSAGE_BYTES_MAX:
            return False
        self._said = True
        self._transport.write(len(data).to_bytes(_LENGTH_BYTES, "big") + data)
        return True

    async def receive(self) -> bytes:
        """See Carrier; what had arrived before the end is still given out."""
        while not self._waiting:
            if self._closed:
                raise CarrierClosedError(self.why_closed)
            self._changed.clear()
            await self._changed.wait()
        data = self._waiting.popleft()
        self._waiting_bytes -= len(data)
        if self._paused and len(self._waiting) <= WAITING_MAX // 2 and self._waiting_bytes <= WAITING_BYTES_MAX // 2:
            self._paused = False
            if self._transport is not None and not self._closed:
                self._transport.resume_reading()
        return data

    def hand_over(self, hear: Callable[[bytes], None]) -> None:
        """From now on ``hear`` is given each message at once, in the event loop, and `receive` is not used any more."""
        self._hear = hear
        self._give()

    async def wait_closed(self) -> str:
        """Until nothing more will come or go; gives why, or raises what ``hear`` raised."""
        while not self._closed:
            self._changed.clear()
            await self._changed.wait()
        if self._failed is not None:
            raise self._failed
        return self.why_closed

    @property
    def closed(self) -> bool:
        """Whether nothing more will come or go."""
        return self._closed

    def close(self) -> None:
        """See Carrier; what was sent is still flushed, for a moment."""
        if not self._closed and self._transport is not None:
            transport = self._transport
            self._flush = asyncio.get_running_loop().call_later(_FLUSHES_WITHIN_S, transport.abort)
            transport.close()
        self._end("this end has closed")

    async def wait_welcome(self) -> None:
        """Returns when the peer has let this end in; CarrierClosedError where it did not."""
        await self._welcomed.wait()
        if self._closed and not self._waiting:
            raise CarrierClosedError(self.why_closed)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Of asyncio: TLS, where there is any, has been agreed upon."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self.certificate = transport.get_extra_info("peercert")
        self.peer = peer_name(self.certificate)
        why = self._refuses(self.certificate)
        if why or not self._admits(self.peer):
            self._end(why or f"{self.peer or 'a peer without a name'} is not who belongs here")
            transport.abort()
            return
        transport.write(_WELCOME)
        self._alive = asyncio.get_running_loop().call_later(ALIVE_EVERY_S, self._stay_alive)
        if self._opened is not None:
            self._opened(self)

    def data_received(self, data: bytes) -> None:
        """Of asyncio: takes whole messages out; a length that cannot be ends the connection."""
        self._heard = True
        held = self._held
        held += data
        at, end = 0, len(held)
        while end - at >= _LENGTH_BYTES:
            head = bytes(held[at : at + _LENGTH_BYTES])
            if head in _SIGNS:
                at += _LENGTH_BYTES
                if head == _WELCOME:
                    self._welcomed.set()
                continue
            length = int.from_bytes(head, "big")
            if length > MESSAGE_BYTES_MAX:
                self._break(f"the other end announced a message of {length} bytes")
                return
            behind = at + _LENGTH_BYTES + length
            if behind > end:
                break
            self._waiting.append(bytes(held[at + _LENGTH_BYTES : behind]))
            self._waiting_bytes += length
            at = behind
        if at:
            del held[:at]
            if self._hear is not None:
                self._give()
                return
            self._changed.set()
        if not self._paused and (len(self._waiting) >= WAITING_MAX or self._waiting_bytes >= WAITING_BYTES_MAX):
            self._paused = True
            assert self._transport is not None
            self._transport.pause_reading()

    def _give(self) -> None:
        while self._waiting and self._hear is not None:
            data = self._waiting.popleft()
            self._waiting_bytes -= len(data)
            try:
                self._hear(data)
            except Exception as error:  # whatever it is, it belongs to whoever waits for the end
                self._failed, self._hear = error, None
                self._break("this end has failed")
        if self._paused and not self._closed and self._transport is not None:
            self._paused = False
            self._transport.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        """Of asyncio: nothing more will come or go."""
        if exc is not None:
            self._end(f"the connection broke: {reason_of(exc)}")
        self._end("the other end has closed")
        if self._flush is not None:
            self._flush.cancel()

    def pause_writing(self) -> None:
        """Of asyncio: the peer is slow."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """Of asyncio: the peer has caught up."""
        self._writable.set()

    def _stay_alive(self) -> None:
        if self._closed or self._transport is None:
            return
        # An end that is not being read from cannot be heard.
        self._silent_turns = 0 if self._heard or self._paused else self._silent_turns + 1
        if self._silent_turns >= SILENT_TURNS:
            self._break(f"nothing heard for {SILENT_TURNS * ALIVE_EVERY_S:.0f} s")
            return
        revoked = self._refuses(self.certificate)
        if revoked:
            self._break(revoked)
            return
        if not self._said and self._writable.is_set():
            self._transport.write(_ALIVE)
        self._said = self._heard = False
        self._alive = asyncio.get_running_loop().call_later(ALIVE_EVERY_S, self._stay_alive)

    def _break(self, why: str) -> None:
        self._end(why)
        if self._transport is not None:
            self._transport.abort()

    def _end(self, why: str) -> None:
        if self._closed:
            return
        self._closed, self.why_closed = True, why
        if self._alive is not None:
            self._alive.cancel()
        for event in (self._changed, self._writable, self._welcomed):
            event.set()


def refuses_none(certificate: PeerCertificate | None) -> str:
    """The `Refuses` of an end without papers."""
    return ""


def reason_of(error: Exception) -> str:
    """What went wrong with a connection, for a person."""
    if isinstance(error, ssl.SSLError):
        # What is wrong with a certificate (it has expired, say) stands beside the reason.
        why = getattr(error, "verify_message", None) or getattr(error, "reason", None) or error
        return f"TLS: {why}".replace("_", " ").lower()
    return getattr(error, "strerror", None) or str(error) or "the other end hung up"
