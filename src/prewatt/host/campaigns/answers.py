"""What is said of campaigns, for CLI and API alike."""

from dataclasses import dataclass
from enum import StrEnum

from prewatt.host.answers import Answer

__all__ = ["CampaignAnswer", "CampaignKind", "CampaignMeter", "CampaignOutline", "CampaignScope", "CampaignState"]


class CampaignKind(StrEnum):
    """What a campaign brings to its meters."""

    TARIFF = "tariff"
    KEY = "key"
    CLOCK = "clock"
    TEXT = "text"
    PROGRAM = "program"


class CampaignScope(StrEnum):
    """Whom a campaign is for."""

    METER = "meter"
    STATION = "station"
    AREA = "area"
    ALL = "all"


class CampaignState(StrEnum):
    """Where a campaign stands. The last three are ends: all settled, by a person, by its end date."""

    SCHEDULED = "scheduled"
    RUNNING = "running"
    PAUSED = "paused"
    DONE = "done"
    CANCELLED = "cancelled"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class CampaignMeter(Answer):
    """One meter of a campaign."""

    id: str
    state: str
    """`waiting`, `sent`, `confirmed`, `refused`, `dropped` (a newer campaign or wish took its place), `cancelled`,
    `ended`."""
    step: str
    """What it is at: `give`, `prove`, `drop` of a key; `load`, `trial` of a program; else `send`."""
    sent_s: int | None
    settled_s: int | None
    heard_s: int | None
    """When the meter was last heard; null: never."""
    reason: str


@dataclass(frozen=True, slots=True)
class CampaignOutline(Answer):
    """A campaign and how far it has come; counts are meters."""

    id: str
    kind: str
    scope: str
    place: str
    what: str
    """A JSON object: `tariff`; `key_set` and `replaces`; `text`; `program` and `at_s`."""
    state: str
    start_s: int
    until_s: int | None
    hours: str
    per_minute: int
    per_station: int
    made_s: int
    begun_s: int | None
    ended_s: int | None
    meters: int
    waiting: int
    sent: int
    confirmed: int
    refused: int
    dropped: int
    """With those whose campaign was cancelled or has ended before they confirmed."""
    straggling: int
    """Of those sent: how many have been so for longer than `straggling_after_s`."""
    straggling_after_s: int


@dataclass(frozen=True, slots=True)
class CampaignAnswer(Answer):
    """One campaign with its open meters that wait longest, and those that did not confirm."""

    outline: CampaignOutline
    stragglers: tuple[CampaignMeter, ...]
    """Sent and not confirmed, longest first, at most a hundred."""
    failed: tuple[CampaignMeter, ...]
    """Refused or dropped, by id, at most a hundred."""
