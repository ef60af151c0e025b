"""Numbers of areas and stations, and the two bytes they travel in."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prewatt.units import ADDRESS_BYTES, BELOW_MAX, BROADCAST_ID, Address, ValueFieldError, check_number, parse_meter_id

numbers = st.integers(0, BELOW_MAX - 1)
addresses = st.builds(Address, numbers, numbers)


@settings(deadline=None)
@given(addresses)
def test_an_address_comes_back_from_its_two_bytes(address: Address) -> None:
    assert len(address.build()) == ADDRESS_BYTES
    assert Address.parse(address.build()) == address


@settings(deadline=None)
@given(addresses, addresses)
def test_two_addresses_have_the_same_bytes_only_if_they_are_the_same(one: Address, other: Address) -> None:
    assert (one.build() == other.build()) == (one == other)


@pytest.mark.parametrize("number", [0, BELOW_MAX - 1])
def test_the_first_and_last_number_are_allowed(number: int) -> None:
    assert check_number(number, field="area") == number


@pytest.mark.parametrize("number", [-1, BELOW_MAX, 10**9, True])
def test_a_number_that_is_no_byte_is_refused_by_name(number: int) -> None:
    with pytest.raises(ValueFieldError, match=r"station: .* allowed is 0 to 255"):
        Address(0, number)
    with pytest.raises(ValueFieldError, match=r"area: .* allowed is 0 to 255"):
        Address(number, 0)


@settings(deadline=None)
@given(st.binary(max_size=5).filter(lambda data: len(data) != ADDRESS_BYTES))
def test_another_length_is_no_address(data: bytes) -> None:
    with pytest.raises(ValueFieldError, match="address"):
        Address.parse(data)


def test_an_address_is_written_area_first() -> None:
    assert str(Address(3, 17)) == "3.17"


def test_the_broadcast_id_is_no_meters() -> None:
    with pytest.raises(ValueFieldError):
        parse_meter_id(BROADCAST_ID.hex())
