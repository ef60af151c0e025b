"""What the database itself refuses, whoever asks; the same words from both kinds."""

import pytest

COLUMNS = (
    "meter, epoch, last_sequence, balance_micro, svm_micro, tank_micro, exchanger_micro, received_micro, burned_micro,"
    " returned_micro, owed_micro, unit_price_micro, table_digest, relay_causes, total_pulses, registers, timer_s, at_s"
)


def test_the_last_report_of_a_day_cannot_be_removed_and_an_earlier_one_can(world):
    world.pump()
    for part in world.bodies["000001"].report():
        world.say("000001", part)
    ((last,),) = world.place.run("SELECT max(number) FROM reports")
    world.close()
    with pytest.raises(Exception, match="the last of a day is never changed or removed"):
        world.place.run(f"DELETE FROM reports WHERE number = {last}")
    copied = f"INSERT INTO reports ({COLUMNS}) SELECT {COLUMNS} FROM reports WHERE number = {last}"
    world.place.run("DELETE FROM standings")
    world.place.run(copied)
    world.place.run(f"DELETE FROM reports WHERE number = {last}")
    assert world.place.run(f"SELECT count(*) FROM reports WHERE number = {last}") == [(0,)]


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO entries (id, phase, debit, credit, amount_micro, cause, reference, at_s)"
        " VALUES ('x', 'single', 'cash', 'cash', 5, '', '', 1)",
        "INSERT INTO mark (one, generation, commits) VALUES (2, 1, 0)",
        "INSERT INTO meter_keys (meter, key_set, state) VALUES ('000001', 256, 'confirmed')",
        "INSERT INTO areas (id, number) VALUES ('Z', 256)",
        "UPDATE orders SET step = 'nowhere'",
    ],
)
def test_a_row_that_breaks_a_rule_is_refused(world, statement):
    world.host.vending.vend("000001", "1")
    before = world.place.run("SELECT id FROM orders")
    with pytest.raises(Exception, match=r"(?i)constraint"):
        world.place.run(statement)
    assert world.place.run("SELECT id FROM orders") == before
