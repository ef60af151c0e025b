"""A PostgreSQL database put back with PostgreSQL's own programs is recognised as a restored one."""

import pytest
from tests.host.databases import Servers

from prewatt.host.answers import MeterState


@pytest.fixture(scope="module")
def servers():
    made = Servers()
    yield made
    made.close()


@pytest.fixture
def world(world_class, servers, quick_paths):
    made = world_class(quick_paths(), servers.place)
    yield made
    made.close()
    made.place.drop()


def put_back(world, dump):
    name, server = world.place.name, world.place.server
    world.close()
    server.run(f"DROP DATABASE {name}")
    server.run(f"CREATE DATABASE {name} TEMPLATE template0")
    server.restore(name, dump)
    world.reopen()


def state(world):
    return world.host.registry.read_meter("000001").state


def test_a_dump_that_was_put_back_is_fenced_and_one_that_lost_nothing_is_not(world, tmp_path):
    world.pump()
    dump = tmp_path / "dump"
    # While the host works: a dump is one moment of it.
    world.place.server.dump(world.place.name, dump)
    put_back(world, dump)
    assert state(world) is MeterState.ACTIVE
    world.host.vending.vend("000001", "10", order="forgotten")
    world.pump()
    put_back(world, dump)
    assert state(world) is MeterState.UNSYNCED
    world.settle(3)
    assert [each.amount_micro for each in world.host.transfers.read_suspense()] == [10_000_000]
    assert world.bodies["000001"].money.received_micro == 10_000_000


def test_a_dump_keeps_the_rules_of_tables_that_only_grow(world, tmp_path):
    world.host.vending.vend("000001", "10")
    dump = tmp_path / "dump"
    world.place.server.dump(world.place.name, dump)
    put_back(world, dump)
    with pytest.raises(Exception, match="entries: rows are never changed or removed"):
        world.place.run("UPDATE entries SET amount_micro = 1")
    world.host.vending.vend("000001", "5")
    assert world.host.audit.run().ok
