"""Records of the Utility Rate Database as plans, and all that no plan or meter can say (tests/vectors/urdb)."""

import copy
import json
from datetime import date
from pathlib import Path
from random import Random

import pytest
from tests.host.rates.making import KWH
from tests.host.rates.test_kepco import alter

from prewatt.codec.modeparts import Daylight, Turn
from prewatt.host.rates.document import build_document, parse_plan
from prewatt.host.rates.meterfit import find_misfits, fit_meter
from prewatt.host.rates.parts import Block, Per, StandingCharge
from prewatt.host.rates.urdb import import_urdb

VECTORS = Path(__file__).parents[2] / "vectors" / "urdb"
RECORDS = {path.stem: json.loads(path.read_text()) for path in sorted(VECTORS.glob("*.json"))}
PACIFIC = -32
RULE = Daylight(Turn(3, 2, 6, 8), Turn(11, 1, 6, 4))
POWER = ("demandratestructure", "flatdemandstructure", "demandreactivepowercharge")


def record(name: str = "sce_tou_ev_9", **changed) -> dict:
    return {**copy.deepcopy(RECORDS[name]), **changed}


def bring(given: object, leave_out: tuple[str, ...] = POWER):
    return import_urdb(given, zone_quarters=PACIFIC, daylight=RULE, leave_out=leave_out)


def simple(**changed) -> dict:
    year = [[0] * 24 for _ in range(12)]
    return {
        "name": "Simple",
        "startdate": 1767225600,
        "energyratestructure": [[{"rate": 0.30, "unit": "kWh"}]],
        "energyweekdayschedule": year,
        "energyweekendschedule": year,
        **changed,
    }


def paths(imported) -> list[str]:
    return [each.path for each in imported.problems]


# Winter (October to May): 0.11574 + 0.00216 from 8 to 16, 0.38009 + 0.00216 from 16 to 21, else 0.19919 + 0.00216.
# June to September: 0.18912, on weekdays 0.51108 and on weekends 0.34018 from 16 to 21, 0.00216 more each.
def test_periods_become_hours_and_months_become_seasons():
    imported = bring(record())
    plan = imported.plan
    assert plan.name == "General Service Time-of-use Electric Vehicle Charging TOU-EV-9 ("
    assert plan.valid_from == date(2024, 10, 1)
    assert plan.standing == StandingCharge(447_440_000, Per.MONTH)
    winter = ((0, 201_350), (480, 117_900), (960, 382_250), (1260, 201_350))
    assert plan.hours.read_changes(date(2025, 1, 6)) == plan.hours.read_changes(date(2025, 5, 31)) == winter
    assert plan.hours.read_changes(date(2025, 10, 4)) == winter
    assert plan.hours.read_changes(date(2025, 6, 2)) == ((0, 191_280), (960, 513_240), (1260, 191_280))
    assert plan.hours.read_changes(date(2025, 9, 27)) == ((0, 191_280), (960, 342_340), (1260, 191_280))
    assert (plan.hours.zone_quarters, plan.hours.daylight) == (PACIFIC, RULE)
    # 8 of 12 months have 11 hours of it.
    assert plan.unit_price_micro == 201_350


@pytest.mark.parametrize("name", ["sce_tou_ev_9", "sdge_ev_hp", "smud_ci_tod3", "pge_e19"])
def test_every_hour_of_a_year_has_the_price_of_the_record(name):
    given = record(name)
    hours = bring(given).plan.hours
    for day in (date.fromordinal(date(2027, 1, 1).toordinal() + at) for at in range(365)):
        key = "energyweekendschedule" if day.weekday() >= 5 else "energyweekdayschedule"
        changes = hours.read_changes(day)
        for hour, period in enumerate(given[key][day.month - 1]):
            tier = given["energyratestructure"][period][0]
            exact = round((tier["rate"] + tier.get("adj", 0)) * 1_000_000)
            assert [price for minute, price in changes if minute <= hour * 60][-1] == exact


@pytest.mark.parametrize("name", ["sce_tou_ev_9", "sdge_ev_hp", "smud_ci_tod3", "pge_e19"])
def test_a_meter_follows_what_is_taken_and_the_document_reads_back(name):
    plan = bring(record(name)).plan
    assert find_misfits(plan) == ()
    fit = fit_meter(plan)
    assert [each * fit.unit_price_micro for each in fit.table.percents] == [price * 100 for price in plan.hours.prices]
    assert parse_plan(build_document(plan)) == plan


def test_charges_that_are_no_price_of_energy_are_named_until_they_are_left_out():
    assert paths(bring(record(), leave_out=())) == ["demandreactivepowercharge"]
    assert paths(bring(record("smud_ci_tod3"), leave_out=())) == [
        "demandratestructure/1/0/rate",
        "flatdemandstructure/0/0/rate",
    ]
    notes = bring(record("smud_ci_tod3")).notes
    assert "demandratestructure is left out: it is asked for power, not for energy" in notes
    assert "dgRules is not read" in notes
    assert "a record names no holidays; they are as their day of the week" in notes


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("psco_rd", ["energyratestructure/0/0/rate"]),
        ("dixie_net", ["energyratestructure/0/0/rate", "startdate"]),
        ("seward_d28", ["energyweekdayschedule/0/0", "energyweekendschedule/0/0"]),
        ("unnamed", ["name", "startdate"]),
    ],
)
def test_records_with_missing_parts_are_named_part_by_part(name, expected):
    imported = bring(record(name))
    assert imported.plan is None
    assert paths(imported) == expected


def test_the_unit_price_is_what_holds_in_most_hours_of_a_week():
    # 5 x 20 hours are more than 5 x 4 and 2 x 24, though 20 are fewer than 4 and 24.
    given = simple(
        energyratestructure=[[{"rate": 0.1}], [{"rate": 0.2}]],
        energyweekdayschedule=[[0] * 20 + [1] * 4 for _ in range(12)],
        energyweekendschedule=[[1] * 24 for _ in range(12)],
    )
    assert bring(given).plan.unit_price_micro == 100_000
    assert "the unit price is 0.10, which holds in most hours" in bring(given).notes


def test_tiers_of_one_period_become_blocks_of_the_month():
    tiers = [{"rate": 0.0933, "max": 1000, "unit": "kWh"}, {"rate": 0.0747, "max": 3000.5}, {"rate": 0.06, "adj": 0.01}]
    plan = bring(simple(energyratestructure=[tiers])).plan
    assert plan.blocks == (Block(1_000 * KWH, 93_300), Block(30_005_000, 74_700), Block(None, 70_000))
    assert plan.unit_price_micro == 93_300


def test_tiers_beside_other_periods_are_named():
    given = simple(
        energyratestructure=[[{"rate": 0.1}], [{"rate": 0.2, "max": 50}, {"rate": 0.3}]],
        energyweekendschedule=[[1] * 24 for _ in range(12)],
    )
    assert paths(bring(given)) == ["energyratestructure/1"]
    unused = simple(energyratestructure=[[{"rate": 0.1}], [{"rate": 0.2, "max": 50}, {"rate": 0.3}]])
    assert bring(unused).plan.unit_price_micro == 100_000


@pytest.mark.parametrize(
    ("changed", "path"),
    [
        ({"energyratestructure": [[{"rate": 0.3, "unit": "kWh daily"}]]}, "energyratestructure/0/0/unit"),
        ({"energyratestructure": [[{"rate": -0.3}]]}, "energyratestructure/0/0/rate"),
        ({"energyratestructure": [[{"rate": f"0.3{'0' * 30}1"}]]}, "energyratestructure/0/0/rate"),
        ({"energyratestructure": [[{"rate": "much"}]]}, "energyratestructure/0/0/rate"),
        ({"energyratestructure": [[{"rate": 0.3, "max": 0.00001}, {"rate": 0.2}]]}, "energyratestructure/0/0/max"),
        ({"energyratestructure": [[{"rate": 0.3}, {"rate": 0.2}]]}, "blocks[0].until_kwh"),
        ({"energyratestructure": [[7]]}, "energyratestructure/0/0"),
        ({"energyratestructure": [[]]}, "energyratestructure/0"),
        ({"energyratestructure": [[{"rate": 0.3}] * 13]}, "energyratestructure/0"),
        ({"energyratestructure": [[{"rate": 0}]]}, "price.unit"),
        ({"energyratestructure": []}, "energyratestructure"),
        ({"energyratestructure": [[{"rate": 0.3}]] * 65}, "energyratestructure"),
        ({"energyweekdayschedule": [[0] * 24] * 11}, "energyweekdayschedule"),
        ({"energyweekendschedule": [[0] * 23] * 12}, "energyweekendschedule"),
        ({"energyweekendschedule": [[0] * 23 + [-1]] * 12}, "energyweekendschedule/0/23"),
        ({"energyweekendschedule": [[0] * 23 + [0.5]] * 12}, "energyweekendschedule/0/23"),
        ({"fixedchargefirstmeter": 5, "fixedchargeunits": "$/year"}, "fixedchargeunits"),
        ({"fixedchargefirstmeter": 5}, "fixedchargeunits"),
        ({"fixedmonthlycharge": -5}, "fixedmonthlycharge"),
        ({"mincharge": 5}, "mincharge"),
        ({"fueladjustmentsmonthly": [0, 0.01]}, "fueladjustmentsmonthly/1"),
        ({"startdate": "soon"}, "startdate"),
        ({"startdate": -5}, "startdate"),
        ({"startdate": 10**12}, "startdate"),
        ({"enddate": 86_400}, "valid_to"),
    ],
)
def test_what_cannot_be_said_is_named_with_its_path(changed, path):
    imported = bring(simple(**changed))
    assert imported.plan is None
    assert path in paths(imported)
    assert all(each.why for each in imported.problems)


def test_a_day_begins_at_the_midnight_nearest_to_the_stamp():
    # Records have midnights of several zones: 06:00 and 23:00 UTC here.
    for stamp, day in (
        (1727762400, date(2024, 10, 1)),
        (1727737200, date(2024, 10, 1)),
        (1401580800, date(2014, 6, 1)),
    ):
        assert bring(simple(startdate=stamp)).plan.valid_from == day


def test_fixed_charges_by_day_and_month_are_standing_charges():
    assert bring(record("pge_e19")).plan.standing == StandingCharge(19_712_530, Per.DAY, 366)
    assert bring(simple(fixedmonthlycharge=29.25)).plan.standing == StandingCharge(29_250_000, Per.MONTH)
    assert bring(simple()).plan.standing is None


def test_what_is_no_record_is_named():
    for given in (None, [], 5, "x", {}):
        assert bring(given).problems
        assert bring(given).plan is None


def test_altered_records_give_a_plan_or_problems():
    random = Random(6)
    strange = [None, -1, 0, "x", [], {}, [None], 1e300, float("nan"), float("inf"), True, 10**40, "1e9999999", 0.5, 7]
    for name in RECORDS:
        for _ in range(60):
            given = record(name)
            alter(random, given, strange)
            imported = bring(given)
            assert (imported.plan is None) == bool(imported.problems)
            if imported.plan:
                assert parse_plan(build_document(imported.plan)) == imported.plan
