"""The station's side of the line: which meter is called, how long it has, and when anybody may speak.

One call at a time. A meter that does not answer within its time delays the rest by that time and no more. After each
call, and from time to time while nothing waits, an attention window opens, in which meters begin to say what they have
to say by themselves; an urgent message takes the line from a window. While the modem is in the middle of some meter's
message nothing begins, and the time of whoever was called stands still.
"""

from collections.abc import Mapping
from typing import Final

from prewatt.codec.attention import Attention
from prewatt.codec.frame import Frame, FrameFlags
from prewatt.codec.hop import Plan
from prewatt.device.station.events import LineSend
from prewatt.device.station.rounds import Call, Rounds
from prewatt.units import MeterId

__all__ = ["HELD_LONGEST_MS", "Calling"]

# No message keeps the slowest line for longer; a modem that says so has lost count, and must not stop the station.
HELD_LONGEST_MS: Final = 600_000

_NUMBERS: Final = 256


class Calling:
    """Everything here is lost with the station's power, and may be."""

    __slots__ = (
        "_call",
        "_held_ms",
        "_number",
        "_rounds",
        "_slot_ms",
        "_until_ms",
        "_window_due",
        "_window_ms",
        "silent",
    )

    def __init__(self, rounds: Rounds, line_ms: int) -> None:
        self._rounds = rounds
        self._call: Call | None = None
        self._until_ms = 0
        self._window_due = False
        # Until when the open window lasts, and when the last one opened.
        self._window_ms = self._slot_ms = line_ms
        self._held_ms: int | None = None
        self._number = 0
        self.silent: set[MeterId] = set()

    def hold(self, line_ms: int, *, held: bool) -> None:
        """The modem is in the middle of a meter's message, or is no more; then all times move on by as long."""
        if held and self._held_ms is None:
            self._held_ms = line_ms
        elif not held and self._held_ms is not None:
            lasted_ms = line_ms - self._held_ms
            self._until_ms += lasted_ms
            self._window_ms += lasted_ms
            self._held_ms = None

    def heard(self, meter_id: MeterId) -> None:
        """A member was heard, whatever it said."""
        self.silent.discard(meter_id)

    def called(self, meter_id: MeterId) -> Call | None:
        """The call of this meter that is under way; None where another or none is called."""
        return self._call if self._call is not None and self._call.meter_id == meter_id else None

    def answered(self, meter_id: MeterId) -> Call | None:
        """Ends the call of this meter and gives it; None where another or none is called."""
        call = self.called(meter_id)
        if call is not None:
            self._end(call)
        return call

    def leave(self, gone: frozenset[MeterId]) -> None:
        """These meters stand here no more."""
        self.silent -= gone
        if self._call is not None and self._call.meter_id in gone:
            self._end(self._call)

    def go_on(self, line_ms: int, plan: Plan, m_ids: Mapping[MeterId, int]) -> list[LineSend]:
        """What goes onto the line now."""
        sends: list[LineSend] = []
        if self._held_ms is not None:
            if line_ms < self._held_ms + HELD_LONGEST_MS:
                return sends
            self.hold(line_ms, held=False)
        if self._call is not None and line_ms >= self._until_ms:
            self.silent.add(self._call.meter_id)
            self._end(self._call)
        while self._call is None and (line_ms >= self._window_ms or self._rounds.urgent):
            if self._window_due and plan.slots and not self._rounds.urgent:
                sends.append(self._open_window(line_ms, plan))
                continue
            call = self._rounds.next(line_ms)
            if call is None:
                break
            sends.append(self._send(call, line_ms, plan, m_ids[call.meter_id]))
        if self._idle_since(line_ms, plan):
            sends.append(self._open_window(line_ms, plan))
        return sends

    def due_ms(self, plan: Plan) -> int | None:
        """When the line needs a Tick; None where it can wait."""
        if self._held_ms is not None:
            return self._held_ms + HELD_LONGEST_MS
        if self._call is not None:
            return self._until_ms
        if self._rounds.waiting:
            return self._window_ms
        return max(self._window_ms, self._slot_ms + plan.slot_period_ms) if plan.slots else None

    def _idle_since(self, line_ms: int, plan: Plan) -> bool:
        quiet = self._call is None and not self._rounds.waiting and bool(plan.slots)
        return quiet and line_ms >= max(self._window_ms, self._slot_ms + plan.slot_period_ms)

    def _end(self, call: Call) -> None:
        self._call = None
        self._window_due = True
        self._rounds.worked_off(call.number)

    def _send(self, call: Call, line_ms: int, plan: Plan, m_id: int) -> LineSend:
        if call.answered:
            self._call, self._until_ms = call, line_ms + plan.answer_within_ms
        else:
            self._rounds.worked_off(call.number)
        frame = Frame(m_id, FrameFlags.NONE, self._next_number(), call.meter_id, call.payload)
        return LineSend(frame.build(), call.urgent)

    def _open_window(self, line_ms: int, plan: Plan) -> LineSend:
        self._window_due = False
        self._slot_ms = line_ms
        self._window_ms = line_ms + plan.slots * plan.slot_ms
        return LineSend(Attention(plan.slots, plan.slot_ms).frame(self._next_number()).build())

    def _next_number(self) -> int:
        self._number = (self._number + 1) % _NUMBERS
        return self._number
