"""What a host can order: the codes, and how long the plain body of each is.

In tdes-1998 every code has one exact plain length, because there the length is all that keeps a signature over one
code from being read as another: 01 to 06 have theirs, every later code is 256 bytes of length(2) | data | zeros. In
aes-2026 the bodies of 01 to 06 are the same and later ones are as long as their data. A filler that is not zero is no
valid body. What stands in the bodies is in `prewatt.codec.bodies`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from hashlib import sha256
from typing import Final

from prewatt.codec.errors import DecodeError
from prewatt.codec.messages import COMMAND_HEAD_BYTES, LAYOUTS, PAYLOAD_BYTES_MAX
from prewatt.codec.reader import Reader
from prewatt.units import Sequence

__all__ = [
    "CONTROL_DIGEST_BYTES",
    "FILLED_BODY_BYTES",
    "FILLED_DATA_BYTES_MAX",
    "KEY_CHECK_BYTES",
    "OPEN_BODY_BYTES_MAX",
    "Code",
    "Command",
    "control_digest",
    "fill_body",
    "is_control",
    "plain_bytes",
    "strip_body",
]

CONTROL_DIGEST_BYTES: Final = 8
KEY_CHECK_BYTES: Final = 4
# tdes-1998, codes 07 and later: length(2), data, zeros.
FILLED_BODY_BYTES: Final = 256
FILLED_DATA_BYTES_MAX: Final = FILLED_BODY_BYTES - 2
# aes-2026, codes 07 and later: what is left of a payload beside type, H, and 16 bytes each of SIV and tag.
OPEN_BODY_BYTES_MAX: Final = PAYLOAD_BYTES_MAX - 1 - COMMAND_HEAD_BYTES - 2 * 16
_TDES: Final = 1
_CODE_LAST: Final = 0xFF
_FIRST_FILLED: Final = 0x07


class Code(IntEnum):
    """The first byte of H: what is ordered."""

    VALUE = 0x01
    MODE = 0x02
    USAGE = 0x03
    RING = 0x04
    KEY = 0x05
    RELAY = 0x06
    COMMISSION = 0x07
    RETIRE = 0x08
    TEXT = 0x09
    SETTINGS = 0x0A
    KEY_DROP = 0x0B
    PROGRAM_OFFER = 0x0C
    PROGRAM_CHUNK = 0x0D
    PROGRAM_ACTIVATE = 0x0E


# Money has its own sequence; a query changes nothing: all others carry the control counter.
_WITHOUT_CONTROL: Final = frozenset({Code.VALUE, Code.USAGE, Code.RING})
_PLAIN_BYTES: Final[Mapping[int, Mapping[int, int]]] = {
    suite: {
        Code.VALUE: 16,
        Code.MODE: 266,
        Code.USAGE: 19,
        Code.RING: 0,
        Code.KEY: 1 + layout.terminal_key + KEY_CHECK_BYTES,
        Code.RELAY: 1,
    }
    for suite, layout in LAYOUTS.items()
}


@dataclass(frozen=True, slots=True)
class Command:
    """An order to one terminal. ``sequence`` is that of money for 01, the control counter for most, 0 for 03, 04."""

    code: int
    sequence: Sequence
    body: bytes = field(repr=False)


def is_control(code: int) -> bool:
    """Whether H.sequence of this code is the control counter."""
    return code not in _WITHOUT_CONTROL


def control_digest(code: int, body: bytes) -> bytes:
    """By which a terminal knows a control command it has already done: SHA-256(code | body)[0:8].

    ``body`` is the plain body as `prewatt.codec.bodies` builds it, without the filler of tdes-1998's later codes.
    """
    return sha256(bytes((code,)) + body).digest()[:CONTROL_DIGEST_BYTES]


def plain_bytes(code: int, suite: int) -> int | None:
    """The exact length of this code's plain body under a suite's byte; None where it has none (aes-2026, 07 on)."""
    exact = _PLAIN_BYTES[suite].get(code)
    if exact is None and suite == _TDES and code >= _FIRST_FILLED:
        return FILLED_BODY_BYTES
    return exact


def fill_body(code: int, suite: int, body: bytes) -> bytes:
    """The plain bytes that are sent for ``body``; ValueError for a body that this code cannot have."""
    if not Code.VALUE <= code <= _CODE_LAST:
        raise ValueError(f"code: {code} is not allowed; allowed is 1 to {_CODE_LAST}")
    if suite == _TDES and code >= _FIRST_FILLED:
        if len(body) > FILLED_DATA_BYTES_MAX:
            raise ValueError(f"body: {len(body)} bytes are not allowed; allowed is up to {FILLED_DATA_BYTES_MAX}")
        return (len(body).to_bytes(2, "big") + body).ljust(FILLED_BODY_BYTES, b"\0")
    allowed = plain_bytes(code, suite)
    if allowed is not None and len(body) != allowed:
        raise ValueError(f"body: {len(body)} bytes are not allowed for code {code:02X}; allowed is {allowed}")
    if len(body) > OPEN_BODY_BYTES_MAX:
        raise ValueError(f"body: {len(body)} bytes are not allowed; allowed is up to {OPEN_BODY_BYTES_MAX}")
    return body


def strip_body(code: int, suite: int, plain: bytes) -> bytes:
    """The body of the plain bytes that were received; DecodeError for another length and a filler not zero."""
    allowed = plain_bytes(code, suite)
    if allowed is not None and len(plain) != allowed:
        raise DecodeError(0, "body", f"{len(plain)} bytes, code {code:02X} has {allowed}")
    if suite != _TDES or code < _FIRST_FILLED:
        return plain
    reader = Reader(plain)
    length = reader.u16("data length")
    if length > FILLED_DATA_BYTES_MAX:
        raise reader.fail("data length", f"{length} is above {FILLED_DATA_BYTES_MAX}", back=2)
    body, filler = reader.take(length, "data"), reader.rest("filler")
    if any(filler):
        raise reader.fail("filler", "is not zero", back=len(filler))
    return body
