"""The audit finds what was planted, and names the first entity that breaks the law."""

import shutil

import pytest

from prewatt.codec.messages import MessageType
from prewatt.host.folder import DataFolder
from prewatt.host.host import Host
from prewatt.host.store import schema


@pytest.fixture(scope="module")
def busy(world_type, quick_paths):
    """Two meters: sales confirmed, cancelled, burned, refunded and under way, with reports of both meters."""
    world = world_type(quick_paths(), meters=2)
    world.host.vending.vend("000001", "10", order="A")
    world.host.vending.vend("000001", "5", order="B")
    world.host.vending.vend("000002", "8", order="C")
    world.pump()
    world.bodies["000001"].burn(1_000)
    world.now_s += 86_400
    world.pass_line(60_000)
    world.pump()
    world.spoil = lambda payload: [] if payload[0] == MessageType.COMMAND else [payload]
    world.host.vending.vend("000002", "3", order="D")
    world.pump()
    world.host.transfers.cancel("D")
    world.spoil = None
    world.settle(2)
    world.host.vending.vend("000001", "2", order="E")
    world.host.transfers.cancel("E")
    world.host.transfers.refund("E")
    world.bodies.pop("000002")
    world.host.vending.vend("000002", "4", order="F")
    world.pump()
    world.host.vending.vend("000002", "1", order="G")
    world.host.tariffs.set("0.5")
    world.close()
    return world


def tamper(world, *statements):
    """The audit of a copy in which somebody wrote with SQL, triggers dropped."""
    copy = world.path.parent / "tampered"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(world.path, copy)
    place = world.place.copied(copy)
    place.tamper(*statements)
    with Host.open(DataFolder.claim(copy), world.vault, **world._outer() | {"store": place.database}) as host:
        return host.audit.run()


def test_a_clean_house_has_no_violation(busy):
    audit = tamper(busy)
    assert audit.ok
    assert audit.violations == ()
    assert (audit.meters, audit.orders, audit.checked) == (2, 7, 10)
    places = audit.in_wallets_micro + audit.in_transit_micro + audit.delivered_micro + audit.refunded_micro
    assert audit.cash_micro == places == 33_000_000


PLANTS = {
    "a meter's report with more received": (
        "UPDATE reports SET received_micro = received_micro + 1 WHERE number = (SELECT max(number) FROM reports"
        " WHERE meter = '000001')",
        "meter",
        "000001",
        "received = balance",
    ),
    "a report whose balance is not its split": (
        "UPDATE reports SET balance_micro = balance_micro + 5, burned_micro = burned_micro - 5 WHERE number ="
        " (SELECT max(number) FROM reports WHERE meter = '000001')",
        "meter",
        "000001",
        "SVM + tank",
    ),
    "owed beside a balance": (
        "UPDATE reports SET owed_micro = 7, burned_micro = burned_micro + 7 WHERE number ="
        " (SELECT max(number) FROM reports WHERE meter = '000002')",
        "meter",
        "000002",
        "owed only",
    ),
    "burned that went back": (
        "INSERT INTO reports (meter, epoch, last_sequence, balance_micro, svm_micro, tank_micro, exchanger_micro,"
        " received_micro, burned_micro, returned_micro, owed_micro, unit_price_micro, table_digest, relay_causes,"
        " total_pulses, registers, timer_s, at_s) SELECT meter, epoch, last_sequence, received_micro, received_micro,"
        " 0, 0, received_micro, 0, 0, 0, unit_price_micro, table_digest, 0, total_pulses + 5, registers, timer_s, at_s"
        " FROM reports WHERE meter = '000001' AND burned_micro > 0 LIMIT 1",
        "meter",
        "000001",
        "never goes back",
    ),
    "value burned out of nothing, the law kept": (
        "UPDATE reports SET received_micro = received_micro + 9, burned_micro = burned_micro + 9 WHERE number ="
        " (SELECT max(number) FROM reports WHERE meter = '000001')",
        "meter",
        "000001",
        "what its sequences hold",
    ),
    "an account that was topped up": (
        "UPDATE accounts SET credits_micro = credits_micro + 1 WHERE id = 'wallet:000002'",
        "meter",
        "000002",
        "sum of its entries",
    ),
    "an account that vanished": (
        "DELETE FROM accounts WHERE id = 'in_transit:000002'",
        "book",
        "in_transit:000002",
        "",
    ),
    "an entry that vanished": ("DELETE FROM entries WHERE id = 'A/2'", "meter", "000001", ""),
    "an entry with another amount": ("UPDATE entries SET amount_micro = 1 WHERE id = 'B/1'", "meter", "000001", ""),
    "an entry to another meter": (
        "UPDATE entries SET credit = 'wallet:000002' WHERE id = 'A/1'",
        "meter",
        "000001",
        "",
    ),
    "money out of nowhere": (
        "INSERT INTO entries (id, phase, debit, credit, amount_micro, cause, reference, at_s)"
        " VALUES ('X/1', 'single', 'cash', 'wallet:000002', 5, 'gift', 'X', 0)",
        "meter",
        "000002",
        "",
    ),
    "a record that vanished": (
        "DELETE FROM record_file WHERE order_id = 'C'",
        "meter",
        "000002",
        "",
    ),
    "a record with another amount": (
        "UPDATE record_file SET amount_micro = 1 WHERE order_id = 'A'",
        "meter",
        "000001",
        "",
    ),
    "a receipt of another meter": (
        "UPDATE record_file SET receipt = (SELECT receipt FROM record_file WHERE meter = '000002' LIMIT 1)"
        " WHERE order_id = 'A'",
        "meter",
        "000001",
        "is of its meter",
    ),
    "a receipt that cannot be read": (
        "UPDATE record_file SET receipt = x'00' WHERE order_id = 'A'",
        "meter",
        "000001",
        "can be read",
    ),
    "a book that cannot be read": ("UPDATE books SET book = x'7B7D' WHERE meter = '000001'", "meter", "000001", "book"),
    "another book that cannot be read": (
        "UPDATE books SET book = x'7B7D' WHERE meter = '000002'",
        "meter",
        "000002",
        "book",
    ),
    "an order confirmed by nobody": (
        "UPDATE orders SET step = 'confirmed', settled_s = 5 WHERE id = 'F'",
        "order",
        "F",
        "",
    ),
    "an order cancelled that the meter holds": (
        "UPDATE orders SET step = 'cancelled' WHERE id = 'A'",
        "order",
        "A",
        "",
    ),
    "an order with another amount": ("UPDATE orders SET amount_micro = 1 WHERE id = 'B'", "order", "B", "in full"),
    "an order with another tag": ("UPDATE orders SET tag = x'0102030405060708' WHERE id = 'B'", "order", "B", ""),
    "an order under another sequence": ("UPDATE orders SET sequence = sequence + 90 WHERE id = 'B'", "order", "B", ""),
    "an order that says refunded": ("UPDATE orders SET place = 'refunded' WHERE id = 'D'", "meter", "000002", ""),
    "an order whose burn held nothing": (
        "UPDATE record_file SET tag = x'0102030405060708' WHERE what = 'burn'",
        "meter",
        "000002",
        "",
    ),
    "an order that its meter's book calls otherwise": (
        "UPDATE orders SET step = 'refused' WHERE id = 'F'",
        "order",
        "F",
        "in the book of its meter",
    ),
    "a payment that vanished": ("DELETE FROM payments WHERE order_id = 'E'", "order", "E", "one payment"),
    "a payment of less": ("UPDATE payments SET amount_micro = 1 WHERE order_id = 'C'", "order", "C", "in full"),
    "an order that vanished": ("DELETE FROM orders WHERE id = 'G'", "meter", "000002", ""),
    "a move that was not counted": ("UPDATE orders SET moves = moves + 1 WHERE id = 'A'", "order", "A", "gap"),
    "cash that was taken out": (
        "UPDATE accounts SET debits_micro = debits_micro - 5 WHERE id = 'cash'",
        "book",
        "cash",
        "sum of its entries",
    ),
}


@pytest.mark.parametrize("name", PLANTS)
def test_a_planted_break_is_found_and_its_first_entity_named(busy, name):
    statement, entity, identity, law = PLANTS[name]
    audit = tamper(busy, statement)
    assert not audit.ok
    first = audit.violations[0]
    assert (first.entity, first.id) == (entity, identity), first.text
    assert any(law in each.law for each in audit.violations if each.id == identity)
    assert first.text.startswith(f"{entity} {identity}: ")


def test_violations_come_in_the_order_meter_then_order_then_book_each_by_id(busy):
    audit = tamper(
        busy,
        "UPDATE accounts SET debits_micro = debits_micro - 5 WHERE id = 'cash'",
        "UPDATE payments SET amount_micro = 1 WHERE order_id = 'C'",
        "UPDATE payments SET amount_micro = 1 WHERE order_id = 'A'",
        "UPDATE reports SET received_micro = received_micro + 1 WHERE meter = '000002'",
        "UPDATE reports SET received_micro = received_micro + 1 WHERE meter = '000001'",
    )
    ranks = [("meter", "card", "order", "book").index(each.entity) for each in audit.violations]
    assert ranks == sorted(ranks)
    for entity in ("meter", "order"):
        ids = [each.id for each in audit.violations if each.entity == entity]
        assert ids == sorted(ids)
    assert audit.violations[0].id == "000001"
    assert audit.as_dict()["violations"][0]["entity"] == "meter"


@pytest.mark.parametrize("table", ["entries", "record_file", "reports", "payments", "tariffs", "audit_log"])
def test_the_database_refuses_to_change_or_remove_what_was_said(busy, table):
    column = f'"{next(iter(schema.metadata.tables[table].primary_key)).name}"'
    for statement in (f"UPDATE {table} SET {column} = {column}", f"DELETE FROM {table}"):
        with pytest.raises(Exception, match="never changed or removed"):
            busy.place.run(statement)
