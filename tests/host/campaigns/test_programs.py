"""Programs brought to real meters by the real host: signed, piece by piece, started at a time, and back again."""

import pytest
from fleet import Fleet

from prewatt.codec.messages import MessageType
from prewatt.codec.program import IMAGE_BYTES_MIN, Manifest, ProgramKind, ProgramStage, ProgramStanding, build_image
from prewatt.crypto.program import maker_key, sign_program
from prewatt.device.meter.program import MEMORY_FORMAT, TRIAL_S
from prewatt.host.campaigns.loading import OFFERS_MAX, Ended, first_step, next_step
from prewatt.host.campaigns.wishes import CampaignWish
from prewatt.host.refusals import RefusalOutcome, RefusedError
from prewatt.host.registry import Enrolment
from prewatt.units import MeterId

SEED = bytes(range(32))
MAKER = maker_key(SEED)
ONE = MeterId(b"\0\0\1")
FAST = {"per_minute": 60_000, "per_station": 256}


def image_of(version=7, size=5_000, memory_format=MEMORY_FORMAT):
    return build_image(version, memory_format, bytes(each % 251 for each in range(size)))


def add(fleet: Fleet, image, seed=SEED):
    manifest = Manifest.of(image)
    return fleet.host.programs.add(image, maker_key(seed), sign_program(manifest.signed_bytes(), seed))


def start(fleet: Fleet, version=7, **given):
    return fleet.host.campaigns.start(CampaignWish("program", program=version, **{**FAST, **given})).outline.id


def live(fleet: Fleet, seconds: int, campaign: str):
    """Time passes for host and meters, a minute at a time."""
    for _ in range(seconds // 60):
        fleet.sleep(60)
        fleet.tick()
        fleet.run(30)
    return fleet.host.campaigns.read(campaign).outline


def running(fleet, meter_id=ONE):
    return fleet.meters[meter_id]._core.program_version


@pytest.fixture(params=["aes-2026", "tdes-1998"])
def fleet(request, make_fleet):
    made = make_fleet(2, suite=request.param, maker_key=MAKER)
    made.run()
    return made


def test_a_program_is_loaded_started_and_confirmed(fleet):
    add(fleet, image_of())
    campaign = start(fleet)
    fleet.run(300)
    shown = live(fleet, 900, campaign)
    assert (shown.state, shown.confirmed) == ("done", 2)
    assert running(fleet) == 7
    assert fleet.host.registry.read_meter("000001").program == 7


@pytest.mark.parametrize(("kind", "reached"), [(ProgramKind.HOME, 2), (ProgramKind.TRANSFORMER, 1)])
def test_a_program_goes_to_meters_of_its_kind_alone(make_fleet, kind, reached):
    fleet = make_fleet(2)
    fleet.host.registry.enrol(Enrolment("0000CC", "S1", kind="ct"))
    image = build_image(7, MEMORY_FORMAT, bytes(100), kind)
    assert add(fleet, image).meters == ("home" if kind is ProgramKind.HOME else "ct")
    campaign = start(fleet)
    assert fleet.host.campaigns.read(campaign).outline.meters == reached
    fleet.host.registry.enrol(Enrolment("0000DD", "S1"))
    fleet.host.registry.enrol(Enrolment("0000CE", "S1", kind="ct"))
    assert fleet.host.campaigns.read(campaign).outline.meters == reached + 1


def test_it_starts_at_its_time(fleet):
    add(fleet, image_of())
    campaign = start(fleet, activate_s=fleet.now_s + 6_000)
    fleet.run(300)
    live(fleet, 3_000, campaign)
    assert running(fleet) == 1
    assert live(fleet, 4_800, campaign).confirmed == 2


def test_programs_that_wait_for_their_time_hold_up_no_other_meter(make_fleet):
    fleet = make_fleet(5, maker_key=MAKER)
    fleet.run()
    add(fleet, image_of(size=600))
    start(fleet, activate_s=fleet.now_s + 86_400, per_minute=2, per_station=1)
    fleet.run(240, until=lambda: len(loaded(fleet)) == 5)
    assert len(loaded(fleet)) == 5


def loaded(fleet):
    return [each for each in fleet.meters.values() if each._core.control.program.stage is ProgramStage.WAITING]


def test_a_program_that_does_not_start_is_told_and_the_one_before_runs_on(fleet):
    add(fleet, image_of(memory_format=MEMORY_FORMAT + 1))
    campaign = start(fleet)
    fleet.run(300)
    shown = live(fleet, TRIAL_S + 600, campaign)
    assert (shown.refused, shown.state) == (2, "done")
    assert "confirm" in fleet.host.campaigns.read(campaign).failed[0].reason
    assert running(fleet) == 1
    assert fleet.host.registry.read_meter("000001").program == 1


def test_a_meter_of_another_maker_refuses_it(fleet):
    add(fleet, image_of(), seed=bytes(32))
    campaign = start(fleet)
    fleet.run(60)
    shown = fleet.host.campaigns.read(campaign)
    assert (shown.outline.refused, shown.outline.state) == (2, "done")
    assert "signature" in shown.failed[0].reason


def test_messages_may_be_lost_and_power_may_go_anywhere(make_fleet):
    fleet = make_fleet(2, maker_key=MAKER, seed=5)
    fleet.run()
    add(fleet, image_of(size=20_000))
    campaign = start(fleet)
    fleet.lose = lambda payload: payload[0] != MessageType.HELLO and fleet.rng.random() < 0.1
    for _ in range(25):
        for _ in range(11):
            fleet.turn()
        if fleet.meters[ONE]._core.control.program.stage is not ProgramStage.TRIAL:
            fleet.power_up(ONE)
        fleet.sleep(60)
    fleet.lose = lambda payload: False
    fleet.run(200)
    assert live(fleet, 1_800, campaign).confirmed == 2
    assert (running(fleet), running(fleet, MeterId(b"\0\0\2"))) == (7, 7)


def test_the_host_goes_on_where_the_meter_stands_after_a_restart(make_fleet):
    fleet = make_fleet(1, maker_key=MAKER, suite="tdes-1998")
    fleet.run()
    add(fleet, image_of(size=9_000))
    campaign = start(fleet)
    for _ in range(8):
        for _ in range(9):
            fleet.turn()
        fleet.restart()
    fleet.run(300)
    before = fleet.exchanged
    assert live(fleet, 900, campaign).confirmed == 1
    assert fleet.exchanged - before < 200


def test_a_cancelled_program_that_waits_for_its_time_is_forgotten_in_the_meter(make_fleet):
    fleet = make_fleet(1, maker_key=MAKER)
    fleet.run()
    add(fleet, image_of())
    campaign = start(fleet, activate_s=fleet.now_s + 7_200)
    fleet.run(200)
    assert fleet.meters[ONE]._core.control.program.stage is ProgramStage.WAITING
    fleet.host.campaigns.cancel(campaign)
    live(fleet, 8_400, campaign)
    assert fleet.meters[ONE]._core.control.program.stage is ProgramStage.NONE
    assert running(fleet) == 1


def test_value_overtakes_a_program(make_fleet):
    fleet = make_fleet(1, maker_key=MAKER, suite="tdes-1998")
    fleet.run()
    add(fleet, image_of(size=20_000))
    start(fleet)
    fleet.run(30)
    fleet.host.vending.vend("000001", "5.00")
    fleet.run(12)
    assert fleet.meters[ONE].money.balance_micro == 5_000_000
    assert fleet.meters[ONE]._core.control.program.stage is ProgramStage.LOADING
    # And the rest of it stands before nobody else's value.
    assert not fleet.host.dispatch._roster.line("000001").urgent


def test_a_program_is_kept_once_and_another_under_its_version_refused(make_fleet):
    fleet = make_fleet(1)
    image = image_of()
    assert add(fleet, image) == add(fleet, image)
    with pytest.raises(RefusedError) as refused:
        add(fleet, image_of(size=10))
    assert refused.value.outcome is RefusalOutcome.EXISTS_WITH_DIFFERENT_FIELDS
    assert [each.version for each in fleet.host.programs.read_all()] == [7]


@pytest.mark.parametrize("field", ["program", "maker", "signature"])
def test_what_is_wrong_with_a_program_is_named(make_fleet, field):
    fleet = make_fleet(1)
    image = image_of()
    signature = sign_program(Manifest.of(image).signed_bytes(), SEED)
    given = {"program": (image[:-1], MAKER, signature), "maker": (image, MAKER[:-1], signature)}
    given["signature"] = (image, MAKER, bytes(64))
    with pytest.raises(RefusedError) as refused:
        fleet.host.programs.add(*given[field])
    assert refused.value.field == field
    assert fleet.host.programs.read_all() == []


def test_every_answer_leads_somewhere_and_none_for_ever():
    units = 9
    for stage in ProgramStage:
        for coming in (0, 7, 8):
            for running_version in (1, 7):
                for unit in (0, 4, 9):
                    step, steps = first_step(7, 0), 0
                    standing = ProgramStanding(running_version, coming, unit, stage).build()
                    while not isinstance(step, Ended):
                        step = next_step(step, done=False, rest=standing, units=units)
                        steps += 1
                        assert steps <= 3 * OFFERS_MAX
    assert IMAGE_BYTES_MIN == 47
