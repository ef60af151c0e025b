"""The payments that have not ended, by their ids and RRNs, with what the machine remembers of each between two rows.

Also who is due when, and how many completions and reversals may be under way: the others wait their turn, in the
order in which they came, so that one that nobody answers keeps none of them waiting for ever.
"""

import heapq
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from prewatt.host.payment.iso8583.profile import Moment
from prewatt.host.payment.iso8583.rows import STAN_MAX, STANS_PER_HOUR_MAX, STANS_PER_SECOND, PaymentRow, Trace, hour_of
from prewatt.host.payment.port import PaymentState
from prewatt.units import DAY_S

__all__ = ["Book", "Entry", "restored"]

# YDDD of YDDDHH.
_DAY_CHARS: Final = 4


@dataclass(slots=True)
class Entry:
    """One payment that has not ended. ``since_ms``: from when its authorization may still be under way. ``attempts``:
    how often its completion or reversal was sent. ``due_ms``: when something is due, None: nothing is, or it has its
    turn."""

    row: PaymentRow
    since_ms: int
    attempts: int = 0
    due_ms: int | None = None
    under_way: bool = False
    waits: bool = False
    code: str = ""


class Book:
    """All that has not ended. ``trace``: the number of the last message."""

    def __init__(self, trace: Trace, advices_max: int) -> None:
        self.trace = trace
        self._entries: dict[str, Entry] = {}
        self._by_rrn: dict[str, Entry] = {}
        self._due: list[tuple[int, int, str]] = []
        self._turns: deque[str] = deque()
        self._advices_max = advices_max
        self._under_way = 0
        self._asked = 0
        self._pushed = 0

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Entry]:
        return iter(tuple(self._entries.values()))

    @property
    def asked(self) -> int:
        """How many wait for the answer to their authorization."""
        return self._asked

    def find(self, payment_id: str) -> Entry | None:
        """The payment of this id."""
        return self._entries.get(payment_id)

    def find_rrn(self, rrn: str) -> Entry | None:
        """The payment of this RRN."""
        return self._by_rrn.get(rrn)

    def add(self, entry: Entry) -> None:
        """A payment that is open from now on."""
        self._entries[entry.row.payment_id] = entry
        self._by_rrn[entry.row.rrn] = entry
        self._asked += entry.row.state is PaymentState.ASKED

    def put(self, entry: Entry, row: PaymentRow) -> None:
        """Its row has changed; one that has ended leaves."""
        self._asked += (row.state is PaymentState.ASKED) - (entry.row.state is PaymentState.ASKED)
        entry.row = row
        if row.has_ended:
            self.rest(entry, None)
            del self._entries[row.payment_id]
            del self._by_rrn[row.rrn]

    def has_numbers(self, now: Moment) -> bool:
        """Whether this hour has message numbers for another payment; decisions about those there are always find
        some."""
        return hour_of(now.utc_s) != self.trace.hour or self.trace.used < STANS_PER_HOUR_MAX

    def raise_numbers(self, now: Moment) -> None:
        """At a start, and on each new day, numbers go on from one that follows from the time of day: so those of a host
        that was restored from a backup are not those which it gave out after the backup was made."""
        hour, floor = hour_of(now.utc_s), now.utc_s % DAY_S * STANS_PER_SECOND
        is_same_day = hour[:_DAY_CHARS] == self.trace.hour[:_DAY_CHARS]
        if not is_same_day or self.trace.stan < floor:
            self.trace = Trace(floor, hour, self.trace.used if hour == self.trace.hour else 0)

    def take_number(self, now: Moment) -> str:
        """The next message number. It is durable with the row that uses it."""
        hour = hour_of(now.utc_s)
        if hour[:_DAY_CHARS] != self.trace.hour[:_DAY_CHARS]:
            self.raise_numbers(now)
        used = self.trace.used if hour == self.trace.hour else 0
        self.trace = Trace(self.trace.stan % STAN_MAX + 1, hour, min(used + 1, STAN_MAX))
        return f"{self.trace.stan:06d}"

    def wake(self, entry: Entry, due_ms: int) -> None:
        """It is due at ``due_ms``, and at nothing before."""
        entry.due_ms = due_ms
        self._pushed += 1
        heapq.heappush(self._due, (due_ms, self._pushed, entry.row.payment_id))

    def rest(self, entry: Entry, due_ms: int | None) -> None:
        """It gives its turn back, and is due at ``due_ms`` (None: never, by itself)."""
        self._under_way -= entry.under_way
        entry.under_way = entry.waits = False
        entry.due_ms = None
        if due_ms is not None:
            self.wake(entry, due_ms)

    def queue(self, entry: Entry) -> None:
        """It waits for a turn to send its completion or reversal."""
        self.rest(entry, None)
        entry.waits = True
        self._turns.append(entry.row.payment_id)

    def turns(self) -> Iterator[Entry]:
        """Whose turn it is, each counted as under way from then on."""
        while self._turns and self._under_way < self._advices_max:
            entry = self._entries.get(self._turns.popleft())
            if entry is not None and entry.waits:
                entry.waits, entry.under_way = False, True
                self._under_way += 1
                yield entry

    def drop_turns(self) -> None:
        """The line is lost: nothing is under way, and nobody waits for a turn."""
        self._turns.clear()
        for entry in self:
            if entry.row.state in (PaymentState.CAPTURING, PaymentState.REVERSING):
                self.rest(entry, None)

    def due(self, now_ms: int) -> Iterator[Entry]:
        """Everything that is due, in order of time."""
        while self._due and self._due[0][0] <= now_ms:
            due_ms, _, payment_id = heapq.heappop(self._due)
            entry = self._entries.get(payment_id)
            if entry is not None and entry.due_ms == due_ms:
                entry.due_ms = None
                yield entry

    @property
    def wake_ms(self) -> int | None:
        """When something is due."""
        while self._due:
            due_ms, _, payment_id = self._due[0]
            entry = self._entries.get(payment_id)
            if entry is not None and entry.due_ms == due_ms:
                return due_ms
            heapq.heappop(self._due)
        return None


def restored(rows: Iterable[PaymentRow], now: Moment) -> list[Entry]:
    """Entries of stored rows: what was sent before the start nobody knows, so it counts as sent once, just now."""
    return [Entry(row, since_ms=now.ms, attempts=1) for row in rows]
