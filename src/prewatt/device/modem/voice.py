"""What both modems have: one transmitter on a line where one speaks at a time, and the message it is sending.

Nothing goes out before the modem has turned from hearing to sending, and nothing while it is still sending. Before it
repeats or begins anything it listens: where the line is in use it waits, but not for ever, so that no transmitter that
is stuck, foreign or hostile can keep it from trying.
"""

from typing import Final

from prewatt.codec.frame import Frame
from prewatt.codec.messages import PAYLOAD_BYTES_MAX
from prewatt.device.modem.events import ModemCounts, ModemEffect, Transmit
from prewatt.protocol.airtime import LineTiming
from prewatt.protocol.arq import ArqSender, LineMessage

__all__ = ["Voice"]

# From the second repeat on, a wait of a random number of mini-slots: two who repeat in step soon do not.
_JITTER_SLOTS: Final = 4
# The longest fragment so often over: more patience than that is for somebody who is not keeping to the rules.
_BUSY_FRAGMENTS_MAX: Final = 4
# And so many of the longest messages over, where one transmission follows the other: no exchange lasts as long.
_BUSY_MESSAGES_MAX: Final = 2
_NUMBERS: Final = 256


class Voice:
    """The sending half of a modem."""

    __slots__ = (
        "_busy_longest_ms",
        "_busy_until_ms",
        "_repeats",
        "counts",
        "deadline_ms",
        "extra_ms",
        "number",
        "ready_ms",
        "sender",
        "timing",
    )

    def __init__(self, timing: LineTiming, number: int, extra_ms: int) -> None:
        self.timing = timing
        self.number = number % _NUMBERS
        self.sender = ArqSender()
        self.counts = ModemCounts()
        # Beyond the time of the acknowledgement; both sides have another, so that they do not repeat as one.
        self.extra_ms = extra_ms
        self.ready_ms = 0
        self.deadline_ms = 0
        self._repeats = 0
        self._busy_until_ms: int | None = None
        self._busy_longest_ms: int | None = None

    def heard(self, line_ms: int) -> None:
        """A transmission ended now; whoever answers turns first."""
        self.ready_ms = max(self.ready_ms, line_ms + self.timing.turnaround_ms)
        self._busy_until_ms = None

    def plain(self, frame: Frame, line_ms: int, effects: list[ModemEffect]) -> int:
        """Puts a frame on the line as soon as it may be; when its last bit is gone."""
        data = frame.build()
        at_ms = max(line_ms, self.ready_ms)
        effects.append(Transmit(data, at_ms))
        end_ms = at_ms + self.timing.air_ms(len(data))
        self.ready_ms = end_ms + self.timing.turnaround_ms
        return end_ms

    def fragment(self, frame: Frame, line_ms: int, effects: list[ModemEffect]) -> None:
        """Puts a fragment of the message on the line; its acknowledgement is waited for."""
        self._repeats = 0
        self._put(frame, line_ms, effects, 0)

    def _put(self, frame: Frame, line_ms: int, effects: list[ModemEffect], chance: int) -> None:
        end_ms = self.plain(frame, line_ms, effects)
        jitter_ms = chance % _JITTER_SLOTS * self.timing.slot_ms if self._repeats else 0
        self.deadline_ms = end_ms + self.timing.ack_within_ms + self.extra_ms + jitter_ms

    def cut(self, frame: Frame) -> LineMessage:
        """The message of a whole frame, with the next numbers."""
        message = LineMessage.cut(frame, self.number, self.timing.fragment_bytes)
        self.number = message.following
        return message

    def begin(self, message: LineMessage, line_ms: int, effects: list[ModemEffect]) -> None:
        """Sends the first fragment."""
        self.fragment(self.sender.give(message), line_ms, effects)

    def acknowledged(self, frame: Frame, line_ms: int, effects: list[ModemEffect]) -> None:
        """Takes an acknowledgement and sends what follows from it."""
        following = self.sender.acknowledged(frame)
        if following is not None:
            self.fragment(following, line_ms, effects)

    def repeat(self, line_ms: int, effects: list[ModemEffect], random: bytes) -> bool:
        """Sends the fragment again after a silence; False where the message is given up instead."""
        again = self.sender.silence()
        if again is None:
            self.counts.given_up += 1
            return False
        self.counts.repeated += 1
        self._repeats += 1
        self._put(again, line_ms, effects, random[0] if random else 0)
        return True

    def must_wait_ms(self, line_ms: int, *, busy: bool) -> int | None:
        """When to look again, where nothing may be begun now; None where it may."""
        if line_ms < self.ready_ms:
            return self.ready_ms
        if busy:
            if self._busy_until_ms is None:
                self._busy_until_ms = line_ms + _BUSY_FRAGMENTS_MAX * self.timing.fragment_ms
            longest_ms = self._busy_longest_ms
            # One that passed long ago is of an earlier wait.
            if longest_ms is None or line_ms > longest_ms + self.timing.silence_ms:
                longest_ms = line_ms + _BUSY_MESSAGES_MAX * self.timing.message_ms(PAYLOAD_BYTES_MAX)
                self._busy_longest_ms = longest_ms
            if line_ms < min(self._busy_until_ms, longest_ms):
                return line_ms + self.timing.slot_ms
        self._busy_until_ms = self._busy_longest_ms = None
        return None
