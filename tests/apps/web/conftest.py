"""A small fake of what the pages ask, and the application of the pages upon it."""

import warnings
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI

from prewatt.apps.api.access import COOKIE, Access
from prewatt.apps.api.errors import add_error_handlers
from prewatt.apps.web import add_pages
from prewatt.host.refusals import RefusalOutcome, RefusedError, StoreError
from prewatt.units import ValueFieldError, parse_value

with warnings.catch_warnings():
    # Newer versions would have another client beneath; the one we have does the same.
    warnings.simplefilter("ignore")
    from fastapi.testclient import TestClient

TOKEN = "a-token-of-this-run"
NOON_S = 1_772_366_400
KEYS = set("0123456789*#ABCD!")


def make_face(number: int, **given: Any) -> dict[str, Any]:
    balance_micro = 12_345_678
    face = {
        "id": f"{number:06X}",
        "m_id": number,
        "lcd": ["Balance".ljust(20), "12.34".rjust(20), " " * 20, "supplying".ljust(20)],
        "state": "supplying",
        "relay_closed": True,
        "relays_closed": [True],
        "causes": [],
        "buzzing": "silent",
        "balance_micro": balance_micro,
        "svm_micro": balance_micro - 45_678,
        "tank_micro": 40_000,
        "exchanger_micro": 5_678,
        "received_micro": 20_000_000,
        "burned_micro": 7_654_322,
        "returned_micro": 0,
        "owed_micro": 0,
        "unit_price_micro": 250_000,
        "step_percent": 100,
        "quality_percent": 100,
        "price_micro": 250_000,
        "power_w": 1_234,
        "minute_pulses": 5,
        "day_pulses": 41_234,
        "month_pulses": 812_345,
        "total_pulses": 9_123_456,
        "clock_s": NOON_S,
        "clock_stamp": "260301120000",
        "last_sequence": (1 << 24) + 5,
        "last_amount_micro": 10_000_000,
        "last_control": 3,
        "commissioned": True,
        "table_version": 2,
        "waiting_version": None,
        "events_waiting": 0,
        "alarms_waiting": 0,
        "notice": "",
        "messages": [],
    }
    return face | given


class FakeSource:
    """Three meters; sales stay pending until `settle` is called."""

    def __init__(self) -> None:
        self.street = {face["id"]: face for face in (make_face(number) for number in (1, 2, 3))}
        self.orders: dict[str, dict[str, Any]] = {}
        self.pressed: list[tuple[str, str]] = []
        self.reads = 0
        self.now_speed = 600
        self.broken: Exception | None = None

    def faces(self) -> list[dict[str, Any]]:
        if self.broken:
            raise self.broken
        return list(self.street.values())

    def face(self, meter: str) -> dict[str, Any]:
        try:
            return self.street[meter.upper()]
        except KeyError:
            raise ValueFieldError("meter", meter, "a meter of this street") from None

    def clock_s(self) -> int:
        return NOON_S

    def speed(self) -> int:
        return self.now_speed

    def set_speed(self, speed: int) -> None:
        self.now_speed = speed

    def press(self, meter: str, keys: str) -> dict[str, Any]:
        face = self.face(meter)
        if not keys or set(keys) - KEYS:
            raise ValueFieldError("keys", keys, "1 to 64 of 0123456789*#ABCD!")
        self.pressed.append((face["id"], keys))
        return face

    def acting(self, actor: object, origin: str) -> "FakeSource":
        return self

    def sell(self, meter: str, amount: str, order: str | None = None) -> dict[str, Any]:
        if meter == "000003":
            raise RefusedError(RefusalOutcome.METER_CLOSED, "meter", meter, "a meter that is not closed")
        amount_micro = parse_value(amount)
        assert order is not None
        existed = order in self.orders
        vend = {"order": order, "transfer": "1", "state": "pending", "meter": meter, "amount_micro": amount_micro}
        return self.orders.setdefault(order, vend) | {"existed": existed}

    def read_transfer(self, order: str) -> dict[str, Any]:
        self.reads += 1
        if self.broken:
            raise StoreError("the disk is full")
        return self.orders[order]

    def settle(self, state: str) -> None:
        for order in self.orders.values():
            order["state"] = state


@pytest.fixture
def source() -> FakeSource:
    return FakeSource()


@pytest.fixture
def app(source: FakeSource) -> FastAPI:
    app = FastAPI(docs_url=None, redoc_url=None)
    add_error_handlers(app)

    @app.get("/healthz")
    def health() -> dict[str, bool]:
        return {"ok": True}

    @app.post("/api/v1/vends")
    def vends() -> dict[str, bool]:
        return {"ok": True}

    add_pages(app, Access(TOKEN), source)
    return app


@pytest.fixture
def stranger(app: FastAPI) -> Iterator[TestClient]:
    """A browser without the key."""
    with TestClient(app, follow_redirects=False, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def browser(stranger: TestClient) -> TestClient:
    """A browser that has opened the printed address, and says where its requests come from."""
    stranger.cookies.set(COOKIE, TOKEN)
    stranger.headers["sec-fetch-site"] = "same-origin"
    return stranger


@pytest.fixture
def token() -> str:
    return TOKEN
