"""The integer angle against the floating one, and its mirror laws."""

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from prewatt.device.metrology.angle import HALF_TURN_CDEG, angle_cdeg, narrow

SIZE = 2**40 - 1
coordinates = st.integers(-SIZE, SIZE)


@settings(max_examples=300, deadline=None)
@given(coordinates, coordinates)
def test_an_angle_is_the_true_one_rounded_to_a_hundredth(x: int, y: int) -> None:
    angle = int(angle_cdeg(x, y))
    assert -HALF_TURN_CDEG < angle <= HALF_TURN_CDEG
    if (x, y) != (0, 0):
        true_cdeg = math.degrees(math.atan2(y, x)) * 100
        apart = abs(angle - true_cdeg)
        assert min(apart, 2 * HALF_TURN_CDEG - apart) < 0.52


@settings(max_examples=200, deadline=None)
@given(coordinates, coordinates)
def test_mirrored_vectors_have_mirrored_angles(x: int, y: int) -> None:
    turn_cdeg = 2 * HALF_TURN_CDEG
    angle = int(angle_cdeg(x, y))
    if (x, y) != (0, 0):
        assert (int(angle_cdeg(x, -y)) + angle) % turn_cdeg == 0
        assert (int(angle_cdeg(-x, y)) + angle - HALF_TURN_CDEG) % turn_cdeg == 0


def test_the_axes_are_exact_and_no_vector_has_no_angle() -> None:
    x = np.array([0, 5, 0, -5, 0])
    y = np.array([0, 0, 5, 0, -5])
    assert angle_cdeg(x, y).tolist() == [0, 0, 9_000, 18_000, -9_000]


@settings(max_examples=100, deadline=None)
@given(st.integers(-(2**90), 2**90), st.integers(-(2**90), 2**90))
def test_a_narrowed_vector_keeps_its_direction(x: int, y: int) -> None:
    right, up = narrow(x, y)
    assert max(abs(right), abs(up)) <= 2**40
    if max(abs(x), abs(y)) > 2**40:
        assert abs(math.atan2(up, right) - math.atan2(y, x)) % (2 * math.pi) < 1e-11 or abs(y) < abs(x) * 2**-39
