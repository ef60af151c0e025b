"""What a meter is made of inside, and its one durable write.

The core holds the money, the energy position, the control block and what the slots hold, and knows how to load them
and how to store them together. It decides nothing: burning, commands, keypad and messages work on it. Whatever they
change, the record is stored before any effect of it leaves the meter.
"""

from collections.abc import Mapping
from typing import Final

from prewatt.codec.events import EventCode
from prewatt.codec.modetable import ModeTable
from prewatt.codec.receipt import Receipt, Status
from prewatt.codec.settings import Settings
from prewatt.crypto import Suite, suite_by_id
from prewatt.device.meter.birth import Birth, BodyKind, Certificate, build_keys, parse_keys
from prewatt.device.meter.clock import Clock
from prewatt.device.meter.control import ALARMS_WAITING_MAX, REPORTS_DUE_MAX, Control, WaitingAlarm
from prewatt.device.meter.events import Effect, RelayMoved
from prewatt.device.meter.journal import Journal
from prewatt.device.meter.log import ALARM_CODES, EventLog
from prewatt.device.meter.minutes import MINUTE_REGIONS, MinuteMemory
from prewatt.device.meter.money import Money, MoneyLimits
from prewatt.device.meter.nvm import Nvm
from prewatt.device.meter.record import EnergyPosition, Record
from prewatt.device.meter.registers import PeriodRings, Registers
from prewatt.device.meter.relay import Cause, RelayEvent, relay_after, relay_closed, relay_conducts
from prewatt.device.meter.slots import NO_SLOT, SlotError, Slots, Store
from prewatt.device.meter.tariff import Tariff
from prewatt.device.meter.tokens import Sam
from prewatt.device.meter.valuecode import CodeLock
from prewatt.units import MINUTE_S

__all__ = ["Core", "build_tariff", "manufacture"]

_PRICE_BYTES: Final = 8


class Core:
    """The state of one meter. ``changed`` says that something waits to be stored."""

    __slots__ = (
        "_happened",
        "certificate",
        "changed",
        "code_lock",
        "conducting",
        "control",
        "effects",
        "era",
        "events",
        "journal",
        "keys",
        "limits",
        "memories",
        "minute",
        "money",
        "pulses",
        "rings",
        "sam",
        "settings",
        "slots",
        "suite",
        "surcharge_percent",
        "tariff",
        "text",
        "waiting",
        "world_s",
        "wrong_codes",
    )

    def __init__(self, nvm: Nvm, line_ms: int) -> None:
        """Loads all that the memory holds; JournalError, SlotError or DecodeError for a dead one."""
        self.slots = Slots(nvm)
        self.journal = Journal(nvm)
        record = self.journal.load()
        self.certificate = Certificate.parse(self.slots.read(Store.BIRTH, 0))
        self.suite: Suite = suite_by_id(self.certificate.suite_id)
        self.control = Control.parse(record.control, self.certificate.drift_ppm)
        self.money = record.money
        self.sam = Sam(record.money.svm_micro)
        self.wrong_codes = record.wrong_codes
        self.code_lock = CodeLock.resumed(record.wrong_codes, line_ms)
        self.minute, self.era = record.position.minute, record.position.era
        self.pulses = list(record.position.pulses)
        self.memories = tuple(MinuteMemory(nvm, region) for region in MINUTE_REGIONS[: self.certificate.sources])
        self.rings = PeriodRings(nvm)
        self.events = EventLog(nvm)
        self.surcharge_percent = 0
        self.world_s = self.control.clock.world_s
        self.effects: list[Effect] = []
        self.changed = False
        self._happened: list[tuple[int, EventCode, bytes]] = []
        self._load_slots()
        self._see_relays()

    def _see_relays(self) -> None:
        """Remembers through which contacts current can flow: asked every run, changed only by ``relay``."""
        self.conducting = tuple(relay_conducts(causes) for causes in self.control.causes[: self.sources])

    def _load_slots(self) -> None:
        control = self.control
        self.settings = Settings.parse(self.slots.read(Store.SETTINGS, control.settings_slot))
        self.limits = self._limits_of(self.settings)
        self.keys = self._read_keys()
        self.tariff = self._read_tariff(control.table_slot)
        self.waiting = None if control.waiting_slot == NO_SLOT else self._read_tariff(control.waiting_slot)
        self.text = "" if control.text_slot == NO_SLOT else self.slots.read(Store.TEXT, control.text_slot).decode()

    def _read_keys(self) -> Mapping[int, bytes]:
        """The key sets; none where erasing them was cut short: a meter that trusts nobody still has its money."""
        try:
            return parse_keys(self.slots.read(Store.KEYS, self.control.keys_slot))
        except SlotError:
            return {}

    def _read_tariff(self, place: int) -> Tariff:
        data = self.slots.read(Store.TABLES, place)
        return Tariff(ModeTable.parse(data[:-_PRICE_BYTES]), int.from_bytes(data[-_PRICE_BYTES:], "big"))

    def _limits_of(self, settings: Settings) -> MoneyLimits:
        return MoneyLimits(
            token_micro=self.certificate.token_micro,
            ceiling_micro=settings.ceiling_micro,
            owed_max_micro=max(settings.owed_max_micro, settings.emergency_micro),
        )

    @property
    def sources(self) -> int:
        """How many sources the body has."""
        return self.certificate.sources

    @property
    def program_version(self) -> int:
        """The version of the program that is in force."""
        return self.control.program.running or self.certificate.program_version

    @property
    def sells(self) -> bool:
        """Whether the body sells, with relay and buzzer; a transformer's only counts."""
        return self.certificate.kind is BodyKind.HOME

    @property
    def position(self) -> EnergyPosition:
        """Up to where energy has been burned."""
        return EnergyPosition(self.minute, tuple(self.pulses), self.era)

    @property
    def own_s(self) -> int:
        """What the clock shows at the second that has been reached."""
        return self.control.clock.read(self.world_s)

    @property
    def own_set(self) -> int:
        """The key set for what the meter says by itself: that of the last Command, since the host may have retired
        any other. Only for a meter that has keys."""
        heard = self.control.heard_set
        return heard if heard in self.keys else min(self.keys)

    @property
    def newest_tariff(self) -> Tariff:
        """The newest accepted table, whether in force or waiting."""
        return self.waiting or self.tariff

    def receipt(self, status: Status) -> Receipt:
        """The receipt with which every Result and Report begins."""
        return self.money.receipt(self.certificate.meter_id, status)

    def closed(self, source: int) -> bool:
        """Whether the contacts of a source are closed."""
        return relay_closed(self.control.causes[source])

    def store(self) -> None:
        """The one durable write: money, position and control block, read back. What happened is logged after it."""
        self._journal_record()
        if self._happened and self._write_events():
            self._journal_record()

    def _journal_record(self) -> None:
        self.journal.store(Record(self.money, self.position, self.control.build(), self.wrong_codes))
        self.sam = Sam(self.money.svm_micro)
        self.changed = False

    def _write_events(self) -> bool:
        """Writes what happened to the log; whether the control block changed by it."""
        happened, self._happened = self._happened, []
        control, before = self.control, (self.control.alarm_counter, self.control.events_dropped)
        for time_s, code, detail in happened:
            event = self.events.append(time_s, code, detail, control.events_acknowledged)
            if event is None:
                control.events_dropped += 1
            elif code in ALARM_CODES and self.keys and len(control.alarms) < ALARMS_WAITING_MAX:
                control.alarm_counter += 1
                control.alarms.append(WaitingAlarm(control.alarm_counter, event.number, self.own_set))
        return before != (control.alarm_counter, control.events_dropped)

    def relay(self, event: RelayEvent, sources: range | None = None) -> None:
        """Lets a happening act on the relays (of all sources unless told); what moved is logged and an effect."""
        for source in (sources or range(self.sources)) if self.sells else ():
            before = self.control.causes[source]
            after = relay_after(before, event)
            if after == before:
                continue
            self.control.causes[source] = after
            self.changed = True
            self._see_relays()
            if relay_closed(before) != relay_closed(after):
                closed = relay_closed(after)
                code = EventCode.RELAY_CLOSED if closed else EventCode.RELAY_OPENED
                self.log(code, bytes((source, before if closed else after)))
                self.effects.append(RelayMoved(closed, source))

    def log(self, code: EventCode, detail: bytes = b"") -> None:
        """Something happened: it is written to the log right after the next store, an Alarm with it where it is one."""
        self._happened.append((self.own_s, code, detail))
        self.changed = True

    def roll_registers(self, own_s: int) -> bool:
        """Lets day, week, month and year go where the clock stands; whether something changed, to be stored.

        A day that ended has to be reported.
        """
        registers, due = self.control.registers, self.control.reports_due
        before = registers.day
        if not registers.roll(self.rings, self.tariff.calendar, own_s):
            return False
        # Before its first power-up a body had no day to tell of.
        if self.control.boots and registers.day > before and before not in due:
            due.append(before)
            del due[:-REPORTS_DUE_MAX]
        self.changed = True
        return True

    def put_settings(self, settings: Settings) -> None:
        """Writes new settings to the free slot; the next store makes them hold."""
        slot = self.slots.write(Store.SETTINGS, settings.build(), (self.control.settings_slot,))
        self.limits = self._limits_of(settings)
        self.settings, self.control.settings_slot = settings, slot

    def put_keys(self, keys: Mapping[int, bytes]) -> None:
        """Writes new key sets to the free slot; the next store makes them hold."""
        slot = self.slots.write(Store.KEYS, build_keys(keys), (self.control.keys_slot,))
        self.keys, self.control.keys_slot = keys, slot

    def put_text(self, text: str) -> None:
        """Writes a new text to the free slot; the next store makes it hold."""
        self.control.text_slot = self.slots.write(Store.TEXT, text.encode(), (self.control.text_slot,))
        self.text = text

    def put_tariff(self, tariff: Tariff) -> None:
        """Writes a new table to a free slot, to wait until its time; the next store makes it hold."""
        control = self.control
        in_use = (control.table_slot, control.waiting_slot)
        control.waiting_slot = self.slots.write(Store.TABLES, build_tariff(tariff), in_use)
        self.waiting = tariff

    def promote_tariff(self) -> None:
        """Puts the waiting table in force."""
        if self.waiting is None:
            return
        self.tariff, self.waiting = self.waiting, None
        self.control.table_slot, self.control.waiting_slot = self.control.waiting_slot, NO_SLOT
        self.changed = True
        self.log(EventCode.TARIFF_IN_FORCE, self.tariff.table.version.to_bytes(4, "big"))


def build_tariff(tariff: Tariff) -> bytes:
    """A table and its unit price for their slot."""
    return tariff.encoded + tariff.unit_price_micro.to_bytes(_PRICE_BYTES, "big")


def manufacture(nvm: Nvm, birth: Birth) -> None:
    """Writes a new body: the slots first, the journal last, so that half a body is no body."""
    slots = Slots(nvm)
    slots.write(Store.BIRTH, birth.build_certificate())
    slots.write(Store.SETTINGS, birth.settings.build())
    slots.write(Store.KEYS, build_keys(birth.keys))
    tariff = Tariff(birth.table, birth.unit_price_micro)
    tariff.check_prices(birth.sources)
    slots.write(Store.TABLES, build_tariff(tariff))
    own_s = birth.made_s + birth.clock_ahead_s
    control = Control(Clock(birth.made_s, own_s, birth.drift_ppm), Registers.new(tariff.calendar, own_s))
    control.heard_set = min(birth.keys)
    if birth.kind is BodyKind.HOME:
        control.causes = [
            Cause.ZERO if source == 0 or birth.settings.sources_at_once else Cause.ZERO | Cause.INTERLOCK
            for source in range(len(control.causes))
        ]
    position = EnergyPosition(own_s // MINUTE_S, (0,) * birth.sources)
    Journal(nvm).create(Record(Money(), position, control.build()))
