"""Value in and out of text: exact both ways, and nothing but plain decimals gets in."""

import re
from decimal import Decimal

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from prewatt.units import (
    MICRO_DIGITS,
    MICRO_PER_UNIT,
    VALUE_MAX_MICRO,
    ValueFieldError,
    format_value,
    parse_value,
)

amounts = st.integers(1, VALUE_MAX_MICRO)
digits_allowed = st.integers(0, MICRO_DIGITS)


@settings(max_examples=300, deadline=None)
@given(amounts, digits_allowed)
@example(VALUE_MAX_MICRO, 0)
@example(1, 6)
def test_what_is_formatted_parses_back_to_the_same_value(micro, digits):
    assert parse_value(format_value(micro, digits=digits), digits=MICRO_DIGITS) == micro


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 10**9 - 1), st.text("0123456789", min_size=1, max_size=MICRO_DIGITS))
def test_a_parsed_decimal_formats_back_to_the_same_text(whole, part):
    text = f"{whole}.{part}"
    assert format_value(parse_value(text, digits=MICRO_DIGITS, zero=True), digits=len(part)) == text


@settings(max_examples=300, deadline=None)
@given(st.integers(-(2**63), 2**63 - 1), digits_allowed)
def test_a_formatted_value_is_exactly_the_micro_units(micro, digits):
    text = format_value(micro, digits=digits)
    assert Decimal(text) * MICRO_PER_UNIT == micro
    assert len(text.partition(".")[2]) >= digits


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=20) | st.text("0123456789.,-+eE_ x", max_size=12), digits_allowed)
@example("0.000001", 6)
@example("٣", 2)  # a digit, but not one of ours
@example("1_000", 2)
@example("1e3", 2)
@example("+1", 2)
def test_any_text_is_either_a_plain_decimal_or_refused_by_name(text, digits):
    try:
        micro = parse_value(text, digits=digits, field="price")
    except ValueFieldError as error:
        assert str(error).startswith("price: ")
        assert "allowed is" in str(error)
        assert "\n" not in str(error)
    else:
        assert re.fullmatch(r"[0-9]+(\.[0-9]+)?", text.strip())
        assert Decimal(text.strip()) * MICRO_PER_UNIT == micro
        assert 0 < micro <= VALUE_MAX_MICRO


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        ".",
        "1.",
        ".5",
        "-1",
        "-0.01",
        "nan",
        "inf",
        "1e3",
        "0x10",
        "1,00",
        "1 000",
        "1.2.3",
        "10.001",
        "0",
        "0.00",
    ],
)
def test_what_is_no_amount_is_refused(text):
    with pytest.raises(
        ValueFieldError, match=r"amount: .* allowed is a decimal above 0 up to 1000000000 with at most 2"
    ):
        parse_value(text)


def test_the_limit_is_allowed_and_one_past_it_is_not():
    assert parse_value("1000000000.00") == VALUE_MAX_MICRO
    with pytest.raises(ValueFieldError):
        parse_value("1000000000.01")
    with pytest.raises(ValueFieldError):
        parse_value("9" * 400)


def test_zero_is_an_amount_only_where_it_is_asked_for():
    assert parse_value("0.00", zero=True) == 0
    with pytest.raises(ValueFieldError, match="above 0"):
        parse_value("0.00")


@pytest.mark.parametrize("digits", range(MICRO_DIGITS + 1))
def test_as_many_decimals_as_the_currency_has_and_not_one_more(digits):
    assert parse_value("1" if digits == 0 else f"1.{'0' * (digits - 1)}1", digits=digits) >= MICRO_PER_UNIT
    with pytest.raises(ValueFieldError):
        parse_value(f"1.{'0' * (digits + 1)}", digits=digits)


@pytest.mark.parametrize("digits", [-1, MICRO_DIGITS + 1])
def test_a_currency_finer_than_a_micro_unit_is_refused(digits):
    with pytest.raises(ValueFieldError, match="digits"):
        parse_value("1", digits=digits)
    with pytest.raises(ValueFieldError, match="digits"):
        format_value(1, digits=digits)


def test_spaces_around_an_amount_are_forgiven():
    assert parse_value("  10.00 \n") == 10 * MICRO_PER_UNIT


def test_an_error_tells_field_value_and_what_is_allowed_and_stays_short():
    with pytest.raises(ValueFieldError) as caught:
        parse_value("x" * 100_000, digits=1, field="deposit")
    error = caught.value
    assert (error.field, error.given) == ("deposit", "x" * 100_000)
    assert str(error).endswith(f"is not allowed; allowed is {error.allowed}")
    assert len(str(error)) < 250
