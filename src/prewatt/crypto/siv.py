"""AES-SIV (RFC 5297): encryption that authenticates, and that a repeated input cannot weaken.

The output is V | C, where V is a MAC over every associated component and the plaintext, and also the starting counter
of the encryption. Without plaintext nothing but V is left; that case is computed here from its definition (RFC 5297
2.4), because not every release of the library underneath takes empty data.
"""

from collections.abc import Sequence
from functools import lru_cache
from hmac import compare_digest
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from prewatt.crypto.errors import AuthenticationError
from prewatt.crypto.kdf import CONTEXTS_CACHED_MAX, cmac

__all__ = ["SIV_BYTES", "siv_decrypt", "siv_encrypt"]

# V, the synthetic initialization vector, that stands first.
SIV_BYTES: Final = 16
_ZERO: Final = bytes(SIV_BYTES)
_BLOCK_BITS: Final = 128
_BLOCK_MASK: Final = (1 << _BLOCK_BITS) - 1
_POLYNOMIAL: Final = 0x87
_EMPTY_PADDED: Final = 0x80 << (_BLOCK_BITS - 8)


@lru_cache(maxsize=CONTEXTS_CACHED_MAX)
def _cipher(key: bytes) -> AESSIV:
    return AESSIV(key)


def siv_encrypt(data: bytes, key: bytes, components: Sequence[bytes]) -> bytes:
    """V | C of `data` under `key` (32, 48 or 64 bytes) with up to 126 associated components, in their order."""
    if not data:
        return _siv_of_nothing(key, components)
    return _cipher(key).encrypt(data, list(components))


def siv_decrypt(data: bytes, key: bytes, components: Sequence[bytes]) -> bytes:
    """The plaintext of V | C; AuthenticationError where V is not that of plaintext and components."""
    if len(data) == SIV_BYTES:
        if not compare_digest(data, _siv_of_nothing(key, components)):
            raise AuthenticationError
        return b""
    try:
        return _cipher(key).decrypt(data, list(components))
    except InvalidTag:
        raise AuthenticationError from None


def _siv_of_nothing(key: bytes, components: Sequence[bytes]) -> bytes:
    """S2V of the components and an empty plaintext (RFC 5297 2.4), under the first half of the key."""
    mac_key = key[: len(key) // 2]
    state = int.from_bytes(cmac(_ZERO, mac_key), "big")
    for component in components:
        state = _double(state) ^ int.from_bytes(cmac(component, mac_key), "big")
    return cmac((_double(state) ^ _EMPTY_PADDED).to_bytes(SIV_BYTES, "big"), mac_key)


def _double(block: int) -> int:
    """Multiplication by x in GF(2^128) (RFC 5297 2.3), without a branch on the secret."""
    return (block << 1 & _BLOCK_MASK) ^ (_POLYNOMIAL * (block >> _BLOCK_BITS - 1))
