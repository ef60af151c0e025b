"""When meters are polled: schedule, window and rate, for the installation and, where it differs, for a station.

A poll is one usage session: it checks the clock and corrects it, checks the tariff, backs up the balance, fetches what
was used and reads the tamper state. A cycle goes through the modem addresses of a station in turn; a meter that was
read since the cycle began is not asked again, so that a cycle that was interrupted goes on where it was.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select

from prewatt.host.boxanswers import Coverage, CoverageAnswer, PollingAnswer
from prewatt.host.boxviews import coverage_of, read_station_answers, read_stragglers
from prewatt.host.context import HostContext, log_action
from prewatt.host.days import local_day, moment_s
from prewatt.host.refusals import RefusalOutcome, RefusedError
from prewatt.host.store import Writing, schema
from prewatt.host.topology import has_station, unknown_station
from prewatt.units import DAY_S, MINUTE_S

__all__ = ["INSTALLATION", "PollPlan", "Polling", "every", "read_plan", "read_plans"]

INSTALLATION: Final = ""
_HOUR_S: Final = 3_600
_HOURS: Final = 24
# The furthest that clocks are put forward anywhere, and one that goes by.
_SKIPPED_HOURS_MAX: Final = 3
_TIMES_MAX: Final = 48
_PER_MINUTE_MAX: Final = 60_000
_EVERY: Final = re.compile(r"every (\d{1,4})(m|h)\Z", re.ASCII)
_AT: Final = re.compile(r"at ((?:[01]\d|2[0-3]):[0-5]\d(?:,(?:[01]\d|2[0-3]):[0-5]\d)*)\Z", re.ASCII)
_WINDOW: Final = re.compile(r"(\d\d)-(\d\d)\Z", re.ASCII)
_UNIT_S: Final = {"m": MINUTE_S, "h": _HOUR_S}
_WEEK_S: Final = 7 * DAY_S


@dataclass(frozen=True, slots=True)
class PollPlan:
    """A schedule that was checked. ``every_s`` is 0 where ``times_s`` (seconds after local midnight) says when."""

    every_s: int
    times_s: tuple[int, ...]
    from_hour: int
    until_hour: int
    per_minute: int
    """Meters polled in a minute; 0: as many as the line takes."""

    def is_open(self, now_s: int, zone: ZoneInfo) -> bool:
        """Whether meters may be polled now."""
        hours = _hours(now_s, zone)
        if self.from_hour < self.until_hour:
            return any(self.from_hour <= hour < self.until_hour for hour in hours)
        return any(hour >= self.from_hour or hour < self.until_hour for hour in hours)

    def opens_s(self, now_s: int, zone: ZoneInfo) -> int:
        """When meters may be polled: now, or the next time that the window opens."""
        moment = datetime.fromtimestamp(now_s, zone)
        while not self.is_open(now_s, zone):
            moment = (moment + timedelta(hours=1)).replace(minute=0, second=0, microsecond=0)
            now_s = max(now_s + 1, int(moment.timestamp()))
        return now_s

    def begun_s(self, now_s: int, zone: ZoneInfo) -> int:
        """When the cycle began that is due now."""
        if self.every_s:
            return now_s - now_s % self.every_s
        return max(each for each in self._starts(now_s, zone, (-2, -1, 0)) if each <= now_s)

    def next_s(self, now_s: int, zone: ZoneInfo) -> int:
        """When the next cycle begins."""
        if self.every_s:
            return now_s - now_s % self.every_s + self.every_s
        return min(each for each in self._starts(now_s, zone, (0, 1, 2)) if each > now_s)

    def _starts(self, now_s: int, zone: ZoneInfo, days: Iterable[int]) -> list[int]:
        today = local_day(now_s, zone)
        return [moment_s(today + day, each, zone) for day in days for each in self.times_s]


def _hours(now_s: int, zone: ZoneInfo) -> list[int]:
    """The hour by the local clock, and those before it that the clock has just skipped: nobody's window is lost."""
    hour, before = (datetime.fromtimestamp(each, zone).hour for each in (now_s, now_s - _HOUR_S))
    forward = (hour - before) % _HOURS
    # None or many: the clock was put back.
    hours = forward if 1 <= forward <= _SKIPPED_HOURS_MAX else 1
    return [(hour - each) % _HOURS for each in range(hours)]


def every(seconds: int) -> PollPlan:
    """A plan that polls at any hour, as fast as the line takes it, every so many seconds."""
    return PollPlan(seconds, (), 0, _HOURS, 0)


class Polling:
    """Settings of polling, and the coverage it has reached."""

    def __init__(self, context: HostContext) -> None:
        self._context = context

    def read(self, station: str | None = None) -> PollingAnswer:
        """What holds for a station, or for the installation."""
        with self._context.store.reading() as connection:
            return self._read(connection, station)

    def change(
        self,
        station: str | None = None,
        *,
        schedule: str | None = None,
        hours: str | None = None,
        per_minute: int | None = None,
    ) -> PollingAnswer:
        """Sets what is given, for a station or for the installation. RefusedError names what is not allowed."""
        given = {"schedule": schedule, "hours": hours, "per_minute": per_minute}
        values = {name: value for name, value in given.items() if value is not None}
        _check(values)
        self._context.store.write(lambda writing: self._change(writing, station, values))
        self._context.note_place(station or INSTALLATION)
        return self.read(station)

    def inherit(self, station: str) -> PollingAnswer:
        """A station goes by the installation's settings again."""

        def work(writing: Writing) -> None:
            _check_station(writing.connection, station)
            polling = schema.polling
            writing.connection.execute(polling.delete().where(polling.c.scope == station))
            log_action(writing, self._context.now(), "polling inherit", station, "the installation's settings")

        self._context.store.write(work)
        self._context.note_place(station)
        return self.read(station)

    def coverage(self, station: str) -> CoverageAnswer:
        """How many meters of a station were read today, and which were not."""
        with self._context.store.reading() as connection:
            found = read_station_answers(connection, self._context, station)
            if not found:
                raise unknown_station(station)
            stragglers = read_stragglers(connection, self._context, station)
        return CoverageAnswer(station, found[0].area, found[0].coverage, stragglers)

    def total(self) -> Coverage:
        """The coverage of the whole installation."""
        with self._context.store.reading() as connection:
            found = read_station_answers(connection, self._context)
        sums = [(each.coverage.meters, each.coverage.read_today, each.coverage.polled_today) for each in found]
        return coverage_of(sums)

    def _read(self, connection: Connection, station: str | None) -> PollingAnswer:
        if station is not None:
            _check_station(connection, station)
        rows = _rows(connection)
        chosen = rows.get(station or INSTALLATION, {})
        values = rows[INSTALLATION] | {name: value for name, value in chosen.items() if value is not None}
        own = tuple(name for name, value in chosen.items() if value is not None) if station is not None else ()
        return PollingAnswer(station, values["schedule"], values["hours"], values["per_minute"], own)

    def _change(self, writing: Writing, station: str | None, values: dict[str, Any]) -> None:
        if station is not None:
            _check_station(writing.connection, station)
        if not values:
            return
        add = writing.insert(schema.polling).values({"scope": station or INSTALLATION} | values)
        writing.connection.execute(add.on_conflict_do_update(index_elements=["scope"], set_=values))
        detail = ", ".join(f"{name} {value}" for name, value in values.items())
        log_action(writing, self._context.now(), "polling change", station or "installation", detail)


def read_plan(connection: Connection, station: str) -> PollPlan:
    """What holds for one station."""
    rows = _rows(connection)
    return _plan(rows[INSTALLATION], rows.get(station, {}))


def read_plans(connection: Connection) -> dict[str, PollPlan]:
    """The installation's plan (INSTALLATION), and that of each station which has settings of its own."""
    rows = _rows(connection)
    return {scope: _plan(rows[INSTALLATION], values) for scope, values in rows.items()}


def _rows(connection: Connection) -> dict[str, dict[str, Any]]:
    found = connection.execute(select(schema.polling)).mappings()
    return {row["scope"]: {name: row[name] for name in ("schedule", "hours", "per_minute")} for row in found}


def _plan(installation: dict[str, Any], own: dict[str, Any]) -> PollPlan:
    values = installation | {name: value for name, value in own.items() if value is not None}
    every_s, times_s = _parse_schedule(values["schedule"])
    return PollPlan(every_s, times_s, *_parse_hours(values["hours"]), values["per_minute"])


def _check(values: dict[str, Any]) -> None:
    if "schedule" in values:
        _parse_schedule(values["schedule"])
    if "hours" in values:
        _parse_hours(values["hours"])
    per_minute = values.get("per_minute", 0)
    if isinstance(per_minute, bool) or not 0 <= per_minute <= _PER_MINUTE_MAX:
        allowed = f"0 (as fast as the line goes) to {_PER_MINUTE_MAX}"
        raise RefusedError(RefusalOutcome.BAD_FIELD, "per_minute", per_minute, allowed)


def _parse_schedule(text: str) -> tuple[int, tuple[int, ...]]:
    """(seconds, ()) of `every 6h`, (0, seconds after midnight) of `at 02:00,14:00`."""
    each = _EVERY.match(text)
    if each is not None and MINUTE_S <= int(each[1]) * _UNIT_S[each[2]] <= _WEEK_S:
        return int(each[1]) * _UNIT_S[each[2]], ()
    times = _AT.match(text)
    if times is not None:
        named = times[1].split(",")
        if len(named) <= _TIMES_MAX:
            return 0, tuple(sorted({int(t[:2]) * _HOUR_S + int(t[3:]) * MINUTE_S for t in named}))
    allowed = f"`every 6h` or `every 30m` (1 minute to a week), or `at 02:00,14:00` (up to {_TIMES_MAX} local times)"
    raise RefusedError(RefusalOutcome.BAD_FIELD, "schedule", text, allowed)


def _parse_hours(text: str) -> tuple[int, int]:
    window = _WINDOW.match(text)
    if window is not None:
        first, last = int(window[1]), int(window[2])
        if first < _HOURS and last <= _HOURS and first != last:
            return first, last
    allowed = "two local hours such as 22-06 or 00-24, the second one not in it"
    raise RefusedError(RefusalOutcome.BAD_FIELD, "hours", text, allowed)


def _check_station(connection: Connection, station: str) -> None:
    if not has_station(connection, station):
        raise unknown_station(station)
