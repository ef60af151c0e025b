"""Meter ids as text, and sequences that only grow."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from prewatt.units import (
    EPOCH_LAST,
    METER_ID_BYTES,
    SEQUENCE_COUNTER_MAX,
    ValueFieldError,
    counter_of,
    epoch_of,
    epoch_start,
    format_meter_id,
    next_sequence,
    parse_meter_id,
    sequence_of,
)

RESERVED = (bytes(METER_ID_BYTES), b"\xff" * METER_ID_BYTES)
meter_ids = st.binary(min_size=METER_ID_BYTES, max_size=METER_ID_BYTES).filter(lambda raw: raw not in RESERVED)
epochs = st.integers(0, EPOCH_LAST)
counters = st.integers(0, SEQUENCE_COUNTER_MAX)


@settings(max_examples=200, deadline=None)
@given(meter_ids)
@example(b"\x00\x00\x01")
@example(b"\xff\xff\xfe")
def test_a_meter_id_is_read_back_from_its_text_in_either_case(meter_id):
    text = format_meter_id(meter_id)
    assert parse_meter_id(text) == parse_meter_id(text.lower()) == meter_id


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=8) | st.text("0123456789abcdefABCDEF", min_size=5, max_size=7))
@example("00 001")  # bytes.fromhex forgives spaces
@example("000001\n")
@example("０００００１")
def test_any_text_is_either_six_hex_digits_or_refused(text):
    try:
        meter_id = parse_meter_id(text, field="id")
    except ValueFieldError as error:
        assert str(error).startswith("id: ")
        assert "\n" not in str(error)
    else:
        assert format_meter_id(meter_id) == text.upper()


@pytest.mark.parametrize("text", ["000000", "FFFFFF", "ffffff", ""])
def test_reserved_and_empty_ids_are_refused(text):
    with pytest.raises(ValueFieldError, match="000001 to FFFFFE"):
        parse_meter_id(text)


@settings(max_examples=200, deadline=None)
@given(epochs, counters)
def test_a_sequence_holds_its_epoch_and_counter(epoch, counter):
    sequence = sequence_of(epoch, counter)
    assert (epoch_of(sequence), counter_of(sequence)) == (epoch, counter)
    assert 0 <= sequence < 2**32


@settings(max_examples=200, deadline=None)
@given(epochs, counters, epochs, counters)
def test_a_later_epoch_stands_above_every_counter_of_an_earlier_one(epoch, counter, other_epoch, other_counter):
    first, second = sequence_of(epoch, counter), sequence_of(other_epoch, other_counter)
    assert (first < second) == ((epoch, counter) < (other_epoch, other_counter))


@settings(max_examples=200, deadline=None)
@given(epochs, st.integers(0, SEQUENCE_COUNTER_MAX - 1))
def test_the_next_sequence_is_one_more_in_the_same_epoch(epoch, counter):
    last = sequence_of(epoch, counter)
    following = next_sequence(last)
    assert following == last + 1
    assert epoch_of(following) == epoch


@pytest.mark.parametrize("epoch", [0, 1, EPOCH_LAST])
def test_an_epoch_that_is_used_up_has_no_next_sequence(epoch):
    assert next_sequence(sequence_of(epoch, SEQUENCE_COUNTER_MAX)) is None


def test_a_fresh_epoch_starts_below_its_first_sequence():
    assert next_sequence(epoch_start(3)) == sequence_of(3, 1)


@pytest.mark.parametrize(("epoch", "counter"), [(-1, 0), (EPOCH_LAST + 1, 0), (0, -1), (0, SEQUENCE_COUNTER_MAX + 1)])
def test_an_epoch_or_counter_that_does_not_fit_is_refused(epoch, counter):
    with pytest.raises(ValueError, match="do not fit"):
        sequence_of(epoch, counter)
