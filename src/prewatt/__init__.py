"""Prewatt: selling electricity before it is used.

A package here imports only what stands below it: apps, host, link, device, protocol, codec and crypto, units.
docs/ARCHITECTURE.md gives the picture and the reasons.
"""

__all__: list[str] = []
