"""A small vault that costs argon2id little, and random bytes from a counter."""

import itertools
from hashlib import sha256

import pytest

from prewatt.host.keys import FileVault, SealCost, VaultSecret, sealed

LOW_COST = SealCost(time_cost=1, memory_kib=8_192, lanes=1)


@pytest.fixture
def low_cost():
    return LOW_COST


@pytest.fixture
def random():
    """Bytes that differ in every call and are the same in every run."""
    count = itertools.count()

    def draw(length):
        block = sha256(f"random {next(count)}".encode()).digest()
        return (block * (length // len(block) + 1))[:length]

    return draw


@pytest.fixture
def secret():
    return VaultSecret.from_passphrase("correct horse battery")


@pytest.fixture
def vault(tmp_path, secret, random):
    """Set 0 and 1 aes-2026, set 2 tdes-1998, made at second 1,000."""
    suites = ["aes-2026", "aes-2026", "tdes-1998"]
    return FileVault.create(tmp_path / "keys.vault", secret, suites=suites, now_s=1_000, random=random, cost=LOW_COST)


@pytest.fixture
def remembered_argon2(monkeypatch):
    """argon2id as it is, but each question only once: thousands of forged files share few headers."""
    real, known = sealed.hash_secret_raw, {}

    def ask(secret, salt, **cost):
        question = (secret, salt, *cost.items())
        if question not in known:
            known[question] = real(secret, salt, **cost)
        return known[question]

    monkeypatch.setattr(sealed, "hash_secret_raw", ask)
    return known
