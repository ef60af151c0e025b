"""Random bytes made fit for use: mixed with what never repeats, and drawn again where a value is not allowed.

The machines have no randomness of their own; they are given bytes from the system generator. tdes-1998 forbids a few
values of R1 and R3; a forbidden draw is replaced by a hash of itself, so that the same given bytes always lead to the
same session.
"""

from collections.abc import Callable
from hashlib import sha256
from typing import Final

__all__ = ["RANDOM_BYTES", "check_random", "draw", "mixed"]

# R1 and R2 of aes-2026 together; also what a terminal is given for each payload.
RANDOM_BYTES: Final = 32
_REDRAW_LABEL: Final = b"prewatt redraw"
_R3_LABEL: Final = b"prewatt R3"
_COUNTER_BYTES: Final = 8


def check_random(random: bytes) -> None:
    """ValueError unless there are exactly 32 bytes."""
    if len(random) != RANDOM_BYTES:
        raise ValueError(f"random: {len(random)} bytes are not allowed; allowed is {RANDOM_BYTES}")


def draw(random: bytes, allowed: Callable[[bytes], bool]) -> bytes:
    """``random`` itself where ``allowed``, else the first of its chain of hashes that is."""
    while not allowed(random):
        random = sha256(_REDRAW_LABEL + random).digest()
    return random


def mixed(random: bytes, boot_counter: int, hellos: int) -> bytes:
    """32 bytes that differ for every (boot, Hello of that boot), even where the generator began again from the same."""
    counters = boot_counter.to_bytes(_COUNTER_BYTES, "big") + hellos.to_bytes(_COUNTER_BYTES, "big")
    return sha256(_R3_LABEL + counters + random).digest()
