"""`kill -9` of `up` at fifty random moments: no order is lost or doubled, the books stay clean, and all settles.

The moments are spread over the making of an installation, the start on an old one, sales and cancels from several
threads, and plain running. The seed is printed: a failure can be looked at again with PREWATT_TEST_SEED, though
processes and threads have a will of their own.
"""

import os
import random
import threading
import time
from collections import Counter
from contextlib import suppress
from http.client import HTTPException

import pytest

import prewatt.apps.up  # noqa: F401 - loaded once here and not in every process that is forked from this one

pytestmark = pytest.mark.heavy

FRESH, STARTING, SELLING, RUNNING = 10, 10, 20, 10
METERS = ("000001", "000002", "000003")
SELLERS = 4
SPEED = 3600
SETTLED = {"confirmed", "cancelled"}


class Shop:
    """Sells to a running `up` from several threads, and remembers what it was answered."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.answered: dict[str, tuple[str, int]] = {}
        self.cancels = 0
        self._count = 0

    def sell(self, up, calls: int) -> list[threading.Thread]:
        """Starts threads that sell, and now and then cancel, until ``up`` is gone or all is sold."""
        threads = []
        for _ in range(SELLERS):
            self._count += 1
            chance = random.Random(self.chance.random())
            name = f"order-{self._count}"
            threads.append(threading.Thread(target=self._sell, args=(up, calls, name, chance)))
            threads[-1].start()
        return threads

    def _sell(self, up, calls: int, name: str, chance: random.Random) -> None:
        for number in range(calls):
            order, meter, cents = f"{name}.{number}", chance.choice(METERS), chance.randint(1, 30)
            body = {"meter": meter, "amount": f"{cents // 100}.{cents % 100:02}", "order": order}
            with suppress(OSError, HTTPException):
                status, content = up.ask("POST", "/api/v1/vends", body)
                assert status == 200, content
                self.answered[order] = (meter, cents * 10_000)
                if chance.random() < 0.3:
                    self.cancels += up.ask("POST", f"/api/v1/transfers/{order}/cancel", {})[0] == 200
                continue
            return  # nobody answers any more


@pytest.fixture
def chance():
    seed = int(os.environ.get("PREWATT_TEST_SEED") or int.from_bytes(os.urandom(6), "big"))
    print(f"PREWATT_TEST_SEED={seed}")
    return random.Random(seed)


def check_books(programs, shop):
    """Standing alone: the audit is clean, and every order that was ever answered is there, as it was answered."""
    found = programs.json("audit")
    assert (found["ok"], found["violations"]) == (True, [])
    orders = {each["order"]: each for each in programs.json("transfer", "list", "--limit", "1000")}
    lost = {order for order in shop.answered if order not in orders}
    assert lost == set()
    for order, (meter, amount_micro) in shop.answered.items():
        assert (orders[order]["meter"], orders[order]["amount_micro"]) == (meter, amount_micro)
    return orders


def settle_all(programs, shop, eventually):
    """Lets an `up` run until no order is open; then each meter holds exactly what was confirmed to it."""
    up = programs.up(speed=SPEED, meters=len(METERS), fork=True)
    eventually(lambda: {each["state"] for each in up.get("/transfers?limit=1000")} <= SETTLED, deadline_s=120)
    received = {meter: up.face(meter)["received_micro"] for meter in METERS}
    # What was burned is in the host's books as well before it is compared.
    ended = up.stop()
    assert (ended.code, ended.err) == (0, "")
    orders = check_books(programs, shop)
    for meter in METERS:
        mine = [each for each in orders.values() if each["meter"] == meter and each["state"] == "confirmed"]
        assert sum(each["amount_micro"] for each in mine) == received[meter]
    return orders


def test_an_installation_whose_making_was_killed_comes_up_the_next_time(tmp_path, programs_in, chance, eventually):
    for number in range(FRESH):
        folder = tmp_path / str(number)
        folder.mkdir()
        with programs_in(folder) as programs:
            first = programs.begin_up(speed=SPEED, meters=len(METERS), fork=True)
            time.sleep(chance.uniform(0, 0.6))
            first.kill()
            up = programs.up(speed=SPEED, meters=len(METERS), fork=True)
            up.post("/vends", meter="000001", amount="1.00", order="first")
            eventually(lambda up=up: up.get("/transfers/first")["state"] == "confirmed")
            assert up.face()["received_micro"] == 1_000_000
            assert [meter["id"] for meter in up.get("/meters")] == [*METERS, "C00001"]
            up.kill()
            assert programs.json("audit")["ok"]


def test_no_value_is_lost_or_doubled_by_killing_up_again_and_again(programs, chance, eventually):
    shop, clock_s = Shop(chance), 0
    programs.up(speed=SPEED, meters=len(METERS), fork=True).kill()
    kinds = ["starting"] * STARTING + ["selling"] * SELLING + ["running"] * RUNNING
    chance.shuffle(kinds)
    for kind in kinds:
        if kind == "starting":
            programs.begin_up(speed=SPEED, meters=len(METERS), fork=True)
            time.sleep(chance.uniform(0, 0.4))
            sellers = []
        else:
            up = programs.up(speed=SPEED, meters=len(METERS), fork=True)
            before_s, clock_s = clock_s, up.get("/clock")["now_s"]
            assert clock_s >= before_s, "the clock of the street went back"
            sellers = shop.sell(up, calls=4 if kind == "selling" else 1)
            time.sleep(chance.uniform(0, 0.4 if kind == "selling" else 0.8))
        programs.ups[-1].kill()
        for seller in sellers:
            seller.join()
        check_books(programs, shop)
    orders = settle_all(programs, shop, eventually)
    states = [each["state"] for each in orders.values()]
    print(f"{len(orders)} orders, {len(shop.answered)} answered, {shop.cancels} cancels; in the end:", Counter(states))
    assert states.count("confirmed") > SELLING
