"""A hostile walk of stations and an area server: what is durable in a box must reach the host, in order per meter.

One seed is one story. Links lose, double, delay and reorder; boxes lose their power between any two effects and inside
an append, with the last forgetting undone; memories are erased and replaced, or set back to an older copy. Then the
faults stop, and everything that did not go with a memory has to be with the host. A `Hole` is a mistake planted on
purpose: the walk must find it.
"""

import random
from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum

from prewatt.codec.batch import Item
from prewatt.codec.frame import Frame, FrameFlags
from prewatt.codec.hop import Kept, KeptAck, Members, build_hop, parse_hop
from prewatt.device.area import AreaServer, FromHost, FromStation, HostLink, StationLink, ToHost, ToStation, WakeAt
from prewatt.device.area import Tick as AreaTick
from prewatt.device.area.storing import Storing
from prewatt.device.forwarding import Forwarding
from prewatt.device.meter.nvm import PowerCut
from prewatt.device.spool import MemorySpool, MemorySpools, Spool
from prewatt.device.station import FromAbove, LineHeard, LocalStation, Tick, Uplink, UplinkUp, WakeAtLine
from prewatt.device.station.keeping import Keeping
from prewatt.units import Address, MeterId

AREA = 4
STATIONS = (1, 2)
METERS_EACH = 2
Key = tuple[int, bytes]
Life = tuple[int, int]


class Hole(Enum):
    """What a careless programmer might have written."""

    ACK_BEFORE_DURABLE = "the area server acknowledges what its memory has not written yet"
    DROP_ON_RESTART = "a station begins with an empty queue after a power cut"
    ACK_OF_A_WRONG_SPOOL = "an acknowledgement counts for whatever spool there is"
    OUT_OF_ORDER = "the area server sends the newest item first"
    DELETE_ON_SEND = "the area server forgets an item when it has sent it"
    NUMBERS_FALL = "an emptied queue begins to count anew after a power cut"
    SEND_BEFORE_APPEND = "a station sends an item up before its memory has it"
    NEVER_AGAIN = "what was sent once is not sent again"
    COPIES_COUNTED = "the area server gives new numbers to items that came twice"
    OLD_ID = "a station goes on under the id of a memory that may be an older copy"
    ALARM_ALWAYS_KNOWN = "a repeated alarm is taken for the one that waits when none waits"


class ViolatedError(AssertionError):
    """The law does not hold."""


class WalkSpool(MemorySpool):
    """A memory whose power goes when it is told to: inside an append, and with the last forgetting undone."""

    def __init__(self, spool_id: bytes, world: "World", *, first: int = 1) -> None:
        super().__init__(spool_id, first=first)
        self.world = world
        self._forgotten: list[Item] = []
        self._volatile = 0

    def renew(self, spool_id: bytes) -> None:
        """Durable; the power may go right before or after."""
        cut = self.world.chance.random() if self.world.cuts else 1.0
        if cut < 0.02:
            raise PowerCut
        super().renew(spool_id)
        self._forgotten = []
        if cut < 0.04:
            raise PowerCut

    def copied(self) -> "WalkSpool":
        """What an image of this memory holds now."""
        image = WalkSpool(self.id, self.world, first=self.first)
        image._items, image._notes = deque(self._items), dict(self._notes)
        return image

    def append(self, items: Sequence[Item]) -> None:
        """Durable, unless the power goes before; the power may also go right after."""
        cut = self.world.chance.random() if self.world.cuts else 1.0
        if cut < 0.01:
            raise PowerCut
        super().append(items)
        self._forgotten = []
        if self.world.hole is Hole.ACK_BEFORE_DURABLE:
            self._volatile += len(items)
        if cut < 0.02:
            raise PowerCut

    def drop_through(self, number: int) -> None:
        """May be undone by a power cut."""
        if self._items and number >= self._first:
            self._forgotten += list(self._items)[: number - self._first + 1]
        super().drop_through(number)
        self._volatile = min(self._volatile, len(self._items))

    def power_off(self, hole: Hole | None) -> None:
        """The power went; what was durable is there afterwards."""
        if self.world.chance.random() < 0.5:
            self._items.extendleft(reversed(self._forgotten))
            self._first -= len(self._forgotten)
        self._forgotten = []
        for _ in range(self._volatile):
            self._items.pop()
        self._volatile = 0
        if hole is Hole.DROP_ON_RESTART:
            self._first += len(self._items)
            self._items.clear()
        if hole is Hole.NUMBERS_FALL and not self._items:
            self._first = 1


class WalkSpools(MemorySpools):
    """An area server's memory of such spools."""

    def __init__(self, world: "World") -> None:
        super().__init__()
        self.world = world

    def open(self, station: int, spool_id: bytes, first: int) -> Spool:
        """See Spools."""
        spool = WalkSpool(spool_id, self.world, first=first)
        self._spools[station, bytes(spool_id)] = spool
        return spool

    def copied(self) -> "WalkSpools":
        """What an image of this memory holds now."""
        image = WalkSpools(self.world)
        image._spools = {key: spool.copied() for key, spool in self._spools.items()}
        image._notes = dict(self._notes)
        return image

    def payloads(self) -> set[bytes]:
        return {payload for spool in self._spools.values() for _, payload in spool._items}

    def power_off(self, hole: Hole | None) -> None:
        """The power went."""
        for spool in self._spools.values():
            spool.power_off(hole if hole is Hole.ACK_BEFORE_DURABLE else None)


class _CarelessKeeping(Keeping):
    hole: Hole | None = None

    def acknowledged(self, spool: bytes, number: int) -> None:
        if self.hole is Hole.ACK_OF_A_WRONG_SPOOL:
            spool, number = self._spool.id, min(number, self._spool.next - 1)
        super().acknowledged(spool, number)

    def take(self, item: Item) -> bool:
        taken = super().take(item)
        if self.hole is Hole.ALARM_ALWAYS_KNOWN:
            self._held[item[0], b"once"] += 1
            if self._held[item[0], b"once"] % 5 == 0:
                self._spool._items.pop()
        return taken


class _CarelessForwarding(Forwarding):
    hole: Hole | None = None

    def pick(self, spool: Spool, address: Address, line_ms: int, retry_ms: int) -> Kept | None:
        message = super().pick(spool, address, line_ms, retry_ms)
        if message is None:
            return None
        if self.hole is Hole.OUT_OF_ORDER and len(message.items) > 1:
            last = message.first + len(message.items) - 1
            return Kept(message.address, message.spool, last, last, message.items[-1:])
        if self.hole is Hole.DELETE_ON_SEND:
            spool.drop_through(message.first + len(message.items) - 1)
        if self.hole is Hole.NEVER_AGAIN:
            self._due_ms = 10**15
        return message


class _CarelessStoring(Storing):
    def take(self, message: Kept) -> int | None:
        stored = self._find(message.address.station, message.spool)
        if stored is None:
            return super().take(message)
        stored.spool.append(message.items)
        self._ready[message.address.station] = None
        return stored.spool.next - 1


@dataclass
class World:
    """Everything there is, and what must hold."""

    seed: int
    hole: Hole | None = None
    with_area: bool = True
    cuts: bool = True
    line_ms: int = 0
    said: dict[tuple[Life, MeterId], list[bytes]] = field(default_factory=lambda: defaultdict(list))
    excused: set[bytes] = field(default_factory=set)
    booked: set[bytes] = field(default_factory=set)
    booked_order: dict[tuple[int, MeterId], list[bytes]] = field(default_factory=lambda: defaultdict(list))
    acked: dict[Key, int] = field(default_factory=dict)
    lives: dict[int, int] = field(default_factory=lambda: dict.fromkeys(STATIONS, 0))
    set_back: int = 0
    copies: int = 0

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        self.down: dict[int, list[bytes]] = {n: [] for n in STATIONS}
        self.up: dict[int, list[bytes]] = {n: [] for n in STATIONS}
        self.host_down: list[bytes] = []
        self.host_up: list[bytes] = []
        self.wakes: dict[int, int] = {}
        self.linked = dict.fromkeys((0, *STATIONS), False)
        self.memories = {n: self.new_spool() for n in STATIONS}
        self.area_memory = WalkSpools(self)
        self.images: dict[int, WalkSpool | WalkSpools] = {}
        self.stations = {n: self.start_station(n) for n in STATIONS}
        self.area = self.start_area()
        self.counter = 0

    def new_spool(self) -> WalkSpool:
        return WalkSpool(self.chance.randbytes(8), self)

    def meters(self, station: int) -> list[MeterId]:
        return [MeterId(bytes((0, station, n + 1))) for n in range(METERS_EACH)]

    # Boxes and their power.

    def start_station(self, number: int) -> LocalStation:
        """A station on the memory it has, with its meters told, and maybe a hole in it."""
        station = LocalStation(self.memories[number], Address(AREA, number), self.line_ms)
        careless = self.hole in (Hole.OLD_ID, Hole.NUMBERS_FALL)
        try:
            fresh_id = None if careless else self.chance.randbytes(8)
            keeping = _CarelessKeeping(self.memories[number], Address(AREA, number), fresh_id)
        except PowerCut:
            self.memories[number].power_off(self.hole)
            return self.start_station(number)
        keeping.hole = self.hole
        forwarding = _CarelessForwarding()
        forwarding.hole = self.hole if self.hole is Hole.NEVER_AGAIN or not self.with_area else None
        keeping._forwarding = forwarding
        station._keeping = keeping
        if not station.members:
            members = tuple((meter, n) for n, meter in enumerate(self.meters(number)))
            station.step(FromAbove(build_hop(Members(Address(AREA, number), 1, members))), self.line_ms)
        self.linked[number] = False
        return station

    def start_area(self) -> AreaServer:
        """The area server on the memory it has, maybe with a hole in it."""
        area = AreaServer(self.area_memory, AREA, self.line_ms)
        kind = _CarelessStoring if self.hole is Hole.COPIES_COUNTED else Storing
        area._storing = kind(self.area_memory, AREA)
        hole = self.hole

        class Forwardings(_CarelessForwarding):
            pass

        Forwardings.hole = hole
        for all_stored in area._storing._stations.values():
            for stored in all_stored:
                stored.forwarding = Forwardings()
        self._forwardings = Forwardings
        self.linked = dict.fromkeys(self.linked, False)
        return area

    def power_cut(self, box: int) -> None:
        if box:
            self.memories[box].power_off(self.hole)
            self.stations[box] = self.start_station(box)
        else:
            self.area_memory.power_off(self.hole)
            self.area = self.start_area()
        self.wakes.pop(box, None)

    def erase(self, box: int) -> None:
        """A memory is gone and replaced: what only it held is excused."""
        if box:
            self.excused |= {payload for _, payload in self.memories[box]._items}
            self.memories[box] = self.new_spool()
            self.lives[box] += 1
            self.stations[box] = self.start_station(box)
        else:
            for spool in self.area_memory._spools.values():
                self.excused |= {payload for _, payload in spool._items}
            self.area_memory = WalkSpools(self)
            self.area = self.start_area()
        self.wakes.pop(box, None)

    def keep_image(self, box: int) -> None:
        """Somebody takes an image of a memory."""
        self.images[box] = (self.memories[box] if box else self.area_memory).copied()

    def go_back(self, box: int) -> None:
        """A memory is set back to its image: what it got since is excused, as far as only it held it."""
        image = self.images.get(box)
        if image is None:
            return
        self.set_back += 1
        if isinstance(image, WalkSpool):
            held = {payload for _, payload in image._items}
            self.excused |= {payload for _, payload in self.memories[box]._items} - held
            self.memories[box] = image.copied()
            self.stations[box] = self.start_station(box)
        else:
            self.excused |= self.area_memory.payloads() - image.payloads()
            self.area_memory = image.copied()
            self.area = self.start_area()
        self.wakes.pop(box, None)

    # What boxes do.

    def step_station(self, number: int, event) -> None:
        try:
            effects = self.stations[number].step(event, self.line_ms)
        except PowerCut:
            self.power_cut(number)
            return
        for effect in effects:
            if self.cuts and self.chance.random() < 0.005:
                self.power_cut(number)
                return
            if isinstance(effect, Uplink):
                self.up[number].append(effect.data)
            elif isinstance(effect, WakeAtLine):
                self.wakes[number] = effect.line_ms

    def step_area(self, event) -> None:
        try:
            effects = self.area.step(event, self.line_ms)
            for all_stored in self.area._storing._stations.values():
                for stored in all_stored:
                    if not isinstance(stored.forwarding, _CarelessForwarding):
                        stored.forwarding = self._forwardings(
                            stored.forwarding._through, stored.forwarding._due_ms, stored.forwarding._tries
                        )
        except PowerCut:
            self.power_cut(0)
            return
        for effect in effects:
            if self.cuts and self.chance.random() < 0.005:
                self.power_cut(0)
                return
            if isinstance(effect, ToHost):
                self.host_up.append(effect.data)
            elif isinstance(effect, ToStation):
                self.down[effect.station].append(effect.data)
            elif isinstance(effect, WakeAt):
                self.wakes[0] = effect.line_ms

    def say(self, number: int, kind: int, again: bool) -> None:
        """A meter says something by itself: new, or its last words again."""
        m_id = self.chance.randrange(METERS_EACH)
        meter = self.meters(number)[m_id]
        memory = self.memories[number]
        key = ((number, self.lives[number]), meter)
        if again and self.said[key]:
            payload = self.chance.choice(self.said[key])
        else:
            self.counter += 1
            payload = bytes((kind,)) + self.counter.to_bytes(4, "big")
        frame = Frame(m_id, FrameFlags.UP, 0, meter, payload).build()
        if self.hole is Hole.SEND_BEFORE_APPEND and self.chance.random() < 0.1:
            first = memory.next
            self.up[number].append(build_hop(Kept(Address(AREA, number), memory.id, first, first, ((meter, payload),))))
            return
        before = memory.next
        self.step_station(number, LineHeard(frame))
        # What the meter may count on: its bytes are in the memory, whatever happened right afterwards.
        kept = memory is self.memories[number] and memory.next > before
        if (kept or self.hole is Hole.ALARM_ALWAYS_KNOWN) and payload not in self.said[key]:
            self.said[key].append(payload)

    def hear_host(self, data: bytes) -> None:
        """The host's end: books in order, acknowledges what it has booked."""
        message = parse_hop(data)
        if not isinstance(message, Kept):
            return
        key = (message.address.station, message.spool)
        acked = self.acked.get(key, 0)
        if message.first > acked + 1 and message.lowest < message.first:
            return
        for meter, payload in message.items[max(acked + 1 - message.first, 0) :]:
            if payload in self.booked:
                self.copies += 1
            else:
                self.booked.add(payload)
                self.booked_order[message.address.station, meter].append(payload)
                self.check_order(message.address.station, meter)
        self.acked[key] = max(acked, message.first + len(message.items) - 1)
        ack = build_hop(KeptAck(message.address, message.spool, self.acked[key]))
        (self.host_down if self.with_area else self.down[message.address.station]).append(ack)

    # The law.

    def check_order(self, station: int, meter: MeterId) -> None:
        for life in range(self.lives[station] + 1):
            order = {payload: at for at, payload in enumerate(self.said[(station, life), meter])}
            # What went with a memory may come later, when its meter says it again.
            told = [payload for payload in self.booked_order[station, meter] if payload not in self.excused]
            places = [order[payload] for payload in told if payload in order]
            if places != sorted(places):
                raise ViolatedError(f"seed {self.seed}: meter {meter.hex()} of {station} booked out of order: {places}")

    def check_all(self) -> None:
        for (key, meter), payloads in self.said.items():
            lost = [payload.hex() for payload in payloads if payload not in self.booked | self.excused]
            if lost:
                raise ViolatedError(f"seed {self.seed}: of {key}, meter {meter.hex()}, never booked: {lost}")

    # The walk.

    def carry(self, bag: list[bytes], give, *, faults: bool) -> None:
        """One message of a bag: any of them, maybe lost, maybe left there to come again."""
        if not bag:
            return
        at = self.chance.randrange(len(bag)) if faults else 0
        fate = self.chance.random() if faults else 1.0
        data = bag[at] if 0.15 <= fate < 0.3 else bag.pop(at)
        if fate >= 0.15:
            give(data)

    def turn_link(self, box: int, up: bool) -> None:
        self.linked[box] = up
        if not box:
            self.step_area(HostLink(up))
        else:
            self.step_station(box, UplinkUp(up))
            if self.with_area:
                self.step_area(StationLink(box, up))

    def move(self, *, faults: bool = True, losses: bool = True) -> None:
        """One thing happens. ``faults``: of boxes and links; ``losses``: of messages on links that are there."""
        chance, box = self.chance, self.chance.choice(STATIONS)
        what = chance.random()
        if what < 0.15 and faults:
            self.say(box, chance.choice((0x14, 0x15, 0x17)), again=chance.random() < 0.2)
        elif what < 0.5:
            to_area = (lambda data: self.step_area(FromStation(box, data))) if self.with_area else self.hear_host
            self.carry(self.up[box], to_area, faults=losses)
        elif what < 0.65:
            self.carry(self.down[box], lambda data: self.step_station(box, FromAbove(data)), faults=losses)
        elif what < 0.75:
            self.carry(self.host_up, self.hear_host, faults=losses)
        elif what < 0.85:
            self.carry(self.host_down, lambda data: self.step_area(FromHost(data)), faults=losses)
        elif what < 0.95:
            self.pass_time()
        elif faults and what < 0.975:
            self.turn_link(chance.choice((0, *STATIONS)), chance.random() < 0.7)
        elif faults and what < 0.99:
            self.power_cut(chance.choice((0, *STATIONS)))
        elif faults and chance.random() < 0.2:
            self.erase(chance.choice((0, *STATIONS)))
        elif faults:
            (self.keep_image if chance.random() < 0.5 else self.go_back)(chance.choice((0, *STATIONS)))

    def pass_time(self) -> None:
        """Up to some seconds pass; who wanted to be woken is."""
        self.line_ms += self.chance.randrange(4_000)
        for each, due_ms in list(self.wakes.items()):
            if self.line_ms >= due_ms:
                del self.wakes[each]
                if each:
                    self.step_station(each, Tick())
                else:
                    self.step_area(AreaTick())

    def run(self, moves: int) -> "World":
        """Faults for so many moves, then losses alone, then none until everything has arrived."""
        for _ in range(moves):
            self.move()
        self.cuts = False
        for box in (0, *STATIONS):
            self.power_cut(box)
        for box in (0, *STATIONS):
            self.turn_link(box, True)
        for _ in range(100):
            self.move(faults=False)
        for _ in range(1_500):
            self.move(faults=False, losses=False)
        self.check_all()
        return self


def walk_until_violated(hole: Hole, moves: int, seeds: int, *, with_area: bool) -> None:
    """Walks one seed after the other; ViolatedError at the first that finds the hole."""
    for seed in range(seeds):
        World(seed, hole, with_area=with_area).run(moves)
