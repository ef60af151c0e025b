"""What an enemy does who holds the carriers between the boxes, and what befalls the boxes themselves.

Operations of the script on a region (prewatt.sim.region); each takes its own chance.
"""

from abc import ABC, abstractmethod
from random import Random
from typing import TYPE_CHECKING, Final

from prewatt.codec.batch import Item
from prewatt.codec.frame import Frame, FrameFlags
from prewatt.codec.hop import Answers, Kept, KeptAck, Refused, RefusedReason, Round, build_hop
from prewatt.codec.messages import MessageType
from prewatt.device import area, station
from prewatt.device.meter import LineFrame
from prewatt.device.meter.events import Event
from prewatt.sim.boxes import AreaBox, Box, StationBox
from prewatt.sim.home import Home
from prewatt.sim.lines import SimLine
from prewatt.sim.weather import CUT_MS, Link, bend
from prewatt.units import Address, MeterId

if TYPE_CHECKING:
    from prewatt.sim.world import World

__all__ = ["Enemy"]

_PAYLOAD_MAX: Final = 2_600
# How long something may be kept back, in milliseconds: longer than a session lives at the host, at a meter; days.
_HELD_MS: Final = (4_000, 12_000, 25_000, 60_000, 600_000, 1_190_000, 100_000_000)


class Enemy(ABC):
    """The part of a region that acts on the script's word. What it acts on is the region's."""

    world: "World"
    links: dict[str, Link]
    areas: dict[int, AreaBox]
    stations: dict[Address, StationBox]
    lines: dict[Address, SimLine]
    inside: bool
    broken: bool
    _places: dict[str, Address]
    _tape: list[tuple[str, str, bytes]]
    _payloads: list[tuple[bytes, bytes]]

    @abstractmethod
    def hear(self, home: Home, event: Event) -> None:
        """Something is heard by a meter."""

    @abstractmethod
    def power_moved(self, home: Home) -> None:
        """A meter has power now, or has none."""

    def _inject(self, link: str, address: str, data: bytes) -> None:
        self.world.passed("changed", link, address, data)
        self.links[link].deliver(address, data)

    def _some_box(self, chance: Random) -> Box:
        return chance.choice([*self.areas.values(), *self.stations.values()])

    # -- what the enemy may do; each takes its own chance

    def op_replay(self, chance: Random) -> None:
        """An old box message or frame again, days later perhaps."""
        if self._tape:
            recent = chance.random() < 0.5
            index = chance.randrange(max(0, len(self._tape) - 40) if recent else 0, len(self._tape))
            self._inject(*self._tape[index])

    def op_burst_of_replays(self, chance: Random) -> None:
        """A stretch of the tape, in its order or backwards."""
        if self._tape:
            start = chance.randrange(len(self._tape))
            stretch = self._tape[start : start + chance.randrange(2, 9)]
            for each in reversed(stretch) if chance.random() < 0.3 else stretch:
                self._inject(*each)

    def op_misroute(self, chance: Random) -> None:
        """What passed on one link arrives on another that goes the same way."""
        if self._tape:
            _, address, data = chance.choice(self._tape)
            self._inject(chance.choice(sorted(self.links)), address if address.isdecimal() else "0", data)

    def op_forge(self, chance: Random) -> None:
        """Box messages made up around payloads that were once heard, of whoever."""
        if not self._payloads:
            return
        address, box = chance.choice(list(self.stations.items()))
        items = tuple(dict.fromkeys(self._some_item(chance) for _ in range(chance.randrange(1, 4))))
        items = tuple({item[0]: item for item in items}.values())
        number, how = chance.randrange(1, 2**16), chance.randrange(6 if self.inside else 3)
        up = f"{box.place}>area" if chance.random() < 0.5 else f"area{address.area}>host"
        if how == 0:
            self._inject(up, str(address.area), build_hop(Answers(address, number, True, items)))
        elif how == 1:
            self._inject(up, str(address.area), build_hop(Refused(address, 1, chance.choice(list(RefusedReason)))))
        elif how == 2:
            self._inject(f"area>{box.place}", box.place, build_hop(Round(address, number, True, items)))
        elif how == 3:
            self._inject(up, str(address.area), build_hop(Kept(address, chance.randbytes(8), number, 1, items)))
        elif how == 4:
            self._inject(up, str(address.area), build_hop(Kept(address, box.spool.id, box.spool.next, 1, items)))
        else:
            ack = build_hop(KeptAck(address, box.spool.id, max(box.spool.next - 1, 1)))
            self._inject(chance.choice((f"area>{box.place}", f"host>area{address.area}")), box.place, ack)

    def _some_item(self, chance: Random) -> Item:
        meter_id, payload = chance.choice(self._payloads)
        if chance.random() < 0.5:
            meter_id = self.world.some_home(chance).meter_id
        bent = bend(payload, chance)[:_PAYLOAD_MAX] if chance.random() < 0.3 else payload
        return MeterId(meter_id), bent or payload

    def op_crosstalk(self, chance: Random) -> None:
        """A payload that was once heard, in a frame for any meter, from the station or as if from a meter."""
        if self._payloads:
            home, payload = self.world.some_home(chance), chance.choice(self._payloads)[1]
            m_id = home.m_id ^ (chance.random() < 0.3)
            flags = chance.choice((FrameFlags.NONE, FrameFlags.NONE, FrameFlags.UP, FrameFlags(0x40)))
            frame = Frame(m_id, flags, chance.randrange(256), home.meter_id, payload[:_PAYLOAD_MAX]).build()
            self.world.passed("changed", "line", home.meter, frame)
            self.hear(home, LineFrame(frame))
            if flags is FrameFlags.UP:
                self.stations[self._places[home.place]].give(station.LineHeard(frame))

    def op_garbage(self, chance: Random) -> None:
        """Bytes of its own, under a type that exists or not, to anybody."""
        data = chance.randbytes(chance.choice((0, 1, 2, 7, 40, 100, chance.randrange(2_700))))
        link = chance.choice(sorted(self.links))
        if data and chance.random() < 0.7:
            data = bytes((1, chance.choice((1, 2, 3, 4, 0x81, 0x82, 0x83, 0x84, 0x85)))) + data[2:]
        self._inject(link, "0", data)

    def op_refuse(self, chance: Random) -> None:
        """A meter's refusal that the meter never sent."""
        home = self.world.some_home(chance)
        payload = bytes((MessageType.REFUSAL, chance.randrange(1, 9)))
        frame = Frame(home.m_id, FrameFlags.UP, chance.randrange(256), home.meter_id, payload).build()
        self.world.passed("changed", "line", home.meter, frame)
        self.stations[self._places[home.place]].give(station.LineHeard(frame))

    def op_weather(self, chance: Random) -> None:
        """Links behave otherwise for a while."""
        weather = chance.choice(self.world.weathers)
        for name in sorted(self.links):
            if chance.random() < 0.5:
                self.links[name].weather = weather

    def op_cut(self, chance: Random) -> None:
        """A way is cut off for a while or comes back before, noticed by its ends or not."""
        name, wait_ms = chance.choice(sorted(self.links)), chance.choice(CUT_MS)
        link, noticed = self.links[name], chance.random() < 0.6
        link.up = not link.up
        if noticed:
            self._notice(name, up=link.up)
        if not link.up:
            self.world.after(wait_ms, lambda: self._mend(name, noticed=noticed))

    def _mend(self, name: str, *, noticed: bool) -> None:
        if not self.links[name].up:
            self.links[name].mend()
            if noticed:
                self._notice(name, up=True)

    def _notice(self, name: str, *, up: bool) -> None:
        for address, box in self.stations.items():
            if name in (f"area>{box.place}", f"{box.place}>area"):
                box.give(station.UplinkUp(up))
                self.areas[address.area].give(area.StationLink(address.station, up))
        for number, above in self.areas.items():
            if name in (f"host>area{number}", f"area{number}>host"):
                above.give(area.HostLink(up))

    def op_hold(self, chance: Random) -> None:
        """The next message on a way is kept back, and comes when its time is over."""
        self.links[chance.choice(sorted(self.links))].hold(lambda data: True, chance.choice(_HELD_MS))

    def op_drop_all(self, chance: Random) -> None:
        """What is under way on a link never arrives."""
        self.links[chance.choice(sorted(self.links))].clear()

    def op_box(self, chance: Random) -> None:
        """A box dies at one of its next writes, or now; or its memory takes no more for a while."""
        box, how = self._some_box(chance), chance.random()
        if how < 0.5:
            box.fate.crash_in = chance.randrange(6)
        elif how < 0.8:
            if box.up:
                box.die()
        else:
            box.fate.full = not box.fate.full

    def op_erase(self, chance: Random) -> None:
        """A box is replaced by one with an empty memory."""
        box = self._some_box(chance)
        self.broken = True
        if box.up:
            box.die()
        if isinstance(box, AreaBox | StationBox):
            box.erase()

    def op_move(self, chance: Random) -> None:
        """A meter is moved to another station, in the books and then on the pole."""
        home, place = self.world.some_home(chance), chance.choice(sorted(self._places))
        if place == home.place:
            return
        meter = home.meter
        moved = self.world.call(lambda host: host.topology.move_meter(meter, place, m_id=home.m_id, reason="a pole"))
        if moved is not None:
            self.lines[self._places[home.place]].home_moved(home, here=False)
            home.place = place
            self.power_moved(home)
        self.world.wake_host()
