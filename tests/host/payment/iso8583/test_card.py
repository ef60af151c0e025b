import copy
import pickle

import pytest

from prewatt.host.payment.iso8583.card import Card, CardOnFile, TokenKey, is_luhn
from prewatt.units import ValueFieldError

PAN = "9999990000000006"
KEY = TokenKey(bytes(range(32)))


def test_the_check_digit_is_that_of_the_standard():
    # ISO/IEC 7812-1, annex B: the example 7992739871 has the check digit 3.
    assert is_luhn("79927398713")
    assert [digit for digit in range(10) if is_luhn(f"7992739871{digit}")] == [3]


@pytest.mark.parametrize("digits", [12, 19])
def test_a_number_of_the_shortest_and_of_the_longest_kind_is_a_card(digits):
    number = next(f"9{'0' * (digits - 2)}{check}" for check in range(10) if is_luhn(f"9{'0' * (digits - 2)}{check}"))
    assert Card(number, "3012").last4 == number[-4:]


@pytest.mark.parametrize(
    ("pan", "expiry"),
    [(PAN[:-1] + "7", "3012"), ("00000000000", "3012"), ("0" * 20, "3012"), (PAN[:-1] + "\u0666", "3012"), ("", "3012"),
     (PAN, "3013"), (PAN, "3000"), (PAN, "301"), (PAN, "30121"), (PAN + "\n", "3012")],
)  # fmt: skip
def test_what_is_no_card_is_refused_and_not_shown(pan, expiry):
    with pytest.raises(ValueFieldError) as refused:
        Card(pan, expiry)
    assert not pan or pan not in str(refused.value)
    assert expiry == "3012" or expiry not in str(refused.value)


@pytest.mark.parametrize("chip", ["ABC", "XY", "AB" * 256])
def test_chip_data_that_fits_no_element_is_refused_and_not_shown(chip):
    with pytest.raises(ValueFieldError) as refused:
        Card(PAN, "3012", chip=chip)
    assert chip not in str(refused.value)


def test_chip_data_at_its_longest_is_taken():
    Card(PAN, "3012", chip="AB" * 255)


def test_a_card_shows_neither_number_nor_expiry_nor_chip_and_is_not_pickled():
    card = Card(PAN, "3012", chip="5A08" + PAN)
    assert PAN not in repr(card) + str(card)
    assert "3012" not in repr(card)
    for leaves in (pickle.dumps, copy.deepcopy):
        with pytest.raises(TypeError):
            leaves(card)
        with pytest.raises(TypeError):
            leaves(KEY)


def test_a_token_is_the_same_for_a_card_and_another_for_another_card_or_key():
    token = KEY.token(PAN)
    assert token == KEY.token(PAN)
    assert len({token, KEY.token("9999990000000014"), TokenKey(bytes(32)).token(PAN)}) == 3
    assert PAN not in token


def test_a_token_key_is_shown_nowhere_and_is_long_enough():
    assert bytes(range(32)).hex() not in repr(KEY)
    with pytest.raises(ValueFieldError) as refused:
        TokenKey(b"secret" * 5)
    assert "secret" not in str(refused.value)


def test_a_card_on_file_is_a_token_and_no_card_number():
    assert CardOnFile("tok-1", "0006").last4 == "0006"
    for token, last4 in ((PAN, "0006"), ("", "0006"), ("x" * 65, "0006"), ("tok", "006"), ("tok", "00o6")):
        with pytest.raises(ValueFieldError) as refused:
            CardOnFile(token, last4)
        assert PAN not in str(refused.value)
