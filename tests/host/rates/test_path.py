"""The path through a month: no gap, no overlap, and at each pulse the price that a person would look up."""

from fractions import Fraction
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.host.rates.making import KWH, UNIT, any_plan, make_plan

from prewatt.host.rates.parts import Block, Lifeline
from prewatt.host.rates.path import Stretch, buy_energy, buy_money, stretches
from prewatt.host.rates.shares import gross_of

starts = st.integers(0, 400 * KWH) | st.sampled_from([0, 1, 50 * KWH])


@given(any_plan(), starts, st.booleans())
@settings(deadline=None, max_examples=100)
def test_stretches_follow_each_other_from_the_start_without_end(plan, start, lifeline):
    path = list(stretches(plan, start, lifeline=lifeline))
    assert path[0].start == start
    assert path[-1].until is None
    assert all(before.until == after.start for before, after in pairwise(path))
    assert all(each.until is None or each.until > each.start for each in path)
    assert [each.entry_micro for each in path] == sorted(each.entry_micro for each in path)


@given(any_plan(), starts, st.booleans(), st.integers(0, 500 * KWH))
@settings(deadline=None, max_examples=100)
def test_each_pulse_has_the_price_of_its_block_or_of_the_lifeline(plan, start, lifeline, ahead):
    pulse = start + ahead
    found = next(
        each
        for each in stretches(plan, start, lifeline=lifeline)
        if each.start <= pulse and (each.until is None or pulse < each.until)
    )
    block = next(each for each in plan.month_blocks if each.until_pulses is None or pulse < each.until_pulses)
    cheap = lifeline and plan.lifeline is not None and pulse < plan.lifeline.until_pulses
    assert found.is_lifeline == cheap
    assert found.price_micro == (plan.lifeline.price_micro if cheap else block.price_micro)
    entered = plan.month_blocks[: plan.month_blocks.index(block) + 1]
    assert found.entry_micro == sum(each.entry_micro for each in entered)


def test_a_lifeline_ends_within_a_block_and_a_block_within_a_lifeline():
    blocks = (Block(10, 1, 5), Block(30, 2, 6), Block(None, 3))
    plan = make_plan(blocks=blocks, lifeline=Lifeline(20, 9))
    assert list(stretches(plan, 4, lifeline=True)) == [
        Stretch(4, 10, 9, True, 5),
        Stretch(10, 20, 9, True, 11),
        Stretch(20, 30, 2, False, 11),
        Stretch(30, None, 3, False, 11),
    ]
    assert next(stretches(plan, 10, lifeline=False)) == Stretch(10, 30, 2, False, 11)


@given(any_plan(), st.booleans(), st.integers(0, 500 * UNIT))
@settings(deadline=None, max_examples=100)
def test_money_that_buys_energy_is_what_that_energy_costs(plan, lifeline, money):
    total = gross_of(plan.lines).total
    bought = buy_money(plan, total, 0, Fraction(money), entry_paid_micro=0, lifeline=lifeline)
    assert total.energy * bought.energy + total.standing * bought.entry + total.pulse * bought.pulses == money
    billed = buy_energy(plan, bought.pulses, lifeline=lifeline)
    assert (billed.pulses, billed.surcharge, billed.subsidy) == (bought.pulses, bought.surcharge, bought.subsidy)
    assert billed.lifeline == bought.lifeline
    # Whoever stands before a block may have paid a part of its charge.
    assert billed.entry <= bought.entry
