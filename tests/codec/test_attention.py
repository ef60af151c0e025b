"""The invitation to mini-slots."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prewatt.codec.attention import BROADCAST_ID, BROADCAST_M_ID, Attention
from prewatt.codec.errors import DecodeError
from prewatt.codec.frame import Frame, FrameFlags

EXAMPLES = settings(max_examples=100, deadline=None)


@EXAMPLES
@given(st.integers(1, 255), st.integers(1, 65_535))
def test_an_invitation_is_what_it_was(slots, slot_ms):
    window = Attention(slots, slot_ms)
    assert window.build() == bytes((1, slots)) + slot_ms.to_bytes(2, "big")
    assert Attention.parse(window.build()) == window
    frame = Frame.parse(window.frame(9).build())
    assert frame == Frame(BROADCAST_M_ID, FrameFlags.NONE, 9, BROADCAST_ID, window.build())


@pytest.mark.parametrize(("slots", "slot_ms"), [(0, 1), (256, 1), (1, 0), (1, 65_536)])
def test_an_invitation_that_cannot_be_is_refused(slots, slot_ms):
    with pytest.raises(ValueError, match="allowed is 1 to"):
        Attention(slots, slot_ms)


@EXAMPLES
@given(st.binary(max_size=8))
def test_other_bytes_are_refused_or_are_that_invitation(data):
    try:
        window = Attention.parse(data)
    except DecodeError:
        return
    assert window.build() == data


def test_an_invitation_cut_extended_or_of_another_kind_is_refused():
    data = Attention(4, 30).build()
    for other in (data[:-1], data + b"\0", b"", b"\2" + data[1:], b"\1\0\0\1", b"\1\1\0\0"):
        with pytest.raises(DecodeError):
            Attention.parse(other)
