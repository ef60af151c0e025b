"""Usage: energy of a meter by hour or by day of the installation's calendar, from the minutes that were collected."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, func, select

from prewatt.codec.minutelog import NO_POWER, Packing, unpack
from prewatt.host.answers import UsageAnswer, UsageRow
from prewatt.host.context import HostContext
from prewatt.host.days import EPOCH_DAY, day_number, local_day, midnight_s
from prewatt.host.fields import check_meter
from prewatt.host.refusals import RefusalOutcome, RefusedError
from prewatt.host.registry import unknown_meter
from prewatt.host.store import schema
from prewatt.units import MINUTE_S, PULSES_PER_CT_PULSE

__all__ = ["DAYS_SHOWN_MAX", "Usage", "day_number", "local_day", "read_minutes"]

DAYS_SHOWN_MAX: Final = 400


@dataclass(frozen=True, slots=True)
class _Bucket:
    start_s: int
    label: str
    pulses: int
    minutes: int


class Usage:
    """What homes took, and when."""

    def __init__(self, context: HostContext) -> None:
        self._context = context

    def read(self, meter: str, *, by: str = "day", last_day: str | None = None, days: int = 7) -> UsageAnswer:
        """Energy of the ``days`` days up to ``last_day`` (None: the newest collected), oldest first.

        ``by`` is ``hour`` or ``day``. Days nothing was collected for have a row with null pulses. RefusedError for
        what is not allowed.
        """
        meter = check_meter(meter)
        if by not in ("hour", "day"):
            raise RefusedError(RefusalOutcome.BAD_FIELD, "by", by, "hour or day")
        if not 1 <= days <= DAYS_SHOWN_MAX:
            raise RefusedError(RefusalOutcome.BAD_FIELD, "days", days, f"1 to {DAYS_SHOWN_MAX}")
        with self._context.store.reading() as connection:
            if not connection.execute(select(schema.meters.c.id).where(schema.meters.c.id == meter)).scalar():
                raise unknown_meter(meter)
            last = _newest_day(connection, meter) if last_day is None else _parse_day(last_day)
            if last is None:
                return UsageAnswer(meter, by, (), 0, 0)
            buckets = [
                (day, list(_buckets(connection, meter, day, by, self._context.zone)))
                for day in range(last - days + 1, last + 1)
            ]
        return _joined(meter, by, buckets, self._context.zone)


def _joined(meter: str, by: str, buckets: list[tuple[int, list[_Bucket]]], zone: ZoneInfo) -> UsageAnswer:
    rows: list[UsageRow] = []
    for day, found in buckets:
        if not found:
            rows.append(UsageRow(midnight_s(day, zone), _label(day), None, 0))
        rows += [UsageRow(each.start_s, each.label, each.pulses, each.minutes) for each in found]
    # Days before the first that was ever collected are no gap.
    while rows and rows[0].pulses is None:
        rows.pop(0)
    total = sum(row.pulses or 0 for row in rows)
    return UsageAnswer(meter, by, tuple(rows), total, sum(1 for _, found in buckets if found))


def _buckets(connection: Connection, meter: str, day: int, by: str, zone: ZoneInfo) -> Iterator[_Bucket]:
    start_s, minutes = read_minutes(connection, meter, day)
    if not minutes:
        return
    length = len(minutes) if by == "day" else 60
    for first in range(0, len(minutes), length):
        stretch = [reading for reading in minutes[first : first + length] if reading is not None]
        if not stretch and by == "hour":
            continue
        at_s = start_s + first * MINUTE_S
        label = _label(day) if by == "day" else datetime.fromtimestamp(at_s, zone).strftime("%Y-%m-%d %H:%M")
        yield _Bucket(at_s, label, sum(stretch), len(stretch))


def read_minutes(connection: Connection, meter: str, day: int) -> tuple[int, list[int | None]]:
    """The day's readings by minute, None where there was no power or nothing was collected."""
    logs = schema.day_logs
    rows = connection.execute(
        select(logs).where(logs.c.meter == meter, logs.c.day == day).order_by(logs.c.first_minute)
    ).all()
    # A current transformer counts a whole street and so in larger steps.
    kind = connection.execute(select(schema.meters.c.kind).where(schema.meters.c.id == meter)).scalar()
    step = PULSES_PER_CT_PULSE if kind == "ct" else 1
    minutes: list[int | None] = []
    for row in rows:
        minutes += [None] * (row.first_minute - len(minutes))
        readings = unpack(Packing(row.packing), row.log, row.minutes)
        minutes[row.first_minute : row.first_minute + row.minutes] = [
            None if reading == NO_POWER else reading * step for reading in readings
        ]
    return (rows[0].day_start_s if rows else 0), minutes


def _newest_day(connection: Connection, meter: str) -> int | None:
    newest = select(func.max(schema.day_logs.c.day)).where(schema.day_logs.c.meter == meter)
    found: int | None = connection.execute(newest).scalar()
    return found


def _parse_day(text: str) -> int:
    try:
        return day_number(date.fromisoformat(text))
    except ValueError:
        raise RefusedError(RefusalOutcome.BAD_FIELD, "last_day", text, "a date such as 2026-03-01") from None


def _label(day: int) -> str:
    return date.fromordinal(day + EPOCH_DAY).isoformat()
