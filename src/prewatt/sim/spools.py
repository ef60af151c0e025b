"""The memories of boxes in the simulator: spools whose box may die around every change of them, and in the middle.

What had returned is durable, an append that had not may have left its first items, and forgetting may be undone. A
memory may refuse for a while, as a full one does.
"""

from collections.abc import Callable, Sequence
from random import Random

from prewatt.codec.batch import Item
from prewatt.device.spool import MemorySpool, MemorySpools, Spool, SpoolError

__all__ = ["BoxCrashError", "Fate", "SimSpool", "SimSpools"]


class BoxCrashError(BaseException):
    """A box's process ended here."""


class Fate:
    """Where a box dies next, and whether its memory takes anything. ``wrote`` is told of every change."""

    def __init__(self, wrote: Callable[[], None]) -> None:
        self.crash_in: int | None = None
        self.full = False
        self._wrote = wrote

    def before(self) -> None:
        """Before a change; SpoolError where the memory takes no more."""
        self.point()
        if self.full:
            raise SpoolError("no room")

    def after(self) -> None:
        """After it."""
        self._wrote()
        self.point()

    def point(self) -> None:
        """The box may die here."""
        if self.crash_in is not None:
            self.crash_in -= 1
            if self.crash_in < 0:
                self.crash_in = None
                raise BoxCrashError


class SimSpool(MemorySpool):
    """A spool whose box may die around every change."""

    __slots__ = ("_dropped", "_fate", "_kept")

    def __init__(
        self, spool_id: bytes, fate: Fate, kept: Callable[[Sequence[Item]], None] | None = None, first: int = 1
    ) -> None:
        super().__init__(spool_id, first=first)
        self._fate = fate
        self._kept = kept
        self._dropped: list[Item] = []

    def append(self, items: Sequence[Item]) -> None:
        """See Spool."""
        self._fate.before()
        # Torn: a box that dies in the middle has the first ones.
        whole = len(items) // 2
        if whole:
            super().append(items[:whole])
            self._fate.point()
        super().append(items[whole:])
        self._dropped = []
        if self._kept is not None:
            self._kept(items)
        self._fate.after()

    def drop_through(self, number: int) -> None:
        """See Spool."""
        self._fate.point()
        self._dropped = list(self.read(self.first, max(0, number - self.first + 1)))
        super().drop_through(number)
        if self._dropped:
            self._fate.after()

    def skip_to(self, number: int) -> None:
        """See Spool."""
        self._fate.point()
        super().skip_to(number)
        self._dropped = []
        self._fate.after()

    def renew(self, spool_id: bytes) -> None:
        """See Spool."""
        self._fate.point()
        super().renew(spool_id)
        self._dropped = []
        self._fate.after()

    def write_note(self, name: str, value: bytes) -> None:
        """See Spool."""
        self._fate.before()
        super().write_note(name, value)
        self._fate.after()

    def crash(self, chance: Random) -> None:
        """The box has died: what it forgot last may be there again."""
        if self._dropped and chance.random() < 0.5:
            self._items.extendleft(reversed(self._dropped))
            self._first -= len(self._dropped)
        self._dropped = []


class SimSpools(MemorySpools):
    """The spools of an area server."""

    __slots__ = ("_fate",)

    def __init__(self, fate: Fate) -> None:
        super().__init__()
        self._fate = fate

    def open(self, station: int, spool_id: bytes, first: int) -> Spool:
        """See Spools."""
        self._fate.before()
        spool = SimSpool(spool_id, self._fate, first=first)
        self._spools[station, bytes(spool_id)] = spool
        self._fate.after()
        return spool

    def forget(self, station: int, spool_id: bytes) -> None:
        """See Spools."""
        self._fate.point()
        super().forget(station, spool_id)

    def write_note(self, name: str, value: bytes) -> None:
        """See Spools."""
        self._fate.before()
        super().write_note(name, value)
        self._fate.after()

    def crash(self, chance: Random) -> None:
        """See SimSpool."""
        for spool in self._spools.values():
            assert isinstance(spool, SimSpool)
            spool.crash(chance)
