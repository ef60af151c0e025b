"""An area server that is an enemy's, with papers of its own: what it can do at the message servers, and what not."""

import asyncio
import json
import sys
from pathlib import Path

import pytest
from nats.aio.client import Client
from nats.errors import Error as NatsError

from prewatt.link.carrier import CarrierClosedError
from prewatt.link.nats import dial_nats, listen_nats

sys.path.insert(0, str(Path(__file__).parent))
from message_servers import make_hub, make_leaf

WITHIN_S = 1.0


@pytest.fixture(scope="module")
def servers(papers, tmp_path_factory):
    """A hub, the leaf of area 1, and the enemy's leaf at area 2."""
    folder = tmp_path_factory.mktemp("rights")
    (hub,), leaves = make_hub(folder, papers["server"], 1)
    leaf, enemy = (make_leaf(folder, papers[word], leaves, word.replace(" ", "-")) for word in ("area", "other area"))
    for each in (hub, leaf, enemy):
        each.start().wait_ready()
    yield hub, leaf, enemy
    for each in (enemy, leaf, hub):
        each.stop()


class Scene:
    """Host and area 1 with a carrier between them, and the enemy's connection to its own leaf."""

    def __init__(self, servers, papers):
        self.servers, self.papers, self.accepted = servers, papers, asyncio.Queue()
        self.heard = []

    async def __aenter__(self):
        hub, leaf, enemy = self.servers
        self.listener = await listen_nats(
            [hub.clients], self.papers["host"], lambda name: True, self.accepted.put_nowait, lasting=keeps
        )
        self.area = await dial_nats([leaf.clients], self.papers["area"], self.papers["host"].name, lasting=keeps)
        self.host = await self.accepted.get()
        self.enemy = Client()
        tls = self.papers["other area"].caller_tls()
        await self.enemy.connect(f"tls://{enemy.clients}", tls=tls, inbox_prefix=b"_INBOX.area-2")
        # The enemy's leaf has found the hub once its own carrier opens.
        own = await dial_nats([enemy.clients], self.papers["other area"], self.papers["host"].name)
        met = await self.accepted.get()
        own.close()
        # Its farewell is on its way under its own name, where the enemy may listen: not before the host has it.
        with pytest.raises(CarrierClosedError):
            await asyncio.wait_for(met.receive(), 20)
        return self

    async def __aexit__(self, *_):
        await self.enemy.close()
        self.area.close()
        self.listener.close()
        await asyncio.sleep(0.2)

    async def hear(self, subject):
        async def heard(message):
            self.heard.append((message.subject, message.data))

        await self.enemy.subscribe(subject, cb=heard)
        await self.enemy.flush()

    async def denied(self, *calls, body=b""):
        """Nothing comes back from any of them."""
        asked = (self.enemy.request(f"$JS.{call}", body, timeout=WITHIN_S) for call in calls)
        for call, answer in zip(calls, await asyncio.gather(*asked, return_exceptions=True), strict=True):
            assert isinstance(answer, NatsError), (call, answer)


def steal(name, subject):
    """The body that asks for a consumer of these messages."""
    config = {"durable_name": name, "name": name, "ack_policy": "explicit", "filter_subject": subject}
    return json.dumps({"stream_name": "DOWN", "config": config}).encode()


def keeps(data):
    return data.startswith(b"keep")


def run(servers, papers, work):
    async def scene():
        async with Scene(servers, papers) as made:
            await work(made)

    asyncio.run(asyncio.wait_for(scene(), 90))


async def receives(carrier, data):
    while await asyncio.wait_for(carrier.receive(), 15) != data:
        pass


def test_it_hears_nothing_that_is_for_or_from_another_area(servers, papers):
    async def work(scene):
        for subject in ("prewatt.area-1.>", "prewatt.host.>", "prewatt.keep.>", "_INBOX.host.>", "_INBOX.area-1.>"):
            await scene.hear(subject)
        await asyncio.sleep(0.5)
        for data in (b"plain", b"keep this"):
            await scene.host.send(data)
            await receives(scene.area, data)
            await scene.area.send(data)
            await receives(scene.host, data)
        await asyncio.sleep(0.5)
        assert scene.heard == []

    run(servers, papers, work)


def test_it_says_nothing_in_another_areas_name_nor_to_another_area(servers, papers):
    async def work(scene):
        session = scene.area.session
        for subject in (
            "prewatt.host.area-1",
            "prewatt.area-1.host",
            "prewatt.keep.host.area-1",
            "prewatt.keep.area-1.host",
        ):
            for data in (b"\x00" + session + b"forged", b"\x04" + session, b"keep forged"):
                await scene.enemy.publish(subject, data)
        await scene.enemy.flush()
        await asyncio.sleep(0.5)
        for sender, receiver in ((scene.host, scene.area), (scene.area, scene.host)):
            await sender.send(b"mine")
            assert await asyncio.wait_for(receiver.receive(), 5) == b"mine"

    run(servers, papers, work)


def test_it_reaches_into_no_stream_of_the_host_or_of_another_area(servers, papers):
    async def work(scene):
        # Held without being processed: area 1 has not come for the next one.
        await scene.host.send(b"keep for area 1")
        await receives(scene.area, b"keep for area 1")
        for name in ("area-2", "area-1", "mine"):
            body = steal(name, "prewatt.keep.area-1.host")
            ways = (
                f"DURABLE.CREATE.DOWN.{name}",
                f"CREATE.DOWN.{name}",
                f"CREATE.DOWN.{name}.prewatt.keep.area-1.host",
            )
            await scene.denied(*(f"hub.API.CONSUMER.{way}" for way in ways), body=body)
        calls = ["STREAM.INFO.DOWN", "STREAM.PURGE.DOWN", "STREAM.DELETE.DOWN", "STREAM.MSG.GET.DOWN"]
        calls += ["CONSUMER.MSG.NEXT.DOWN.area-1", "CONSUMER.DELETE.DOWN.area-1"]
        await scene.denied(*(f"hub.API.{call}" for call in calls), body=b'{"seq": 1}')
        calls = ["STREAM.PURGE.UP", "STREAM.INFO.UP", "CONSUMER.MSG.NEXT.UP.host", "CONSUMER.DELETE.UP.host"]
        await scene.denied(*(f"area-1.API.{call}" for call in calls))

    run(servers, papers, work)


def test_a_filter_that_is_not_the_one_in_the_subject_is_refused(servers, papers):
    async def work(scene):
        subject = "$JS.hub.API.CONSUMER.CREATE.DOWN.area-2.prewatt.keep.area-2.host"
        answer = await scene.enemy.request(subject, steal("area-2", "prewatt.keep.area-1.host"), timeout=5)
        assert "error" in json.loads(answer.data)

    run(servers, papers, work)


def test_it_acknowledges_nothing_for_another_area(servers, papers):
    async def work(scene):
        await scene.host.send(b"keep on")
        await receives(scene.area, b"keep on")
        taken = scene.area._taken
        assert taken is not None
        await scene.enemy.publish(taken.reply, b"+ACK")
        await scene.enemy.publish(taken.reply, b"+TERM")
        await scene.enemy.flush()
        # Area 1 loses its power before it has processed it, so it comes again.
        scene.area.end("killed")
        _, leaf, _ = servers
        scene.area = await dial_nats([leaf.clients], papers["area"], papers["host"].name, lasting=keeps)
        await receives(scene.area, b"keep on")

    run(servers, papers, work)
