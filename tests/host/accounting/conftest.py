"""A shop with two meters and a few days of sales."""

import pytest

DAY_S = 86_400


@pytest.fixture(scope="module")
def shop(world_type, quick_paths):
    """2026-03-01: two sales; 2026-03-02: one, cancelled and refunded; 2026-03-03: one under way."""
    world = world_type(quick_paths(), meters=2, zone="Europe/Paris")
    world.host.vending.vend("000001", "10", order="A")
    world.host.vending.vend("000002", "8.5", order="B")
    world.pump()
    world.now_s += DAY_S
    world.host.vending.vend("000001", "2", order="C")
    world.host.transfers.cancel("C")
    world.host.transfers.refund("C")
    world.now_s += DAY_S
    world.bodies.pop("000002")
    world.host.vending.vend("000002", "4", order="D")
    world.pump()
    yield world
    world.close()
