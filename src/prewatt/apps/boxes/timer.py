"""The one alarm clock of a device: the last time it asked to be woken at counts.

A device asks anew with every message, mostly for a later time; the alarm that is set already then rings too early, is
not passed on, and is set again for what is wanted by then.
"""

import asyncio
from collections.abc import Callable
from typing import Final

__all__ = ["LineTimer"]

_MS: Final = 1_000
# The loop's clock and the line's are read one after the other: a wake is never early by that.
_SLACK_S: Final = 0.001


class LineTimer:
    """Calls ``wake`` at a line time."""

    def __init__(self, line_ms: Callable[[], int], wake: Callable[[], None]) -> None:
        self._line_ms, self._wake = line_ms, wake
        self._handle: asyncio.TimerHandle | None = None
        self._set_ms = self._wanted_ms = 0

    def set(self, at_ms: int | None) -> None:
        """Wakes at line time ``at_ms``, and no more at an earlier asked one; None: not at all."""
        if self._handle is not None:
            if at_ms is not None and at_ms >= self._set_ms:
                self._wanted_ms = at_ms
                return
            self._handle.cancel()
            self._handle = None
        if at_ms is not None:
            self._set_ms = self._wanted_ms = at_ms
            wait_s = max(at_ms - self._line_ms(), 0) / _MS + _SLACK_S
            self._handle = asyncio.get_running_loop().call_later(wait_s, self._ring)

    def _ring(self) -> None:
        self._handle = None
        if self._line_ms() < self._wanted_ms:
            self.set(self._wanted_ms)
        else:
            self._wake()
