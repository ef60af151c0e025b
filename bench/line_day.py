"""One local station on the modelled line, with real meters, for benchmarks of the line.

Everything that speaks is real: the station, its modem and the meters' modems, meters that lived a day of a real house,
sessions with the host's half of the protocol. Only the medium is the model of `prewatt.link.line`, and the host is a
loop that does what dispatch does: it keeps as many sessions open as dispatch would on this line, and sends value in
urgent rounds. The meters stand evenly from 20 m to 2,900 m.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from prewatt.apps.street.loads import home_load
from prewatt.codec.batch import Item
from prewatt.codec.bodies import Commission, Transfer, UsageQuery
from prewatt.codec.commands import Code, Command
from prewatt.codec.frame import Frame, FrameFlags
from prewatt.codec.hop import Answers, Kept, KeptAck, Members, Round, build_hop, parse_hop
from prewatt.codec.modetable import flat_table
from prewatt.crypto import suite
from prewatt.device.meter import Birth, Cover, LineFrame, LineSend, Load, Meter
from prewatt.device.meter import Tick as MeterTick
from prewatt.device.meter.nvm import MemoryNvm
from prewatt.device.modem import MasterModem, SlaveModem
from prewatt.device.now import Now
from prewatt.device.spool import MemorySpool
from prewatt.device.station import FromAbove, LineHeard, LineHeld, LocalStation, StationEvent, Tick, Uplink, UplinkUp
from prewatt.device.station import LineSend as StationSend
from prewatt.device.station import WakeAtLine as StationWake
from prewatt.host.dispatch import DispatchSettings
from prewatt.host.lines import line_cost
from prewatt.link.line import ModemLine, profile_named, quiet_within_ms
from prewatt.protocol.host import Done, HostSession, Send
from prewatt.units import DAY_S, MINUTE_S, Address, MeterId, Micro
from prewatt.units import Sequence as MoneySequence

__all__ = ["Home", "LineDay"]

_NEAREST_M, _FARTHEST_M = 20, 2_900
_START_S: Final = 1_767_225_600
_DAY: Final = _START_S // DAY_S
_MS: Final = 1_000
_ADDRESS: Final = Address(1, 1)
_LIFE_SHARE: Final = 4
_EPOCH: Final = 1 << 24
_RANDOM: Final = bytes(range(32))


class Home:
    """One meter with a day behind it, its key, and its end of the line."""

    def __init__(self, number: int, days: int = 1) -> None:
        self.m_id, self.meter_id = number, MeterId((number + 1).to_bytes(3, "big"))
        self.key = number.to_bytes(32, "big")
        self.end = -1
        self.number = 0
        self.money = _EPOCH
        nvm, now = MemoryNvm(), Now(0, _START_S)
        birth = Birth(self.meter_id, number, "aes-2026", {1: self.key}, 150_000, flat_table())
        Meter.manufacture(nvm, birth)
        self.meter = Meter.power_up(nvm, now, _RANDOM)
        self._commission()
        home = home_load(number)
        for minute_s in range(_START_S, _START_S + days * DAY_S, MINUTE_S):
            pulses, angle_cdeg = home.at(minute_s)
            self.meter.step(Load(0, minute_s, pulses, angle_cdeg), Now(0, minute_s), _RANDOM)
        self.born_s = _START_S + days * DAY_S
        effects = self.meter.step(MeterTick(), Now(0, self.born_s), _RANDOM)
        # The Report of its day, which it says by itself; who polls it does not need it.
        self.reports = [effect.data for effect in effects if isinstance(effect, LineSend)]

    def session(self, command: Command) -> HostSession:
        """The host's half of a session for ``command``."""
        self.number += 1
        random = self.number.to_bytes(32, "big")
        return HostSession(self.meter_id, suite("aes-2026"), 1, self.key, command, random)

    def query(self) -> Command:
        """What a poll asks: the receipt, registers, tamper state and the minutes of the day before."""
        return Command(Code.USAGE, MoneySequence(0), UsageQuery(self.born_s, _DAY, 0, bytes(8), 0).build())

    def value(self) -> Command:
        """The next order of value; ``money`` moves on when it is proved."""
        sequence = self.money + 1
        body = Transfer(Micro(5_000_000), sequence.to_bytes(8, "big")).build()
        return Command(Code.VALUE, MoneySequence(sequence), body)

    def _commission(self) -> None:
        tag = b"\x80" + bytes(7)
        host = self.session(Command(Code.COMMISSION, MoneySequence(1), Commission(epoch=1, tag=tag).build()))
        payload = host.hello()
        for _ in range(2):
            frame = Frame(self.m_id, FrameFlags.NONE, 0, self.meter_id, payload).build()
            effects = self.meter.step(LineFrame(frame), Now(0, _START_S), _RANDOM)
            reply = host.receive(Frame.parse(next(e.data for e in effects if isinstance(e, LineSend))).payload)
            payload = reply.payload if isinstance(reply, Send) else b""
        if not isinstance(reply, Done):
            raise RuntimeError("a meter could not be commissioned")


class LineDay:
    """The station, its line and its homes, and a host that polls them."""

    def __init__(self, profile_name: str, homes: Sequence[Home], seed: int) -> None:
        self.profile, self.homes = profile_named(profile_name), homes
        self.line = ModemLine(self.profile, seed)
        self.by_id = {home.meter_id: home for home in homes}
        self.station = LocalStation(MemorySpool(bytes(8)), _ADDRESS, 0)
        self.master = MasterModem(self.profile.timing, self.station.knows, seed & 0xFF)
        self.end = self.line.attach(self.master, 0)
        self.modems = []
        step_m = (_FARTHEST_M - _NEAREST_M) / max(1, len(homes) - 1)
        for index, home in enumerate(homes):
            modem = SlaveModem(self.profile.timing, home.meter_id, home.m_id, index & 0xFF)
            self.modems.append(modem)
            home.end = self.line.attach(modem, round(_NEAREST_M + index * step_m))
        self._home_at = {home.end: home for home in homes}
        self._wake_ms: int | None = None
        self._round = 0
        self._down: deque[bytes] = deque()
        # Who was called in which round, and in which round whose answer is waited for.
        self._rounds: dict[int, list[MeterId]] = {}
        self._waits_in: dict[MeterId, int] = {}
        self._held = False
        self.open: dict[MeterId, tuple[HostSession, bool, Callable[[bool], None]]] = {}
        self.until_ms: dict[MeterId, int] = {}
        # When a meter's Report or Alarm first came up, by its type.
        self.kept_ms: dict[tuple[MeterId, int], int] = {}
        cost = line_cost(profile_name)
        settings = DispatchSettings()
        self.session_ms, self.cost_ms = settings.session_most_ms, cost.session_ms
        self.at_once = max(1, min(settings.round_ms, settings.session_most_ms // _LIFE_SHARE) // cost.session_ms)
        members = Members(_ADDRESS, 1, tuple((home.meter_id, home.m_id) for home in homes))
        self._station(UplinkUp(True))
        plan = replace(cost.plan(_ADDRESS), answer_within_ms=quiet_within_ms(self.profile))
        for message in (members, plan):
            self._station(FromAbove(build_hop(message)))

    @property
    def transmitted(self) -> int:
        """Fragments and acknowledgements put on the line."""
        return self.line.transmitted

    @property
    def now_ms(self) -> int:
        """Line time."""
        return self.line.now_ms

    def begin(self, home: Home, command: Command, done: Callable[[bool], None], *, urgent: bool = False) -> None:
        """Opens a session; ``done`` is told at its end whether the meter proved that it had the Command."""
        session = home.session(command)
        self.open[home.meter_id] = (session, urgent, done)
        self.until_ms[home.meter_id] = self.now_ms + self.session_ms
        self._post([(home.meter_id, session.hello())], urgent=urgent)

    def run_for(self, lasts_ms: int) -> None:
        """Works on for so long."""
        until_ms = self.now_ms + lasts_ms
        self.run(lambda: not self._down and min(self._due()) > until_ms)
        self.line.now_ms = max(self.now_ms, until_ms)

    def _due(self) -> list[int]:
        return [at_ms for at_ms in (self.line.next_ms, self._wake_ms) if at_ms is not None]

    def run(self, until: Callable[[], bool]) -> None:
        """Works on until ``until`` holds."""
        while not until():
            while self._down:
                self._station(FromAbove(self._down.popleft()))
            times = self._due()
            if self.line.next_ms is not None and self.line.next_ms == min(times):
                self._step_line()
            else:
                self.line.now_ms, self._wake_ms = max(self.now_ms, min(times)), None
                self._station(Tick())
            for meter_id in [each for each, at_ms in self.until_ms.items() if at_ms <= self.now_ms]:
                self._end(meter_id, False)

    def _step_line(self) -> None:
        for delivered in self.line.step():
            if delivered.end == self.end:
                self._station(LineHeard(delivered.data))
            else:
                self.tell(self._home_at[delivered.end], LineFrame(delivered.data))
        held = self.line.holding(self.end)
        if held is not self._held:
            self._held = held
            self._station(LineHeld(held))

    def tell(self, home: Home, event: LineFrame | Cover) -> None:
        """Gives a meter an event, and its modem what comes of it."""
        now = Now(self.now_ms, home.born_s + self.now_ms // _MS)
        for effect in home.meter.step(event, now, self.now_ms.to_bytes(32, "big")):
            if isinstance(effect, LineSend):
                self.line.send(home.end, effect.data, self.now_ms)

    def _station(self, event: StationEvent) -> None:
        self._wake_ms = None
        for effect in self.station.step(event, self.now_ms):
            if isinstance(effect, StationSend):
                self.line.send(self.end, effect.data, self.now_ms, urgent=effect.urgent)
            elif isinstance(effect, StationWake):
                self._wake_ms = effect.line_ms
            elif isinstance(effect, Uplink):
                self._above(effect.data)

    def _above(self, data: bytes) -> None:
        message = parse_hop(data)
        if isinstance(message, Kept):
            for meter_id, payload in message.items:
                self.kept_ms.setdefault((meter_id, payload[0]), self.now_ms)
            last = message.first + len(message.items) - 1
            self._down.append(build_hop(KeptAck(_ADDRESS, message.spool, last)))
        elif isinstance(message, Answers):
            calls: dict[bool, list[Item]] = {False: [], True: []}
            for meter_id, payload in message.items:
                self._answer(meter_id, payload, calls)
            if message.done:
                for meter_id in self._rounds.pop(message.number, ()):
                    if self._waits_in.get(meter_id) == message.number:
                        self._end(meter_id, False)
            for urgent, items in calls.items():
                self._post(items, urgent=urgent)

    def _answer(self, meter_id: MeterId, payload: bytes, calls: dict[bool, list[Item]]) -> None:
        session, urgent, _ = self.open.get(meter_id, (None, False, None))
        reply = session.receive(payload) if session is not None else None
        self._waits_in.pop(meter_id, None)
        if isinstance(reply, Send):
            calls[urgent].append((meter_id, reply.payload))
        elif isinstance(reply, Done):
            self._end(meter_id, True)

    def _end(self, meter_id: MeterId, done: bool) -> None:
        del self.until_ms[meter_id]
        self._waits_in.pop(meter_id, None)
        self.open.pop(meter_id)[2](done)

    def _post(self, items: Sequence[Item], *, urgent: bool) -> None:
        if items:
            self._round += 1
            self._rounds[self._round] = [meter_id for meter_id, _ in items]
            self._waits_in.update((meter_id, self._round) for meter_id, _ in items)
            self._down.append(build_hop(Round(_ADDRESS, self._round, urgent, tuple(items))))
