"""What a quote promises whatever the plan, and sums worked out by hand."""

from dataclasses import replace
from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.host.rates.making import (
    CENT,
    FIRST,
    KWH,
    TODAY,
    UNIT,
    any_plan,
    any_standing,
    cost_of_pulses,
    levy,
    make_plan,
    slopes,
)

from prewatt.host.rates.parts import (
    Block,
    DebtRule,
    Lifeline,
    LineKind,
    Per,
    PurchaseLimits,
    RateLine,
    Rounding,
    StandingCharge,
)
from prewatt.host.rates.quote import ChargeKind, for_energy, quote, read_least
from prewatt.host.rates.standing import RateStanding
from prewatt.units import VALUE_MAX_MICRO, ValueFieldError

NOW = RateStanding(TODAY, unpaid_from=TODAY)
NEW = RateStanding(TODAY)
laws = settings(deadline=None, max_examples=80)
some_money = st.integers(0, 400 * UNIT)


def amount_from(plan, standing, money: int) -> int:
    """What is payable: the least that is sold today, and ``money`` on top, in whole minor units."""
    return read_least(plan, standing) + money // plan.minor_micro * plan.minor_micro


def amounts(sold) -> dict[str, int]:
    return {line.name: line.amount_micro for line in sold.lines}


@given(any_plan(), any_standing(), some_money)
@laws
def test_the_lines_sum_to_the_amount_and_the_meter_never_gets_less_than_nothing(plan, standing, money):
    amount = amount_from(plan, standing, money)
    sold = quote(plan, standing, amount)
    assert sum(line.amount_micro for line in sold.lines) == amount == sold.amount_micro
    assert sold.value_micro == sold.lines[0].amount_micro >= 0
    assert sold.energy_pulses == sold.value_micro * KWH // plan.unit_price_micro


@given(any_plan(), any_standing(), some_money)
@laws
def test_every_line_is_whole_minor_units(plan, standing, money):
    sold = quote(plan, standing, amount_from(plan, standing, money))
    assert all(line.amount_micro % plan.minor_micro == 0 for line in sold.lines)


@given(any_plan(), any_standing(), some_money, st.integers(1, 100 * UNIT))
@laws
def test_more_money_never_buys_less(plan, standing, money, more):
    amount = amount_from(plan, standing, money)
    step = max(plan.minor_micro, more // plan.minor_micro * plan.minor_micro)
    sold, richer = quote(plan, standing, amount), quote(plan, standing, amount + step)
    closest = quote(plan, standing, amount + plan.minor_micro)
    assert sold.value_micro <= closest.value_micro <= richer.value_micro
    assert sold.energy_pulses <= closest.energy_pulses <= richer.energy_pulses


@given(any_plan(), any_standing(), some_money)
@laws
def test_the_same_question_has_the_same_answer(plan, standing, money):
    amount = amount_from(plan, standing, money)
    assert quote(plan, standing, amount) == quote(replace(plan), replace(standing), amount)


@given(any_plan(), any_standing(), some_money)
@laws
def test_what_was_bought_costs_what_was_paid_when_it_is_added_up_on_paper(plan, standing, money):
    sold = quote(plan, standing, amount_from(plan, standing, money))
    due = 0
    if plan.standing:
        due = plan.standing.price_micro * standing.count_due(plan.standing)
    debt = amounts(sold).get("debt", 0)
    start, end = standing.bought_pulses, sold.after.bought_pulses
    energy = Fraction(0)
    reached = 0
    low = 0
    for block in plan.month_blocks:
        high = min(end, block.until_pulses or end)
        within = max(0, high - max(low, start))
        cheap = 0
        if plan.lifeline and standing.lifeline:
            cheap = max(0, min(high, plan.lifeline.until_pulses) - max(low, start))
        energy += Fraction((within - cheap) * block.price_micro, KWH)
        energy += Fraction(cheap * plan.lifeline.price_micro, KWH) if cheap else 0
        reached += block.entry_micro if end > low else 0
        low = block.until_pulses or end
    entry = max(0, reached - standing.entry_paid_micro)
    total = cost_of_pulses(plan, energy, Fraction(end - start), Fraction(due + entry), fixed=True)
    # The value is within a minor unit of its exact figure, so the energy within what that is, and a pulse.
    slack = (Fraction(plan.minor_micro * KWH, plan.unit_price_micro) + 1) * max(slopes(plan))
    # Whoever stands before the charge of a block may have paid a part of it; rounding may pass several small blocks.
    entries = sum(block.entry_micro for block in plan.month_blocks)
    gross_entry = cost_of_pulses(plan, Fraction(0), Fraction(0), Fraction(entries))
    assert -slack - gross_entry - plan.minor_micro <= total - (sold.amount_micro - debt) <= slack + gross_entry
    if not entries:
        assert abs(total - (sold.amount_micro - debt)) <= slack


@given(any_plan(fixed=False), any_standing(), some_money, some_money)
@laws
def test_two_purchases_buy_what_one_buys_up_to_their_rounding(plan, standing, first, second):
    one = amount_from(plan, standing, first)
    two = max(plan.minor_micro, second // plan.minor_micro * plan.minor_micro)
    if plan.standing:
        # More charges than one purchase takes are another law's; here the first purchase takes all.
        standing = replace(standing, unpaid_from=max(standing.unpaid_from, TODAY.replace(day=10)))
        one = amount_from(plan, standing, first)
    before = quote(plan, standing, one)
    after = quote(plan, before.after, two)
    whole = quote(plan, standing, one + two)
    split = before.energy_pulses + after.energy_pulses
    # Each of the three is within a minor unit of value and a pulse; the debt's share may be one minor unit apart, and
    # block charges another. What these cost at one place of the month buys more where energy is cheapest.
    paid = [slope for slope in slopes(plan) if slope > 0]
    unit = Fraction(plan.minor_micro * KWH, plan.unit_price_micro) + 1
    charges = 2 * plan.minor_micro * (1 + cost_of_pulses(plan, Fraction(0), Fraction(0), Fraction(1)))
    bound = 3 * unit * max(1, max(paid) / min(paid)) + charges / min(paid)
    assert abs(split - whole.energy_pulses) <= bound
    assert abs(after.after.debt_micro - whole.after.debt_micro) <= plan.minor_micro
    assert after.after.unpaid_from == whole.after.unpaid_from


@given(any_plan(), any_standing(), st.integers(0, 300_000))
@laws
def test_the_amount_for_an_energy_buys_it_and_a_minor_unit_less_does_not(plan, standing, wh):
    amount = for_energy(plan, standing, wh)
    assert quote(plan, standing, amount).energy_pulses >= wh * 10
    if amount > read_least(plan, standing):
        assert quote(plan, standing, amount - plan.minor_micro).energy_pulses < wh * 10


@given(any_plan(), any_standing(), some_money)
@laws
def test_the_amount_for_the_energy_of_a_quote_is_no_more_than_was_paid(plan, standing, money):
    amount = amount_from(plan, standing, money)
    sold = quote(plan, standing, amount)
    again = for_energy(plan, standing, sold.energy_pulses // 10)
    assert again <= amount
    assert quote(plan, standing, again).energy_pulses >= sold.energy_pulses // 10 * 10


@given(any_plan(), any_standing(), some_money)
@laws
def test_debt_and_counters_move_by_what_the_lines_say(plan, standing, money):
    sold = quote(plan, standing, amount_from(plan, standing, money))
    paid = amounts(sold)
    after = sold.after
    assert (
        standing.debt_micro - after.debt_micro
        == paid.get("debt", 0)
        == after.debt_paid_micro - standing.debt_paid_micro
    )
    assert after.bought_pulses - standing.bought_pulses == sold.energy_pulses
    assert after.entry_paid_micro - standing.entry_paid_micro == paid.get("block", 0) >= 0
    if plan.debt and plan.debt.month_micro is not None:
        assert after.debt_paid_micro <= max(plan.debt.month_micro, standing.debt_paid_micro)


# By hand. 20.00 with 10 % tax: 20.00 / 1.1 = 18.1818..., the tax is 1.8181..., 1.82; the meter gets 18.18.
# 18.18 / 0.30 = 60.6 kWh.
def test_a_tax_on_energy():
    sold = quote(make_plan(lines=(levy("VAT", 100_000, kind=LineKind.TAX),)), NOW, 20 * UNIT)
    assert amounts(sold) == {"value": 18_180_000, "VAT": 1_820_000}
    assert sold.energy_pulses == 606_000


# Blocks 0-50 kWh at 0.20, to 200 at 0.30, then 0.50; the meter burns 0.30. 40 kWh are bought, 60.00 are paid.
#   10 kWh x 0.20 =  2.00; 150 kWh x 0.30 = 45.00; 13.00 are left: 13.00 / 0.50 = 26 kWh
#   186 kWh need 55.80 in the meter: 2.00 + 45.00 + 13.00 = 60.00 = 55.80 - 10 x 0.10 + 26 x 0.20 = 55.80 - 1.00 + 5.20
def test_blocks_are_settled_against_the_unit_price():
    blocks = (Block(50 * KWH, 200_000), Block(200 * KWH, 300_000), Block(None, 500_000))
    standing = replace(NOW, bought_pulses=40 * KWH)
    sold = quote(make_plan(blocks=blocks), standing, 60 * UNIT)
    assert amounts(sold) == {"value": 55_800_000, "surcharge": 5_200_000, "subsidy": -1_000_000}
    assert sold.energy_pulses == 186 * KWH
    assert sold.after.bought_pulses == 226 * KWH


# The lifeline is 20 kWh at 0.10: 2.00 for 20 kWh, which need 6.00; 3.00 more buy 10 kWh at 0.30. In all 5.00.
@pytest.mark.parametrize(
    ("flag", "expected"),
    [(True, {"value": 9_000_000, "lifeline": -4_000_000}), (False, {"value": 5_000_000})],
)
def test_a_lifeline_is_for_contracts_that_are_flagged(flag, expected):
    plan = make_plan(lifeline=Lifeline(20 * KWH, 100_000))
    assert amounts(quote(plan, replace(NOW, lifeline=flag), 5 * UNIT)) == expected


# A levy of 5 % on energy, then VAT of 20 % on energy, standing charge and the levy: 1.05 x 1.20 = 1.26 on energy and
# 1.20 on the standing charge. Of 20.00, the standing charge takes 2.00 x 1.20 = 2.40; 17.60 / 1.26 = 13.968253...
#   levy 0.6984126..., VAT (13.968253 + 2.00 + 0.698412) x 0.20 = 3.3333...
#   standing 2.00; + VAT 5.3333 -> 5.33, so 3.33; + levy: in the plan the levy stands first: 2.6984 -> 2.70, so 0.70;
#   + VAT 6.0317 -> 6.03, so 3.33; the meter gets 20.00 - 6.03 = 13.97
def test_a_tax_on_a_levy_compounds_in_the_order_of_the_plan():
    lines = (levy("levy", 50_000), levy("VAT", 200_000, "energy", "standing", "levy", kind=LineKind.TAX))
    plan = make_plan(lines=lines, standing=StandingCharge(2 * UNIT, Per.MONTH))
    sold = quote(plan, NOW, 20 * UNIT)
    assert amounts(sold) == {"value": 13_970_000, "standing": 2_000_000, "levy": 700_000, "VAT": 3_330_000}


# 0.50 fixed, 0.05 a kWh off: a kWh costs 0.25, 9.50 buy 38 kWh: value 11.40, discount 1.90.
def test_a_fee_for_each_purchase_and_a_discount_for_each_kwh():
    lines = (
        RateLine("counter", LineKind.FEE, fixed_micro=500_000),
        RateLine("solar", LineKind.DISCOUNT, per_kwh_micro=50_000),
    )
    sold = quote(make_plan(lines=lines), NOW, 10 * UNIT)
    assert amounts(sold) == {"value": 11_400_000, "counter": 500_000, "solar": -1_900_000}
    assert [line.kind for line in sold.lines] == [ChargeKind.VALUE, ChargeKind.FEE, ChargeKind.DISCOUNT]


# 3.00 enters the second block after 10 kWh at 0.30. 4.00: 3.00 for 10 kWh, and 1.00 of the 3.00. Then 2.50: the other
# 2.00, and 0.50 for 1 kWh at 0.50 (0.30 to the meter, 0.20 surcharge).
def test_the_charge_of_a_block_is_paid_once_a_month_in_parts_where_money_ends():
    plan = make_plan(blocks=(Block(10 * KWH, 300_000), Block(None, 500_000, 3 * UNIT)))
    first = quote(plan, NOW, 4 * UNIT)
    assert amounts(first) == {"value": 3_000_000, "block": 1_000_000}
    second = quote(plan, first.after, 2_500_000)
    assert amounts(second) == {"value": 300_000, "surcharge": 200_000, "block": 2_000_000}
    assert amounts(quote(plan, second.after, UNIT)) == {"value": 600_000, "surcharge": 400_000}
    april = second.after.on(date(2026, 4, 1))
    assert amounts(quote(plan, april, 3 * UNIT)) == {"value": 3_000_000}


# Days from 8 to 10 March are three; 0.25 each are 0.75.
def test_a_standing_charge_by_the_day_is_paid_up_to_today():
    plan = make_plan(standing=StandingCharge(250_000, Per.DAY))
    sold = quote(plan, replace(NOW, unpaid_from=date(2026, 3, 8)), 5 * UNIT)
    assert amounts(sold) == {"value": 4_250_000, "standing": 750_000}
    assert sold.after.unpaid_from == date(2026, 3, 11)
    assert "standing" not in amounts(quote(plan, sold.after, 5 * UNIT))


# Unpaid since 20 November: November to March are five months; a purchase takes three, the next one the other two.
def test_a_purchase_takes_no_more_standing_charges_than_the_plan_says():
    plan = make_plan(standing=StandingCharge(UNIT, Per.MONTH, periods_most=3))
    first = quote(plan, replace(NOW, unpaid_from=date(2025, 11, 20)), 10 * UNIT)
    assert amounts(first)["standing"] == 3 * UNIT
    assert first.after.unpaid_from == date(2026, 2, 1)
    second = quote(plan, first.after, 10 * UNIT)
    assert (amounts(second)["standing"], second.after.unpaid_from) == (2 * UNIT, date(2026, 4, 1))


# Debt of 7.00, 30 % of what 0.50 of fee leave, at most 5.00 a month. 10.50: 30 % of 10.00 are 3.00; then 30 % of 10.00
# would be 3.00, but 2.00 are left of the month; in April 2.00 are left of the debt.
def test_debt_takes_its_share_up_to_the_month_and_the_debt():
    plan = make_plan(debt=DebtRule(300_000, 5 * UNIT), lines=(RateLine("fee", LineKind.FEE, fixed_micro=500_000),))
    standing, taken = replace(NOW, debt_micro=7 * UNIT), []
    for today in (TODAY, TODAY, TODAY, date(2026, 4, 1)):
        sold = quote(plan, standing.on(today), 10_500_000)
        standing = sold.after
        taken.append(amounts(sold).get("debt", 0) // UNIT)
    assert taken == [3, 2, 0, 2]
    assert standing.debt_micro == 0


@pytest.mark.parametrize(
    ("rounding", "tax"), [(Rounding.DOWN, 1_810_000), (Rounding.HALF_UP, 1_820_000), (Rounding.UP, 1_820_000)]
)
def test_charges_are_rounded_as_the_plan_says(rounding, tax):
    plan = make_plan(lines=(levy("VAT", 100_000),), rounding=rounding)
    assert amounts(quote(plan, NOW, 20 * UNIT))["VAT"] == tax


# A levy of 0.01 a kWh on 0.01: 0.02 buy 1 kWh, 0.01 and 0.01. Of 0.01, half a minor unit is the levy: it goes up.
@pytest.mark.parametrize(("rounding", "levied"), [(Rounding.DOWN, 0), (Rounding.HALF_UP, CENT), (Rounding.UP, CENT)])
def test_half_a_minor_unit_goes_up_unless_the_plan_says_down(rounding, levied):
    plan = make_plan(CENT, rounding=rounding, lines=(RateLine("levy", LineKind.LEVY, per_kwh_micro=CENT),))
    assert amounts(quote(plan, NOW, CENT)).get("levy", 0) == levied
    assert amounts(quote(plan, NOW, 2 * CENT)) == {"value": CENT, "levy": CENT}


# 33.3333 % of 1.00 are 0.333333: 0.33. And all of what a standing charge of 0.004 leaves of 1.00 is 0.99.
def test_debt_is_rounded_down_so_that_it_never_takes_what_is_not_there():
    owing = replace(NOW, debt_micro=10 * UNIT)
    third = quote(make_plan(debt=DebtRule(333_333)), owing, UNIT)
    assert amounts(third) == {"value": 670_000, "debt": 330_000}
    all_of_it = make_plan(debt=DebtRule(1_000_000), standing=StandingCharge(4_000, Per.DAY))
    assert amounts(quote(all_of_it, owing, UNIT)) == {"value": CENT, "debt": 990_000}


# 0.04 / 1.1 = 0.0363...: the tax of 0.0036 is nothing; of 0.06 it is 0.0054, and that is 0.01.
def test_a_smallest_purchase_is_what_keeps_taxes_from_being_rounded_away():
    plan = make_plan(lines=(levy("VAT", 100_000),))
    assert amounts(quote(plan, NOW, 4 * CENT)) == {"value": 4 * CENT}
    assert amounts(quote(plan, NOW, 6 * CENT)) == {"value": 5 * CENT, "VAT": CENT}


# Two taxes of 5 % on 1.00: 1.00 / 1.10 = 0.909..., each 0.04545...; together 0.0909 is 0.09: 0.05 and 0.04.
def test_small_taxes_are_rounded_together_and_none_is_a_whole_minor_unit_off():
    plan = make_plan(lines=(levy("a", 50_000), levy("b", 50_000)))
    assert amounts(quote(plan, NOW, UNIT)) == {"value": 910_000, "a": 50_000, "b": 40_000}


def test_a_currency_without_decimals_is_sold_in_whole_units():
    plan = make_plan(120 * UNIT, digits=0, lines=(levy("VAT", 100_000),))
    assert amounts(quote(plan, NOW, 1_000 * UNIT)) == {"value": 909 * UNIT, "VAT": 91 * UNIT}
    with pytest.raises(ValueFieldError, match=r"amount: '1000.01' is not allowed; allowed is .* at most 0 decimals"):
        quote(plan, NOW, 1_000 * UNIT + CENT)


@pytest.mark.parametrize("amount", [5 * UNIT - CENT, 50 * UNIT + CENT, 0, -UNIT, 10 * UNIT + 1])
def test_amounts_outside_the_plan_are_refused(amount):
    plan = make_plan(purchase=PurchaseLimits(5 * UNIT, 50 * UNIT))
    with pytest.raises(ValueFieldError, match=r"amount: .* is not allowed; allowed is 5.00 to 50.00 with at most 2"):
        quote(plan, NOW, amount)


@pytest.mark.parametrize("amount", [5 * UNIT, 50 * UNIT])
def test_amounts_at_the_limits_are_sold(amount):
    assert quote(make_plan(purchase=PurchaseLimits(5 * UNIT, 50 * UNIT)), NOW, amount).value_micro == amount


# Two months of 1.50 with 20 % tax are 3.60, and the fee 0.45 with 20 % 0.54: 4.14 come before energy.
def test_what_comes_before_energy_has_to_be_covered_and_the_error_says_how_much_it_is():
    lines = (RateLine("fee", LineKind.FEE, fixed_micro=450_000), levy("VAT", 200_000, "energy", "standing", "fee"))
    plan = make_plan(lines=lines, standing=StandingCharge(1_500_000, Per.MONTH))
    standing = replace(NOW, unpaid_from=date(2026, 2, 28))
    with pytest.raises(ValueFieldError, match=r"amount: '4.13' .* from 4.14 on: fees and 2 standing charges"):
        quote(plan, standing, 4_130_000)
    sold = quote(plan, standing, 4_140_000)
    assert (sold.value_micro, sold.energy_pulses) == (0, 0)
    assert read_least(plan, standing) == for_energy(plan, standing, 0) == 4_140_000


@pytest.mark.parametrize("today", [date(2025, 12, 31), date(2026, 7, 1)])
def test_a_plan_is_sold_only_while_it_is_valid(today):
    plan = make_plan(valid_to=date(2026, 6, 30))
    for asked in (quote, for_energy):
        with pytest.raises(ValueFieldError, match=r"today: .* version 1: from 2026-01-01 to 2026-06-30"):
            asked(plan, RateStanding(today), 10 * UNIT)
    assert quote(plan, RateStanding(FIRST), UNIT).value_micro == UNIT
    assert quote(plan, RateStanding(date(2026, 6, 30)), UNIT).value_micro == UNIT


def test_a_standing_charge_needs_to_know_since_when_it_is_unpaid():
    with pytest.raises(ValueFieldError, match="unpaid_from: None is not allowed; allowed is a day"):
        quote(make_plan(standing=StandingCharge(UNIT, Per.DAY)), NEW, 5 * UNIT)


def test_free_energy_before_all_that_is_paid_comes_with_the_first_purchase():
    plan = make_plan(blocks=(Block(50 * KWH, 0), Block(None, 300_000)))
    sold = quote(plan, NOW, 3 * UNIT)
    assert amounts(sold) == {"value": 18_000_000, "subsidy": -15_000_000}
    assert for_energy(plan, NOW, 50_000) == CENT


def test_value_above_every_figure_of_money_is_refused_and_just_below_it_is_sold():
    plan = make_plan(1_000 * UNIT, blocks=(Block(None, UNIT),))
    most = VALUE_MAX_MICRO // 1_000
    assert quote(plan, NOW, most).value_micro == VALUE_MAX_MICRO
    with pytest.raises(ValueFieldError, match=r"allowed is what buys value of up to 1000000000\.00"):
        quote(plan, NOW, most + CENT)


def test_energy_that_no_purchase_buys_is_refused():
    plan = make_plan(purchase=PurchaseLimits(0, 30 * UNIT))
    assert for_energy(plan, NOW, 100_000) == 30 * UNIT
    for wh, allowed in ((100_001, r"what 30\.00 buys"), (-1, "0 or more")):
        with pytest.raises(ValueFieldError, match=allowed):
            for_energy(plan, NOW, wh)


def test_a_month_begins_anew_and_debt_does_not():
    march = RateStanding(TODAY, TODAY, 5 * KWH, 4, 3, 2, True)
    assert march.on(date(2026, 3, 31)) == replace(march, today=date(2026, 3, 31))
    assert march.on(date(2026, 4, 1)) == RateStanding(date(2026, 4, 1), TODAY, 0, 0, 3, 0, True)
    assert march.on(date(2027, 3, 10)).bought_pulses == 0


def test_a_clock_that_is_put_back_refuses_nobody_and_charges_nothing_twice():
    plan = make_plan(standing=StandingCharge(UNIT, Per.MONTH))
    ahead = quote(plan, replace(NOW, today=date(2026, 4, 2)), 10 * UNIT).after
    back = ahead.on(date(2026, 3, 11))
    assert back == replace(ahead, today=date(2026, 3, 11))
    assert amounts(quote(plan, back, 5 * UNIT)) == {"value": 5 * UNIT}


@pytest.mark.parametrize("field", ["bought_pulses", "entry_paid_micro", "debt_micro", "debt_paid_micro"])
def test_counters_below_nothing_are_refused(field):
    with pytest.raises(ValueFieldError, match=rf"standing\.{field}: -1 is not allowed"):
        replace(NOW, **{field: -1})


# The standing charge of 2.00 and the block's 3.00 are taken off again: 10.00 buy 20 kWh, 10 at 0.30 and 10 at 0.70.
def test_a_discount_of_all_of_the_standing_charge_leaves_none_of_it():
    plan = make_plan(
        standing=StandingCharge(2 * UNIT, Per.MONTH),
        blocks=(Block(10 * KWH, 300_000), Block(None, 700_000, 3 * UNIT)),
        lines=(levy("relief", 1_000_000, "standing", kind=LineKind.DISCOUNT),),
    )
    sold = amounts(quote(plan, NOW, 10 * UNIT))
    assert sold == {
        "value": 6 * UNIT,
        "surcharge": 4 * UNIT,
        "standing": 2 * UNIT,
        "block": 3 * UNIT,
        "relief": -5 * UNIT,
    }


def test_prices_at_either_end_are_sold_and_asked_for():
    cheap = make_plan(1)
    assert quote(cheap, NOW, CENT).energy_pulses == CENT * KWH
    assert for_energy(cheap, NOW, 10**9) == CENT * 100
    dear = make_plan(VALUE_MAX_MICRO, blocks=(Block(None, 1),))
    for asked, given_ in ((quote, CENT), (for_energy, 1_000)):
        with pytest.raises(ValueFieldError, match=r"amount: '0\.01' is not allowed; allowed is what buys value"):
            asked(dear, NOW, given_)
