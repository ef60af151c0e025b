"""Padding that hides how much a meter had to say: whole payloads come in four sizes.

In aes-2026 the plain bytes of every usage Result and every Report are length(2) | plain | zeros, so that the payload
around them is 1,000, 1,500, 2,000 or 2,500 bytes: who listens on the line learns little about a home from lengths.
The smallest size that holds the plain bytes is the only valid one.
"""

from typing import Final

from prewatt.codec.reader import Reader

__all__ = ["PADDED_PAYLOAD_BYTES", "pad_plain", "strip_plain"]

PADDED_PAYLOAD_BYTES: Final = (1_000, 1_500, 2_000, 2_500)
_LENGTH_BYTES: Final = 2


def pad_plain(plain: bytes, overhead_bytes: int) -> bytes:
    """``plain`` with its length before and zeros behind; ``overhead_bytes`` is all else in the payload.

    ValueError where the largest payload cannot hold it.
    """
    return (len(plain).to_bytes(_LENGTH_BYTES, "big") + plain).ljust(_room(len(plain), overhead_bytes), b"\0")


def strip_plain(padded: bytes, overhead_bytes: int) -> bytes:
    """What `pad_plain` was given; DecodeError for a filler that is not zero and for a size that is not the smallest."""
    reader = Reader(padded)
    plain = reader.take(reader.u16("true length"), "plain")
    filler = reader.rest("filler")
    if any(filler):
        raise reader.fail("filler", "is not zero", back=len(filler))
    if len(plain) > _plain_max(overhead_bytes) or len(padded) != _room(len(plain), overhead_bytes):
        raise reader.fail("size", f"{len(padded)} bytes are not the size for {len(plain)}")
    return plain


def _plain_max(overhead_bytes: int) -> int:
    return PADDED_PAYLOAD_BYTES[-1] - overhead_bytes - _LENGTH_BYTES


def _room(plain_bytes: int, overhead_bytes: int) -> int:
    for payload_bytes in PADDED_PAYLOAD_BYTES:
        if overhead_bytes + _LENGTH_BYTES + plain_bytes <= payload_bytes:
            return payload_bytes - overhead_bytes
    raise ValueError(f"plain: {plain_bytes} bytes are not allowed; allowed is up to {_plain_max(overhead_bytes)}")
