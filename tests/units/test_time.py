"""Stamps of a meter's display: exact inverses in the window of their two-digit year."""

from datetime import UTC, datetime

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from prewatt.units import STAMP_FIRST_S, STAMP_LAST_S, UTC_MAX_S, ValueFieldError, format_stamp, parse_stamp

OFFSET_MAX_S = 14 * 3600
offsets = st.integers(-OFFSET_MAX_S, OFFSET_MAX_S)


@settings(max_examples=300, deadline=None)
@given(st.integers(STAMP_FIRST_S, STAMP_LAST_S))
@example(STAMP_FIRST_S)
@example(STAMP_LAST_S)
@example(3_155_759_999)  # end of 2069, where %y of the C library changes century
def test_a_second_of_this_century_is_read_back_exactly(second):
    assert parse_stamp(format_stamp(second)) == second


@settings(max_examples=300, deadline=None)
@given(st.integers(STAMP_FIRST_S + OFFSET_MAX_S, STAMP_LAST_S - OFFSET_MAX_S), offsets)
def test_the_zone_is_taken_off_as_it_was_put_on(second, offset_s):
    text = format_stamp(second, offset_s=offset_s)
    assert parse_stamp(text, offset_s=offset_s) == second
    assert parse_stamp(text) == second + offset_s


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=14) | st.text("0123456789", min_size=11, max_size=13))
@example("240229235959")
@example("٢٤٠٢٢٩٢٣٥٩٥٩")
@example("990101000000\n")
def test_any_text_is_either_a_stamp_or_refused(text):
    try:
        second = parse_stamp(text)
    except ValueFieldError as error:
        assert str(error).startswith("time stamp: ")
    else:
        assert format_stamp(second) == text


@settings(max_examples=200, deadline=None)
@given(st.integers(0, UTC_MAX_S), offsets)
@example(0, -OFFSET_MAX_S)
@example(UTC_MAX_S, OFFSET_MAX_S)
def test_every_second_a_clock_can_hold_is_shown(second, offset_s):
    text = format_stamp(second, offset_s=offset_s)
    assert len(text) == 12
    assert text.isdecimal()


@pytest.mark.parametrize(
    "text",
    ["230229000000", "241301000000", "240001000000", "240132000000", "240101240000", "240101006000", "240101000060"],
)
def test_a_day_or_time_that_does_not_exist_is_refused(text):
    with pytest.raises(ValueFieldError, match="that exist"):
        parse_stamp(text)


def test_the_window_is_the_century():
    assert datetime.fromtimestamp(STAMP_FIRST_S, UTC) == datetime(2000, 1, 1, tzinfo=UTC)
    assert datetime.fromtimestamp(STAMP_LAST_S, UTC) == datetime(2099, 12, 31, 23, 59, 59, tzinfo=UTC)
    assert format_stamp(STAMP_LAST_S + 1) == format_stamp(STAMP_FIRST_S)
