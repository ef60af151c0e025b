"""Messages that start at the meter, with the keys put to them: Report, Alarm, AlarmAck, Wish, and who was heard.

Each kind has its own key, so none passes for another. They carry no session and no random bytes; what keeps a copy
from counting twice is the counter in the head, which the host books once, in any order of arrival. A message that
still waits when its key set is replaced is sealed anew under a live one (`Head.under`): its counter, which numbers the
event, stays.
"""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from prewatt.codec.errors import DecodeError
from prewatt.codec.messages import PAYLOAD_BYTES_MAX, RESULT_BYTES_MAX, MessageType
from prewatt.codec.meter_messages import HEAD_BYTES, Alarm, AlarmAck, Head, Report, Wish
from prewatt.codec.padding import pad_plain, strip_plain
from prewatt.codec.reader import Reader
from prewatt.crypto import AuthenticationError, MessageKind, Suite, SuiteName

__all__ = [
    "COUNTER_MAX",
    "CounterBook",
    "alarm_allowed",
    "open_ack",
    "open_alarm",
    "open_report",
    "open_wish",
    "seal_ack",
    "seal_alarm",
    "seal_report",
    "seal_wish",
]

# epoch(8 bits) | count(24 bits)
COUNTER_MAX: Final = 0xFFFF_FFFF
_RANGE_BYTES: Final = 8
# Of a Report in aes-2026: the head, and the 16 bytes by which sealed is longer than its body.
_REPORT_OVERHEAD_BYTES: Final = HEAD_BYTES + 16
# tdes-1998: an Alarm's detail of 16 bytes whose first 8 are a padded shorter detail. See `alarm_allowed`.
_SPLICED_DETAIL_BYTES: Final = 16
_BLOCK_BYTES: Final = 8
_PAD: Final = 0x80


def seal_report(suite: Suite, terminal_key: bytes, report: Report) -> bytes:
    """The Report's payload, at most 2,500 bytes (ValueError above), in aes-2026 one of the four padded sizes."""
    body = report.plain
    if suite.name == SuiteName.AES_2026:
        body = pad_plain(body, _REPORT_OVERHEAD_BYTES)
    payload = _seal(suite, terminal_key, MessageKind.REPORT, report.head.build(MessageType.REPORT), body)
    if len(payload) > RESULT_BYTES_MAX:
        raise ValueError(f"report: {len(payload)} bytes are not allowed; allowed is up to {RESULT_BYTES_MAX}")
    return payload


def open_report(suite: Suite, terminal_key: bytes, payload: bytes) -> Report:
    """The Report of an authentic payload; AuthenticationError or DecodeError otherwise."""
    head, body = _open(suite, terminal_key, MessageKind.REPORT, payload, MessageType.REPORT)
    if suite.name == SuiteName.AES_2026:
        body = strip_plain(body, _REPORT_OVERHEAD_BYTES)
    return Report(head, body)


def seal_wish(suite: Suite, terminal_key: bytes, wish: Wish) -> bytes:
    """The Wish's payload."""
    return _seal(suite, terminal_key, MessageKind.WISH, wish.head.build(MessageType.WISH), wish.build_body())


def open_wish(suite: Suite, terminal_key: bytes, payload: bytes) -> Wish:
    """The Wish of an authentic payload; AuthenticationError or DecodeError otherwise."""
    return Wish.parse_body(*_open(suite, terminal_key, MessageKind.WISH, payload, MessageType.WISH))


def alarm_allowed(suite: Suite, alarm: Alarm) -> bool:
    """Whether an Alarm may be sent and is believed.

    The chain that signs in tdes-1998 can be continued: the signature of an Alarm with a detail of up to 7 bytes and
    that of an AlarmAck, both to be heard on the line, make the signature of an Alarm whose detail is the short one,
    its padding, and 8 bytes more. So a detail of that form (16 bytes of which the first 8 end in 80 and zeros) is
    never sent, and refused.
    """
    padded = alarm.detail[:_BLOCK_BYTES].rstrip(b"\0")
    spliced = len(alarm.detail) == _SPLICED_DETAIL_BYTES and padded[-1:] == bytes((_PAD,))
    return suite.name != SuiteName.TDES_1998 or not spliced


def seal_alarm(suite: Suite, terminal_key: bytes, alarm: Alarm) -> bytes:
    """The Alarm's payload; the same Alarm always gives the same bytes. ValueError unless `alarm_allowed`."""
    if not alarm_allowed(suite, alarm):
        raise ValueError(f"detail: {alarm.detail.hex()} is not allowed in tdes-1998; allowed is up to 15 bytes")
    return _tagged(suite, terminal_key, alarm.build_signed())


def open_alarm(suite: Suite, terminal_key: bytes, payload: bytes) -> Alarm:
    """The Alarm of an authentic payload; AuthenticationError or DecodeError otherwise."""
    _check_head(suite, payload, MessageType.ALARM)
    alarm = Alarm.parse_signed(_untagged(suite, terminal_key, payload))
    if not alarm_allowed(suite, alarm):
        raise AuthenticationError
    return alarm


def seal_ack(suite: Suite, terminal_key: bytes, ack: AlarmAck) -> bytes:
    """The AlarmAck's payload; ``terminal_key`` is that of the key set in the Alarm's head."""
    return _tagged(suite, terminal_key, ack.build_signed())


def open_ack(suite: Suite, terminal_key: bytes, payload: bytes) -> AlarmAck:
    """The AlarmAck of an authentic payload; AuthenticationError or DecodeError otherwise.

    Whether it is this meter's, and of an Alarm that waits, is for the meter to compare.
    """
    return AlarmAck.parse_signed(_untagged(suite, terminal_key, payload))


@dataclass(frozen=True, slots=True)
class CounterBook:
    """Which counters of one meter and one type were booked, as ranges (first, last), ascending, never touching.

    A lost message leaves a gap for ever and costs one range. Counters of a new epoch begin a range of their own.
    """

    ranges: tuple[tuple[int, int], ...] = ()

    def __contains__(self, counter: int) -> bool:
        place = bisect_right(self.ranges, (counter, COUNTER_MAX))
        return place > 0 and counter <= self.ranges[place - 1][1]

    def book(self, counter: int) -> "CounterBook | None":
        """The book with ``counter`` in it; None where it already was: then the message is a copy."""
        if not 0 <= counter <= COUNTER_MAX:
            raise ValueError(f"counter: {counter} is not allowed; allowed is 0 to {COUNTER_MAX}")
        if counter in self:
            return None
        place = bisect_right(self.ranges, (counter, COUNTER_MAX))
        before, after = self.ranges[:place], self.ranges[place:]
        first = last = counter
        if before and before[-1][1] == counter - 1:
            first, before = before[-1][0], before[:-1]
        if after and after[0][0] == counter + 1:
            last, after = after[0][1], after[1:]
        return CounterBook((*before, (first, last), *after))

    def build(self) -> bytes:
        """first(4), last(4) of every range."""
        return b"".join(first.to_bytes(4, "big") + last.to_bytes(4, "big") for first, last in self.ranges)

    @classmethod
    def parse(cls, data: bytes) -> "CounterBook":
        """The book of its bytes; DecodeError for ranges that are not in order or touch."""
        reader = Reader(data)
        ranges: list[tuple[int, int]] = []
        while reader.offset < len(data):
            first, last = reader.u32("first"), reader.u32("last")
            if last < first or (ranges and first <= ranges[-1][1] + 1):
                raise reader.fail("range", f"{first} to {last} is out of order", back=_RANGE_BYTES)
            ranges.append((first, last))
        return cls(tuple(ranges))

    @classmethod
    def of(cls, counters: Iterable[int]) -> "CounterBook":
        """The book in which exactly these are booked."""
        book = cls()
        for counter in counters:
            book = book.book(counter) or book
        return book


def _seal(suite: Suite, terminal_key: bytes, kind: MessageKind, head: bytes, body: bytes) -> bytes:
    return head + suite.message_keys(terminal_key).seal(kind, head, body)


def _open(
    suite: Suite, terminal_key: bytes, kind: MessageKind, payload: bytes, message: MessageType
) -> tuple[Head, bytes]:
    head = _check_head(suite, payload, message)
    return head, suite.message_keys(terminal_key).open(kind, payload[:HEAD_BYTES], payload[HEAD_BYTES:])


def _check_head(suite: Suite, payload: bytes, message: MessageType) -> Head:
    """The head, not yet believed, where this suite may open the payload at all."""
    head = Head.parse(payload, message)
    if head.suite != suite.id:
        raise DecodeError(1, "suite", f"{head.suite} is not {suite.id}, under which this meter is enrolled")
    if len(payload) > PAYLOAD_BYTES_MAX:
        raise DecodeError(PAYLOAD_BYTES_MAX, "end", f"{len(payload)} bytes are above {PAYLOAD_BYTES_MAX}")
    return head


def _tagged(suite: Suite, terminal_key: bytes, signed: bytes) -> bytes:
    return signed + suite.message_keys(terminal_key).tag(MessageKind.ALARM, signed)


def _untagged(suite: Suite, terminal_key: bytes, payload: bytes) -> bytes:
    """All before the tag, where the tag is right."""
    signed, tag = payload[: -suite.tag_bytes], payload[-suite.tag_bytes :]
    suite.message_keys(terminal_key).check_tag(MessageKind.ALARM, signed, tag)
    return signed
