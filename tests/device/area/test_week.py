"""Real meters, a transformer's meter, their station and area server through a week without a way up."""

import random
from itertools import accumulate

from prewatt.codec.bodies import Commission, Transfer
from prewatt.codec.commands import Code, Command
from prewatt.codec.frame import Frame, FrameFlags
from prewatt.codec.hop import Kept, KeptAck, Members, build_hop, parse_hop
from prewatt.codec.info import parse_part
from prewatt.crypto import suite
from prewatt.device.area import AreaServer, FromHost, FromStation, HostLink, StationLink, ToHost, ToStation
from prewatt.device.meter import Birth, Cover, CtLoad, CtMeter, LineFrame, LineSend, Load, Meter, Tick, ct_birth
from prewatt.device.meter.nvm import MemoryNvm
from prewatt.device.now import Now
from prewatt.device.spool import MemorySpool, MemorySpools
from prewatt.device.station import FromAbove, LineHeard, LocalStation, Uplink, UplinkUp
from prewatt.protocol.host import HostSession, Send
from prewatt.protocol.meter_messages import CounterBook, open_alarm, open_report
from prewatt.units import DAY_S, MINUTE_S, PULSES_PER_CT_PULSE, Address, MeterId, sequence_of

HERE = Address(3, 9)
START_S = 1_767_225_600
AES = suite("aes-2026")
HOMES = [MeterId(b"\0\0\1"), MeterId(b"\0\0\2")]
CT = MeterId(b"\0\xff\0")
KEYS = {meter: {1: bytes((n,)) * 32, 2: bytes((n + 10,)) * 32} for n, meter in enumerate([*HOMES, CT])}
MINUTES_A_DAY = 20
LOSS_PULSES = 30


class Week:
    """The street below one station; the host is this test."""

    def __init__(self) -> None:
        self.chance = random.Random(3)
        self.now_s = START_S
        self.memory, self.memories = MemorySpool(b"spool id"), MemorySpools()
        self.to_host: list[Kept] = []
        self.meters = {}
        for m_id, meter in enumerate(HOMES):
            nvm = MemoryNvm()
            Meter.manufacture(nvm, Birth(meter, m_id, "aes-2026", KEYS[meter], 0, made_s=START_S))
            self.meters[meter] = Meter.power_up(nvm, self.now, bytes(32))
        nvm = MemoryNvm()
        Meter.manufacture(nvm, ct_birth(CT, len(HOMES), "aes-2026", KEYS[CT], made_s=START_S))
        self.meters[CT] = CtMeter.power_up(nvm, self.now, bytes(32))
        for meter in self.meters:
            self.order(meter, Code.COMMISSION, 1, Commission(1, b"\x80" + bytes(7)).build())
        for meter in HOMES:
            self.order(meter, Code.VALUE, sequence_of(1, 1), Transfer(1_000_000, bytes(7) + b"\1").build())
        self.start_boxes()
        members = tuple((meter, m_id) for m_id, meter in enumerate(self.meters))
        self.station.step(FromAbove(build_hop(Members(HERE, 1, members))), 0)

    @property
    def now(self) -> Now:
        return Now((self.now_s - START_S) * 1_000, self.now_s)

    def order(self, meter: MeterId, code: Code, sequence: int, body: bytes) -> None:
        """The host at the meter's door."""
        order = Command(code, sequence, body)
        host = HostSession(meter, AES, 1, KEYS[meter][1], order, self.chance.randbytes(32))
        payload, m_id = host.hello(), list(self.meters).index(meter)
        while payload:
            frame = Frame(m_id, FrameFlags.NONE, 1, meter, payload).build()
            effects = self.meters[meter].step(LineFrame(frame), self.now, self.chance.randbytes(32))
            (up,) = [Frame.parse(effect.data).payload for effect in effects if isinstance(effect, LineSend)]
            reply = host.receive(up)
            payload = reply.payload if isinstance(reply, Send) else b""

    def start_boxes(self) -> None:
        self.station = LocalStation(self.memory, HERE, self.now.line_ms)
        self.area = AreaServer(self.memories, HERE.area, self.now.line_ms)

    def step(self, meter: MeterId, event) -> None:
        for effect in self.meters[meter].step(event, self.now, self.chance.randbytes(32)):
            if isinstance(effect, LineSend):
                self.carry(self.station.step(LineHeard(effect.data), self.now.line_ms))

    def carry(self, effects) -> None:
        for effect in effects:
            if isinstance(effect, Uplink):
                self.carry(self.area.step(FromStation(HERE.station, effect.data), self.now.line_ms))
            elif isinstance(effect, ToStation):
                self.carry(self.station.step(FromAbove(effect.data), self.now.line_ms))
            elif isinstance(effect, ToHost) and isinstance(message := parse_hop(effect.data), Kept):
                self.to_host.append(message)

    def live_a_day(self) -> None:
        for _ in range(MINUTES_A_DAY):
            taken = [self.chance.randrange(200) for _ in HOMES]
            for meter, pulses in zip(HOMES, taken, strict=True):
                self.step(meter, Load(0, self.now_s, pulses))
            self.step(CT, CtLoad(self.now_s, (*taken, LOSS_PULSES)))
            self.now_s += MINUTE_S
        self.now_s += DAY_S - MINUTES_A_DAY * MINUTE_S
        for meter in self.meters:
            self.step(meter, Tick())

    def book(self) -> list[tuple[MeterId, bytes]]:
        """Everything that the host gets, acknowledged message by message."""
        items: list[tuple[MeterId, bytes]] = []
        while self.to_host:
            kept = self.to_host.pop(0)
            items += kept.items
            ack = KeptAck(HERE, kept.spool, kept.first + len(kept.items) - 1)
            self.carry(self.area.step(FromHost(build_hop(ack)), self.now.line_ms))
        return items


def test_a_week_without_uplink_and_a_restart_of_every_box_lose_no_report_and_no_alarm() -> None:
    week = Week()
    for day in range(7):
        if day == 2:
            week.step(HOMES[0], Cover(opened=True))
        if day == 4:
            week.start_boxes()
        week.live_a_day()
    assert week.book() == []
    week.carry(week.station.step(UplinkUp(True), week.now.line_ms))
    week.carry(week.area.step(StationLink(HERE.station, True), week.now.line_ms))
    week.start_boxes()
    week.carry(week.area.step(HostLink(True), week.now.line_ms))
    items = week.book()
    days = {meter: [] for meter in week.meters}
    for meter, payload in items:
        if payload[0] == 0x14:
            days[meter].append(parse_part(open_report(AES, KEYS[meter][1], payload).plain))
    first = START_S // DAY_S
    assert all([part.day for part in parts] == list(range(first, first + 7)) for parts in days.values())
    alarms = [open_alarm(AES, KEYS[meter][1], payload) for meter, payload in items if payload[0] == 0x15]
    book = CounterBook()
    booked = [after for alarm in alarms if (after := book.book(alarm.head.counter)) and (book := after)]
    assert len(booked) == 1
    assert {alarm.head.meter_id for alarm in alarms} == {HOMES[0]}


def test_by_the_minute_the_transformer_gives_what_its_homes_take_and_the_line_loses() -> None:
    week = Week()
    week.carry(week.station.step(UplinkUp(True), 0))
    week.carry(week.area.step(StationLink(HERE.station, True), 0))
    week.carry(week.area.step(HostLink(True), 0))
    week.live_a_day()
    parts = {meter: parse_part(open_report(AES, KEYS[meter][1], payload).plain) for meter, payload in week.book()}
    homes = [list(parts[meter].minutes[:MINUTES_A_DAY]) for meter in HOMES]
    given = list(accumulate(minute * PULSES_PER_CT_PULSE for minute in parts[CT].minutes[:MINUTES_A_DAY]))
    taken = list(accumulate(sum(minute) + LOSS_PULSES for minute in zip(*homes, strict=True)))
    assert sum(map(sum, homes)) > 0
    # What is below a pulse of the transformer's meter stands in its next minute.
    assert all(0 <= much - told < PULSES_PER_CT_PULSE for told, much in zip(given, taken, strict=True))
