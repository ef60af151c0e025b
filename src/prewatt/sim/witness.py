"""The auditor's second pair of eyes: clocks, keys, refusals, and how old the shown balance is.

None of it is a sum of money, and each of it costs a customer all the same: a clock that a relay has put wrong (R11), a
key that still opens the meter after it was dropped (R12), a purchase refused though it fits (R3), an old balance shown
over a newer one (R4). What is true is taken from the meter, at every instant it is looked at; what the host says of it
from its database, after every commit.
"""

from bisect import bisect_left
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any, Final

from prewatt.codec.messages import MessageType
from prewatt.device.meter.clock import Clock
from prewatt.device.meter.money import Money
from prewatt.protocol.meter_messages import CounterBook
from prewatt.sim.home import Home
from prewatt.sim.verdicts import Verdicts

__all__ = ["CLOCK_ROUNDED_S", "Witness"]

# Host and meter count whole seconds; a clock as right as that may be set within them.
CLOCK_ROUNDED_S: Final = 2
# More than any meter has room for.
_EMPTY: Final = 1 << 62


@dataclass(slots=True)
class _Seen:
    """What a body of a meter was last seen to be, and since when; ``moment`` counts what changed."""

    moment: int = 0
    money: Money | None = None
    settings: Any = None
    clock: Clock | None = None
    keys: Collection[int] = ()
    rooms: list[tuple[int, int]] = field(default_factory=list)
    """(moment, room) such that no later room is smaller: the first one from a moment on is the least since then."""
    shown: dict[tuple[int, int], list[int]] = field(default_factory=dict)
    """First and last moment at which it had this last sequence and this balance."""


class Witness:
    """See the module."""

    def __init__(self, rows: Callable[[str], list[Any]], check: Callable[[bool, str], None]) -> None:
        self._rows, self._check = rows, check
        self.verdicts = Verdicts(rows, check)
        # Ids of which two bodies have one memory: what is shown of them is now the one's, now the other's.
        self.twins: set[str] = set()
        self._seen: dict[str, dict[str, _Seen]] = {}
        self._sold: dict[str, tuple[str, dict[str, tuple[int, int]]]] = {}
        self._keys: dict[tuple[str, int], str] | None = None
        self._told: dict[str, tuple[int, int]] = {}
        # Whether the host's clock was ever wrong: then it may set others wrong.
        self.skewed = False

    def sold(self, order: str, meter: str) -> None:
        """From here on it may be refused, where the meter has no room for it."""
        rooms = {}
        for body, seen in self._seen.get(meter, {}).items():
            now = _room(seen.money, seen.settings) if seen.money is not None else -_EMPTY
            rooms[body] = (seen.moment + 1, now)
        self._sold.setdefault(order, (meter, rooms))

    def observe(self, home: Home) -> None:
        """A meter at an instant; most times nothing has changed."""
        assert home.device is not None
        core = home.device._core
        seen = self._seen.setdefault(home.meter, {}).setdefault(home.body, _Seen())
        seen.keys = core.keys
        clock = core.control.clock
        if clock is not seen.clock:
            self._check_clock(home, seen.clock, clock)
            seen.clock = clock
        if core.money is seen.money and core.settings is seen.settings:
            return
        self.verdicts.observe(home.meter, home.body, core.money)
        seen.money, seen.settings, seen.moment = core.money, core.settings, seen.moment + 1
        room = _room(seen.money, seen.settings)
        while seen.rooms and seen.rooms[-1][1] >= room:
            seen.rooms.pop()
        seen.rooms.append((seen.moment, room))
        pair = (int(seen.money.last_sequence), int(seen.money.balance_micro))
        seen.shown.setdefault(pair, [seen.moment, seen.moment])[1] = seen.moment

    def _check_clock(self, home: Home, before: Clock | None, after: Clock) -> None:
        if before is None or self.skewed:
            return
        true_s = home.world.meter_now().meter_s
        was_s, is_s = abs(before.read(true_s) - true_s), abs(after.read(true_s) - true_s)
        right = is_s <= max(was_s, CLOCK_ROUNDED_S)
        self._check(right, f"{home.meter}: its clock was {was_s} s wrong and was set {is_s} s wrong")

    # -- what the host says

    def host_began(self) -> None:
        """Another process, perhaps on another database: what it says is read anew."""
        self._keys = None
        self._told.clear()
        self.verdicts.host_began()

    def check_books(self) -> None:
        """After a commit."""
        self._check_refused()
        self._check_keys()
        self._check_shown()
        self.verdicts.check_books()

    def booked(self) -> Callable[[str, int, int], bool]:
        """Whether the host has booked a message that a meter sent by itself: by meter, type and counter."""
        kinds = {"report": MessageType.REPORT, "alarm": MessageType.ALARM, "wish": MessageType.WISH}
        rows = self._rows("SELECT meter, kind, book FROM counter_books")
        books = {(meter, int(kinds[kind])): CounterBook.parse(book) for meter, kind, book in rows}

        def known(meter: str, kind: int, counter: int) -> bool:
            book = books.get((meter, kind))
            return book is not None and book.book(counter) is None

        return known

    def _check_refused(self) -> None:
        for order, amount_micro in self._rows("SELECT id, amount_micro FROM orders WHERE step = 'refused'"):
            meter, sold = self._sold[order]
            least = min(_least(seen, *sold.get(body, (0, _EMPTY))) for body, seen in self._seen[meter].items())
            self._check(amount_micro > least, f"order {order} was refused, and meter {meter} had room for it")

    def _check_keys(self) -> None:
        rows = self._rows("SELECT meter, key_set, state FROM meter_keys")
        keys = {(meter, key_set): state for meter, key_set, state in rows}
        before, self._keys = self._keys, keys
        if before is None or before == keys:
            return
        for (meter, key_set), state in keys.items():
            if before.get((meter, key_set)) == state or meter not in self._seen:
                continue
            # Bodies of one id have keys of their own; the word of any of them counts.
            there = {key_set in seen.keys for seen in self._seen[meter].values()}
            self._check(state != "gone" or False in there, f"{meter}: key set {key_set} is dropped, and opens it")
            self._check(
                state != "confirmed" or True in there, f"{meter}: key set {key_set} is proved, and is not in it"
            )

    def _check_shown(self) -> None:
        for meter, sequence, balance_micro in self._rows("SELECT meter, last_sequence, balance_micro FROM standings"):
            told = (sequence, balance_micro)
            before = self._told.get(meter)
            if told == before or meter not in self._seen or meter in self.twins:
                continue
            # A meter may have sent it in the middle of an instant: then it is nothing that was looked at. Bodies of one
            # id are told apart by their epochs.
            shown = next((seen.shown for seen in self._seen[meter].values() if told in seen.shown), {})
            if told in shown and (before is None or before in shown):
                newer = before is None or shown[told][1] >= shown[before][0]
                self._check(newer, f"{meter}: shows {told} over the newer {before}")
                self._told[meter] = told


def _least(seen: _Seen, since: int, room: int) -> int:
    """The least room that a body had from a moment on, where it had ``room`` when that began."""
    found = bisect_left(seen.rooms, (since, -_EMPTY))
    return min(room, seen.rooms[found][1]) if found < len(seen.rooms) else room


def _room(money: Money, settings: Any) -> int:  # noqa: ANN401 - the device's settings
    """The greatest amount that this meter takes now: what is owed, and up to the ceiling."""
    return max(int(settings.ceiling_micro - money.balance_micro + money.owed_micro), int(money.owed_micro))
