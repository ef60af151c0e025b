"""Bands of the phase angle: edges, and what has no angle."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prewatt.codec.modeparts import SURCHARGE_MAX_PERCENT
from prewatt.codec.modetable import BANDS_MAX, AngleBand
from prewatt.device.metrology import HALF_TURN_CDEG, surcharge_percent

BANDS = tuple(AngleBand(*band) for band in ((-18_000, 10), (-3_687, 0), (2_584, 5), (3_687, 20), (6_000, 50)))


@pytest.mark.parametrize(
    ("angle_cdeg", "surcharge"),
    [(-18_000, 10), (-3_688, 10), (-3_687, 0), (0, 0), (2_583, 0), (2_584, 5), (3_687, 20), (5_999, 20), (18_000, 50)],
)
def test_a_band_begins_at_its_angle_and_ends_before_the_next(angle_cdeg: int, surcharge: int) -> None:
    assert surcharge_percent(BANDS, angle_cdeg) == surcharge


def test_a_minute_without_an_angle_has_no_surcharge() -> None:
    assert surcharge_percent(BANDS, None) == 0


def test_without_bands_and_below_the_first_there_is_no_surcharge() -> None:
    assert surcharge_percent((), 9_000) == 0
    assert surcharge_percent((AngleBand(100, 9),), 99) == 0


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.integers(-HALF_TURN_CDEG, HALF_TURN_CDEG), unique=True, max_size=BANDS_MAX).map(sorted),
    st.data(),
    st.integers(-HALF_TURN_CDEG, HALF_TURN_CDEG),
)
def test_the_surcharge_is_that_of_the_last_band_begun(edges: list[int], data: st.DataObject, angle_cdeg: int) -> None:
    percents = [data.draw(st.integers(0, SURCHARGE_MAX_PERCENT)) for _ in edges]
    begun = [percent for edge, percent in zip(edges, percents, strict=True) if edge <= angle_cdeg]
    assert surcharge_percent(tuple(map(AngleBand, edges, percents)), angle_cdeg) == (begun[-1] if begun else 0)


@pytest.mark.parametrize("angle_cdeg", [-18_001, 18_001])
def test_an_angle_past_half_a_turn_is_refused(angle_cdeg: int) -> None:
    with pytest.raises(ValueError, match="mean_angle_cdeg"):
        surcharge_percent(BANDS, angle_cdeg)
