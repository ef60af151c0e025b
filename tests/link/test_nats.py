"""Boxes that meet at real message servers: who is let in, what is lost and what is not."""

import asyncio
import sys
from pathlib import Path

import pytest
from nats.aio.client import Client

from prewatt.link import CarrierClosedError, nats, natsmeeting
from prewatt.link.carrier import MESSAGE_BYTES_MAX
from prewatt.link.nats import dial_nats, listen_nats
from prewatt.link.tcpcarrier import WAITING_MAX

sys.path.insert(0, str(Path(__file__).parent))
from message_servers import free_places, make_hub, make_leaf


@pytest.fixture(scope="module")
def servers(papers, tmp_path_factory):
    """A hub of one and a leaf at area 1."""
    folder = tmp_path_factory.mktemp("nats")
    (hub,), leaves = make_hub(folder, papers["server"], 1)
    leaf = make_leaf(folder, papers["area"], leaves)
    for each in (hub, leaf):
        each.start().wait_ready()
    yield hub, leaf
    for each in (leaf, hub):
        each.stop()


def run(talk):
    asyncio.run(asyncio.wait_for(talk, 90))


def lasts(data):
    return data.startswith(b"keep")


class Met:
    """A host at the hub and an area at its leaf, with a carrier between them."""

    def __init__(self, servers, papers, lasting=None):
        self.hub, self.leaf = servers
        self.papers, self.lasting = papers, lasting
        self.accepted = asyncio.Queue()

    async def __aenter__(self):
        self.listener = await listen_nats(
            [self.hub.clients], self.papers["host"], lambda name: name == self.papers["area"].name,
            self.accepted.put_nowait, lasting=self.lasting,
        )  # fmt: skip
        self.area = await self.dial()
        self.host = await self.accepted.get()
        return self

    async def dial(self):
        return await dial_nats([self.leaf.clients], self.papers["area"], self.papers["host"].name, lasting=self.lasting)

    async def __aexit__(self, *_):
        self.area.close()
        self.listener.close()
        await asyncio.sleep(0.2)


def shorten(monkeypatch):
    """Who is not let in is given up on sooner than a real box would."""
    for module in (nats, natsmeeting):
        monkeypatch.setattr(module, "OPENS_WITHIN_S", 1.5)


async def closes(carrier, within_s=5):
    with pytest.raises(CarrierClosedError) as caught:
        await asyncio.wait_for(carrier.receive(), within_s)
    return str(caught.value)


async def until(carrier, data):
    """Receives until ``data`` comes: what another test took last and never came back for may come before it."""
    while await asyncio.wait_for(carrier.receive(), 20) != data:
        pass


def test_host_and_area_talk_through_hub_and_leaf_in_order_both_ways(servers, papers):
    async def talk():
        async with Met(servers, papers) as met:
            assert (met.area.peer, met.host.peer) == (papers["host"].name, papers["area"].name)
            for number in range(50):
                await met.area.send(bytes(number))
                await met.host.send(b"down" + bytes(number))
            assert [await met.host.receive() for _ in range(50)] == [bytes(number) for number in range(50)]
            assert [await met.area.receive() for _ in range(50)] == [b"down" + bytes(number) for number in range(50)]
            await met.area.send(bytes(MESSAGE_BYTES_MAX))
            assert len(await met.host.receive()) == MESSAGE_BYTES_MAX
            with pytest.raises(ValueError, match="allowed is up to"):
                await met.area.send(bytes(MESSAGE_BYTES_MAX + 1))

    run(talk())


def test_what_lasts_goes_through_the_streams_in_order_both_ways(servers, papers):
    async def talk():
        async with Met(servers, papers, lasts) as met:
            for number in range(40):
                await met.area.send(b"keep" + bytes(number))
                await met.host.send(b"keep down" + bytes(number))
            up = [await asyncio.wait_for(met.host.receive(), 10) for _ in range(40)]
            down = [await asyncio.wait_for(met.area.receive(), 10) for _ in range(40)]
            assert up == [b"keep" + bytes(number) for number in range(40)]
            assert down == [b"keep down" + bytes(number) for number in range(40)]

    run(talk())


def test_what_was_sent_through_a_stream_before_closing_comes_to_the_next_end(servers, papers):
    async def talk():
        sent = [b"keep " + bytes([number]) for number in range(3)]
        async with Met(servers, papers, lasts) as met:
            for data in sent:
                await met.area.send(data)
            met.area.close()
            met.host.close()
        async with Met(servers, papers, lasts) as met:
            got = set()
            while not got >= set(sent):
                got.add(await asyncio.wait_for(met.host.receive(), 20))

    run(talk())


def test_what_was_taken_but_not_processed_comes_again(servers, papers):
    async def talk():
        async with Met(servers, papers, lasts) as met:
            await met.area.send(b"keep this")
            await until(met.host, b"keep this")
            met.host.end("the host was killed here, before it came for the next one")
            met.area.end("so the area begins anew")
        async with Met(servers, papers, lasts) as met:
            await until(met.host, b"keep this")
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(met.host.receive(), 7)

    run(talk())


def test_a_box_that_closes_is_known_to_have_closed_and_can_come_again(servers, papers):
    async def talk():
        async with Met(servers, papers) as met:
            met.area.close()
            assert "closed" in await closes(met.host)
            met.area = await met.dial()
            host = await met.accepted.get()
            host.close()
            assert "closed" in await closes(met.area)
            with pytest.raises(CarrierClosedError):
                await met.area.send(b"x")

    run(talk())


def test_a_box_that_was_killed_and_begins_anew_replaces_its_older_self(servers, papers):
    async def talk():
        async with Met(servers, papers) as met:
            again = await met.dial()
            host = await met.accepted.get()
            assert "anew" in await closes(met.host)
            await again.send(b"hello")
            assert await host.receive() == b"hello"
            await met.area.send(b"of an older session")
            assert "closed" in await closes(met.area)
            again.close()

    run(talk())


def test_who_has_no_papers_of_this_installation_or_another_name_is_not_let_in(servers, papers, monkeypatch):
    shorten(monkeypatch)
    hub, leaf = servers

    async def talk():
        for word in ("strange area", "forged area", "station"):
            with pytest.raises(CarrierClosedError, match="message server"):
                await dial_nats([hub.clients], papers[word], papers["host"].name)
        for word in ("other area", "strange area", "forged area"):
            with pytest.raises(CarrierClosedError, match="message server"):
                await dial_nats([leaf.clients], papers[word], papers["host"].name)

    run(talk())


def test_another_box_that_poses_as_the_message_server_is_not_spoken_through(papers, tmp_path, monkeypatch):
    """The other area has papers of this installation and may be called; it is still nobody's message server."""
    shorten(monkeypatch)
    places = free_places(1)
    server = make_leaf(tmp_path, papers["other area"], places)
    try:
        server.start().wait_ready()
        asyncio.run(refused(server.clients, papers))
    finally:
        server.stop()


async def refused(place, papers):
    for word, above in (("area", "host"), ("station", "area")):
        with pytest.raises(CarrierClosedError, match="area 2 is not who belongs here"):
            await dial_nats([place], papers[word], papers[above].name)


def test_a_station_may_say_nothing_but_what_is_its_own(servers, papers):
    _, leaf = servers

    async def talk():
        accepted = asyncio.Queue()
        listener = await listen_nats([leaf.clients], papers["area"], lambda name: True, accepted.put_nowait)
        station = await dial_nats([leaf.clients], papers["station"], papers["area"].name)
        area = await accepted.get()
        assert area.peer == papers["station"].name
        client = station._meeting._client
        for subject in (
            "prewatt.area-1.station-1-3",
            "prewatt.host.area-1",
            "prewatt.keep.host.area-1",
            "$JS.API.INFO",
        ):
            await client.publish(subject, b"\x01" + bytes(8))
        await station.send(b"mine")
        assert await asyncio.wait_for(area.receive(), 5) == b"mine"
        assert accepted.empty()
        listener.close()
        await asyncio.sleep(0.2)

    run(talk())


def test_an_area_may_say_nothing_in_another_areas_name(servers, papers):
    async def talk():
        hub, leaf = servers
        accepted = asyncio.Queue()
        listener = await listen_nats([hub.clients], papers["host"], lambda name: True, accepted.put_nowait)
        area = await dial_nats([leaf.clients], papers["area"], papers["host"].name)
        host = await accepted.get()
        client = area._meeting._client
        for subject in ("prewatt.host.area-2", "prewatt.keep.host.area-2", "$JS.hub.API.STREAM.NAMES"):
            await client.publish(subject, b"\x01" + bytes(8))
        await area.send(b"mine")
        assert await asyncio.wait_for(host.receive(), 5) == b"mine"
        assert accepted.empty()
        listener.close()
        await asyncio.sleep(0.2)

    run(talk())


def test_a_carrier_that_ends_with_its_connection_leaves_nothing_running(servers, papers, monkeypatch):
    async def talk():
        async with Met(servers, papers, lasts) as met:
            await met.area.send(b"keep")
            await asyncio.wait_for(met.host.receive(), 10)
            with monkeypatch.context() as closed:
                closed.setattr(Client, "is_closed", True)
                met.host.close()
                _, running = await asyncio.wait(met.host._tasks, timeout=5)
            assert not running

    run(talk())


def test_nobody_there_is_one_line(servers, papers, monkeypatch):
    shorten(monkeypatch)
    _, leaf = servers

    async def talk():
        with pytest.raises(CarrierClosedError, match="host does not answer"):
            await dial_nats([leaf.clients], papers["area"], papers["host"].name)
        with pytest.raises(CarrierClosedError, match=r"message server 127\.0\.0\.1:1: "):
            await dial_nats(["127.0.0.1:1"], papers["area"], papers["host"].name)

    run(talk())


def test_an_end_that_does_not_receive_keeps_no_more_than_its_room(servers, papers):
    async def talk():
        async with Met(servers, papers) as met:
            for number in range(WAITING_MAX + 200):
                await met.area.send(number.to_bytes(2, "big"))
            await asyncio.sleep(1)
            assert len(met.host._waiting) == WAITING_MAX

    run(talk())


def test_a_server_that_is_killed_ends_the_carriers_and_is_found_again(papers, tmp_path):
    async def talk():
        (hub,), leaves = make_hub(tmp_path, papers["server"], 1)
        leaf = make_leaf(tmp_path, papers["area"], leaves)
        try:
            for each in (hub, leaf):
                each.start().wait_ready()
            async with Met((hub, leaf), papers, lasts) as met:
                await met.area.send(b"keep before")
                hub.kill()
                assert "message server" in await closes(met.host)
                hub.start().wait_ready()
                met.area.close()
                met.area = await met.dial()
                met.host = await asyncio.wait_for(met.accepted.get(), 20)
                await met.area.send(b"keep after")
                # What the killed server had just handed out comes again only when nobody acknowledged it: in any order.
                came = {await asyncio.wait_for(met.host.receive(), 20) for _ in range(2)}
                assert came == {b"keep before", b"keep after"}
        finally:
            for each in (leaf, hub):
                each.stop()

    run(talk())
