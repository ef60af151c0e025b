"""Days as people give them to the accounting: `2026-10-31`, in the installation's calendar."""

from datetime import date, timedelta
from zoneinfo import ZoneInfo

from prewatt.host.days import day_number, midnight_s
from prewatt.host.refusals import RefusalOutcome, RefusedError

__all__ = ["begin_s", "end_s", "read_period"]


# A year whose midnight no computer knows is no day.
_FIRST, _LAST = date(1970, 1, 2), date(9000, 12, 31)


def begin_s(text: str | None, zone: ZoneInfo, field: str) -> int | None:
    """The UTC second at which the day begins; None for None. RefusedError for what is no day."""
    return None if text is None else midnight_s(day_number(_day(text, field)), zone)


def end_s(text: str | None, zone: ZoneInfo, field: str) -> int | None:
    """The UTC second at which the day after begins; None for None. RefusedError for what is no day."""
    return None if text is None else midnight_s(day_number(_day(text, field) + timedelta(days=1)), zone)


def read_period(first: str | None, last: str | None, zone: ZoneInfo) -> tuple[int | None, int | None]:
    """From which second until before which: both days are included, and either may be open."""
    from_s, until_s = begin_s(first, zone, "first_day"), end_s(last, zone, "last_day")
    if from_s is not None and until_s is not None and from_s >= until_s:
        raise RefusedError(RefusalOutcome.BAD_FIELD, "last_day", last, f"a day from {first} on")
    return from_s, until_s


def _day(text: str, field: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = date.min
    # Neither 20261031 nor 2026-W44-6.
    if day.isoformat() != text or not _FIRST <= day <= _LAST:
        raise RefusedError(RefusalOutcome.BAD_FIELD, field, text, f"a day such as 2026-10-31, {_FIRST} to {_LAST}")
    return day
