"""Changing keys over real meters: given, proved, the old one dropped; through lost answers, cuts, restores and lies."""

import shutil

import pytest
from fleet import Fleet
from sqlalchemy import select

from prewatt.codec.frame import Frame
from prewatt.codec.messages import MessageType
from prewatt.device.meter import Cover, Tick
from prewatt.device.meter.birth import KEY_SETS_MAX
from prewatt.device.meter.control import WaitingAlarm
from prewatt.device.now import Now
from prewatt.host.campaigns.wishes import CampaignWish
from prewatt.host.folder import DATABASE_NAME
from prewatt.host.store import schema
from prewatt.units import MeterId

FAST = {"per_minute": 60_000, "per_station": 256}
ONE = MeterId(b"\0\0\1")


def key(fleet: Fleet, key_set: int, replaces: int | None = None) -> str:
    return fleet.host.campaigns.start(CampaignWish("key", key_set=key_set, replaces=replaces, **FAST)).outline.id


def add(fleet: Fleet) -> int:
    return fleet.vault.add(fleet.suite, now_s=fleet.now_s).index


def finish(fleet: Fleet, campaign: str, turns: int = 600):
    fleet.run(turns, until=lambda: fleet.host.campaigns.read(campaign).outline.state == "done")
    return fleet.host.campaigns.read(campaign).outline


def rows(fleet: Fleet, meter: str = "000001") -> dict[int, str]:
    keys = schema.meter_keys.c
    with fleet.host.context.store.reading() as connection:
        found = select(keys.key_set, keys.state).where(keys.meter == meter)
        return {row.key_set: row.state for row in connection.execute(found)}


@pytest.fixture(params=["aes-2026", "tdes-1998"])
def fleet(request, make_fleet):
    made = make_fleet(2, suite=request.param)
    made.run()
    return made


def test_a_set_is_given_proved_and_the_old_one_dropped(fleet):
    campaign = key(fleet, add(fleet), 0)
    assert finish(fleet, campaign).confirmed == 2
    assert fleet.keys_of(1) == fleet.keys_of(2) == {1, 2}
    assert rows(fleet) == {0: "gone", 1: "confirmed", 2: "confirmed"}


def test_without_a_set_to_replace_the_meter_keeps_all(fleet):
    assert finish(fleet, key(fleet, add(fleet))).confirmed == 2
    assert fleet.keys_of(1) == {0, 1, 2}


def test_sets_are_replaced_more_often_than_a_meter_has_slots(make_fleet):
    fleet = make_fleet(1)
    fleet.run()
    for round_number in range(KEY_SETS_MAX + 4):
        fleet.sleep(60)
        assert finish(fleet, key(fleet, add(fleet), round_number)).confirmed == 1
    assert fleet.keys_of(1) == {KEY_SETS_MAX + 4, KEY_SETS_MAX + 5}


def test_a_meter_whose_slots_are_full_makes_room_first(make_fleet):
    fleet = make_fleet(1)
    fleet.run()
    for _ in range(KEY_SETS_MAX - 2):
        fleet.sleep(60)
        assert finish(fleet, key(fleet, add(fleet))).confirmed == 1
    assert len(fleet.keys_of(1)) == KEY_SETS_MAX
    fleet.sleep(60)
    new = add(fleet)
    assert finish(fleet, key(fleet, new)).confirmed == 1
    assert len(fleet.keys_of(1)) == KEY_SETS_MAX
    assert new in fleet.keys_of(1)
    assert 0 not in fleet.keys_of(1)


@pytest.mark.parametrize("lost", [MessageType.RESULT, MessageType.COMMAND, MessageType.PROOF])
def test_any_message_of_it_may_be_lost_any_number_of_times(fleet, lost):
    left = {"messages": 7}

    def lose(payload):
        if payload[0] != lost or not left["messages"]:
            return False
        left["messages"] -= 1
        return True

    fleet.lose = lose
    campaign = key(fleet, add(fleet), 0)
    for _ in range(10):
        fleet.sleep(120)
        fleet.run(40)
    assert fleet.host.campaigns.read(campaign).outline.confirmed == 2
    assert fleet.keys_of(1) == {1, 2}


def test_a_meter_that_was_away_for_days_is_asked_again_soon_where_its_first_proof_is_lost(fleet):
    fleet.away = {ONE}
    campaign = key(fleet, add(fleet), 0)
    fleet.run(60)
    fleet.sleep(5 * 86_400)
    fleet.away = set()
    left = {"messages": 3}

    def lose(payload):
        if rows(fleet).get(2) != "sent" or not left["messages"]:
            return False
        left["messages"] -= 1
        return True

    fleet.lose = lose
    fleet.run(600, until=lambda: not left["messages"])
    assert rows(fleet)[2] == "sent"
    assert finish(fleet, campaign, turns=200).confirmed == 2


def test_a_meter_whose_power_goes_at_every_step_still_gets_there(fleet):
    campaign = key(fleet, add(fleet), 0)
    for _ in range(40):
        for _ in range(9):
            fleet.turn()
        fleet.power_up(ONE)
    assert finish(fleet, campaign).confirmed == 2
    assert fleet.keys_of(1) == {1, 2}


def copy_database(fleet, name):
    fleet.host.close()
    folder = fleet.path.parent / name
    folder.mkdir()
    for path in fleet.path.glob(f"{DATABASE_NAME}*"):
        shutil.copy(path, folder / path.name)
    fleet.reopen()


def put_back(fleet, name):
    fleet.host.close()
    for path in fleet.path.glob(f"{DATABASE_NAME}*"):
        path.unlink()
    for path in (fleet.path.parent / name).glob(f"{DATABASE_NAME}*"):
        shutil.copy(path, fleet.path / path.name)
    fleet.reopen()


@pytest.mark.parametrize("turns", [0, 3, 6, 9, 12, 30])
def test_the_host_may_be_restored_from_before_any_step(make_fleet, turns):
    fleet = make_fleet(2)
    fleet.run()
    campaign = key(fleet, add(fleet), 0)
    copy_database(fleet, "early")
    for _ in range(turns):
        fleet.turn()
    put_back(fleet, "early")
    for _ in range(6):
        fleet.sleep(60)
        fleet.run(60)
    assert finish(fleet, campaign).confirmed == 2
    assert fleet.keys_of(1) == fleet.keys_of(2) == {1, 2}
    assert rows(fleet) == {0: "gone", 1: "confirmed", 2: "confirmed"}


def test_a_host_whose_books_name_no_set_that_the_meter_still_has_finds_it_again(make_fleet):
    fleet = make_fleet(1)
    fleet.run()
    copy_database(fleet, "old")
    for replaced in (0, 1):
        fleet.sleep(60)
        assert finish(fleet, key(fleet, add(fleet), replaced)).confirmed == 1
    assert fleet.keys_of(1) == {2, 3}
    put_back(fleet, "old")
    assert set(rows(fleet)) == {0, 1}
    for _ in range(12):
        fleet.sleep(60)
        fleet.run(90)
    assert {index for index, state in rows(fleet).items() if state == "confirmed"} & {2, 3}
    fleet.host.controls.send_text("000001", "found")
    fleet.sleep(60)
    fleet.run(120)
    assert fleet.meters[ONE]._core.text == "found"


def test_an_alarm_sealed_under_the_set_that_is_replaced_is_booked_once(fleet):
    campaign = key(fleet, add(fleet), 0)
    core = fleet.meters[ONE]._core
    fleet.away = {ONE}
    now = Now(fleet.line_ms, fleet.now_s, 1)
    fleet.meters[ONE].step(Cover(opened=True), now, bytes(32))
    (waiting,) = core.control.alarms
    core.control.alarms[:] = [WaitingAlarm(waiting.counter, waiting.event, 0)]
    fleet.away = set()
    fleet.sleep(60)
    assert finish(fleet, campaign).confirmed == 2
    for _ in range(4):
        fleet.sleep(3_600)
        fleet.tick([ONE])
        fleet.run(10)
    assert core.control.alarms == []
    told = [each for each in fleet.host.happenings.read("000001") if each.kind == "alarm"]
    assert len(told) == 1


def test_a_report_that_waited_at_its_station_under_a_dropped_set_is_still_booked(fleet):
    meter = fleet.meters[ONE]
    fleet.away = {ONE}
    meter._core.control.heard_set = 0
    fleet.sleep(86_400)
    effects = meter.step(Tick(), Now(fleet.line_ms, fleet.now_s, 1), bytes(32))
    reports = [Frame.parse(each.data).payload for each in effects if hasattr(each, "data")]
    assert reports[0][:3] == bytes((MessageType.REPORT, meter._core.suite.id, 0))
    fleet.away = set()
    assert finish(fleet, key(fleet, add(fleet), 0)).confirmed == 2
    with fleet.host.context.store.reading() as connection:
        before = len(connection.execute(select(schema.reports)).all())
    fleet._file(fleet.places[ONE][0], ONE, reports[:1], [])
    fleet.run(20)
    with fleet.host.context.store.reading() as connection:
        assert len(connection.execute(select(schema.reports)).all()) == before + 1


def test_a_set_that_is_retired_while_it_waits_is_no_longer_given(fleet):
    new = add(fleet)
    fleet.away = {ONE}
    campaign = key(fleet, new, 0)
    fleet.run(40)
    fleet.vault.retire(new)
    fleet.away = set()
    fleet.sleep(60)
    fleet.run(60)
    shown = fleet.host.campaigns.read(campaign).outline
    assert (shown.confirmed, shown.dropped, shown.state) == (1, 1, "done")
    assert fleet.keys_of(1) == {0, 1}


def test_in_a_pause_the_old_set_is_not_dropped(make_fleet):
    fleet = make_fleet(1)
    fleet.run()
    campaign = key(fleet, add(fleet), 0)
    fleet.run(60, until=lambda: rows(fleet).get(2) == "sent")
    fleet.host.campaigns.pause(campaign)
    fleet.run(60)
    assert fleet.keys_of(1) == {0, 1, 2}
    fleet.host.campaigns.resume(campaign)
    assert finish(fleet, campaign).confirmed == 1
    assert fleet.keys_of(1) == {1, 2}
