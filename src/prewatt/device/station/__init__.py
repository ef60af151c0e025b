"""The local station at the pole transformer: relays rounds between the host and up to 256 meters on its line."""

from prewatt.device.station.local import (
    ANSWER_WITHIN_MS,
    HOLD_ANSWERS_MS,
    LineHeard,
    LineSend,
    LocalStation,
    MemberError,
    RoundArrived,
    Tick,
    Uplink,
    WakeAtLine,
)

__all__ = [
    "ANSWER_WITHIN_MS",
    "HOLD_ANSWERS_MS",
    "LineHeard",
    "LineSend",
    "LocalStation",
    "MemberError",
    "RoundArrived",
    "Tick",
    "Uplink",
    "WakeAtLine",
]
