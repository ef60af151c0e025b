"""Key derivation in counter mode over AES-CMAC (NIST SP 800-108r1 4.1), and the CMAC contexts behind it.

The output is CMAC(K, i | fixed) for i = 1, 2, ..., with a 32-bit counter before the fixed data; the fixed data are
label | 00 | context | length in bits(4). Setting up a CMAC context costs four times what a short CMAC does, so
contexts are kept for the keys used last and copied for each call.
"""

from functools import lru_cache
from typing import Final

from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.cmac import CMAC

__all__ = ["CONTEXTS_CACHED_MAX", "cmac", "derive", "derive_fixed"]

# Contexts: the sessions of four stations' rounds (256 meters each) at once in one worker; about 2 KB each.
CONTEXTS_CACHED_MAX: Final = 1_024
_BLOCK_BYTES: Final = 16
_COUNTERS: Final = tuple(i.to_bytes(4, "big") for i in range(1, 17))


@lru_cache(maxsize=CONTEXTS_CACHED_MAX)
def _context(key: bytes) -> CMAC:
    return CMAC(AES(key))


def cmac(data: bytes, key: bytes) -> bytes:
    """AES-CMAC (NIST SP 800-38B), 16 bytes; `key` of 16, 24 or 32 bytes, else ValueError."""
    context = _context(key).copy()
    context.update(data)
    return context.finalize()


def derive_fixed(key: bytes, fixed: bytes, length_bytes: int) -> bytes:
    """`length_bytes` (1 to 256) of key from `key` and the fixed data as they are."""
    blocks = -(-length_bytes // _BLOCK_BYTES)
    if not 1 <= blocks <= len(_COUNTERS):
        raise ValueError(f"length_bytes: {length_bytes} is not allowed; allowed is 1 to 256")
    context, derived = _context(key), b""
    for counter in _COUNTERS[:blocks]:
        block = context.copy()
        block.update(counter + fixed)
        derived += block.finalize()
    return derived[:length_bytes]


def derive(key: bytes, label: bytes, context: bytes, length_bytes: int) -> bytes:
    """`length_bytes` (1 to 256) of key for one purpose (`label`) and one place (`context`)."""
    return derive_fixed(key, label + b"\x00" + context + (length_bytes * 8).to_bytes(4, "big"), length_bytes)
