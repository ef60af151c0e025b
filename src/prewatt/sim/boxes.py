"""Boxes of the field in the simulator: area servers and local stations with memories that outlive them.

The boxes are the product's own values; what is here is their driver: their power, their memory, their wakes. A box may
die at every access that changes its memory, before it or after; what had returned is durable, forgetting may be undone.
Its memory may refuse for a while, as a full one does, and may be erased altogether, as when a box is replaced.
"""

from collections.abc import Callable, Sequence
from random import Random
from typing import TYPE_CHECKING, Any

from prewatt.codec.batch import Item
from prewatt.codec.hop import SPOOL_ID_BYTES
from prewatt.device import area, station
from prewatt.device.spool import MemorySpool, MemorySpools, Spool, SpoolError
from prewatt.units import Address

if TYPE_CHECKING:
    from prewatt.sim.region import Region

__all__ = ["AreaBox", "Box", "BoxCrashError", "StationBox"]


class BoxCrashError(BaseException):
    """A box's process ended here."""


class _Fate:
    """Where a box dies next, and whether its memory takes anything."""

    def __init__(self, wrote: Callable[[], None]) -> None:
        self.crash_in: int | None = None
        self.full = False
        self._wrote = wrote

    def before(self) -> None:
        """Before a change; SpoolError where the memory takes no more."""
        self._point()
        if self.full:
            raise SpoolError("no room")

    def after(self) -> None:
        """After it."""
        self._wrote()
        self._point()

    def _point(self) -> None:
        if self.crash_in is not None:
            self.crash_in -= 1
            if self.crash_in < 0:
                self.crash_in = None
                raise BoxCrashError


class SimSpool(MemorySpool):
    """A spool whose box may die around every change."""

    __slots__ = ("_dropped", "_fate", "_kept")

    def __init__(
        self, spool_id: bytes, fate: _Fate, kept: Callable[[Sequence[Item]], None] | None = None, first: int = 1
    ) -> None:
        super().__init__(spool_id, first=first)
        self._fate = fate
        self._kept = kept
        self._dropped: list[Item] = []

    def append(self, items: Sequence[Item]) -> None:
        """See Spool."""
        self._fate.before()
        super().append(items)
        self._dropped = []
        if self._kept is not None:
            self._kept(items)
        self._fate.after()

    def drop_through(self, number: int) -> None:
        """See Spool."""
        self._fate._point()
        self._dropped = list(self.read(self.first, max(0, number - self.first + 1)))
        super().drop_through(number)
        if self._dropped:
            self._fate.after()

    def skip_to(self, number: int) -> None:
        """See Spool."""
        self._fate._point()
        super().skip_to(number)
        self._dropped = []
        self._fate.after()

    def renew(self, spool_id: bytes) -> None:
        """See Spool."""
        self._fate._point()
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

    def __init__(self, fate: _Fate) -> None:
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
        self._fate._point()
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


class Box:
    """What area servers and stations have in common. ``name`` is for the history."""

    def __init__(self, region: "Region", name: str) -> None:
        self.region, self.name = region, name
        world = region.world
        self.fate = _Fate(lambda: world.history.step(world.now_ms, "written", name))
        self.up = False
        self.crashes = 0
        self._wake_ms: int | None = None
        self._life = 0

    def start(self) -> None:
        """Power is on, or the process starts again; it may die on the way."""
        if self.up:
            return
        self.up = True
        try:
            self._build()
        except BoxCrashError:
            self.die()
            return
        self.region.started(self)

    def die(self) -> None:
        """Everything but its memory is lost; it starts again after a while."""
        world = self.region.world
        self.up, self._wake_ms = False, None
        self._life += 1
        self.crashes += 1
        self._forget(world.chance)
        world.history.note(world.now_ms, "crash", self.name)
        self.region.ended(self)
        world.after(world.chance.choice((0, 1_000, 30_000, 600_000)), self.start)

    def give(self, event: Any) -> None:  # noqa: ANN401 - an event of the box's own kind
        """Lets the box do something about an event; without power nothing happens."""
        if not self.up:
            return
        life, self._wake_ms = self._life, None
        try:
            effects = self._step(event)
        except BoxCrashError:
            self.die()
            return
        for effect in effects:
            if life == self._life:
                self._do(effect)

    def wake_at(self, line_ms: int) -> None:
        """A tick then, unless something else happens before."""
        world, life = self.region.world, self._life
        self._wake_ms = line_ms

        def tick() -> None:
            if life == self._life and self._wake_ms == line_ms:
                self.give(self._tick())

        world.after(line_ms - world.now_ms, tick)

    def _build(self) -> None:
        raise NotImplementedError

    def _forget(self, chance: Random) -> None:
        raise NotImplementedError

    def _step(self, event: Any) -> Sequence[Any]:  # noqa: ANN401
        raise NotImplementedError

    def _do(self, effect: Any) -> None:  # noqa: ANN401
        raise NotImplementedError

    def _tick(self) -> Any:  # noqa: ANN401
        raise NotImplementedError


class AreaBox(Box):
    """An area server."""

    def __init__(self, region: "Region", number: int) -> None:
        super().__init__(region, f"area{number}")
        self.number = number
        self.spools = SimSpools(self.fate)
        self.server: area.AreaServer | None = None

    def erase(self) -> None:
        """Another box, with an empty memory."""
        self.spools = SimSpools(self.fate)

    def _build(self) -> None:
        self.server = area.AreaServer(self.spools, self.number, self.region.world.now_ms)

    def _forget(self, chance: Random) -> None:
        self.server = None
        self.spools.crash(chance)

    def _step(self, event: area.AreaEvent) -> Sequence[area.AreaEffect]:
        assert self.server is not None
        return self.server.step(event, self.region.world.now_ms)

    def _do(self, effect: area.AreaEffect) -> None:
        if isinstance(effect, area.ToHost):
            self.region.links[f"{self.name}>host"].send(str(self.number), effect.data)
        elif isinstance(effect, area.ToStation):
            self.region.to_station(Address(self.number, effect.station), effect.data)
        else:
            self.wake_at(effect.line_ms)

    def _tick(self) -> area.Tick:
        return area.Tick()


class StationBox(Box):
    """A local station; ``place`` is what the registry calls it."""

    def __init__(self, region: "Region", address: Address, place: str) -> None:
        super().__init__(region, place)
        self.address, self.place = address, place
        self.spool = self._empty()
        self.station: station.LocalStation | None = None

    def _empty(self) -> SimSpool:
        return SimSpool(self.region.world.draw(SPOOL_ID_BYTES), self.fate, self.region.kept)

    def erase(self) -> None:
        """Another box, with an empty memory."""
        self.spool = self._empty()

    def _build(self) -> None:
        self.station = station.LocalStation(self.spool, self.address, self.region.world.now_ms)

    def _forget(self, chance: Random) -> None:
        self.station = None
        self.spool.crash(chance)

    def _step(self, event: station.StationEvent) -> Sequence[station.StationEffect]:
        assert self.station is not None
        return self.station.step(event, self.region.world.now_ms)

    def _do(self, effect: station.StationEffect) -> None:
        if isinstance(effect, station.LineSend):
            self.region.lines[self.address].station_sends(effect.data, urgent=effect.urgent)
        elif isinstance(effect, station.Uplink):
            self.region.links[f"{self.place}>area"].send(self.place, effect.data)
        else:
            self.wake_at(effect.line_ms)

    def _tick(self) -> station.Tick:
        return station.Tick()
