"""The tcp carrier: whom it lets in, what it does with bytes that are none of its own, and peers that are gone."""

import asyncio
import contextlib
import random
import ssl
import time

import pytest

from prewatt.link import CarrierClosedError, tcpcarrier
from prewatt.link.carrier import MESSAGE_BYTES_MAX, End
from prewatt.link.certificates import issue, make_authority
from prewatt.link.names import area_name, host_name
from prewatt.link.papers import Papers, write_papers
from prewatt.link.tcp import TCP, dial_tcp, listen_tcp
from prewatt.link.tcpcarrier import WAITING_MAX
from prewatt.units import DAY_S

ID = "ab" * 16
HERE = "127.0.0.1"
ALIVE = b"\xff\xff\xff\xff"


class Place:
    """A listener that keeps whom it let in."""

    def __init__(self, papers=None, admits=None):
        self._tls = papers.listener_tls() if papers else None
        self._admits = admits or (lambda name: True)
        self.carriers: asyncio.Queue = asyncio.Queue()

    async def __aenter__(self):
        self.listener = await listen_tcp(HERE, 0, self._tls, self._admits, self.carriers.put_nowait)
        self.port = self.listener.port
        return self

    async def __aexit__(self, *_):
        self.listener.close()
        await asyncio.sleep(0)

    async def dial(self, papers=None, admits=lambda name: True):
        return await dial_tcp(HERE, self.port, papers.caller_tls() if papers else None, admits)

    async def pair(self, papers=None):
        one = await self.dial(papers)
        return one, await self.carriers.get()


async def closes(carrier):
    with pytest.raises(CarrierClosedError) as caught:
        await asyncio.wait_for(carrier.receive(), 5)
    return str(caught.value)


def run(talk):
    asyncio.run(asyncio.wait_for(talk, 60))


def test_boxes_of_one_installation_know_each_other_by_name(papers):
    async def talk():
        async with Place(papers["host"], lambda name: name == papers["area"].name) as place:
            one = await place.dial(papers["area"], lambda name: name == papers["host"].name)
            other = await place.carriers.get()
            assert (one.peer, other.peer) == (papers["host"].name, papers["area"].name)
            await one.send(b"up")
            await other.send(b"down")
            assert (await other.receive(), await one.receive()) == (b"up", b"down")
            one.close()
            assert "closed" in await closes(other)

    run(talk())


@pytest.mark.parametrize("caller", ["other area", "station", "strange area", "forged area", "host", None])
def test_who_is_not_the_box_that_belongs_there_is_not_let_in(papers, caller):
    async def talk():
        async with Place(papers["host"], lambda name: name == papers["area"].name) as place:
            if caller is None:
                bare = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
                bare.check_hostname, bare.verify_mode = False, ssl.CERT_NONE
                dialling = dial_tcp(HERE, place.port, bare, lambda name: True)
            else:
                dialling = place.dial(papers[caller])
            with pytest.raises(CarrierClosedError) as caught:
                await dialling
            assert str(place.port) in str(caught.value)
            assert place.carriers.empty()

    run(talk())


@pytest.mark.parametrize("listener", ["other area", "station", "strange host", "forged area"])
def test_a_box_does_not_talk_to_one_that_poses_as_what_stands_above_it(papers, listener):
    async def talk():
        async with Place(papers[listener]) as place:
            with pytest.raises(CarrierClosedError):
                await place.dial(papers["area"], lambda name: name == papers["host"].name)

    run(talk())


def test_papers_that_have_expired_are_said_to_have_expired_whichever_end_has_them(tmp_path):
    now_s = int(time.time())
    authority = make_authority(ID, now_s - 30 * DAY_S)
    made = {}
    for word, name, made_s in (
        ("host", host_name(ID), now_s),
        ("area", area_name(ID, 1), now_s),
        ("old host", host_name(ID), now_s - 20 * DAY_S),
        ("old area", area_name(ID, 1), now_s - 20 * DAY_S),
    ):
        write_papers(tmp_path / word, issue(authority, name, made_s, days=10))
        made[word] = Papers(tmp_path / word)

    async def talk():
        async with Place(made["old host"]) as place:
            with pytest.raises(CarrierClosedError, match="tls: certificate has expired"):
                await place.dial(made["area"])
        async with Place(made["host"]) as place:
            with pytest.raises(CarrierClosedError):
                await place.dial(made["old area"])
            assert place.carriers.empty()
            own = End(made["old area"].name, made["old area"].folder)
            with pytest.raises(CarrierClosedError, match=r"has expired; make another with `prewatt area certify`"):
                await TCP.dial(f"{HERE}:{place.port}", own, made["host"].name)

    run(talk())


def test_a_peer_that_speaks_an_older_tls_or_none_is_not_let_in(papers):
    async def talk():
        async with Place(papers["host"]) as place:
            old = papers["area"].caller_tls()
            old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_2
            with pytest.raises(CarrierClosedError, match=r"hung up|TLS"):
                await dial_tcp(HERE, place.port, old, lambda name: True)
            with pytest.raises(CarrierClosedError):
                await dial_tcp(HERE, place.port, None, lambda name: True)
            assert place.carriers.empty()

    run(talk())


def test_nobody_at_home_is_one_line(papers):
    async def talk():
        async with Place() as place:
            port = place.port
        with pytest.raises(CarrierClosedError, match=f"{HERE} port {port}: "):
            await dial_tcp(HERE, port, papers["area"].caller_tls(), lambda name: True)

    run(talk())


def test_the_largest_message_passes_and_one_byte_more_does_not():
    async def talk():
        async with Place() as place:
            one, other = await place.pair()
            await one.send(bytes(MESSAGE_BYTES_MAX))
            assert len(await other.receive()) == MESSAGE_BYTES_MAX
            with pytest.raises(ValueError, match="allowed is up to"):
                await one.send(bytes(MESSAGE_BYTES_MAX + 1))
            await one.send(b"still there")
            assert await other.receive() == b"still there"

    run(talk())


def raw(place):
    return asyncio.open_connection(HERE, place.port)


def test_messages_are_found_however_the_bytes_are_cut():
    chance = random.Random(7)
    messages = [chance.randbytes(chance.choice([0, 1, 3, 200, 2600, 70_000])) for _ in range(60)]
    stream = b"".join(chance.choice([b"", ALIVE]) + len(each).to_bytes(4, "big") + each for each in messages)

    async def talk():
        async with Place() as place:
            _reader, writer = await raw(place)
            other = await place.carriers.get()
            taking = asyncio.create_task(take(other))
            at = 0
            while at < len(stream):
                step = chance.choice([1, 2, 3, 5, 100, 5000, 60_000])
                writer.write(stream[at : at + step])
                await writer.drain()
                at += step
                await asyncio.sleep(0)
            assert await taking == messages
            writer.close()

    async def take(carrier):
        return [await carrier.receive() for _ in messages]

    run(talk())


def test_a_length_that_cannot_be_ends_the_connection_and_half_a_message_is_never_given_out():
    async def talk():
        async with Place() as place:
            for bad in ((MESSAGE_BYTES_MAX + 1).to_bytes(4, "big"), b"\xff\xff\xff\xfd", b"GET / HTTP/1.1\r\n\r\n"):
                _reader, writer = await raw(place)
                other = await place.carriers.get()
                writer.write(bad)
                assert "announced" in await closes(other)
                writer.close()
            _reader, writer = await raw(place)
            other = await place.carriers.get()
            writer.write((10).to_bytes(4, "big") + b"only nine"[:9])
            writer.close()
            await closes(other)

    run(talk())


def test_random_bytes_never_break_more_than_their_own_connection():
    chance = random.Random(3)

    async def talk():
        async with Place() as place:
            good, other = await place.pair()
            for _ in range(40):
                _reader, writer = await raw(place)
                bad = await place.carriers.get()
                writer.write(chance.randbytes(chance.randint(1, 400)))
                writer.close()
                with contextlib.suppress(CarrierClosedError):
                    while True:
                        await asyncio.wait_for(bad.receive(), 5)
            await good.send(b"fine")
            assert await other.receive() == b"fine"

    run(talk())


def test_a_pulled_plug_is_found_and_a_quiet_peer_stays(monkeypatch):
    monkeypatch.setattr(tcpcarrier, "ALIVE_EVERY_S", 0.05)

    async def talk():
        async with Place() as place:
            quiet, other = await place.pair()
            _reader, _writer = await raw(place)  # says nothing any more, and does not close
            gone = await place.carriers.get()
            assert "nothing heard" in await closes(gone)
            await quiet.send(b"still here")
            assert await other.receive() == b"still here"
            _writer.close()

    run(talk())


def test_who_does_not_receive_makes_the_sender_wait_and_nothing_is_lost(monkeypatch):
    monkeypatch.setattr(tcpcarrier, "ALIVE_EVERY_S", 0.05)
    count, data = 4 * WAITING_MAX, bytes(8_000)

    async def talk():
        async with Place() as place:
            one, other = await place.pair()

            async def send_all():
                for number in range(count):
                    await one.send(number.to_bytes(4, "big") + data)

            sending = asyncio.create_task(send_all())
            await asyncio.sleep(0.6)  # many times what a silent peer is given
            assert not sending.done()
            assert len(other._waiting) < count
            for number in range(count):
                assert (await asyncio.wait_for(other.receive(), 5))[:4] == number.to_bytes(4, "big")
            await sending

    run(talk())


def test_a_sender_that_waits_is_woken_when_the_peer_goes():
    async def talk():
        async with Place() as place:
            one, other = await place.pair()

            async def send_all():
                while True:
                    await one.send(bytes(100_000))

            sending = asyncio.create_task(send_all())
            await asyncio.sleep(0.2)
            assert not sending.done()
            other._transport.abort()
            with pytest.raises(CarrierClosedError):
                await asyncio.wait_for(sending, 5)

    run(talk())


def test_a_listener_that_closes_closes_whom_it_let_in():
    async def talk():
        async with Place() as place:
            one, _other = await place.pair()
            place.listener.close()
            await closes(one)

    run(talk())


def test_messages_that_are_handed_over_come_at_once_and_in_order_with_those_that_waited():
    async def talk():
        async with Place() as place:
            one, other = await place.pair()
            heard = []
            for number in range(5):
                await one.send(bytes((number,)))
            await asyncio.sleep(0.05)
            other.hand_over(heard.append)
            assert heard == [bytes((number,)) for number in range(5)]
            for number in range(5, 3 * WAITING_MAX):
                await one.send(number.to_bytes(2, "big"))
            one.close()
            assert "closed" in await asyncio.wait_for(other.wait_closed(), 5)
            assert heard[5:] == [number.to_bytes(2, "big") for number in range(5, 3 * WAITING_MAX)]

    run(talk())


def test_whoever_cannot_take_a_message_ends_its_own_connection_and_says_why():
    async def talk():
        async with Place() as place:
            one, other = await place.pair()

            def refuse(data):
                raise RuntimeError("the disk is full")

            other.hand_over(refuse)
            await one.send(b"x")
            with pytest.raises(RuntimeError, match="disk is full"):
                await asyncio.wait_for(other.wait_closed(), 5)
            await closes(one)

    run(talk())
