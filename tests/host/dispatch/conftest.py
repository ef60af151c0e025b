"""A field in memory: the real host, real area servers, real stations, real meters, and ways between them that lose.

Nothing here looks at a clock: every message and every wake has its time, and the earliest is next. Boxes and meters can
lose their power at any moment; what their memories hold is what they start from again.
"""

import heapq
from itertools import count
from random import Random

import pytest
from sqlalchemy import func, select

from prewatt.codec.frame import Frame
from prewatt.device import area, station
from prewatt.device.meter import Birth, Cover, LineFrame, LineSend, Load, Meter, Tick
from prewatt.device.meter.nvm import MemoryNvm
from prewatt.device.now import Now
from prewatt.device.spool import MemorySpool, MemorySpools
from prewatt.host.dispatch import DispatchSettings
from prewatt.host.registry import Enrolment
from prewatt.host.store import schema
from prewatt.units import Address

HOP_MS, FRAME_MS = 20, 3
# How often a host that has nothing to do looks; the driver looks every second.
HOST_LOOKS_MS = 1_000
MINUTE_MS = 60_000


class Station:
    """A station, its memory, and the meters that are on its line."""

    def __init__(self, field, address, name):
        self.field, self.address, self.name = field, address, name
        self.spool = MemorySpool(field.rng.randbytes(8))
        self.heard = []
        self.start()

    def start(self):
        self.box = station.LocalStation(self.spool, self.address, self.field.line_ms)
        self.generation = next(self.field.numbers)
        self.step(station.UplinkUp(True))

    def step(self, event):
        for effect in self.box.step(event, self.field.line_ms):
            if isinstance(effect, station.LineSend):
                self.field.spread(self, effect.data, None)
            elif isinstance(effect, station.Uplink):
                self.field.later(HOP_MS, self.field.to_area, self.address, effect.data)
            else:
                self.wake(effect.line_ms)

    def wake(self, line_ms):
        mine = self.woken = self.generation = next(self.field.numbers)
        self.field.at(line_ms, lambda: self.step(station.Tick()) if self.woken == mine else None)


class Area:
    """An area server and its memory."""

    def __init__(self, field, number):
        self.field, self.number = field, number
        self.spools = MemorySpools()
        self.linked = True
        self.start()

    def start(self):
        self.box = area.AreaServer(self.spools, self.number, self.field.line_ms)
        self.woken = 0
        self.field.later(0, self._connect)

    def _connect(self):
        for each in self.field.stations.values():
            if each.address.area == self.number:
                self.step(area.StationLink(each.address.station, True))
        self.step(area.HostLink(self.linked))

    def link(self, up):
        self.linked = up
        self.step(area.HostLink(up))

    def step(self, event):
        for effect in self.box.step(event, self.field.line_ms):
            if isinstance(effect, area.ToHost):
                self.field.later(HOP_MS, self.field.to_host, self.number, effect.data)
            elif isinstance(effect, area.ToStation):
                self.field.later(HOP_MS, self.field.to_station, Address(self.number, effect.station), effect.data)
            else:
                mine = self.woken = next(self.field.numbers)
                self.field.at(effect.line_ms, lambda mine=mine: self.step(area.Tick()) if self.woken == mine else None)


class Home:
    """A real meter on a station's line."""

    def __init__(self, field, meter, m_id, keys, where):
        self.field, self.meter, self.where = field, meter, where
        self.meter_id = bytes.fromhex(meter)
        self.nvm = MemoryNvm()
        Meter.manufacture(self.nvm, Birth(self.meter_id, m_id, "aes-2026", keys, 250_000, made_s=field.now_s))
        self.power_up()
        self.on = True
        self.said = []

    def power_up(self):
        self.device = Meter.power_up(self.nvm, self.field.meter_now(), self.field.rng.randbytes(32))

    def step(self, event):
        if not self.on:
            return
        for effect in self.device.step(event, self.field.meter_now(), self.field.rng.randbytes(32)):
            if isinstance(effect, LineSend):
                self.said.append(Frame.parse(effect.data).payload)
                self.field.spread(self.where, effect.data, self)

    def burn(self, pulses):
        """What the home takes in the running minute."""
        self.step(Load(0, self.field.now_s // 60 * 60, pulses, 0))

    def open_cover(self):
        """Somebody is at the terminals: an Alarm."""
        self.step(Cover(True))
        self.step(Cover(False))

    def count(self, kind):
        return sum(payload[0] == kind for payload in set(self.said))


class Field:
    """See the module. ``loss`` is the share of line frames and of box messages that vanish."""

    def __init__(self, world, *, below=(2,), loss=0.0, seed=1, tick_ms=60_000):
        self.world, self.rng, self.loss, self.tick_ms = world, Random(seed), loss, tick_ms
        self.line_ms, self.base_s = 0, world.now_s
        self.queue, self.numbers = [], count(1)
        self.areas, self.stations, self.homes = {}, {}, {}
        self.host_on, self.lines_open = True, True
        self.to_host_count = self.rounds = 0
        self.down = []
        for number, meters in enumerate(below):
            self.add_station(number, meters)
        self.later(0, self._host_look)
        self.later(tick_ms, self._tick)

    @property
    def host(self):
        return self.world.host

    @property
    def now_s(self):
        return self.world.now_s

    def meter_now(self):
        return Now(self.line_ms, self.now_s, 1)

    def add_station(self, number, meters, area_number=0):
        name = f"S{number + 1}"
        self.host.topology.add_station(name, f"A{area_number + 1}")
        if area_number not in self.areas:
            self.areas[area_number] = Area(self, area_number)
        address = Address(area_number, self.host.topology.read_station(name).number)
        self.stations[address] = Station(self, address, name)
        for _ in range(meters):
            self.add_meter(name)

    def add_meter(self, name):
        meter = f"{len(self.homes) + 1:06X}"
        answer = self.host.registry.enrol(Enrolment(meter, name))
        keys = {index: self.world.vault.terminal_key(index, bytes.fromhex(meter)) for index in (0, 1)}
        where = next(each for each in self.stations.values() if each.name == name)
        self.homes[meter] = Home(self, meter, answer.m_id, keys, where)
        return self.homes[meter]

    def at(self, line_ms, call):
        heapq.heappush(self.queue, (max(line_ms, self.line_ms), next(self.numbers), call))

    def later(self, wait_ms, call, *given):
        self.at(self.line_ms + wait_ms, lambda: call(*given))

    def lost(self):
        return self.rng.random() < self.loss

    def run(self, seconds):
        """Lets so many seconds pass."""
        until_ms = self.line_ms + seconds * 1_000
        while self.queue and self.queue[0][0] <= until_ms:
            line_ms, _, call = heapq.heappop(self.queue)
            self._set(line_ms)
            call()
        self._set(until_ms)

    def run_until(self, done, seconds=3_600):
        """Lets time pass, at most so long, until ``done()``."""
        for _ in range(seconds):
            if done():
                return
            self.run(1)
        raise AssertionError("it never happens")

    def skip(self, seconds):
        """The calendar jumps; the line does not notice."""
        self.base_s += seconds
        self._set(self.line_ms)

    def _set(self, line_ms):
        self.line_ms = line_ms
        self.world.now_s, self.world.line_ms = self.base_s + line_ms // 1_000, line_ms

    # -- ways

    def spread(self, where, frame, sender):
        """A frame on a station's line: it is heard by whom it is for, or by nobody. (What others do with what is not
        theirs is the meters' and the stations' own test.)"""
        if self.lost() or not self.lines_open:
            return
        self.later(FRAME_MS, self._heard, where, frame, sender)

    def _heard(self, where, frame, sender):
        if sender is not None:
            where.heard.append(Frame.parse(frame).payload)
            where.step(station.LineHeard(frame))
            return
        home = self.homes.get(Frame.parse(frame).meter_id.hex().upper())
        if home is not None and home.where is where:
            home.step(LineFrame(frame))

    def to_area(self, address, data):
        if not self.lost():
            self.areas[address.area].step(area.FromStation(address.station, data))

    def to_station(self, address, data):
        if not self.lost():
            self.stations[address].step(station.FromAbove(data))

    def to_host(self, number, data):
        if self.host_on and self.areas[number].linked and not self.lost():
            self.to_host_count += 1
            self._post(self.host.network.arrived([(number, data)], self.line_ms))

    def _post(self, hops):
        for hop in hops:
            self.down.append(hop)
            if hop.area in self.areas:
                self.later(HOP_MS, self._from_host, hop)

    def _from_host(self, hop):
        if self.areas[hop.area].linked and not self.lost():
            self.areas[hop.area].step(area.FromHost(hop.data))

    def _host_look(self):
        if self.host_on:
            self._post(self.host.network.tick(self.line_ms))
            wait_ms = self.host.network.next_wake_ms(self.line_ms) - self.line_ms
            wait_ms = max(1, min(wait_ms, HOST_LOOKS_MS)) if self.tick_ms <= MINUTE_MS else self.tick_ms
            self.later(wait_ms, self._host_look)
        else:
            self.later(HOST_LOOKS_MS, self._host_look)

    def _tick(self):
        for home in self.homes.values():
            home.step(Tick())
        self.later(self.tick_ms, self._tick)

    # -- what is seen

    def count(self, table, meter=None):
        with self.host.context.store.reading() as connection:
            wanted = select(func.count()).select_from(table)
            return connection.execute(wanted if meter is None else wanted.where(table.c.meter == meter)).scalar_one()

    def column(self, column, meter):
        """A column of a meter's rows in the order in which they were booked, or else of their names."""
        with self.host.context.store.reading() as connection:
            order = [column.table.c.number] if "number" in column.table.c else column.table.primary_key
            wanted = select(column).where(column.table.c.meter == meter).order_by(*order)
            return list(connection.execute(wanted).scalars())

    def commits(self):
        with self.host.context.store.reading() as connection:
            return connection.execute(select(schema.mark.c.commits)).scalar_one()

    def restart_host(self):
        self.world.restart()
        self._post(self.host.network.tick(self.line_ms))


@pytest.fixture
def make_field(quick_paths, world_type):
    """Builds fields; each has its own host."""
    worlds = []

    def make(*, settings=None, **given):
        world = world_type(quick_paths(), meters=0, settings=settings or DispatchSettings())
        worlds.append(world)
        return Field(world, **given)

    yield make
    for each in worlds:
        each.close()
