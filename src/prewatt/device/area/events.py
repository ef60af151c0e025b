"""What goes into an area server and what comes out of it."""

from dataclasses import dataclass

__all__ = [
    "AreaEffect",
    "AreaEvent",
    "FromHost",
    "FromStation",
    "HostLink",
    "StationLink",
    "Tick",
    "ToHost",
    "ToStation",
    "WakeAt",
]


@dataclass(frozen=True, slots=True)
class FromHost:
    """A box message from the host."""

    data: bytes


@dataclass(frozen=True, slots=True)
class FromStation:
    """A box message that came through the carrier of this station, 0 to 255, whatever its head says."""

    station: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Tick:
    """Line time has passed."""


@dataclass(frozen=True, slots=True)
class HostLink:
    """The way to the host is there, or is gone. An area server begins without one."""

    up: bool


@dataclass(frozen=True, slots=True)
class StationLink:
    """The way to a station is there, or is gone. An area server begins without any."""

    station: int
    up: bool


@dataclass(frozen=True, slots=True)
class ToHost:
    """A box message for the host."""

    data: bytes


@dataclass(frozen=True, slots=True)
class ToStation:
    """A box message for a station."""

    station: int
    data: bytes


@dataclass(frozen=True, slots=True)
class WakeAt:
    """Give the area server a Tick at this line time, in milliseconds; the last one given counts."""

    line_ms: int


AreaEvent = FromHost | FromStation | Tick | HostLink | StationLink
AreaEffect = ToHost | ToStation | WakeAt
