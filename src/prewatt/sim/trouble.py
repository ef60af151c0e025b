"""What befalls the host's room: crashes at any I/O, power cuts, full and failing disks, wrong clocks, old backups.

After a crash the process is down for a while; what the meters say meanwhile is lost. It starts again from what was
durable, and may die on the way again. A backup is put back only where every meter's ring still reaches back to it;
where it does not, the host cannot know what was forgotten, and a person has to (docs/operating).
"""

from random import Random
from typing import TYPE_CHECKING, Any, Final

from prewatt.host.refusals import HostError
from prewatt.host.store.books import read_book
from prewatt.sim.platter import Copy
from prewatt.sim.vfs import HostCrashError

if TYPE_CHECKING:
    from prewatt.sim.world import World

__all__ = ["Trouble"]

# Sequences a meter may hold beyond a backup that is put back: the ring has sixteen.
FORGOTTEN_MAX: Final = 12
_BACKUPS_MAX: Final = 4
_STATE_LOST: Final = "state lost"
# Whoever looks after the host tries again every so often, and makes room on a full disk.
_START_PAUSE_MS: Final = 600_000
_FULL_MS: Final = (5_000, 60_000, 3_600_000)


class Trouble:
    """Operations on the world they are given; each takes its own chance."""

    def __init__(self, world: "World") -> None:
        self.world = world
        self.crashes = self.restores = 0
        self._backups: list[tuple[dict[str, int], Copy]] = []
        self._disk_failed = False

    # -- the process

    def died(self) -> None:
        """The process is gone; it starts again later."""
        world = self.world
        self.crashes += 1
        power = world.chance.random() < 0.5
        world.history.note(world.now_ms, "crash", "power" if power else "process")
        world.installation.end(world.chance, power=power)
        world.after(world.chance.choice((0, 10, 1_000, 60_000)), self.start)

    def start(self) -> None:
        """The process starts on what was durable; it may die on the way."""
        world = self.world
        if world.installation.host is not None:
            return
        world.damage.before_start()
        try:
            world.installation.start()
        except HostCrashError:
            world.damage.opened()
            self.crashes += 1
            world.installation.end(world.chance, power=world.chance.random() < 0.5)
            world.after(1_000, self.start)
            return
        except HostError as error:
            world.installation.end(world.chance)
            if world.damage.noticed([str(error)]):
                return
            world.errors.append(str(error))
            world.after(_START_PAUSE_MS, self.start)
            return
        world.history.note(world.now_ms, "start", "host")
        world.damage.after_start()
        world.host_began()

    def excuses(self, errors: list[str]) -> bool:
        """Whether a failing disk explains every one of these."""
        words = ("disk is full", "disk error", "disk full", "IOError", "disk I/O", "cannot be written")
        return self._disk_failed and all(any(word in error for word in words) for error in errors)

    def calm(self) -> None:
        """No fault from now on, and a host that runs."""
        world = self.world
        world.damage.end()
        fault = world.disk.fault
        fault.crash_in, fault.error_in, fault.full = None, None, False
        world.skew_s = 0
        if world.installation.host is None:
            self.start()

    # -- what befalls it

    def op_crash(self, chance: Random) -> None:
        """The process dies at one of the next I/Os, or here."""
        world = self.world
        if chance.random() < 0.8:
            world.disk.fault.crash_in = chance.randrange(60)
        elif world.installation.host is not None:
            cleanly = chance.random() < 0.3
            self.crashes += 1
            try:
                world.installation.end(chance, cleanly=cleanly, power=not cleanly and chance.random() < 0.5)
            except HostCrashError:
                world.installation.end(chance, power=True)
            self.start()

    def op_disk(self, chance: Random) -> None:
        """The disk is full for a while, or an operation of the next ones fails, or all is well again."""
        fault, how = self.world.disk.fault, chance.randrange(4)
        self._disk_failed = True
        fault.full = how == 0
        if fault.full:
            self.world.after(chance.choice(_FULL_MS), self._make_room)
        fault.error_in = chance.randrange(40) if how == 1 else None

    def _make_room(self) -> None:
        self.world.disk.fault.full = False

    def op_skew(self, chance: Random) -> None:
        """Somebody sets the host's clock."""
        self.world.skewed = self.world.auditor.witness.skewed = True
        self.world.skew_s = chance.choice((0, 0, 5, -5, 600, -600, 7_200, -7_200))

    def op_backup(self, chance: Random) -> None:
        """A copy of the database as it lies there."""
        world = self.world
        host = world.installation.host
        if host is None:
            return
        known: dict[str, int] = {}
        with host.context.store.reading() as connection:
            for meter in sorted(world.enrolled):
                known[meter] = int(read_book(connection, meter).settled)
        self._backups = [*self._backups, (known, world.installation.back_up())][-_BACKUPS_MAX:]

    def op_restore(self, chance: Random) -> None:
        """A backup is put back, as long as every meter's ring still reaches back to it."""
        world = self.world
        if not self._backups or not self._reaches(found := chance.choice(self._backups)):
            return
        self._end(chance)
        world.installation.put_back(found[1])
        self._restored("backup")

    def put_back(self) -> bool:
        """The newest backup in place of the database; False where a meter's ring no longer reaches back to it."""
        if not self._backups or not self._reaches(newest := self._backups.pop()):
            return False
        self.world.installation.put_back(newest[1])
        self._restored("backup")
        return True

    def op_lose_state(self, chance: Random) -> None:
        """The data folder goes to another computer: the state folder is not there."""
        if self._twins():
            return
        self._end(chance)
        self.world.installation.lose_state()
        self._restored(_STATE_LOST)

    def _reaches(self, backup: tuple[dict[str, int], Any]) -> bool:
        known, auditor, homes = backup[0], self.world.auditor, self.world.homes
        for body, account in auditor.accounts.items():
            # Of a body that was exchanged since nobody can tell any more what it did after the backup.
            most = FORGOTTEN_MAX if homes[account.meter].body == body else 0
            if sum(entry.sequence > known.get(account.meter, -1) for entry in account.history) > most:
                return False
        return not self._twins()

    def _twins(self) -> bool:
        """Whether an id in use tells two stories: then a restore has nothing to go by."""
        return bool(self.world.auditor.twins - self.world.office.lost)

    def _end(self, chance: Random) -> None:
        try:
            self.world.installation.end(chance, cleanly=True)
        except HostCrashError:
            self.world.installation.end(chance, power=True)

    def _restored(self, how: str) -> None:
        self.restores += 1
        self.world.damage.replaced()
        self.world.auditor.restored(stateless=how == _STATE_LOST)
        self.world.history.note(self.world.now_ms, "restore", how)
        self.start()
