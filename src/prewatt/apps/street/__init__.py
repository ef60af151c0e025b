"""A street of virtual meters for one process: real meters as values, real homes as loads, a clock one can hurry.

The meters are `prewatt.device.meter.Meter`, the very objects that any other driver runs; only what surrounds a real
meter is invented here: the homes (measured ones), the wires, the memory chip (a file) and the time.
"""

__all__: list[str] = []
