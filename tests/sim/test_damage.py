"""A last commit that rots in the log is gone like a torn one; the auditor knows, however often the host dies there."""

from random import Random

import pytest

from prewatt.sim.history import ViolationError
from prewatt.sim.looking import DATABASE
from prewatt.sim.platter import SECTOR_BYTES
from prewatt.sim.world import World
from prewatt.units import parse_value

LOG = DATABASE + "-wal"


def sell(world, order):
    """A sale that was answered, and is the last commit."""
    world.auditor.sold(order, "000001", parse_value("5.00", digits=2))
    world.call(lambda host: host.vending.vend("000001", "5.00", order=order))
    world.auditor.answered(order)


def orders(world):
    return [order for (order,) in world.rows("SELECT id FROM orders")]


def rot(world):
    """The newest frame of the log is not what it was."""
    file = world.disk.files[LOG]
    file.spoil(len(file.content) - SECTOR_BYTES, bytes(SECTOR_BYTES))


@pytest.fixture
def world():
    made = World(7, meters=1)
    made.run_until(60_000)
    sell(made, "kept")
    yield made
    made.close()


@pytest.mark.parametrize("dies_in", [None, 0, 1, 2, 3, 5, 8])
def test_the_last_commit_may_rot_away_though_the_host_dies_again_as_it_starts(world, dies_in):
    sell(world, "lost")
    rot(world)
    world.installation.end(Random(1))
    world.disk.fault.crash_in = dies_in
    world.trouble.start()
    world.run_until(300_000)
    assert orders(world) == ["kept"]
    assert world.trouble.restores == 1
    sell(world, "next")
    world.installation.end(Random(2))
    world.trouble.start()
    assert world.trouble.restores == 1


def test_an_answer_that_no_damage_took_away_is_missed(world):
    sell(world, "lost")
    before = world.installation.back_up()
    world.auditor.answered("never")
    world.installation.end(Random(1))
    world.installation.put_back(before)
    with pytest.raises(ViolationError, match=r"'never'.* were answered, and are gone"):
        world.trouble.start()
