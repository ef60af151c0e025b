"""How much one station is given at once: by the time its line is predicted to take, and never by one meter's silence.

Meters that are to be called wait in three queues: urgent (money, and what a person just asked for), ordinary (polls, in
the order of their modem addresses), doubtful (those that did not answer the last time). Each queue has line time of
its own, the doubtful a quarter, and after one of them was silent again the line belongs to others that wait for three
times as long as that took: however many meters are silent, they cost the others a quarter of the line. What is reserved
for a call is free again as soon as the meter has answered, the station has told that it did not, or the host has given
it up.
"""

from collections import deque
from enum import IntEnum
from typing import TYPE_CHECKING, Final

from prewatt.host.dispatch.posts import DispatchSettings
from prewatt.host.lines import LineCost

if TYPE_CHECKING:
    from prewatt.host.dispatch.agenda import Line

__all__ = ["Place", "StationQueue"]

_LIFE_SHARE: Final = 4
_DOUBTFUL_SHARE: Final = 4
# Rounds whose end the station has not told yet; older ones are taken for lost.
_ROUNDS_MAX: Final = 256
_NUMBERS: Final = 2**32


class Place(IntEnum):
    """In which queue a meter waits; lower goes first."""

    URGENT = 0
    ORDINARY = 1
    DOUBTFUL = 2


class StationQueue:
    """The meters of one station that wait to be called, the line time under way, and the rounds that are out."""

    def __init__(self, station: str, cost: LineCost, settings: DispatchSettings, first_round: int) -> None:
        self.station = station
        self.cost = cost
        self._settings = settings
        self._waiting: dict[Place, deque[Line]] = {place: deque() for place in Place}
        self._ahead_ms = dict.fromkeys(Place, 0)
        self._number = first_round
        self._rounds: dict[int, list[Line]] = {}
        self._doubtful_from_ms = 0

    @property
    def ahead_ms(self) -> int:
        """Line time predicted for everything that is under way."""
        return sum(self._ahead_ms.values())

    def patience_ms(self) -> int:
        """How long the host waits for an answer to what it sends now."""
        return min(self._settings.session_most_ms, self._settings.session_ms + 2 * self.ahead_ms)

    def put(self, line: "Line", place: Place) -> None:
        """A meter waits to be called; one that waits already only moves ahead."""
        if line.waits is None or place < line.waits:
            line.waits = place
            self._waiting[place].append(line)

    def admit(self, line_ms: int) -> list["Line"]:
        """The meters that may be called now, urgent ones first; line time is reserved for each (`line.reserved`)."""
        found: list[Line] = []
        for place in Place:
            if place is Place.DOUBTFUL and line_ms < self._doubtful_from_ms and self._others_ms():
                break
            waiting, limit_ms = self._waiting[place], self._limit_ms(place)
            while waiting and (not self._ahead_ms[place] or self._ahead_ms[place] + self.cost.session_ms <= limit_ms):
                line = waiting.popleft()
                if line.waits is place and line.station == self.station:
                    line.waits, line.reserved, line.reserved_ms = None, place, self.cost.session_ms
                    self._ahead_ms[place] += line.reserved_ms
                    found.append(line)
        return found

    def release(self, line: "Line") -> None:
        """What was reserved for a meter's call is free again."""
        if line.reserved is not None:
            # What was given, not what it would be now: the line may have another profile meanwhile.
            self._ahead_ms[line.reserved] -= line.reserved_ms
            line.reserved = None

    def was_silent(self, line: "Line", line_ms: int) -> None:
        """A call brought no answer, and took as long as the station waits for one."""
        if line.reserved is Place.DOUBTFUL:
            self._doubtful_from_ms = line_ms + (_DOUBTFUL_SHARE - 1) * self.cost.answer_within_ms

    def begin_round(self, lines: list["Line"]) -> int:
        """Numbers a round to these meters."""
        self._number = (self._number + 1) % _NUMBERS or 1
        self._rounds[self._number] = lines
        for line in lines:
            if line.call is not None:
                line.call.round = self._number
        if len(self._rounds) > _ROUNDS_MAX:
            del self._rounds[next(iter(self._rounds))]
        return self._number

    def end_round(self, number: int) -> list["Line"]:
        """The meters of a round that the station has worked through which did not answer it."""
        lines = self._rounds.pop(number, [])
        return [line for line in lines if line.call is not None and line.call.round == number]

    def _others_ms(self) -> int:
        """Line time under way for meters that are not doubtful: none waits where there is none."""
        return self._ahead_ms[Place.URGENT] + self._ahead_ms[Place.ORDINARY]

    def _limit_ms(self, place: Place) -> int:
        limit_ms = min(self._settings.round_ms, self._settings.session_most_ms // _LIFE_SHARE)
        return limit_ms // _DOUBTFUL_SHARE if place is Place.DOUBTFUL else limit_ms
