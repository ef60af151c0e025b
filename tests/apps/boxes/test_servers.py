"""Three message servers, an area server with its leaf, a station, many meters: each is killed, and so is the host, in
the middle of a thousand transfers. All of them end confirmed exactly once, and the books are clean."""

import asyncio
import json
import sys
import threading
import time
from contextlib import suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import nats
import pytest

from prewatt.host.folder import LOCK_NAME
from prewatt.link.papers import Papers

sys.path.insert(0, str(Path(__file__).parents[2] / "link"))
from message_servers import PROGRAM, Server, free_places

pytestmark = pytest.mark.heavy

METERS, RACKS, TRANSFERS = 60, 2, 1_000
AMOUNT_MICRO = 100_000


class Counter(threading.Thread):
    """Sells over the API as a counter does: an order whose answer was lost is asked for again under its own id."""

    def __init__(self, field) -> None:
        super().__init__(daemon=True)
        self._field, self._connection, self._headers = field, None, {}
        self.sold = 0

    def run(self) -> None:
        while self.sold < TRANSFERS:
            meter = f"{self.sold % METERS + 1:06X}"
            body = json.dumps({"meter": meter, "amount": "0.10", "order": f"order-{self.sold}"})
            try:
                if self._connection is None:
                    self._connect()
                self._connection.request("POST", "/api/v1/vends", body, self._headers)
                answer = self._connection.getresponse()
                content = answer.read()
                assert answer.status == 200, content
                self.sold += 1
            except (OSError, HTTPException, ValueError, KeyError, TypeError):
                self._hang_up()
                time.sleep(0.1)
        self._hang_up()

    def _hang_up(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def _connect(self) -> None:
        holder = json.loads((self._field.data / LOCK_NAME).read_text())
        self._connection = HTTPConnection("127.0.0.1", holder["port"], timeout=10)
        self._headers = {"Authorization": f"Bearer {holder['token']}", "Content-Type": "application/json"}


def make_hub(field) -> list[Server]:
    """Three servers with papers and configuration from the command line."""
    clients, leaves, cluster = free_places(3), free_places(3), free_places(3)
    servers = []
    for number in range(3):
        folder = field.folder / f"server-{number}"
        routes = [word for place in cluster for word in ("--route", place)]
        field.run("host", "server", number, "--out", folder, "--clients", clients[number], "--leaves", leaves[number],
                  "--cluster", cluster[number], *routes)  # fmt: skip
        config = (folder / "server.conf").read_text()
        servers.append(Server(folder, f"server-{number}", config, clients[number]).start())
    for server in servers:
        server.wait_ready()
    return servers, ",".join(clients), ",".join(leaves)


def leader(field, clients: str) -> str:
    """The server that leads the host's stream."""

    async def ask() -> str:
        tls = Papers(field.data / "papers").caller_tls()
        client = await nats.connect([f"tls://{place}" for place in clients.split(",")], tls=tls)
        try:
            return (await client.jetstream(domain="hub").stream_info("DOWN")).cluster.leader
        finally:
            await client.close()

    return asyncio.run(ask())


def confirmed(field) -> int:
    with suppress(OSError, HTTPException, ValueError, TypeError):
        return sum(each["received_micro"] for each in field.get("/meters")) // AMOUNT_MICRO
    return -1


def test_a_thousand_transfers_survive_the_death_of_every_box_and_of_the_streams_leader(field, ports, eventually):
    memories = field.make_many(METERS)
    servers, clients, leaves = make_hub(field)
    below, line = f"127.0.0.1:{ports()}", f"tcp://127.0.0.1:{ports()}"
    field.run("area", "certify", "A1", "--out", field.folder / "area")
    field.run("station", "certify", "S1", "--out", field.folder / "station")
    words = ("--host", f"nats://{leaves}", "--stations", f"nats://{below}", "--nats-server", PROGRAM)
    boxes = {
        "host": field.host(f"nats://{clients}"),
        "area": field.box("area", "area", "run", field.folder / "area", *words),
        "station": field.box("station", "station", "run", field.folder / "station",
                             "--area", f"nats://{below}", "--meters", line),
    }  # fmt: skip
    for number in range(RACKS):
        boxes[f"meters-{number}"] = field.box(
            f"meters-{number}", "meter", "run", *memories[number::RACKS], "--line", line
        )
    counter, began_s = Counter(field), time.monotonic()
    try:
        for box in boxes.values():
            box.start()
        field.wait_host(boxes["host"])
        counter.start()
        deaths = ["station", "leader", "host", "meters-0", "area"]
        for turn, name in enumerate(deaths, 1):
            share = turn * TRANSFERS // (len(deaths) + 1)
            eventually(lambda share=share: confirmed(field) >= share, deadline_s=120)
            print(f"{time.monotonic() - began_s:5.1f} s: {confirmed(field)} confirmed, {name} is killed")
            if name == "leader":
                dead = next(server for server in servers if server.name == leader(field, clients))
                dead.kill()
                dead.start()
            else:
                boxes[name].kill()
                boxes[name].start()
        eventually(lambda: confirmed(field) == TRANSFERS, deadline_s=180)
        print(f"{time.monotonic() - began_s:5.1f} s: all confirmed")
        counter.join()
        transfers = [
            each for meter in field.get("/meters") for each in field.get(f"/transfers?meter={meter['id']}&limit=1000")
        ]
        assert {each["state"] for each in transfers} == {"confirmed"}
        assert len({each["order"] for each in transfers}) == len(transfers) == TRANSFERS
        for name in reversed(boxes):
            assert boxes[name].stop() == 0
    finally:
        for server in servers:
            server.stop()
    found = field.json("audit")
    assert (found["ok"], found["violations"]) == (True, [])
