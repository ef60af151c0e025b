"""Papers at real message servers: revoked ones are shut out, new ones let in, clusters let in sisters alone."""

import asyncio
import json
import re
import shutil
import signal
import sys
import time
from pathlib import Path

import pytest
from nats.aio.client import Client

from prewatt.apps.boxes import leaf as leaf_server
from prewatt.apps.boxes.leaf import run_leaf
from prewatt.link import nats, natscarrier, natsmeeting
from prewatt.link.carrier import CarrierClosedError
from prewatt.link.certificates import issue, make_authority
from prewatt.link.names import Bearer, Role, area_name, host_name, server_name, station_name
from prewatt.link.nats import dial_nats, listen_nats
from prewatt.link.natsconfig import ServerPlaces, build_hub_config, renew_hub_config
from prewatt.link.papers import REVOKED_NAME, Papers, write_file, write_papers
from prewatt.link.revocation import Revocation, build_list
from prewatt.units import DAY_S, Address, ValueFieldError

sys.path.insert(0, str(Path(__file__).parent))
from message_servers import PROGRAM, Server, free_places, make_hub

HERE = "ab" * 16
HOST, AREA = host_name(HERE), area_name(HERE, 1)
STATION, STATION_2 = station_name(HERE, Address(1, 2)), station_name(HERE, Address(1, 3))
SERVERS = [server_name(HERE, number) for number in range(3)]
WITHIN_S = 30


class Field:
    """An installation with its authority, a folder for each box, and one list that all have."""

    def __init__(self, folder):
        self.folder, self.now_s = folder, int(time.time())
        self.authority, self.revoked = make_authority(HERE, self.now_s - 400 * DAY_S), []
        for name in (HOST, AREA, STATION, STATION_2, *SERVERS):
            self.certify(name)

    def place(self, name):
        return self.folder / str(name).replace(" ", "-")

    def papers(self, name):
        return Papers(self.place(name))

    def certify(self, name, edition=0, *, left_s=None, servers_edition=0):
        days, made_s = (30, self.now_s) if left_s is None else (10, int(time.time()) + left_s - 10 * DAY_S)
        at = ["127.0.0.1"] if name.role is Role.SERVER else []
        papers = issue(self.authority, Bearer(name, edition), made_s, days=days, reached_at=at,
                       servers_edition=servers_edition)  # fmt: skip
        write_papers(self.place(name), papers)

    def revoke(self, name, *readers):
        papers = self.papers(name)
        self.revoked.append(Revocation(papers.serial, papers.bearer, self.now_s))
        for reader in readers:
            found = build_list(self.authority, len(self.revoked), self.revoked, self.now_s)
            write_file(self.place(reader), REVOKED_NAME, found)

    def steal(self, name):
        """What a thief has."""
        place = self.folder / f"stolen {name}"
        shutil.copytree(self.place(name), place)
        return Papers(place)

    def renew_config(self, server, name):
        path = server._config
        path.write_text(renew_hub_config(path.read_text(), self.papers(name)))


@pytest.fixture
def field(tmp_path, monkeypatch):
    for module in (nats, natsmeeting):
        monkeypatch.setattr(module, "OPENS_WITHIN_S", 1.5)
    monkeypatch.setattr(natscarrier, "ALIVE_EVERY_S", 0.5)
    return Field(tmp_path)


@pytest.fixture
def servers():
    """Servers to be stopped."""
    running = []
    yield running
    for each in reversed(running):
        each.stop()


@pytest.fixture
def beside_host(field, servers, monkeypatch):
    """A running message server beside the host, and where leaves come; areas look often whether papers changed."""
    monkeypatch.setattr(leaf_server, "_LOOK_AT_PAPERS_EVERY_S", 0.1)
    (hub,), leaves = make_hub(field.folder, field.papers(SERVERS[0]), 1)
    servers.append(hub.start().wait_ready())
    return hub, f"nats://{leaves[0]}"


async def eventually(look, within_s=WITHIN_S):
    until_s = time.monotonic() + within_s
    while not (found := look()):
        assert time.monotonic() < until_s
        await asyncio.sleep(0.05)
    return found


async def talks(one, other):
    await one.send(b"up")
    while await asyncio.wait_for(other.receive(), 10) != b"up":
        pass


async def dials(place, papers, peer, within_s=WITHIN_S):
    """A carrier, as soon as one can be had; the last reason where none can."""
    until_s = time.monotonic() + within_s
    while True:
        try:
            return await dial_nats([place], papers, peer)
        except CarrierClosedError:
            assert time.monotonic() < until_s
            await asyncio.sleep(0.2)


async def newest(accepted):
    """The carrier that a listener was given; those of earlier tries, whose welcome was lost, have ended."""
    while True:
        carrier = await asyncio.wait_for(accepted.get(), 20)
        if not carrier._closed:
            return carrier


async def refused(place, papers, peer):
    with pytest.raises(CarrierClosedError):
        await dial_nats([place], papers, peer)


def run(talk):
    async def to_the_end():
        await talk
        # Boxes leave message servers in their own time; a loop that ends before leaves sockets open.
        until_s = time.monotonic() + WITHIN_S
        while len(asyncio.all_tasks()) > 1 and time.monotonic() < until_s:
            await asyncio.sleep(0.02)
        await asyncio.sleep(0.1)

    asyncio.run(to_the_end())


def test_a_station_whose_papers_are_revoked_loses_its_areas_server_while_that_runs(field, beside_host):
    _, at = beside_host
    own = field.papers(AREA)

    async def talk():
        below = [f"nats://{free_places(1)[0]}"]
        async with run_leaf(field.place(AREA), at, below, PROGRAM) as (up, _):
            place, accepted = up.removeprefix("nats://"), asyncio.Queue()
            listener = await listen_nats([place], own, own.name.stands_above, accepted.put_nowait)
            stolen = await dial_nats([place], field.papers(STATION), AREA)
            await talks(stolen, await newest(accepted))
            good = await dial_nats([place], field.papers(STATION_2), AREA)
            at_area = await newest(accepted)
            thief = field.steal(STATION)
            field.revoke(STATION, AREA)
            await eventually(lambda: stolen._closed)
            await refused(place, thief, AREA)
            field.certify(STATION, 1)
            new = await dials(place, field.papers(STATION), AREA)
            await talks(new, await newest(accepted))
            await refused(place, thief, AREA)
            # Whose papers hold has noticed nothing.
            await talks(good, at_area)
            for each in (new, good):
                each.close()
            listener.close()

    run(talk())


def test_an_area_whose_papers_are_revoked_is_shut_out_of_the_servers_beside_the_host(field, beside_host):
    hub, at = beside_host
    host, thief = field.papers(HOST), field.steal(AREA)

    async def talk():
        accepted = asyncio.Queue()
        listener = await listen_nats([hub.clients], host, host.name.stands_above, accepted.put_nowait)
        async with run_leaf(thief.folder, at, [], PROGRAM) as (up, _):
            place = up.removeprefix("nats://")
            stolen = await dials(place, thief, HOST)
            await talks(stolen, await newest(accepted))
            direct = await dial_nats([hub.clients], thief, HOST)
            await newest(accepted)
            field.revoke(AREA, SERVERS[0])
            field.renew_config(hub, SERVERS[0])
            # A client is thrown out when the configuration is read again, a leaf node when the server starts anew.
            hub._process.send_signal(signal.SIGHUP)
            await eventually(lambda: direct._closed)
            hub.stop()
            hub.start().wait_ready()
            await eventually(lambda: stolen._closed)
            await refused(place, thief, HOST)
            await refused(hub.clients, thief, HOST)
            await eventually(lambda: "uthoriz" in (thief.folder / "server.log").read_text())
            field.certify(AREA, 1)
            new = field.papers(AREA)
            async with run_leaf(new.folder, at, [], PROGRAM) as (up, _):
                carrier = await dials(up.removeprefix("nats://"), new, HOST)
                await talks(carrier, await newest(accepted))
                await refused(place, thief, HOST)
                carrier.close()
                listener.close()

    run(talk())


def test_an_areas_server_comes_in_with_new_papers_without_being_started_anew(field, beside_host):
    hub, at = beside_host
    field.certify(AREA, left_s=6)
    own, host = field.papers(AREA), field.papers(HOST)

    async def talk():
        accepted = asyncio.Queue()
        listener = await listen_nats([hub.clients], host, host.name.stands_above, accepted.put_nowait)
        async with run_leaf(field.place(AREA), at, [], PROGRAM) as (up, _):
            place = up.removeprefix("nats://")
            first = await dials(place, field.papers(AREA), HOST)
            await talks(first, await newest(accepted))
            await asyncio.sleep(max(own.expires_s + 1 - time.time(), 0))
            # The old ones have ended, and the connection to the hub is cut: only new papers come in.
            hub.stop()
            hub.start().wait_ready()
            field.certify(AREA)
            again = await dials(place, field.papers(AREA), HOST)
            await talks(again, await newest(accepted))
            again.close()
            listener.close()

    run(talk())


def cluster(field, roles):
    """Servers of one cluster, each with the papers of the box named."""
    clients, leaves, places = free_places(len(roles)), free_places(len(roles)), free_places(len(roles))
    made = []
    for number, role in enumerate(roles):
        together = ServerPlaces(clients[number], leaves[number], places[number], places)
        own = field.papers(SERVERS[number])
        config = json.loads(build_hub_config(f"hub-{number}", own, together, field.folder / f"s{number}"))
        if role is not None:
            mine = field.papers(role)
            config["cluster"]["tls"] |= {"cert_file": str(mine.certificate_file), "key_file": str(mine.key_file)}
        made.append(Server(field.folder, f"hub-{number}", json.dumps(config), clients[number]))
    return made


def sisters(server):
    """How many routes it has, by its log."""
    open_now = set()
    for number, said in re.findall(r"rid:(\d+) - (.*)", server.log.read_text()):
        if "Route connection created" in said:
            open_now.add(number)
        elif "closed" in said or "handshake error" in said:
            open_now.discard(number)
    return len(open_now)


@pytest.mark.parametrize("intruder", [AREA, HOST, STATION], ids=str)
def test_a_cluster_lets_in_its_sisters_and_no_other_box_whoever_calls_whom(field, servers, intruder):
    made = cluster(field, [None, None, intruder])
    servers.extend(each.start() for each in made)
    for each in made:
        each.wait_ready()
    one, other, stranger = made

    async def talk():
        await eventually(lambda: sisters(one) and sisters(other))
        calls = lambda server: server.log.read_text().count("authentication error")  # noqa: E731
        dialled = lambda server: server.log.read_text().count("handshake error")  # noqa: E731
        await eventually(lambda: calls(one) + calls(other) >= 2)
        await eventually(lambda: dialled(one) >= 2)
        await eventually(lambda: sisters(stranger) == 0)
        # What is said among the sisters does not reach it, nor what it says them.
        host = field.papers(HOST)
        heard, clients = [], []
        for server in made:
            client = Client()
            await client.connect(f"tls://{server.clients}", tls=host.caller_tls(), allow_reconnect=False)
            clients.append(client)

        async def hear(message):
            heard.append(message.data)

        for client in clients[1:]:
            await client.subscribe("prewatt.host.area-1", cb=hear)
            await client.flush()
        await asyncio.sleep(0.5)
        await clients[0].publish("prewatt.host.area-1", b"said")
        await eventually(lambda: heard)
        await asyncio.sleep(0.5)
        assert heard == [b"said"]
        for client in clients:
            await client.close()

    run(talk())


def test_a_server_whose_papers_are_revoked_is_no_sister_of_those_with_new_papers(field, servers):
    stolen = field.steal(SERVERS[2])
    field.revoke(SERVERS[2], *SERVERS)
    for name in SERVERS[:2]:
        field.certify(name, servers_edition=1)
    made = cluster(field, [None, None, None])
    config = json.loads(made[2]._config.read_text())
    config["cluster"]["tls"] |= {"cert_file": str(stolen.certificate_file), "key_file": str(stolen.key_file)}
    made[2]._config.write_text(json.dumps(config))
    servers.extend(each.start() for each in made)
    for each in made:
        each.wait_ready()

    async def talk():
        await eventually(lambda: sisters(made[0]) and sisters(made[1]))
        await eventually(lambda: "authentication error" in made[0].log.read_text())
        # Boxes go by the list themselves.
        field.revoke(STATION, AREA)
        with pytest.raises(CarrierClosedError, match="revoked"):
            await dial_nats([made[2].clients], field.papers(AREA), HOST)

    run(talk())


def test_a_configuration_is_renewed_for_whom_the_list_lets_in_and_is_else_as_it_was(field):
    places = ServerPlaces("127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:3", ["127.0.0.1:4"])
    before = build_hub_config("hub", field.papers(SERVERS[0]), places, field.folder)
    assert renew_hub_config(before, field.papers(SERVERS[0])) == before
    field.revoke(AREA, SERVERS[0])
    field.revoke(SERVERS[1], SERVERS[0])
    after = renew_hub_config(before, field.papers(SERVERS[0]))
    assert after == build_hub_config("hub", field.papers(SERVERS[0]), places, field.folder)
    known = set(before.splitlines())
    changed = [line for line in after.splitlines() if line not in known]
    assert [line.strip().rstrip(",") for line in changed] == [
        f'"user": "{AREA.uri}#1"',
        f'"user": "prewatt://{HERE}/servers#1"',
    ]
    for wrong in ("", "{}", "[]", "listen: 1", '{"accounts": 3}'):
        with pytest.raises(ValueFieldError, match="prewatt host server"):
            renew_hub_config(wrong, field.papers(SERVERS[0]))
