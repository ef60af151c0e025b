"""The sealed file as bytes: every cut and every flipped bit is refused, and a header is bounded before it costs."""

from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prewatt.host.keys import (
    DamagedVaultError,
    FileVault,
    SealCost,
    VaultError,
    VaultVersionError,
    WrongSecretError,
    sealed,
)
from prewatt.host.keys.content import VaultContent
from prewatt.host.keys.sealed import SealHeader, SealingKey, open_vault, read_header, seal_vault

SALT, NONCE = bytes(range(16)), bytes(range(16, 32))


def with_hash(body):
    return body + sha256(body).digest()


def test_every_flipped_bit_is_damage_and_the_version_byte_another_version(vault, secret, remembered_argon2):
    whole = vault.path.read_bytes()
    remembered_argon2.clear()
    for bit in range(8 * len(whole)):
        forged = bytearray(whole)
        forged[bit // 8] ^= 1 << bit % 8
        vault.path.write_bytes(forged)
        expected = VaultVersionError if bit // 8 == 7 else DamagedVaultError
        with pytest.raises(expected):
            FileVault.open(vault.path, secret)
    assert remembered_argon2 == {}, "argon2id never ran on a damaged file"


def test_every_truncation_and_longer_tail_is_damage(vault, secret):
    whole = vault.path.read_bytes()
    for length in range(len(whole)):
        vault.path.write_bytes(whole[:length])
        with pytest.raises(DamagedVaultError):
            FileVault.open(vault.path, secret)
    for tail in (b"\x00", bytes(32), whole, bytes(300_000)):
        vault.path.write_bytes(whole + tail)
        with pytest.raises(DamagedVaultError):
            FileVault.open(vault.path, secret)


def test_every_bit_flipped_on_purpose_with_its_hash_made_right_is_refused(vault, secret, remembered_argon2):
    body = vault.path.read_bytes()[:-32]
    for bit in range(8 * len(body)):
        forged = bytearray(body)
        forged[bit // 8] ^= 1 << bit % 8
        file = with_hash(bytes(forged))
        with pytest.raises(VaultError) as refused:
            open_vault(file, SealingKey(secret, read_header(file)))
        assert type(refused.value) in (DamagedVaultError, VaultVersionError, WrongSecretError)
    assert len(remembered_argon2) > 16 * 8, "each altered salt was tried"


def test_every_truncation_with_its_hash_made_right_is_refused(vault, secret, remembered_argon2):
    body = vault.path.read_bytes()[:-32]
    for length in range(len(body)):
        file = with_hash(body[:length])
        with pytest.raises(VaultError):
            open_vault(file, SealingKey(secret, read_header(file)))


@pytest.mark.parametrize("version", [0, 2, 255])
def test_another_version_is_named(vault, secret, version):
    whole = bytearray(vault.path.read_bytes())
    whole[7] = version
    vault.path.write_bytes(whole)
    with pytest.raises(VaultVersionError, match=f"version {version}; this release reads version 1"):
        FileVault.open(vault.path, secret)


@pytest.mark.parametrize(
    "file", [b"", b"P", b"PREWKEY", b"PREWKEY\x01", b"{}", b"\x7fELF" + bytes(200), b"PREWKEY\x01" + bytes(300)]
)
def test_a_file_that_is_no_vault_is_told_so(file):
    with pytest.raises(DamagedVaultError):
        read_header(file)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200), st.booleans())
def test_random_bytes_are_no_vault(data, with_magic):
    with pytest.raises((DamagedVaultError, VaultVersionError)):
        read_header(b"PREWKEY\x01" + data if with_magic else data)


@pytest.mark.parametrize(
    ("time_cost", "memory_kib", "lanes"),
    [(0, 8_192, 1), (17, 8_192, 1), (1, 8_191, 1), (1, 262_145, 1), (1, 8_192, 0), (1, 8_192, 9), (2**32 - 1,) * 3],
)
def test_a_cost_out_of_bounds_is_refused_before_argon2id_runs(secret, monkeypatch, time_cost, memory_kib, lanes):
    with pytest.raises(ValueError, match="is not allowed; allowed is"):
        SealCost(time_cost, memory_kib, lanes)
    monkeypatch.setattr(sealed, "hash_secret_raw", lambda *a, **k: pytest.fail("argon2id ran"))
    fields = b"".join(each.to_bytes(4, "big") for each in (time_cost, memory_kib, lanes))
    file = with_hash(b"PREWKEY\x01" + fields + SALT + NONCE + bytes(40))
    with pytest.raises(DamagedVaultError, match="not allowed; allowed is"):
        read_header(file)


def test_the_bounds_themselves_are_allowed():
    for cost in (SealCost(1, 8_192, 1), SealCost(16, 262_144, 8)):
        file = with_hash(SealHeader(cost, SALT).build() + NONCE + bytes(40))
        assert read_header(file) == SealHeader(cost, SALT)


def test_what_was_sealed_is_opened_and_the_nonce_has_16_bytes(secret, low_cost):
    key = SealingKey(secret, SealHeader(low_cost, SALT))
    for content in (b"", b"x", bytes(1_000)):
        file = seal_vault(content, key, NONCE)
        assert read_header(file) == key.header
        assert open_vault(file, key) == content
    for nonce in (b"", bytes(15), bytes(17)):
        with pytest.raises(ValueError, match="nonce"):
            seal_vault(b"", key, nonce)


def test_the_content_is_built_and_parsed_without_loss(vault):
    content = vault._held.content
    assert VaultContent.parse(content.build()) == content
    assert VaultContent.parse(VaultContent().build()) == VaultContent()


GOOD = '{"index":0,"suite":"tdes-1998","created_s":1,"state":"active","master":"' + "a7" * 16 + '"}'


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xfe",
        b"[]",
        b"{}",
        b'{"sets":1}',
        b'{"sets":[1]}',
        b'{"sets":[],"more":1}',
        f'{{"sets":[{GOOD},{GOOD}]}}'.encode(),
        f'{{"sets":[{GOOD}'.encode(),
        *(
            f'{{"sets":[{GOOD.replace(old, new)}]}}'.encode()
            for old, new in (
                ('"index":0', '"index":256'),
                ('"index":0', '"index":-1'),
                ('"index":0', '"index":true'),
                ('"index":0', '"index":"0"'),
                ("tdes-1998", "rot13"),
                ("tdes-1998", "aes-2026"),
                ("active", "asleep"),
                ('"created_s":1', '"created_s":-1'),
                ('"created_s":1', '"created_s":1.5'),
                ('"created_s":1,', ""),
                ('"created_s":1', '"created_s":1,"more":2'),
                ("a7a7", "a7"),
                ("a7a7", "zzzz"),
            )
        ),
    ],
)
def test_a_content_that_this_program_does_not_write_is_refused_without_showing_it(data):
    with pytest.raises(DamagedVaultError, match="content") as refused:
        VaultContent.parse(data)
    assert "a7" not in str(refused.value)
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__


def test_the_good_row_of_these_tests_is_good():
    assert len(VaultContent.parse(f'{{"sets":[{GOOD}]}}'.encode()).sets) == 1
