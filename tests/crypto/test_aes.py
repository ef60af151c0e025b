"""aes-2026 against NIST's and the RFC's own answers, at the suite and below it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prewatt.crypto import AuthenticationError, suite
from prewatt.crypto.kdf import cmac, derive, derive_fixed
from prewatt.crypto.siv import siv_decrypt, siv_encrypt

AES = suite("aes-2026")
PAIR = bytes(range(48))


def test_cmac_gives_every_answer_of_sp_800_38b(rows):
    vectors = rows("nist_sp800_38b/aes_cmac.jsonl")
    assert sorted({len(row["key"]) for row in vectors}) == [16, 24, 32]
    for row in vectors:
        assert cmac(row["message"], row["key"]) == row["output"], row


def test_sign_gives_the_aes_128_answers_of_sp_800_38b_for_a_whole_key_and_for_the_end_of_a_pair(rows):
    vectors = [row for row in rows("nist_sp800_38b/aes_cmac.jsonl") if len(row["key"]) == 16]
    assert len(vectors) == 4
    for row in vectors:
        assert AES.sign(row["message"], row["key"]) == row["output"]
        assert AES.sign(row["message"], bytes(32) + row["key"]) == row["output"]


def test_the_key_derivation_gives_every_answer_of_sp_800_108(rows):
    vectors = rows("nist_sp800_108/counter_mode_cmac_aes_r32.jsonl")
    assert {row["prf"] for row in vectors} == {"CMAC_AES128", "CMAC_AES192", "CMAC_AES256"}
    assert len(vectors) == 120
    for row in vectors:
        assert derive_fixed(row["key"], row["fixed"], row["length_bits"] // 8) == row["output"], row


def test_the_fixed_data_are_label_zero_context_and_the_length_in_bits():
    fixed = b"prewatt KT\x00\x05\x12\x34\x56\x00\x00\x01\x00"
    master = bytes(range(32))
    assert derive(master, b"prewatt KT", b"\x05\x12\x34\x56", 32) == derive_fixed(master, fixed, 32)
    assert AES.terminal_key(master, b"\x12\x34\x56", 5) == derive_fixed(master, fixed, 32)
    blocks = [cmac(i.to_bytes(4, "big") + fixed, master) for i in (1, 2)]
    assert AES.terminal_key(master, b"\x12\x34\x56", 5) == b"".join(blocks)


def test_the_session_key_takes_both_random_values_of_the_host():
    key, r1, r2 = bytes(range(32)), bytes(16), b"\x01" * 16
    fixed = b"prewatt Ks\x00" + r1 + r2 + (384).to_bytes(4, "big")
    assert AES.session_key(key, r1, r2) == derive_fixed(key, fixed, 48)
    assert AES.session_key(key, r1, r1) != AES.session_key(key, r1, r2)


@pytest.mark.parametrize("length", [0, -1, 257])
def test_a_derived_key_has_between_1_and_256_bytes(length):
    with pytest.raises(ValueError, match="length_bytes"):
        derive_fixed(bytes(16), b"", length)
    assert len(derive_fixed(bytes(16), b"", 256)) == 256


def test_rfc_5297_a1_through_the_suite(rows):
    (row,) = [row for row in rows("rfc5297/aes_siv.jsonl") if row["case"] == "A.1"]
    (associated,) = row["components"]
    for key in (row["key"], row["key"] + bytes(16)):
        assert AES.encrypt(row["plaintext"], key, associated) == row["output"]
        assert AES.decrypt(row["output"], key, associated) == row["plaintext"]


def test_rfc_5297_a2_with_several_components_below_the_suite(rows):
    (row,) = [row for row in rows("rfc5297/aes_siv.jsonl") if row["case"] == "A.2"]
    assert len(row["components"]) == 3
    assert siv_encrypt(row["plaintext"], row["key"], row["components"]) == row["output"]
    assert siv_decrypt(row["output"], row["key"], row["components"]) == row["plaintext"]
    with pytest.raises(AuthenticationError):
        siv_decrypt(row["output"], row["key"], row["components"][::-1])


def test_an_empty_associated_component_is_one_and_not_none():
    assert AES.encrypt(b"value", PAIR) == siv_encrypt(b"value", PAIR[:32], [b""])
    assert AES.encrypt(b"value", PAIR) != siv_encrypt(b"value", PAIR[:32], [])
    assert AES.encrypt(b"", PAIR) != siv_encrypt(b"", PAIR[:32], [])


def test_an_empty_plaintext_is_the_mac_of_its_components(rows):
    """S2V of one component and nothing, step by step after RFC 5297 2.4."""

    def double(block):
        shifted = int.from_bytes(block, "big") << 1
        if shifted >> 128:
            shifted = (shifted ^ 0x87) & (1 << 128) - 1
        return shifted.to_bytes(16, "big")

    def xor(left, right):
        return bytes(a ^ b for a, b in zip(left, right, strict=True))

    for i in range(40):
        associated, key = bytes((i,)) * i, bytes((i,)) * 16
        state = xor(double(cmac(bytes(16), key)), cmac(associated, key))
        expected = cmac(xor(double(state), b"\x80" + bytes(15)), key)
        assert AES.encrypt(b"", key * 2, associated) == expected
        assert AES.decrypt(expected, key * 2, associated) == b""


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=300), st.binary(max_size=300))
def test_what_was_encrypted_is_decrypted_with_the_same_associated_data(data, associated):
    encrypted = AES.encrypt(data, PAIR, associated)
    assert len(encrypted) == AES.encrypted_bytes(len(data)) == len(data) + 16
    assert AES.decrypt(encrypted, PAIR, associated) == data


def test_a_pair_is_32_bytes_for_encryption_and_16_for_signing():
    assert AES.encrypt(b"x", PAIR) == AES.encrypt(b"x", PAIR[:32])
    assert AES.sign(b"x", PAIR) == AES.sign(b"x", PAIR[32:])


@pytest.mark.parametrize("length", [0, 15, 17, 31, 33])
def test_random_bytes_have_exactly_16_bytes(length):
    assert not AES.r1_allowed(bytes(length))
    assert not AES.r3_allowed(bytes(length))
    assert AES.r1_allowed(bytes(16))
    assert AES.r3_allowed(bytes(16))


@pytest.mark.parametrize("data_length", [0, 1, 16, 36])
@pytest.mark.parametrize("associated_length", [0, 1, 38])
def test_every_flipped_bit_of_data_tag_and_associated_data_is_seen(data_length, associated_length):
    associated = bytes(range(associated_length))
    encrypted = AES.encrypt(bytes(range(data_length)), PAIR, associated)
    for bit in range(8 * len(encrypted)):
        forged = bytearray(encrypted)
        forged[bit // 8] ^= 1 << bit % 8
        with pytest.raises(AuthenticationError):
            AES.decrypt(bytes(forged), PAIR, associated)
    for bit in range(8 * associated_length):
        other = bytearray(associated)
        other[bit // 8] ^= 1 << bit % 8
        with pytest.raises(AuthenticationError):
            AES.decrypt(encrypted, PAIR, bytes(other))
    # Without plaintext nothing is encrypted, so only the half of the key that makes V can matter.
    for bit in range(8 * (32 if data_length else 16)):
        key = bytearray(PAIR)
        key[bit // 8] ^= 1 << bit % 8
        with pytest.raises(AuthenticationError):
            AES.decrypt(encrypted, bytes(key), associated)


def test_every_cut_and_every_longer_tail_is_seen():
    encrypted = AES.encrypt(bytes(range(36)), PAIR, b"associated")
    for length in range(len(encrypted)):
        with pytest.raises(AuthenticationError):
            AES.decrypt(encrypted[:length], PAIR, b"associated")
    for tail in (b"\x00", b"\x80", bytes(16), encrypted):
        with pytest.raises(AuthenticationError):
            AES.decrypt(encrypted + tail, PAIR, b"associated")
        with pytest.raises(AuthenticationError):
            AES.decrypt(encrypted, PAIR, b"associated" + tail)
        with pytest.raises(AuthenticationError):
            AES.decrypt(tail + encrypted, PAIR, b"associated")


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=80))
def test_random_bytes_are_never_authentic(data):
    with pytest.raises(AuthenticationError):
        AES.decrypt(data, PAIR)
