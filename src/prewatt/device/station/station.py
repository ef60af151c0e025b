"""A local station as a value: (event, line time) -> effects.

The line is shared and half-duplex, so the station calls one meter at a time. Answers go up round by round and are never
stored. What meters say by themselves is in the spool before anything else happens with it, and goes up, in order, until
it is durable above. The station reads no payload but its first byte, has no key, and believes no frame that is not from
one of its members. Losing its power is dropping the object; making a new one on the same spool is what comes after.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from prewatt.codec.errors import DecodeError
from prewatt.codec.frame import Frame, FrameFlags
from prewatt.codec.hop import (
    Health,
    HopMessage,
    KeptAck,
    Members,
    Plan,
    RefusedReason,
    Round,
    build_hop,
    parse_hop,
)
from prewatt.codec.messages import MessageType
from prewatt.device.refusing import NotTakenError, refused
from prewatt.device.spool import Spool, SpoolError, count_boot
from prewatt.device.station.below import check_members, check_plan, keep, load_members, load_plan
from prewatt.device.station.calling import Calling
from prewatt.device.station.events import (
    FromAbove,
    LineHeard,
    LineHeld,
    StationEffect,
    StationEvent,
    Uplink,
    UplinkUp,
    WakeAtLine,
)
from prewatt.device.station.keeping import KEPT_KINDS, Keeping
from prewatt.device.station.rounds import LATE_ROUND, ROUNDS_MAX, Rounds
from prewatt.units import Address, MeterId, format_meter_id

__all__ = ["LocalStation"]

# What ends the waiting for a called meter.
_ANSWER_KINDS: Final = frozenset(map(int, (MessageType.PROOF, MessageType.RESULT, MessageType.REFUSAL)))
_COUNT_MAX: Final = 2**32 - 1
# How many meters a sentence for a person names.
_NAMED_MAX: Final = 8


class LocalStation:
    """One station with power. Its uplink is down until it is told otherwise."""

    def __init__(self, spool: Spool, address: Address, line_ms: int, fresh_id: bytes | None = None) -> None:
        """``spool``: its memory, maybe of an earlier life; ``line_ms``: line time now, in milliseconds; ``fresh_id``: 8
        random bytes drawn for this start, or None where the memory cannot be an older copy of itself."""
        self._spool, self._address = spool, address
        self._boots = count_boot(spool)
        self._members, self._plan = load_members(spool, address), load_plan(spool, address)
        self._m_ids = dict(self._members.members)
        self._keeping = Keeping(spool, address, fresh_id)
        self._rounds = Rounds()
        self._calling = Calling(self._rounds, line_ms)
        self._up = False
        self._foreign = 0
        self._health_ms = line_ms
        self._saying: list[HopMessage] = []
        self._health_wanted = False

    @property
    def members(self) -> Mapping[MeterId, int]:
        """M-ID of each meter below this station."""
        return dict(self._m_ids)

    @property
    def plan(self) -> Plan:
        """How the station works now."""
        return self._plan

    def knows(self, meter_id: MeterId, m_id: int) -> bool:
        """Whether this meter stands below this station with this M-ID."""
        return self._m_ids.get(meter_id) == m_id

    def step(self, event: StationEvent, line_ms: int) -> list[StationEffect]:
        """What the station does about ``event`` at line time ``line_ms`` (milliseconds, never falling).

        Frames that are no frames or no member's change nothing but a count; a box message that is not taken is
        answered with Refused and changes nothing.
        """
        match event:
            case FromAbove():
                self._hear_above(event.data, line_ms)
            case LineHeard():
                self._hear_line(event.data, line_ms)
            case LineHeld():
                self._calling.hold(line_ms, held=event.held)
            case UplinkUp():
                self._turn_uplink(line_ms, up=event.up)
        return self._go_on(line_ms)

    def _hear_above(self, data: bytes, line_ms: int) -> None:
        try:
            self._take(data, line_ms)
        except NotTakenError as error:
            self._saying.append(refused(self._address, data, error))

    def _take(self, data: bytes, line_ms: int) -> None:
        try:
            message = parse_hop(data)
        except DecodeError as error:
            raise NotTakenError(RefusedReason.UNREADABLE, str(error)) from None
        if message.address != self._address:
            raise NotTakenError(RefusedReason.FOREIGN, f"address: {message.address} came to station {self._address}")
        match message:
            case Round():
                self._take_round(message, data, line_ms)
            case KeptAck():
                self._keeping.acknowledged(message.spool, message.number)
            case Members():
                self._take_members(message)
            case Plan():
                self._take_plan(message)
            case _:
                raise NotTakenError(RefusedReason.DIRECTION, f"kind {data[1]:02X} goes up, and came down")

    def _take_round(self, message: Round, data: bytes, line_ms: int) -> None:
        if self._rounds.is_copy(data):
            return
        strangers = [meter_id for meter_id, _ in message.items if meter_id not in self._m_ids]
        if strangers:
            message = replace(message, items=tuple(item for item in message.items if item[0] in self._m_ids))
        if not self._rounds.take(message, line_ms + self._plan.item_life_ms):
            raise NotTakenError(RefusedReason.FULL, f"rounds: {ROUNDS_MAX} are not worked through yet")
        if strangers:
            named = ", ".join(map(format_meter_id, strangers[:_NAMED_MAX]))
            named += " ..." if len(strangers) > _NAMED_MAX else ""
            raise NotTakenError(RefusedReason.NOT_MEMBER, f"meter: not below this station: {named}")

    def _take_members(self, message: Members) -> None:
        check_members(message)
        self._keep(message)
        after = dict(message.members)
        gone = frozenset(meter_id for meter_id, m_id in self._m_ids.items() if after.get(meter_id) != m_id)
        self._members, self._m_ids = message, after
        self._rounds.leave(gone)
        self._calling.leave(gone)

    def _take_plan(self, message: Plan) -> None:
        check_plan(message)
        self._keep(message)
        self._plan = message

    def _keep(self, message: Members | Plan) -> None:
        try:
            keep(self._spool, message)
        except SpoolError as error:
            raise NotTakenError(RefusedReason.NOT_STORED, f"memory: {error}") from None
        self._health_wanted = True

    def _hear_line(self, data: bytes, line_ms: int) -> None:
        try:
            frame = Frame.parse(data)
        except DecodeError:
            return
        if frame.flags is not FrameFlags.UP or not frame.payload:
            return
        # The id decides, not the M-ID alone: frames of the neighbour transformer do arrive here.
        if not self.knows(frame.meter_id, frame.m_id):
            self._foreign = min(self._foreign + 1, _COUNT_MAX)
            return
        item = (frame.meter_id, frame.payload)
        self._calling.heard(frame.meter_id)
        if frame.payload[0] in KEPT_KINDS:
            self._keeping.take(item)
        elif frame.payload[0] in _ANSWER_KINDS:
            call = self._calling.answered(frame.meter_id)
            self._rounds.answer(LATE_ROUND if call is None else call.number, item, line_ms, self._plan)

    def _turn_uplink(self, line_ms: int, *, up: bool) -> None:
        self._up = up
        if up:
            self._keeping.link_is_new()
            self._rounds.uplink_back(line_ms)
            self._health_wanted = True
        else:
            self._rounds.uplink_gone()

    def _go_on(self, line_ms: int) -> list[StationEffect]:
        effects: list[StationEffect] = [*self._calling.go_on(line_ms, self._plan, self._m_ids)]
        dues = [self._calling.due_ms(self._plan)]
        if self._up:
            effects += [Uplink(build_hop(message)) for message in self._say(line_ms)]
            dues += (self._rounds.due_ms(), self._keeping.due_ms(), self._health_ms)
        self._saying = []
        wakes = [due_ms for due_ms in dues if due_ms is not None]
        if wakes:
            effects.append(WakeAtLine(max(min(wakes), line_ms + 1)))
        return effects

    def _say(self, line_ms: int) -> list[HopMessage]:
        """What goes up now."""
        said = self._saying
        if self._health_wanted or line_ms >= self._health_ms:
            said.append(self._health())
            self._health_wanted, self._health_ms = False, line_ms + self._plan.health_ms
        said += self._rounds.pick(self._address, line_ms)
        kept = self._keeping.pick(line_ms, self._plan.kept_retry_ms)
        if kept is not None:
            said.append(kept)
        return said

    def _health(self) -> Health:
        return Health(
            address=self._address,
            boots=self._boots,
            members_version=self._members.version,
            plan_version=self._plan.version,
            waiting=self._keeping.waiting,
            dropped=min(self._keeping.dropped, _COUNT_MAX),
            overtaken=min(self._rounds.overtaken, _COUNT_MAX),
            foreign=self._foreign,
            silent=tuple(sorted(self._calling.silent)),
        )
