"""Homes as a process of their own: their meters on the line of a station elsewhere."""

import asyncio

from prewatt.apps.boxes.line import here_frame
from prewatt.apps.boxes.meters import Meters
from prewatt.apps.boxes.peer import Uplink
from prewatt.link.carrier import End

__all__ = ["Homes"]


class Homes(Meters):
    """See the module."""

    _way = "no way up yet"

    def way(self) -> str:
        """What there is to be said of the way to the station; empty while it is there."""
        return self._way

    async def run(self, line: str) -> None:
        """Until cancelled; then every meter gets its last gasp. ``line``: the address of the line."""
        uplink = Uplink(line, End(), None, self._hear, lambda up: self._greet(uplink, up))
        self._open(uplink.post)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(uplink.run())
                tasks.create_task(self._tick())
        finally:
            self.close()

    def _greet(self, uplink: Uplink, up: bool) -> None:
        self._way = "" if up else "the way up is gone"
        if up:
            for meter_id, m_id in self.places():
                uplink.post(here_frame(meter_id, m_id))
