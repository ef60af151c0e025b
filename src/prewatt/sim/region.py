"""The field with boxes: area servers, local stations and lines between the host and the meters, and an enemy on them.

    host  <link>  area server  <link>  local stations  <line>  meters

Each link has weather of its own and may be cut off, noticed by the boxes or not. Boxes lose their power, their memory
fills up or is replaced by an empty one, meters move from one station to another. The enemy holds every carrier: it
records and plays back box messages and payloads, and makes up rounds, answers and refusals around payloads that it once
heard of other meters. In some worlds it sits inside the carriers: it changes box messages, makes up kept items, and
acknowledges what nobody has booked (a station that withholds): then reports may be missing at the end, and money never.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from random import Random
from typing import TYPE_CHECKING, Final

from prewatt.codec.batch import Item
from prewatt.codec.errors import DecodeError
from prewatt.codec.frame import Frame, FrameFlags
from prewatt.codec.messages import MessageType
from prewatt.device import area, station
from prewatt.device.meter.events import Event
from prewatt.host.dispatch.network import Hop
from prewatt.host.host import Host
from prewatt.sim.boxes import AreaBox, Box, StationBox
from prewatt.sim.enemy import Enemy
from prewatt.sim.home import Home
from prewatt.sim.lines import FREE, FreeLine, ModelledLine, SimLine
from prewatt.sim.weather import CALM, Link
from prewatt.units import Address, MeterId

if TYPE_CHECKING:
    from prewatt.sim.world import World

__all__ = ["Region"]

_TAPE_MAX: Final = 600
_LINES: Final = (FREE, FREE, "powerline-64k", "powerline-9600")


class Region(Enemy):
    """See the module. ``mood`` decides how many boxes there are, and which lines."""

    def __init__(self, world: "World", mood: Random) -> None:
        self.world = world
        self.links: dict[str, Link] = {}
        self.areas: dict[int, AreaBox] = {}
        self.stations: dict[Address, StationBox] = {}
        self.lines: dict[Address, SimLine] = {}
        self._places: dict[str, Address] = {}
        self._profiles: dict[str, str] = {}
        self._tape: list[tuple[str, str, bytes]] = []
        self._payloads: list[tuple[bytes, bytes]] = []
        self._recorded = 0
        # What a station had in its memory, with the meter's own bytes: it has to be booked in the end.
        self.promised: dict[tuple[str, int, int], None] = {}
        # Whether the enemy sits inside the carriers: without TLS, or as a box. Then it can withhold what it likes, and
        # nothing that stations kept is promised any more; nor is it where a memory was erased.
        self.inside = mood.random() < 0.4
        self.broken = self.inside
        for number in range(mood.choice((1, 1, 2))):
            self._make_area(number)
            for below in range(mood.choice((1, 2))):
                self._make_station(Address(number, below), mood)
        lines = [line for line in self.lines.values() if isinstance(line, ModelledLine)]
        for one, other in pairwise(lines):
            one.couple(other)

    def _make_area(self, number: int) -> None:
        box = AreaBox(self, number)
        self.areas[number] = box
        self._link(f"host>area{number}", lambda _address, data: box.give(area.FromHost(data)))
        self._link(f"area{number}>host", lambda address, data: self.world.arrived_hops([(int(address), data)]))

    def _make_station(self, address: Address, mood: Random) -> None:
        place = f"S{len(self.stations) + 1}"
        box = StationBox(self, address, place)
        self.stations[address], self._places[place] = box, address
        above = self.areas[address.area]
        self._link(f"area>{place}", lambda _address, data: box.give(station.FromAbove(data)))
        self._link(f"{place}>area", lambda _address, data: above.give(area.FromStation(address.station, data)))
        profile = mood.choice(_LINES)
        line: SimLine
        if profile == FREE:
            free = FreeLine(self, box)
            line = free
            for link in (free.down, free.up):
                link.tape = self._record
                self.links[link.name] = link
        else:
            line = ModelledLine(self, box, profile, mood.getrandbits(32))
        self.lines[address] = line
        self._profiles[place] = profile

    def _link(self, name: str, deliver: Callable[[str, bytes], None]) -> None:
        link = Link(self.world, name, deliver)
        link.tape, link.sealed = self._record, not self.inside
        self.links[name] = link

    # -- what the world asks of its field

    def begin(self) -> None:
        """Tells the host of areas and stations, and switches every box on."""
        for address, box in self.stations.items():
            line = self._profiles[box.place]
            self.world.call(
                lambda host, address=address, box=box, line=line: host.topology.add_station(  # type: ignore[misc]
                    box.place, f"A{address.area + 1}", number=address.station, line=line
                )
            )
            self.world.call(lambda host, box=box, line=line: host.topology.set_line(box.place, line))  # type: ignore[misc]
        for each in (*self.areas.values(), *self.stations.values()):
            each.start()

    def place_of(self, number: int) -> str:
        """The station below which the home of that number is made."""
        return list(self._places)[number % len(self._places)]

    def tick(self, host: Host) -> None:
        """The host looks at what is due."""
        self.post(host.network.tick(self.world.now_ms))

    def post(self, hops: Sequence[Hop]) -> None:
        """What the host sends."""
        for hop in hops:
            self.links[f"host>area{hop.area}"].send(str(hop.area), hop.data)

    def to_station(self, address: Address, data: bytes) -> None:
        """What an area server sends to a station."""
        box = self.stations.get(address)
        if box is not None:
            self.links[f"area>{box.place}"].send(box.place, data)

    def say(self, home: Home, frames: Sequence[bytes]) -> None:
        """What a meter sends."""
        for data in frames:
            frame = self._own_frame(home, data)
            self.world.auditor.told(home, frame.payload)
            self._heard(home.meter_id, frame.payload)
            self.lines[self._places[home.place]].home_sends(home, data)

    def _own_frame(self, home: Home, data: bytes) -> Frame:
        try:
            frame = Frame.parse(data)
        except DecodeError as error:
            self.world.check(False, f"{home.meter}: sends what is no frame ({error})")
            raise
        mine = (frame.m_id, frame.meter_id, frame.flags) == (home.m_id, home.meter_id, FrameFlags.UP)
        self.world.check(mine, f"{home.meter}: sends a frame of another")
        return frame

    def hear(self, home: Home, event: Event) -> None:
        """Something is heard by a meter."""
        self.say(home, home.step(event))

    def power_moved(self, home: Home) -> None:
        """A meter has power now, or has none."""
        self.lines[self._places[home.place]].home_moved(home, here=home.on)

    def kept(self, items: Sequence[Item]) -> None:
        """A station has these in its memory now: what a meter really said has to be booked in the end."""
        for meter_id, payload in items:
            meter = meter_id.hex().upper()
            counter = int.from_bytes(payload[6:10], "big")
            bodies = self.world.auditor.bodies.get(meter, ())
            said = [each.told[payload[0], counter] for each in bodies if (payload[0], counter) in each.told]
            if any(each[1] == payload for each in said) and meter not in self.world.auditor.twins:
                self.promised[meter, payload[0], counter] = None

    def started(self, box: Box) -> None:
        """A box runs: the ways to it are there again, and both ends notice."""
        if isinstance(box, AreaBox):
            box.give(area.HostLink(True))
            for address, each in self.stations.items():
                if address.area == box.number and each.up:
                    box.give(area.StationLink(address.station, True))
                    each.give(station.UplinkUp(True))
        elif isinstance(box, StationBox):
            self.lines[box.address].station_moved(here=True)
            above = self.areas[box.address.area]
            if above.up:
                above.give(area.StationLink(box.address.station, True))
                box.give(station.UplinkUp(True))

    def ended(self, box: Box) -> None:
        """A box is down: who was connected to it notices."""
        if isinstance(box, AreaBox):
            for address, each in self.stations.items():
                if address.area == box.number:
                    each.give(station.UplinkUp(False))
        elif isinstance(box, StationBox):
            self.lines[box.address].station_moved(here=False)
            self.areas[box.address.area].give(area.StationLink(box.address.station, False))

    def calm(self) -> None:
        """No fault from now on; what was under way is lost, every box runs."""
        for link in self.links.values():
            link.weather, link.up = CALM, True
            link.clear()
        for box in (*self.areas.values(), *self.stations.values()):
            box.fate.crash_in, box.fate.full = None, False
            box.start()
            self.started(box)

    def idle(self) -> bool:
        """Whether no box holds anything back."""
        spools = [spool for each in self.areas.values() for _, spool in each.spools.held()]
        spools += [each.spool for each in self.stations.values()]
        return all(spool.first == spool.next for spool in spools)

    def check_kept(self) -> None:
        """Everything that a station held is booked once all is calm; unless its memory was taken from it."""
        if self.broken or self.world.auditor.restores:
            self.promised.clear()
            return
        booked = self.world.auditor.witness.booked()
        for meter, kind, counter in self.promised:
            told = f"{meter}: {MessageType(kind).name} {counter:08X} was kept by a station and is not booked"
            self.world.check(booked(meter, kind, counter), told)
        self.promised.clear()

    def _record(self, link: str, address: str, data: bytes) -> None:
        self._recorded += 1
        entry = (link, address, data)
        if len(self._tape) < _TAPE_MAX:
            self._tape.append(entry)
        else:
            self._tape[self._recorded * 7_919 % _TAPE_MAX] = entry

    def _heard(self, meter_id: MeterId, payload: bytes) -> None:
        if len(self._payloads) < _TAPE_MAX:
            self._payloads.append((meter_id, payload))
        else:
            self._payloads[self._recorded * 7_919 % _TAPE_MAX] = (meter_id, payload)
