"""Passphrases and key files: what is taken, what is refused, and that none of it shows."""

import os
import stat

import pytest

from prewatt.host.keys import VaultSecret, VaultSecretError


def test_composed_and_decomposed_accents_are_the_same_passphrase():
    composed, decomposed = "caf\u00e9 au lait", "cafe\u0301 au lait"
    assert composed != decomposed
    assert VaultSecret.from_passphrase(composed).material == VaultSecret.from_passphrase(decomposed).material


@pytest.mark.parametrize("length", [0, 1, 7, 1_025])
def test_a_passphrase_too_short_or_too_long_is_refused_without_showing_it(length):
    with pytest.raises(VaultSecretError, match=f"passphrase: {length} characters are not allowed; allowed is 8") as no:
        VaultSecret.from_passphrase("q" * length)
    assert "qq" not in str(no.value)


@pytest.mark.parametrize("length", [8, 1_024])
def test_a_passphrase_at_the_limits_is_taken(length):
    assert VaultSecret.from_passphrase("q" * length).kind == "passphrase"


def write(path, data, mode=0o600):
    path.write_bytes(data)
    path.chmod(mode)
    return path


@pytest.mark.parametrize("length", [16, 65_536])
def test_a_key_file_at_the_limits_is_taken_whole(tmp_path, length):
    data = os.urandom(length)
    secret = VaultSecret.from_file(write(tmp_path / "key", data))
    assert secret.material.endswith(data)
    assert secret.kind == "key file"


@pytest.mark.parametrize(("length", "shown"), [(0, "0 bytes"), (15, "15 bytes"), (65_537, "more than 65536 bytes")])
def test_a_key_file_too_short_or_too_long_is_refused(tmp_path, length, shown):
    with pytest.raises(VaultSecretError, match=f"{shown}; allowed is 16 to 65536"):
        VaultSecret.from_file(write(tmp_path / "key", bytes(length)))


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o660, 0o604, 0o601])
def test_a_key_file_open_to_others_is_refused_with_what_to_do(tmp_path, mode):
    with pytest.raises(VaultSecretError, match=f"mode {mode:04o} lets others in; do `chmod 600` on it"):
        VaultSecret.from_file(write(tmp_path / "key", bytes(32), mode))


def test_a_key_file_that_is_missing_or_a_folder_is_refused(tmp_path):
    with pytest.raises(VaultSecretError, match="cannot be read"):
        VaultSecret.from_file(tmp_path / "none")
    with pytest.raises(VaultSecretError, match="cannot be read"):
        VaultSecret.from_file(tmp_path)


def test_a_key_file_that_is_a_device_is_refused():
    with pytest.raises(VaultSecretError, match="not a regular file"):
        VaultSecret.from_file("/dev/null")


def test_a_created_key_file_is_random_private_and_never_over_another(tmp_path):
    first, second = (VaultSecret.create_file(tmp_path / name) for name in "ab")
    assert first.material != second.material
    assert VaultSecret.from_file(tmp_path / "a").material == first.material
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o600
    assert (tmp_path / "a").stat().st_size == 32
    with pytest.raises(VaultSecretError, match="cannot be created"):
        VaultSecret.create_file(tmp_path / "a")
    assert VaultSecret.from_file(tmp_path / "a").material == first.material


def test_a_secret_does_not_show():
    secret = VaultSecret.from_passphrase("correct horse battery")
    for shown in (repr(secret), str(secret), f"{secret}", f"{[secret]}"):
        assert shown.strip("[]") == "<vault secret from a passphrase, not shown>"
