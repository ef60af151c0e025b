"""The station's modem: it begins, and everybody else answers or waits to be invited.

It takes whole frames from the station and whole ones from the line, and works off one message at a time. While a meter
has the line (its answer is coming, or it may begin in a mini-slot) the master is silent. It says nothing about
messages that did not get through: silence is the answer, and the station has its own time-out.
"""

from collections import deque
from collections.abc import Callable
from typing import Final

from prewatt.codec.attention import BROADCAST_ID, Attention
from prewatt.codec.batch import METERS_MAX
from prewatt.codec.errors import DecodeError
from prewatt.codec.frame import Frame, FrameFlags
from prewatt.device.modem.events import Deliver, Heard, ModemCounts, ModemEffect, ModemEvent, Outgoing, WakeAtLine
from prewatt.device.modem.voice import Voice
from prewatt.protocol.airtime import LineTiming
from prewatt.protocol.arq import ArqReceiver
from prewatt.units import MeterId

__all__ = ["OUTGOING_MAX", "MasterModem"]

# A station asks one meter at a time: a call, what it says without waiting (acknowledgements of alarms), an invitation.
OUTGOING_MAX: Final = 64
# As plain numbers: a simulator hears millions of frames.
_PIECE: Final = int(FrameFlags.START | FrameFlags.MORE)
_ACK: Final = int(FrameFlags.ACK)
_UP: Final = int(FrameFlags.UP)

_Peer = tuple[MeterId, int]


class MasterModem:
    """One end of the line, and the one that rules it. Everything here is lost with its power, and may be."""

    __slots__ = ("_hold_until_ms", "_holder", "_knows", "_outgoing", "_receivers", "_voice", "_window_until_ms")

    def __init__(self, timing: LineTiming, knows: Callable[[MeterId, int], bool], number: int = 0) -> None:
        """``knows`` says whether a meter with this M-ID stands below the station; ``number`` is best a random byte."""
        # If only the acknowledgement was lost, the meter's answer is noticed before the call is repeated into it.
        self._voice = Voice(timing, number, timing.notice_ms)
        self._knows = knows
        self._outgoing: deque[Outgoing] = deque()
        self._receivers: dict[_Peer, ArqReceiver] = {}
        self._holder: _Peer | None = None
        self._hold_until_ms = 0
        self._window_until_ms = 0

    @property
    def timing(self) -> LineTiming:
        """The line it is set for."""
        return self._voice.timing

    @property
    def counts(self) -> ModemCounts:
        """What it went through."""
        return self._voice.counts

    @property
    def waiting(self) -> int:
        """How many whole frames it has not begun to send."""
        return len(self._outgoing)

    @property
    def holding(self) -> bool:
        """Whether it is in the middle of a message, the station's or a meter's: a station that is told of it
        (LineHeld) lets its own times stand still, and then need not wait long on a line that is quiet."""
        return self._holder is not None or not self._voice.sender.idle

    @property
    def listening(self) -> bool:
        """Whether it has a use for what is not addressed to it: never. It hears every frame that comes from a meter."""
        return False

    def step(self, event: ModemEvent, line_ms: int, random: bytes = b"", *, busy: bool = False) -> list[ModemEffect]:
        """What the modem does about ``event`` at ``line_ms`` (never falling); ``busy``: the line is in use at its end.

        Bytes that are no frame, or from no meter of this station, change nothing. ``random`` are 4 fresh bytes.
        """
        effects: list[ModemEffect] = []
        if isinstance(event, Heard):
            self._hear(event.data, line_ms, effects)
        elif isinstance(event, Outgoing):
            self._take(event)
        wake_ms = self._go_on(line_ms, random, busy, effects)
        if wake_ms is not None:
            effects.append(WakeAtLine(max(wake_ms, line_ms + 1)))
        return effects

    def _take(self, event: Outgoing) -> None:
        if len(self._outgoing) >= OUTGOING_MAX:
            self.counts.given_up += 1
            return
        ahead = sum(1 for waiting in self._outgoing if waiting.urgent) if event.urgent else len(self._outgoing)
        self._outgoing.insert(ahead, event)

    def _hear(self, data: bytes, line_ms: int, effects: list[ModemEffect]) -> None:
        voice = self._voice
        voice.heard(line_ms)
        try:
            frame = Frame.parse(data)
        except DecodeError:
            voice.counts.dropped += 1
            return
        peer = (frame.meter_id, frame.m_id)
        # The id decides, not the M-ID alone: frames of the neighbour transformer do arrive here.
        if not int(frame.flags) & _UP or not self._knows(*peer):
            voice.counts.dropped += 1
            return
        if int(frame.flags) & _ACK:
            message = voice.sender.message
            if message is not None and (message.meter_id, message.m_id) == peer:
                voice.acknowledged(frame, line_ms, effects)
        elif int(frame.flags) & _PIECE:
            self._hear_piece(frame, peer, line_ms, effects)
        else:
            effects.append(Deliver(data))

    def _hear_piece(self, frame: Frame, peer: _Peer, line_ms: int, effects: list[ModemEffect]) -> None:
        message = self._voice.sender.message
        if message is not None:
            # Its answer begins: then it has our last fragment, and only the acknowledgement was lost.
            answers = (message.meter_id, message.m_id) == peer and frame.flags & FrameFlags.START
            if not answers or not self._voice.sender.at_last:
                return
        elif self._holder not in (None, peer) and line_ms < self._hold_until_ms:
            return
        heard = self._receiver(peer).receive(frame)
        if message is not None:
            if not heard.fresh:
                return
            self._voice.sender.drop()
        if heard.ack is not None:
            end_ms = self._voice.plain(heard.ack, line_ms, effects)
            if heard.fresh:
                self._holder = None if heard.message else peer
                self._hold_until_ms = end_ms + self.timing.silence_ms
        if heard.message is not None:
            self._window_until_ms = line_ms
            effects.append(Deliver(heard.message.build()))

    def _receiver(self, peer: _Peer) -> ArqReceiver:
        receiver = self._receivers.get(peer)
        if receiver is None:
            if len(self._receivers) >= METERS_MAX:
                del self._receivers[next(iter(self._receivers))]
            receiver = self._receivers[peer] = ArqReceiver()
        return receiver

    def _go_on(self, line_ms: int, random: bytes, busy: bool, effects: list[ModemEffect]) -> int | None:
        """Sends what may be sent now; when to look again."""
        voice = self._voice
        if not voice.sender.idle:
            wait_ms = self._await(line_ms, random, busy, effects)
            if wait_ms is not None:
                return wait_ms
        if self._holder is not None:
            if line_ms < self._hold_until_ms:
                return self._hold_until_ms
            self._holder = None
        if not self._outgoing:
            return None
        if line_ms < self._window_until_ms and not self._outgoing[0].urgent:
            return self._window_until_ms
        wait_ms = voice.must_wait_ms(line_ms, busy=busy)
        return wait_ms if wait_ms is not None else self._begin(self._outgoing.popleft().data, line_ms, effects)

    def _await(self, line_ms: int, random: bytes, busy: bool, effects: list[ModemEffect]) -> int | None:
        """Waits for an acknowledgement; None where it waits no more."""
        voice = self._voice
        if line_ms < voice.deadline_ms:
            return voice.deadline_ms
        wait_ms = voice.must_wait_ms(line_ms, busy=busy)
        if wait_ms is not None:
            return wait_ms
        return voice.deadline_ms if voice.repeat(line_ms, effects, random) else None

    def _begin(self, data: bytes, line_ms: int, effects: list[ModemEffect]) -> int | None:
        voice = self._voice
        frame = Frame.parse(data)
        if frame.meter_id != BROADCAST_ID:
            self._window_until_ms = line_ms
            voice.begin(voice.cut(frame), line_ms, effects)
            return voice.deadline_ms
        end_ms = voice.plain(frame, line_ms, effects)
        try:
            window = Attention.parse(frame.payload)
        except DecodeError:
            return end_ms
        slots_ms = window.slots * max(window.slot_ms, self.timing.slot_ms)
        self._window_until_ms = end_ms + 2 * self.timing.latency_ms + slots_ms
        return self._window_until_ms
