"""Energy as text: to the pulse."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prewatt.units import PULSE_WH, PULSES_PER_KWH, format_kwh


@settings(max_examples=200, deadline=None)
@given(st.integers(-(2**63), 2**63 - 1))
def test_kilowatt_hours_are_exactly_the_pulses(pulses):
    text = format_kwh(pulses)
    assert Decimal(text) * PULSES_PER_KWH == pulses
    assert len(text.partition(".")[2]) == 4


@pytest.mark.parametrize(("pulses", "text"), [(0, "0.0000"), (1, "0.0001"), (-1, "-0.0001"), (123_456, "12.3456")])
def test_examples_of_kilowatt_hours(pulses, text):
    assert format_kwh(pulses) == text


def test_a_kilowatt_hour_has_as_many_pulses_as_a_pulse_has_parts_of_it():
    assert PULSES_PER_KWH * PULSE_WH == 1000
