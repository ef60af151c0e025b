"""The sealed file: bytes of a vault on disk, and how they are opened. No path, no lock, no key set is known here.

    magic(7) | version(1) | time cost(4) | memory KiB(4) | lanes(4) | salt(16) | nonce(16) | V | C | SHA-256 of all

The secret goes through argon2id (RFC 9106) with the header's cost and salt to a key of 64 bytes; AES-SIV (RFC 5297)
seals the content with the header (through the salt) and the nonce as associated data. The hash at the end is no
protection; it tells damage (the hash is wrong) from a wrong secret (the hash is right, but the seal does not open).
Bounds are checked before argon2id runs, so that a forged header cannot eat the memory of the host.
"""

from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from argon2.low_level import ARGON2_VERSION, Type, hash_secret_raw

from prewatt.crypto import AuthenticationError
from prewatt.crypto.siv import SIV_BYTES, siv_decrypt, siv_encrypt
from prewatt.host.keys.errors import DamagedVaultError, VaultVersionError, WrongSecretError
from prewatt.host.keys.secret import VaultSecret

__all__ = [
    "NONCE_BYTES",
    "SALT_BYTES",
    "VAULT_MAX_BYTES",
    "VAULT_VERSION",
    "SealCost",
    "SealHeader",
    "SealingKey",
    "open_vault",
    "read_header",
    "seal_vault",
]

VAULT_VERSION: Final = 1
SALT_BYTES: Final = 16
NONCE_BYTES: Final = 16
# 256 sets need about 40 KiB; what is longer is not a vault.
VAULT_MAX_BYTES: Final = 262_144

_MAGIC: Final = b"PREWKEY"
_VERSION_AT: Final = len(_MAGIC)
_COST_FIELD_BYTES: Final = 4
_COST_AT: Final = _VERSION_AT + 1
_SALT_AT: Final = _COST_AT + 3 * _COST_FIELD_BYTES
_HEADER_BYTES: Final = _SALT_AT + SALT_BYTES
_CONTENT_AT: Final = _HEADER_BYTES + NONCE_BYTES
_HASH_BYTES: Final = 32
_LEAST_BYTES: Final = _CONTENT_AT + SIV_BYTES + _HASH_BYTES
_KEY_BYTES: Final = 64

# From a tenth of a cheap phone to what a small server can spare; RFC 9106's second choice lies between.
TIME_COST_MAX: Final = 16
MEMORY_MIN_KIB: Final = 8_192
MEMORY_MAX_KIB: Final = 262_144
LANES_MAX: Final = 8


@dataclass(frozen=True, slots=True)
class SealCost:
    """What argon2id costs, 64 MiB in 3 passes and 4 lanes unless given (RFC 9106 4, the second choice)."""

    time_cost: int = 3
    memory_kib: int = 65_536
    lanes: int = 4

    def __post_init__(self) -> None:
        for field, given, least, most in (
            ("time_cost", self.time_cost, 1, TIME_COST_MAX),
            ("memory_kib", self.memory_kib, MEMORY_MIN_KIB, MEMORY_MAX_KIB),
            ("lanes", self.lanes, 1, LANES_MAX),
        ):
            if not least <= given <= most:
                raise ValueError(f"{field}: {given} is not allowed; allowed is {least} to {most}")


@dataclass(frozen=True, slots=True)
class SealHeader:
    """What stands in clear before the seal, and is authenticated by it."""

    cost: SealCost
    salt: bytes

    def build(self) -> bytes:
        """The bytes from magic to salt."""
        fields = (self.cost.time_cost, self.cost.memory_kib, self.cost.lanes)
        packed = b"".join(field.to_bytes(_COST_FIELD_BYTES, "big") for field in fields)
        return _MAGIC + bytes((VAULT_VERSION,)) + packed + self.salt


class SealingKey:
    """What argon2id made of a secret for one header; kept so that a change need not ask for the secret again."""

    __slots__ = ("_key", "header")

    def __init__(self, secret: VaultSecret, header: SealHeader) -> None:
        self.header = header
        self._key = hash_secret_raw(
            secret.material,
            header.salt,
            time_cost=header.cost.time_cost,
            memory_cost=header.cost.memory_kib,
            parallelism=header.cost.lanes,
            hash_len=_KEY_BYTES,
            type=Type.ID,
            version=ARGON2_VERSION,
        )

    def __repr__(self) -> str:
        return "<sealing key, not shown>"

    def seal(self, content: bytes, nonce: bytes) -> bytes:
        """V | C."""
        return siv_encrypt(content, self._key, (self.header.build(), nonce))

    def open(self, sealed: bytes, nonce: bytes) -> bytes:
        """The content; AuthenticationError where it was not sealed under this key and header."""
        return siv_decrypt(sealed, self._key, (self.header.build(), nonce))


def seal_vault(content: bytes, key: SealingKey, nonce: bytes) -> bytes:
    """The whole file; `nonce` is 16 fresh random bytes."""
    if len(nonce) != NONCE_BYTES:
        raise ValueError(f"nonce: {len(nonce)} bytes are not allowed; allowed is {NONCE_BYTES}")
    body = key.header.build() + nonce + key.seal(content, nonce)
    return body + sha256(body).digest()


def read_header(file: bytes) -> SealHeader:
    """The header of a file that is whole; DamagedVaultError or VaultVersionError otherwise."""
    if not file.startswith(_MAGIC):
        raise DamagedVaultError("not a key vault: the file does not begin like one")
    if len(file) > _VERSION_AT and file[_VERSION_AT] != VAULT_VERSION:
        raise VaultVersionError(f"vault version {file[_VERSION_AT]}; this release reads version {VAULT_VERSION}")
    body, digest = file[:-_HASH_BYTES], file[-_HASH_BYTES:]
    if not _LEAST_BYTES <= len(file) <= VAULT_MAX_BYTES or sha256(body).digest() != digest:
        raise DamagedVaultError("the file was cut or altered; restore it from a backup")
    cost = [int.from_bytes(file[at : at + _COST_FIELD_BYTES], "big") for at in range(_COST_AT, _SALT_AT, 4)]
    try:
        return SealHeader(SealCost(*cost), file[_SALT_AT:_HEADER_BYTES])
    except ValueError as error:
        raise DamagedVaultError(f"the header is not one that this program writes: {error}") from None


def open_vault(file: bytes, key: SealingKey) -> bytes:
    """The content of a file whose header is `key.header`; WrongSecretError where the seal does not open."""
    nonce = file[_HEADER_BYTES:_CONTENT_AT]
    try:
        return key.open(file[_CONTENT_AT:-_HASH_BYTES], nonce)
    except AuthenticationError:
        raise WrongSecretError(
            "this passphrase or key file does not open the vault (or someone altered the file on purpose)"
        ) from None
