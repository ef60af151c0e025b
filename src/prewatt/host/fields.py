"""What people and programs hand in, checked field by field before anything is touched."""

import re
from typing import Final

from prewatt.host.refusals import RefusalOutcome, RefusedError
from prewatt.units import MeterId, format_meter_id, parse_meter_id

__all__ = ["NAME_CHARS_MAX", "check_id", "check_meter", "check_text", "is_id", "meter_bytes"]

NAME_CHARS_MAX: Final = 200
_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}\Z", re.ASCII)


def check_meter(text: str, *, field: str = "meter") -> str:
    """The meter id in its one spelling, six upper-case hex digits."""
    try:
        return format_meter_id(parse_meter_id(text, field=field))
    except ValueError:
        allowed = "six hex digits, 000001 to FFFFFE"
        raise RefusedError(RefusalOutcome.BAD_FIELD, field, text, allowed) from None


def meter_bytes(meter: str) -> MeterId:
    """The three bytes of a checked meter id."""
    return MeterId(bytes.fromhex(meter))


def is_id(text: str) -> bool:
    """Whether `check_id` would take it."""
    return _ID.match(text) is not None


def check_id(text: str, *, field: str) -> str:
    """An id that people chose: up to 64 letters, digits and ``._:-``, the first a letter or digit."""
    if not _ID.match(text):
        allowed = "1 to 64 letters, digits and . _ : - (the first a letter or digit)"
        raise RefusedError(RefusalOutcome.BAD_FIELD, field, text, allowed)
    return text


def check_text(text: str, *, field: str) -> str:
    """A name or an address: one line of 1 to 200 printable characters."""
    stripped = text.strip()
    if not 0 < len(stripped) <= NAME_CHARS_MAX or not stripped.isprintable():
        raise RefusedError(RefusalOutcome.BAD_FIELD, field, text, f"1 to {NAME_CHARS_MAX} printable characters")
    return stripped
