"""The field as values: meter and local station. An event goes in, effects come out; nothing else touches them."""

from prewatt.device.now import Now

__all__ = ["Now"]
