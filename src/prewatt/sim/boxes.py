"""Boxes of the field in the simulator: area servers and local stations with memories that outlive them.

The boxes are the product's own; what is here is their driver: power, memory and wakes. A box may die at every access
that changes its memory, before it or after; what had returned is durable, forgetting may be undone. Its memory may
refuse for a while, as a full one does, and may be erased, as when a box is replaced.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from random import Random
from typing import TYPE_CHECKING, Any, Final

from prewatt.codec.hop import SPOOL_ID_BYTES, HopKind
from prewatt.device import area, station
from prewatt.sim.spools import BoxCrashError, Fate, SimSpool, SimSpools
from prewatt.units import Address

if TYPE_CHECKING:
    from prewatt.sim.region import Region

__all__ = ["AreaBox", "Box", "StationBox"]


# A box says how it is every minute; where nothing has changed, once in so many milliseconds is enough here.
_SAME_HEALTH_MS: Final = 600_000
_HEAD_BYTES: Final = 4
_LINKS: Final = (area.HostLink, area.StationLink, station.UplinkUp)
_HEALTH: Final = frozenset({HopKind.HEALTH, HopKind.AREA_HEALTH})


class Box(ABC):
    """What area servers and stations have in common. ``name`` is for the history."""

    def __init__(self, region: "Region", name: str) -> None:
        self.region, self.name = region, name
        world = region.world
        self.fate = Fate(lambda: world.history.step(world.now_ms, "written", name))
        self.up = False
        self.crashes = 0
        self._wake_ms: int | None = None
        self._life = 0
        self._told: dict[bytes, tuple[int, bytes]] = {}

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
        if isinstance(event, _LINKS):
            self._told.clear()
        try:
            effects = self._step(event)
        except BoxCrashError:
            self.die()
            return
        for effect in effects:
            if life == self._life:
                self._do(effect)

    def send_up(self, link: str, address: str, data: bytes) -> None:
        """Sends to the box above; an idle one's word that all is as before is not sent each time."""
        if data[1] in _HEALTH:
            now_ms, about = self.region.world.now_ms, data[:_HEAD_BYTES]
            at_ms, before = self._told.get(about, (now_ms, b""))
            if before == data and now_ms - at_ms < _SAME_HEALTH_MS:
                return
            self._told[about] = (now_ms, data)
        self.region.links[link].send(address, data)

    def wake_at(self, line_ms: int) -> None:
        """A tick then, unless something else happens before."""
        world, life = self.region.world, self._life
        self._wake_ms = line_ms

        def tick() -> None:
            if life == self._life and self._wake_ms == line_ms:
                self.give(self._tick())

        world.after(line_ms - world.now_ms, tick)

    @abstractmethod
    def _build(self) -> None:
        """Makes the box of its memory; BoxCrashError where it dies on the way."""

    @abstractmethod
    def _forget(self, chance: Random) -> None:
        """Its power is gone: what was not durable is not there."""

    @abstractmethod
    def _step(self, event: Any) -> Sequence[Any]:  # noqa: ANN401
        """What the box does about an event."""

    @abstractmethod
    def _do(self, effect: Any) -> None:  # noqa: ANN401
        """Carries one effect out."""

    @abstractmethod
    def _tick(self) -> Any:  # noqa: ANN401
        """The event that time has passed."""


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
            self.send_up(f"{self.name}>host", str(self.number), effect.data)
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
            self.send_up(f"{self.place}>area", self.place, effect.data)
        else:
            self.wake_at(effect.line_ms)

    def _tick(self) -> station.Tick:
        return station.Tick()
