"""Sources: grid, generator or another voltage, each with its own shunt, relay and price, in turn or at once.

In turn, a changeover switch stands at one of them and the relays of the others are interlocked; at once, every relay
follows its own causes. Which of both is a setting. The price of a source is in the mode table.
"""

from prewatt.device.meter.core import Core
from prewatt.device.meter.relay import Cause, RelayEvent

__all__ = ["interlock", "turn_to"]


def turn_to(core: Core, source: int) -> None:
    """The changeover switch now stands at ``source``; ValueError for one that the body does not have."""
    if not 0 <= source < core.sources:
        raise ValueError(f"source: {source} is not allowed; allowed is 0 to {core.sources - 1}")
    core.control.source_at = source
    core.changed = True
    interlock(core)


def interlock(core: Core) -> None:
    """Sets and clears interlocks as switch and setting say; the one that opens comes before the one that closes."""
    at_once = bool(core.settings.sources_at_once)
    left = [each for each in range(core.sources) if not at_once and each != core.control.source_at]
    for each in left:
        core.relay(RelayEvent.SOURCE_LEFT, range(each, each + 1))
    for each in range(core.sources):
        if each not in left and core.control.causes[each] & Cause.INTERLOCK:
            core.relay(RelayEvent.SOURCE_TAKEN, range(each, each + 1))
