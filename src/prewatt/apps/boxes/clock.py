"""The two times that a driver gives a device: line ticks, and the world's seconds.

Boxes in processes of their own run at the speed of the world: each takes UTC from its computer when it starts and goes
on from there with a clock that never falls, as the crystal of a meter does. There is nothing they would have to agree
on. Only the street of `prewatt up`, whose boxes share one clock, can be hurried.
"""

import time
from collections.abc import Callable
from typing import Final, Protocol

from prewatt.device.now import Now

__all__ = ["BoxClock", "WallClock", "now_of"]

_MS: Final = 1_000


class BoxClock(Protocol):
    """See the module."""

    speed: int

    def line_ms(self) -> int:
        """Line ticks: milliseconds that never fall."""
        ...

    def now_s(self) -> int:
        """The world's UTC second."""
        ...


class WallClock:
    """The computer's own time, at speed 1."""

    speed = 1

    def __init__(
        self, *, wall: Callable[[], float] = time.time, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._monotonic = monotonic
        self._base_s = wall() - monotonic()

    def line_ms(self) -> int:
        """See BoxClock."""
        return int(self._monotonic() * _MS)

    def now_s(self) -> int:
        """See BoxClock."""
        return int(self._base_s + self._monotonic())


def now_of(clock: BoxClock) -> Now:
    """Both times and the speed, as a device takes them."""
    return Now(clock.line_ms(), clock.now_s(), clock.speed)
