"""Line times: what is on the air, and for how long."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prewatt.codec.frame import FRAME_OVERHEAD_BYTES, Frame, FrameFlags
from prewatt.protocol.airtime import FRAGMENT_BYTES_MAX, FRAGMENT_BYTES_MIN, START_HEAD_BYTES, LineTiming
from prewatt.protocol.arq import LineMessage
from prewatt.units import MeterId

EXAMPLES = settings(max_examples=100, deadline=None)
SLOW = LineTiming(bit_rate=2_400, preamble_bits=48, turnaround_ms=10, latency_ms=0, fragment_bytes=64)


def test_a_frame_takes_its_bits_rounded_up():
    assert SLOW.air_ms(75) == 270
    assert SLOW.air_ms(0) == 20
    assert LineTiming(3, 0, 0, 0, 16).air_ms(1) == 2_667


def test_a_mini_slot_is_long_enough_to_be_noticed_before_the_next():
    assert SLOW.slot_ms > SLOW.turnaround_ms + SLOW.latency_ms + SLOW.detect_ms


@EXAMPLES
@given(st.integers(0, 2_600), st.integers(FRAGMENT_BYTES_MIN, 300), st.integers(100, 100_000), st.integers(0, 50))
def test_a_message_takes_the_sum_of_its_fragments_and_acknowledgements(size, fragment_bytes, bit_rate, way_ms):
    timing = LineTiming(bit_rate, 40, 7, way_ms, fragment_bytes)
    frame = Frame(1, FrameFlags.NONE, 0, MeterId(b"\0\0\1"), bytes(size))
    chunks = LineMessage.cut(frame, 0, fragment_bytes).chunks
    assert timing.fragments(size) == len(chunks) < 256
    assert sum(map(len, chunks)) == size + START_HEAD_BYTES
    fragments_ms = sum(timing.air_ms(FRAME_OVERHEAD_BYTES + len(chunk)) for chunk in chunks)
    assert timing.message_ms(size) == fragments_ms + len(chunks) * (2 * 7 + 2 * way_ms + timing.ack_ms)


@pytest.mark.parametrize(
    ("field", "least", "most"),
    [
        ("bit_rate", 1, 1_000_000_000),
        ("preamble_bits", 0, 1_000_000),
        ("turnaround_ms", 0, 60_000),
        ("latency_ms", 0, 60_000),
        ("fragment_bytes", FRAGMENT_BYTES_MIN, FRAGMENT_BYTES_MAX),
    ],
)
def test_every_figure_is_taken_at_its_limits_and_refused_beyond(field, least, most):
    figures = {"bit_rate": 9_600, "preamble_bits": 8, "turnaround_ms": 1, "latency_ms": 0, "fragment_bytes": 64}
    for value in (least, most):
        LineTiming(**figures | {field: value})
    for value in (least - 1, most + 1):
        with pytest.raises(ValueError, match=f"{field}: {value} is not allowed"):
            LineTiming(**figures | {field: value})
