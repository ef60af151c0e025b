"""Box messages in bytes: version(1), kind(1), area(1), station(1), then what the kind has.

The address stands in the head so that a box sees what is not for it before it reads further. There is one encoding of
each message, and whatever else arrives is a DecodeError; what a box makes of the values is the box's affair. The
messages themselves are in `prewatt.codec.hop_messages`; layouts are drawn in docs/protocol.md, "Box messages".
"""

from collections.abc import Callable, Sequence
from dataclasses import fields
from functools import lru_cache
from typing import Final, assert_never

from prewatt.codec.batch import METERS_MAX, BatchKind, Item, build_batch, parse_batch
from prewatt.codec.errors import DecodeError
from prewatt.codec.hop_messages import (
    Answers,
    AreaHealth,
    Health,
    HopKind,
    HopMessage,
    Kept,
    KeptAck,
    Members,
    Plan,
    Refused,
    RefusedReason,
    Round,
    StationState,
)
from prewatt.codec.reader import Reader
from prewatt.units import ADDRESS_BYTES, BELOW_MAX, METER_ID_BYTES, Address, MeterId

__all__ = [
    "DETAIL_BYTES_MAX",
    "HOP_BYTES_MAX",
    "HOP_VERSION",
    "KEPT_NUMBER_MAX",
    "MEMBERS_SENT_MAX",
    "SPOOL_ID_BYTES",
    "Answers",
    "AreaHealth",
    "Health",
    "HopKind",
    "HopMessage",
    "Kept",
    "KeptAck",
    "Members",
    "Plan",
    "Refused",
    "RefusedReason",
    "Round",
    "StationState",
    "build_hop",
    "parse_head",
    "parse_hop",
]

HOP_VERSION: Final = 1
SPOOL_ID_BYTES: Final = 8
# What a database's whole number holds; no station says as much in a million years.
KEPT_NUMBER_MAX: Final = 2**63 - 1
# More than may stand below a station can be said, so that the station can refuse it with the reason.
MEMBERS_SENT_MAX: Final = 1_024
DETAIL_BYTES_MAX: Final = 200
# The largest of all is a full round, or what came back, with 256 of the longest payloads: below the 1 MB of NATS.
HOP_BYTES_MAX: Final = 700_000
_HEAD_BYTES: Final = 2 + ADDRESS_BYTES
_COUNT_BYTES: Final = 2
_KINDS: Final = {int(kind): kind for kind in HopKind}
_address: Final = lru_cache(maxsize=BELOW_MAX)(Address)
# Behind the version of a Plan, in the order in which they travel, each u32.
_PLAN_FIELDS: Final = tuple(field.name for field in fields(Plan))[2:]
# Behind its version fields, in the order in which they travel, each u32.
_HEALTH_FIELDS: Final = ("boots", "members_version", "plan_version", "waiting", "dropped", "overtaken", "foreign")


def build_hop(message: HopMessage) -> bytes:
    """The whole message. ValueError for what may not be sent, OverflowError for a number too large for its field."""
    kind, body = _build_body(message)
    return bytes((HOP_VERSION, kind)) + message.address.build() + body


def parse_head(data: bytes) -> tuple[HopKind, Address]:
    """Kind and address of a message whose body may be anything; DecodeError for a head that there is not."""
    if _HEAD_BYTES <= len(data) <= HOP_BYTES_MAX and data[0] == HOP_VERSION and data[1] in _KINDS:
        return _KINDS[data[1]], _address(data[2], data[3])
    # Something is wrong with it; field by field, to say what.
    if len(data) > HOP_BYTES_MAX:
        raise DecodeError(HOP_BYTES_MAX, "end", f"{len(data)} bytes, a box message has at most {HOP_BYTES_MAX}")
    reader = Reader(data)
    version, kind = reader.u8("version"), reader.u8("kind")
    if version != HOP_VERSION:
        raise reader.fail("version", f"{version} is not {HOP_VERSION}", back=2)
    if kind not in _KINDS:
        raise reader.fail("kind", f"{kind:02X} is no kind of box message", back=1)
    return _KINDS[kind], Address.parse(reader.take(ADDRESS_BYTES, "address"))


def parse_hop(data: bytes) -> HopMessage:
    """The message that ``data`` is, whole; DecodeError for anything that `build_hop` would not make."""
    kind, address = parse_head(data)
    reader = Reader(data)
    reader.offset = _HEAD_BYTES
    message = _PARSERS[kind](address, reader)
    reader.end()
    return message


def _build_body(message: HopMessage) -> tuple[HopKind, bytes]:
    match message:
        case Round():
            head = _u32(message.number) + bytes((message.urgent,))
            return HopKind.ROUND, head + build_batch(BatchKind.TO_METERS, message.items)
        case Members():
            return HopKind.MEMBERS, _u32(message.version) + _build_members(message.members)
        case KeptAck():
            return HopKind.KEPT_ACK, _build_spool(message.spool, message.number)
        case Plan():
            return HopKind.PLAN, _u32(message.version) + _build_numbers(message, _PLAN_FIELDS)
        case Answers():
            head = _u32(message.number) + bytes((message.done,))
            return HopKind.ANSWERS, head + _build_up(message.items, least=0)
        case Kept():
            return HopKind.KEPT, _build_kept(message)
        case Health():
            return HopKind.HEALTH, _build_numbers(message, _HEALTH_FIELDS) + _build_silent(message.silent)
        case Refused():
            return HopKind.REFUSED, bytes((message.kind, message.reason)) + _build_detail(message.detail)
        case AreaHealth():
            return HopKind.AREA_HEALTH, _build_area(message)
        case _:
            assert_never(message)


def _u32(value: int) -> bytes:
    return value.to_bytes(4, "big")


def _build_numbers(message: HopMessage, names: Sequence[str]) -> bytes:
    return b"".join(_u32(getattr(message, name)) for name in names)


def _build_spool(spool: bytes, number: int) -> bytes:
    if len(spool) != SPOOL_ID_BYTES:
        raise ValueError(f"spool: {len(spool)} bytes are not allowed; allowed is {SPOOL_ID_BYTES}")
    return spool + number.to_bytes(8, "big")


def _build_kept(message: Kept) -> bytes:
    if not 1 <= message.lowest <= message.first <= KEPT_NUMBER_MAX - METERS_MAX:
        raise ValueError(f"lowest, first: {message.lowest}, {message.first} are not allowed; allowed is 1, rising")
    lowest = message.lowest.to_bytes(8, "big")
    return _build_spool(message.spool, message.first) + lowest + _build_up(message.items, least=1)


def _build_up(items: Sequence[Item], *, least: int) -> bytes:
    if not least <= len(items) <= METERS_MAX:
        raise ValueError(f"items: {len(items)} are not allowed; allowed is {least} to {METERS_MAX}")
    return build_batch(BatchKind.FROM_METERS, items)


def _build_members(members: Sequence[tuple[MeterId, int]]) -> bytes:
    if len(members) > MEMBERS_SENT_MAX or any(len(meter_id) != METER_ID_BYTES for meter_id, _ in members):
        raise ValueError(f"members: allowed are up to {MEMBERS_SENT_MAX}, with ids of {METER_ID_BYTES} bytes")
    return _count(members) + b"".join(meter_id + m_id.to_bytes(1, "big") for meter_id, m_id in members)


def _build_silent(silent: Sequence[MeterId]) -> bytes:
    if len(silent) > METERS_MAX or any(len(meter_id) != METER_ID_BYTES for meter_id in silent):
        raise ValueError(f"silent: allowed are up to {METERS_MAX} ids of {METER_ID_BYTES} bytes")
    return _count(silent) + b"".join(silent)


def _build_detail(detail: str) -> bytes:
    encoded = detail.encode()
    if len(encoded) > DETAIL_BYTES_MAX:
        raise ValueError(f"detail: {len(encoded)} bytes are not allowed; allowed is up to {DETAIL_BYTES_MAX}")
    return bytes((len(encoded),)) + encoded


def _build_area(message: AreaHealth) -> bytes:
    numbers = [state.station for state in message.stations]
    if numbers != sorted(set(numbers)):
        raise ValueError("stations: allowed is each once, rising by number")
    states = b"".join(_build_state(state) for state in message.stations)
    return _build_numbers(message, ("boots", "kept", "refused")) + _count(numbers) + states


def _build_state(state: StationState) -> bytes:
    head = bytes((state.station, state.connected))
    return head + _u32(state.kept) + _u32(state.waiting) + state.silent.to_bytes(2, "big")


def _count(entries: Sequence[object]) -> bytes:
    return len(entries).to_bytes(_COUNT_BYTES, "big")


def _parse_round(address: Address, reader: Reader) -> Round:
    return Round(address, reader.u32("number"), _flag(reader, "urgent"), _items(reader, BatchKind.TO_METERS))


def _parse_members(address: Address, reader: Reader) -> Members:
    version, count = reader.u32("version"), _counted(reader, MEMBERS_SENT_MAX)
    members = ((MeterId(reader.take(METER_ID_BYTES, "id")), reader.u8("M-ID")) for _ in range(count))
    return Members(address, version, tuple(members))


def _parse_kept_ack(address: Address, reader: Reader) -> KeptAck:
    return KeptAck(address, reader.take(SPOOL_ID_BYTES, "spool"), reader.u64("number"))


def _parse_plan(address: Address, reader: Reader) -> Plan:
    return Plan(address, reader.u32("version"), *(reader.u32(name) for name in _PLAN_FIELDS))


def _parse_answers(address: Address, reader: Reader) -> Answers:
    number, done = reader.u32("number"), _flag(reader, "done")
    return Answers(address, number, done, _items_up(reader, least=0))


def _parse_kept(address: Address, reader: Reader) -> Kept:
    spool, first, lowest = reader.take(SPOOL_ID_BYTES, "spool"), reader.u64("first"), reader.u64("lowest")
    if not 1 <= lowest <= first <= KEPT_NUMBER_MAX - METERS_MAX:
        raise reader.fail("lowest", f"{lowest} is not 1 to {first}, or that is too large", back=8)
    return Kept(address, spool, first, lowest, _items_up(reader, least=1))


def _parse_health(address: Address, reader: Reader) -> Health:
    numbers = {name: reader.u32(name) for name in _HEALTH_FIELDS}
    silent = tuple(MeterId(reader.take(METER_ID_BYTES, "id")) for _ in range(_counted(reader, METERS_MAX)))
    return Health(address, silent=silent, **numbers)


def _parse_refused(address: Address, reader: Reader) -> Refused:
    kind, reason, length = reader.u8("kind refused"), reader.u8("reason"), reader.u8("length")
    if reason not in RefusedReason._value2member_map_:
        raise reader.fail("reason", f"{reason} is not 1 to {max(RefusedReason)}", back=2)
    if length > DETAIL_BYTES_MAX:
        raise reader.fail("length", f"{length} is above {DETAIL_BYTES_MAX}", back=1)
    detail = reader.take(length, "detail")
    try:
        return Refused(address, kind, RefusedReason(reason), detail.decode())
    except UnicodeDecodeError:
        raise reader.fail("detail", "is not UTF-8", back=length) from None


def _parse_area(address: Address, reader: Reader) -> AreaHealth:
    boots, kept, refused = reader.u32("boots"), reader.u32("kept"), reader.u32("refused")
    states: list[StationState] = []
    for _ in range(_counted(reader, BELOW_MAX)):
        number = reader.u8("station")
        if states and number <= states[-1].station:
            raise reader.fail("station", f"{number} does not rise", back=1)
        connected, held, waiting = _flag(reader, "connected"), reader.u32("kept"), reader.u32("waiting")
        states.append(StationState(number, connected, held, waiting, reader.u16("silent")))
    return AreaHealth(address, boots, kept, refused, tuple(states))


def _flag(reader: Reader, field: str) -> bool:
    flag = reader.u8(field)
    if flag > 1:
        raise reader.fail(field, f"{flag} is not 0 or 1", back=1)
    return bool(flag)


def _counted(reader: Reader, most: int) -> int:
    count = reader.u16("count")
    if count > most:
        raise reader.fail("count", f"{count} is above {most}", back=_COUNT_BYTES)
    return count


def _items_up(reader: Reader, *, least: int) -> tuple[Item, ...]:
    items = _items(reader, BatchKind.FROM_METERS)
    if not least <= len(items) <= METERS_MAX:
        raise reader.fail("items", f"{len(items)} is not {least} to {METERS_MAX}")
    return items


def _items(reader: Reader, kind: BatchKind) -> tuple[Item, ...]:
    """The batch that the rest is; offsets in errors count from the message's first byte."""
    at = reader.offset
    try:
        return parse_batch(reader.rest("items"), kind)
    except DecodeError as error:
        raise DecodeError(at + error.offset, error.field, error.why) from None


_PARSERS: Final[dict[HopKind, Callable[[Address, Reader], HopMessage]]] = {
    HopKind.ROUND: _parse_round,
    HopKind.MEMBERS: _parse_members,
    HopKind.KEPT_ACK: _parse_kept_ack,
    HopKind.PLAN: _parse_plan,
    HopKind.ANSWERS: _parse_answers,
    HopKind.KEPT: _parse_kept,
    HopKind.HEALTH: _parse_health,
    HopKind.REFUSED: _parse_refused,
    HopKind.AREA_HEALTH: _parse_area,
}
