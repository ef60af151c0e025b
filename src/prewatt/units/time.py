"""Time: integer UTC seconds since 1970 in 32 bits (to 2106), as meters count and the wire carries it.

Local calendars exist only where a price or a report needs them; they are built on these seconds there.
"""

from datetime import UTC, datetime, timedelta
from typing import NewType

__all__ = [
    "DAY_S",
    "MINUTE_S",
    "QUARTER_S",
    "UTC_MAX_S",
    "UtcSeconds",
    "format_stamp",
    "parse_stamp",
]

UtcSeconds = NewType("UtcSeconds", int)

MINUTE_S = 60
QUARTER_S = 900
DAY_S = 86_400
UTC_MAX_S = 2**32 - 1

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_STAMP = "%y%m%d%H%M%S"


def format_stamp(second: int, *, offset_s: int = 0) -> str:
    """``YYMMDDhhmmss`` of a UTC second moved by ``offset_s`` (the zone), as a meter shows it."""
    return (_EPOCH + timedelta(seconds=second + offset_s)).strftime(_STAMP)


def parse_stamp(text: str, *, offset_s: int = 0) -> UtcSeconds:
    """The UTC second of a ``YYMMDDhhmmss`` in 2000-2068; ValueError for anything else."""
    if len(text) != len("YYMMDDhhmmss") or not text.isdecimal() or not text.isascii():
        raise ValueError(f"time stamp: {text!r} is not allowed; allowed is YYMMDDhhmmss in digits")
    moment = datetime.strptime(text, _STAMP).replace(tzinfo=UTC)
    return UtcSeconds(int((moment - _EPOCH).total_seconds()) - offset_s)
