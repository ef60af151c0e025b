"""A world with staff, and passwords that cost little: what they cost is tested nowhere but in the vault's tests."""

import pytest

from prewatt.apps.desk import Desk
from prewatt.apps.selling import Selling
from prewatt.host.keys import SealCost
from prewatt.host.staff import passwords
from prewatt.host.staff.actor import owner_of_folder

PASSWORD = "correct horse battery"


@pytest.fixture(autouse=True)
def cheap(monkeypatch):
    monkeypatch.setattr(passwords, "COST", SealCost(time_cost=1, memory_kib=8_192, lanes=1))


class Staff:
    """People of one world, each at a desk of their own."""

    password = PASSWORD

    def __init__(self, world):
        self.world = world

    @property
    def host(self):
        return self.world.host

    def owner(self):
        return Desk(Selling(self.host), owner_of_folder(), "cli root")

    def add(self, name, *roles, password=None):
        self.owner().call("add_user", name=name, roles=list(roles), password=password)
        return self.desk(self.owner().call("add_token", user=name, label="till")["token"])

    def desk(self, token, origin="api 10.0.0.7"):
        actor = self.host.logins.actor_of(token)
        return Desk(Selling(self.host), actor, f"{origin} {actor.via}")


@pytest.fixture
def staff(world):
    return Staff(world)
