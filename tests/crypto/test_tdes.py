"""tdes-1998 against NIST's own answers, and its padding, byte by byte."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prewatt.crypto import AuthenticationError, suite
from prewatt.crypto.tdes import chain_blocks, encrypt_blocks

TDES = suite("tdes-1998")
KEY = bytes(range(16))
PADDING_BLOCK = b"\x80" + bytes(7)


def xor(left, right):
    return bytes(a ^ b for a, b in zip(left, right, strict=True))


def test_the_block_primitive_gives_every_two_key_ecb_answer_of_nist(rows):
    vectors = rows("cavp_tdes_ecb/two_key.jsonl")
    assert len(vectors) == 510
    assert {row["direction"] for row in vectors} == {"encrypt", "decrypt"}
    for row in vectors:
        assert encrypt_blocks(row["plaintext"], row["key"]) == row["ciphertext"], row


def test_encrypt_and_decrypt_give_every_two_key_ecb_answer_of_nist(rows):
    for row in rows("cavp_tdes_ecb/two_key.jsonl"):
        whole = TDES.encrypt(row["plaintext"], row["key"])
        assert whole[:-8] == row["ciphertext"], row
        last = encrypt_blocks(PADDING_BLOCK, row["key"])
        assert TDES.decrypt(row["ciphertext"] + last, row["key"]) == row["plaintext"], row


def test_the_block_primitive_chained_gives_every_two_key_cbc_answer_of_nist(rows):
    vectors = rows("cavp_tdes_cbc/two_key.jsonl")
    assert len(vectors) == 510
    for row in vectors:
        previous, out = row["iv"], b""
        for at in range(0, len(row["plaintext"]), 8):
            previous = encrypt_blocks(xor(row["plaintext"][at : at + 8], previous), row["key"])
            out += previous
        assert out == row["ciphertext"], row


def test_the_chain_of_the_signature_gives_every_two_key_cbc_answer_of_nist(rows):
    for row in rows("cavp_tdes_cbc/two_key.jsonl"):
        first = xor(row["plaintext"][:8], row["iv"])
        assert chain_blocks(first + row["plaintext"][8:], row["key"]) == row["ciphertext"], row


def test_the_signature_is_the_mac_of_iso_9797_1_algorithm_1_with_padding_method_2(rows):
    for row in rows("iso9797_psec/two_key_cbc_mac.jsonl"):
        assert TDES.sign(row["message"], row["key"]) == row["padding_method_2"]


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=300), st.binary(min_size=16, max_size=16))
def test_the_signature_is_the_last_block_of_the_chain_over_padded_data(data, key):
    padded = data + b"\x80"
    padded += bytes(-len(padded) % 8)
    block = bytes(8)
    for at in range(0, len(padded), 8):
        block = encrypt_blocks(xor(padded[at : at + 8], block), key)
    assert TDES.sign(data, key) == block


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=300))
def test_padding_is_always_added_and_taken_away_again(data):
    encrypted = TDES.encrypt(data, KEY)
    assert len(encrypted) == TDES.encrypted_bytes(len(data)) == len(data) + 8 - len(data) % 8
    assert TDES.decrypt(encrypted, KEY) == data


def test_equal_blocks_encrypt_equally_because_each_stands_by_itself():
    encrypted = TDES.encrypt(b"\x11" * 16, KEY)
    assert encrypted[:8] == encrypted[8:16]


@pytest.mark.parametrize("length", range(16))
def test_padding_that_is_wrong_in_any_bit_is_not_authentic(length):
    data = b"\xa5" * length
    plain = data + b"\x80"
    plain += bytes(-len(plain) % 8)
    accepted = []
    for bit in range(8 * length, 8 * len(plain)):
        forged = bytearray(plain)
        forged[bit // 8] ^= 0x80 >> bit % 8
        try:
            accepted.append((bit, TDES.decrypt(encrypt_blocks(bytes(forged), KEY), KEY)))
        except AuthenticationError:
            continue
    # Flipping 80 away and another 80 in is two bits; one bit can only shift the mark where it makes a second 80.
    assert all(len(seen) > length for _, seen in accepted)
    assert all(bit % 8 == 0 and bit >= 8 * (length + 1) for bit, _ in accepted)


@pytest.mark.parametrize("plain", [bytes(8), b"\x80" + bytes(8) + bytes(7), bytes(15) + b"\x01", b"\xff" * 8])
def test_padding_that_is_missing_or_longer_than_a_block_is_not_authentic(plain):
    with pytest.raises(AuthenticationError):
        TDES.decrypt(encrypt_blocks(plain, KEY), KEY)


@pytest.mark.parametrize("length", [0, 1, 7, 9, 15])
def test_broken_blocks_are_not_authentic(length):
    with pytest.raises(AuthenticationError):
        TDES.decrypt(bytes(length), KEY)


def test_the_terminal_key_is_made_from_the_id_and_one_and_two():
    meter_id = b"\x12\x34\x56"
    left = encrypt_blocks(meter_id + b"\0\0\0\0\x01", KEY)
    right = encrypt_blocks(meter_id + b"\0\0\0\0\x02", KEY)
    assert TDES.terminal_key(KEY, meter_id) == left + right
    assert TDES.terminal_key(KEY, meter_id, 5) == left + right, "the key set is not in it"


def test_the_session_key_is_made_from_the_halves_of_r1_alone():
    r1 = bytes(range(100, 116))
    expected = encrypt_blocks(r1[:8], KEY) + encrypt_blocks(r1[8:], KEY)
    assert TDES.session_key(KEY, r1, bytes(8)) == TDES.session_key(KEY, r1, b"") == expected


def reserved_halves():
    return [prefix * 7 + bytes((i,)) for prefix in (b"\xff", b"\xfe") for i in range(1, 9)]


@pytest.mark.parametrize("half", reserved_halves())
def test_an_r1_that_would_give_a_key_of_other_messages_is_refused(half):
    for r1 in (half + bytes(8), bytes(8) + half):
        assert not TDES.r1_allowed(r1)
        with pytest.raises(ValueError, match="r1"):
            TDES.session_key(KEY, r1, bytes(8))


def test_an_r1_with_equal_halves_is_refused():
    assert not TDES.r1_allowed(bytes(range(8)) * 2)
    with pytest.raises(ValueError, match="r1"):
        TDES.session_key(KEY, bytes(16), bytes(8))


def test_blocks_beside_the_reserved_ones_are_allowed():
    for half in (
        b"\xff" * 7 + b"\x00",
        b"\xff" * 7 + b"\x09",
        b"\xfe" * 7 + b"\x00",
        b"\xfe" * 7 + b"\x09",
        b"\xff" * 8,
    ):
        assert TDES.r1_allowed(half + bytes(8))
        assert TDES.r1_allowed(bytes(8) + half)


def test_an_r3_that_ends_like_padding_is_refused():
    assert not TDES.r3_allowed(b"abc\x80\0\0\0\0")
    assert TDES.r3_allowed(b"abc\x80\0\0\0\x01")
    assert TDES.r3_allowed(b"ab\x80\0\0\0\0\0")
    assert TDES.r3_allowed(b"abc\x81\0\0\0\0")


@pytest.mark.parametrize("length", [0, 7, 9, 15, 17])
def test_random_bytes_of_another_length_are_not_allowed(length):
    assert not TDES.r1_allowed(bytes(range(length)))
    assert not TDES.r3_allowed(bytes(range(length)))
