"""Sending a spool's items up: lowest first, as many as one message takes, again until the box above has them durably.

One message of each spool is under way at a time, so whatever arrives above is in order by construction, whatever the
carrier loses, doubles or reorders. Where no acknowledgement comes the same message goes again, after a wait that
doubles (docs/protocol.md, "Box messages").
"""

from dataclasses import dataclass
from typing import Final

from prewatt.codec.batch import METERS_MAX, Item
from prewatt.codec.hop import Kept
from prewatt.device.spool import Spool, SpoolError
from prewatt.units import Address

__all__ = ["KEPT_BYTES_MAX", "KEPT_WAIT_LONGEST_MS", "Forwarding"]

# What one message takes, unless its one item is longer: 55 s of the slowest way up (9.6 kbit/s).
KEPT_BYTES_MAX: Final = 65_536
# However long a box above has been away, it is asked again after at most this.
KEPT_WAIT_LONGEST_MS: Final = 600_000
# Doubling further than this passes the longest wait from any first one.
_DOUBLINGS_MAX: Final = 20


@dataclass(slots=True)
class Forwarding:
    """What is under way of one spool. Lost with the power, and may be."""

    _through: int = 0
    _due_ms: int = 0
    _tries: int = 0

    def due_ms(self, spool: Spool) -> int | None:
        """When the message under way is sent again; None where nothing is under way."""
        return self._due_ms if self._through and self._under_way(spool) else None

    def pick(self, spool: Spool, address: Address, line_ms: int, retry_ms: int) -> Kept | None:
        """What to send up now; None where nothing is held, or what is under way may still be acknowledged. SpoolError
        where the memory cannot be read."""
        if spool.first == spool.next or (self._under_way(spool) and line_ms < self._due_ms):
            return None
        items = _fitting(spool.read(spool.first, METERS_MAX))
        self._through = spool.first + len(items) - 1
        self._due_ms = line_ms + min(retry_ms << min(self._tries, _DOUBLINGS_MAX), KEPT_WAIT_LONGEST_MS)
        self._tries += 1
        return Kept(address, spool.id, spool.first, spool.first, items)

    def acknowledged(self, spool: Spool, number: int) -> bool:
        """The box above holds everything up to ``number``: it is forgotten here. Whether it could be; what could not
        is sent again, and acknowledged again."""
        try:
            spool.drop_through(number)
        except SpoolError:
            return False
        self.reset()
        return True

    def reset(self) -> None:
        """Nothing is under way: the link is new, or what was sent has arrived."""
        self._through = self._due_ms = self._tries = 0

    def _under_way(self, spool: Spool) -> bool:
        return spool.first <= self._through < spool.next


def _fitting(items: tuple[Item, ...]) -> tuple[Item, ...]:
    """The first items, at least one, that stay below the size of one message."""
    size = 0
    for count, (_, payload) in enumerate(items):
        size += len(payload)
        if count and size > KEPT_BYTES_MAX:
            return items[:count]
    return items
