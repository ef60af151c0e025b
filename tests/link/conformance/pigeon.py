"""A carrier as somebody else would write one: it uses `prewatt.link.carrier` alone, and asyncio.

`pigeon:NAME` is a socket of this computer under a name (Linux, abstract): each message after its length in four bytes.
`test_outside.py` installs it as a package of its own, with nothing of it in Prewatt.
"""

import asyncio
from contextlib import suppress

from prewatt.link.carrier import MESSAGE_BYTES_MAX, CarrierClosedError, Promise

WAITING_MAX = 8


class Pigeon:
    """One end: what has come waits in a queue, and when that is full the socket makes the other end wait."""

    def __init__(self, reader, writer):
        self._reader, self._writer = reader, writer
        self._queue = asyncio.Queue(WAITING_MAX)
        self._closed = False
        self._reading = asyncio.create_task(self._read())

    async def _read(self):
        with suppress(EOFError, OSError):
            while True:
                length = int.from_bytes(await self._reader.readexactly(4), "big")
                await self._queue.put(await self._reader.readexactly(length))
        await self._queue.put(None)

    async def send(self, data):
        if len(data) > MESSAGE_BYTES_MAX:
            raise ValueError(f"message: {len(data)} bytes are not allowed; allowed is up to {MESSAGE_BYTES_MAX}")
        if self._closed:
            raise CarrierClosedError("this end has closed")
        self._writer.write(len(data).to_bytes(4, "big") + data)
        try:
            await self._writer.drain()
        except OSError as error:
            raise CarrierClosedError(f"the other end has closed: {error}") from error

    async def receive(self):
        data = None if self._closed else await self._queue.get()
        if data is None:
            self.close()
            raise CarrierClosedError("an end has closed")
        return data

    def close(self):
        self._closed = True
        self._reading.cancel()
        self._writer.close()
        with suppress(asyncio.QueueFull):
            self._queue.put_nowait(None)


class Loft:
    """A place where pigeons come home."""

    def __init__(self, place):
        self.place = place
        self.server = None
        self.ends = []

    def close(self):
        self.server.close()
        for end in self.ends:
            end.close()


class Pigeons:
    """The scheme."""

    promise = Promise()

    async def listen(self, place, own, accept):
        loft = Loft(place)

        def let_in(reader, writer):
            loft.ends.append(Pigeon(reader, writer))
            accept(loft.ends[-1], None)

        loft.server = await asyncio.start_unix_server(let_in, f"\0{place}")
        return loft

    async def dial(self, place, own, peer):
        try:
            return Pigeon(*await asyncio.open_unix_connection(f"\0{place}"))
        except OSError as error:
            raise CarrierClosedError(f"pigeon:{place}: nobody is there") from error


PIGEONS = Pigeons()
