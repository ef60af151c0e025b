"""What came up and waits for the engine: bounded, and shared fairly among the area servers.

Where there is no more room, the area that holds the most loses its newest, like a frame on the line that comes again;
where that is the one that speaks, it is not heard. So an area server that floods the host takes nothing from the
others: each of 256 has its share whatever they do. They are taken in turns, one message of each.
"""

import threading
from collections import Counter, deque
from typing import Final

from prewatt.units import BELOW_MAX

__all__ = ["AREA_ARRIVALS_MIN", "ARRIVALS_BYTES_MAX", "ARRIVALS_MAX", "Arrivals"]

# Messages that wait for an engine that cannot go on.
ARRIVALS_MAX: Final = 4_096
# And no more bytes than this: an area server that says only its longest would else fill the host's memory.
ARRIVALS_BYTES_MAX: Final = 64 * 1024 * 1024
# What always has room of one area, where messages are not longer than their share of the bytes (256 KiB together).
AREA_ARRIVALS_MIN: Final = ARRIVALS_MAX // BELOW_MAX


class Arrivals:
    """Messages by area. Safe from any thread."""

    def __init__(self) -> None:
        self._gate = threading.Lock()
        self._areas: dict[int, deque[bytes]] = {}
        self._bytes: Counter[int] = Counter()
        self._count = self._bytes_all = 0
        self.lost = 0
        """Messages that had no room, since the start."""

    def __len__(self) -> int:
        return self._count

    def put(self, area: int, data: bytes) -> None:
        """A message of an area waits, unless there is no room and no other area holds more."""
        with self._gate:
            self._add(area, data)
            while self._count > ARRIVALS_MAX:
                self._drop_of(area, {each: len(waiting) for each, waiting in self._areas.items()})
            while self._bytes_all > ARRIVALS_BYTES_MAX:
                self._drop_of(area, self._bytes)

    def take(self, most: int) -> list[tuple[int, bytes]]:
        """At most so many, as (area, message): each area's in their order, areas in turns."""
        found: list[tuple[int, bytes]] = []
        with self._gate:
            while self._areas and len(found) < most:
                area, waiting = next(iter(self._areas.items()))
                data = waiting.popleft()
                self._took(area, data)
                if area in self._areas:
                    # Behind the others.
                    self._areas[area] = self._areas.pop(area)
                found.append((area, data))
        return found

    def _add(self, area: int, data: bytes) -> None:
        self._areas.setdefault(area, deque()).append(data)
        self._count += 1
        self._bytes[area] += len(data)
        self._bytes_all += len(data)

    def _drop_of(self, area: int, held: dict[int, int]) -> None:
        """The newest of the area that holds the most; of the one that speaks where none holds more."""
        most = max(held.values())
        worst = area if held[area] == most else next(each for each, size in held.items() if size == most)
        self._took(worst, self._areas[worst].pop())
        self.lost += 1

    def _took(self, area: int, data: bytes) -> None:
        self._count -= 1
        self._bytes_all -= len(data)
        self._bytes[area] -= len(data)
        if not self._areas[area]:
            del self._areas[area], self._bytes[area]
