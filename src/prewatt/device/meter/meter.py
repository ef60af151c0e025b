"""The value store meter as one object: every part on one core, driven by events, answering with effects.

A step first catches up with the time (consumption), then takes its event, then sends what is due. Whatever changed is
in the journal before any effect is given out: no Result, no Report, no moved relay speaks of a state that a power cut
could take back. Communication never holds consumption up: the energy of every second before the frame is burned before
the frame is looked at, and a frame that does not prove itself changes nothing at all.
"""

from dataclasses import replace
from typing import Final

from prewatt.codec.commands import Code
from prewatt.codec.events import EventCode
from prewatt.codec.messages import MessageType, RefusalReason
from prewatt.device.meter.birth import Birth
from prewatt.device.meter.body import Body
from prewatt.device.meter.buzzer import buzzing_of
from prewatt.device.meter.bypass import FINDING_EVENTS, Finding, judge
from prewatt.device.meter.commands import Commands
from prewatt.device.meter.consumption import Consumption, Profile
from prewatt.device.meter.core import Core, manufacture
from prewatt.device.meter.events import (
    Button,
    Buzz,
    Buzzing,
    Cover,
    Display,
    Effect,
    Event,
    KeyPress,
    LastGasp,
    LineFrame,
    LineSend,
    Load,
    Measured,
    Sense,
    SourceAt,
    Surge,
    Tick,
    WakeAt,
)
from prewatt.device.meter.face import render_face
from prewatt.device.meter.modem import Modem
from prewatt.device.meter.money import Money
from prewatt.device.meter.nvm import Nvm
from prewatt.device.meter.panel import Panel
from prewatt.device.meter.relay import Cause, RelayEvent
from prewatt.device.meter.report import Outbox
from prewatt.device.meter.resume import resume
from prewatt.device.meter.sources import interlock, turn_to
from prewatt.device.meter.view import MeterView
from prewatt.device.now import Now
from prewatt.protocol.terminal import FALSE_COMMANDS_MAX, Answer, Execute, TerminalIdentity, TerminalSession
from prewatt.units import MINUTE_S

__all__ = ["Meter"]

_MS: Final = 1_000


class Meter:
    """A meter with power. Losing it without warning is dropping the object; `power_up` is what comes after."""

    __slots__ = (
        "_body",
        "_buzzing",
        "_commands",
        "_consumption",
        "_core",
        "_false_commands",
        "_fastest",
        "_findings",
        "_heard_money",
        "_modem",
        "_outbox",
        "_panel",
        "_session",
    )

    def __init__(self, core: Core, nvm: Nvm) -> None:
        """For `power_up` only."""
        self._core = core
        self._consumption = Consumption(core)
        self._commands = Commands(core, self._consumption)
        self._body = Body(core, nvm)
        self._outbox = Outbox(core)
        self._panel = Panel(core, self._commands, self._outbox)
        self._modem = Modem(core.certificate.meter_id, core.certificate.m_id)
        self._session = TerminalSession(self._identity())
        self._findings = [Finding.NORMAL] * core.sources
        self._buzzing = Buzzing.SILENT
        self._heard_money: Money | None = None
        self._false_commands = 0
        # The clock's highest speed since the last Proof: bounds the time that has passed since then.
        self._fastest = 1

    @classmethod
    def manufacture(cls, nvm: Nvm, birth: Birth) -> None:
        """Writes a new body's memory; ``power_up`` makes the meter of it."""
        manufacture(nvm, birth)

    @classmethod
    def power_up(cls, nvm: Nvm, now: Now, random: bytes) -> "Meter":
        """The meter that lives in ``nvm``, after whatever happened to its power.

        JournalError or SlotError for a memory that holds no whole meter: then it is refused, never guessed.
        """
        core = Core(nvm, now.line_ms)
        resume(core, now.meter_s)
        meter = cls(core, nvm)
        meter._body.power_up()
        meter._commands.programs.power_up()
        meter._zeroise_where_open(now)
        if any(causes & Cause.LOAD_LIMIT for causes in core.control.causes):
            meter._consumption.pause_until_s = now.meter_s + core.settings.load_pause_s
        return meter

    @property
    def money(self) -> Money:
        """The money state, for whoever checks the law."""
        return self._core.money

    @property
    def total_pulses(self) -> int:
        """All energy that has flowed through it."""
        return self._core.control.registers.total_pulses

    def view(self) -> MeterView:
        """What a person sees."""
        return render_face(self._core, self._consumption, self._panel.page, self._panel.prompt, self._panel.notice)

    def step(self, event: Event, now: Now, random: bytes) -> list[Effect]:
        """Catches up with ``now``, then takes ``event``; ``random`` are 32 fresh bytes.

        A Load or Measured lets the meter catch up only to where it begins, so that several can be given one after the
        other at one ``now``; any other event then works them off. ValueError for a source or key there is none of;
        JournalError where the memory does not hold what was written: drop the meter and power it up again.
        """
        core = self._core
        if isinstance(event, Load):
            self._take_load(event.source, Profile.of(event.minute_s, MINUTE_S, event.pulses, event.angle_cdeg), now)
        elif isinstance(event, Measured):
            self._take_load(event.source, Profile.of(event.second_s, 1, event.pulses, event.angle_cdeg), now)
        else:
            self._fastest = max(self._fastest, now.speed)
            self._consumption.advance(now.meter_s)
            if not isinstance(event, Tick):
                self._take(event, now, random)
        self._commands.programs.advance()
        self._settle(now)
        effects, core.effects = core.effects, []
        return effects

    def _take_load(self, source: int, profile: Profile, now: Now) -> None:
        self._consumption.advance(min(now.meter_s, profile.start_s))
        self._consumption.take(source, profile)

    def _take(self, event: Event, now: Now, random: bytes) -> None:
        core = self._core
        if isinstance(event, LineFrame):
            self._hear(event.data, now, random)
        elif isinstance(event, KeyPress):
            self._press(event.key, now)
        elif isinstance(event, Button):
            self._press_button()
        elif isinstance(event, Cover):
            self._move_cover(event, now)
        elif isinstance(event, Sense):
            self._sense(event)
        elif isinstance(event, SourceAt):
            turn_to(core, event.source)
        elif isinstance(event, Surge):
            self._body.surge()
        elif isinstance(event, LastGasp):
            core.log(EventCode.POWER_LOST)
            core.store()

    def _settle(self, now: Now) -> None:
        """Stores what waits, then sends what is due."""
        core = self._core
        if core.sells and core.money is not self._heard_money:
            self._buzz()
        if core.changed:
            core.store()
        if not self._outbox.idle:
            self._send_due(now)

    def _buzz(self) -> None:
        core = self._core
        self._heard_money = core.money
        buzzing = buzzing_of(core.money, core.settings.low_balance_micro)
        if buzzing is not self._buzzing:
            if self._buzzing is Buzzing.SILENT:
                core.log(EventCode.LOW_BALANCE, core.money.balance_micro.to_bytes(8, "big"))
            self._buzzing = buzzing
            core.effects.append(Buzz(buzzing))

    def _send_due(self, now: Now) -> None:
        core = self._core
        payloads = self._outbox.due_payloads(now.line_ms)
        core.effects += [LineSend(self._modem.send(payload)) for payload in payloads]
        next_ms = self._outbox.read_next_ms()
        if payloads and next_ms is not None:
            core.effects.append(WakeAt(now.meter_s - (-(next_ms - now.line_ms) * now.speed // _MS)))

    def _identity(self) -> TerminalIdentity:
        core = self._core
        return TerminalIdentity(
            meter_id=core.certificate.meter_id,
            suite=core.suite,
            keys=core.keys,
            life_ms=core.settings.session_life_s * _MS,
            boot_counter=core.control.boots,
        )

    def _hear(self, data: bytes, now: Now, random: bytes) -> None:
        payload = self._modem.receive(data)
        if payload is None:
            return
        if payload[:1] == bytes((MessageType.ALARM_ACK,)):
            self._outbox.take_ack(payload)
            return
        reply = self._session.receive(payload, line_ms=now.line_ms, random=random)
        if isinstance(reply, Answer) and reply.refusal is RefusalReason.SIGNATURE:
            self._false_commands += 1
        if isinstance(reply, Execute):
            self._tell_forgeries()
            self._outbox.hear(reply.key_set)
            result = self._session.result(self._commands.execute(reply, replace(now, speed=self._fastest)))
            if reply.code == Code.SETTINGS:
                interlock(self._core)
            self._session.identity = self._identity()
            self._core.effects.append(LineSend(self._modem.send(result)))
            self._show()
        elif isinstance(reply, Answer):
            if reply.payload[0] == MessageType.PROOF:
                self._fastest = now.speed
            self._core.effects.append(LineSend(self._modem.send(reply.payload)))

    def _tell_forgeries(self) -> None:
        """False Commands write nothing; the next true one takes their number into the log."""
        if self._false_commands >= FALSE_COMMANDS_MAX:
            self._core.log(EventCode.FORGERY_SUSPECTED, self._false_commands.to_bytes(4, "big"))
        self._false_commands = 0

    def _show(self) -> None:
        self._core.effects.append(Display(self.view().lcd))

    def _press(self, key: str, now: Now) -> None:
        payload = self._panel.press(key, now.line_ms)
        if payload is not None:
            self._core.effects.append(LineSend(self._modem.send(payload)))
        self._show()

    def _press_button(self) -> None:
        """The local button: resets an over-current, closes what the network armed, takes emergency credit."""
        core = self._core
        core.relay(RelayEvent.BUTTON)
        self._keep_tamper()
        granted = core.settings.emergency_micro
        if core.control.causes[0] & Cause.ZERO and core.money.commissioned and core.money.owed_micro < granted:
            core.control.emergency = True
            core.relay(RelayEvent.EMERGENCY_GRANTED)
        self._show()

    def _keep_tamper(self) -> None:
        if self._core.control.cover_open and self._core.settings.cover_trips:
            self._core.relay(RelayEvent.COVER_OPENED)

    def _move_cover(self, event: Cover, now: Now) -> None:
        self._body.cover(opened=event.opened)
        self._zeroise_where_open(now)

    def _zeroise_where_open(self, now: Now) -> None:
        """Erases the keys behind an opened cover where the settings say so, also one that was lifted without power or
        whose erasing a power cut ended early."""
        core = self._core
        if core.control.cover_open and core.settings.cover_zeroises and not core.control.zeroised:
            # The alarm is sealed while there still is a key to seal it with.
            core.store()
            self._send_due(now)
            self._body.zeroise()
            self._session = TerminalSession(self._identity())

    def _sense(self, event: Sense) -> None:
        core, source = self._core, event.source
        if not 0 <= source < core.sources:
            raise ValueError(f"source: {source} is not allowed; allowed is 0 to {core.sources - 1}")
        closed, causes = core.closed(source), core.control.causes[source]
        finding = judge(causes, closed, event.load_voltage, event.shunt_current, event.neutral_excess)
        before, self._findings[source] = self._findings[source], finding
        if finding is before:
            return
        one = range(source, source + 1)
        core.relay(RelayEvent.WELD_SEEN if finding is Finding.WELDED else RelayEvent.WELD_GONE, one)
        alarm = FINDING_EVENTS.get(finding)
        if alarm is not None:
            core.log(alarm, bytes((source, causes)))
