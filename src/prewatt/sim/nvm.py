"""A meter's memory in the simulator: the device's own memory in RAM, that also loses and misplaces writes.

Cuts at any byte with a torn one are `MemoryNvm`'s. On top of it a write may come to nothing though it returned (a worn
cell, a chip that was busy) or land elsewhere (a bent address line): beside its place, or in the journal's other slot.
The device reads back what it wrote, so both are seen at once; what a misplaced write destroyed is another matter. The
power does not go in the same instant: with the newer slot destroyed and no power the older one is all there is.
"""

from collections.abc import Callable
from typing import Final

from prewatt.device.meter.nvm import MemoryNvm, Region

__all__ = ["SimNvm"]

_PAGE_BYTES: Final = 32
_OTHER: Final = {Region.JOURNAL_A: Region.JOURNAL_B, Region.JOURNAL_B: Region.JOURNAL_A}


class SimNvm(MemoryNvm):
    """See the module. ``wrote`` is told of every write that returned."""

    __slots__ = ("_failed_last", "_failed_now", "failed", "lose_in", "misplace_in", "spoilt", "unmended", "wrote")

    def __init__(self, wrote: Callable[[int], None]) -> None:
        super().__init__()
        self.wrote = wrote
        self.lose_in: int | None = None
        self.misplace_in: int | None = None
        # Whether a write ever came to nothing or went elsewhere; whether one destroyed what stood elsewhere.
        self.failed = self.spoilt = False
        # Whether the last write did; and whether it was the last one before the power went, so that none could mend it.
        self._failed_last = self.unmended = False
        self._failed_now = False

    def restore_power(self) -> None:
        """See MemoryNvm."""
        super().restore_power()
        self.unmended = self._failed_last

    def take_over(self, image: "SimNvm") -> None:
        """The contents of another memory, bit for bit."""
        self._cells = {region: bytearray(cells) for region, cells in image._cells.items()}
        self.failed, self.spoilt = image.failed, image.spoilt

    def take_failed(self) -> bool:
        """Whether a write came to nothing or went elsewhere since this was last asked."""
        failed, self._failed_now = self._failed_now, False
        return failed

    def write(self, region: Region, offset: int, data: bytes) -> None:
        """See MemoryNvm."""
        self._failed_last = False
        if self.lose_in is not None:
            self.lose_in -= 1
            if self.lose_in < 0:
                self.lose_in, self.failed, self._failed_now, self._failed_last = None, True, True, True
                self.wrote(0)
                return
        if self.misplace_in is not None:
            self.misplace_in -= 1
            if self.misplace_in < 0:
                self.misplace_in, self.spoilt, self.failed, self._failed_now = None, True, True, True
                self._failed_last = True
                self._cut_in = None
                super().write(*_astray(region, offset, data), data)
                self.wrote(len(data))
                return
        super().write(region, offset, data)
        self.wrote(len(data))


def _astray(region: Region, offset: int, data: bytes) -> tuple[Region, int]:
    """Where a misplaced write lands."""
    if (other := _OTHER.get(region)) is not None and len(data) % 2:
        return other, offset
    away = _PAGE_BYTES if offset + len(data) + _PAGE_BYTES <= region.size else -_PAGE_BYTES
    return region, max(0, min(offset + away, region.size - len(data)))
