"""Codes of an authenticator app: TOTP (RFC 6238) on HOTP (RFC 4226), 6 digits, 30 seconds, SHA-1, as all apps know it.

A code is taken for its own step and one to each side, as clocks differ; and only for a step after the last one used, so
that nobody who looked over a shoulder uses it again.
"""

import hmac
from base64 import b32encode
from typing import Final
from urllib.parse import quote

__all__ = ["SECRET_BYTES", "STEP_S", "accepted_step", "hotp", "key_uri"]

STEP_S: Final = 30
# As long as the hash (RFC 4226, 4).
SECRET_BYTES: Final = 20
_DIGITS: Final = 6
_STEPS_ASIDE: Final = 1


def hotp(secret: bytes, counter: int, digits: int = _DIGITS, digest: str = "sha1") -> str:
    """The code of ``counter`` (RFC 4226, 5.3)."""
    mac = hmac.digest(secret, counter.to_bytes(8, "big"), digest)
    at = mac[-1] & 0x0F
    number = int.from_bytes(mac[at : at + 4], "big") & 0x7FFF_FFFF
    return str(number % 10**digits).zfill(digits)


def accepted_step(secret: bytes, code: str, now_s: int, after: int) -> int | None:
    """The step that ``code`` is of, if it is of one near ``now_s`` and later than ``after``; else None."""
    now, found = now_s // STEP_S, None
    for step in range(now - _STEPS_ASIDE, now + _STEPS_ASIDE + 1):
        if step > after and hmac.compare_digest(hotp(secret, step).encode(), code.encode(errors="replace")):
            found = step
    return found


def key_uri(secret: bytes, name: str, issuer: str) -> str:
    """What an authenticator app takes, typed or as a picture."""
    text = b32encode(secret).decode().rstrip("=")
    return (
        f"otpauth://totp/{quote(issuer, safe='')}:{quote(name, safe='')}?secret={text}&issuer={quote(issuer, safe='')}"
    )
