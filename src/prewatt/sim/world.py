"""The world of a simulation: one host, its field, its homes and its people, under one virtual clock.

Everything that happens is an event at a millisecond, in one heap ordered by (time, number). Operations of the workload
and of the enemy come from a script (prewatt.sim.script) between them. No thread, no sleep, no unseeded chance: what is
drawn hangs on the seed and on the last operation alone, so that leaving an operation out leaves all before it as it
was. After every event the auditor looks at what it touched.
"""

import heapq
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from random import Random
from typing import Any, Final, TypeVar

import structlog

from prewatt.device.now import Now
from prewatt.host.dispatch import DispatchSettings
from prewatt.host.host import Host
from prewatt.host.refusals import HostError, RefusedError
from prewatt.sim.auditor import Auditor
from prewatt.sim.bodies import NOW_S, Bodies
from prewatt.sim.calm import Calm
from prewatt.sim.damage import Damage
from prewatt.sim.disk import Disk
from prewatt.sim.history import History
from prewatt.sim.home import Home
from prewatt.sim.installation import Installation
from prewatt.sim.office import Office
from prewatt.sim.people import People
from prewatt.sim.region import Region
from prewatt.sim.street import Street
from prewatt.sim.trouble import Trouble
from prewatt.sim.vfs import HostCrashError
from prewatt.sim.weather import WEATHERS, mark_of

__all__ = ["METERS_MAX", "NOW_S", "World"]

T = TypeVar("T")

METERS_MAX: Final = 256
# An engine without sessions and without work is looked at this often; nothing of it hangs on milliseconds.
_IDLE_MS: Final = 60_000
# One with sessions under way, of which none is due: they are given up after half a minute.
_BUSY_MS: Final = 5_000
_SUITES: Final = ("aes-2026",) * 3 + ("tdes-1998",) * 3
_AUDIT_EVERY_STEPS: Final = 1_000
# Worlds with boxes and lines; the others have one hostile station for everybody.
_REGION_SHARE: Final = 0.6


class World:
    """See the module. ``seed`` decides what kind of world it is; the script decides what happens in it."""

    def __init__(self, seed: int, *, meters: int = 3, keep_all: bool = False) -> None:
        mood = Random(f"world {seed}")
        self.seed = seed
        self.now_ms, self.skew_s, self.skewed = 1_000, 0, False
        self.chance = self._bytes = Random(f"begin {seed}")
        self.history = History(keep_all=keep_all)
        self.auditor = Auditor(self.rows)
        self.weathers = WEATHERS[: mood.randrange(1, len(WEATHERS) + 1)]
        self.watch: Callable[[World], None] | None = None
        self.homes: dict[str, Home] = {}
        self.enrolled: set[str] = set()
        self.errors: list[str] = []
        self.refusals: dict[str, int] = {}
        self._heap: list[tuple[int, int, Callable[[], None]]] = []
        self._number = 0
        self._tick_ms: int | None = None
        self._seen_commits: tuple[int, int] | None = None
        self._audited_steps = 0
        settings = DispatchSettings(poll_floor_ms=0, poll_s=mood.choice((1_800, 7_200, 43_200)))
        self.disk = Disk(lambda name: self.history.step(self.now_ms, "written", name))
        self.installation = Installation(self.disk, _SUITES, self.host_s, self.draw, settings)
        self.field: Street | Region = Region(self, mood) if mood.random() < _REGION_SHARE else Street(self)
        self.people, self.trouble, self.damage = People(self), Trouble(self), Damage(self)
        self.office = Office(self)
        self.calm = Calm(self)
        self.field.begin()
        self.bodies = Bodies(self, meters)
        for _ in range(meters):
            self.bodies.new_home()
        self.tick()

    # -- time and chance

    def meter_now(self) -> Now:
        """The time as a driver gives it to a meter."""
        return Now(self.now_ms, NOW_S + self.now_ms // 1_000)

    def host_s(self) -> int:
        """The host's clock: true time and what somebody set it wrong by."""
        return NOW_S + self.now_ms // 1_000 + self.skew_s

    def draw(self, count: int) -> bytes:
        """Random bytes for the devices and the host."""
        return self._bytes.randbytes(count)

    def begin_operation(self, salt: str) -> None:
        """From here on chance hangs on this operation."""
        self.chance = Random(f"chance {self.seed} {salt}")
        self._bytes = Random(f"bytes {self.seed} {salt}")

    def after(self, wait_ms: int, act: Callable[[], None]) -> None:
        """Does something later."""
        self._number += 1
        heapq.heappush(self._heap, (self.now_ms + max(0, wait_ms), self._number, act))

    def run_until(self, at_ms: int) -> None:
        """Everything that happens up to that millisecond, in its order."""
        while self._heap and self._heap[0][0] <= at_ms:
            due_ms, _, act = heapq.heappop(self._heap)
            self.now_ms = max(self.now_ms, due_ms)
            act()
            self.look()
            if self.watch is not None:
                self.watch(self)
        self.now_ms = max(self.now_ms, at_ms)

    def look(self) -> None:
        """The auditor looks at what the last event touched; everything every thousand steps."""
        if self.errors:
            errors, self.errors = self.errors, []
            known = self.damage.noticed(errors) or self.trouble.excuses(errors)
            self.check(known, f"the engine failed: {errors[:3]}")
        host = self.installation.host
        if host is None:
            return
        store = self.installation.store
        if self._seen_commits != (id(store), store.commits):
            self._seen_commits = (id(store), store.commits)
            # What lies there may be damaged: then that is an error like any other.
            self.call(lambda _: self.auditor.check_books())
        if self.history.steps - self._audited_steps >= _AUDIT_EVERY_STEPS:
            self._audited_steps = self.history.steps
            self.call(self.auditor.check_all)

    # -- what happened

    def check(self, holds: bool, law: str) -> None:
        """A violation unless ``holds``."""
        self.auditor.check(holds, law)

    def passed(self, kind: str, link: str, address: str, data: bytes) -> None:
        """A message was delivered, lost or changed."""
        self.history.step(self.now_ms, kind, f"{link} {address} {mark_of(data)}")

    def wrote(self, who: str, count: int) -> None:
        """A meter's write has returned."""
        self.history.step(self.now_ms, "written", f"{who} {count}")

    def power_moved(self, home: Home) -> None:
        """A meter has power now, or has none."""
        self.field.power_moved(home)

    def observe(self, home: Home) -> None:
        """A meter has moved."""
        self.auditor.observe(home)

    # -- homes

    def some_home(self, chance: Random) -> Home:
        """Any of them."""
        return self.homes[chance.choice(sorted(self.homes))]

    def standing(self) -> list[Home]:
        """Every body that hangs somewhere."""
        return [home for meter in sorted(self.homes) for home in self.bodies.standing(meter)]

    def hear(self, home: Home, *events: Any) -> None:  # noqa: ANN401 - the device's events
        """Things happen at a meter; what it says goes into the field."""
        for event in events:
            self.field.say(home, home.step(event))

    def tick_homes(self) -> None:
        """Every meter looks at the time."""
        for home in self.standing():
            self.field.say(home, home.tick())

    def wake_home(self, home: Home, meter_s: int) -> None:
        """A meter wants to be ticked."""
        wait_ms = (meter_s - NOW_S) * 1_000 - self.now_ms
        self.after(max(wait_ms, 1), lambda: self.field.say(home, home.tick()))

    # -- the host

    def call(self, act: Callable[[Host], T]) -> T | None:
        """What ``act`` gives; None where no host runs, it refused, could not write, or died on the way."""
        host = self.installation.host
        if host is None:
            return None
        try:
            return act(host)
        except RefusedError as error:
            word = str(error.outcome)
            self.refusals[word] = self.refusals.get(word, 0) + 1
        except HostCrashError:
            self.trouble.died()
        except HostError as error:
            self.errors.append(str(error))
        return None

    def tick(self) -> None:
        """The host looks at what is due."""
        self._tick_ms = None
        self.call(self.field.tick)
        self._plan_tick()

    def arrived(self, messages: Sequence[tuple[bytes, bytes]]) -> None:
        """Payloads reach the host, as (meter id, payload); nobody hears them while it is down."""
        posts = self.call(lambda host: host.dispatch.arrived(messages, self.now_ms))
        if posts and isinstance(self.field, Street):
            self.field.post(posts)
        self._plan_tick()

    def arrived_hops(self, messages: Sequence[tuple[int, bytes]]) -> None:
        """Box messages reach the host, as (area, data)."""
        hops = self.call(lambda host: host.network.arrived(messages, self.now_ms))
        if hops and isinstance(self.field, Region):
            self.field.post(hops)
        self._plan_tick()

    def _plan_tick(self) -> None:
        """Puts the host's next tick into the heap."""
        host = self.installation.host
        if host is None:
            return
        dispatch = host.dispatch
        due_ms = dispatch.next_wake_ms(self.now_ms)
        if due_ms >= self.now_ms + dispatch.settings.backoff_first_ms:
            due_ms = self.now_ms + (_BUSY_MS if dispatch.sessions_open else _IDLE_MS)
        if self._tick_ms is None or due_ms < self._tick_ms:
            self._tick_ms = due_ms
            self.after(due_ms - self.now_ms, lambda: self._tick_at(due_ms))

    def wake_host(self) -> None:
        """Something waits: the next tick is soon."""
        self._plan_tick()

    def _tick_at(self, due_ms: int) -> None:
        if self._tick_ms == due_ms:
            self.tick()

    def host_began(self) -> None:
        """A host process runs, perhaps on another database."""
        self._seen_commits = None
        self.note_enrolled()
        self.auditor.host_began()
        self._tick_ms = None
        self.tick()

    def note_enrolled(self) -> None:
        """Which homes the host knows."""
        if self.installation.host is not None:
            self.enrolled = {row[0] for row in self.rows("SELECT id FROM meters")}

    def rows(self, statement: str) -> list[Any]:
        """Rows of the host's database, read past it; none while it is down."""
        if self.installation.host is None:
            return []
        return self.installation.store.read_rows(statement)

    def close(self) -> None:
        """Ends the host."""
        self.installation.end(Random(0))


@contextmanager
def loud_log(world: World) -> Iterator[None]:
    """The engine goes on after an error of its own and writes a line; here that line is looked at."""

    def keep(_logger: object, _name: str, told: Any) -> str:  # noqa: ANN401 - structlog's own type
        world.errors.append(str({key: told[key] for key in sorted(told)}))
        raise structlog.DropEvent

    before = structlog.get_config()
    structlog.configure(processors=[keep], wrapper_class=structlog.make_filtering_bound_logger(40))
    try:
        yield
    finally:
        structlog.configure(**before)
