"""The event log: numbered for ever, durable at once, kept until the host's cursor has passed them.

A ring of 1,024 cells of 32 bytes: number(4), time(4), code(2), length(1), detail(16), spare(1), CRC-32(4). A cell torn
by a power cut is no event, and its number is given again. Nothing that the host has not acknowledged is ever
overwritten. When the log is full of such events, ordinary ones are dropped and counted, and one LOG_OVERFLOW says so;
the last 32 cells are kept for events that are alarms.
"""

import zlib
from collections.abc import Iterator
from typing import Final

from prewatt.codec.events import EVENT_DETAIL_BYTES_MAX, EventCode, EventRecord
from prewatt.device.meter.nvm import Nvm, Region

__all__ = ["ALARM_CODES", "LOG_CELLS", "EventLog"]

LOG_CELLS: Final = 1_024
_CELL_BYTES: Final = 32
_CRC_BYTES: Final = 4
_KEPT_FOR_ALARMS: Final = 32
_FIXED_BYTES: Final = 11

# What cannot wait for the next report.
ALARM_CODES: Final = frozenset(
    {
        EventCode.COVER_OPENED,
        EventCode.BYPASS,
        EventCode.FRONT_TAP,
        EventCode.WELDED,
        EventCode.OVER_CURRENT,
        EventCode.OWED_LIMIT,
        EventCode.EMERGENCY_CALL,
        EventCode.CUSTOMER_MESSAGE,
        EventCode.MEMORY_FAULT,
        EventCode.PROGRAM_RETURNED,
    }
)


class EventLog:
    """The log in a memory; ``newest`` is the number of the last event, 0 before the first."""

    __slots__ = ("_nvm", "newest")

    def __init__(self, nvm: Nvm) -> None:
        self._nvm = nvm
        data = nvm.read(Region.EVENTS, 0, LOG_CELLS * _CELL_BYTES)
        cells = (data[start : start + _CELL_BYTES] for start in range(0, len(data), _CELL_BYTES))
        self.newest = max((event.number for cell in cells if (event := _parse(cell)) is not None), default=0)

    def append(self, time_s: int, code: EventCode, detail: bytes, acknowledged: int) -> EventRecord | None:
        """Writes an event; None where the log is full and it was dropped."""
        waiting = self.newest - acknowledged
        room = LOG_CELLS if code in ALARM_CODES else LOG_CELLS - _KEPT_FOR_ALARMS
        if waiting == LOG_CELLS - _KEPT_FOR_ALARMS - 1:
            code, detail = (code, detail) if code in ALARM_CODES else (EventCode.LOG_OVERFLOW, b"")
        if waiting >= room:
            return None
        event = EventRecord(self.newest + 1, time_s, code, detail[:EVENT_DETAIL_BYTES_MAX])
        self._nvm.write(Region.EVENTS, event.number % LOG_CELLS * _CELL_BYTES, _build(event))
        self.newest = event.number
        return event

    def read(self, number: int) -> EventRecord | None:
        """The event with this number; None where the log does not hold it any more."""
        event = _parse(self._nvm.read(Region.EVENTS, number % LOG_CELLS * _CELL_BYTES, _CELL_BYTES))
        return event if event is not None and event.number == number else None

    def read_after(self, number: int, count: int) -> Iterator[EventRecord]:
        """At most ``count`` events after this number, oldest first."""
        first = max(number, self.newest - LOG_CELLS) + 1
        for each in range(first, min(first + count, self.newest + 1)):
            event = self.read(each)
            if event is not None:
                yield event


def _build(event: EventRecord) -> bytes:
    cell = event.build().ljust(_CELL_BYTES - _CRC_BYTES, b"\0")
    return cell + zlib.crc32(cell).to_bytes(_CRC_BYTES, "big")


def _parse(cell: bytes) -> EventRecord | None:
    body = cell[:-_CRC_BYTES]
    if zlib.crc32(body) != int.from_bytes(cell[-_CRC_BYTES:], "big"):
        return None
    length = body[_FIXED_BYTES - 1]
    if length > EVENT_DETAIL_BYTES_MAX:
        return None
    number, time_s = int.from_bytes(body[:4], "big"), int.from_bytes(body[4:8], "big")
    code = int.from_bytes(body[8:10], "big")
    return EventRecord(number, time_s, code, bytes(body[_FIXED_BYTES : _FIXED_BYTES + length]))
