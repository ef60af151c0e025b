"""The control block of the record: everything durable of a meter beside money and energy position.

Which slots hold table, settings, keys and text; the relay's causes; counters of messages and of the event log; the
clock; the running registers. It changes only together with the money, in one journal write.
"""

import struct
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from prewatt.codec.reader import Reader
from prewatt.device.meter.clock import Clock
from prewatt.device.meter.programstate import ProgramState
from prewatt.device.meter.record import SOURCES_MAX
from prewatt.device.meter.registers import Registers
from prewatt.device.meter.relay import Cause
from prewatt.device.meter.slots import NO_SLOT

__all__ = ["ALARMS_WAITING_MAX", "REPORTS_DUE_MAX", "Control", "WaitingAlarm"]

# Alarms that wait for the host's word at once; more events than these are in the log all the same.
ALARMS_WAITING_MAX: Final = 16
# As many days as the minute memory holds; with every one of them waiting the oldest gives way.
REPORTS_DUE_MAX: Final = 35
_VERSION: Final = 3
# Before there were programs; still read, never written.
_VERSION_OLD: Final = 2
_COUNTERS: Final = struct.Struct(">10I")
_ALARM: Final = struct.Struct(">IIB")
_EMERGENCY: Final = 1
_COVER_OPEN: Final = 2
_ZEROISED: Final = 4


class WaitingAlarm(NamedTuple):
    """An Alarm not yet acknowledged: its counter, the number of its event, and the key set it is sealed under."""

    counter: int
    event: int
    key_set: int

    @classmethod
    def read(cls, reader: Reader) -> "WaitingAlarm":
        """The next one of a block; DecodeError where it ends before."""
        return cls(reader.u32("alarm counter"), reader.u32("alarm event"), reader.u8("alarm key set"))


@dataclass(slots=True)
class Control:
    """Changed in place by the meter, then stored whole."""

    clock: Clock
    registers: Registers
    table_slot: int = 0
    waiting_slot: int = NO_SLOT
    settings_slot: int = 0
    keys_slot: int = 0
    text_slot: int = NO_SLOT
    causes: list[Cause] = field(default_factory=lambda: [Cause.NONE] * SOURCES_MAX)
    source_at: int = 0
    emergency: bool = False
    cover_open: bool = False
    zeroised: bool = False
    heard_set: int = 0
    """The key set of the last Command that verified: one that the host surely has."""
    surges: int = 0
    boots: int = 0
    report_counter: int = 0
    alarm_counter: int = 0
    wish_counter: int = 0
    events_acknowledged: int = 0
    events_sent: int = 0
    events_dropped: int = 0
    alarms: list[WaitingAlarm] = field(default_factory=list)
    reports_due: list[int] = field(default_factory=list)
    """Local days that ended and were not reported yet, oldest first."""
    program: ProgramState = field(default_factory=ProgramState)

    def count_from(self, first: int, *, alarms: bool) -> None:
        """Messages are counted from the start of an epoch. ``alarms``: those that wait were never sent and get their
        counters now, because a body without an epoch has none that another body of its id did not use before it."""
        self.report_counter = max(self.report_counter, first)
        self.wish_counter = max(self.wish_counter, first)
        self.alarm_counter = max(self.alarm_counter, first)
        if alarms:
            self.alarms = [each._replace(counter=first + number) for number, each in enumerate(self.alarms, start=1)]
            self.alarm_counter = first + len(self.alarms)

    def build(self) -> bytes:
        """The bytes."""
        flags = self.emergency * _EMERGENCY | self.cover_open * _COVER_OPEN | self.zeroised * _ZEROISED
        slots = (self.table_slot, self.waiting_slot, self.settings_slot, self.keys_slot, self.text_slot)
        counters = (
            *(self.surges, self.boots, self.report_counter, self.alarm_counter, self.wish_counter),
            *(self.events_acknowledged, self.events_sent, self.events_dropped),
            *(self.clock.world_s, self.clock.own_s),
        )
        return b"".join(
            (
                bytes((_VERSION, *slots, *self.causes, self.source_at, flags, self.heard_set)),
                _COUNTERS.pack(*counters),
                bytes((len(self.alarms),)),
                *(_ALARM.pack(*alarm) for alarm in self.alarms),
                bytes((len(self.reports_due),)),
                *(day.to_bytes(4, "big") for day in self.reports_due),
                self.registers.build(),
                self.program.build(),
            )
        )

    @classmethod
    def parse(cls, data: bytes, drift_ppm: int) -> "Control":
        """The block of exactly these bytes; DecodeError otherwise. The crystal's drift is no part of it."""
        reader = Reader(data)
        if (version := reader.u8("version")) not in (_VERSION_OLD, _VERSION):
            raise reader.fail("version", f"{version} is not {_VERSION}", back=1)
        table, waiting, settings, keys, text = reader.take(5, "slots")
        causes = [Cause(byte) for byte in reader.take(SOURCES_MAX, "causes")]
        source_at, flags, heard_set = reader.take(3, "source, flags, heard set")
        counters = [reader.u32("counter") for _ in range(10)]
        alarms = [WaitingAlarm.read(reader) for _ in range(reader.u8("alarms"))]
        reports_due = [reader.u32("day") for _ in range(reader.u8("reports due"))]
        control = cls(
            clock=Clock(counters[8], counters[9], drift_ppm),
            registers=Registers.read(reader),
            table_slot=table,
            waiting_slot=waiting,
            settings_slot=settings,
            keys_slot=keys,
            text_slot=text,
            causes=causes,
            source_at=source_at,
            emergency=bool(flags & _EMERGENCY),
            cover_open=bool(flags & _COVER_OPEN),
            zeroised=bool(flags & _ZEROISED),
            heard_set=heard_set,
            surges=counters[0],
            boots=counters[1],
            report_counter=counters[2],
            alarm_counter=counters[3],
            wish_counter=counters[4],
            events_acknowledged=counters[5],
            events_sent=counters[6],
            events_dropped=counters[7],
            alarms=alarms,
            reports_due=reports_due,
            program=ProgramState() if version == _VERSION_OLD else ProgramState.read(reader),
        )
        reader.end()
        return control
