"""The modelled line as a carrier: addresses, limits, and a real station that calls real meters over it."""

import asyncio

import pytest

from prewatt.codec.frame import Frame, FrameFlags
from prewatt.link.carrier import CarrierClosedError, End, dial, listen
from prewatt.link.line import PROFILES
from prewatt.link.mailbox import WAITING_MAX
from prewatt.link.powerline import SPEED_MAX, UNSENT_MAX, LineStreet
from prewatt.units import MeterId, ValueFieldError

METER = MeterId(b"\0\0\1")


def down(number: int, payload: bytes = b"call", flags: FrameFlags = FrameFlags.NONE) -> bytes:
    return Frame(1, flags, number, METER, payload).build()


@pytest.mark.parametrize(
    "place",
    [
        "",
        "?speed=1",
        "street?speed=0",
        f"street?speed={SPEED_MAX + 1}",
        "street?speed=fast",
        "street?profile=pigeon",
        "street?seed=-1",
        "street?colour=red",
        "street?speed=1&speed=2",
        "street?speed",
    ],
)
def test_a_place_that_cannot_be_a_street_is_refused_by_name(place):
    async def talk():
        with pytest.raises(ValueFieldError, match="is not allowed; allowed is"):
            await listen(f"powerline:{place}", End(), lambda *_: None)

    asyncio.run(talk())


@pytest.mark.parametrize(
    "place",
    ["street", "street?meter=1&m_id=1", "street?meter=000001&m_id=256", "street?meter=000001&m_id=1&distance_m=3001"],
)
def test_a_meter_that_cannot_be_on_a_street_is_refused_by_name(place):
    async def talk():
        listener = await listen("powerline:street", End(), lambda *_: None)
        with pytest.raises(ValueFieldError, match="is not allowed; allowed is"):
            await dial(f"powerline:{place}", End())
        listener.close()

    asyncio.run(talk())


def test_a_street_and_a_name_are_there_once():
    async def talk():
        for address in ("powerline:street", "memory:street"):
            listener = await listen(address, End(), lambda *_: None)
            with pytest.raises(FileExistsError, match="street"):
                await listen(address, End(), lambda *_: None)
            listener.close()
        street = LineStreet(PROFILES["cable"], 1)
        street.station()
        with pytest.raises(ValueError, match="a second one"):
            street.station()
        street.close()
        street.close()
        with pytest.raises(CarrierClosedError):
            street.meter(METER, 1, 0)

    asyncio.run(talk())


def test_only_whole_frames_of_its_own_direction_are_taken():
    async def talk():
        street = LineStreet(PROFILES["cable"], 1, 1_000)
        station, meter = street.station(), street.meter(METER, 1, 100)
        for bad in (b"", b"no frame", down(1)[:-1], down(1, flags=FrameFlags.UP), down(1, flags=FrameFlags.MORE)):
            with pytest.raises(ValueError, match="allowed is"):
                await station.send(bad)
        with pytest.raises(ValueError, match="flags"):
            await meter.send(down(1))
        street.close()

    asyncio.run(talk())


async def flood(station, sent):
    for number in range(50):
        await station.send(down(number, bytes(2_600)))
        sent.append(number)


def test_a_sender_is_held_up_while_its_modem_is_full():
    async def talk():
        street = LineStreet(PROFILES["powerline-2400"], 1, 1)
        station, sent = street.station(), []
        street.meter(METER, 1, 100)
        flooding = asyncio.create_task(flood(station, sent))
        await asyncio.sleep(0.1)
        # One is under way, which takes 15 s.
        assert len(sent) == UNSENT_MAX + 1
        station.close()
        with pytest.raises(CarrierClosedError):
            await asyncio.wait_for(flooding, 1)

    asyncio.run(talk())


def test_who_waits_is_woken_when_the_line_dies():
    async def talk():
        street = LineStreet(PROFILES["powerline-2400"], 1, 1)
        station, meter = street.station(), street.meter(METER, 1, 100)
        waiting = [asyncio.create_task(flood(station, [])), asyncio.create_task(meter.receive())]
        await asyncio.sleep(0.05)
        street.close()
        for task in waiting:
            with pytest.raises(CarrierClosedError):
                await asyncio.wait_for(task, 1)

    asyncio.run(talk())


def test_a_device_that_does_not_listen_misses_frames_and_holds_nobody_up():
    async def talk():
        street = LineStreet(PROFILES["cable"], 1, SPEED_MAX)
        station, meter = street.station(), street.meter(METER, 1, 100)
        async with asyncio.timeout(20):
            for number in range(WAITING_MAX + 20):
                await station.send(down(number % 256, b"x"))
            while street.line.waiting(0) or street.line.next_ms is not None:
                await asyncio.sleep(0.01)
        assert street.missed > 0
        heard = 0
        while True:
            try:
                await asyncio.wait_for(meter.receive(), 0.05)
            except TimeoutError:
                break
            heard += 1
        assert heard == WAITING_MAX
        street.close()

    asyncio.run(talk())


def test_line_time_runs_as_fast_as_it_is_told_to():
    async def talk():
        street = LineStreet(PROFILES["powerline-2400"], 1, 500)
        station, meter = street.station(), street.meter(METER, 1, 100)
        await station.send(down(1, bytes(500)))
        await asyncio.wait_for(meter.receive(), 5)
        # 500 bytes take about 3 s at 2,400 bit/s.
        assert street.line.now_ms > 2_500
        assert street.line_ms >= street.line.now_ms
        street.close()

    asyncio.run(talk())


def test_the_station_is_told_while_its_modem_is_in_the_middle_of_a_message():
    async def talk():
        street, told = LineStreet(PROFILES["cable"], 1, 100), []
        station, meter = street.station(), street.meter(METER, 1, 100)
        station.on_hold(told.append)
        await station.send(down(1, bytes(600)))
        await asyncio.wait_for(meter.receive(), 5)
        await meter.send(Frame(1, FrameFlags.UP, 0, METER, bytes(600)).build())
        await asyncio.wait_for(station.receive(), 5)
        await asyncio.sleep(0.05)
        assert told == [True, False, True, False]
        street.close()

    asyncio.run(talk())
