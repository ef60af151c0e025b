"""Time: integer UTC seconds since 1970 in 32 bits (to 2106), as meters count and the wire carries it.

Local calendars exist only where a price or a report needs them; they are built on these seconds there.
"""

import re
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import NewType

from prewatt.units.value import ValueFieldError

__all__ = [
    "DAY_S",
    "MINUTE_S",
    "QUARTER_S",
    "STAMP_FIRST_S",
    "STAMP_LAST_S",
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

# The window of a two-digit year: 2000 to 2099. A clock before or after it (one that was never set, or a meter in
# 2100 to 2106) is still shown, but its stamp reads back a century away.
STAMP_FIRST_S = UtcSeconds(946_684_800)
STAMP_LAST_S = UtcSeconds(4_102_444_799)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_STAMP = re.compile(r"(?:[0-9]{2}){6}\Z", re.ASCII)
_CENTURY = 2000


def format_stamp(second: int, *, offset_s: int = 0) -> str:
    """``YYMMDDhhmmss`` of a UTC second moved by ``offset_s`` (the zone), as a meter shows it."""
    return (_EPOCH + timedelta(seconds=second + offset_s)).strftime("%y%m%d%H%M%S")


def parse_stamp(text: str, *, offset_s: int = 0) -> UtcSeconds:
    """The UTC second of a ``YYMMDDhhmmss`` of 2000-2099; ValueFieldError for anything else."""
    if _STAMP.match(text):
        year, month, day, hour, minute, second = (int(text[at : at + 2]) for at in range(0, len(text), 2))
        with suppress(ValueError):
            moment = datetime(_CENTURY + year, month, day, hour, minute, second, tzinfo=UTC)
            return UtcSeconds(int((moment - _EPOCH).total_seconds()) - offset_s)
    raise ValueFieldError("time stamp", text, "YYMMDDhhmmss in digits, a day and time that exist")
