"""A line that somebody took away, changed or put in by SQL is found, and named."""

import shutil

import pytest
from tests.host.plans.making import give

from prewatt.host.folder import DataFolder
from prewatt.host.host import Host


@pytest.fixture(scope="module")
def sold(world_type, quick_paths):
    world = world_type(quick_paths())
    give(world)
    world.pump()
    world.host.vending.vend("000001", "40.00", order="A")
    world.pump()
    world.host.vending.vend("000001", "40.00", order="B")
    world.host.transfers.cancel("B")
    world.settle(1)
    world.host.transfers.refund("B")
    world.close()
    return world


def tampered(world, *statements):
    copy = world.path.parent / "tampered"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(world.path, copy)
    place = world.place.copied(copy)
    place.tamper(*statements)
    with Host.open(DataFolder.claim(copy), world.vault, **world._outer() | {"store": place.database}) as host:
        return host.audit.run()


def test_a_clean_house_has_no_violation(sold):
    assert tampered(sold).violations == ()


TAX, FOURTH = "WHERE id = 'A/line/4'", "WHERE order_id = 'A' AND place = 4"
SUMS = "its lines sum to what was paid"
PLANTS = {
    "an entry that is gone": (f"DELETE FROM entries {TAX}", "A", "line tax VAT is in the books"),
    "an entry of another amount": (f"UPDATE entries SET amount_micro = 1 {TAX}", "A", "line tax VAT"),
    "an entry to another account": (
        f"UPDATE entries SET credit = 'cash', debit = 'levy:levy' {TAX}",
        "A",
        "line tax VAT",
    ),
    "a line that is gone": (
        f"DELETE FROM rate_lines {FOURTH}",
        "A",
        "its lines sum to what was paid",
    ),
    "a line of another amount": (
        f"UPDATE rate_lines SET amount_micro = 5 {FOURTH}",
        "A",
        "its lines sum to",
    ),
    "a line that was not paid back": (
        "DELETE FROM entries WHERE id = 'B/line/3/back'",
        "B",
        "paid back is in",
    ),
    "a payment of another amount": (
        "UPDATE payments SET amount_micro = 41000000 WHERE order_id = 'A'",
        "A",
        "was paid in full",
    ),
    "a sale of another value": ("UPDATE rate_sales SET value_micro = 5 WHERE order_id = 'A'", "A", "carries the value"),
    "a sale that is gone": ("DELETE FROM rate_sales WHERE order_id = 'A'", "A", "its lines are of a sale"),
    "an entry that no line has": (
        "INSERT INTO entries (id, phase, debit, credit, amount_micro, cause, reference, at_s)"
        " VALUES ('A/line/9', 'single', 'cash', 'tax:VAT', 5, '', 'A', 1)",
        "A",
        "entry A/line/9 is of one of its lines",
    ),
    "tax out of nowhere": (
        "INSERT INTO entries (id, phase, debit, credit, amount_micro, cause, reference, at_s)"
        " VALUES ('x', 'single', 'cash', 'tax:VAT', 5, '', 'nobody', 1)",
        "tax:VAT",
        "account holds the lines",
    ),
}


@pytest.mark.parametrize("plant", PLANTS.values(), ids=PLANTS)
def test_what_is_planted_is_named(sold, plant):
    statement, name, law = plant
    found = [(each.id, each.law) for each in tampered(sold, statement).violations]
    assert any(each == name and law in told for each, told in found), found
