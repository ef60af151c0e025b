"""KEPCO's tables as plans: bills that were printed, and what a plan cannot say (tests/vectors/kepco)."""

import copy
import json
from dataclasses import replace
from datetime import date
from pathlib import Path
from random import Random

import pytest
from tests.host.rates.making import KWH, UNIT

from prewatt.host.rates.explain import explain
from prewatt.host.rates.kepco import import_kepco_general, import_kepco_residential
from prewatt.host.rates.meterfit import find_misfits, fit_meter
from prewatt.host.rates.parts import Block, Rounding
from prewatt.host.rates.preview import Readings, preview
from prewatt.host.rates.quote import for_energy, quote
from prewatt.host.rates.standing import RateStanding
from prewatt.units import ValueFieldError

VECTORS = Path(__file__).parents[2] / "vectors" / "kepco"
RESIDENTIAL = json.loads((VECTORS / "residential.json").read_text())
GENERAL = json.loads((VECTORS / "general.json").read_text())
BILLS = [json.loads(line) for line in (VECTORS / "bills.jsonl").read_text().splitlines()]
SEOUL_S = 9 * 3_600


def residential(year: int, month: int, voltage: str = "low"):
    return import_kepco_residential(RESIDENTIAL, voltage=voltage, year=year, month=month)


def bill(plan, year: int, month: int, kwh: int):
    noon = (date(year, month, 2) - date(1970, 1, 1)).days * 86_400 - SEOUL_S
    return preview(plan, Readings(noon, 3_600, (kwh * KWH,)), year=year, month=month)


@pytest.mark.parametrize("printed", BILLS, ids=lambda each: f"{each['year']}-{each['month']} {each['kwh']} kWh")
def test_a_bill_is_the_one_that_was_printed(printed):
    plan = replace(residential(printed["year"], printed["month"]).plan, rounding=Rounding.DOWN)
    made = bill(plan, printed["year"], printed["month"], printed["kwh"])
    fund = next(line.amount_micro for line in made.lines if line.name == "fund") // UNIT
    # The bill drops what is below a won, and below 10 won of the fund and of the sum; the plan the first alone.
    won = made.total_micro // UNIT
    assert (won - fund % 10) // 10 * 10 == printed["won"]
    assert 0 <= won - printed["won"] < 20


# August 2023, 427 kWh: 300 x 120.0 + 127 x 214.6 = 36,000 + 27,254.2; 910 and 690 of basic charge; 427 x 9.0 = 3,843;
# 427 x 5.0 = 2,135; in all 70,832.2; VAT 7,083.22; fund 3.7 % 2,620.79; together 80,536.2.
def test_a_bill_by_hand():
    made = bill(residential(2023, 8).plan, 2023, 8, 427)
    assert {line.name: line.amount_micro // UNIT for line in made.lines} == {
        "value": 51_240,
        "surcharge": 12_014,
        "standing": 910,
        "block": 690,
        "climate": 3_843,
        "fuel": 2_135,
        "VAT": 7_083,
        "fund": 2_621,
    }
    assert made.total_micro == 80_536 * UNIT


def test_blocks_are_wider_in_july_and_august_and_a_fourth_stands_in_summer_and_winter():
    ends = {}
    for month in (4, 7, 8, 9, 12):
        plan = residential(2023, month).plan
        ends[month] = [block.until_pulses and block.until_pulses // KWH for block in plan.blocks]
    assert ends == {
        4: [200, 400, None],
        7: [300, 450, 1000, None],
        8: [300, 450, 1000, None],
        9: [200, 400, None],
        12: [200, 400, 1000, None],
    }
    summer = residential(2023, 8).plan
    assert summer.blocks[1] == Block(450 * KWH, 214_600_000, 690 * UNIT)
    assert summer.blocks[2].entry_micro == 5_700 * UNIT
    assert (summer.valid_from, summer.valid_to) == (date(2023, 8, 1), date(2023, 8, 31))
    assert residential(2023, 12, "high").plan.valid_to == date(2023, 12, 31)


def test_a_month_has_the_prices_of_the_last_change():
    assert residential(2023, 4).plan.unit_price_micro == 112_000_000
    assert residential(2023, 5).plan.unit_price_micro == 120_000_000
    funds = {(2024, 6): 37_000, (2024, 7): 32_000, (2025, 7): 27_000}
    for (year, month), share in funds.items():
        assert residential(year, month).plan.lines[-1].share_ppm == share


def test_a_meter_follows_it_and_a_home_buys_its_month_in_two():
    plan = residential(2023, 8).plan
    assert find_misfits(plan) == ()
    assert fit_meter(plan).unit_price_micro == 120_000_000
    fresh = RateStanding(date(2023, 8, 1), unpaid_from=date(2023, 8, 1))
    first = quote(plan, fresh, 40_000 * UNIT)
    rest = for_energy(plan, first.after, 427_000 - first.energy_pulses // 10)
    assert abs(40_000 * UNIT + rest - 80_536 * UNIT) <= 3 * UNIT


def test_what_was_taken_off_small_bills_cannot_be_said():
    (problem,) = residential(2022, 6).problems
    assert problem.path == "PRICE_ELECBASIC/2109/low/elecBasicLimit"
    assert problem.given == "[2000, 200]"
    assert residential(2022, 6).plan is None
    assert residential(2022, 7).problems == ()


def test_a_fuel_charge_below_nothing_is_a_discount():
    tables = {**RESIDENTIAL, "PRICE_ELECBASIC": {}}
    plan = import_kepco_residential(tables, voltage="high", year=2021, month=3).plan
    assert "Discount fuel: 3 off each kWh." in explain(plan)
    assert "Levy climate: 5.3 on each kWh." in explain(plan)


def test_a_general_contract_has_a_price_for_each_season():
    imported = import_kepco_general(GENERAL, contract="F1-low", contract_kw=5, day=date(2023, 6, 1))
    plan = imported.plan
    # 6,160 won a kW.
    assert plan.standing.price_micro == 30_800 * UNIT
    prices = {month: plan.hours.read_changes(date(2023, month, 28))[0][1] for month in range(1, 13)}
    summer, between, winter = 132_400_000, 91_900_000, 119_000_000
    assert [prices[month] for month in range(1, 13)] == [winter] * 2 + [between] * 3 + [summer] * 3 + [between] * 2 + [
        winter
    ] * 2
    assert plan.hours.read_changes(date(2024, 2, 29))[0][1] == winter
    assert plan.hours.prices == (between, winter, summer)
    assert find_misfits(plan) == ()
    assert any("contract's power" in note for note in imported.notes)


def test_prices_by_load_period_are_named_since_their_hours_are_not_in_the_table():
    imported = import_kepco_general(GENERAL, contract="S-high-A1", contract_kw=500, day=date(2023, 6, 1))
    assert [(each.path, each.given) for each in imported.problems] == [
        ("MONTHLY_PRICE_SECTION/2305/S-high-A1/section", "3 rows")
    ]


@pytest.mark.parametrize(
    ("voltage", "year", "month", "path"),
    [
        ("medium", 2023, 8, "PRICE_BASE/medium"),
        ("low", 2020, 12, "PRICE_KWH/2012/low/kwhPrice"),
        ("low", 2020, 12, "BASE_FUND/2012/baseFundp"),
    ],
)
def test_what_is_not_in_the_tables_is_named(voltage, year, month, path):
    imported = residential(year, month, voltage)
    assert imported.plan is None
    assert path in [each.path for each in imported.problems]


@pytest.mark.parametrize(("year", "month"), [(1999, 8), (2100, 8), (2023, 0), (2023, 13)])
def test_a_month_that_does_not_exist_is_refused(year, month):
    with pytest.raises(ValueFieldError, match=r"(year|month): \d+ is not allowed"):
        residential(year, month)


@pytest.mark.parametrize("tables", [None, [], 7, "x", {}, {"PRICE_BASE": []}, {"PRICE_BASE": {"low": 5}}])
def test_tables_of_another_shape_give_problems_and_no_error(tables):
    imported = import_kepco_residential(tables, voltage="low", year=2023, month=8)
    assert imported.plan is None
    assert imported.problems
    assert import_kepco_general(tables, contract="F1-low", contract_kw=5, day=date(2023, 6, 1)).problems


def test_altered_tables_give_a_plan_or_problems():
    random = Random(5)
    strange = [None, -1, 0, "x", [], {}, [None], 1e300, float("nan"), float("inf"), True, 10**40, "1e9999999", -300.5]
    for _ in range(400):
        tables = copy.deepcopy(RESIDENTIAL)
        alter(random, tables, strange)
        imported = import_kepco_residential(tables, voltage="low", year=2023, month=8)
        assert (imported.plan is None) == bool(imported.problems)


def alter(random: Random, tables: object, strange: list) -> None:
    """Puts something strange at a random place."""
    while True:
        keys = list(tables) if isinstance(tables, dict) else list(range(len(tables)))
        key = random.choice(keys)
        below = tables[key]
        if not isinstance(below, dict | list) or not below or random.random() < 0.15:
            tables[key] = random.choice(strange)
            return
        tables = below
