"""What a meter burned is held against what its home took."""

from types import SimpleNamespace

import pytest

from prewatt.device.meter.money import Money
from prewatt.sim.burning import PRICES, check_burned


def broken(pulses, fed, burned_micro, acc=0, *, unpaid=False):
    told = []
    home = SimpleNamespace(meter="000001", fed_pulses=fed, device=SimpleNamespace(total_pulses=pulses), unpaid=unpaid)
    check_burned(
        lambda holds, law: None if holds else told.append(law), home, Money(burned_micro=burned_micro, acc=acc)
    )
    return told


@pytest.mark.parametrize("burned_micro", [10_000 * 125_000 // 10_000, 10_000 * 2_500_000 // 10_000, 44_444_440])
def test_what_pulses_can_have_cost_is_let_through(burned_micro):
    assert broken(10_000, 10_000, burned_micro) == []


@pytest.mark.parametrize(
    ("pulses", "fed", "burned_micro", "word"),
    [
        (10_001, 10_000, 2_500_000, "counted"),
        (10_000, 10_000, 124_999, "burned 124999"),
        (10_000, 10_000, 44_444_441, "burned 44444441"),
        (0, 10_000, 1, "burned 1 for 0"),
    ],
)
def test_one_micro_unit_beyond_is_a_violation(pulses, fed, burned_micro, word):
    assert any(word in law for law in broken(pulses, fed, burned_micro))


def test_beyond_the_limit_of_what_may_be_owed_energy_may_cost_nothing_but_never_too_much():
    assert broken(10_000, 10_000, 0, unpaid=True) == []
    assert broken(10_000, 10_000, 44_444_441, unpaid=True)


def test_a_thousand_watt_hours_at_the_dearest_are_what_is_written_here():
    assert max(PRICES.values()) * 300 * 120 // 10_000 == 44_444_440
