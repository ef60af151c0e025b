"""Campaigns that meet people's own orders, each other, and meters that stand elsewhere than the books say."""

import pytest
from fleet import Fleet
from sqlalchemy import insert

from prewatt.codec.events import EventCode
from prewatt.codec.modetable import flat_table
from prewatt.codec.program import ACTIVATE_WITHDRAW, Manifest, ProgramStage, build_image
from prewatt.crypto.program import maker_key, sign_program
from prewatt.device.meter.program import MEMORY_FORMAT
from prewatt.host.campaigns.progress import program_told
from prewatt.host.campaigns.wishes import CampaignWish
from prewatt.host.refusals import RefusedError
from prewatt.host.store import schema
from prewatt.units import MeterId

FAST = {"per_minute": 60_000, "per_station": 256}
ONE = MeterId(b"\0\0\1")
SEED = bytes(range(32))


def start(fleet: Fleet, kind, **given):
    return fleet.host.campaigns.start(CampaignWish(kind, **{**FAST, **given})).outline.id


def outline(fleet, campaign):
    return fleet.host.campaigns.read(campaign).outline


def price_of(fleet, meter_id=ONE):
    return fleet.meters[meter_id]._core.newest_tariff.unit_price_micro


def test_a_tariff_that_a_person_set_for_a_meter_is_not_undone_by_an_older_campaign_that_goes_on(make_fleet):
    fleet = make_fleet(2)
    fleet.run()
    fleet.away = {ONE}
    campaign = start(fleet, "tariff", price_micro=200_000, table=flat_table())
    fleet.run(30)
    fleet.host.campaigns.pause(campaign)
    fleet.host.tariffs.set("0.4", meters=["000001"])
    fleet.host.campaigns.resume(campaign)
    fleet.run(20)
    fleet.away = set()
    fleet.run(120, until=lambda: price_of(fleet) != 150_000)
    assert price_of(fleet) == 400_000
    assert outline(fleet, campaign).state == "done"
    (failed,) = fleet.host.campaigns.read(campaign).failed
    assert (failed.id, failed.state) == ("000001", "dropped")


def test_a_tariff_planned_for_later_reaches_meters_that_got_another_one_meanwhile(make_fleet):
    fleet = make_fleet(2)
    fleet.run()
    later = start(fleet, "tariff", price_micro=300_000, table=flat_table(), start_s=fleet.now_s + 86_400)
    now = start(fleet, "tariff", price_micro=200_000, table=flat_table())
    fleet.run(60)
    assert outline(fleet, now).confirmed == 2
    fleet.sleep(86_400)
    fleet.run(60)
    assert price_of(fleet) == 300_000
    assert outline(fleet, later).confirmed == 2


def test_a_campaign_with_an_id_like_a_number_leaves_the_next_ones_their_own(make_fleet):
    fleet = make_fleet(1)
    start(fleet, "clock", id="C2")
    assert start(fleet, "clock") not in ("C2", None)
    start(fleet, "clock")


def test_a_price_that_is_set_after_a_restore_is_newer_than_any_that_the_backup_had_forgotten(make_fleet):
    fleet = make_fleet(1)
    fleet.run()
    fleet.host.close()
    fleet.place.back_up("before")
    fleet.reopen()
    for price in ("0.2", "0.3", "0.35"):
        fleet.host.tariffs.set(price)
        fleet.run(30)
    assert price_of(fleet) == 350_000
    fleet.host.close()
    fleet.place.restore("before")
    fleet.reopen()
    fleet.host.tariffs.set("0.4")
    for _ in range(4):
        fleet.run(60)
        fleet.sleep(60)
    assert price_of(fleet) == 400_000
    assert fleet.host.tariffs.read().confirmed == 1


def stage_of(fleet):
    return fleet.meters[ONE]._core.control.program.stage


def add_program(fleet, version=7, size=600, memory_format=MEMORY_FORMAT):
    image = build_image(version, memory_format, bytes(size))
    manifest = Manifest.of(image)
    fleet.host.programs.add(image, maker_key(SEED), sign_program(manifest.signed_bytes(), SEED))


def live(fleet, seconds):
    for _ in range(seconds // 60):
        fleet.sleep(60)
        fleet.tick()
        fleet.run(30)


def test_a_program_that_runs_already_is_confirmed_by_the_meters_own_word(make_fleet):
    fleet = make_fleet(1, maker_key=maker_key(SEED), program_version=7)
    fleet.run()
    add_program(fleet)
    campaign = start(fleet, "program", program=7)
    fleet.run(60)
    live(fleet, 900)
    assert outline(fleet, campaign).state == "done"
    assert outline(fleet, campaign).confirmed == 1


def test_a_program_is_confirmed_by_a_meter_whose_clock_is_behind(make_fleet):
    fleet = make_fleet(1, maker_key=maker_key(SEED))
    fleet.run()
    core = fleet.meters[ONE]._core
    core.control.clock = core.control.clock.set(fleet.now_s, fleet.now_s - 7_200)
    add_program(fleet)
    campaign = start(fleet, "program", program=7)
    fleet.run(60)
    live(fleet, 3_600)
    assert core.program_version == 7
    assert outline(fleet, campaign).confirmed == 1


def test_a_program_that_does_not_start_is_told_by_a_meter_whose_clock_is_behind(make_fleet):
    fleet = make_fleet(1, maker_key=maker_key(SEED))
    fleet.run()
    core = fleet.meters[ONE]._core
    core.control.clock = core.control.clock.set(fleet.now_s, fleet.now_s - 7_200)
    add_program(fleet, memory_format=MEMORY_FORMAT + 1)
    campaign = start(fleet, "program", program=7)
    fleet.run(60)
    live(fleet, 3_600)
    assert (outline(fleet, campaign).state, outline(fleet, campaign).refused) == ("done", 1)
    assert "confirm" in fleet.host.campaigns.read(campaign).failed[0].reason
    assert fleet.host.registry.read_meter("000001").program == 1


def test_a_return_from_an_earlier_trial_that_is_told_late_ends_no_newer_one(make_fleet):
    fleet = make_fleet(1, maker_key=maker_key(SEED))
    fleet.run()
    add_program(fleet)
    campaign = start(fleet, "program", program=7, activate_s=fleet.now_s + 7_200)
    fleet.run(200, until=lambda: stage_of(fleet) is ProgramStage.WAITING)
    fleet.run(20)
    detail = (7).to_bytes(4, "big") + (1).to_bytes(4, "big") + b"\1"
    event = (EventCode.PROGRAM_RETURNED, fleet.now_s - 86_400, detail, fleet.now_s)
    fleet.host.context.store.write(lambda writing: program_told(writing, "000001", *event))
    fleet.host.context.wake("000001")
    fleet.run(60)
    assert outline(fleet, campaign).refused == 0
    assert stage_of(fleet) is ProgramStage.WAITING
    live(fleet, 9_000)
    assert outline(fleet, campaign).confirmed == 1


@pytest.fixture
def unanswered(make_fleet):
    """A campaign whose program waits in the meter for its time, in two hours: the meter's word of it was lost."""
    fleet = make_fleet(1, maker_key=maker_key(SEED))
    fleet.run()
    add_program(fleet)
    campaign = start(fleet, "program", program=7, activate_s=fleet.now_s + 7_200)
    fleet.lose = lambda payload: stage_of(fleet) is ProgramStage.WAITING
    fleet.run(200, until=lambda: stage_of(fleet) is ProgramStage.WAITING)
    assert stage_of(fleet) is ProgramStage.WAITING
    return fleet, campaign


def test_a_cancel_reaches_a_program_whose_activation_was_never_answered(unanswered):
    fleet, campaign = unanswered
    fleet.host.campaigns.cancel(campaign)
    fleet.lose = lambda payload: False
    fleet.sleep(60)
    fleet.run(60)
    live(fleet, 8_400)
    assert fleet.meters[ONE]._core.program_version == 1
    assert outline(fleet, campaign).dropped == 1


def test_a_cancel_after_a_pause_reaches_a_program_that_waits_for_its_time(unanswered):
    fleet, campaign = unanswered
    fleet.host.campaigns.pause(campaign)
    fleet.host.campaigns.cancel(campaign)
    fleet.lose = lambda payload: False
    live(fleet, 8_400)
    assert fleet.meters[ONE]._core.program_version == 1


def test_a_program_offered_while_another_is_on_trial_is_taken_afterwards(make_fleet):
    fleet = make_fleet(1, maker_key=maker_key(SEED))
    fleet.run()
    for version in (7, 8):
        add_program(fleet, version)
    start(fleet, "program", program=7)
    fleet.run(200, until=lambda: stage_of(fleet) is ProgramStage.TRIAL)
    assert stage_of(fleet) is ProgramStage.TRIAL
    campaign = start(fleet, "program", program=8)
    fleet.run(10)
    live(fleet, 3_600)
    assert fleet.meters[ONE]._core.program_version == 8
    assert outline(fleet, campaign).confirmed == 1


def test_an_activation_time_that_stands_for_never_is_refused(make_fleet):
    fleet = make_fleet(1, maker_key=maker_key(SEED))
    add_program(fleet)
    start(fleet, "program", program=7, activate_s=ACTIVATE_WITHDRAW - 1)
    with pytest.raises(RefusedError, match="activate_s"):
        start(fleet, "program", program=7, activate_s=ACTIVATE_WITHDRAW)


def test_a_meter_whose_body_is_lost_leaves_the_campaign(make_fleet):
    fleet = make_fleet(3)
    fleet.run()
    fleet.away = {ONE, MeterId(b"\0\0\2")}
    campaign = start(fleet, "text", text="hello")
    fleet.run(30)
    fleet.host.bodies.lose("000001", "burnt")
    fleet.host.bodies.lose("000002", "burnt")
    fleet.run(30)
    shown = outline(fleet, campaign)
    assert (shown.state, shown.confirmed, shown.dropped) == ("done", 1, 2)


def test_a_set_that_is_the_last_one_left_is_not_dropped_and_holds_nothing_up(make_fleet):
    fleet = make_fleet(1)
    fleet.run()
    new = fleet.vault.add(fleet.suite, now_s=fleet.now_s).index
    campaign = start(fleet, "key", key_set=new, replaces=0)

    def dropping():
        return "step='drop'" in str(fleet.host.campaigns.read(campaign).stragglers)

    fleet.lose = lambda payload: dropping()
    fleet.run(100, until=dropping)
    fleet.run(10)
    for other in (1, new):
        fleet.vault.retire(other)
    fleet.host.controls.send_text("000001", "still there")
    fleet.lose = lambda payload: False
    fleet.run(200)
    assert fleet.meters[ONE]._core.text == "still there"
    assert fleet.keys_of(1) == {0, 1, new}
    (failed,) = fleet.host.campaigns.read(campaign).failed
    assert "no other key" in failed.reason


def test_a_key_that_the_books_only_believe_to_be_there_does_not_keep_the_next_from_its_proof(make_fleet):
    fleet = make_fleet(1)
    fleet.run()
    lacking, new = (fleet.vault.add(fleet.suite, now_s=fleet.now_s).index for _ in range(2))
    row = {"meter": "000001", "key_set": lacking, "state": "sent"}
    fleet.host.context.store.write(lambda writing: writing.connection.execute(insert(schema.meter_keys).values(row)))
    campaign = start(fleet, "key", key_set=new, replaces=0)
    for _ in range(20):
        fleet.run(20)
        fleet.sleep(600)
    assert outline(fleet, campaign).confirmed == 1


def test_a_set_that_was_retired_before_it_was_proved_is_tried_no_more(make_fleet):
    fleet = make_fleet(1)
    fleet.run()
    new = fleet.vault.add(fleet.suite, now_s=fleet.now_s).index
    row = {"meter": "000001", "key_set": new, "state": "sent"}
    fleet.host.context.store.write(lambda writing: writing.connection.execute(insert(schema.meter_keys).values(row)))
    fleet.vault.retire(new)
    start(fleet, "clock")
    fleet.run(20)
    assert fleet.host.campaigns.read("C1").outline.confirmed == 1
    assert fleet.host.dispatch._roster.line("000001").failures == 0


def test_a_campaign_whose_time_went_by_while_the_host_was_off_takes_nobodys_place(make_fleet):
    fleet = make_fleet(2)
    fleet.run()
    fleet.away = {ONE}
    running = start(fleet, "tariff", price_micro=200_000, table=flat_table())
    fleet.run(30)
    hour_s = 3_600
    times = {"start_s": fleet.now_s + hour_s, "until_s": fleet.now_s + 2 * hour_s}
    missed = start(fleet, "tariff", price_micro=300_000, table=flat_table(), **times)
    fleet.sleep(3 * hour_s)
    fleet.restart()
    fleet.run(20)
    fleet.away = set()
    for _ in range(3):
        fleet.sleep(60)
        fleet.run(30)
    assert (outline(fleet, missed).state, outline(fleet, missed).meters) == ("ended", 0)
    assert outline(fleet, running).confirmed == 2
    assert price_of(fleet) == 200_000


def test_campaigns_that_began_while_the_host_was_off_begin_in_the_order_of_their_times(make_fleet):
    fleet = make_fleet(1)
    fleet.run()
    hour_s = 3_600
    start(fleet, "tariff", price_micro=300_000, table=flat_table(), start_s=fleet.now_s + 2 * hour_s)
    start(fleet, "tariff", price_micro=200_000, table=flat_table(), start_s=fleet.now_s + hour_s)
    fleet.sleep(3 * hour_s)
    fleet.restart()
    fleet.run(60)
    assert price_of(fleet) == 300_000


def test_the_same_campaign_again_is_shown_also_where_its_time_and_its_key_are_gone(make_fleet):
    fleet = make_fleet(1)
    fleet.run()
    new = fleet.vault.add(fleet.suite, now_s=fleet.now_s).index
    wish = CampaignWish("key", id="once", key_set=new, replaces=0, until_s=fleet.now_s + 3_600, **FAST)
    fleet.host.campaigns.start(wish)
    fleet.run(60)
    fleet.sleep(7_200)
    fleet.vault.retire(new)
    assert fleet.host.campaigns.start(wish).outline.confirmed == 1
    assert len(fleet.host.campaigns.read_all()) == 1
