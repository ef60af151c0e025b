"""The page for sellers says what the program does: its plan, its two purchases, its errors, its prices."""

import json
import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from tests.host.rates.making import KWH, UNIT

from prewatt.host.rates.document import parse_plan, parse_plan_text
from prewatt.host.rates.meterfit import fit_meter
from prewatt.host.rates.quote import quote
from prewatt.host.rates.standing import RateStanding
from prewatt.units import ValueFieldError, format_value

GUIDE = (Path(__file__).parents[3] / "docs" / "guide" / "rates.md").read_text()
BLOCKS = re.findall(r"(?:^    .*\n)+", GUIDE, re.MULTILINE)
PLAN = parse_plan_text(BLOCKS[0])
MARCH = RateStanding(date(2026, 3, 10), unpaid_from=date(2026, 3, 1), debt_micro=8 * UNIT)


def table(number: int) -> dict[str, tuple[str, str]]:
    """The rows of the page's n-th table of amounts."""
    tables = re.findall(r"\| line \| amount \| why \|\n\| --- .*\n((?:\|.*\n)+)", GUIDE)
    rows = [[cell.strip() for cell in row.strip("|").split("|")] for row in tables[number].splitlines()]
    return {name: (amount, why) for name, amount, why in rows}


@pytest.mark.parametrize(("number", "lifeline"), [(0, False), (1, True)])
def test_the_purchases_of_the_page_are_those_of_the_program(number, lifeline):
    rows = table(number)
    sold = quote(PLAN, replace(MARCH, lifeline=lifeline), 40 * UNIT)
    assert {line.name: format_value(line.amount_micro) for line in sold.lines} | {"in all": "40.00"} == {
        name: amount for name, (amount, _) in rows.items()
    }
    (kwh,) = re.findall(r"(\d+\.\d{4}) kWh", rows["value"][1])
    assert int(kwh.replace(".", "")) == sold.energy_pulses


# 50 kWh x 0.20 x 1.05 x 1.10 = 11.55; 40.00 - 1.65 - 8.00 - 11.55 = 18.80; 18.80 / 0.3465 = 54.2568...
def test_the_steps_of_the_page_are_right():
    levy_and_tax = 105 * 110
    assert 50 * 2_000 * levy_and_tax == 115_500 * KWH
    left = 4_000 - 165 - 800 - 1_155
    assert left == 1_880
    assert f"{left * 10**10 // (3_000 * levy_and_tax) / 10_000:.4f}" == "54.2568"
    for figure in ("0.231", "11.55", "18.80", "54.2568 kWh", "0.3465", "38.35", "30.35", "104.2568"):
        assert figure in GUIDE


def test_the_errors_of_the_page_are_those_of_the_program():
    wrong = json.loads(BLOCKS[0])
    wrong["blocks"][1]["price"] = "-0.30"
    with pytest.raises(ValueFieldError) as refused:
        parse_plan(wrong)
    assert f"    {refused.value}\n" in GUIDE
    with pytest.raises(ValueFieldError) as refused:
        quote(PLAN, replace(MARCH, unpaid_from=date(2025, 12, 1)), 2 * UNIT)
    assert f"    {refused.value}\n" in GUIDE


def test_the_hours_of_the_page_are_hours_that_a_meter_follows():
    price = next(block for block in BLOCKS if block.startswith('    "price"'))
    document = {"name": "a", "valid_from": "2026-01-01", **json.loads(f"{{{price}}}")}
    plan = parse_plan(document)
    assert fit_meter(plan).table.percents == (50, 75, 100, 200)
    index = {"days": {"a": {"00:00": "0.18081", "09:00": "0.15754", "16:00": "0.39404"}}}
    week = dict.fromkeys(("weekday", "saturday", "sunday", "holiday"), "a")
    fit = fit_meter(parse_plan({**document, "price": {"unit": "0.18081", **index, "week": week}}))
    shown = [f"{percent:,} %" for percent in fit.table.percents]
    assert shown == ["15,754 %", "18,081 %", "39,404 %"]
    assert all(each in GUIDE for each in shown)
    assert format_value(fit.unit_price_micro) == "0.001"
