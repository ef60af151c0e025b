"""Load files: exact pulses, whatever the pieces; gaps; angles."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prewatt.device.metrology import angle_of, pulses_of_minutes
from prewatt.device.metrology.minutes import POWER_MAX_W, PULSE_MW_MIN

NAN = float("nan")
watts = st.one_of(st.just(NAN), st.integers(-5_000_000, 20_000_000).map(lambda mw: mw / 1000))


@settings(max_examples=200, deadline=None)
@given(st.lists(watts, max_size=60), st.integers(0, PULSE_MW_MIN - 1))
def test_pulses_and_the_rest_are_the_whole_energy(active_w: list[float], rest: int) -> None:
    found = pulses_of_minutes(active_w, rest)
    energy_mw_min = rest + sum(round(power * 1000) for power in active_w if power > 0)
    counted = [pulses for pulses in found.pulses if pulses is not None]
    assert sum(counted) * PULSE_MW_MIN + found.rest_mw_min == energy_mw_min
    assert 0 <= found.rest_mw_min < PULSE_MW_MIN
    assert all(pulses >= 0 for pulses in counted)
    assert [pulses is None for pulses in found.pulses] == [power != power for power in active_w]


@settings(max_examples=100, deadline=None)
@given(st.lists(watts, max_size=60), st.integers(0, 60))
def test_a_file_in_two_pieces_gives_the_same_pulses(active_w: list[float], cut: int) -> None:
    whole = pulses_of_minutes(active_w)
    first = pulses_of_minutes(active_w[:cut])
    second = pulses_of_minutes(active_w[cut:], first.rest_mw_min)
    assert first.pulses + second.pulses == whole.pulses
    assert second.rest_mw_min == whole.rest_mw_min


def test_a_kilowatt_for_an_hour_is_ten_thousand_pulses() -> None:
    assert sum(p for p in pulses_of_minutes([1000.0] * 60).pulses if p is not None) == 10_000


def test_a_pulse_is_a_tenth_of_a_watt_hour() -> None:
    assert Fraction(PULSE_MW_MIN, 1000 * 60) == Fraction(1, 10)


@pytest.mark.parametrize("wrong", [float("inf"), POWER_MAX_W + 1.0, -POWER_MAX_W - 1.0])
def test_power_past_the_limit_is_refused_and_its_minute_named(wrong: float) -> None:
    pulses_of_minutes([float(POWER_MAX_W)])
    with pytest.raises(ValueError, match=r"active_w: .* in minute 1 .* 393000"):
        pulses_of_minutes([1.0, wrong])


def test_a_rest_of_a_pulse_or_more_is_refused() -> None:
    with pytest.raises(ValueError, match="rest_mw_min: 6000"):
        pulses_of_minutes([], PULSE_MW_MIN)


def test_a_table_is_refused() -> None:
    with pytest.raises(ValueError, match="2 dimensions"):
        pulses_of_minutes([[1.0], [2.0]])


def test_angles_are_signed_and_unknown_in_gaps_and_under_a_twentieth_of_ib() -> None:
    active = [1000.0, 1000.0, NAN, 1000.0, 57.4, 57.6, 0.0, -500.0]
    reactive = [1000.0, -1000.0, 5.0, NAN, 0.0, 0.0, 100.0, 0.0]
    assert angle_of(active, reactive) == (4_500, -4_500, None, None, None, 0, 9_000, 18_000)


def test_columns_of_different_length_are_refused() -> None:
    with pytest.raises(ValueError, match="reactive_var: 1 minutes"):
        angle_of([1.0, 2.0], [1.0])
