"""The payloads that start at a meter: the daily Report, the Alarm (and the host's answer to it), the customer's Wish.

They begin with a head that says which key opens them; only then may the rest be believed. What is sealed or signed is
here as plain values; `prewatt.protocol.meter_messages` puts the keys to it.
"""

from dataclasses import dataclass, field, replace
from typing import Final

from prewatt.codec.errors import DecodeError
from prewatt.codec.events import EVENT_DETAIL_BYTES_MAX
from prewatt.codec.messages import LAYOUTS, MessageType, check_payload
from prewatt.codec.reader import Reader
from prewatt.units import METER_ID_BYTES, MeterId

__all__ = [
    "ALARM_FIXED_BYTES",
    "HEAD_BYTES",
    "PIN_DIGITS_MAX",
    "Alarm",
    "AlarmAck",
    "Head",
    "Report",
    "Wish",
]

# type, suite, key set, id, counter
HEAD_BYTES: Final = 10
# the head, then time, event
ALARM_FIXED_BYTES: Final = HEAD_BYTES + 6
PIN_DIGITS_MAX: Final = 8
_PIN_OFFSET: Final = 8
# 16, id, counter
_ACK_SIGNED_BYTES: Final = 1 + METER_ID_BYTES + 4


@dataclass(frozen=True, slots=True)
class Head:
    """How every message that starts at a meter begins: which key opens it, who sent it, its number.

    ``counter`` is epoch(8 bits) | count(24 bits), one count per type; it is also the number of the event, and stays
    when a waiting message is sealed anew under another key set.
    """

    suite: int
    key_set: int
    meter_id: MeterId
    counter: int

    def build(self, kind: MessageType) -> bytes:
        """type, suite(1), n(1), ID(3), counter(4)."""
        return bytes((kind, self.suite, self.key_set)) + self.meter_id + self.counter.to_bytes(4, "big")

    def under(self, key_set: int) -> "Head":
        """The same message's head under another key set, to seal it anew."""
        return replace(self, key_set=key_set)

    @classmethod
    def parse(cls, payload: bytes, kind: MessageType) -> "Head":
        """The head at the start of ``payload``, not yet believed; DecodeError for another type or suite."""
        check_payload(payload, kind, HEAD_BYTES, longer=True)
        suite = payload[1]
        if suite not in LAYOUTS:
            raise DecodeError(1, "suite", f"{suite} is not 1 or 2")
        reader = Reader(payload[2:HEAD_BYTES], base=2)
        return cls(suite, reader.u8("key set"), MeterId(reader.take(METER_ID_BYTES, "id")), reader.u32("counter"))


@dataclass(frozen=True, slots=True)
class Report:
    """14: what the meter tells once a day by itself; ``plain`` is a receipt and one part of Info."""

    head: Head
    plain: bytes


@dataclass(frozen=True, slots=True)
class Alarm:
    """15: one event that cannot wait, repeated with the same bytes until it is acknowledged."""

    head: Head
    time_s: int
    event: int
    detail: bytes = b""

    def __post_init__(self) -> None:
        if len(self.detail) > EVENT_DETAIL_BYTES_MAX:
            raise ValueError(f"detail: {len(self.detail)} bytes; allowed is up to {EVENT_DETAIL_BYTES_MAX}")

    def build_signed(self) -> bytes:
        """All before the tag: head, time(4), event(2), detail(0-16)."""
        fixed = self.time_s.to_bytes(4, "big") + self.event.to_bytes(2, "big")
        return self.head.build(MessageType.ALARM) + fixed + self.detail

    @classmethod
    def parse_signed(cls, signed: bytes) -> "Alarm":
        """The Alarm of all its bytes but the tag."""
        head = Head.parse(signed, MessageType.ALARM)
        reader = Reader(signed[HEAD_BYTES:], base=HEAD_BYTES)
        time_s, event, detail = reader.u32("time"), reader.u16("event"), reader.rest("detail")
        if len(detail) > EVENT_DETAIL_BYTES_MAX:
            raise DecodeError(ALARM_FIXED_BYTES, "detail", f"{len(detail)} bytes are above {EVENT_DETAIL_BYTES_MAX}")
        return cls(head, time_s, event, detail)


@dataclass(frozen=True, slots=True)
class AlarmAck:
    """16: the host has booked the Alarm with this counter."""

    meter_id: MeterId
    counter: int

    def build_signed(self) -> bytes:
        """All before the tag: 16, ID(3), counter(4)."""
        return bytes((MessageType.ALARM_ACK,)) + self.meter_id + self.counter.to_bytes(4, "big")

    @classmethod
    def parse_signed(cls, signed: bytes) -> "AlarmAck":
        """The AlarmAck of all its bytes but the tag."""
        check_payload(signed, MessageType.ALARM_ACK, _ACK_SIGNED_BYTES)
        return cls(MeterId(signed[1 : 1 + METER_ID_BYTES]), int.from_bytes(signed[1 + METER_ID_BYTES :], "big"))


@dataclass(frozen=True, slots=True)
class Wish:
    """17: a customer at the keypad asks for value. ``pin`` is digits, at most eight, and is never shown."""

    head: Head
    amount_micro: int
    pin: str = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.pin) > PIN_DIGITS_MAX or not (self.pin == "" or (self.pin.isascii() and self.pin.isdecimal())):
            raise ValueError(f"pin: not allowed (not shown); allowed is up to {PIN_DIGITS_MAX} digits")

    def build_body(self) -> bytes:
        """What is sealed: amount i64, the PIN's digits in ASCII filled with zero bytes to 8."""
        return self.amount_micro.to_bytes(8, "big", signed=True) + self.pin.encode().ljust(PIN_DIGITS_MAX, b"\0")

    @classmethod
    def parse_body(cls, head: Head, body: bytes) -> "Wish":
        """The Wish of an opened body; DecodeError for anything but digits, then zero bytes."""
        reader = Reader(body)
        amount = reader.i64("amount")
        digits = reader.take(PIN_DIGITS_MAX, "pin").rstrip(b"\0")
        reader.end()
        if digits and not digits.isdigit():
            raise DecodeError(_PIN_OFFSET, "pin", "holds something other than digits and filler (not shown)")
        return cls(head, amount, digits.decode())
