"""The maker's signature: Ed25519 as RFC 8032 has it, and nothing that was altered passes."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prewatt.crypto import AuthenticationError
from prewatt.crypto.program import check_program, maker_key, sign_program

# RFC 8032, section 7.1, TEST 2 and TEST 3.
RFC_8032 = (
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
        "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
)


@pytest.mark.parametrize(("seed", "public", "message", "signature"), RFC_8032)
def test_it_is_the_standards_own(seed, public, message, signature):
    assert maker_key(bytes.fromhex(seed)).hex() == public
    assert sign_program(bytes.fromhex(message), bytes.fromhex(seed)).hex() == signature
    check_program(bytes.fromhex(message), bytes.fromhex(signature), bytes.fromhex(public))


@settings(deadline=None, max_examples=60)
@given(st.binary(min_size=1, max_size=60), st.data())
def test_whatever_is_altered_is_refused(message, data):
    seed = bytes(range(32))
    parts = [bytearray(message), bytearray(sign_program(message, seed)), bytearray(maker_key(seed))]
    part = parts[data.draw(st.integers(0, 2))]
    part[data.draw(st.integers(0, len(part) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises(AuthenticationError):
        check_program(*map(bytes, parts))


def test_keys_of_another_length_are_a_fault_of_the_caller():
    with pytest.raises(ValueError, match="maker seed"):
        maker_key(bytes(31))
    with pytest.raises(ValueError, match="maker key"):
        check_program(b"", bytes(64), bytes(33))
    with pytest.raises(AuthenticationError):
        check_program(b"", bytes(63), bytes(32))
