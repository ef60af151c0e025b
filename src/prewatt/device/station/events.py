"""What goes into a local station and what comes out of it."""

from dataclasses import dataclass

__all__ = [
    "FromAbove",
    "LineHeard",
    "LineHeld",
    "LineSend",
    "StationEffect",
    "StationEvent",
    "Tick",
    "Uplink",
    "UplinkUp",
    "WakeAtLine",
]


@dataclass(frozen=True, slots=True)
class FromAbove:
    """A box message from the area server, or from a host that stands in for one."""

    data: bytes


@dataclass(frozen=True, slots=True)
class LineHeard:
    """One whole link frame heard on the line, whoever sent it."""

    data: bytes


@dataclass(frozen=True, slots=True)
class LineHeld:
    """The modem is (or is no more) in the middle of a message of some meter: the station's own times stand still."""

    held: bool


@dataclass(frozen=True, slots=True)
class Tick:
    """Line time has passed."""


@dataclass(frozen=True, slots=True)
class UplinkUp:
    """The way up is there, or is gone. A station begins without one."""

    up: bool


@dataclass(frozen=True, slots=True)
class LineSend:
    """One whole link frame to put on the line; an urgent one goes ahead of what the modem still has to send."""

    data: bytes
    urgent: bool = False


@dataclass(frozen=True, slots=True)
class Uplink:
    """A box message for above."""

    data: bytes


@dataclass(frozen=True, slots=True)
class WakeAtLine:
    """Give the station a Tick at this line time; the last one given counts."""

    line_ms: int


StationEvent = FromAbove | LineHeard | LineHeld | Tick | UplinkUp
StationEffect = LineSend | Uplink | WakeAtLine
