"""The medium of one line as a value: who hears what of a transmission, and how well.

Time is given, chance comes from a seed, nothing is called back. A transmission is begun with `transmit`; when it is
over, `arrivals` says what each end heard, since only then all that overlapped it has begun. A frame is heard whole,
with some bits wrong, or not at all; two at once destroy each other where neither is stronger by the capture ratio; an
end that is sending hears nothing. A coupled neighbour's line hears the same, so many decibels weaker.
"""

from collections import deque
from collections.abc import Iterable
from math import exp, log1p
from random import Random
from typing import Final, NamedTuple

from prewatt.link.line.profile import LineProfile

__all__ = ["ENDS_MAX", "REACH_M_MAX", "Arrival", "Line", "Transmission"]

# A station, 256 meters, and who else listens.
ENDS_MAX: Final = 1_024
REACH_M_MAX: Final = 3_000
# Above the noise by so much, energy is told from it.
_DETECT_DB: Final = 6.0
# Worse than this, no receiver finds the beginning of a frame.
_BIT_ERRORS_MOST: Final = 0.05
_BITS_WRONG_MAX: Final = 4


class Arrival(NamedTuple):
    """What one end heard, at the end of a transmission."""

    at_ms: int
    end: int
    data: bytes


class Transmission:
    """Bytes on a line from ``start_ms`` to ``end_ms``."""

    __slots__ = ("data", "end", "end_ms", "line", "start_ms")

    def __init__(self, line: "Line", end: int, start_ms: int, end_ms: int, data: bytes) -> None:
        self.line, self.end, self.start_ms, self.end_ms, self.data = line, end, start_ms, end_ms, data


class Line:
    """A shared line and its ends. Calls come in order of time; a transmission may be announced ahead of it."""

    def __init__(self, profile: LineProfile, seed: int) -> None:
        self.profile = profile
        self._random = Random(seed)
        self._distances_m: dict[int, int] = {}
        self._noise_dbuv: dict[int, float] = {}
        self._next_end = 0
        self._on_air: deque[Transmission] = deque()
        self._neighbours: dict[Line, float] = {}
        # By (line and end of the transmitter, end of the receiver): level, and ln(1 - bit error rate) or None.
        self._budgets: dict[tuple[Line, int, int], tuple[float, float | None]] = {}

    def attach(self, distance_m: int) -> int:
        """A new end, so far from the transformer; its number. ValueError beyond the reach or ENDS_MAX ends."""
        if not 0 <= distance_m <= REACH_M_MAX:
            raise ValueError(f"distance_m: {distance_m} is not allowed; allowed is 0 to {REACH_M_MAX}")
        if len(self._distances_m) >= ENDS_MAX:
            raise ValueError(f"ends: {ENDS_MAX + 1} are not allowed; allowed is up to {ENDS_MAX}")
        end = self._next_end
        self._next_end += 1
        self._distances_m[end] = distance_m
        self._noise_dbuv[end] = self.profile.noise_dbuv + self._random.gauss(0, self.profile.noise_spread_db)
        return end

    def detach(self, end: int) -> None:
        """Takes an end off the line; what it is sending goes on to its end."""
        if self._distances_m.pop(end, None) is not None:
            for key in [key for key in self._budgets if key[2] == end]:
                del self._budgets[key]

    def couple(self, other: "Line", crosstalk_db: float | None = None) -> None:
        """Lets both lines hear each other, weaker by ``crosstalk_db`` (that of the profile, unless given)."""
        coupling_db = self.profile.crosstalk_db if crosstalk_db is None else crosstalk_db
        self._neighbours[other] = other._neighbours[self] = coupling_db

    @property
    def neighbours(self) -> tuple["Line", ...]:
        """The lines that hear this one."""
        return tuple(self._neighbours)

    def transmit(self, at_ms: int, end: int, data: bytes) -> Transmission:
        """Puts ``data`` on the line at ``at_ms``. ValueError for an end that is not there."""
        if end not in self._distances_m:
            raise ValueError(f"end: {end} is not on this line")
        transmission = Transmission(self, end, at_ms, at_ms + self.profile.timing.air_ms(len(data)), data)
        on_air = self._on_air
        # The longest transmission bounds how long an ended one still matters to one that has not.
        while on_air and on_air[0].end_ms < at_ms - 2 * self.profile.timing.fragment_ms - 1:
            on_air.popleft()
        on_air.append(transmission)
        return transmission

    def arrivals(self, transmission: Transmission, ends: Iterable[int] | None = None) -> list[Arrival]:
        """What ``ends`` (all but the sender, unless given) heard of a transmission on this or a coupled line.

        To be asked once, at its ``end_ms`` or later; ends that heard nothing of it are left out.
        """
        at_ms = transmission.end_ms + self.profile.timing.latency_ms
        others = self._overlapping(transmission)
        arrivals = []
        for end in self._distances_m if ends is None else ends:
            if (end == transmission.end and transmission.line is self) or end not in self._distances_m:
                continue
            data = self._receive(transmission, end, others)
            if data is not None:
                arrivals.append(Arrival(at_ms, end, data))
        return arrivals

    def busy(self, at_ms: int, end: int) -> bool:
        """Whether ``end`` notices at ``at_ms`` that somebody else is sending."""
        timing = self.profile.timing
        threshold_dbuv = self._noise_dbuv.get(end, self.profile.noise_dbuv) + _DETECT_DB
        for line in (self, *self._neighbours):
            for other in line._on_air:
                heard_from_ms = other.start_ms + timing.latency_ms
                on = heard_from_ms + timing.detect_ms <= at_ms <= other.end_ms + timing.latency_ms
                if not on or (other.end == end and line is self):
                    continue
                if self._budget(other.line, other.end, end)[0] >= threshold_dbuv:
                    return True
        return False

    def _overlapping(self, transmission: Transmission) -> list[Transmission]:
        start_ms, end_ms = transmission.start_ms, transmission.end_ms
        return [
            other
            for line in (self, *self._neighbours)
            for other in line._on_air
            if other.start_ms < end_ms and other.end_ms > start_ms and other is not transmission
        ]

    def _receive(self, transmission: Transmission, end: int, others: list[Transmission]) -> bytes | None:
        level_dbuv, clean = self._budget(transmission.line, transmission.end, end)
        if clean is None:
            return None
        for other in others:
            if other.line is self and other.end == end:
                return None
            if self._budget(other.line, other.end, end)[0] > level_dbuv - self.profile.capture_db:
                return None
        profile, data, random = self.profile, transmission.data, self._random
        exposed_s = (transmission.end_ms - transmission.start_ms + profile.impulse_ms) / 1_000
        if random.random() < exp(8 * len(data) * clean - profile.impulses_s * exposed_s):
            return data
        # Half of what breaks never shows a beginning; of the rest some bits are wrong.
        return None if random.random() < 0.5 else self._broken(data)

    def _broken(self, data: bytes) -> bytes:
        broken = bytearray(data)
        for _ in range(self._random.randint(1, _BITS_WRONG_MAX)):
            bit = self._random.randrange(8 * len(broken)) if broken else 0
            if broken:
                broken[bit >> 3] ^= 1 << (bit & 7)
        return bytes(broken)

    def _budget(self, line: "Line", sender: int, end: int) -> tuple[float, float | None]:
        """The level at ``end``, and ln(1 - bit error rate); None for the latter where nothing is to be understood."""
        budget = self._budgets.get((line, sender, end))
        if budget is None:
            budget = self._budgets[line, sender, end] = self._work_out(line, sender, end)
        return budget

    def _work_out(self, line: "Line", sender: int, end: int) -> tuple[float, float | None]:
        profile = self.profile
        far_m, near_m = line._distances_m.get(sender, 0), self._distances_m[end]
        way_m = abs(far_m - near_m) if line is self else far_m + near_m
        level_dbuv = line.profile.transmit_dbuv - 2 * profile.end_loss_db - profile.attenuation_db_km * way_m / 1_000
        if line is not self:
            level_dbuv -= self._neighbours.get(line, profile.crosstalk_db)
        over_noise_db = level_dbuv - self._noise_dbuv[end] + profile.coding_gain_db
        bit_errors = max(0.5 * exp(-(10 ** (over_noise_db / 10)) / 2), profile.bit_errors_least)
        return level_dbuv, None if bit_errors > _BIT_ERRORS_MOST else log1p(-bit_errors)

    def read_bit_errors(self, sender: int, end: int) -> float:
        """The bit error rate from one end to another, impulses left out; 1 where nothing is understood."""
        clean = self._budget(self, sender, end)[1]
        return 1.0 if clean is None else 1 - exp(clean)
