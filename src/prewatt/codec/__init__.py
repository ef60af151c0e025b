"""Bytes to values and back, without keys: everything that travels or is stored has its layout here.

Decoding fails one way, with DecodeError(offset, field, why); decode(encode(x)) == x and encode(decode(b)) == b.
docs/protocol.md shows every layout.
"""

from prewatt.codec.errors import DecodeError
from prewatt.codec.reader import Reader

__all__ = ["DecodeError", "Reader"]
