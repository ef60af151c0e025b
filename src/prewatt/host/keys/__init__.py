"""Master keys: the vault interface, and the sealed file that is the embedded vault.

A newcomer's path: `secret = VaultSecret.create_file("keys.secret")` (or `from_passphrase`), then
`FileVault.create("keys.vault", secret, suites=["aes-2026", "aes-2026"], now_s=...)`, later
`FileVault.open("keys.vault", secret)`. The host works with `KeyVault` only. Everything refused is a VaultError whose
text can be shown to a person.
"""

from prewatt.host.keys.errors import (
    DamagedVaultError,
    KeySetExistsError,
    KeySetMissingError,
    KeySetRetiredError,
    VaultBusyError,
    VaultError,
    VaultExistsError,
    VaultFullError,
    VaultMissingError,
    VaultSecretError,
    VaultVersionError,
    WrongSecretError,
)
from prewatt.host.keys.filevault import TERMINAL_KEYS_CACHED_MAX, FileVault
from prewatt.host.keys.sealed import SealCost
from prewatt.host.keys.secret import VaultSecret
from prewatt.host.keys.vault import ROTATION_PERIOD_S, KeySet, KeySetState, KeyVault

__all__ = [
    "ROTATION_PERIOD_S",
    "TERMINAL_KEYS_CACHED_MAX",
    "DamagedVaultError",
    "FileVault",
    "KeySet",
    "KeySetExistsError",
    "KeySetMissingError",
    "KeySetRetiredError",
    "KeySetState",
    "KeyVault",
    "SealCost",
    "VaultBusyError",
    "VaultError",
    "VaultExistsError",
    "VaultFullError",
    "VaultMissingError",
    "VaultSecret",
    "VaultSecretError",
    "VaultVersionError",
    "WrongSecretError",
]
