"""Passwords as argon2id hashes (RFC 9106) in PHC form: the cost stands in each, so that it can be raised later.

Text is compared in Unicode's NFC form (RFC 8265, OpaqueString), so that the same keys give the same password on every
computer. One hash eats 64 MiB and a tenth of a second; how many run at once is bounded, so that guesses cannot eat the
host.
"""

import threading
import unicodedata
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from prewatt.host.keys import SealCost
from prewatt.host.refusals import RefusalOutcome, RefusedError

__all__ = ["PASSWORD_CHARS_MAX", "PASSWORD_CHARS_MIN", "SALT_BYTES", "check_password", "hash_password", "is_password"]

PASSWORD_CHARS_MIN: Final = 10
PASSWORD_CHARS_MAX: Final = 128
SALT_BYTES: Final = 16
COST = SealCost()
_AT_ONCE: Final = threading.BoundedSemaphore(2)
# What is verified for a name that nobody has, so that it takes as long as for one that somebody has.
_NOBODY: dict[SealCost, str] = {}


def check_password(password: str) -> str:
    """The password in its one form; RefusedError, without showing it, for one that is too short, long or strange."""
    text = unicodedata.normalize("NFC", password)
    if not (PASSWORD_CHARS_MIN <= len(text) <= PASSWORD_CHARS_MAX and text.isprintable()):
        allowed = f"{PASSWORD_CHARS_MIN} to {PASSWORD_CHARS_MAX} printable characters"
        raise RefusedError(RefusalOutcome.BAD_FIELD, "password", "the one given", allowed)
    return text


def hash_password(password: str, salt: bytes) -> str:
    """The hash of a checked password; ``salt`` is 16 fresh random bytes."""
    with _AT_ONCE:
        return _hasher().hash(password, salt=salt)


def is_password(hashed: str | None, password: str) -> bool:
    """Whether ``password`` is the one behind ``hashed``; with None it takes as long, and is never."""
    if len(password) > PASSWORD_CHARS_MAX:
        return False
    text = unicodedata.normalize("NFC", password).encode(errors="surrogatepass")
    with _AT_ONCE:
        wanted = hashed if hashed is not None else _nobody()
        try:
            return _hasher().verify(wanted, text) and hashed is not None
        except (VerificationError, InvalidHashError):
            return False


def _nobody() -> str:
    if COST not in _NOBODY:
        _NOBODY[COST] = _hasher().hash(b"", salt=bytes(SALT_BYTES))
    return _NOBODY[COST]


def _hasher() -> PasswordHasher:
    return PasswordHasher(time_cost=COST.time_cost, memory_cost=COST.memory_kib, parallelism=COST.lanes)
