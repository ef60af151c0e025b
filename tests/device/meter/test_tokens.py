"""Burning: runs in closed form equal pulses one by one, and every boundary is where it was said to be."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prewatt.device.meter.money import ACC_PER_MICRO, Money, MoneyError, MoneyLimits
from prewatt.device.meter.tokens import (
    Rate,
    Sam,
    SamRefusedError,
    burn,
    burn_through,
    pulses_until_boundary,
    pulses_until_zero,
    rate_of,
)
from prewatt.units.value import VALUE_MAX_MICRO

SMALL = MoneyLimits(token_micro=3, ceiling_micro=10**9, owed_max_micro=75)
USUAL = MoneyLimits()


def holding(svm: int = 0, tank: int = 0, exchanger: int = 0, owed: int = 0, acc: int = 0) -> Money:
    """Money with these parts that obeys the law."""
    if svm + tank + exchanger:
        owed = 0
    total = svm + tank + exchanger
    return Money(svm, tank, exchanger, acc, received_micro=total, burned_micro=owed, owed_micro=owed)


def sam_of(money: Money) -> Sam:
    return Sam(money.svm_micro)


def burn_one_by_one(money: Money, rate: int, pulses: int, limits: MoneyLimits) -> tuple[Money, int, int, int]:
    """The arithmetic as it is told, a micro-unit at a time: money, tens, hundreds, and what was forgone."""
    parts = {"svm": money.svm_micro, "tank": money.tank_micro, "exchanger": money.exchanger_micro}
    acc, burned, owed = money.acc, money.burned_micro, money.owed_micro
    tens = hundreds = forgone = 0
    for _ in range(pulses):
        acc += rate
        while acc >= ACC_PER_MICRO:
            acc -= ACC_PER_MICRO
            if not parts["exchanger"] and not parts["tank"] and parts["svm"]:
                granted = min(100 * limits.token_micro, parts["svm"])
                parts["svm"] -= granted
                parts["tank"] += granted
                hundreds += 1
            if not parts["exchanger"] and parts["tank"]:
                granted = min(10 * limits.token_micro, parts["tank"])
                parts["tank"] -= granted
                parts["exchanger"] += granted
                tens += 1
            if parts["exchanger"]:
                parts["exchanger"] -= 1
                burned += 1
            elif owed < limits.owed_max_micro:
                owed += 1
                burned += 1
            else:
                forgone += 1
    after = replace(
        money,
        svm_micro=parts["svm"],
        tank_micro=parts["tank"],
        exchanger_micro=parts["exchanger"],
        acc=acc,
        burned_micro=burned,
        owed_micro=owed,
    )
    return after, tens, hundreds, forgone


moneys = st.builds(
    holding,
    st.one_of(st.just(0), st.integers(0, 1_500)),
    st.one_of(st.just(0), st.integers(0, 300)),
    st.integers(0, 30),
    st.integers(0, 80),
    st.integers(0, ACC_PER_MICRO - 1),
)
rates = st.one_of(st.just(0), st.integers(1, 10**7), st.integers(1, 30 * ACC_PER_MICRO), st.integers(1, 10**11))


@settings(max_examples=500, deadline=None)
@given(moneys, rates, st.integers(0, 12))
def test_a_run_in_closed_form_equals_its_pulses_one_by_one(money: Money, rate: int, pulses: int) -> None:
    burned = burn_through(money, Rate(rate), pulses, SMALL, sam_of(money))
    burned.money.check()
    expected, tens, hundreds, forgone = burn_one_by_one(money, rate, pulses, SMALL)
    assert burned.money == expected
    assert (burned.tens, burned.hundreds, burned.forgone_micro) == (tens, hundreds, forgone)


@settings(max_examples=300, deadline=None)
@given(moneys, rates, st.integers(0, 40), st.integers(0, 40))
def test_grouping_of_pulses_does_not_matter(money: Money, rate: int, first: int, second: int) -> None:
    sam = sam_of(money)
    half = burn_through(money, Rate(rate), first, SMALL, sam).money
    assert (
        burn_through(half, Rate(rate), second, SMALL, sam).money
        == burn_through(money, Rate(rate), first + second, SMALL, sam).money
    )


@settings(max_examples=300, deadline=None)
@given(moneys, st.integers(1, 40 * ACC_PER_MICRO))
def test_burn_stops_exactly_at_the_first_pulse_that_makes_a_write_due(money: Money, rate: int) -> None:
    sam = sam_of(money)
    burned = burn(money, Rate(rate), 10**12, SMALL, sam)
    boundary = pulses_until_boundary(money, Rate(rate), SMALL)
    if boundary is None:
        assert money.owed_micro >= SMALL.owed_max_micro
        assert burned.pulses == 10**12
        assert not burned.write_due
        return
    assert burned.pulses == boundary >= 1
    assert burned.write_due
    before = burn_through(money, Rate(rate), boundary - 1, SMALL, sam)
    assert not before.write_due
    assert burn(money, Rate(rate), boundary - 1, SMALL, sam) == before


@settings(max_examples=300, deadline=None)
@given(moneys, st.integers(1, 40 * ACC_PER_MICRO))
def test_the_pulses_until_zero_leave_nothing_and_one_less_leaves_something(money: Money, rate: int) -> None:
    pulses = pulses_until_zero(money, Rate(rate))
    assert pulses is not None
    assert burn_through(money, Rate(rate), pulses, SMALL, sam_of(money)).money.balance_micro == 0
    if pulses:
        last = burn_through(money, Rate(rate), pulses - 1, SMALL, sam_of(money))
        assert last.money.balance_micro > 0
        assert burn_through(last.money, Rate(rate), 1, SMALL, sam_of(last.money)).reached_zero
    else:
        assert money.balance_micro == 0


def test_a_kilowatt_hour_costs_its_price_to_the_micro_unit() -> None:
    money = holding(svm=10_000_000)
    burned = burn_through(money, rate_of(234_567, 100, 100), 10_000, USUAL, sam_of(money))
    assert burned.money.burned_micro == 234_567
    assert burned.money.acc == 0


def test_acc_is_kept_over_changes_of_price() -> None:
    money = holding(svm=100)
    for rate in (rate_of(1, 100, 100), rate_of(9_998, 100, 100), rate_of(1, 100, 100)):
        money = burn_through(money, rate, 1, USUAL, sam_of(money)).money
    assert (money.burned_micro, money.acc) == (1, 0)


def test_a_price_of_zero_burns_nothing_and_never_stops() -> None:
    money = holding(svm=100)
    burned = burn(money, rate_of(0, 300, 120), 10**9, USUAL, sam_of(money))
    assert burned.money == money
    assert burned.pulses == 10**9
    assert pulses_until_zero(money, Rate(0)) is None
    assert pulses_until_zero(holding(), Rate(0)) == 0


def test_tokens_come_in_tens_from_the_tank_and_in_hundreds_from_the_svm() -> None:
    money = holding(svm=250_000)
    price = rate_of(10_000, 100, 100)  # one micro-unit a pulse
    first = burn(money, price, 10**6, USUAL, sam_of(money))
    assert first.pulses == 1
    assert (first.tens, first.hundreds) == (1, 1)
    after = first.money
    assert (after.svm_micro, after.tank_micro, after.exchanger_micro) == (150_000, 90_000, 9_999)
    second = burn(after, price, 10**6, USUAL, sam_of(after))
    assert (second.pulses, second.tens, second.hundreds) == (10_000, 1, 0)
    assert second.money.tank_micro == 80_000


def test_the_last_grant_may_be_partial() -> None:
    money = holding(svm=104_500)
    price = rate_of(10_000, 100, 100)
    after = burn_through(money, price, 100_001, USUAL, sam_of(money)).money
    assert (after.svm_micro, after.tank_micro, after.exchanger_micro) == (0, 0, 4_499)


def test_every_ten_tokens_of_owed_are_a_boundary_and_so_is_the_limit() -> None:
    limits = MoneyLimits(token_micro=1_000, owed_max_micro=25_000)
    price = rate_of(10_000, 100, 100)
    money, steps = holding(), []
    for _ in range(4):
        burned = burn(money, price, 40_000, limits, Sam(0))
        money = burned.money
        steps.append((burned.pulses, burned.owed_step, money.owed_micro, burned.forgone_micro))
    assert steps == [
        (10_000, True, 10_000, 0),
        (10_000, True, 20_000, 0),
        (5_000, True, 25_000, 0),
        (40_000, False, 25_000, 40_000),
    ]


def test_a_limit_of_owed_that_was_lowered_takes_nothing_back() -> None:
    money = holding(owed=70)
    burned = burn(money, rate_of(10_000, 100, 100), 5, MoneyLimits(owed_max_micro=10), Sam(0))
    assert burned.money == money
    assert burned.forgone_micro == 5


def test_the_sam_lets_out_only_what_the_journal_holds() -> None:
    stored = holding(svm=50)
    in_ram = holding(svm=150)
    with pytest.raises(SamRefusedError):
        burn(in_ram, rate_of(10_000, 100, 100), 1, SMALL, sam_of(stored))
    granted = Sam(50).authorise(50, 3, SMALL)
    assert granted == 50
    assert Sam(10_000).authorise(10_000, 3, SMALL) == 900


def test_tank_and_exchanger_burn_without_the_sam() -> None:
    money = holding(svm=150, tank=30, exchanger=3)
    assert burn_through(money, rate_of(10_000, 100, 100), 33, SMALL, Sam(0)).money.balance_micro == 150


@pytest.mark.parametrize(("rate", "pulses"), [(-1, 1), (1, -1)])
def test_negative_rates_and_runs_are_refused(rate: int, pulses: int) -> None:
    with pytest.raises(MoneyError, match="0 or more"):
        burn_through(holding(svm=5), Rate(rate), pulses, USUAL, Sam(5))


@pytest.mark.parametrize(
    ("price", "step", "quality"),
    [(-1, 100, 100), (VALUE_MAX_MICRO + 1, 100, 100), (1, -1, 100), (1, 65_536, 100), (1, 100, -1), (1, 100, 65_536)],
)
def test_a_rate_has_limits_on_each_factor(price: int, step: int, quality: int) -> None:
    with pytest.raises(MoneyError, match="is not allowed; allowed is 0 to"):
        rate_of(price, step, quality)


def test_the_highest_rate_keeps_every_field_in_range() -> None:
    limits = MoneyLimits(token_micro=10**12, ceiling_micro=2**63 - 1, owed_max_micro=10**15)
    money = holding(svm=2**63 - 1, acc=ACC_PER_MICRO - 1)
    burned = burn_through(money, rate_of(VALUE_MAX_MICRO, 65_535, 65_535), 65_534, limits, sam_of(money))
    burned.money.check()
    assert burned.money.owed_micro == 10**15
    assert burned.forgone_micro > 0
