"""Whoever owns the database and writes with SQL is found by the chain: each entry is named, on both databases."""

import shutil

import pytest

from prewatt.host.folder import DataFolder
from prewatt.host.host import Host


@pytest.fixture(scope="module")
def sold(world_type, quick_paths):
    """Four sales and a cancelled one, and the entries that stand in no order of their own."""
    world = world_type(quick_paths(), meters=2)
    for number in range(4):
        world.host.vending.vend(f"00000{number % 2 + 1}", "10", order=f"O{number}")
        world.pump()
    world.close()
    return world


def audit_of(world, *statements):
    """The audit of a copy in which somebody wrote with SQL, triggers dropped."""
    copy = world.path.parent / "tampered"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(world.path, copy)
    place = world.place.copied(copy)
    place.tamper(*statements)
    with Host.open(DataFolder.claim(copy), world.vault, **world._outer() | {"store": place.database}) as host:
        return host.audit.run()


def chained(audit):
    """What the chain says: those violations that no sum could show are among them."""
    words = ("was committed", "is kept", "as it was committed", "hash of their link", "without a gap", "marks are")
    return [each for each in audit.violations if each.entity == "book" and any(word in each.law for word in words)]


def test_nothing_is_found_where_nothing_was_done(sold):
    audit = audit_of(sold)
    assert audit.ok
    assert audit.entries == sum(count for (count,) in sold.place.run("SELECT count(*) FROM entries"))
    assert audit.chain_links > 0
    assert len(audit.chain_head) == 64


PLANTS = {
    "words for people that were changed": ("UPDATE entries SET cause = 'gift' WHERE id = 'O2/1'", "O2/1"),
    "a date that was changed": ("UPDATE entries SET at_s = at_s - 86400 WHERE id = 'O1/3'", "O1/3"),
    "an amount that was changed": ("UPDATE entries SET amount_micro = 7 WHERE id = 'O1/1'", "O1/1"),
    "an account of no kind": ("UPDATE entries SET debit = 'nonsense:1' WHERE id = 'O1/2'", "O1/2"),
    "another id": ("UPDATE entries SET id = 'O9/1' WHERE id = 'O0/1'", "O9/1"),
    "another number": ("UPDATE entries SET number = number + 900 WHERE id = 'O3/4'", None),
    "an entry that was removed": ("DELETE FROM entries WHERE id = 'O3/1'", None),
    "an entry that was added": (
        "INSERT INTO entries (id, phase, debit, credit, amount_micro, cause, reference, at_s)"
        " VALUES ('X/1', 'single', 'cash', 'wallet:000002', 5, 'gift', 'X', 0)",
        "X/1",
    ),
    "an entry that was added before all others": (
        "INSERT INTO entries (number, id, phase, debit, credit, amount_micro, cause, reference, at_s)"
        " VALUES (-4, 'X/1', 'single', 'cash', 'wallet:000002', 5, 'gift', 'X', 0)",
        "X/1",
    ),
    "a link that was changed": ("UPDATE chain SET hash = x'00' WHERE number = 1", "link 1"),
    "marks alone that were changed": ("UPDATE chain SET marks = x'00' WHERE number = 2", "link 2"),
    "another first entry": ("UPDATE chain SET first_entry = first_entry - 1 WHERE number = 2", "link 2"),
    "marks that were changed": (
        "UPDATE chain SET marks = x'00', hash = x'00' WHERE number = 2",
        None,
    ),
}


@pytest.mark.parametrize("name", PLANTS)
def test_what_was_planted_is_found_and_its_entry_is_named_first(sold, name):
    statement, named = PLANTS[name]
    numbers = dict(sold.place.run("SELECT id, number FROM entries"))
    if named is None:
        wanted = {"O3/4": numbers["O3/4"], "O3/1": numbers["O3/1"]}
        hit = next((number for entry, number in wanted.items() if entry in statement), None)
        named = None if hit is None else f"entry {hit}"
    audit = audit_of(sold, statement)
    assert not audit.ok
    found = chained(audit)
    assert found
    assert named is None or found[0].id == named


def test_several_that_were_changed_are_all_named(sold):
    audit = audit_of(sold, "UPDATE entries SET cause = 'gift' WHERE id IN ('O1/2', 'O2/2', 'O3/2')")
    assert [each.id for each in chained(audit)] == ["O1/2", "O2/2", "O3/2"]


def test_a_link_that_was_removed_is_named_with_the_entries_it_held(sold):
    audit = audit_of(sold, "DELETE FROM chain WHERE number = 2")
    assert "link 2" in [each.id for each in chained(audit)]


@pytest.mark.parametrize("table", ["chain", "closes"])
def test_the_database_refuses_to_change_or_remove_what_proves_it(world, table):
    world.host.vending.vend("000001", "10", order="O")
    world.pump()
    world.now_s += 3 * 86_400
    world.host.periods.close("2026-03-01")
    world.close()
    for statement in (f"UPDATE {table} SET number = number", f"DELETE FROM {table}"):
        with pytest.raises(Exception, match="never changed or removed"):
            world.place.run(statement)


def test_what_is_no_text_and_no_number_is_named_and_not_stumbled_over(sold):
    if sold.place.kind != "sqlite":
        pytest.skip("the other database takes no such value")
    for column in ("id", "debit", "credit", "amount_micro", "cause", "reference", "at_s"):
        audit = audit_of(sold, f"UPDATE entries SET {column} = x'00ff' WHERE number = 2")
        assert any("entry 2 is as it was committed" in each.law for each in chained(audit)), column
    for column in ("first_entry", "last_entry", "marks", "hash"):
        assert chained(audit_of(sold, f"UPDATE chain SET {column} = 'nothing' WHERE number = 2")), column
