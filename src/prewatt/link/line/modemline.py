"""A line with its modems as one machine of discrete events: frames of devices in at one end, out at the others.

Whoever drives it (a simulator, a bench, the asyncio carrier) gives whole frames to `send`, asks `next_ms` when
something happens, and takes with `step` what the modems hand to their devices at that moment. Same seed, same calls,
same history. What is addressed to a meter is heard by ends with its M-ID; the others only notice that the line is in
use, as a receiver's address filter has it, and that keeps a line of 256 meters cheap.
"""

from collections.abc import Iterable
from heapq import heappop, heappush
from random import Random
from typing import Final, NamedTuple

from prewatt.codec.attention import BROADCAST_ID
from prewatt.codec.frame import FrameFlags
from prewatt.device.modem import Heard, LineModem, MasterModem, Outgoing, SlaveModem, Tick, Transmit, WakeAtLine
from prewatt.link.line.medium import Line, Transmission
from prewatt.link.line.profile import LineProfile
from prewatt.units import METER_ID_BYTES

__all__ = ["Delivered", "ModemLine"]

_RANDOM_BYTES: Final = 4
# 7E, M-ID, flags, number, ID
_M_ID_AT: Final = 1
_FLAGS_AT: Final = 2
_ID_AT: Final = 4
_HEAD_BYTES: Final = _ID_AT + METER_ID_BYTES
_UP: Final = int(FrameFlags.UP)
_TICK: Final = Tick()

_Work = Transmission | tuple[int, int] | tuple[int, Outgoing] | tuple[int, Heard]


class Delivered(NamedTuple):
    """A whole frame for the device at ``end``."""

    at_ms: int
    end: int
    data: bytes


class ModemLine:
    """One line. Its time never goes back; events of the same millisecond come in the order in which they arose."""

    def __init__(self, profile: LineProfile, seed: int) -> None:
        self.line = Line(profile, seed)
        self._random = Random(f"modems {seed}")
        self._modems: dict[int, LineModem] = {}
        self._by_m_id: dict[int, list[int]] = {}
        self._m_ids: dict[int, int] = {}
        self._masters: list[int] = []
        self._listening: dict[int, None] = {}
        self._wake_ms: dict[int, int] = {}
        self._given: dict[int, int] = {}
        self._queue: list[tuple[int, int, _Work]] = []
        self._count = 0
        self._neighbours: list[ModemLine] = []
        self.now_ms = 0
        # What was put on the line, and what modems heard of it.
        self.transmitted = self.arrivals = 0

    def attach(self, modem: LineModem, distance_m: int) -> int:
        """Puts a modem on the line, so far from the transformer; the number of its end."""
        end = self.line.attach(distance_m)
        self._modems[end] = modem
        if isinstance(modem, SlaveModem):
            self._m_ids[end] = modem.m_id
            self._by_m_id.setdefault(modem.m_id, []).append(end)
        else:
            self._masters.append(end)
        return end

    def detach(self, end: int) -> None:
        """Takes a modem off the line, as when its device loses power; ends that are not there change nothing."""
        modem = self._modems.pop(end, None)
        if modem is None:
            return
        self.line.detach(end)
        self._listening.pop(end, None)
        self._wake_ms.pop(end, None)
        self._given.pop(end, None)
        if isinstance(modem, MasterModem):
            self._masters.remove(end)
        else:
            self._by_m_id[self._m_ids.pop(end)].remove(end)

    def couple(self, other: "ModemLine", crosstalk_db: float | None = None) -> None:
        """Lets both lines hear each other. Their drivers then step whichever is next, in order of time."""
        self.line.couple(other.line, crosstalk_db)
        self._neighbours.append(other)
        other._neighbours.append(self)

    def send(self, end: int, data: bytes, at_ms: int, *, urgent: bool = False) -> None:
        """Gives a device's whole frame to its modem; ValueError for an end that is not there."""
        if end not in self._modems:
            raise ValueError(f"end: {end} is not on this line")
        self._given[end] = self._given.get(end, 0) + 1
        self._push(max(at_ms, self.now_ms), (end, Outgoing(data, urgent)))

    def waiting(self, end: int) -> int:
        """How many frames of a device its modem has not begun to send; 0 for an end that is not there."""
        modem = self._modems.get(end)
        return 0 if modem is None else modem.waiting + self._given.get(end, 0)

    def holding(self, end: int) -> bool:
        """Whether a station's modem is in the middle of a message (see `MasterModem.holding`)."""
        modem = self._modems.get(end)
        return isinstance(modem, MasterModem) and modem.holding

    @property
    def next_ms(self) -> int | None:
        """When something happens next; None where nothing will until somebody sends."""
        return self._queue[0][0] if self._queue else None

    def step(self) -> list[Delivered]:
        """Everything that happens at `next_ms`, and what came out of it for devices."""
        delivered: list[Delivered] = []
        if not self._queue:
            return delivered
        self.now_ms = self._queue[0][0]
        while self._queue and self._queue[0][0] == self.now_ms:
            work = heappop(self._queue)[2]
            if isinstance(work, Transmission):
                self._finish(work)
            # Most wakes were overtaken by what came before them.
            elif not isinstance(work[1], int) or self._wake_ms.get(work[0]) == work[1]:
                self._give(work, delivered)
        return delivered

    def _give(self, work: tuple[int, int | Outgoing | Heard], delivered: list[Delivered]) -> None:
        end, what = work
        modem = self._modems.get(end)
        if modem is None:
            return
        now_ms = self.now_ms
        if isinstance(what, int):
            event: Tick | Outgoing | Heard = _TICK
        else:
            event = what
            if isinstance(what, Outgoing):
                self._given[end] -= 1
        heard = isinstance(event, Heard)
        busy = not heard and self.line.busy(now_ms, end)
        self._wake_ms.pop(end, None)
        for effect in modem.step(event, now_ms, self._random.randbytes(_RANDOM_BYTES), busy=busy):
            if isinstance(effect, Transmit):
                transmission = self.line.transmit(effect.at_ms, end, effect.data)
                self.transmitted += 1
                self._push(transmission.end_ms, transmission)
            elif isinstance(effect, WakeAtLine):
                self._wake_ms[end] = effect.line_ms
                self._push(effect.line_ms, (end, effect.line_ms))
            else:
                delivered.append(Delivered(now_ms, end, effect.data))
        if modem.listening:
            self._listening[end] = None
        else:
            self._listening.pop(end, None)

    def _finish(self, transmission: Transmission) -> None:
        self._hear(transmission)
        for other in self._neighbours:
            other._hear(transmission)

    def _hear(self, transmission: Transmission) -> None:
        # What arrives is given in a turn of its own, so that a delivery never comes out of another line's step.
        for arrival in self.line.arrivals(transmission, self._ends(transmission.data)):
            self.arrivals += 1
            self._push(max(arrival.at_ms, self.now_ms), (arrival.end, Heard(arrival.data)))

    def _ends(self, data: bytes) -> Iterable[int]:
        """The ends whose filter lets such bytes in."""
        if len(data) < _HEAD_BYTES:
            return tuple(self._masters)
        if data[_FLAGS_AT] & _UP:
            # A meter that waits for its slot notices others by the line in use.
            return tuple(self._masters)
        if data[_ID_AT:_HEAD_BYTES] == BROADCAST_ID:
            return tuple(self._listening)
        called = self._by_m_id.get(data[_M_ID_AT], ())
        return (*called, *(end for end in self._listening if end not in called))

    def _push(self, at_ms: int, work: _Work) -> None:
        self._count += 1
        heappush(self._queue, (at_ms, self._count, work))
