"""A round's batch: the messages that go to one local station together, and those that come back together.

A long way costs the same for one message as for many, so the host hands a station one batch a round, with at most one
message for each of its meters, and takes one batch of answers. A meter that was heard by itself may stand in the
answers more than once (Result, Report, Alarm, Wish).
"""

from collections.abc import Sequence
from enum import IntEnum
from typing import Final

from prewatt.codec.errors import DecodeError
from prewatt.codec.messages import PAYLOAD_BYTES_MAX
from prewatt.codec.reader import Reader
from prewatt.units import METER_ID_BYTES, MeterId

__all__ = ["BATCH_BYTES_MAX", "METERS_MAX", "BatchKind", "Item", "build_batch", "items_max", "parse_batch"]

# One local station serves at most this many meters.
METERS_MAX: Final = 256
# A round's answer of each meter, and what each may have said by itself: Report, Alarm, Wish.
_ANSWERS_EACH_MAX: Final = 4
_HEAD_BYTES: Final = 3
_ITEM_HEAD_BYTES: Final = METER_ID_BYTES + 2
BATCH_BYTES_MAX: Final = _HEAD_BYTES + METERS_MAX * _ANSWERS_EACH_MAX * (_ITEM_HEAD_BYTES + PAYLOAD_BYTES_MAX)

Item = tuple[MeterId, bytes]


class BatchKind(IntEnum):
    """Which way a batch goes."""

    TO_METERS = 1
    FROM_METERS = 2


def items_max(kind: BatchKind) -> int:
    """How many messages a batch of this kind may hold."""
    return METERS_MAX if kind is BatchKind.TO_METERS else METERS_MAX * _ANSWERS_EACH_MAX


def build_batch(kind: BatchKind, items: Sequence[Item]) -> bytes:
    """kind(1), count(2), then for each message ID(3), length(2), payload. ValueError above a limit."""
    if len(items) > items_max(kind):
        raise ValueError(f"batch: {len(items)} messages are not allowed; allowed is up to {items_max(kind)}")
    parts = [bytes((kind,)), len(items).to_bytes(2, "big")]
    for meter_id, payload in items:
        if len(meter_id) != METER_ID_BYTES or not 0 < len(payload) <= PAYLOAD_BYTES_MAX:
            given = f"{len(payload)} bytes for {meter_id.hex()}"
            raise ValueError(f"payload: {given} are not allowed; allowed is 1 to {PAYLOAD_BYTES_MAX} for a 3-byte id")
        parts += (meter_id, len(payload).to_bytes(2, "big"), payload)
    if kind is BatchKind.TO_METERS and len({meter_id for meter_id, _ in items}) < len(items):
        raise ValueError("batch: two messages for one meter are not allowed; allowed is one a round")
    return b"".join(parts)


def parse_batch(data: bytes, kind: BatchKind) -> tuple[Item, ...]:
    """The messages in a batch of this kind; DecodeError for anything that `build_batch` would not make."""
    items = _read_right(data, kind)
    return _read_strictly(data, kind) if items is None else items


def _read_right(data: bytes, kind: BatchKind) -> tuple[Item, ...] | None:
    """A batch in which everything is right, in one look; what is wrong with any other is said by `_read_strictly`."""
    if len(data) < _HEAD_BYTES or data[0] != kind:
        return None
    count, at, size = data[1] << 8 | data[2], _HEAD_BYTES, len(data)
    items: list[Item] = []
    while at < size:
        begin = at + _ITEM_HEAD_BYTES
        if begin >= size:
            return None
        end = begin + (data[begin - 2] << 8 | data[begin - 1])
        if not begin < end <= min(size, begin + PAYLOAD_BYTES_MAX):
            return None
        items.append((MeterId(data[at : at + METER_ID_BYTES]), data[begin:end]))
        at = end
    if len(items) != count or count > items_max(kind):
        return None
    if kind is BatchKind.TO_METERS and len({meter_id for meter_id, _ in items}) < count:
        return None
    return tuple(items)


def _read_strictly(data: bytes, kind: BatchKind) -> tuple[Item, ...]:
    """Field by field."""
    reader = Reader(data)
    found = reader.u8("kind")
    if found != kind:
        raise reader.fail("kind", f"{found} is not {kind}", back=1)
    count = reader.u16("count")
    if count > items_max(kind):
        raise reader.fail("count", f"{count} is above {items_max(kind)}", back=2)
    items = tuple(_item(reader) for _ in range(count))
    reader.end()
    if kind is BatchKind.TO_METERS and len({meter_id for meter_id, _ in items}) < count:
        raise DecodeError(_HEAD_BYTES, "id", "stands twice in one round")
    return items


def _item(reader: Reader) -> Item:
    meter_id = MeterId(reader.take(METER_ID_BYTES, "id"))
    length = reader.u16("length")
    if not 0 < length <= PAYLOAD_BYTES_MAX:
        raise reader.fail("length", f"{length} is not 1 to {PAYLOAD_BYTES_MAX}", back=2)
    return meter_id, reader.take(length, "payload")
