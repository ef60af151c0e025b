"""One TCP connection to an acquirer: dialled, read until it ends, and given up where its end reads nothing."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from prewatt.host.payment.acquirer.framing import Deframer, Framing

__all__ = ["DIALS_WITHIN_S", "WAITING_BYTES_MAX", "AcquirerPlace", "Connection"]

DIALS_WITHIN_S: Final = 10.0
# What waits for an acquirer that does not read: a thousand messages. More, and the connection is given up.
WAITING_BYTES_MAX: Final = 262_144
_READ_BYTES: Final = 65_536


@dataclass(frozen=True, slots=True)
class AcquirerPlace:
    """Where an acquirer listens. ``tls``: None is plain TCP, for a leased line or a tunnel. ``tls_name``: the name its
    certificate must have, where that is not ``address``."""

    address: str
    port: int
    framing: Framing = field(default_factory=Framing)
    tls: ssl.SSLContext | None = None
    tls_name: str = ""


class Connection:
    """One connection; made for one dialling, and of no use after its end."""

    def __init__(self, place: AcquirerPlace) -> None:
        self._place = place
        self._writer: asyncio.StreamWriter | None = None
        self._closed = False

    async def run(self, opened: Callable[[], Awaitable[None]], hear: Callable[[bytes], Awaitable[None]]) -> str:
        """Dials, tells, and gives each message to ``hear`` until the end, which it names. Reads no faster than it
        hears."""
        place = self._place
        try:
            async with asyncio.timeout(DIALS_WITHIN_S):
                name = (place.tls_name or place.address) if place.tls is not None else None
                reader, self._writer = await asyncio.open_connection(
                    place.address, place.port, ssl=place.tls, server_hostname=name
                )
            if self._closed:
                return "this end has closed"
            await opened()
            deframer = Deframer(place.framing)
            while data := await reader.read(_READ_BYTES):
                for message in deframer.feed(data):
                    await hear(message)
            return "the other end has closed"
        except TimeoutError:
            return f"no connection within {DIALS_WITHIN_S:.0f} s"
        except (OSError, ssl.SSLError) as error:
            return error.strerror or str(error) or type(error).__name__
        finally:
            await self._end()

    def send(self, message: bytes) -> None:
        """Hands a message over where the connection is still there; an end that does not read loses it."""
        if self._writer is None or self._closed or self._writer.is_closing():
            return
        self._writer.write(self._place.framing.build(message))
        if self._writer.transport.get_write_buffer_size() > WAITING_BYTES_MAX:
            self.close()

    def close(self) -> None:
        """Ends it at once; `run` returns. Twice is once."""
        self._closed = True
        if self._writer is not None:
            self._writer.transport.abort()

    async def _end(self) -> None:
        self._closed = True
        if self._writer is not None:
            self._writer.transport.abort()
            with suppress(OSError, ssl.SSLError):
                await self._writer.wait_closed()
