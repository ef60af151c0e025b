"""Box messages as values: what host, area server and local station tell each other, whole, over any carrier.

Two things travel up and are kept apart: answers to a round, which are worth nothing once the host has given the session
up and are never stored; and what meters say by themselves, which each box stores before it acknowledges it to the one
below. Kept items are numbered by the station; a number counts in one spool, 8 random bytes that the station drew when
it started. `prewatt.codec.hop` has the bytes.
"""

from dataclasses import dataclass
from enum import IntEnum

from prewatt.codec.batch import Item
from prewatt.units import Address, MeterId

__all__ = [
    "Answers",
    "AreaHealth",
    "Health",
    "HopKind",
    "HopMessage",
    "Kept",
    "KeptAck",
    "Members",
    "Plan",
    "Refused",
    "RefusedReason",
    "Round",
    "StationState",
]


class HopKind(IntEnum):
    """The second byte; 80 set: it goes up."""

    ROUND = 0x01
    MEMBERS = 0x02
    KEPT_ACK = 0x03
    PLAN = 0x04
    ANSWERS = 0x81
    KEPT = 0x82
    HEALTH = 0x83
    REFUSED = 0x84
    AREA_HEALTH = 0x85


class RefusedReason(IntEnum):
    """Why a box would not take a message, or a part of one."""

    UNREADABLE = 1
    FOREIGN = 2
    """Its address is not that of the box it came to, or of the box it came from."""
    DIRECTION = 3
    """It is a message that goes the other way."""
    METER_TWICE = 4
    M_ID_TWICE = 5
    TOO_MANY = 6
    RESERVED_ID = 7
    NOT_MEMBER = 8
    """Meters in a round that do not stand below the station; the others were taken."""
    AWAY = 9
    """The station is not connected, and a round does not wait for it."""
    FULL = 10
    NOT_STORED = 11
    """The box's memory did not take it."""
    OUT_OF_RANGE = 12


@dataclass(frozen=True, slots=True)
class Round:
    """01, down: at most one message for each meter. ``number`` counts the rounds of this station."""

    address: Address
    number: int
    urgent: bool
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Members:
    """02, down: exactly these meters, each with its M-ID, stand below the station. ``version`` is a name, no count."""

    address: Address
    version: int
    members: tuple[tuple[MeterId, int], ...]


@dataclass(frozen=True, slots=True)
class KeptAck:
    """03, down: every item of ``spool`` up to ``number`` is durable above and may be forgotten."""

    address: Address
    spool: bytes
    number: int


@dataclass(frozen=True, slots=True)
class Plan:
    """04, down: how a station works. Times in line milliseconds; ``version`` is a name, no count.

    ``answer_within_ms``: how long a called meter has. ``hold_answers_ms``, ``hold_urgent_ms``: how long the first
    answer of a round waits for the others. ``item_life_ms``: how long a message of a round may wait for the line.
    ``slots``, ``slot_ms``: the attention window after each call; 0 slots: none. ``slot_period_ms``: how often an idle
    station opens one. ``health_ms``: how often the station tells how it is. ``kept_retry_ms``: how soon kept items that
    nobody acknowledged go up again.
    """

    address: Address
    version: int
    answer_within_ms: int = 1_500
    hold_answers_ms: int = 200
    hold_urgent_ms: int = 50
    item_life_ms: int = 600_000
    slots: int = 0
    slot_ms: int = 0
    slot_period_ms: int = 10_000
    health_ms: int = 60_000
    kept_retry_ms: int = 5_000


@dataclass(frozen=True, slots=True)
class Answers:
    """81, up: what called meters answered. ``number``: of their round, 0 for an answer that came after its time.

    ``done``: the round is worked through; who did not answer until now was silent, had left, or was overtaken by a
    newer round.
    """

    address: Address
    number: int
    done: bool
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Kept:
    """82, up: Reports, Alarms and Wishes, numbered ``first``, ``first`` + 1, ... in ``spool``. At least one.

    ``lowest``: the lowest number of that spool that the sender still holds, at most ``first``. Numbers begin at 1.
    """

    address: Address
    spool: bytes
    first: int
    lowest: int
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Health:
    """83, up: how a station is. Counts are since its last start and stay at their largest.

    ``waiting``: kept items not acknowledged yet. ``dropped``: kept items there was no room for. ``overtaken``: round
    messages that a newer one for the same meter replaced, or that waited too long. ``foreign``: frames on the line
    that were no member's. ``silent``: members whose last call brought no answer.
    """

    address: Address
    boots: int
    members_version: int
    plan_version: int
    waiting: int
    dropped: int
    overtaken: int
    foreign: int
    silent: tuple[MeterId, ...]


@dataclass(frozen=True, slots=True)
class Refused:
    """84, up: a box did not take a message of ``kind`` (0: it had none). ``detail`` is for a person."""

    address: Address
    kind: int
    reason: RefusedReason
    detail: str = ""


@dataclass(frozen=True, slots=True)
class StationState:
    """A station as its area server sees it: connected now, items of it kept here, and what its last Health said."""

    station: int
    connected: bool
    kept: int
    waiting: int
    silent: int


@dataclass(frozen=True, slots=True)
class AreaHealth:
    """85, up: how an area server is; the head's station byte is 0. Stations rising by number."""

    address: Address
    boots: int
    kept: int
    refused: int
    stations: tuple[StationState, ...]


HopMessage = Round | Members | KeptAck | Plan | Answers | Kept | Health | Refused | AreaHealth
