"""Plans by version, for whom they hold, how they reach meters, and what a month would have cost."""

import json

import pytest
from tests.host.plans.making import DAY_S, VECTORS, give, paid, plan

from prewatt.codec.minutelog import pack
from prewatt.host.plans.assigning import AHEAD_DAYS_MAX
from prewatt.host.plans.importing import ImportOptions, import_record
from prewatt.host.plans.stored import date_of
from prewatt.host.rates import MisfitError, build_document
from prewatt.host.refusals import RefusalOutcome, RefusedError
from prewatt.host.store import schema
from prewatt.units import ValueFieldError

FIRST_DAY = 20_513  # 2026-03-01


@pytest.fixture(scope="module")
def quiet(world_type, quick_paths):
    """A world without plans, for what stores nothing."""
    world = world_type(quick_paths())
    yield world
    assert world.host.rates.read_all() == []
    world.close()
    world.place.drop()


def test_a_document_becomes_a_version_and_the_same_one_none(world):
    rates = world.host.rates
    first = rates.add(plan())
    assert (first.name, first.version, first.existed) == ("Homes", 1, False)
    assert rates.add(plan()).existed
    second = rates.add(plan(price={"unit": "0.31"}))
    assert (second.version, second.existed) == (2, False)
    assert rates.read("Homes").document["price"]["unit"] == "0.31"
    assert rates.read("Homes", 1).digest == first.digest
    assert [(each.version, each.meters) for each in rates.read_all()] == [(1, 0), (2, 0)]
    world.restart()
    assert world.host.rates.read("Homes", 1).document == first.document


def test_a_version_that_is_taken_is_refused_and_the_same_one_is_not(world):
    world.host.rates.add(plan(version=3))
    assert world.host.rates.add(plan(version=3)).existed
    with pytest.raises(RefusedError) as caught:
        world.host.rates.add(plan(version=3, price={"unit": "0.31"}))
    assert caught.value.outcome is RefusalOutcome.EXISTS_WITH_DIFFERENT_FIELDS
    assert world.host.rates.add(plan(price={"unit": "0.31"})).version == 4


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"price": {"unit": "-1"}}, "price.unit"),
        ({"digits": 3}, "digits"),
        ({"valid_from": "2026-02-30"}, "valid_from"),
        ({"extra": 1}, "extra"),
        ({"name": "a:b"}, "name"),
    ],
)
def test_a_document_that_is_wrong_stores_nothing_and_says_where(quiet, changed, field):
    with pytest.raises(ValueFieldError) as caught:
        quiet.host.rates.add(plan(**changed))
    assert caught.value.field == field
    assert [each.where for each in quiet.host.rates.check(plan(**changed)).problems] == [field]
    assert quiet.host.rates.read_all() == []


@pytest.mark.parametrize("given", [None, [], "x", 5, {"name": []}])
def test_what_is_no_document_is_refused(quiet, given):
    with pytest.raises(ValueFieldError):
        quiet.host.rates.add(given)


def test_all_that_no_meter_can_follow_is_listed_and_nothing_is_stored(quiet):
    hours = {
        "unit": "0.30",
        "days": {"all": {"00:00": "0.30", "06:07": "0.60"}},
        "week": dict.fromkeys(("weekday", "saturday", "sunday", "holiday"), "all"),
    }
    wrong = plan(price=hours, meter={"friendly": [{"day": "all", "from": "22:00", "to": "24:00"}]})
    checked = quiet.host.rates.check(wrong)
    assert checked.problems == ()
    assert {"price.days.all", "meter.friendly[0]"} <= {each.where for each in checked.misfits}
    with pytest.raises(MisfitError):
        quiet.host.rates.add(wrong)
    assert quiet.host.rates.read_all() == []


def test_a_meters_own_plan_goes_before_the_installations_and_can_be_taken_back(make_world):
    world = make_world(meters=2)
    rates = world.host.rates
    give(world)
    give(world, meter="000002", name="Other")
    assert [rates.read_holding(meter).plan for meter in ("000001", "000002")] == ["Homes", "Other"]
    assert [each.meters for each in rates.read_all()] == [1, 1]
    rates.assign(None, meter="000002", reason="moved")
    assert (rates.read_holding("000002").plan, rates.read_holding("000002").own) == ("Homes", False)
    rates.assign(None, reason="stopped")
    assert rates.read_holding("000001").plan is None
    assert world.host.vending.vend("000001", "1.00").lines == ()
    with pytest.raises(RefusedError) as caught:
        rates.quote("000001", "1.00")
    assert caught.value.outcome is RefusalOutcome.NO_RATE


def test_an_assignment_holds_from_its_day_on(world):
    rates = world.host.rates
    rates.add(plan())
    rates.assign("Homes", meter="000001", from_day="2026-03-05", reason="test")
    assert rates.read_holding("000001").plan is None
    assert rates.read_holding("000001", "2026-03-05").plan == "Homes"
    assert world.host.vending.vend("000001", "1.00").lines == ()
    world.now_s += 4 * DAY_S
    assert world.host.vending.vend("000001", "10.00").lines != ()
    assert world.host.audit.run().ok


def test_days_that_can_be_named_at_the_limits_and_one_past(world):
    world.host.rates.add(plan())
    for day in (FIRST_DAY, FIRST_DAY + AHEAD_DAYS_MAX):
        world.host.rates.assign("Homes", from_day=date_of(day).isoformat(), reason="test")
    for day in (FIRST_DAY - 1, FIRST_DAY + AHEAD_DAYS_MAX + 1):
        with pytest.raises(RefusedError, match="what was sold was sold"):
            world.host.rates.assign("Homes", from_day=date_of(day).isoformat(), reason="test")
    for text in ("", "tomorrow", "20260301", "2026-3-1"):
        with pytest.raises(ValueFieldError, match="from"):
            world.host.rates.assign("Homes", from_day=text, reason="test")


def test_what_cannot_be_assigned_is_refused_and_changes_nothing(world):
    rates = world.host.rates
    rates.add(plan(valid_to="2026-03-31"))
    for given, outcome in (
        ({"plan": "Nobody"}, RefusalOutcome.UNKNOWN_RATE),
        ({"plan": "Homes", "meter": "000009"}, RefusalOutcome.UNKNOWN_METER),
        ({"plan": "Homes", "from_day": "2026-04-01"}, RefusalOutcome.NO_RATE),
        ({"plan": None, "lifeline": True}, RefusalOutcome.BAD_FIELD),
    ):
        with pytest.raises(RefusedError) as caught:
            rates.assign(given.pop("plan"), reason="test", **given)
        assert caught.value.outcome is outcome
    assert rates.read_assignments() == []


def test_a_plan_reaches_its_meters_as_a_tariff_and_so_does_its_next_version(world):
    world.host.rates.add(plan(meter={"low_balance": "1.00"}))
    world.host.rates.assign("Homes", reason="test")
    world.settle(2)
    body = world.bodies["000001"]
    assert body.price == 300_000
    assert world.host.registry.read_meter("000001").tariff_version == 1
    assert [each.kind for each in world.host.controls.read("000001")] == ["settings", "mode"]
    made = world.host.rates.add(plan(price={"unit": "0.40"}, meter={"low_balance": "1.00"}))
    world.settle(2)
    assert (body.price, made.tariffs) == (400_000, (2,))
    assert [each.kind for each in world.host.controls.read("000001")] == ["mode", "settings", "mode"]
    world.add_meter("000002")
    world.settle(2)
    assert world.bodies["000002"].price == 400_000


def test_a_version_of_a_later_day_is_sent_with_that_day(world):
    give(world)
    world.host.rates.add(plan(valid_from="2026-04-01", price={"unit": "0.50"}))
    assert world.host.tariffs.read().valid_from_s == world.now_s + 31 * DAY_S
    assert paid(world.host.rates.quote("000001", "40.00").lines)["subsidy"] == -5_000_000
    world.now_s += 31 * DAY_S
    assert world.host.rates.quote("000001", "40.00").version == 2


def test_the_same_assignment_again_makes_no_other_tariff(world):
    give(world)
    world.host.rates.assign("Homes", reason="again")
    assert len(world.host.rates.read_assignments()) == 1
    assert world.host.tariffs.read().version == 1


def test_another_plan_begins_its_own_standing_charge(world):
    give(world)
    world.now_s += 62 * DAY_S
    assert paid(world.host.rates.quote("000001", "40.00").lines)["standing"] == 4_500_000
    give(world, name="Other")
    assert paid(world.host.rates.quote("000001", "40.00").lines)["standing"] == 1_500_000


def store_day(world, day, minutes):
    packed = pack(minutes)
    row = {"meter": "000001", "day": day, "first_minute": 0, "day_start_s": day * DAY_S, "minutes": len(minutes)}
    more = {"packing": int(packed[0]), "log": packed[1], "ends": True}
    world.host.context.store.write(
        lambda writing: writing.connection.execute(schema.day_logs.insert().values(row | more))
    )


def test_a_preview_is_the_month_that_was_measured_under_any_plan(world):
    for day in range(FIRST_DAY, FIRST_DAY + 30):
        store_day(world, day, (20,) * 1_440)
    world.now_s += 40 * DAY_S
    world.host.rates.add(plan(valid_from="2026-04-01"))
    bill = world.host.rates.preview("000001", plan="Homes")
    assert (bill.month, bill.energy_pulses, bill.missing_s) == ("2026-03", 30 * 1_440 * 20, DAY_S)
    lines = paid(bill.lines)
    assert lines["value"] == 25_920_000
    assert lines["subsidy"] == -5_000_000
    assert lines["standing"] == 1_500_000
    assert sum(lines.values()) == bill.total_micro
    assert world.host.rates.preview("000001", plan="Homes", month="2026-02").energy_pulses == 0
    with pytest.raises(RefusedError):
        world.host.rates.preview("000001")


@pytest.mark.parametrize(
    "month", ["", "2026", "2026-13", "2026-00", "1970-01", "2026-3", "26-03", "2026-03-01", "²026-03"]
)
def test_what_is_no_month_is_refused(quiet, month):
    with pytest.raises(ValueFieldError, match="month"):
        quiet.host.rates.preview("000001", plan="Homes", month=month)


@pytest.mark.parametrize(
    ("form", "options", "field"),
    [
        ("x", {}, "format"),
        ("urdb", {"voltage": "low"}, "voltage"),
        ("kepco-residential", {"month": "2024-08"}, "voltage"),
        ("kepco-residential", {"month": "2024-08", "voltage": "middle"}, "voltage"),
        ("kepco-general", {"contract": "F1-low", "kw": 5, "day": "x"}, "day"),
        ("urdb", {"leave_out": ("x",) * 65}, "leave_out"),
    ],
)
def test_options_that_a_format_does_not_take_are_named(form, options, field):
    with pytest.raises(ValueFieldError) as caught:
        import_record(form, {}, ImportOptions(**options), zone_quarters=0, daylight=None)
    assert caught.value.field == field


def test_a_published_record_becomes_a_plan_that_is_sold_by(world):
    record = json.loads((VECTORS / "urdb" / "sce_tou_ev_9.json").read_text())
    options = ImportOptions(leave_out=("demandreactivepowercharge",))
    taken = import_record("urdb", record, options, zone_quarters=0, daylight=None)
    document = build_document(taken.plan) | {"valid_from": "2026-01-01"}
    document.pop("valid_to", None)
    made = world.host.rates.add(document)
    world.host.rates.assign(made.name, reason="test")
    assert world.host.vending.vend("000001", "1000.00").paid_micro == 1_000_000_000
    assert world.host.audit.run().ok
