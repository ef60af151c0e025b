"""A round's batch: limits, one message a meter on the way out, nothing left over."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prewatt.codec.batch import (
    BATCH_BYTES_MAX,
    METERS_MAX,
    BatchKind,
    _read_right,
    _read_strictly,
    build_batch,
    items_max,
    parse_batch,
)
from prewatt.codec.errors import DecodeError
from prewatt.units import MeterId

DOWN, UP = BatchKind.TO_METERS, BatchKind.FROM_METERS
items = st.tuples(st.binary(min_size=3, max_size=3).map(MeterId), st.binary(min_size=1, max_size=60))


def meter(n):
    return MeterId(n.to_bytes(3, "big"))


@settings(max_examples=100, deadline=None)
@given(st.lists(items, max_size=20, unique_by=lambda item: item[0]), st.sampled_from(BatchKind))
def test_a_batch_is_what_it_was(given_items, kind):
    data = build_batch(kind, given_items)
    assert parse_batch(data, kind) == tuple(given_items)
    with pytest.raises(DecodeError):
        parse_batch(data, DOWN if kind is UP else UP)


def strictly(data, kind):
    try:
        return _read_strictly(data, kind)
    except DecodeError:
        return None


@settings(max_examples=300, deadline=None)
@given(st.lists(items, max_size=6), st.sampled_from(BatchKind), st.data())
def test_one_look_takes_what_field_by_field_takes_and_nothing_else(given_items, kind, data):
    encoded = bytearray(build_batch(UP, given_items))
    encoded[0] = data.draw(st.sampled_from([kind, 0, 1, 2, 3]))
    for at, byte in data.draw(st.lists(st.tuples(st.integers(0, len(encoded) - 1), st.integers(0, 255)), max_size=2)):
        encoded[at] = byte
    changed = bytes(encoded)[: data.draw(st.integers(0, len(encoded)))] if data.draw(st.booleans()) else bytes(encoded)
    assert _read_right(changed, kind) == strictly(changed, kind)


def test_a_batch_cut_or_extended_anywhere_is_refused():
    data = build_batch(DOWN, [(meter(1), b"one"), (meter(2), b"two")])
    for length in range(len(data)):
        with pytest.raises(DecodeError):
            parse_batch(data[:length], DOWN)
    with pytest.raises(DecodeError):
        parse_batch(data + b"\0", DOWN)


@pytest.mark.parametrize("kind", list(BatchKind))
def test_a_batch_holds_its_limit_and_not_one_more(kind):
    most = [(meter(1 + n), b"x") for n in range(items_max(kind))]
    assert parse_batch(build_batch(kind, most), kind) == tuple(most)
    with pytest.raises(ValueError, match=f"up to {items_max(kind)}"):
        build_batch(kind, [*most, (meter(70_000), b"x")])
    count = (items_max(kind) + 1).to_bytes(2, "big")
    with pytest.raises(DecodeError, match="count"):
        parse_batch(bytes((kind,)) + count + build_batch(kind, most)[3:] + bytes(5) + b"\x01x", kind)


def test_a_message_has_1_to_2600_bytes():
    assert parse_batch(build_batch(DOWN, [(meter(1), bytes(2_600))]), DOWN)
    for payload in (b"", bytes(2_601)):
        with pytest.raises(ValueError, match="2600"):
            build_batch(DOWN, [(meter(1), payload)])
        head = b"\x01\0\x01" + meter(1) + len(payload).to_bytes(2, "big")
        with pytest.raises(DecodeError, match="length"):
            parse_batch(head + payload, DOWN)
    with pytest.raises(ValueError, match="3-byte"):
        build_batch(DOWN, [(MeterId(b"\0\1"), b"x")])


def test_a_meter_gets_one_message_a_round_and_may_say_several():
    twice = [(meter(1), b"a"), (meter(1), b"b")]
    with pytest.raises(ValueError, match="one a round"):
        build_batch(DOWN, twice)
    data = build_batch(UP, twice)
    assert parse_batch(data, UP) == tuple(twice)
    with pytest.raises(DecodeError, match="twice"):
        parse_batch(b"\x01" + data[1:], DOWN)


def test_the_largest_batch_is_as_large_as_said():
    full = [(meter(n // 4 + 1), bytes(2_600)) for n in range(METERS_MAX * 4)]
    assert len(build_batch(UP, full)) == BATCH_BYTES_MAX


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60), st.sampled_from(BatchKind))
def test_arbitrary_bytes_decode_to_themselves_or_raise_decode_error(data, kind):
    for given_data in (data, bytes((kind,)) + data, bytes((kind, 0, 1)) + data):
        try:
            parsed = parse_batch(given_data, kind)
        except DecodeError:
            continue
        assert build_batch(kind, parsed) == given_data
