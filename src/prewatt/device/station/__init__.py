"""The local station at the pole transformer: relays rounds between the host and up to 256 meters on its line, and keeps
what they say by themselves until it is durable above."""

from prewatt.device.station.events import (
    FromAbove,
    LineHeard,
    LineHeld,
    LineSend,
    StationEffect,
    StationEvent,
    Tick,
    Uplink,
    UplinkUp,
    WakeAtLine,
)
from prewatt.device.station.keeping import KEPT_EACH_MAX
from prewatt.device.station.station import LocalStation

__all__ = [
    "KEPT_EACH_MAX",
    "FromAbove",
    "LineHeard",
    "LineHeld",
    "LineSend",
    "LocalStation",
    "StationEffect",
    "StationEvent",
    "Tick",
    "Uplink",
    "UplinkUp",
    "WakeAtLine",
]
