"""`kill -9` of `up`, of its PostgreSQL server, and of both while people buy: each order is there once, and all settles.

Buyers ask again with the same order until somebody says yes, as a shop's own program does; whom they ask may be gone,
on its way up, or unable to reach its database. The seed is printed: PREWATT_TEST_SEED looks at a failure again.
"""

import os
import random
import threading
import time
from collections import Counter
from contextlib import suppress
from http.client import HTTPException

import pytest
from tests.database_servers import DatabaseServer

import prewatt.apps.up  # noqa: F401 - loaded once here and not in every process that is forked from this one

pytestmark = pytest.mark.heavy

KILLS = ("host", "server", "server", "both") * 2
METERS = ("000001", "000002", "000003")
BUYERS = 3
SPEED = 3600
DONE = {"confirmed", "cancelled"}
BUY_AGAIN_S, ASK_AGAIN_S = 0.1, 0.05
UNAVAILABLE = 503


class Buyers:
    """Buy from whatever `up` runs at a time, one order after the other."""

    def __init__(self, chance):
        self.up = None
        self.bought, self.refused = {}, Counter()
        self.stopping = False
        self._threads = [
            threading.Thread(target=self._buy, args=(f"buyer-{number}", random.Random(chance.random())))
            for number in range(BUYERS)
        ]

    def start(self, up):
        self.up = up
        for each in self._threads:
            each.start()

    def stop(self):
        """Each gets the answer it waits for first."""
        self.stopping = True
        for each in self._threads:
            each.join()

    def _buy(self, name, chance):
        number = 0
        while not self.stopping:
            number += 1
            order, meter, cents = f"{name}.{number}", chance.choice(METERS), chance.randint(1, 30)
            body = {"meter": meter, "amount": f"{cents // 100}.{cents % 100:02}", "order": order}
            while not self._is_sold(body):
                time.sleep(ASK_AGAIN_S)
            self.bought[order] = (meter, cents * 10_000)
            time.sleep(BUY_AGAIN_S)

    def _is_sold(self, body):
        with suppress(OSError, HTTPException, ValueError):
            status, content = self.up.ask("POST", "/api/v1/vends", body)
            assert status in (200, UNAVAILABLE), content
            self.refused[content["error"]["outcome"] if status != 200 else "none"] += 1
            return status == 200
        return False


@pytest.fixture
def chance():
    seed = int(os.environ.get("PREWATT_TEST_SEED") or int.from_bytes(os.urandom(6), "big"))
    print(f"PREWATT_TEST_SEED={seed}")
    return random.Random(seed)


@pytest.fixture
def server():
    made = DatabaseServer().start()
    made.run("CREATE DATABASE shop")
    yield made
    made.close()


def test_every_order_is_there_once_whoever_is_killed(programs, chance, eventually, server, monkeypatch):
    monkeypatch.setenv("PREWATT_DATABASE", server.url("shop"))
    buyers = Buyers(chance)
    buyers.start(programs.up(speed=SPEED, meters=len(METERS), fork=True))
    kills = list(KILLS)
    chance.shuffle(kills)
    for kind in kills:
        heard = len(buyers.bought)
        eventually(lambda heard=heard: len(buyers.bought) >= heard + BUYERS)
        time.sleep(chance.uniform(0, 0.3))
        if kind != "server":
            buyers.up.kill()
        if kind != "host":
            server.kill()
            time.sleep(chance.uniform(0, 0.5))
            server.start()
        if kind != "server":
            buyers.up = programs.up(speed=SPEED, meters=len(METERS), fork=True)
    buyers.stop()
    up = buyers.up
    eventually(lambda: {each["state"] for each in up.get("/transfers?limit=1000")} <= DONE, deadline_s=120)
    received = {meter: up.face(meter)["received_micro"] for meter in METERS}
    # What it logged while its server was away is told by the server's own tests.
    assert up.stop().code == 0
    audit = programs.json("audit")
    assert (audit["ok"], audit["violations"]) == (True, [])
    orders = programs.json("transfer", "list", "--limit", "1000")
    assert {each["order"]: (each["meter"], each["amount_micro"]) for each in orders} == buyers.bought
    assert {each["state"] for each in orders} == {"confirmed"}
    for meter in METERS:
        assert sum(amount for bought, amount in buyers.bought.values() if bought == meter) == received[meter]
    print(f"{len(orders)} orders, kills: {Counter(kills)}, answers that were refusals: {buyers.refused}")
    assert len(orders) > len(KILLS) * BUYERS
