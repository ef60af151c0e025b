"""Damage to the host's database: a write goes astray, a sector rots; and what host and office do about it.

A host that meets damage, at its start or on the way, stops and says so; the office puts a backup in its place. Whether
damage matters is known here, because the disk knows what should lie there: what the look at the start finds is noticed,
what changes no row is harmless, and what changes rows and is not found is silent, a violation; but for a single row
that reads otherwise, which no database without checksums can tell. The office backs up before, and a crash comes soon
after; where all the same a meter's ring no longer reaches back to the backup, the office takes the database from
another disk that held the same.
"""

from collections import Counter
from collections.abc import Mapping
from random import Random
from typing import TYPE_CHECKING, Any, Final

from prewatt.host.store.whole import DAMAGED
from prewatt.sim.looking import DATABASE, look_through

if TYPE_CHECKING:
    from prewatt.sim.world import World

__all__ = ["Damage"]

Row = tuple[Any, ...]

_ASTRAY_WRITES: Final = 40
_LATER_MS: Final = (0, 0, 1_000, 60_000, 600_000)


class Damage:
    """Operations on the world they are given; each takes its own chance. One damage at a time."""

    def __init__(self, world: "World") -> None:
        self.world = world
        self.counts: Counter[str] = Counter()
        self._lost = self._generation = 0
        self._wrong = ""

    # -- what befalls the disk

    def op_rot(self, chance: Random) -> None:
        """A sector of the database or its log is not what it was."""
        if self._begin(chance):
            self.world.disk.rot(DATABASE, chance)

    def op_astray(self, chance: Random) -> None:
        """One of the next writes of the database lands elsewhere."""
        if self._begin(chance):
            fault = self.world.disk.fault
            fault.astray_in, fault.astray_prefix, fault.astray = chance.randrange(_ASTRAY_WRITES), DATABASE, chance

    def _begin(self, chance: Random) -> bool:
        world = self.world
        if world.installation.host is None or world.disk.damaged or world.disk.fault.astray_in is not None:
            return False
        world.trouble.op_backup(chance)
        world.after(chance.choice(_LATER_MS), self.end)
        return True

    def end(self) -> None:
        """Nothing goes astray any more, and where something did, the host dies."""
        world = self.world
        world.disk.fault.astray_in = None
        if world.disk.damaged:
            self._stop()
            world.trouble.start()

    def _stop(self) -> None:
        world = self.world
        world.trouble.crashes += 1
        world.history.note(world.now_ms, "crash", "damaged")
        world.installation.end(world.chance, power=world.chance.random() < 0.5)

    # -- what comes of it

    def before_start(self) -> None:
        """A host is about to start on what lies there: will damage be noticed, does it matter?

        What is lost stays so until a host did start: one may die on the way.
        """
        disk, check = self.world.disk, self.world.check
        self._wrong = ""
        if not disk.damaged:
            return
        copy = disk.copy(DATABASE)
        here, right = look_through(copy.files, rows=True), look_through(copy.right, rows=True)
        check(not right.wrong, f"a database without damage is {right.wrong}")
        if here.wrong:
            self._wrong = here.wrong
            return
        if here.rows == right.rows:
            self.counts["harmless"] += 1
            disk.mend()
            return
        lost = right.commits - here.commits
        if not lost and _is_one_row(here.rows, right.rows):
            # Nothing in a database can tell: docs/operating names it. Another disk held what was there.
            self.counts["one row changed, unseen"] += 1
            disk.mend()
            return
        differ = [table for table in right.rows if here.rows.get(table) != right.rows[table]]
        check(lost > 0, f"damage was not noticed, in {differ}")
        self._generation, self._lost = right.generation, self._lost + lost
        disk.mend_as_is()

    def replaced(self) -> None:
        """Another database lies there: what was lost of the last one is of no account."""
        self._lost = 0

    def opened(self) -> None:
        """It began to read: so it found no damage."""
        self.world.check(not self._wrong, f"a database was opened that is damaged: {self._wrong}")

    def after_start(self) -> None:
        """It did start: commits that were lost are known to be, or it was the last one."""
        world = self.world
        self.opened()
        if self._lost:
            self.counts["as restored"] += 1
            generation = world.rows("SELECT generation FROM mark")[0][0]
            world.check(generation > self._generation or self._lost == 1, f"{self._lost} commits are gone")
            world.trouble.restores += 1
            world.auditor.restored()
            self._lost = 0

    def noticed(self, errors: list[str]) -> bool:
        """Whether these errors say that the database is damaged, and it is: then a backup is put in its place."""
        world = self.world
        if not (world.disk.damaged and any(DAMAGED in error for error in errors)):
            return False
        self.counts["noticed" if world.installation.host is None else "noticed on the way"] += 1
        world.history.note(world.now_ms, "damaged", "")
        if world.installation.host is not None:
            self._stop()
        if not world.trouble.put_back():
            world.disk.mend()
            world.trouble.start()
        return True


def _is_one_row(here: Mapping[str, list[Row]], right: Mapping[str, list[Row]]) -> bool:
    """Whether a single row reads otherwise, still under its key; none is gone and none is new."""
    if here.keys() != right.keys():
        return False
    wrong = [row for table in right for row in set(here[table]) - set(right[table])]
    gone = [row for table in right for row in set(right[table]) - set(here[table])]
    return len(wrong) == len(gone) == 1 and wrong[0][0] == gone[0][0]
