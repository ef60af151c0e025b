"""Tags: the eight random bytes by which an order is known for ever."""

from typing import Final

__all__ = ["TAG_RANDOM_BYTES", "make_tag"]

TAG_RANDOM_BYTES: Final = 8


def make_tag(random: bytes) -> bytes:
    """A tag of 8 fresh random bytes: its first bit is clear (a burn sets it), and it is never all zeros."""
    tag = bytes((random[0] & 0x7F,)) + random[1:TAG_RANDOM_BYTES]
    return tag if any(tag) else b"\x01" + tag[1:]
