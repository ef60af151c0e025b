"""A station and its meters as boxes over a modelled line: long answers are waited for, value overtakes them."""

import asyncio
import sys
from pathlib import Path

from prewatt.apps.boxes.homes import Homes
from prewatt.apps.boxes.meters import manufacture
from prewatt.apps.boxes.station import StationBox
from prewatt.apps.street.loads import home_load
from prewatt.codec.bodies import Commission, Transfer, UsageQuery
from prewatt.codec.commands import Code, Command
from prewatt.codec.hop import Answers, Health, Members, Round, build_hop, parse_hop
from prewatt.codec.modetable import flat_table
from prewatt.crypto import suite
from prewatt.device.meter import Birth
from prewatt.device.spool import MemorySpool
from prewatt.host.lines import line_cost
from prewatt.link.carrier import End, listen
from prewatt.protocol.host import Done, HostSession, Send
from prewatt.units import DAY_S, Address, MeterId, Micro, Sequence

sys.path.insert(0, str(Path(__file__).parent))
from virtual_loop import LoopClock, run_virtually

HERE = Address(0, 0)
PROFILE = "powerline-2400"
START_S = 1_767_225_600
METERS = 4
EPOCH = 1 << 24
VALUE_MICRO = 7_000_000


def meter_id(number):
    return MeterId(bytes((0, 1, number)))


def key(number):
    return bytes((number,)) * 32


class Above:
    """The host of the test: sessions over the one carrier to the station."""

    def __init__(self, carrier):
        self.carrier, self.number, self.waits, self.ended = carrier, 0, {}, {}
        self.silent = set()

    async def listen(self):
        while True:
            message = parse_hop(await self.carrier.receive())
            if isinstance(message, Health):
                self.silent |= set(message.silent)
            if isinstance(message, Answers) and message.number in self.waits and (message.items or message.done):
                ((_, payload),) = message.items or ((None, None),)
                self.waits.pop(message.number).set_result(payload)

    async def say(self, message):
        await self.carrier.send(build_hop(message))

    async def session(self, number, code, sequence, body, *, urgent=False):
        """One whole session, begun again where the line loses it; when it was done in line ms, and the outcome."""
        command, loop = Command(code, Sequence(sequence), body), asyncio.get_running_loop()
        while True:
            self.number += 1
            random = self.number.to_bytes(32, "big")
            session = HostSession(meter_id(number), suite("aes-2026"), 1, key(number), command, random)
            payload = session.hello()
            while payload is not None:
                payload = await self.ask(number, payload, urgent)
                reply = None if payload is None else session.receive(payload)
                if isinstance(reply, Done):
                    return loop.time() * 1_000, reply.outcome
                payload = reply.payload if isinstance(reply, Send) else None

    async def ask(self, number, payload, urgent):
        """What the meter answers; None where it did not."""
        self.number += 1
        waiting = self.waits[self.number] = asyncio.get_running_loop().create_future()
        await self.say(Round(HERE, self.number, urgent, ((meter_id(number), payload),)))
        return await waiting


async def lived_day(folder, work, days=1):
    """Four meters that lived a day, their station on the line, and ``work`` with the host's end."""
    clock, accepted = LoopClock(START_S), asyncio.Queue()
    homes = Homes(clock, tick_s=30)
    for number in range(METERS):
        path = folder / f"{number}.nvm"
        manufacture(path, Birth(meter_id(number), number, "aes-2026", {1: key(number)}, 150_000, flat_table()))
        homes.add(path, home_load(number))
    listener = await listen("memory:shaped-host", End(), lambda carrier, _: accepted.put_nowait(carrier))
    box = StationBox(MemorySpool(bytes(8)), HERE, clock)
    tasks = [asyncio.create_task(box.run("memory:shaped-host", ["memory:shaped-line"], End(), None, profile=PROFILE))]
    above = Above(await accepted.get())
    tasks += [asyncio.create_task(above.listen()), asyncio.create_task(homes.run("memory:shaped-line"))]
    try:
        await above.say(Members(HERE, 1, tuple((meter_id(number), number) for number in range(METERS))))
        await above.say(line_cost(PROFILE).plan(HERE))
        await asyncio.sleep(60)
        for number in range(METERS):
            await above.session(number, Code.COMMISSION, 1, Commission(epoch=1, tag=b"\x80" + bytes(7)).build())
            await above.session(number, Code.VALUE, EPOCH + 1, value(1))
        await asyncio.sleep(days * DAY_S)
        await work(above, homes)
    finally:
        for task in reversed(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        listener.close()


def value(number):
    return Transfer(Micro(VALUE_MICRO), number.to_bytes(8, "big")).build()


def query(now_s):
    return UsageQuery(now_s, now_s // DAY_S - 1, 0, bytes(8), 0).build()


def test_a_whole_day_of_readings_comes_through_and_nobody_is_taken_for_silent(tmp_path):
    async def work(above, homes):
        asked = above.number
        for number in range(METERS):
            began_ms = asyncio.get_running_loop().time() * 1_000
            ended_ms, outcome = await above.session(number, Code.USAGE, 0, query(START_S + DAY_S + 120))
            # Far longer than a station waits for a meter that says nothing.
            assert ended_ms - began_ms > 3 * line_cost(PROFILE).answer_within_ms
            assert len(outcome.rest) > 1_000
        assert above.number == asked + 3 * METERS, "a session had to be held again"
        await asyncio.sleep(900)
        assert not above.silent

    run_virtually(lived_day(tmp_path, work))


def test_value_overtakes_a_poll_that_is_under_way(tmp_path):
    async def work(above, homes):
        loop, last = asyncio.get_running_loop(), METERS - 1
        polls = [
            asyncio.create_task(above.session(number, Code.USAGE, 0, query(START_S + DAY_S + 120)))
            for number in range(last)
        ]
        await asyncio.sleep(5)
        began_ms, before = loop.time() * 1_000, homes.face(meter_id(last).hex())["received_micro"]
        value_ms, _ = await above.session(last, Code.VALUE, EPOCH + 2, value(2), urgent=True)
        assert homes.face(meter_id(last).hex())["received_micro"] - before == VALUE_MICRO
        ended = sorted(ended_ms for ended_ms, _ in await asyncio.gather(*polls))
        assert value_ms < ended[1], "value waited for more than the message that was on the line"
        assert value_ms - began_ms < ended[-1] - began_ms

    run_virtually(lived_day(tmp_path, work))
