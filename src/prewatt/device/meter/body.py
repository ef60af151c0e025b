"""The body: the cover under its sealing nut, seen also without power, and the arrester with its count of surges.

A small magnet latches a bit of memory when the cover is lifted; it needs no supply. At power-up the bit is read,
logged and alarmed like a cover opened in daylight, and cleared only when that is stored.
"""

from typing import Final

from prewatt.codec.events import EventCode
from prewatt.device.meter.core import Core
from prewatt.device.meter.nvm import Nvm, Region
from prewatt.device.meter.registers import PERIOD_BYTES_END
from prewatt.device.meter.relay import RelayEvent
from prewatt.device.meter.slots import Store

__all__ = ["Body", "latch_cover"]

_LATCH_OFFSET: Final = PERIOD_BYTES_END
_LATCHED: Final = b"\x5a"
_CLEAR: Final = b"\xff"


def latch_cover(nvm: Nvm) -> None:
    """What the magnet does when the cover is lifted; works on the memory of a meter without power."""
    nvm.write(Region.REGISTERS, _LATCH_OFFSET, _LATCHED)


class Body:
    """Cover and arrester of the meter whose core it is given."""

    __slots__ = ("_core", "_nvm")

    def __init__(self, core: Core, nvm: Nvm) -> None:
        self._core = core
        self._nvm = nvm

    def power_up(self) -> None:
        """Takes note of a cover that was lifted without power."""
        if self._nvm.read(Region.REGISTERS, _LATCH_OFFSET, 1) == _LATCHED:
            self.cover(opened=True)
            self._core.store()
            self._nvm.write(Region.REGISTERS, _LATCH_OFFSET, _CLEAR)

    def cover(self, *, opened: bool) -> None:
        """The cover was opened or closed; it may open the relay and erase the keys, where the settings say so."""
        core = self._core
        core.control.cover_open = opened
        if not opened:
            core.log(EventCode.COVER_CLOSED)
            return
        core.log(EventCode.COVER_OPENED)
        if core.settings.cover_trips:
            core.relay(RelayEvent.COVER_OPENED)

    def zeroise(self) -> None:
        """Erases every key in the memory; the meter keeps its money and burns on, but trusts nobody any more."""
        core = self._core
        core.slots.erase(Store.KEYS)
        core.put_keys({})
        core.control.zeroised = True
        core.store()

    def surge(self) -> None:
        """The arrester carried a surge."""
        self._core.control.surges += 1
        self._core.log(EventCode.SURGE, self._core.control.surges.to_bytes(4, "big"))
