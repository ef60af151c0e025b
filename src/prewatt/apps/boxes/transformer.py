"""The pole transformer above virtual homes: feeds the transformer's own meter with what its homes and the line take.

The homes on it are those of the same process, a third of them on each phase. What flows through the transformer is the
sum of what they take, second for second, and the technical losses between it and them: a share of what flows, lost in
the cables, and what the meters themselves need, which flows also while every home is dark.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from prewatt.device.meter import CtMeasured
from prewatt.device.meter.transformer import PHASES
from prewatt.units import MINUTE_S

__all__ = ["LINE_LOSS_PERCENT", "METER_OWN_W", "Transformer"]

LINE_LOSS_PERCENT: Final = 4
"""Of what the homes take: a usual figure for the cables of a low-voltage street."""
METER_OWN_W: Final = 2
"""What a meter needs for itself, taken before it counts: the most that IEC 62053-61 allows a voltage circuit."""
_JOULE_PER_PULSE: Final = 360
_HUNDRED: Final = 100
_PARTS_PER_PULSE: Final = _JOULE_PER_PULSE * _HUNDRED


class Transformer:
    """What flows through it up to a second of the world, exact over time: what is less than a pulse comes later."""

    def __init__(self, now_s: int) -> None:
        """``now_s``: the world's second from which on its meter has power."""
        self._until_s = now_s
        self._taken: dict[int, list[int]] = {}
        self._homes = [0] * PHASES
        self._left = [0] * PHASES

    def join(self, number: int) -> int:
        """The phase on which the home with this number, from 0, hangs."""
        phase = number % PHASES
        self._homes[phase] += 1
        return phase

    def take(self, phase: int, minute_s: int, pulses: int) -> None:
        """A home on ``phase`` has taken so many pulses of 0.1 Wh in the world's minute from ``minute_s`` on."""
        if pulses:
            self._taken.setdefault(minute_s, [0] * PHASES)[phase] += pulses

    def flow(self, now_s: int) -> Iterator[CtMeasured]:
        """What has flowed up to ``now_s``, in order, for its meter. Every home must have told by then what it took."""
        while self._until_s < now_s:
            at_s = self._until_s
            minute_s = at_s - at_s % MINUTE_S
            self._until_s = min(minute_s + MINUTE_S, now_s)
            taken = self._taken.pop(minute_s, [0] * PHASES)
            first, second, third = (self._pulses(phase, taken, self._until_s - at_s) for phase in range(PHASES))
            yield CtMeasured(at_s, (first, second, third))
        # What is left was taken before its meter had power.
        self._taken.clear()

    def _pulses(self, phase: int, taken: Sequence[int], seconds: int) -> int:
        parts = self._left[phase] + taken[phase] * _JOULE_PER_PULSE * LINE_LOSS_PERCENT
        parts += self._homes[phase] * METER_OWN_W * seconds * _HUNDRED
        lost, self._left[phase] = divmod(parts, _PARTS_PER_PULSE)
        return taken[phase] + lost
