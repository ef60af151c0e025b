import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prewatt.host.payment.acquirer.framing import PREFIX_BYTES_MAX, Deframer, Framing, FramingError
from prewatt.host.payment.iso8583.messages import MESSAGE_BYTES_MAX
from prewatt.units import ValueFieldError

FRAMINGS = st.builds(Framing, st.sampled_from([2, 4]), st.booleans(), st.binary(max_size=PREFIX_BYTES_MAX))
LAWS = settings(deadline=None, max_examples=200)


@LAWS
@given(FRAMINGS, st.lists(st.binary(min_size=1, max_size=60), max_size=8), st.data())
def test_messages_come_out_as_they_went_in_whatever_the_pieces(framing, messages, data):
    stream = b"".join(framing.build(message) for message in messages)
    deframer, found = Deframer(framing), []
    while stream:
        piece = data.draw(st.integers(1, len(stream)))
        found += deframer.feed(stream[:piece])
        stream = stream[piece:]
    assert found == messages


@LAWS
@given(FRAMINGS, st.binary(max_size=200))
def test_any_bytes_are_messages_or_the_end_of_the_stream(framing, stream):
    try:
        found = Deframer(framing).feed(stream)
    except FramingError:
        return
    assert all(0 < len(message) <= MESSAGE_BYTES_MAX for message in found)


@pytest.mark.parametrize("framing", [Framing(), Framing(4), Framing(2, True), Framing(2, True, b"12345")])
def test_the_longest_message_passes_and_one_past_it_does_not(framing):
    longest = b"x" * MESSAGE_BYTES_MAX
    built = framing.build(longest)
    assert Deframer(framing).feed(built) == [longest]
    for wrong in (b"", longest + b"x"):
        with pytest.raises(ValueError, match="message"):
            framing.build(wrong)
    length = int.from_bytes(built[: framing.length_bytes], "big") + 1
    with pytest.raises(FramingError):
        Deframer(framing).feed(length.to_bytes(framing.length_bytes, "big"))


def test_a_length_of_nothing_is_a_sign_of_life():
    assert Deframer(Framing()).feed(b"\x00\x00\x00\x01a\x00\x00") == [b"a"]


@pytest.mark.parametrize("stream", [b"\x00\x05TPDU1", b"\x00\x04TPDU"])
def test_a_frame_with_no_more_than_its_prefix_ends_the_stream(stream):
    with pytest.raises(FramingError):
        Deframer(Framing(prefix=b"TPDU1")).feed(stream)


def test_a_length_that_does_not_count_even_itself_ends_the_stream():
    with pytest.raises(FramingError):
        Deframer(Framing(2, True)).feed(b"\x00\x01")


def test_frames_are_shown_without_what_is_in_them():
    framed = Framing().build(b"9999990000000006")
    assert "999999" not in repr(framed) + str(framed) + repr(Deframer(Framing()).feed(framed))


def test_other_settings_are_refused():
    for wrong in ({"length_bytes": 3}, {"prefix": b"x" * (PREFIX_BYTES_MAX + 1)}):
        with pytest.raises(ValueFieldError):
            Framing(**wrong)
