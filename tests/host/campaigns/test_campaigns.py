"""Campaigns over real meters: what each kind brings, when, to whom, and what becomes of those that are away."""

import json

import pytest
from fleet import NOW_S
from sqlalchemy import select

from prewatt.codec.bodies import TEXT_BYTES_MAX
from prewatt.codec.modetable import flat_table
from prewatt.codec.settings import SettingsChange
from prewatt.host.campaigns import runner
from prewatt.host.campaigns.campaigns import CAMPAIGNS_OPEN_MAX
from prewatt.host.campaigns.wishes import PER_MINUTE_MAX, PER_STATION_MAX, CampaignWish
from prewatt.host.refusals import RefusalOutcome, RefusedError
from prewatt.host.registry import Enrolment
from prewatt.host.store import schema
from prewatt.units import MeterId

FAST = {"per_minute": 60_000, "per_station": 256}


def id_of(number):
    return f"{number:06X}"


def bytes_of(number):
    return MeterId(number.to_bytes(3, "big"))


def start(fleet, kind, **given):
    return fleet.host.campaigns.start(CampaignWish(kind, **{**FAST, **given})).outline.id


def outline(fleet, campaign):
    return fleet.host.campaigns.read(campaign).outline


def finish(fleet, campaign, turns=400):
    fleet.run(turns, until=lambda: outline(fleet, campaign).state == "done")
    return outline(fleet, campaign)


def price_of(fleet, number):
    return fleet.meters[bytes_of(number)]._core.newest_tariff.unit_price_micro


@pytest.fixture
def fleet(make_fleet):
    made = make_fleet(4)
    made.run()
    return made


def test_a_tariff_reaches_every_meter_and_is_what_they_should_have(fleet):
    campaign = start(fleet, "tariff", price_micro=300_000, table=flat_table())
    shown = finish(fleet, campaign)
    assert (shown.confirmed, shown.meters) == (4, 4)
    assert [price_of(fleet, number) for number in (1, 2, 3, 4)] == [300_000] * 4
    version = json.loads(shown.what)["tariff"]
    assert all(each.confirmed for each in fleet.host.tariffs.read_meters(version))
    assert len(fleet.host.tariffs.read_meters(version)) == 4


def test_a_tariff_with_a_valid_from_waits_in_the_meters(fleet):
    campaign = start(fleet, "tariff", price_micro=300_000, table=flat_table(), valid_from_s=fleet.now_s + 7_200)
    assert finish(fleet, campaign).confirmed == 4
    core = fleet.meters[bytes_of(1)]._core
    assert (core.tariff.unit_price_micro, core.newest_tariff.unit_price_micro) == (150_000, 300_000)
    fleet.sleep(7_200)
    fleet.tick()
    assert core.tariff.unit_price_micro == 300_000


def test_only_the_meters_of_the_place_are_concerned(make_fleet):
    fleet = make_fleet(2)
    fleet.host.topology.add_station("S2", "A2")
    fleet.host.registry.enrol(Enrolment(id_of(9), "S2"))
    for scope, place, expected in (
        ("meter", "000002", {"000002"}),
        ("station", "S2", {"000009"}),
        ("area", "A1", {"000001", "000002"}),
        ("all", "", {"000001", "000002", "000009"}),
    ):
        campaign = start(fleet, "clock", scope=scope, place=place)
        rows, campaigns = schema.campaign_meters.c, schema.campaigns.c
        with fleet.host.context.store.reading() as connection:
            found = select(rows.meter).join(schema.campaigns, campaigns.number == rows.campaign)
            assert set(connection.execute(found.where(campaigns.id == campaign)).scalars()) == expected


def test_a_text_is_shown_and_one_too_long_refused_with_the_limit(fleet):
    campaign = start(fleet, "text", text="Water off at 10")
    assert finish(fleet, campaign).confirmed == 4
    assert fleet.meters[bytes_of(3)]._core.text == "Water off at 10"
    start(fleet, "text", text="x" * TEXT_BYTES_MAX)
    for wrong in ("x" * (TEXT_BYTES_MAX + 1), "", "é" * 81, "two\nlines"):
        with pytest.raises(RefusedError, match=f"1 to {TEXT_BYTES_MAX} bytes"):
            start(fleet, "text", text=wrong)


def test_clocks_are_set_right(make_fleet):
    fleet = make_fleet(2, clock_ahead_s=-600)
    fleet.run()
    fleet.meters[bytes_of(1)]._core.control.clock = fleet.meters[bytes_of(1)]._core.control.clock.set(
        fleet.now_s, fleet.now_s - 500
    )
    campaign = start(fleet, "clock")
    assert finish(fleet, campaign).confirmed == 2
    fleet.tick()
    assert abs(fleet.meters[bytes_of(1)]._core.own_s - fleet.now_s) <= 5


def test_a_meter_that_is_away_straggles_and_confirms_when_it_is_back(fleet):
    fleet.away = {bytes_of(2)}
    campaign = start(fleet, "text", text="hello")
    fleet.run(60)
    shown = outline(fleet, campaign)
    assert (shown.confirmed, shown.sent, shown.state) == (3, 1, "running")
    fleet.sleep(3 * 86_400)
    fleet.run(20)
    answer = fleet.host.campaigns.read(campaign)
    assert answer.outline.straggling == 1
    (straggler,) = answer.stragglers
    assert straggler.id == id_of(2)
    assert NOW_S < straggler.heard_s < straggler.sent_s + 60
    fleet.away = set()
    fleet.sleep(60)
    assert finish(fleet, campaign).confirmed == 4


def test_a_campaign_begins_at_its_start_and_not_before(fleet):
    campaign = start(fleet, "text", text="later", start_s=fleet.now_s + 3_600)
    fleet.run(20)
    assert outline(fleet, campaign).state == "scheduled"
    assert outline(fleet, campaign).meters == 0
    fleet.sleep(3_600)
    assert finish(fleet, campaign).confirmed == 4


def test_meters_are_let_go_at_the_rate_and_no_faster(make_fleet):
    fleet = make_fleet(12)
    fleet.run()
    campaign = start(fleet, "text", text="slowly", per_minute=6)
    seen = []
    for _ in range(60):
        fleet.turn()
        seen.append(outline(fleet, campaign).confirmed)
    assert 4 <= seen[-1] <= 7
    assert finish(fleet, campaign).confirmed == 12


def test_a_clock_that_was_ahead_holds_nothing_up_once_it_is_set_right(make_fleet):
    fleet = make_fleet(6)
    fleet.run()
    fleet.now_s += 86_400
    campaign = start(fleet, "text", text="from the future", per_minute=3)
    fleet.run(20, until=lambda: outline(fleet, campaign).sent + outline(fleet, campaign).confirmed == 3)
    fleet.now_s = NOW_S + 100
    for number in range(1, 7):
        fleet.power_up(bytes_of(number))
    assert finish(fleet, campaign).confirmed == 6


def test_no_more_than_its_share_is_under_way_below_a_station(make_fleet):
    fleet = make_fleet(8)
    fleet.run()
    fleet.away = {bytes_of(number) for number in range(1, 9)}
    campaign = start(fleet, "text", text="two at once", per_station=2)
    fleet.run(50)
    assert outline(fleet, campaign).sent == 2
    # Whoever has not answered for long holds up nobody any more.
    fleet.sleep(700)
    fleet.run(20)
    assert outline(fleet, campaign).sent == 4


def test_outside_of_its_hours_nothing_waits_for_a_meter(fleet):
    fleet.away = {bytes_of(1)}
    campaign = start(fleet, "text", text="by night", hours=(22, 2))
    fleet.run(40)
    assert (outline(fleet, campaign).sent, outline(fleet, campaign).confirmed) == (1, 3)
    fleet.sleep(2 * 3_600)
    fleet.run(20)
    assert (outline(fleet, campaign).sent, outline(fleet, campaign).waiting) == (0, 1)
    assert not [each for each in fleet.host.controls.read(id_of(1)) if each.state == "waiting"]
    fleet.away = set()
    fleet.run(20)
    assert outline(fleet, campaign).confirmed == 3
    fleet.sleep(20 * 3_600)
    assert finish(fleet, campaign).confirmed == 4


def test_a_pause_takes_back_what_waits_and_resume_sends_it_again(fleet):
    fleet.away = {bytes_of(1)}
    campaign = start(fleet, "text", text="hold")
    fleet.run(30)
    assert fleet.host.campaigns.pause(campaign).outline.state == "paused"
    fleet.away = set()
    fleet.sleep(60)
    fleet.run(30)
    assert outline(fleet, campaign).confirmed == 3
    assert fleet.host.campaigns.pause(campaign).outline.state == "paused"
    fleet.host.campaigns.resume(campaign)
    assert finish(fleet, campaign).confirmed == 4


def test_a_cancelled_campaign_keeps_what_was_confirmed_and_sends_nothing_more(fleet):
    fleet.away = {bytes_of(1)}
    campaign = start(fleet, "tariff", price_micro=500_000, table=flat_table())
    fleet.run(30)
    ended = fleet.host.campaigns.cancel(campaign).outline
    assert (ended.state, ended.confirmed, ended.dropped) == ("cancelled", 3, 1)
    fleet.away = set()
    fleet.sleep(7 * 86_400)
    fleet.run(60)
    assert price_of(fleet, 1) == 150_000
    with pytest.raises(RefusedError, match="this one is cancelled"):
        fleet.host.campaigns.resume(campaign)


def test_a_campaign_ends_at_its_date(fleet):
    fleet.away = {bytes_of(1)}
    campaign = start(fleet, "text", text="until", until_s=fleet.now_s + 86_400)
    fleet.run(30)
    fleet.sleep(86_400)
    fleet.run(20)
    ended = outline(fleet, campaign)
    assert (ended.state, ended.confirmed, ended.dropped) == ("ended", 3, 1)


def test_the_newest_campaign_of_a_kind_wins_at_each_meter_and_the_older_shows_it(fleet):
    fleet.away = {bytes_of(1), bytes_of(2)}
    older = start(fleet, "tariff", price_micro=200_000, table=flat_table())
    fleet.run(30)
    newer = start(fleet, "tariff", scope="meter", place="000001", price_micro=300_000, table=flat_table())
    text = start(fleet, "text", text="another kind")
    fleet.away = set()
    fleet.sleep(60)
    assert finish(fleet, older).confirmed == 3
    (dropped,) = fleet.host.campaigns.read(older).failed
    assert (dropped.id, dropped.state) == ("000001", "dropped")
    assert newer in dropped.reason
    assert finish(fleet, newer).confirmed == 1
    assert finish(fleet, text).confirmed == 4
    assert [price_of(fleet, number) for number in (1, 2)] == [300_000, 200_000]


def test_a_persons_own_newer_wish_takes_the_campaigns_place(fleet):
    fleet.away = {bytes_of(1)}
    campaign = start(fleet, "tariff", price_micro=200_000, table=flat_table())
    fleet.run(30)
    fleet.host.tariffs.set("0.4", meters=["000001"])
    assert outline(fleet, campaign).dropped == 1


def test_everything_goes_on_after_a_restart_of_the_host(make_fleet):
    fleet = make_fleet(6)
    fleet.run()
    fleet.away = {bytes_of(1)}
    campaign = start(fleet, "tariff", price_micro=250_000, table=flat_table(), per_minute=12)
    for _ in range(6):
        for _ in range(7):
            fleet.turn()
        fleet.restart()
    fleet.away = set()
    fleet.sleep(60)
    assert finish(fleet, campaign).confirmed == 6


def test_a_meter_enrolled_meanwhile_gets_the_tariff_but_not_the_text(fleet):
    fleet.away = {bytes_of(1)}
    tariff = start(fleet, "tariff", scope="area", place="A1", price_micro=250_000, table=flat_table())
    text = start(fleet, "text", text="to those who are there")
    fleet.add_meter(5)
    fleet.run(80)
    assert (outline(fleet, tariff).meters, outline(fleet, tariff).confirmed) == (5, 4)
    assert outline(fleet, text).meters == 4
    assert price_of(fleet, 5) == 250_000


def test_after_it_ended_new_meters_of_its_place_get_its_tariff_and_others_do_not(fleet):
    campaign = start(fleet, "tariff", scope="station", place="S1", price_micro=250_000, table=flat_table())
    finish(fleet, campaign)
    fleet.add_meter(5)
    fleet.host.topology.add_station("S9", "A1")
    fleet.host.registry.enrol(Enrolment("0000FF", "S9"))
    fleet.run(40)
    assert price_of(fleet, 5) == 250_000
    assert not [each for each in fleet.host.controls.read("0000FF") if each.kind == "mode"]


def test_the_same_campaign_again_starts_nothing_and_another_under_its_id_is_refused(fleet):
    wish = CampaignWish("tariff", id="spring", price_micro=250_000, table=flat_table(), **FAST)
    fleet.host.campaigns.start(wish)
    fleet.host.campaigns.start(wish)
    assert [each.id for each in fleet.host.campaigns.read_all()] == ["spring"]
    assert len(fleet.host.tariffs.read_all()) == 1
    with pytest.raises(RefusedError) as refused:
        fleet.host.campaigns.start(CampaignWish("text", id="spring", text="x"))
    assert refused.value.outcome is RefusalOutcome.EXISTS_WITH_DIFFERENT_FIELDS


def test_what_is_not_allowed_is_named_and_keeps_nothing(fleet):
    now_s = fleet.now_s
    wrong = (
        ("kind", CampaignWish("party")),
        ("scope", CampaignWish("clock", "village")),
        ("station", CampaignWish("clock", "station", "S7")),
        ("area", CampaignWish("clock", "area", "A7")),
        ("meter", CampaignWish("clock", "meter", "000077")),
        ("place", CampaignWish("clock", "all", "S1")),
        ("text", CampaignWish("clock", text="x")),
        ("tariff", CampaignWish("tariff")),
        ("tariff", CampaignWish("tariff", tariff=7)),
        ("key_set", CampaignWish("key", key_set=9)),
        ("replaces", CampaignWish("key", key_set=1, replaces=1)),
        ("replaces", CampaignWish("key", key_set=1, replaces=77)),
        ("program", CampaignWish("program", program=3)),
        ("per_minute", CampaignWish("clock", per_minute=0)),
        ("per_minute", CampaignWish("clock", per_minute=PER_MINUTE_MAX + 1)),
        ("per_station", CampaignWish("clock", per_station=0)),
        ("per_station", CampaignWish("clock", per_station=PER_STATION_MAX + 1)),
        ("hours", CampaignWish("clock", hours=(5, 5))),
        ("hours", CampaignWish("clock", hours=(24, 3))),
        ("hours", CampaignWish("clock", hours=(3, 25))),
        ("until_s", CampaignWish("clock", until_s=now_s)),
        ("start_s", CampaignWish("clock", start_s=2**32)),
        ("id", CampaignWish("clock", id="not an id")),
    )
    for field, wish in wrong:
        with pytest.raises(RefusedError) as refused:
            fleet.host.campaigns.start(wish)
        assert refused.value.field == field, wish
    assert fleet.host.campaigns.read_all() == []
    assert fleet.host.tariffs.read_all() == []
    with pytest.raises(RefusedError, match="campaign list"):
        fleet.host.campaigns.read("C9")


def test_a_campaign_for_one_meter_that_takes_no_part_is_refused(fleet):
    host = fleet.host
    host.registry.enrol(Enrolment(id_of(9), "S1", kind="ct"))
    other = host.context.vault.add("tdes-1998", now_s=fleet.now_s).index
    host.registry.enrol(Enrolment(id_of(8), "S1"))
    host.registry.close(id_of(8), "sold the house")
    for wish, allowed in (
        (CampaignWish("text", "meter", id_of(9), text="hello"), "a customer's meter that is in use"),
        (CampaignWish("tariff", "meter", id_of(9), price_micro=1, table=flat_table()), "a customer's meter"),
        (CampaignWish("key", "meter", id_of(9), key_set=other), "a meter of suite tdes-1998 that is in use"),
        (CampaignWish("clock", "meter", id_of(8)), "a meter that is in use"),
    ):
        with pytest.raises(RefusedError) as refused:
            host.campaigns.start(wish)
        assert (refused.value.field, refused.value.allowed[: len(allowed)]) == ("place", allowed)
    assert host.campaigns.read_all() == []
    assert len(host.tariffs.read_all()) == 0


def test_no_more_than_the_limit_of_campaigns_are_open_at_once(fleet):
    for number in range(CAMPAIGNS_OPEN_MAX):
        start(fleet, "clock", start_s=fleet.now_s + 3_600 + number)
    with pytest.raises(RefusedError, match=str(CAMPAIGNS_OPEN_MAX)):
        start(fleet, "clock", start_s=fleet.now_s + 3_600)


def test_who_did_what_is_in_the_audit_log(fleet):
    campaign = start(fleet, "clock")
    fleet.host.campaigns.pause(campaign)
    fleet.host.campaigns.resume(campaign)
    finish(fleet, campaign)
    log = schema.audit_log.c
    with fleet.host.context.store.reading() as connection:
        found = select(log.action).where(log.subject == campaign).order_by(log.number)
        actions = list(connection.execute(found).scalars())
    assert actions == [f"campaign {word}" for word in ("start", "begin", "pause", "resume", "done")]


def test_a_meter_with_too_much_waiting_is_left_for_later(fleet):
    fleet.away = {bytes_of(1)}
    for number in range(64):
        fleet.host.controls.send_text("000001", str(number))
    campaign = start(fleet, "text", text="one more")
    fleet.run(30)
    assert (outline(fleet, campaign).waiting, outline(fleet, campaign).confirmed) == (1, 3)


def wanted_fleet(make_fleet):
    fleet = make_fleet(1)
    fleet.run()
    fleet.host.tariffs.set("0.4")
    fleet.host.controls.change_settings("000001", SettingsChange({"low_balance_micro": 7}))
    fleet.host.controls.change_settings("000001", SettingsChange({"load_limit_w": 3_000, "low_balance_micro": 9}))
    fleet.run(60)
    assert price_of(fleet, 1) == 400_000
    return fleet


def test_a_new_body_gets_its_settings_and_its_tariff_again(make_fleet):
    fleet = wanted_fleet(make_fleet)
    # A person hangs another body with the same keys in its place, and says so.
    fleet.make(bytes_of(1), dict(fleet.meters[bytes_of(1)]._core.keys))
    assert price_of(fleet, 1) == 150_000
    fleet.host.controls.send_text("000001", "who is there?")
    fleet.sleep(60)
    fleet.run(60)
    assert fleet.host.registry.read_meter("000001").state == "frozen"
    fleet.host.registry.thaw("000001", "the old body burned")
    fleet.sleep(60)
    fleet.run(200)
    assert fleet.host.registry.read_meter("000001").state == "active"
    core = fleet.meters[bytes_of(1)]._core
    assert price_of(fleet, 1) == 400_000
    assert (core.settings.low_balance_micro, core.settings.load_limit_w) == (9, 3_000)


def test_after_a_restore_settings_and_tariff_go_out_again_once(make_fleet):
    fleet = wanted_fleet(make_fleet)
    fleet.host.close()
    fleet.place.back_up("before")
    fleet.reopen()
    fleet.host.controls.change_settings("000001", SettingsChange({"low_balance_micro": 1}))
    fleet.sleep(60)
    fleet.run(60)
    assert fleet.meters[bytes_of(1)]._core.settings.low_balance_micro == 1
    fleet.host.close()
    fleet.place.restore("before")
    fleet.reopen()
    for _ in range(4):
        fleet.sleep(60)
        fleet.run(60)
    core = fleet.meters[bytes_of(1)]._core
    assert (core.settings.low_balance_micro, core.settings.load_limit_w) == (9, 3_000)
    kinds = [(each.kind, each.state) for each in fleet.host.controls.read("000001")]
    assert kinds.count(("settings", "done")) == 3
    assert not [each for each in kinds if each[1] in ("waiting", "refused")]


def test_a_campaign_that_cannot_go_on_stops_no_money(fleet, monkeypatch):
    start(fleet, "text", text="never sent")
    monkeypatch.setattr(runner, "release", lambda *_: 1 // 0)
    fleet.sleep(60)
    fleet.host.vending.vend("000001", "1", order="A")
    fleet.run(60)
    assert fleet.meters[bytes_of(1)].view().balance_micro == 1_000_000
