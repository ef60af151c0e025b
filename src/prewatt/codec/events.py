"""Events of a meter: numbered for ever, kept until the host's cursor acknowledges them, carried in Info and Alarms.

An event is what happened (code), when (the meter's clock) and up to sixteen bytes of detail that the code defines.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from prewatt.codec.reader import Reader

__all__ = ["EVENT_DETAIL_BYTES_MAX", "EventCode", "EventRecord"]

EVENT_DETAIL_BYTES_MAX: Final = 16


class EventCode(IntEnum):
    """What happened; the high byte: 1 power and body, 2 load, 3 money, 4 clock, 5 control, 6 customer, 7 memory."""

    POWER_LOST = 0x0101
    POWER_RESTORED = 0x0102
    COVER_OPENED = 0x0103
    COVER_CLOSED = 0x0104
    SURGE = 0x0105
    BYPASS = 0x0201
    FRONT_TAP = 0x0202
    OVER_CURRENT = 0x0203
    LOAD_LIMIT = 0x0204
    WELDED = 0x0205
    RELAY_OPENED = 0x0206
    RELAY_CLOSED = 0x0207
    LOW_BALANCE = 0x0301
    ZERO_BALANCE = 0x0302
    VALUE_STORED = 0x0303
    VALUE_RETURNED = 0x0304
    WRONG_CODE = 0x0305
    OWED_LIMIT = 0x0306
    CLOCK_SET = 0x0401
    CLOCK_STEPPED = 0x0402
    TARIFF_ACCEPTED = 0x0501
    TARIFF_IN_FORCE = 0x0502
    KEY_CHANGED = 0x0503
    SETTINGS_CHANGED = 0x0504
    TEXT_RECEIVED = 0x0505
    COMMISSIONED = 0x0506
    RETIRED = 0x0507
    FORGERY_SUSPECTED = 0x0508
    KEY_DROPPED = 0x0509
    PROGRAM_LOADED = 0x050A
    PROGRAM_TRIED = 0x050B
    PROGRAM_STARTED = 0x050C
    PROGRAM_RETURNED = 0x050D
    PROGRAM_REFUSED = 0x050E
    EMERGENCY_CALL = 0x0601
    CUSTOMER_MESSAGE = 0x0602
    MEMORY_FAULT = 0x0701
    LOG_OVERFLOW = 0x0702


@dataclass(frozen=True, slots=True)
class EventRecord:
    """One entry of the event log. ``number`` starts at 1 and never repeats in one body."""

    number: int
    time_s: int
    code: int
    detail: bytes = b""

    def build(self) -> bytes:
        """number(4), time(4), code(2), length of detail(1), detail."""
        return b"".join(
            (
                self.number.to_bytes(4, "big"),
                self.time_s.to_bytes(4, "big"),
                self.code.to_bytes(2, "big"),
                len(self.detail).to_bytes(1, "big"),
                self.detail,
            )
        )

    @classmethod
    def read(cls, reader: Reader) -> "EventRecord":
        """The event that stands next in ``reader``; codes not known here are kept as numbers."""
        number, time_s, code = reader.u32("event number"), reader.u32("event time"), reader.u16("event code")
        length = reader.u8("detail length")
        if length > EVENT_DETAIL_BYTES_MAX:
            raise reader.fail("detail length", f"{length} is above {EVENT_DETAIL_BYTES_MAX}", back=1)
        return cls(number, time_s, code, reader.take(length, "detail"))
