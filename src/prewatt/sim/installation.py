"""One host installation on a simulated disk: its vault, its state folder, and a process that dies and starts again.

Everything that runs is the host's own code; only where its bytes lie is invented. The key vault holds its real content
in memory (what sealing and files do is tested elsewhere) and survives everything, as a token would.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Final

from prewatt.crypto import suite
from prewatt.host.dispatch import DispatchSettings
from prewatt.host.folder import DataFolder
from prewatt.host.host import Host, HostOptions
from prewatt.host.keys import KeySet, KeyVault
from prewatt.host.keys.content import VaultContent
from prewatt.host.keys.vault import KeySetState, refuse_retired
from prewatt.sim.disk import Disk, DiskFullError, DiskGoneError, DiskIoError
from prewatt.sim.platter import Copy
from prewatt.sim.store import DATABASE, SimDatabase, SimStore
from prewatt.sim.vfs import HostCrashError

__all__ = ["Installation", "SimVault"]

_STATE: Final = "state/"


class SimVault(KeyVault):
    """Key sets in memory."""

    __slots__ = ("_content", "_derived", "_random")

    def __init__(self, suites: Sequence[str], now_s: int, random: Callable[[int], bytes]) -> None:
        self._content = VaultContent()
        self._random = random
        self._derived: dict[tuple[int, bytes], bytes] = {}
        for name in suites:
            self.add(name, now_s=now_s)

    def sets(self) -> list[KeySet]:
        """See KeyVault."""
        return [each.shown for each in self._content.sets]

    def terminal_key(self, index: int, meter_id: bytes) -> bytes:
        """See KeyVault."""
        found = self._content.find(index)
        if found.shown.state is KeySetState.RETIRED:
            raise refuse_retired(index)
        key = self._derived.get((index, meter_id))
        if key is None:
            key = suite(found.shown.suite).terminal_key(found.master, meter_id, index)
            self._derived[index, meter_id] = key
        return key

    def add(self, suite: str, index: int | None = None, *, now_s: int) -> KeySet:
        """See KeyVault."""
        chosen, place = _suite(suite), self._content.free_index() if index is None else index
        self._content = self._content.added(chosen.name, place, now_s, self._random(chosen.master_bytes))
        return self._content.find(place).shown

    def retire(self, index: int) -> KeySet:
        """See KeyVault."""
        self._content = self._content.retired(index)
        return self._content.find(index).shown


_suite = suite


class _State:
    """The state folder on the disk."""

    def __init__(self, disk: Disk) -> None:
        self._disk, self._life = disk, disk.life

    def read(self, name: str) -> bytes:
        file = self._disk.files.get(_STATE + name)
        if file is None:
            raise FileNotFoundError(name)
        return bytes(file.content)

    def replace(self, name: str, content: bytes) -> None:
        with _OsErrors():
            self._disk.replace(self._life, _STATE + name, content)

    def append(self, name: str, content: bytes) -> None:
        with _OsErrors():
            path = _STATE + name
            self._disk.open(self._life, path)
            self._disk.write(self._life, path, self._disk.size(self._life, path), content)
            self._disk.sync(self._life, path)

    def note(self, name: str, content: bytes) -> None:
        with _OsErrors():
            self._disk.write(self._life, _STATE + name, 0, content)

    def close(self) -> None:
        return None


class _OsErrors:
    """What the disk raises, as the operating system would; the death of the process as itself."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, DiskGoneError):
            raise HostCrashError from None
        if isinstance(error, DiskIoError | DiskFullError):
            raise OSError(28 if isinstance(error, DiskFullError) else 5, "disk full or broken") from None


class Installation:
    """A disk, and the host that lives on it."""

    def __init__(
        self,
        disk: Disk,
        suites: Sequence[str],
        now: Callable[[], int],
        random: Callable[[int], bytes],
        settings: DispatchSettings,
    ) -> None:
        self.disk, self._now, self._random, self._settings = disk, now, random, settings
        self.vault = SimVault(suites, now(), random)
        self._power_went = False
        self.host: Host | None = None
        self.host = Host.create(
            self._folder(),
            self.vault,
            options=HostOptions(),
            store=SimDatabase(disk),
            state_dir=_State(disk),
            now=now,
            random=random,
            dispatch_settings=settings,
        )

    def _folder(self) -> DataFolder:
        # A folder that is nowhere: the database and the state do not lie in it, and nobody else can claim it.
        return DataFolder(Path("simulated"), -1)

    @property
    def store(self) -> SimStore:
        """The store of the host that runs."""
        assert self.host is not None
        store = self.host.context.store
        assert isinstance(store, SimStore)
        return store

    def start(self) -> None:
        """Opens what is there; HostCrashError where it dies on the way, HostError where it cannot be opened."""
        self.host = Host.open(
            self._folder(),
            self.vault,
            store=SimDatabase(self.disk),
            state_dir=_State(self.disk),
            now=self._now,
            random=self._random,
            dispatch_settings=self._settings,
        )
        self._power_went = False

    def end(self, chance: Random, *, cleanly: bool = False, power: bool = False) -> None:
        """The process ends: asked to, killed, or with the power of its computer."""
        host, self.host = self.host, None
        if host is not None:
            store = host.context.store
            assert isinstance(store, SimStore)
            if cleanly:
                store.close()
            else:
                store.kill()
        self._power_went |= power
        self.disk.crash(chance, power=power)

    def back_up(self) -> Copy:
        """The files of the database as they lie there."""
        return self.disk.copy(DATABASE)

    def put_back(self, backup: Copy) -> None:
        """A backup in place of the database, while no host runs. The state folder stays; where the power went, people
        remove the number of the last commit (docs/operating/data-folder.md)."""
        self.disk.put(DATABASE, backup)
        if self._power_went:
            self.disk.remove(_STATE, ".mark")

    def lose_state(self) -> None:
        """The state folder of another user, or another computer: empty."""
        self.disk.put(_STATE, Copy({}, {}))
