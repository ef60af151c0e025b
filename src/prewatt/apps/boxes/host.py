"""Drives the host's end of the field: area servers come in here, and dispatch speaks to them from its own thread."""

import asyncio
from collections.abc import Callable, Sequence

import structlog

from prewatt.apps.boxes.peer import Peer, open_place
from prewatt.link.carrier import Carrier, End, Listener
from prewatt.link.names import BoxName, Role

__all__ = ["HostBox"]

_log = structlog.get_logger("prewatt.boxes")


class HostBox:
    """See `prewatt.host.dispatch.Field`."""

    def __init__(self) -> None:
        self.arrived: Callable[[int, bytes], None] = lambda area, data: None
        """Takes what came up, and the number of the area it came from."""
        self.link: Callable[[int, bool], None] = lambda area, up: None
        """Is told when the way to an area server is there (True) or gone."""
        self.places: list[str] = []
        """Where area servers reach it, once it runs."""
        self._areas: dict[int, Peer] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._serving: set[asyncio.Task[None]] = set()

    def post(self, area: int, data: bytes) -> None:
        """See Field: lost where the area server is not there. Safe from any thread."""
        loop = self._loop
        if loop is not None:
            try:
                loop.call_soon_threadsafe(self._post, area, data)
            except RuntimeError:
                return  # the loop has just ended

    async def run(self, addresses: Sequence[str], own: End, ready: asyncio.Event | None = None) -> None:
        """Until cancelled. OSError where an address cannot be listened at."""
        self._loop = asyncio.get_running_loop()
        listeners: list[Listener] = []
        try:
            for address in addresses:
                listeners.append(await open_place(address, own, self._accept))
                self.places.append(f"{address.partition(':')[0]}://{listeners[-1].place}")
            if ready is not None:
                ready.set()
            await asyncio.Event().wait()
        finally:
            self._loop = None
            for listener in listeners:
                listener.close()
            for task in self._serving:
                task.cancel()
            await asyncio.gather(*self._serving, return_exceptions=True)

    def _post(self, area: int, data: bytes) -> None:
        peer = self._areas.get(area)
        if peer is not None:
            peer.post(data)

    def _accept(self, carrier: Carrier, peer: BoxName | None) -> None:
        if peer is None or peer.role is not Role.AREA:
            carrier.close()
            return
        task = asyncio.get_running_loop().create_task(self._serve(carrier, peer.numbers[0]))
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)

    async def _serve(self, carrier: Carrier, area: int) -> None:
        peer = Peer(carrier, lambda data: self.arrived(area, data))
        older = self._areas.get(area)
        if older is not None:
            # An area server that was killed comes back before its old connection is known to be dead.
            older.close()
        self._areas[area] = peer
        self.link(area, True)
        _log.info("area server is there", area=area)
        why = "the host stops"
        try:
            why = await peer.run()
        finally:
            if self._areas.get(area) is peer:
                del self._areas[area]
                self.link(area, False)
            _log.warning("area server is gone", area=area, cause=why)
