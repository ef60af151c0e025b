"""Which meters are polled now: each station's cycle goes through its modem addresses in turn, by its own plan.

Everything here is installation time, which may run faster than the line. Nothing has to survive: a cycle is made again
from what was booked, so that after a start it goes on with the meters that were not read since it began.
"""

import heapq
from collections import deque
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import Connection, select

from prewatt.host.context import HostContext
from prewatt.host.polling import INSTALLATION, PollPlan, every, read_plans
from prewatt.host.store import schema
from prewatt.units import MINUTE_S

__all__ = ["Polls"]

_RATE_STEP_S: Final = 1


@dataclass(slots=True)
class _Cycle:
    """One station's way through its meters. ``begun_s``: what the meters are to be read since."""

    station: str
    due_s: int
    begun_s: int = -1
    waiting: deque[str] = field(default_factory=deque)
    first_s: int = 0
    issued: int = 0


class Polls:
    """The cycles of all stations."""

    def __init__(self, context: HostContext, every_s: int | None) -> None:
        self._context = context
        self._override = every(every_s) if every_s is not None else None
        self._plans: dict[str, PollPlan] = {}
        self._cycles: dict[str, _Cycle] = {}
        self._heap: list[tuple[int, str]] = []
        self._seen_s = 0

    def look_again(self, station: str) -> None:
        """The station, its meters or its settings have changed: its cycle is made anew from what was booked."""
        now_s = self._context.now()
        with self._context.store.reading() as connection:
            self._plans = read_plans(connection)
            named = [station] if station else list(connection.execute(select(schema.stations.c.id)).scalars())
        for each in named:
            cycle = self._cycles.setdefault(each, _Cycle(each, now_s))
            cycle.begun_s = -1
            self._push(cycle, now_s)

    def is_open(self, station: str) -> bool:
        """Whether a meter of this station may be polled now, by the window alone."""
        return self._plan(station).is_open(self._context.now(), self._context.zone)

    def pop_due(self) -> list[str]:
        """The meters that are to be polled now, station by station in the order of their modem addresses."""
        now_s, found = self._context.now(), list[str]()
        if now_s < self._seen_s:
            # The clock was put back: what stands in the future would wait until it comes again.
            self.look_again(INSTALLATION)
        self._seen_s = now_s
        due: list[_Cycle] = []
        while self._heap and self._heap[0][0] <= now_s:
            due_s, station = heapq.heappop(self._heap)
            if self._cycles[station].due_s == due_s:
                due.append(self._cycles[station])
        if due:
            with self._context.store.reading() as connection:
                for cycle in due:
                    found += self._go_on(connection, cycle, now_s)
        return found

    def _go_on(self, connection: Connection, cycle: _Cycle, now_s: int) -> list[str]:
        plan, zone = self._plan(cycle.station), self._context.zone
        if not plan.is_open(now_s, zone):
            # What was not read is looked up anew when the window opens, those that did not answer among them.
            cycle.begun_s = -1
            self._push(cycle, plan.opens_s(now_s, zone))
            return []
        begun_s = plan.begun_s(now_s, zone)
        if (not cycle.waiting and cycle.begun_s != begun_s) or cycle.begun_s < 0:
            cycle.begun_s, cycle.first_s, cycle.issued = begun_s, now_s, 0
            cycle.waiting = deque(_not_read(connection, cycle.station, begun_s, now_s))
        found = [cycle.waiting.popleft() for _ in range(self._allowed(plan, cycle, now_s))]
        cycle.issued += len(found)
        self._push(cycle, now_s + _RATE_STEP_S if cycle.waiting else plan.next_s(now_s, zone))
        return found

    def _allowed(self, plan: PollPlan, cycle: _Cycle, now_s: int) -> int:
        if not plan.per_minute:
            return len(cycle.waiting)
        due = 1 + (now_s - cycle.first_s) * plan.per_minute // MINUTE_S
        return min(len(cycle.waiting), max(0, due - cycle.issued))

    def _plan(self, station: str) -> PollPlan:
        return self._override or self._plans.get(station) or self._plans[INSTALLATION]

    def _push(self, cycle: _Cycle, due_s: int) -> None:
        cycle.due_s = due_s
        heapq.heappush(self._heap, (due_s, cycle.station))


def _not_read(connection: Connection, station: str, since_s: int, now_s: int) -> list[str]:
    meters, standings = schema.meters, schema.standings
    wanted = (
        select(meters.c.id)
        .join_from(meters, standings, standings.c.meter == meters.c.id)
        .where(meters.c.station == station, ~standings.c.polled_s.between(since_s, now_s))
        .order_by(meters.c.m_id)
    )
    return list(connection.execute(wanted).scalars())
