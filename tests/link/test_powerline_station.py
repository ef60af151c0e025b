"""A real station and real meters over the modelled line, in scaled time: value arrives, alarms are kept."""

import asyncio

from prewatt.codec.bodies import Commission, Transfer
from prewatt.codec.commands import Code, Command
from prewatt.codec.hop import Answers, Kept, Members, Plan, Round, build_hop, parse_hop
from prewatt.codec.messages import MessageType
from prewatt.crypto import suite
from prewatt.device.meter import Birth, Cover, LineFrame, LineSend, Meter
from prewatt.device.meter.nvm import MemoryNvm
from prewatt.device.now import Now
from prewatt.device.spool import MemorySpool
from prewatt.device.station import (
    FromAbove,
    LineHeard,
    LineHeld,
    LocalStation,
    Tick,
    Uplink,
    UplinkUp,
    WakeAtLine,
)
from prewatt.device.station import LineSend as StationSend
from prewatt.link.carrier import CarrierClosedError
from prewatt.link.line import PROFILES, quiet_within_ms
from prewatt.link.powerline import LineStreet
from prewatt.protocol.host import Done, HostSession, Send
from prewatt.units import Address, MeterId, Micro, Sequence

HERE = Address(3, 4)
PROFILE = PROFILES["powerline-2400"]
SPEED = 200
START_S = 1_767_225_600
METERS = 4
VALUE_MICRO = 7_000_000


class Home:
    """A meter that listens at its end of the line."""

    def __init__(self, street: LineStreet, number: int) -> None:
        self.street, self.m_id = street, number
        self.meter_id, self.key = MeterId(bytes((0, 2, number))), bytes((number,)) * 32
        nvm = MemoryNvm()
        Meter.manufacture(nvm, Birth(self.meter_id, number, "aes-2026", {1: self.key}, 150_000))
        self.meter = Meter.power_up(nvm, self.now, bytes(32))
        self.line = street.meter(self.meter_id, number, 100 + 800 * number, number)

    @property
    def now(self) -> Now:
        return Now(self.street.line_ms, START_S + self.street.line_ms // 1_000)

    async def step(self, event) -> None:
        for effect in self.meter.step(event, self.now, self.street.line_ms.to_bytes(32, "big")):
            if isinstance(effect, LineSend):
                await self.line.send(effect.data)

    async def live(self) -> None:
        while True:
            await self.step(LineFrame(await self.line.receive()))


class Box:
    """A station between its line and a host that is the test."""

    def __init__(self, street: LineStreet) -> None:
        self.street, self.up = street, asyncio.Queue()
        self.station = LocalStation(MemorySpool(bytes(8)), HERE, 0)
        self.line = street.station(self.station.knows)
        self.line.on_hold(lambda held: self.events.put_nowait(LineHeld(held)))
        self.events: asyncio.Queue = asyncio.Queue()

    async def live(self) -> None:
        listening = asyncio.create_task(self.listen())
        wake_ms = None
        try:
            while True:
                wait_s = None if wake_ms is None else max(0, wake_ms - self.street.line_ms) / 1_000 / SPEED
                try:
                    event = await asyncio.wait_for(self.events.get(), wait_s)
                except TimeoutError:
                    event = Tick()
                wake_ms = None
                for effect in self.station.step(event, self.street.line_ms):
                    if isinstance(effect, StationSend):
                        await self.line.send(effect.data, urgent=effect.urgent)
                    elif isinstance(effect, Uplink):
                        self.up.put_nowait(parse_hop(effect.data))
                    elif isinstance(effect, WakeAtLine):
                        wake_ms = effect.line_ms
        finally:
            listening.cancel()

    async def listen(self) -> None:
        while True:
            self.events.put_nowait(LineHeard(await self.line.receive()))


async def answers(box: Box, number: int) -> dict[MeterId, bytes]:
    """What came up for one round until the station was through with it."""
    got: dict[MeterId, bytes] = {}
    while True:
        message = await box.up.get()
        if isinstance(message, Answers) and message.number == number:
            got.update(message.items)
            if message.done:
                return got


async def order(box: Box, homes: list[Home], first: int, code: Code, sequence: int, body: bytes) -> set[MeterId]:
    """Holds one session with each home, both messages in one round each; who proved that it has the order."""
    sessions = {
        home.meter_id: HostSession(
            home.meter_id, suite("aes-2026"), 1, home.key, Command(code, Sequence(sequence), body), bytes(32)
        )
        for home in homes
    }
    payloads, done = {meter_id: session.hello() for meter_id, session in sessions.items()}, set()
    for number in (first, first + 1):
        box.events.put_nowait(FromAbove(build_hop(Round(HERE, number, True, tuple(payloads.items())))))
        payloads = {}
        for meter_id, payload in (await answers(box, number)).items():
            reply = sessions[meter_id].receive(payload)
            if isinstance(reply, Send):
                payloads[meter_id] = reply.payload
            elif isinstance(reply, Done):
                done.add(meter_id)
    return done


def test_value_reaches_every_meter_in_rounds_and_an_alarm_comes_up_by_itself():
    async def talk() -> None:
        street = LineStreet(PROFILE, 11, SPEED)
        homes, box = [Home(street, number) for number in range(METERS)], Box(street)
        tasks = [asyncio.create_task(each.live()) for each in (box, *homes)]
        members = Members(HERE, 1, tuple((home.meter_id, home.m_id) for home in homes))
        # A computer's pause of 20 ms is 4 s of this line.
        plan = Plan(HERE, 1, answer_within_ms=quiet_within_ms(PROFILE) + 8_000, slots=8, slot_ms=25)
        for event in (UplinkUp(True), FromAbove(build_hop(members)), FromAbove(build_hop(plan))):
            box.events.put_nowait(event)
        waiting, number = set(homes), 1
        for code, sequence, body in (
            (Code.COMMISSION, 1, Commission(epoch=1, tag=b"\x80" + bytes(7)).build()),
            (Code.VALUE, (1 << 24) + 1, Transfer(Micro(VALUE_MICRO), bytes(8)).build()),
        ):
            waiting = set(homes)
            while waiting:
                done = await order(box, sorted(waiting, key=lambda home: home.m_id), number, code, sequence, body)
                waiting = {home for home in waiting if home.meter_id not in done}
                number += 2
        assert [home.meter.money.balance_micro for home in homes] == [VALUE_MICRO] * METERS
        await homes[2].step(Cover(opened=True))
        while True:
            message = await box.up.get()
            if isinstance(message, Kept):
                assert [(meter_id, payload[0]) for meter_id, payload in message.items] == [
                    (homes[2].meter_id, MessageType.ALARM)
                ]
                break
        street.close()
        for outcome in await asyncio.gather(*tasks[1:], return_exceptions=True):
            assert isinstance(outcome, CarrierClosedError)
        tasks[0].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def in_time() -> None:
        async with asyncio.timeout(60):
            await talk()

    asyncio.run(in_time())
