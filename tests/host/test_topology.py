"""Areas and stations: numbers, ids, limits; kinds of meters; and a meter that moves."""

import pytest
from sqlalchemy import insert, select

from prewatt.codec.bodies import RelayOrder
from prewatt.host.refusals import RefusalOutcome, RefusedError
from prewatt.host.registry import Enrolment
from prewatt.host.store import schema
from prewatt.units import BELOW_MAX


def refused(call, *given, **named):
    with pytest.raises(RefusedError) as error:
        call(*given, **named)
    return error.value.outcome


def rows(world, table):
    with world.host.context.store.reading() as connection:
        return connection.execute(select(table)).all()


def fill(world, table, rows):
    world.host.context.store.write(lambda writing: writing.connection.execute(insert(table), rows))


def test_a_new_installation_has_one_area_with_one_station_at_address_zero(world):
    (area,) = world.host.topology.read_areas()
    assert (area.area, area.number, area.stations, area.heard_s) == ("A1", 0, 1, None)
    assert world.host.topology.read_station("S1").address == "0.0"


def test_numbers_are_the_lowest_that_are_free_or_those_that_are_asked_for(world):
    topology = world.host.topology
    assert topology.add_area("West", number=7).number == 7
    assert topology.add_area("East").number == 1
    assert topology.add_station("W1", "West").address == "7.0"
    assert topology.add_station("W9", "West", number=9, name="the mill").address == "7.9"
    assert topology.add_station("W2", "West").address == "7.1"
    assert topology.read_area("West").stations == 3
    assert [each.station for each in topology.read_stations(area="West")] == ["W1", "W2", "W9"]


def test_what_is_there_already_is_answered_and_what_differs_is_refused(world):
    topology = world.host.topology
    assert topology.add_station("S1", "A1", number=0).meters == 1
    other = RefusalOutcome.EXISTS_WITH_DIFFERENT_FIELDS
    assert refused(topology.add_station, "S1", "A2") is other
    assert refused(topology.add_station, "S1", "A1", number=4) is other
    assert refused(topology.add_area, "A1", number=4) is other
    assert [each.area for each in topology.read_areas()] == ["A1"]


@pytest.mark.parametrize("number", [-1, BELOW_MAX, True])
def test_a_number_that_is_no_byte_is_refused(world, number):
    assert refused(world.host.topology.add_area, "B", number=number) is RefusalOutcome.BAD_FIELD
    assert refused(world.host.topology.add_station, "T", number=number) is RefusalOutcome.BAD_FIELD


def test_a_number_that_is_taken_is_refused(world):
    assert refused(world.host.topology.add_area, "B", number=0) is RefusalOutcome.NUMBER_TAKEN
    assert refused(world.host.topology.add_station, "T", number=0) is RefusalOutcome.NUMBER_TAKEN


def test_256_stations_stand_below_an_area_and_256_areas_below_the_host_and_no_more(world):
    fill(world, schema.stations, [{"id": f"T{n}", "area": "A1", "number": n} for n in range(1, BELOW_MAX - 1)])
    assert world.host.topology.add_station("last").number == BELOW_MAX - 1
    assert refused(world.host.topology.add_station, "more") is RefusalOutcome.AREA_FULL
    fill(world, schema.areas, [{"id": f"B{n}", "number": n} for n in range(1, BELOW_MAX - 1)])
    assert world.host.topology.add_area("last").number == BELOW_MAX - 1
    assert refused(world.host.topology.add_area, "more") is RefusalOutcome.AREAS_FULL
    assert refused(world.host.topology.add_station, "S9", "more") is RefusalOutcome.AREAS_FULL


def test_a_name_changes_and_an_id_does_not(world):
    topology = world.host.topology
    assert topology.rename_station("S1", " Mill Street ").name == "Mill Street"
    assert topology.rename_area("A1", "North").name == "North"
    assert refused(topology.rename_station, "S9", "x") is RefusalOutcome.UNKNOWN_STATION
    assert refused(topology.rename_area, "A9", "x") is RefusalOutcome.UNKNOWN_AREA
    assert refused(topology.rename_area, "A1", "\n") is RefusalOutcome.BAD_FIELD
    assert [row.action for row in rows(world, schema.audit_log)][-2:] == ["station rename", "area rename"]


def test_a_line_is_a_known_profile_or_none(world):
    assert world.host.topology.set_line("S1", "powerline-2400").line == "powerline-2400"
    assert refused(world.host.topology.set_line, "S1", "barbed wire") is RefusalOutcome.BAD_FIELD
    assert world.host.topology.read_station("S1").line == "powerline-2400"
    assert world.host.topology.set_line("S1", "").line == ""


def test_nothing_is_sold_to_a_current_transformer_and_it_is_ordered_nothing_that_it_has_not(world):
    found = world.host.registry.enrol(Enrolment("0000C7", kind="ct"))
    assert found.kind == "ct"
    assert refused(world.host.vending.vend, "0000C7", "1") is RefusalOutcome.NOT_SOLD_TO
    assert refused(world.host.controls.send_text, "0000C7", "hello") is RefusalOutcome.NOT_SOLD_TO
    assert refused(world.host.controls.order_relay, "0000C7", RelayOrder.OPEN) is RefusalOutcome.NOT_SOLD_TO
    world.host.tariffs.set("0.25")
    assert world.host.controls.read("0000C7") == []
    assert world.host.registry.read_meter("0000C7").tariff_version is None
    assert refused(world.host.registry.enrol, Enrolment("0000C8", kind="gas")) is RefusalOutcome.BAD_FIELD
    assert world.host.audit.run().ok


def test_moving_a_meter_changes_its_place_alone_and_is_in_the_audit_log(world):
    world.pump()
    world.host.vending.vend("000001", "10", order="A")
    world.pump()
    world.host.topology.add_station("S2")
    before = world.host.registry.read_meter("000001")
    entries, books = rows(world, schema.entries), rows(world, schema.books)
    moved = world.host.topology.move_meter("000001", "S2", m_id=9, reason="new pole")
    assert (moved.station, moved.m_id) == ("S2", 9)
    assert (rows(world, schema.entries), rows(world, schema.books)) == (entries, books)
    assert moved.as_dict() | {"station": "S1", "m_id": before.m_id} == before.as_dict()
    (action,) = [row for row in rows(world, schema.audit_log) if row.action == "meter move"]
    assert action.detail == "from S1, modem address 0, to S2, modem address 9: new pole"
    world.host.vending.vend("000001", "5", order="B")
    world.pump()
    assert world.bodies["000001"].money.received_micro == 15_000_000


def test_a_move_is_refused_where_there_is_no_place(make_world):
    world = make_world(meters=2)
    move = world.host.topology.move_meter
    assert refused(move, "000001", "S9", reason="x") is RefusalOutcome.UNKNOWN_STATION
    assert refused(move, "0000AA", "S1", reason="x") is RefusalOutcome.UNKNOWN_METER
    assert refused(move, "000001", "S1", reason="x") is RefusalOutcome.BAD_FIELD
    assert refused(move, "000001", "S1", m_id=1, reason="x") is RefusalOutcome.M_ID_TAKEN
    assert refused(move, "000001", "S1", m_id=256, reason="x") is RefusalOutcome.BAD_FIELD
    assert refused(move, "000001", "S1", m_id=5, reason=" ") is RefusalOutcome.BAD_FIELD
    assert move("000001", "S1", m_id=5, reason="the modem was changed").m_id == 5


def test_a_full_station_takes_no_meter_that_moves(make_world):
    world = make_world(meters=1)
    world.host.topology.add_station("S2")
    row = {"station": "S2", "suite": "aes-2026", "account": "open", "made_s": 0}
    fill(world, schema.meters, [row | {"id": f"{n + 0x100:06X}", "m_id": n} for n in range(BELOW_MAX)])
    move = world.host.topology.move_meter
    assert refused(move, "000001", "S2", reason="x") is RefusalOutcome.STATION_FULL
    assert world.host.registry.read_meter("000001").station == "S1"


def test_reports_of_one_day_are_pruned_and_one_a_day_stays_for_ever(world):
    world.pump()
    body = world.bodies["000001"]
    world.host.vending.vend("000001", "10")
    world.pump()
    for day in range(3):
        for hour in range(0, 24, 3):
            body.clock_s = world.now_s = 1_772_323_200 + day * 86_400 + hour * 3_600
            body.burn(10)
            world.say("000001", body.report()[0])
    days = [row.timer_s // 86_400 for row in rows(world, schema.reports) if row.timer_s >= 1_772_323_200]
    assert len(days) <= 3 + 1
    assert set(days) == {1_772_323_200 // 86_400 + day for day in range(3)}
    newest = rows(world, schema.reports)[-1]
    assert world.host.registry.read_meter("000001").burned_micro == newest.burned_micro
    assert world.host.audit.run().ok
