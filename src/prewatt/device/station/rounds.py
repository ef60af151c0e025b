"""Rounds in a station: what waits for the line, in which order, and which answers go up together.

Urgent messages (money) go first, at the next frame boundary; inside each class first come first served. For each meter
at most one message of a session waits, and one acknowledgement of an Alarm. A newer round's message takes the place of
an older one that still waits: the host runs one session with a meter, so what it sent last is what it wants, and the
older would only make the meter begin a session that nobody goes on with. Never the other way round: a round that
arrives late takes nobody's place, or a stale Hello would cost a Command. What is dropped is counted, and ends its
round's waiting like an answer; no message here is the only copy of anything (the host retries by rule R6).
"""

from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final, NamedTuple

from prewatt.codec.batch import METERS_MAX, Item
from prewatt.codec.hop import Answers, Plan, Round
from prewatt.codec.messages import MessageType
from prewatt.units import Address, MeterId

__all__ = ["LATE_ROUND", "ROUNDS_MAX", "ROUNDS_REMEMBERED", "Call", "Rounds"]

# Rounds whose copies are known and dropped: a carrier that doubles does it soon.
ROUNDS_REMEMBERED: Final = 64
# Each has at least one of the 512 messages that may wait, or something that waits for the uplink.
ROUNDS_MAX: Final = 1_024
# Answers that came after their time belong to no round.
LATE_ROUND: Final = 0
_NUMBER_SPAN: Final = 1 << 32


class Call(NamedTuple):
    """One message of a round that waits for the line."""

    meter_id: MeterId
    payload: bytes
    number: int
    urgent: bool
    until_ms: int

    @property
    def answered(self) -> bool:
        """Whether a meter answers it; an acknowledgement of an Alarm is the one message that none does."""
        return self.payload[0] != MessageType.ALARM_ACK

    @property
    def place(self) -> tuple[MeterId, bool]:
        """What there is one of at a time."""
        return self.meter_id, self.answered


@dataclass(slots=True)
class _Progress:
    """One round: how many of its messages are still to be worked off, and what was answered since it last went up."""

    urgent: bool
    outstanding: int = 0
    answers: list[Item] = field(default_factory=list)
    hold_until_ms: int = 0
    stale_at_ms: int = 0


class Rounds:
    """Everything here is lost with the station's power, and may be."""

    __slots__ = ("_heard", "_ordinary", "_progress", "_urgent", "overtaken")

    def __init__(self) -> None:
        self._urgent: dict[tuple[MeterId, bool], Call] = {}
        self._ordinary: dict[tuple[MeterId, bool], Call] = {}
        self._progress: dict[int, _Progress] = {}
        self._heard: dict[bytes, None] = {}
        self.overtaken = 0

    @property
    def waiting(self) -> int:
        """How many messages wait for the line."""
        return len(self._urgent) + len(self._ordinary)

    @property
    def urgent(self) -> bool:
        """Whether an urgent message waits."""
        return bool(self._urgent)

    def is_copy(self, data: bytes) -> bool:
        """Whether this very round came before; it is remembered."""
        digest = sha256(data).digest()
        if digest in self._heard:
            return True
        if len(self._heard) >= ROUNDS_REMEMBERED:
            del self._heard[next(iter(self._heard))]
        self._heard[digest] = None
        return False

    def take(self, message: Round, until_ms: int) -> bool:
        """Lets the messages of a round wait, until ``until_ms`` at the latest; False where too many rounds wait."""
        if len(self._progress) >= ROUNDS_MAX:
            return False
        progress = self._progress.setdefault(message.number, _Progress(message.urgent))
        queue = self._urgent if message.urgent else self._ordinary
        for meter_id, payload in message.items:
            call = Call(meter_id, payload, message.number, message.urgent, until_ms)
            place = call.place
            older = self._urgent.get(place) or self._ordinary.get(place)
            if older is not None and not _follows(call.number, older.number):
                self.overtaken += 1
                continue
            progress.outstanding += 1
            if older is not None:
                self._drop(older)
            queue[place] = call
        return True

    def next(self, line_ms: int) -> Call | None:
        """Takes out the message to send now; None where none waits. It counts as outstanding until `worked_off`."""
        while self._urgent or self._ordinary:
            queue = self._urgent or self._ordinary
            call = queue.pop(next(iter(queue)))
            if line_ms < call.until_ms:
                return call
            self.overtaken += 1
            self.worked_off(call.number)
        return None

    def worked_off(self, number: int) -> None:
        """One message of the round will bring no more answer."""
        progress = self._progress.get(number)
        if progress is not None and progress.outstanding:
            progress.outstanding -= 1

    def answer(self, number: int, item: Item, line_ms: int, plan: Plan) -> None:
        """A meter's answer to a message of the round, or to none (LATE_ROUND)."""
        progress = self._progress.get(number)
        if progress is None:
            progress = self._progress[number] = _Progress(urgent=True)
        if len(progress.answers) >= METERS_MAX:
            return
        if not progress.answers:
            progress.hold_until_ms = line_ms + (plan.hold_urgent_ms if progress.urgent else plan.hold_answers_ms)
        progress.stale_at_ms = line_ms + plan.item_life_ms
        progress.answers.append(item)

    def leave(self, gone: frozenset[MeterId]) -> None:
        """These meters stand here no more: what waits for them is dropped."""
        for call in self._calls():
            if call.meter_id in gone:
                self._drop(call)

    def uplink_gone(self) -> None:
        """What only begins a session is dropped, since its Proof could not go up; the rest is still of use below."""
        for call in self._calls():
            if call.payload[0] == MessageType.HELLO:
                self._drop(call)

    def uplink_back(self, line_ms: int) -> None:
        """Answers that are too old for any session are dropped."""
        for progress in self._progress.values():
            if progress.answers and line_ms >= progress.stale_at_ms:
                progress.answers = []

    def pick(self, address: Address, line_ms: int) -> list[Answers]:
        """What goes up now: rounds that are worked through, and first answers that have waited long enough."""
        picked: list[Answers] = []
        for number, progress in list(self._progress.items()):
            done = not progress.outstanding and number != LATE_ROUND
            full = len(progress.answers) >= METERS_MAX
            due = bool(progress.answers) and (full or line_ms >= progress.hold_until_ms)
            if done or due:
                picked.append(Answers(address, number, done, tuple(progress.answers)))
                progress.answers = []
            if done or (number == LATE_ROUND and not progress.answers):
                del self._progress[number]
        return picked

    def due_ms(self) -> int | None:
        """When answers have waited long enough; None where none wait."""
        waiting = [each.hold_until_ms for each in self._progress.values() if each.answers]
        return min(waiting) if waiting else None

    def _calls(self) -> list[Call]:
        return [*self._urgent.values(), *self._ordinary.values()]

    def _drop(self, call: Call) -> None:
        self._urgent.pop(call.place, None)
        self._ordinary.pop(call.place, None)
        self.overtaken += 1
        self.worked_off(call.number)


def _follows(number: int, older: int) -> bool:
    """Whether a round's number is not before another's; numbers run round after 2^32."""
    return (number - older) % _NUMBER_SPAN < _NUMBER_SPAN // 2
