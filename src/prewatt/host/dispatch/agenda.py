"""When which meter is looked at: two heaps of due times, and the meters that somebody woke.

Tries are due in line time (wall milliseconds), polls in installation time (UTC seconds, which may run faster). A meter
answers eight Hellos at once and then one a second, so calls to one meter are paced the same way: a Hello that would
not be answered is not sent.
"""

import heapq
import threading
from dataclasses import dataclass, field
from typing import Final

from prewatt.host.dispatch.choice import Choice, Wish
from prewatt.protocol.host import HostSession
from prewatt.protocol.terminal import HELLO_EVERY_MS, HELLOS_AT_ONCE_MAX

__all__ = ["Agenda", "Call", "Line"]

_CREDIT_MAX_MS: Final = HELLOS_AT_ONCE_MAX * HELLO_EVERY_MS
# Beyond this the pause would not fit a machine word; the most that is allowed is reached long before.
_DOUBLINGS_MAX: Final = 16


@dataclass(slots=True)
class Call:
    """One session under way. ``timed``: its Command carries the time at which it went out."""

    choice: Choice
    session: HostSession
    random: bytes
    begun_ms: int
    timed: bool = False


@dataclass(slots=True)
class Line:
    """What the engine remembers of one meter; nothing of it has to survive."""

    meter: str
    station: str
    call: Call | None = None
    due_ms: int | None = None
    failures: int = 0
    polled_ms: int | None = None
    wish: Wish = field(default_factory=lambda: Wish(query=False))
    last_work: tuple[object, ...] | None = None
    credit_ms: int = _CREDIT_MAX_MS
    credited_ms: int = 0

    def pause_ms(self, line_ms: int) -> int:
        """How long until the meter answers another Hello; 0 where it does now."""
        self.credit_ms = min(_CREDIT_MAX_MS, self.credit_ms + line_ms - self.credited_ms)
        self.credited_ms = line_ms
        return max(0, HELLO_EVERY_MS - self.credit_ms)

    def spend_hello(self) -> None:
        """A Hello goes out."""
        self.credit_ms -= HELLO_EVERY_MS


class Agenda:
    """Due times of meters, by id."""

    def __init__(self) -> None:
        self._due: list[tuple[int, str]] = []
        self._polls: list[tuple[int, str]] = []
        self._polled: set[str] = set()
        self._woken: set[str] = set()
        self._gate = threading.Lock()

    def wake(self, meter: str) -> None:
        """Safe from any thread."""
        with self._gate:
            self._woken.add(meter)

    def take_woken(self) -> list[str]:
        """The meters woken since the last time, by id."""
        with self._gate:
            woken, self._woken = self._woken, set()
        return sorted(woken)

    def schedule(self, line: Line, due_ms: int) -> None:
        """Looks at the meter at ``due_ms``, or sooner where that was asked before."""
        if line.due_ms is None or due_ms < line.due_ms:
            line.due_ms = due_ms
            heapq.heappush(self._due, (due_ms, line.meter))

    def back_off(self, line: Line, line_ms: int, first_ms: int, most_ms: int) -> None:
        """The next try after a failure: each pause twice the one before, up to the most, for ever."""
        pause = min(first_ms << min(line.failures, _DOUBLINGS_MAX), most_ms)
        line.failures += 1
        self.schedule(line, line_ms + pause)

    def pop_due(self, line_ms: int, lines: dict[str, Line]) -> list[Line]:
        """The meters that are due and have no session under way."""
        found: list[Line] = []
        while self._due and self._due[0][0] <= line_ms:
            due_ms, meter = heapq.heappop(self._due)
            line = lines[meter]
            if line.due_ms != due_ms:
                continue
            line.due_ms = None
            if line.call is None:
                found.append(line)
        return found

    def add_poll(self, meter: str, at_s: int) -> None:
        """Polls a meter from ``at_s`` on, where it is not polled already."""
        if meter not in self._polled:
            self._polled.add(meter)
            heapq.heappush(self._polls, (at_s, meter))

    def pop_polls(self, now_s: int, every_s: int) -> list[str]:
        """The meters to be polled now; each comes again after ``every_s``."""
        found: list[str] = []
        while self._polls and self._polls[0][0] <= now_s:
            _, meter = heapq.heappop(self._polls)
            found.append(meter)
        for meter in found:
            heapq.heappush(self._polls, (now_s + every_s, meter))
        return found

    def next_ms(self, line_ms: int) -> int | None:
        """When something is due in line time; None where nothing is."""
        with self._gate:
            if self._woken:
                return line_ms
        return self._due[0][0] if self._due else None
