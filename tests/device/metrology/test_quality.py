"""Bands of the phase angle: edges, order, limits."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prewatt.device.metrology import (
    BANDS_MAX,
    HALF_TURN_CDEG,
    NO_BANDS,
    SURCHARGE_MAX_PERCENT,
    Band,
    QualityBands,
    quality_percent,
    surcharge_percent,
)

BANDS = QualityBands((Band(-18_000, 10), Band(-3_687, 0), Band(2_584, 5), Band(3_687, 20), Band(6_000, 50)))


@pytest.mark.parametrize(
    ("angle_cdeg", "surcharge"),
    [(-18_000, 10), (-3_688, 10), (-3_687, 0), (0, 0), (2_583, 0), (2_584, 5), (3_687, 20), (5_999, 20), (18_000, 50)],
)
def test_a_band_begins_at_its_angle_and_ends_before_the_next(angle_cdeg: int, surcharge: int) -> None:
    assert surcharge_percent(BANDS, angle_cdeg) == surcharge
    assert quality_percent(BANDS, angle_cdeg) == 100 + surcharge


def test_a_minute_without_an_angle_has_no_surcharge() -> None:
    assert quality_percent(BANDS, None) == 100


def test_without_bands_and_below_the_first_there_is_no_surcharge() -> None:
    assert surcharge_percent(NO_BANDS, 9_000) == 0
    assert surcharge_percent(QualityBands((Band(100, 9),)), 99) == 0


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.integers(-HALF_TURN_CDEG, HALF_TURN_CDEG), unique=True, max_size=BANDS_MAX).map(sorted),
    st.data(),
    st.integers(-HALF_TURN_CDEG, HALF_TURN_CDEG),
)
def test_the_surcharge_is_that_of_the_last_band_begun(edges: list[int], data: st.DataObject, angle_cdeg: int) -> None:
    percents = [data.draw(st.integers(0, SURCHARGE_MAX_PERCENT)) for _ in edges]
    bands = QualityBands(tuple(map(Band, edges, percents)))
    begun = [percent for edge, percent in zip(edges, percents, strict=True) if edge <= angle_cdeg]
    assert surcharge_percent(bands, angle_cdeg) == (begun[-1] if begun else 0)
    assert 100 <= quality_percent(bands, angle_cdeg) <= 255


@pytest.mark.parametrize("percent", [-1, SURCHARGE_MAX_PERCENT + 1])
def test_a_surcharge_past_its_limit_is_refused(percent: int) -> None:
    with pytest.raises(ValueError, match=f"surcharge_percent: {percent} .* 0 to {SURCHARGE_MAX_PERCENT}"):
        Band(0, percent)


@pytest.mark.parametrize("angle_cdeg", [-18_001, 18_001])
def test_an_angle_past_half_a_turn_is_refused(angle_cdeg: int) -> None:
    with pytest.raises(ValueError, match="from_cdeg"):
        Band(angle_cdeg, 0)
    with pytest.raises(ValueError, match="mean_angle_cdeg"):
        surcharge_percent(BANDS, angle_cdeg)


def test_bands_out_of_order_or_too_many_are_refused() -> None:
    with pytest.raises(ValueError, match="5 after 5"):
        QualityBands((Band(5, 1), Band(5, 2)))
    QualityBands(tuple(Band(k, 0) for k in range(BANDS_MAX)))
    with pytest.raises(ValueError, match="9 bands"):
        QualityBands(tuple(Band(k, 0) for k in range(BANDS_MAX + 1)))
