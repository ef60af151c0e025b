"""The link frame, and frames found again in a stream with noise in it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prewatt.codec.errors import DecodeError
from prewatt.codec.frame import FRAME_BYTES_MAX, Deframer, Frame, FrameFlags, crc_x25
from prewatt.units import MeterId

METER = MeterId(b"\x00\xa1\xb2")
EXAMPLES = settings(max_examples=100, deadline=None)
flags = st.sampled_from([0, 0x80, 0xC0, 0x20, 0xE0]).map(FrameFlags)
ids = st.binary(min_size=3, max_size=3).map(MeterId)
# Many 7E inside, to be taken for a beginning.
payloads = st.binary(max_size=50) | st.lists(st.sampled_from([0x7E, 0, 1]), max_size=30).map(bytes)
frames = st.builds(Frame, st.integers(0, 255), flags, st.integers(0, 255), ids, payloads)
EXAMPLE = Frame(0x21, FrameFlags.UP, 9, METER, b"payload")


def crc_by_definition(data):
    """CRC-16/X.25 bit by bit, as its definition says."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x8408 if crc & 1 else 0)
    return crc ^ 0xFFFF


def test_the_crc_has_the_check_value_of_its_catalogue():
    assert crc_x25(b"123456789") == 0x906E
    assert crc_x25(b"") == 0x0000


@EXAMPLES
@given(st.binary(max_size=100))
def test_the_crc_is_that_of_its_definition(data):
    assert crc_x25(data) == crc_by_definition(data)


@EXAMPLES
@given(frames)
def test_a_frame_is_what_it_was(frame):
    data = frame.build()
    assert Frame.parse(data) == frame
    head = bytes((0x7E, frame.m_id, frame.flags, frame.number)) + frame.meter_id
    covered = head[1:] + len(frame.payload).to_bytes(2, "big") + frame.payload
    assert data == b"\x7e" + covered + crc_by_definition(covered).to_bytes(2, "little")


def test_a_frame_altered_in_any_bit_or_cut_or_extended_is_refused():
    data = EXAMPLE.build()
    altered = [data[:length] for length in range(len(data))] + [data + b"\0", data + b"\x7e"]
    for bit in range(8 * len(data)):
        byte, inside = divmod(bit, 8)
        altered.append(data[:byte] + bytes((data[byte] ^ 1 << inside,)) + data[byte + 1 :])
    for other in altered:
        with pytest.raises(DecodeError):
            Frame.parse(other)


def test_a_frame_carries_2600_bytes_and_not_one_more():
    assert len(Frame(0, FrameFlags.NONE, 0, METER, bytes(2_600)).build()) == FRAME_BYTES_MAX
    with pytest.raises(ValueError, match="2600"):
        Frame(0, FrameFlags.NONE, 0, METER, bytes(2_601))
    covered = bytes(3) + METER + (2_601).to_bytes(2, "big") + bytes(2_601)
    with pytest.raises(DecodeError, match="length"):
        Frame.parse(b"\x7e" + covered + crc_x25(covered).to_bytes(2, "little"))


@pytest.mark.parametrize(
    "change", [{"m_id": 256}, {"m_id": -1}, {"number": 256}, {"meter_id": b"\0"}, {"flags": FrameFlags(0x01)}]
)
def test_a_frame_that_cannot_be_is_refused(change):
    fields = {"m_id": 0, "flags": FrameFlags.NONE, "number": 0, "meter_id": METER, "payload": b""}
    with pytest.raises(ValueError, match=next(iter(change))[-2:]):
        Frame(**fields | change)


def test_flags_kept_for_later_are_refused():
    covered = b"\0\1\0" + METER + b"\0\0"
    with pytest.raises(DecodeError, match="flags"):
        Frame.parse(b"\x7e" + covered + crc_x25(covered).to_bytes(2, "little"))


@EXAMPLES
@given(st.lists(frames, max_size=5), st.lists(st.integers(1, 40), min_size=1, max_size=12))
def test_frames_come_out_of_a_clean_stream_whatever_the_pieces(sent, sizes):
    stream = b"".join(frame.build() for frame in sent)
    deframer, got, at, turn = Deframer(), [], 0, 0
    while at < len(stream):
        size = sizes[turn % len(sizes)]
        got += deframer.feed(stream[at : at + size])
        at, turn = at + size, turn + 1
    assert got == sent
    assert deframer.flush() == []


@EXAMPLES
@given(st.lists(st.tuples(st.binary(max_size=30), frames), max_size=4), st.binary(max_size=30))
def test_frames_come_out_of_noise_byte_by_byte(sent, tail):
    stream = b"".join(noise + frame.build() for noise, frame in sent) + tail
    deframer, got = Deframer(), []
    for byte in stream:
        got += deframer.feed(bytes((byte,)))
    got += deframer.flush()
    whole = Deframer()
    assert got == whole.feed(stream) + whole.flush()
    missing = [frame for _, frame in sent if frame not in got]
    assert not missing or any(b"\x7e" in noise for noise, _ in sent)


def test_a_frame_behind_a_false_beginning_is_not_lost():
    data = EXAMPLE.build()
    for noise in (b"\x7e", b"\x7e\x7e\x7e", b"\x7e\0\0\0\0\0\0\x0a\x28", b"\x7e\0\0\0\0\0\0\0\1ab"):
        deframer = Deframer()
        got = deframer.feed(noise + data)
        assert got + deframer.flush() == [EXAMPLE]


def test_a_frame_cut_in_the_middle_costs_only_itself():
    data = EXAMPLE.build()
    for cut in range(len(data)):
        deframer = Deframer()
        got = deframer.feed(data[:cut]) + deframer.feed(data)
        assert got + deframer.flush() == [EXAMPLE]


def test_after_silence_nothing_old_is_held():
    deframer = Deframer()
    assert deframer.feed(EXAMPLE.build()[:-1]) == []
    assert deframer.flush() == []
    assert deframer.feed(EXAMPLE.build()[-1:]) == []
    assert deframer.feed(EXAMPLE.build()) == [EXAMPLE]


def test_a_stream_of_starts_is_held_back_no_longer_than_one_frame():
    deframer = Deframer()
    for _ in range(20):
        deframer.feed(b"\x7e\0\0\0\0\0\0\x0a\x28" * 100)
    assert len(deframer._held) <= FRAME_BYTES_MAX
