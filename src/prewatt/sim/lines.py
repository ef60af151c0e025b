"""The line below a station in the simulator: the modelled one with real modems, or a free one with bad weather.

On the modelled line (prewatt.link.line) noise, distance, collisions and crosstalk do what they do, the modems are the
product's own, and a meter's modem loses all it holds with its power. On the free line whole frames are lost, doubled,
bent, delayed and reordered by the weather of a link: worse than any line, and quicker.
"""

from typing import TYPE_CHECKING, Final, Protocol

from prewatt.device import station
from prewatt.device.meter import LineFrame
from prewatt.device.modem import MasterModem, SlaveModem
from prewatt.link.line import ModemLine, profile_named
from prewatt.sim.home import Home
from prewatt.sim.weather import Link
from prewatt.units import MeterId

if TYPE_CHECKING:
    from prewatt.sim.boxes import StationBox
    from prewatt.sim.region import Region

__all__ = ["FREE", "FreeLine", "ModelledLine", "SimLine"]

# The profile name of a line that costs no time.
FREE: Final = ""
_M_ID_AT: Final = 1


class SimLine(Protocol):
    """A line with a station and homes at it."""

    def station_sends(self, data: bytes, *, urgent: bool) -> None:
        """A whole frame from the station."""
        ...

    def home_sends(self, home: Home, data: bytes) -> None:
        """A whole frame from a meter."""
        ...

    def home_moved(self, home: Home, *, here: bool) -> None:
        """A meter with power is here now, or is no more."""
        ...

    def station_moved(self, *, here: bool) -> None:
        """The station has power now, or has none."""
        ...


class FreeLine:
    """See the module."""

    def __init__(self, region: "Region", box: "StationBox") -> None:
        self._region, self._box = region, box
        self._here: dict[int, list[Home]] = {}
        self.down = Link(region.world, f"{box.place}>line", self._to_homes)
        self.up = Link(region.world, f"line>{box.place}", self._to_station)

    def station_sends(self, data: bytes, *, urgent: bool) -> None:
        """See SimLine."""
        self.down.send(self._box.place, data)

    def home_sends(self, home: Home, data: bytes) -> None:
        """See SimLine."""
        self.up.send(home.meter, data)

    def home_moved(self, home: Home, *, here: bool) -> None:
        """See SimLine."""
        homes = self._here.setdefault(home.m_id, [])
        if here and home not in homes:
            homes.append(home)
        elif not here and home in homes:
            homes.remove(home)

    def station_moved(self, *, here: bool) -> None:
        """See SimLine."""

    def _to_homes(self, _address: str, data: bytes) -> None:
        # A receiver's address filter: frames with another M-ID are heard by nobody.
        for home in list(self._here.get(data[_M_ID_AT] if len(data) > _M_ID_AT else 0, ())):
            self._region.hear(home, LineFrame(data))

    def _to_station(self, _address: str, data: bytes) -> None:
        self._box.give(station.LineHeard(data))


class ModelledLine:
    """See the module."""

    def __init__(self, region: "Region", box: "StationBox", profile: str, seed: int) -> None:
        self._region, self._box = region, box
        self._profile = profile_named(profile)
        self._line = ModemLine(self._profile, seed)
        self._master: int | None = None
        self._ends: dict[int, Home] = {}
        self._held = False
        self._due_ms: int | None = None

    def couple(self, other: "ModelledLine") -> None:
        """Neighbour transformers hear each other."""
        self._line.couple(other._line)

    def station_moved(self, *, here: bool) -> None:
        """See SimLine."""
        if self._master is not None:
            self._line.detach(self._master)
            self._master = None
        self._held = False
        if here:
            number = self._region.world.draw(1)[0]
            modem = MasterModem(self._profile.timing, self._knows, number)
            self._master = self._line.attach(modem, 0)

    def home_moved(self, home: Home, *, here: bool) -> None:
        """See SimLine."""
        for end in [end for end, each in self._ends.items() if each is home]:
            self._line.detach(end)
            del self._ends[end]
        if here:
            number = self._region.world.draw(1)[0]
            modem = SlaveModem(self._profile.timing, home.meter_id, home.m_id, number)
            self._ends[self._line.attach(modem, home.distance_m)] = home

    def station_sends(self, data: bytes, *, urgent: bool) -> None:
        """See SimLine."""
        if self._master is not None:
            self._line.send(self._master, data, self._region.world.now_ms, urgent=urgent)
            self._schedule()

    def home_sends(self, home: Home, data: bytes) -> None:
        """See SimLine."""
        for end, each in self._ends.items():
            if each is home:
                self._line.send(end, data, self._region.world.now_ms)
        self._schedule()

    def _knows(self, meter_id: MeterId, m_id: int) -> bool:
        box = self._box.station
        return box is not None and box.knows(meter_id, m_id)

    def _schedule(self) -> None:
        next_ms, world = self._line.next_ms, self._region.world
        if next_ms is not None and (self._due_ms is None or next_ms < self._due_ms):
            self._due_ms = next_ms
            world.after(next_ms - world.now_ms, lambda: self._step(next_ms))

    def _step(self, due_ms: int) -> None:
        if self._due_ms != due_ms:
            return
        self._due_ms = None
        before, world = self._line.arrivals, self._region.world
        delivered = self._line.step()
        if self._line.arrivals > before:
            count = self._line.arrivals - before
            world.history.steps_of(world.now_ms, "delivered", count, f"line {self._box.place}")
        held = self._master is not None and self._line.holding(self._master)
        for each in delivered:
            if each.end == self._master:
                self._box.give(station.LineHeard(each.data))
            elif each.end in self._ends:
                self._region.hear(self._ends[each.end], LineFrame(each.data))
        if held != self._held:
            self._held = held
            self._box.give(station.LineHeld(held))
        self._schedule()
