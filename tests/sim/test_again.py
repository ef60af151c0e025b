"""Value that follows, asked for again after a restore: what was taken back before is taken back again."""

from types import SimpleNamespace

import pytest

from prewatt.sim.account import Sale
from prewatt.sim.again import carry

ORDER, OTHER = "M-1", "M-2"


class World:
    """Two orders that carried value to a meter and were taken back; the books know what is in ``known``."""

    def __init__(self, known=()):
        self.known, self.cancelled = set(known), []
        transfers = SimpleNamespace(cancel=self.cancelled.append)
        self.installation = SimpleNamespace(host=SimpleNamespace(transfers=transfers))
        sales = {ORDER: Sale("000001", 5, back=True), OTHER: Sale("000001", 6, back=True)}
        self.auditor = SimpleNamespace(sales=sales)

    def rows(self, statement):
        return [order for order in self.known if f"'{order}'" in statement and self.installation.host is not None]

    def call(self, act):
        return act(self.installation.host) if self.installation.host is not None else None

    @property
    def back(self):
        return {name for name, sale in self.auditor.sales.items() if sale.back}


def test_what_is_made_again_is_cancelled_again_and_nothing_else():
    world = World()
    assert carry(world, "000001", lambda _host: world.known.add(ORDER) or "done") == "done"
    assert world.cancelled == [ORDER]
    assert world.back == {OTHER}


def test_what_the_books_still_know_as_taken_back_stays_so():
    world = World(known={ORDER, OTHER})
    assert carry(world, "000001", lambda _host: "done") == "done"
    assert (world.cancelled, world.back) == ([], {ORDER, OTHER})


@pytest.mark.parametrize("meter", ["000001", "000002"])
def test_where_nothing_is_made_nothing_changes(meter):
    world = World()
    carry(world, meter, lambda _host: None)
    assert (world.cancelled, world.back) == ([], {ORDER, OTHER})


def test_a_host_that_is_down_is_not_asked():
    world = World()
    world.installation.host = None
    assert carry(world, "000001", lambda _host: "done") is None
    assert world.back == {ORDER, OTHER}
