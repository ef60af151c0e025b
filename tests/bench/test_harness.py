"""A result cannot say what is not so, and two rates are measured in one run."""

import gc
import math

import pytest

from bench import harness
from bench.harness import (
    Area,
    Rates,
    Result,
    at_least,
    at_most,
    best_rate,
    compare,
    figure,
    rates_at_least,
    ratio_at_least,
    ratio_at_most,
)


@pytest.mark.parametrize("name", ["", "core", "core.", ".pack", "nowhere.pack", "Core.pack"])
def test_a_name_is_an_area_and_what(name):
    with pytest.raises(ValueError, match=r"allowed is area\.what"):
        figure(name, 1.0, "s")


@pytest.mark.parametrize("area", Area)
def test_every_area_can_be_named(area):
    assert figure(f"{area}.pack", 1.0, "s").met is None


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_no_result(value):
    with pytest.raises(ValueError, match="finite"):
        figure("core.pack", value, "s")


def test_half_a_ratio_or_half_a_goal_is_refused():
    with pytest.raises(ValueError, match="both or none"):
        Result("core.pack", 1.0, "s", baseline=1.0)
    with pytest.raises(ValueError, match="both or none"):
        Result("core.pack", 1.0, "s", goal=1.0)


def test_a_goal_is_met_at_its_limit_and_missed_one_past_it():
    assert at_least("core.a", 3.0, "x", 3.0).met is True
    assert at_least("core.a", 2.99, "x", 3.0).met is False
    assert at_most("core.a", 2.0, "s", 2.0).met is True
    assert at_most("core.a", 2.01, "s", 2.0).met is False
    assert ratio_at_least("core.a", 30.0, "1/s", 100.0, 0.3).met is True
    assert ratio_at_least("core.a", 29.0, "1/s", 100.0, 0.3).met is False
    assert ratio_at_most("core.a", 50.0, "bytes", 100.0, 0.5).met is True
    assert ratio_at_most("core.a", 51.0, "bytes", 100.0, 0.5).met is False
    assert ratio_at_most("core.a", 51.0, "bytes", 100.0).met is None


def test_rates_become_a_result_with_both_sides_in_it():
    result = rates_at_least("core.a", Rates(50.0, 200.0), "1/s", 0.2)
    assert result == Result("core.a", 50.0, "1/s", 200.0, 0.25, 0.2, True)


@pytest.fixture
def spend(monkeypatch):
    """Makes work that takes so many seconds of a clock that only this work moves."""
    now_s = [0.0]
    monkeypatch.setattr(harness, "perf_counter", lambda: now_s[0])

    def work_of(seconds):
        def work():
            now_s[0] += seconds

        return work

    return work_of


def test_a_rate_counts_the_items_of_a_call(spend):
    assert best_rate(spend(0.004), 1.0) == pytest.approx(250.0)
    assert best_rate(spend(0.004), 1.0, items=10) == pytest.approx(2500.0)


def test_twice_the_work_is_half_the_rate(spend):
    rates = compare(spend(0.002), spend(0.001), 1.0)
    assert rates.ours_per_s == pytest.approx(500.0)
    assert rates.ratio == pytest.approx(0.5)
    assert compare(spend(0.002), spend(0.001), 1.0, items=2, baseline_items=1).ratio == pytest.approx(1.0)


def test_a_disturbed_turn_does_not_count(spend):
    calls = 0
    steady, disturbance = spend(0.001), spend(1.0)

    def disturbed():
        nonlocal calls
        calls += 1
        steady()
        if calls % 50 == 0:
            disturbance()

    assert compare(disturbed, spend(0.001), 20.0).ratio == pytest.approx(1.0)


def test_the_collector_is_as_it_was_also_after_a_fault():
    calls = 0

    def work():
        nonlocal calls
        calls += 1
        if not gc.isenabled():
            raise OSError("in a turn")

    assert gc.isenabled()
    with pytest.raises(OSError, match="in a turn"):
        best_rate(work, 0.0)
    assert calls > 0
    assert gc.isenabled()
