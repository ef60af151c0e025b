"""Ids: the meter's three bytes, and the sequence that orders the money of one meter.

A sequence is epoch(8 bits) | counter(24 bits). A new body under an old id gets a higher epoch, so no order made for
the old body can be applied in the new one; inside an epoch the counter only grows and never wraps.
"""

import re
from typing import NewType

from prewatt.units.value import ValueFieldError

__all__ = [
    "EPOCH_LAST",
    "METER_ID_BYTES",
    "SEQUENCE_COUNTER_MAX",
    "MeterId",
    "Sequence",
    "counter_of",
    "epoch_of",
    "epoch_start",
    "format_meter_id",
    "next_sequence",
    "parse_meter_id",
    "sequence_of",
]

MeterId = NewType("MeterId", bytes)
Sequence = NewType("Sequence", int)

METER_ID_BYTES = 3
EPOCH_LAST = 0xFF
SEQUENCE_COUNTER_MAX = 0xFF_FFFF
_COUNTER_BITS = 24
_RESERVED = (b"\x00\x00\x00", b"\xff\xff\xff")
_HEX = re.compile(r"[0-9A-Fa-f]{6}\Z", re.ASCII)


def parse_meter_id(text: str, *, field: str = "meter") -> MeterId:
    """The three bytes of six hex digits; ValueFieldError for other text and for the reserved 000000 and FFFFFF."""
    meter_id = bytes.fromhex(text) if _HEX.match(text) else b""
    if not meter_id or meter_id in _RESERVED:
        raise ValueFieldError(field, text, "a meter id of six hex digits, 000001 to FFFFFE")
    return MeterId(meter_id)


def format_meter_id(meter_id: bytes) -> str:
    """Six upper-case hex digits."""
    return meter_id.hex().upper()


def sequence_of(epoch: int, counter: int) -> Sequence:
    """Joins epoch (0-255) and counter (0-16,777,215); ValueError outside."""
    if not 0 <= epoch <= EPOCH_LAST or not 0 <= counter <= SEQUENCE_COUNTER_MAX:
        raise ValueError(f"sequence: epoch {epoch}, counter {counter} do not fit in 8 and 24 bits")
    return Sequence(epoch << _COUNTER_BITS | counter)


def epoch_of(sequence: int) -> int:
    """The epoch, 0-255."""
    return sequence >> _COUNTER_BITS


def counter_of(sequence: int) -> int:
    """The counter inside the epoch."""
    return sequence & SEQUENCE_COUNTER_MAX


def epoch_start(epoch: int) -> Sequence:
    """The ``last`` of a body just commissioned for ``epoch``: nothing in it has been applied yet."""
    return sequence_of(epoch, 0)


def next_sequence(last: int) -> Sequence | None:
    """The one sequence that may follow ``last``; None where the epoch is used up or retired (it never wraps)."""
    return None if counter_of(last) == SEQUENCE_COUNTER_MAX else Sequence(last + 1)
