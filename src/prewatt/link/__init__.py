"""Carriers: what really moves bytes between host, station and meter. Nothing here looks inside what it carries."""

from prewatt.link.carrier import Carrier, CarrierClosedError
from prewatt.link.memory import MemoryLine, memory_pipe

__all__ = ["Carrier", "CarrierClosedError", "MemoryLine", "memory_pipe"]
