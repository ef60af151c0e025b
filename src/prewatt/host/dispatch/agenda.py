"""When which meter is looked at: heaps of due times and deadlines, and the meters that somebody woke.

All of it is in line time (wall milliseconds). A meter answers eight Hellos at once and then one a second, so calls to
one meter are paced the same way: a Hello that would not be answered is not sent.
"""

import heapq
import threading
from dataclasses import dataclass, field
from typing import Final

from prewatt.host.dispatch.choice import Choice, Wish
from prewatt.host.dispatch.quota import Place, StationQueue
from prewatt.protocol.host import HostSession
from prewatt.protocol.terminal import HELLO_EVERY_MS, HELLOS_AT_ONCE_MAX

__all__ = ["Agenda", "Call", "Line"]

_CREDIT_MAX_MS: Final = HELLOS_AT_ONCE_MAX * HELLO_EVERY_MS
# Beyond this the pause would not fit a machine word; the most that is allowed is reached long before.
_DOUBLINGS_MAX: Final = 16


@dataclass(slots=True)
class Call:
    """One session under way. ``timed``: its Command carries the time at which it went out. ``round``: the round that
    has not been answered yet; None while nothing is out."""

    choice: Choice
    session: HostSession
    random: bytes
    queue: StationQueue
    deadline_ms: int
    timed: bool = False
    round: int | None = None


@dataclass(slots=True)
class Line:
    """What the engine remembers of one meter; nothing of it has to survive."""

    meter: str
    station: str
    m_id: int = 0
    call: Call | None = None
    waits: Place | None = None
    reserved: Place | None = None
    reserved_ms: int = 0
    """Line time that its call was given in that place, as predicted when it was."""
    silent: bool = False
    """Its last call brought no answer, and nothing was heard of it since."""
    urgent: bool = False
    """Somebody asked for something: it goes before polls until nothing waits any more."""
    due_ms: int | None = None
    failures: int = 0
    polled_ms: int | None = None
    wish: Wish = field(default_factory=lambda: Wish(query=False))
    last_work: tuple[object, ...] | None = None
    credit_ms: int = _CREDIT_MAX_MS
    credited_ms: int = 0

    def is_heard_through(self, station: str | None) -> bool:
        """Whether an answer through this station may be believed to be the meter's: a Refusal or a false Proof ends a
        session and proves nothing, so that any other station could else keep the meter from being reached."""
        return station in (None, self.station if self.call is None else self.call.queue.station)

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
        self._due: list[tuple[int, int, str]] = []
        self._deadlines: list[tuple[int, str]] = []
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
            heapq.heappush(self._due, (due_ms, line.m_id, line.meter))

    def back_off(self, line: Line, line_ms: int, first_ms: int, most_ms: int) -> None:
        """The next try after a failure: each pause twice the one before, up to the most, for ever."""
        pause = min(first_ms << min(line.failures, _DOUBLINGS_MAX), most_ms)
        line.failures += 1
        self.schedule(line, line_ms + pause)

    def pop_due(self, line_ms: int, lines: dict[str, Line]) -> list[Line]:
        """The meters that are due and have no session under way."""
        found: list[Line] = []
        while self._due and self._due[0][0] <= line_ms:
            due_ms, _, meter = heapq.heappop(self._due)
            line = lines[meter]
            if line.due_ms != due_ms:
                continue
            line.due_ms = None
            if line.call is None:
                found.append(line)
        return found

    def expect(self, line: Line, call: Call) -> None:
        """The call is given up at its deadline, where that has not moved until then."""
        heapq.heappush(self._deadlines, (call.deadline_ms, line.meter))

    def pop_overdue(self, line_ms: int, lines: dict[str, Line]) -> list[Line]:
        """The meters whose call has waited too long."""
        # By id, each once: all calls of a whole field may end in one moment.
        found: dict[str, Line] = {}
        while self._deadlines and self._deadlines[0][0] < line_ms:
            deadline_ms, meter = heapq.heappop(self._deadlines)
            call = lines[meter].call
            if call is not None and call.deadline_ms == deadline_ms:
                found[meter] = lines[meter]
        return list(found.values())

    def next_ms(self, line_ms: int) -> int | None:
        """When something is due or given up; None where nothing is."""
        with self._gate:
            if self._woken:
                return line_ms
        due = [self._due[0][0]] if self._due else []
        due += [self._deadlines[0][0] + 1] if self._deadlines else []
        return min(due, default=None)
