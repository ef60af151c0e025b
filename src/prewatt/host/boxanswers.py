"""What the host answers about areas and stations: where they stand, how they are, how much of them was read today."""

from dataclasses import dataclass

from prewatt.host.answers import Answer

__all__ = [
    "AreaAnswer",
    "BoxAnswer",
    "Coverage",
    "CoverageAnswer",
    "PollingAnswer",
    "StationAnswer",
    "Straggler",
    "UnbookedAnswer",
]


@dataclass(frozen=True, slots=True)
class Coverage(Answer):
    """How much of what stands below was read: meters whose Info was booked since local midnight."""

    meters: int
    read_today: int
    polled_today: int
    """Meters that were called and answered today (a Report counts as read, not as polled)."""
    text: str
    """`203 of 256 read today`."""


@dataclass(frozen=True, slots=True)
class AreaAnswer(Answer):
    """An area server: its number below the host, and what it told of itself (null before that)."""

    area: str
    number: int
    name: str
    stations: int
    coverage: Coverage
    heard_s: int | None
    kept: int | None
    """Items of its stations that it holds and that are not booked yet."""
    stations_away: tuple[str, ...]
    """Stations that are not connected to it now."""


@dataclass(frozen=True, slots=True)
class BoxAnswer(Answer):
    """What a local station told of itself the last time. Counts are since it last started."""

    heard_s: int
    boots: int
    waiting: int
    """Reports, Alarms and Wishes that it holds and that are not booked yet."""
    dropped: int
    """Those it had no room for."""
    overtaken: int
    """Messages of rounds that newer ones replaced, or that waited too long."""
    strange: int
    """Frames on its line that were no member's."""
    silent: tuple[str, ...]
    """Meters whose last call brought no answer."""
    members_current: bool
    """It knows exactly the meters that stand below it."""
    plan_current: bool
    """It works by the settings that the host has for it."""
    refused: str
    """What it did not take, and why; empty: nothing since it was heard last."""


@dataclass(frozen=True, slots=True)
class StationAnswer(Answer):
    """A local station (transformer): its number below its area server, its line, and what it told of itself."""

    station: str
    area: str
    number: int
    address: str
    """Area and station by number, such as `0.3`."""
    name: str
    line: str
    """The line profile its timing follows; empty: none, a line that costs no time."""
    rating_va: int | None
    """What its transformer may carry, in VA; null: not known."""
    meters: int
    transformers: tuple[str, ...]
    """Those of them that are the transformer's own: what it gives, and nothing is sold to them."""
    coverage: Coverage
    unbooked: int
    """Messages of meters that came through it and could not be booked; they are kept."""
    box: BoxAnswer | None


@dataclass(frozen=True, slots=True)
class Straggler(Answer):
    """A meter that was not read today."""

    id: str
    m_id: int
    since_s: int | None
    """When it was last read; null: never."""


@dataclass(frozen=True, slots=True)
class CoverageAnswer(Answer):
    """The coverage of one station, with the meters that are missing, longest first."""

    station: str
    area: str
    coverage: Coverage
    stragglers: tuple[Straggler, ...]


@dataclass(frozen=True, slots=True)
class PollingAnswer(Answer):
    """When meters are polled: of one station, or of the installation (station null)."""

    station: str | None
    schedule: str
    """`every 6h`, or `at 02:00,14:00` in local time."""
    hours: str
    """Local hours in which meters may be polled, such as `22-06`; `00-24` is always."""
    per_minute: int
    """Meters polled in a minute; 0 is as many as the line takes."""
    own: tuple[str, ...]
    """Which of these the station has of its own; the others are the installation's."""


@dataclass(frozen=True, slots=True)
class UnbookedAnswer(Answer):
    """What a meter said by itself and could not be booked."""

    number: int
    meter: str
    kind: str
    """`report`, `alarm` or `wish`."""
    cause: str
    """Why it could not, the last time."""
    times: int
    """How often it came."""
    first_s: int
    last_s: int
    payload: str
    """Its bytes, in hex."""
