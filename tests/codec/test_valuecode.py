"""The twenty digits of a value code: where the bits stand, and what is no code."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prewatt.codec.errors import DecodeError
from prewatt.codec.valuecode import (
    CODE_AMOUNT_MINOR_MAX,
    ValueCode,
    check_input,
    check_of,
    format_value_code,
)
from prewatt.units import MeterId

codes = st.builds(ValueCode, st.integers(0, 255), st.integers(1, CODE_AMOUNT_MINOR_MAX), st.integers(0, 2**34 - 1))


@settings(max_examples=300, deadline=None)
@given(codes)
def test_every_code_comes_back_from_its_digits_and_its_bits(code: ValueCode) -> None:
    digits = code.build()
    assert len(digits) == 20
    assert ValueCode.parse(digits) == code
    assert ValueCode.parse_bits(code.build_bits()) == code
    assert int.from_bytes(code.build_tag(), "big") == code.build_bits() == int(digits)


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 2**64 - 1))
def test_any_sixty_four_bits_with_an_amount_are_a_code_that_builds_them_again(bits: int) -> None:
    if bits >> 34 & CODE_AMOUNT_MINOR_MAX:
        assert ValueCode.parse_bits(bits).build_bits() == bits
    else:
        with pytest.raises(DecodeError, match="amount is 0"):
            ValueCode.parse_bits(bits)


def test_sequence_amount_and_check_stand_most_significant_first() -> None:
    assert ValueCode(1, 1, 1).build_bits() == 1 << 56 | 1 << 34 | 1
    assert ValueCode(255, CODE_AMOUNT_MINOR_MAX, 2**34 - 1).build() == "18446744073709551615"
    assert ValueCode(0, 1, 0).build() == "00000000017179869184"


@pytest.mark.parametrize(
    "digits",
    [
        "",
        "1",
        "0" * 19,
        "0" * 20,
        "0" * 21,
        "18446744073709551616",
        "99999999999999999999",
        "0000000001717986918a",
        "+0000000017179869184",
        "-0000000017179869184",
        " 0000000017179869184",
        "0000 0000 0171 7986 9184",
        "0000000001717986918\n",
        "٠" * 19 + "١",
        "²0000000017179869184",
        "0x000000017179869184",
        "0000000_017179869184",
    ],
)
def test_what_is_not_twenty_digits_of_sixty_four_bits_is_refused(digits: str) -> None:
    with pytest.raises(DecodeError, match="value code"):
        ValueCode.parse(digits)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=30))
def test_random_text_is_refused_or_is_a_code_that_builds_it_again(text: str) -> None:
    try:
        code = ValueCode.parse(text)
    except DecodeError:
        return
    assert code.build() == text


@pytest.mark.parametrize("bits", [-1, 2**64])
def test_numbers_outside_sixty_four_bits_are_refused(bits: int) -> None:
    with pytest.raises(DecodeError, match="64 bits"):
        ValueCode.parse_bits(bits)


@pytest.mark.parametrize(
    ("low", "amount", "check"),
    [(-1, 1, 1), (256, 1, 1), (1, 0, 1), (1, CODE_AMOUNT_MINOR_MAX + 1, 1), (1, 1, -1), (1, 1, 2**34)],
)
def test_fields_out_of_range_are_no_code(low: int, amount: int, check: int) -> None:
    with pytest.raises(ValueError, match="is not allowed; allowed is"):
        ValueCode(low, amount, check)


def test_what_is_signed_names_meter_whole_sequence_and_amount() -> None:
    assert check_input(MeterId(b"\x00\x00\x01"), 0x01020304, 1000) == bytes.fromhex("63 000001 01020304 000003e8")


def test_the_check_is_the_first_thirty_four_bits() -> None:
    assert check_of(bytes.fromhex("ffffffffc0000000")) == 2**34 - 1
    assert check_of(bytes.fromhex("000000003fffffffffffffffffffffff")) == 0
    assert check_of(bytes.fromhex("0000000040")) == 1
    with pytest.raises(ValueError, match="34 bits"):
        check_of(bytes(4))


def test_digits_are_printed_in_groups_of_four() -> None:
    assert format_value_code("12345678901234567890") == "1234 5678 9012 3456 7890"
