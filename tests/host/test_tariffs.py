"""Tariffs: versions, which meters should have them, which have shown that they do."""

import pytest

from prewatt.codec.modetable import DayPlan, ModeTable, Segment, Week, table_digest
from prewatt.host.refusals import RefusalOutcome, RefusedError
from prewatt.units import ValueFieldError

TABLE = ModeTable(0, 0, (50, 150), (DayPlan((Segment(0, 0), Segment(24, 1))),), Week(0, 0, 0, 0))


def test_a_tariff_is_sent_to_every_meter_and_confirmed_by_its_digest(make_world):
    world = make_world(meters=3)
    world.pump()
    lost = world.bodies.pop("000003")
    made = world.host.tariffs.set("0.315", table=TABLE)
    assert (made.version, made.unit_price_micro, made.meters, made.confirmed) == (1, 315_000, 3, 0)
    world.settle(2)
    seen = world.host.tariffs.read()
    assert (seen.confirmed, seen.waiting) == (2, ("000003",))
    body = world.bodies["000001"]
    assert table_digest(body.table, body.price).hex() == seen.digest
    assert world.host.tariffs.read_table(1).percents == (50, 150)
    assert [each.confirmed for each in world.host.tariffs.read_meters(1)] == [True, True, False]
    world.bodies["000003"] = lost
    world.settle(2)
    assert world.host.tariffs.read().confirmed == 3


def test_the_newest_tariff_wins_over_one_that_still_waits(world):
    world.pump()
    body = world.bodies.pop("000001")
    world.host.tariffs.set("0.3")
    world.host.tariffs.set("0.4")
    world.bodies["000001"] = body
    world.settle(2)
    assert body.price == 400_000
    assert [each.version for each in world.host.tariffs.read_all()] == [1, 2]
    assert [each.meters for each in world.host.tariffs.read_all()] == [0, 1]
    assert [each.state for each in world.host.controls.read("000001")] == ["done", "dropped"]


def test_a_meter_that_shows_another_table_gets_its_own_again(world):
    world.host.tariffs.set("0.3")
    world.settle(1)
    body = world.bodies["000001"]
    body.table, body.price = b"", 1
    world.now_s += world.settings.poll_s
    world.pass_line(60_000)
    world.settle(2)
    assert body.price == 300_000


def test_a_tariff_may_be_for_some_meters_only(make_world):
    world = make_world(meters=2)
    world.host.tariffs.set("0.3", meters=["000002"])
    world.settle(1)
    assert world.bodies["000001"].price == 250_000
    assert world.bodies["000002"].price == 300_000


@pytest.mark.parametrize("price", ["", "-1", "0", "0.1234567", "nan", "1e9", "9" * 20])
def test_a_price_that_is_none_changes_nothing(world, price):
    with pytest.raises(ValueFieldError, match="unit_price"):
        world.host.tariffs.set(price)
    assert world.host.tariffs.read_all() == []


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"meters": ["000009"]}, "meters"),
        ({"meters": ["x"]}, "meter"),
        ({"valid_from_s": -1}, "valid_from_s"),
        ({"valid_from_s": 2**32}, "valid_from_s"),
    ],
)
def test_what_is_not_allowed_is_refused_by_name(world, fields, field):
    with pytest.raises(RefusedError) as caught:
        world.host.tariffs.set("0.3", **fields)
    assert caught.value.field == field
    assert world.host.tariffs.read_all() == []


def test_there_is_no_tariff_before_the_first(world):
    for ask in (world.host.tariffs.read, lambda: world.host.tariffs.read(3), lambda: world.host.tariffs.read_table(1)):
        with pytest.raises(RefusedError) as caught:
            ask()
        assert caught.value.outcome is RefusalOutcome.NO_TARIFF
