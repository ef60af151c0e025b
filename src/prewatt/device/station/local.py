"""A local station as a value: (event, line time) -> effects.

The line is shared and half-duplex, so the station asks one meter at a time: it sends a frame, waits for that meter's
answer or until ANSWER_WITHIN_MS have passed, and goes on. Answers go up to the host together when the round is done,
or after HOLD_ANSWERS_MS where one meter keeps the rest waiting. What a meter says by itself goes up the same way. The
station reads no payload but its first byte, has no key, and believes no frame that is not from one of its members.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from prewatt.codec.batch import METERS_MAX, BatchKind, Item, build_batch, parse_batch
from prewatt.codec.errors import DecodeError
from prewatt.codec.frame import Frame, FrameFlags
from prewatt.codec.messages import MessageType
from prewatt.units import MeterId, format_meter_id

__all__ = [
    "ANSWER_WITHIN_MS",
    "HOLD_ANSWERS_MS",
    "LineHeard",
    "LineSend",
    "LocalStation",
    "MemberError",
    "RoundArrived",
    "StationEffect",
    "StationEvent",
    "Tick",
    "Uplink",
    "WakeAtLine",
]

# A meter answers in well under a second of line; a silent one holds the round up no longer than this.
ANSWER_WITHIN_MS: Final = 1_500
HOLD_ANSWERS_MS: Final = 200
# Four rounds of every meter wait at most; the host sends the rest again, as after any loss.
_WAITING_MAX: Final = 4 * METERS_MAX
_M_ID_MAX: Final = 255
_NUMBERS: Final = 256


class MemberError(ValueError):
    """A meter that cannot stand below this station."""


@dataclass(frozen=True, slots=True)
class RoundArrived:
    """A batch from the host."""

    data: bytes


@dataclass(frozen=True, slots=True)
class LineHeard:
    """One link frame heard on the line, whoever sent it."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Tick:
    """Line time has passed."""


@dataclass(frozen=True, slots=True)
class LineSend:
    """One link frame to put on the line."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Uplink:
    """A batch for the host."""

    data: bytes


@dataclass(frozen=True, slots=True)
class WakeAtLine:
    """Give the station a Tick at this line time."""

    line_ms: int


StationEvent = RoundArrived | LineHeard | Tick
StationEffect = LineSend | Uplink | WakeAtLine


class LocalStation:
    """One station and what it is in the middle of. Everything here is lost with its power, and may be."""

    def __init__(self) -> None:
        self._m_ids: dict[MeterId, int] = {}
        self._meters: dict[int, MeterId] = {}
        self._waiting: deque[Item] = deque()
        self._answers: list[Item] = []
        self._asked: MeterId | None = None
        self._asked_until_ms = 0
        self._hold_until_ms: int | None = None
        self._number = 0

    @property
    def members(self) -> Mapping[MeterId, int]:
        """M-ID of each meter below this station."""
        return dict(self._m_ids)

    def join(self, meter_id: MeterId, m_id: int) -> None:
        """Takes a meter in; MemberError where its M-ID is taken or not 0 to 255, or it is here already."""
        shown = format_meter_id(meter_id)
        if not 0 <= m_id <= _M_ID_MAX:
            raise MemberError(f"M-ID: {m_id} is not allowed; allowed is 0 to {_M_ID_MAX}")
        if m_id in self._meters:
            raise MemberError(f"M-ID: {m_id} is taken by meter {format_meter_id(self._meters[m_id])}")
        if meter_id in self._m_ids:
            raise MemberError(f"meter: {shown} is here already, with M-ID {self._m_ids[meter_id]}")
        self._m_ids[meter_id] = m_id
        self._meters[m_id] = meter_id

    def leave(self, meter_id: MeterId) -> None:
        """Lets a meter go; what waits for it is dropped. MemberError where it is not here."""
        if meter_id not in self._m_ids:
            raise MemberError(f"meter: {format_meter_id(meter_id)} is not below this station")
        del self._meters[self._m_ids.pop(meter_id)]
        self._waiting = deque(item for item in self._waiting if item[0] != meter_id)

    def step(self, event: StationEvent, line_ms: int) -> list[StationEffect]:
        """What the station does about ``event`` at line time ``line_ms`` (milliseconds, never falling).

        Bytes that are no batch or no frame of a member change nothing.
        """
        if isinstance(event, RoundArrived):
            self._take_round(event.data)
        elif isinstance(event, LineHeard):
            self._hear(event.data, line_ms)
        return self._go_on(line_ms)

    def _take_round(self, data: bytes) -> None:
        try:
            items = parse_batch(data, BatchKind.TO_METERS)
        except DecodeError:
            return
        for item in items:
            if item[0] in self._m_ids and len(self._waiting) < _WAITING_MAX:
                self._waiting.append(item)

    def _hear(self, data: bytes, line_ms: int) -> None:
        try:
            frame = Frame.parse(data)
        except DecodeError:
            return
        # The id decides, not the M-ID alone: frames of the neighbour transformer do arrive here.
        if frame.flags is not FrameFlags.UP or self._meters.get(frame.m_id) != frame.meter_id or not frame.payload:
            return
        if len(self._answers) < METERS_MAX:
            self._answers.append((frame.meter_id, frame.payload))
        if self._hold_until_ms is None:
            self._hold_until_ms = line_ms + HOLD_ANSWERS_MS
        if frame.meter_id == self._asked:
            self._asked = None

    def _go_on(self, line_ms: int) -> list[StationEffect]:
        effects: list[StationEffect] = []
        if self._asked is not None and line_ms >= self._asked_until_ms:
            self._asked = None
        while self._asked is None and self._waiting:
            effects.append(self._ask(*self._waiting.popleft(), line_ms))
        hold_is_over = self._hold_until_ms is not None and line_ms >= self._hold_until_ms
        if self._answers and (self._asked is None or hold_is_over):
            effects.append(Uplink(build_batch(BatchKind.FROM_METERS, self._answers)))
            self._answers, self._hold_until_ms = [], None
        due = [self._asked_until_ms] if self._asked is not None else []
        due += [self._hold_until_ms] if self._hold_until_ms is not None else []
        if due:
            effects.append(WakeAtLine(min(due)))
        return effects

    def _ask(self, meter_id: MeterId, payload: bytes, line_ms: int) -> LineSend:
        if payload[0] != MessageType.ALARM_ACK:  # the one message that no meter answers
            self._asked, self._asked_until_ms = meter_id, line_ms + ANSWER_WITHIN_MS
        self._number = (self._number + 1) % _NUMBERS
        frame = Frame(self._m_ids[meter_id], FrameFlags.NONE, self._number, meter_id, payload)
        return LineSend(frame.build())
