"""Opening the key vault of a data folder: by passphrase where one is set, else by a key file.

Without a passphrase and without PREWATT_KEY_FILE the key file is DATA/vault.key. That is comfortable and protects a
copied vault alone, not a copied data folder: a seller keeps the key file elsewhere (docs/operating/keys.md).
"""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from prewatt.apps.settings import Settings
from prewatt.host.folder import VAULT_NAME
from prewatt.host.keys import FileVault, SealCost, VaultError, VaultSecret
from prewatt.host.keys.sealed import MEMORY_MIN_KIB

__all__ = ["KEY_FILE_NAME", "create_vault", "open_vault", "read_secret"]

KEY_FILE_NAME: Final = "vault.key"
# A key file that was made here is 32 random bytes: nobody guesses it, so nothing is gained by making guesses dear, and
# every command would pay for it. A passphrase, or a key file that was there before, gets the full cost.
_RANDOM_KEY_COST: Final = SealCost(time_cost=1, memory_kib=MEMORY_MIN_KIB, lanes=1)


def key_file_of(settings: Settings) -> Path:
    """Where the key file is, or would be."""
    return settings.key_file or settings.data / KEY_FILE_NAME


def create_vault(settings: Settings, suites: Sequence[str]) -> FileVault:
    """A new vault with a fresh key set for each of ``suites``; VaultError where there is one already.

    Without a passphrase a new key file is made, unless the one that PREWATT_KEY_FILE names is there.
    """
    cost = SealCost()
    if settings.passphrase is not None:
        secret = VaultSecret.from_passphrase(settings.passphrase.get_secret_value())
    elif key_file_of(settings).exists():
        secret = VaultSecret.from_file(key_file_of(settings))
    else:
        secret, cost = VaultSecret.create_file(key_file_of(settings)), _RANDOM_KEY_COST
    return FileVault.create(settings.data / VAULT_NAME, secret, suites=suites, now_s=int(time.time()), cost=cost)


def read_secret(settings: Settings) -> VaultSecret:
    """What the vault is sealed under; VaultError where it is missing or cannot be it."""
    if settings.passphrase is not None:
        return VaultSecret.from_passphrase(settings.passphrase.get_secret_value())
    return VaultSecret.from_file(key_file_of(settings))


def open_vault(settings: Settings) -> FileVault:
    """The vault of the data folder; VaultError names what is missing, wrong or damaged."""
    secret = read_secret(settings)
    path = settings.data / VAULT_NAME
    try:
        return FileVault.open(path, secret)
    except VaultError as error:
        if str(path) in str(error):
            raise
        raise type(error)(f"vault {path}: {error}") from None
