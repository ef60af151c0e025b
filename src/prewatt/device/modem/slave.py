"""A meter's modem: it answers when called, and holds what its meter says by itself until the station invites.

After an invitation it picks a mini-slot at random, listens, and begins if nobody else has. A first fragment that is
not acknowledged has met another meter's: then it lets a random number of invitations pass, twice as many each time.
What it holds is never given up, only pushed out by newer messages; a station that has it already says so at once.
"""

from collections import deque
from typing import Final

from prewatt.codec.attention import BROADCAST_ID, Attention
from prewatt.codec.errors import DecodeError
from prewatt.codec.frame import Frame, FrameFlags
from prewatt.codec.messages import MessageType
from prewatt.device.modem.events import Deliver, Heard, ModemCounts, ModemEffect, ModemEvent, Outgoing, WakeAtLine
from prewatt.device.modem.voice import Voice
from prewatt.protocol.airtime import LineTiming
from prewatt.protocol.arq import ArqReceiver, LineMessage
from prewatt.protocol.arq_tables import SenderState
from prewatt.units import MeterId

__all__ = ["ANSWERS_MAX", "BACK_OFF_DOUBLINGS_MAX", "HELD_MAX", "SlaveModem"]

# A week of Reports and some Alarms; a newer one pushes the oldest out, and alarms are repeated by the meter anyhow.
HELD_MAX: Final = 16
# A meter has one session and answers one message at a time.
ANSWERS_MAX: Final = 4
# At most 63 invitations pass: a street of 256 that all speak after a power cut then collides rarely.
BACK_OFF_DOUBLINGS_MAX: Final = 6
_HELD_TYPES: Final = frozenset({MessageType.REPORT, MessageType.ALARM, MessageType.WISH})
# As plain numbers: a simulator hears millions of frames.
_PIECE: Final = int(FrameFlags.START | FrameFlags.MORE)
_ACK: Final = int(FrameFlags.ACK)
_UP: Final = int(FrameFlags.UP)


class SlaveModem:
    """A meter's end of the line. Everything here is lost with its power, and may be."""

    __slots__ = (
        "_answers",
        "_held",
        "_m_id",
        "_meter_id",
        "_misses",
        "_receiver",
        "_skip",
        "_slot_at_ms",
        "_voice",
    )

    def __init__(self, timing: LineTiming, meter_id: MeterId, m_id: int, number: int = 0) -> None:
        """``number`` is best a random byte: it tells messages from those before a power cut."""
        self._voice = Voice(timing, number, 2 * timing.notice_ms)
        self._meter_id, self._m_id = meter_id, m_id
        self._receiver = ArqReceiver()
        self._answers: deque[Frame] = deque(maxlen=ANSWERS_MAX)
        self._held: deque[LineMessage] = deque(maxlen=HELD_MAX)
        self._slot_at_ms: int | None = None
        self._misses = self._skip = 0

    @property
    def timing(self) -> LineTiming:
        """The line it is set for."""
        return self._voice.timing

    @property
    def m_id(self) -> int:
        """The M-ID it answers to."""
        return self._m_id

    @property
    def counts(self) -> ModemCounts:
        """What it went through."""
        return self._voice.counts

    @property
    def listening(self) -> bool:
        """Whether it has a use for what is not addressed to it: an invitation, or the station turning to another."""
        return bool(self._held) or not self._voice.sender.idle

    @property
    def waiting(self) -> int:
        """How many answers it has not begun to send."""
        return len(self._answers)

    @property
    def held(self) -> int:
        """How many messages wait for an invitation."""
        return len(self._held)

    def step(self, event: ModemEvent, line_ms: int, random: bytes = b"", *, busy: bool = False) -> list[ModemEffect]:
        """What the modem does about ``event`` at ``line_ms`` (never falling); ``busy``: the line is in use at its end.

        Bytes that are no frame, or not for this meter, change nothing of what it sends or assembles. ``random`` are 4
        fresh bytes.
        """
        effects: list[ModemEffect] = []
        if isinstance(event, Heard):
            self._hear(event.data, line_ms, random, effects)
        elif isinstance(event, Outgoing):
            self._take(Frame.parse(event.data))
        wake_ms = self._go_on(line_ms, random, busy, effects)
        if wake_ms is not None:
            effects.append(WakeAtLine(max(wake_ms, line_ms + 1)))
        return effects

    def _take(self, frame: Frame) -> None:
        if frame.payload[:1] and frame.payload[0] in _HELD_TYPES:
            # An Alarm that repeats itself waits once.
            message = self._voice.cut(frame)
            if all(waiting.chunks != message.chunks for waiting in self._held):
                if len(self._held) == HELD_MAX and self._sending_held:
                    self._voice.sender.drop()
                self._held.append(message)
        else:
            self._answers.append(frame)

    @property
    def _sending_held(self) -> bool:
        message = self._voice.sender.message
        return message is not None and bool(self._held) and message is self._held[0]

    def _hear(self, data: bytes, line_ms: int, random: bytes, effects: list[ModemEffect]) -> None:
        voice = self._voice
        voice.heard(line_ms)
        try:
            frame = Frame.parse(data)
        except DecodeError:
            voice.counts.dropped += 1
            return
        ours = frame.m_id == self._m_id and frame.meter_id == self._meter_id
        if int(frame.flags) & _UP:
            voice.counts.dropped += 1
            self._slot_at_ms = None
            return
        if not int(frame.flags) & _ACK:
            self._yield_line(frame, ours)
        if not ours:
            self._attend(frame, line_ms, random)
        elif int(frame.flags) & _ACK:
            self._hear_ack(frame, line_ms, effects)
        elif int(frame.flags) & _PIECE:
            self._hear_piece(frame, line_ms, effects)
        else:
            effects.append(Deliver(data))

    def _yield_line(self, frame: Frame, ours: bool) -> None:
        """The station begins something: no slot is open, and a message of which it had all but acknowledged the last
        fragment is through. A held one stays: the next invitation shows whether it is."""
        self._slot_at_ms = None
        sender = self._voice.sender
        if not ours and sender.at_last and not frame.flags & FrameFlags.MORE:
            sender.drop()

    def _attend(self, frame: Frame, line_ms: int, random: bytes) -> None:
        if frame.meter_id != BROADCAST_ID:
            self._voice.counts.dropped += 1
            return
        try:
            window = Attention.parse(frame.payload)
        except DecodeError:
            self._voice.counts.dropped += 1
            return
        if not self._held or self._answers or not self._voice.sender.idle:
            return
        if self._skip:
            self._skip -= 1
            return
        slot = int.from_bytes(random[:2], "big") % window.slots
        self._slot_at_ms = line_ms + self.timing.turnaround_ms + slot * max(window.slot_ms, self.timing.slot_ms)

    def _hear_ack(self, frame: Frame, line_ms: int, effects: list[ModemEffect]) -> None:
        held = self._sending_held
        self._voice.acknowledged(frame, line_ms, effects)
        if held:
            self._misses = 0
            if self._voice.sender.idle and self._voice.sender.through:
                self._held.popleft()

    def _hear_piece(self, frame: Frame, line_ms: int, effects: list[ModemEffect]) -> None:
        heard = self._receiver.receive(frame)
        if heard.fresh and not self._voice.sender.idle:
            # Called anew: the station does not wait for the old answer any more.
            self._voice.sender.drop()
            self._answers.clear()
        if heard.ack is not None:
            end_ms = self._voice.plain(heard.ack, line_ms, effects)
            if not self._voice.sender.idle:
                self._voice.deadline_ms = max(self._voice.deadline_ms, end_ms + self.timing.turnaround_ms)
        if heard.message is not None:
            effects.append(Deliver(heard.message.build()))

    def _go_on(self, line_ms: int, random: bytes, busy: bool, effects: list[ModemEffect]) -> int | None:
        voice = self._voice
        if not voice.sender.idle:
            if line_ms < voice.deadline_ms:
                return voice.deadline_ms
            if self._sending_held and voice.sender.state is SenderState.FIRST:
                voice.sender.drop()
                self._back_off(random)
            else:
                wait_ms = voice.must_wait_ms(line_ms, busy=busy)
                if wait_ms is not None:
                    return wait_ms
                if voice.repeat(line_ms, effects, random):
                    return voice.deadline_ms
        if self._answers:
            wait_ms = voice.must_wait_ms(line_ms, busy=busy)
            if wait_ms is not None:
                return wait_ms
            self._slot_at_ms = None
            voice.begin(voice.cut(self._answers.popleft()), line_ms, effects)
            return voice.deadline_ms
        return self._use_slot(line_ms, busy, effects)

    def _back_off(self, random: bytes) -> None:
        self.counts.unheard += 1
        self._misses = min(self._misses + 1, BACK_OFF_DOUBLINGS_MAX)
        self._skip = int.from_bytes(random[2:4], "big") % (1 << self._misses)

    def _use_slot(self, line_ms: int, busy: bool, effects: list[ModemEffect]) -> int | None:
        if self._slot_at_ms is None:
            return None
        if line_ms < self._slot_at_ms:
            return self._slot_at_ms
        self._slot_at_ms = None
        # Somebody was earlier: the next invitation will come.
        if busy or not self._held:
            return None
        self._voice.begin(self._held[0], line_ms, effects)
        return self._voice.deadline_ms
