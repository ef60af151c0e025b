"""The area server: joins up to 256 local stations to the host, and stores and forwards what they kept."""

from prewatt.device.area.area import AREA_HEALTH_MS, AreaServer
from prewatt.device.area.events import (
    AreaEffect,
    AreaEvent,
    FromHost,
    FromStation,
    HostLink,
    StationLink,
    Tick,
    ToHost,
    ToStation,
    WakeAt,
)

__all__ = [
    "AREA_HEALTH_MS",
    "AreaEffect",
    "AreaEvent",
    "AreaServer",
    "FromHost",
    "FromStation",
    "HostLink",
    "StationLink",
    "Tick",
    "ToHost",
    "ToStation",
    "WakeAt",
]
