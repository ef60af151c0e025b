"""A month of one real house: what the preview says is what a meter with the plan's table burns, to the micro-unit."""

import lzma
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from tests.host.rates.making import KWH, make_plan

from prewatt.codec.modeparts import Daylight, Holiday, Turn
from prewatt.codec.modetable import ModeTable
from prewatt.device.meter.money import Money
from prewatt.device.meter.moneylimits import MoneyLimits
from prewatt.device.meter.tariff import Tariff
from prewatt.device.meter.tokens import Sam, burn_through, rate_of
from prewatt.host.rates.hours import DayHours, Hours
from prewatt.host.rates.meterfit import fit_meter
from prewatt.host.rates.preview import Readings, preview

HOUSE = Path(__file__).parents[2] / "vectors" / "uci_household" / "2007_pulses.csv.xz"
RULE = Daylight(Turn(3, 5, 6, 8), Turn(10, 5, 6, 8))
# Prices of a utility, that are no whole percents of the unit price.
DAYS = (
    DayHours("work", ((0, 117_900), (360, 201_350), (1020, 382_250), (1260, 201_350))),
    DayHours("free", ((0, 191_280),)),
)
HOURS = Hours(DAYS, (0, 0, 0, 0, 0, 1, 1, 1), 201_350, holidays=(Holiday(2007, 3, 28),), zone_quarters=4, daylight=RULE)
BALANCE = 10**12


def minutes_of(month: str) -> list[int | None]:
    with lzma.open(HOUSE, "rt") as lines:
        rows = [line.rstrip("\n").split(",") for line in lines]
    return [None if x == "-" else int(x) for name, day in rows if name.startswith(month) for x in day.split()]


@pytest.mark.parametrize(("month", "start", "minutes"), [
    (3, datetime(2007, 2, 28, 23, tzinfo=UTC), 31 * 1440 - 60),
    (4, datetime(2007, 3, 31, 22, tzinfo=UTC), 30 * 1440),
])  # fmt: skip
def test_a_meter_burns_what_the_preview_says(month, start, minutes):
    plan = make_plan(201_350, hours=HOURS, valid_from=date(2007, 1, 1))
    row = minutes_of(f"2007-{month:02d}")[:minutes]
    start_s = int(start.timestamp())
    bill = preview(plan, Readings(start_s, 60, tuple(row)), year=2007, month=month)
    fit = fit_meter(plan)
    tariff = Tariff(ModeTable.parse(fit.table.build()), fit.unit_price_micro)
    money, sam, limits = Money(svm_micro=BALANCE, received_micro=BALANCE), Sam(BALANCE), MoneyLimits()
    for place, pulses in enumerate(row):
        percent = tariff.price_run(start_s + 60 * place).percent
        money = burn_through(money, rate_of(fit.unit_price_micro, percent, 100), pulses or 0, limits, sam).money
    assert money.burned_micro == sum(price * pulses for price, pulses in bill.energy) // KWH
    assert abs(money.burned_micro - bill.total_micro) <= plan.minor_micro // 2
    assert bill.energy_pulses == sum(each or 0 for each in row)
    assert bill.missing_s == 60 * row.count(None)
    # A home, and not nothing: some hundreds of kilowatt-hours at every price.
    assert 200 * KWH < bill.energy_pulses < 2_000 * KWH
    assert len(bill.energy) == 4
