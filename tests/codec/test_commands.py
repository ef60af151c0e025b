"""Codes, exact lengths, fillers, and what stands in each body."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prewatt.codec.bodies import (
    Commission,
    KeyChange,
    ModeChange,
    RelayOrder,
    Retire,
    Text,
    Transfer,
    UsageQuery,
)
from prewatt.codec.commands import Code, Command, control_digest, fill_body, is_control, plain_bytes, strip_body
from prewatt.codec.errors import DecodeError
from prewatt.units import Sequence

EXAMPLES = settings(max_examples=100, deadline=None)
TDES, AES = 1, 2
i64 = st.integers(-(2**63), 2**63 - 1)
tags = st.binary(min_size=8, max_size=8)


@pytest.mark.parametrize(
    ("code", "tdes", "aes"),
    [(1, 16, 16), (2, 266, 266), (3, 19, 19), (4, 0, 0), (5, 21, 37), (6, 1, 1), (7, 256, None), (255, 256, None)],
)
def test_each_code_has_its_one_exact_plain_length(code, tdes, aes):
    assert plain_bytes(code, TDES) == tdes
    assert plain_bytes(code, AES) == aes


def test_code_zero_has_no_length_and_cannot_be_ordered():
    assert plain_bytes(0, TDES) is None
    for suite in (TDES, AES):
        with pytest.raises(ValueError, match="code"):
            fill_body(0, suite, b"")


def test_all_codes_but_money_and_queries_carry_the_control_counter():
    assert {code for code in Code if not is_control(code)} == {Code.VALUE, Code.USAGE, Code.RING}
    assert is_control(0xEE)


@EXAMPLES
@given(st.integers(7, 255), st.binary(max_size=254))
def test_later_codes_of_tdes_1998_are_filled_to_one_length_and_given_back(code, body):
    plain = fill_body(code, TDES, body)
    assert len(plain) == 256
    assert strip_body(code, TDES, plain) == body
    assert fill_body(code, AES, body) == body == strip_body(code, AES, body)


@EXAMPLES
@given(st.integers(7, 255), st.binary(max_size=253), st.integers(1, 255), st.data())
def test_a_filler_that_is_not_zero_is_no_body(code, body, value, data):
    plain = bytearray(fill_body(code, TDES, body))
    plain[data.draw(st.integers(2 + len(body), 255))] = value
    with pytest.raises(DecodeError, match="filler"):
        strip_body(code, TDES, bytes(plain))


@pytest.mark.parametrize("suite", [TDES, AES])
@pytest.mark.parametrize("code", [1, 2, 3, 4, 5, 6])
def test_a_byte_more_or_less_is_no_body(code, suite):
    exact = plain_bytes(code, suite)
    assert strip_body(code, suite, bytes(exact)) == fill_body(code, suite, bytes(exact))
    for length in {exact + 1, max(exact - 1, 0)} - {exact}:
        with pytest.raises(DecodeError):
            strip_body(code, suite, bytes(length))
        with pytest.raises(ValueError, match=f"allowed is {exact}"):
            fill_body(code, suite, bytes(length))


def test_later_codes_of_tdes_1998_hold_254_bytes_and_not_one_more():
    assert fill_body(9, TDES, bytes(254))
    with pytest.raises(ValueError, match="254"):
        fill_body(9, TDES, bytes(255))
    with pytest.raises(DecodeError, match="data length"):
        strip_body(9, TDES, (255).to_bytes(2, "big") + bytes(254))


@EXAMPLES
@given(i64, tags)
def test_a_transfer_is_what_it_was(amount, tag):
    body = Transfer(amount, tag).build()
    assert Transfer.parse(body) == Transfer(amount, tag)
    assert len(fill_body(Code.VALUE, TDES, body)) == 16


@EXAMPLES
@given(st.binary(max_size=256), st.integers(0, 2**64 - 1))
def test_a_mode_change_is_what_it_was(table, price):
    body = ModeChange(table, price).build()
    assert len(body) == 266
    assert ModeChange.parse(body) == ModeChange(table, price)


def test_a_mode_change_with_a_dirty_filler_or_a_long_table_is_refused():
    body = bytearray(ModeChange(b"abc", 5).build())
    body[100] = 1
    with pytest.raises(DecodeError, match="filler"):
        ModeChange.parse(bytes(body))
    with pytest.raises(DecodeError, match="table length"):
        ModeChange.parse((257).to_bytes(2, "big") + bytes(264))
    with pytest.raises(ValueError, match="256"):
        ModeChange(bytes(257), 5).build()


@EXAMPLES
@given(st.integers(0, 2**32 - 1), st.integers(0, 65535), st.integers(0, 255), tags, st.integers(0, 2**32 - 1))
def test_a_usage_query_is_what_it_was(time_s, day, part, digest, events):
    query = UsageQuery(time_s, day, part, digest, events)
    assert UsageQuery.parse(query.build()) == query
    assert len(query.build()) == 19


@EXAMPLES
@given(st.integers(0, 255), st.sampled_from([TDES, AES]), st.binary(min_size=4, max_size=4), st.data())
def test_a_key_change_is_what_it_was_and_never_shows_its_key(key_set, suite, check, data):
    size = {TDES: 16, AES: 32}[suite]
    key = data.draw(st.binary(min_size=size, max_size=size))
    change = KeyChange(key_set, key, check)
    assert KeyChange.parse(change.build(), suite) == change
    assert len(fill_body(Code.KEY, suite, change.build())) == 1 + size + 4
    assert "terminal_key" not in repr(change)


def test_the_small_bodies_are_what_they_were():
    for order in RelayOrder:
        assert RelayOrder.parse(order.build()) is order
    for commission in (Commission(3, bytes(8)), Commission(4, b"\x81" + bytes(7), 0x03FFFFFF)):
        assert Commission.parse(commission.build()) == commission
    assert Retire.parse(Retire(bytes(8)).build()) == Retire(bytes(8))
    assert Text.parse(Text("Strom ist bezahlt ✓").build()) == Text("Strom ist bezahlt ✓")
    assert Text.parse(b"") == Text("")


def test_a_text_has_at_most_160_bytes_of_utf_8():
    assert Text.parse(Text("x" * 160).build()).text == "x" * 160
    with pytest.raises(ValueError, match="160"):
        Text("é" * 81).build()
    with pytest.raises(DecodeError, match="160"):
        Text.parse(bytes(161))
    with pytest.raises(DecodeError, match="UTF-8"):
        Text.parse(b"ok\xff")


@pytest.mark.parametrize("flags", [0, 4, 255])
def test_a_relay_order_that_does_not_exist_is_refused(flags):
    with pytest.raises(DecodeError, match="flags"):
        RelayOrder.parse(bytes((flags,)))


PARSERS = [
    Transfer.parse,
    ModeChange.parse,
    UsageQuery.parse,
    lambda body: KeyChange.parse(body, TDES),
    lambda body: KeyChange.parse(body, AES),
    RelayOrder.parse,
    Commission.parse,
    Retire.parse,
    Text.parse,
]


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300) | st.binary(min_size=266, max_size=266), st.sampled_from(PARSERS))
def test_arbitrary_bytes_decode_to_themselves_or_raise_decode_error(data, parse):
    try:
        parsed = parse(data)
    except DecodeError:
        return
    assert parsed.build() == data


def test_control_digests_tell_codes_and_bodies_apart():
    digests = {control_digest(code, body) for code in (2, 5, 6) for body in (b"", b"a", b"b")}
    assert len(digests) == 9
    assert all(len(digest) == 8 for digest in digests)


def test_a_command_never_shows_its_body():
    assert "beef" not in repr(Command(5, Sequence(1), b"beef"))
