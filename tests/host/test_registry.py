"""Enrolling: every field checked, nothing changed by what is refused."""

import pytest

from prewatt.host.answers import MeterState
from prewatt.host.refusals import RefusalOutcome, RefusedError
from prewatt.host.registry import Enrolment
from prewatt.host.topology import METERS_PER_STATION_MAX


def enrol(world, meter="0000AA", **fields):
    return world.host.registry.enrol(Enrolment(meter, **fields))


def test_a_meter_is_enrolled_with_what_is_given_and_what_is_free(world):
    made = enrol(world, "0000aa", customer="C1", customer_name="Ada", premises="P1", address="1 Mill Lane")
    assert (made.id, made.m_id, made.station, made.area, made.key_sets) == ("0000AA", 1, "S1", "A1", (0, 1))
    assert (made.state, made.customer, made.premises) == (MeterState.NEW, "C1", "P1")
    assert (made.relay, made.balance_micro, made.reported_s) == ("open", 0, None)
    assert enrol(world, "0000AB", m_id=7, customer="C1").m_id == 7
    assert enrol(world, "0000AC").m_id == 2
    assert [each.id for each in world.host.registry.read_meters()] == ["000001", "0000AA", "0000AB", "0000AC"]


@pytest.mark.parametrize(
    ("fields", "outcome", "field"),
    [
        ({"meter": "000000"}, RefusalOutcome.BAD_FIELD, "meter"),
        ({"meter": "FFFFFF"}, RefusalOutcome.BAD_FIELD, "meter"),
        ({"meter": "xyz"}, RefusalOutcome.BAD_FIELD, "meter"),
        ({"meter": "000001"}, RefusalOutcome.METER_EXISTS, "meter"),
        ({"m_id": 0}, RefusalOutcome.M_ID_TAKEN, "m_id"),
        ({"m_id": -1}, RefusalOutcome.BAD_FIELD, "m_id"),
        ({"m_id": 256}, RefusalOutcome.BAD_FIELD, "m_id"),
        ({"station": "S9"}, RefusalOutcome.UNKNOWN_STATION, "station"),
        ({"suite": "aes-2025"}, RefusalOutcome.BAD_FIELD, "suite"),
        ({"suite": "tdes-1998"}, RefusalOutcome.NO_KEY_SET, "key_sets"),
        ({"key_sets": (0, 9)}, RefusalOutcome.NO_KEY_SET, "key_sets"),
        ({"key_sets": ()}, RefusalOutcome.NO_KEY_SET, "key_sets"),
        ({"customer": "a b"}, RefusalOutcome.BAD_FIELD, "customer"),
        ({"customer": "C1", "customer_name": "\x07"}, RefusalOutcome.BAD_FIELD, "name"),
        ({"premises": "P1", "address": "x" * 201}, RefusalOutcome.BAD_FIELD, "address"),
    ],
)
def test_what_is_not_allowed_is_refused_by_name_and_changes_nothing(world, fields, outcome, field):
    before = world.host.registry.read_meters()
    with pytest.raises(RefusedError) as caught:
        enrol(world, **fields)
    assert (caught.value.outcome, caught.value.field) == (outcome, field)
    assert str(caught.value).startswith(f"{field}: ")
    assert world.host.registry.read_meters() == before


def test_the_ceiling_of_meters_holds_at_it_and_one_past_it(make_world):
    world = make_world(meters=2, meters_ceiling=3)
    enrol(world, "000003")
    with pytest.raises(RefusedError, match="at most 3") as caught:
        enrol(world, "000004")
    assert caught.value.outcome is RefusalOutcome.METERS_CEILING


def test_a_station_has_256_modem_addresses_and_no_more(world):
    meters = [f"{number:06X}" for number in range(2, METERS_PER_STATION_MAX + 1)]
    for meter in meters:
        enrol(world, meter)
    with pytest.raises(RefusedError) as caught:
        enrol(world, "00AAAA")
    assert caught.value.outcome is RefusalOutcome.STATION_FULL
    (station,) = world.host.topology.read_stations()
    assert station.meters == METERS_PER_STATION_MAX


def test_the_same_modem_address_may_stand_below_another_station(world):
    world.host.topology.add_station("S2")
    assert enrol(world, "0000AA", station="S2", m_id=0).m_id == 0
    assert [each.id for each in world.host.registry.read_meters(station="S2")] == ["0000AA"]


def test_a_station_is_added_once_and_stays_in_its_area(world):
    assert world.host.topology.add_station("S2", "A2").area == "A2"
    assert world.host.topology.add_station("S2", "A2").meters == 0
    with pytest.raises(RefusedError) as caught:
        world.host.topology.add_station("S2", "A1")
    assert caught.value.outcome is RefusalOutcome.EXISTS_WITH_DIFFERENT_FIELDS
    assert [each.station for each in world.host.topology.read_stations()] == ["S1", "S2"]


def test_a_retired_key_set_is_not_given_to_a_new_meter(world):
    world.vault.retire(1)
    assert enrol(world).key_sets == (0,)


@pytest.mark.parametrize("deed", ["close", "block", "reopen", "reconcile", "thaw"])
def test_nothing_is_done_to_an_unknown_meter(world, deed):
    with pytest.raises(RefusedError) as caught:
        getattr(world.host.registry, deed)("0000EE", "why")
    assert caught.value.outcome is RefusalOutcome.UNKNOWN_METER


@pytest.mark.parametrize("reason", ["", "  ", "a\nb", "x" * 201])
def test_a_reason_is_one_line_for_people(world, reason):
    with pytest.raises(RefusedError, match="reason"):
        world.host.registry.block("000001", reason)


def test_a_blocked_meter_takes_no_new_sale_while_what_is_under_way_goes_on(world):
    world.host.vending.vend("000001", "1", order="A")
    world.host.registry.block("000001", "stolen?")
    with pytest.raises(RefusedError, match="blocked") as caught:
        world.host.vending.vend("000001", "1")
    assert caught.value.outcome is RefusalOutcome.METER_BLOCKED
    world.pump()
    assert world.host.transfers.read("A").state == "confirmed"
    assert world.host.registry.read_meter("000001").state_reason == "stolen?"


def test_a_new_meter_gets_the_newest_tariff(world):
    world.host.tariffs.set("0.4")
    world.host.tariffs.set("0.5")
    world.add_meter("000002")
    world.settle(1)
    assert world.bodies["000002"].price == 500_000
    assert world.host.tariffs.read().meters == 2


def test_a_frozen_meter_shows_why_and_a_person_thaws_it(world):
    world.host.vending.vend("000001", "3")
    world.pump()
    body = world.bodies["000001"]
    body.money = type(body.money)(ring=body.money.ring[:1], last_control=body.money.last_control)
    world.host.vending.vend("000001", "2", order="B")
    world.settle(2)
    shown = world.host.registry.read_meter("000001")
    assert (shown.state, "went back" in shown.state_reason) == (MeterState.FROZEN, True)
    calls = len(world.seen)
    world.settle(2)
    assert len(world.seen) == calls
    world.host.registry.thaw("000001", "board replaced, value lost")
    assert world.host.registry.read_meter("000001").state is MeterState.UNSYNCED


def test_marks_beside_the_causes_open_no_relay(world):
    world.host.vending.vend("000001", "10")
    world.pump()
    world.bodies["000001"].relay_causes = 0x80
    world.now_s += world.settings.poll_s
    world.pass_line(60_000)
    world.pump()
    shown = world.host.registry.read_meter("000001")
    assert (shown.relay, shown.relay_causes) == ("closed", 0x80)
