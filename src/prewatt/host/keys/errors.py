"""What can go wrong with a key vault, each cause its own type; every text can be shown to a person as it stands.

All are VaultError, so a command catches one type and prints one line. No text ever holds key or secret bytes.
"""

__all__ = [
    "DamagedVaultError",
    "KeySetExistsError",
    "KeySetMissingError",
    "KeySetRetiredError",
    "VaultBusyError",
    "VaultError",
    "VaultExistsError",
    "VaultFullError",
    "VaultMissingError",
    "VaultSecretError",
    "VaultVersionError",
    "WrongSecretError",
]


class VaultError(Exception):
    """Base of everything a vault refuses."""


class VaultMissingError(VaultError):
    """There is no vault at this path."""


class VaultExistsError(VaultError):
    """A vault may not be created over another one."""


class VaultVersionError(VaultError):
    """The file is a vault of another version."""


class DamagedVaultError(VaultError):
    """The file was cut, altered or is no vault; restore it from a backup."""


class WrongSecretError(VaultError):
    """The file is whole, but this passphrase or key file does not open it."""


class VaultSecretError(VaultError):
    """The passphrase or key file itself cannot be used (too short, too long, unreadable, open to others)."""


class VaultBusyError(VaultError):
    """Another process is writing and did not finish in time."""


class VaultFullError(VaultError):
    """Every one of the 256 indexes has been used."""


class KeySetMissingError(VaultError):
    """No set has this index, or none of those that the meter confirmed is active."""


class KeySetRetiredError(VaultError):
    """The set was retired: it derives nothing any more."""


class KeySetExistsError(VaultError):
    """The index is or was in use; an index is never used twice."""
