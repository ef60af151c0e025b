"""The maker's signature over a program: Ed25519 (RFC 8032), the same for every suite and every meter.

Whoever sells energy holds the master keys; who makes meters holds this one. A meter takes a program only from its
maker: the public half stands in its birth certificate, so that not even the host could give it another program.
"""

from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from prewatt.crypto.errors import AuthenticationError, refuse_length

__all__ = ["MAKER_KEY_BYTES", "MAKER_SEED_BYTES", "check_program", "maker_key", "sign_program"]

# The public half, and the secret from which both halves follow.
MAKER_KEY_BYTES: Final = 32
MAKER_SEED_BYTES: Final = 32


def maker_key(seed: bytes) -> bytes:
    """The public half (32 bytes) of the maker's key whose secret is ``seed`` (32 fresh random bytes)."""
    return _private(seed).public_key().public_bytes_raw()


def sign_program(signed: bytes, seed: bytes) -> bytes:
    """The maker's signature (64 bytes) over ``signed``, as `Manifest.signed_bytes` gives it."""
    return _private(seed).sign(signed)


def check_program(signed: bytes, signature: bytes, public: bytes) -> None:
    """AuthenticationError unless ``signature`` over ``signed`` is that of ``public``; ValueError for a bad key."""
    if len(public) != MAKER_KEY_BYTES:
        refuse_length("maker key", public, str(MAKER_KEY_BYTES))
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, signed)
    except (InvalidSignature, ValueError):
        raise AuthenticationError from None


def _private(seed: bytes) -> Ed25519PrivateKey:
    if len(seed) != MAKER_SEED_BYTES:
        refuse_length("maker seed", seed, str(MAKER_SEED_BYTES))
    return Ed25519PrivateKey.from_private_bytes(seed)
