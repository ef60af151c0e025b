"""A meter's book as bytes for the host's store, and back.

JSON with a version, so that a person can read a stored book and a later version can read an older one. Bytes are hex.
A book holds the value codes of open orders, and whoever reads a code can type it: a stored book is for its owner only.
"""

import json
from typing import Any, Final

from prewatt.codec.receipt import RingEntry
from prewatt.protocol.transfer_book import (
    BodyState,
    FreezeReason,
    Known,
    MeterBook,
    Order,
    OrderState,
    Pending,
    Seen,
    TransferRuleError,
)
from prewatt.units import MeterId, Sequence

__all__ = ["BOOK_VERSION", "pack_book", "unpack_book"]

BOOK_VERSION: Final = 1
_PLAIN: Final = (
    *("epoch", "settled", "keeps_value", "synced", "reconciling", "episode", "fence_from", "fence_until"),
    *("fenced", "fence_width", "last_control", "heard"),
)


def pack_book(book: MeterBook) -> bytes:
    """The book as UTF-8 JSON."""
    fields: dict[str, Any] = {name: getattr(book, name) for name in _PLAIN}
    fields |= {
        "version": BOOK_VERSION,
        "meter_id": book.meter_id.hex(),
        "body": book.body.value,
        "settled_tag": book.settled_tag.hex(),
        "body_tag": book.body_tag.hex(),
        "known": [[island.low, island.high, island.tag.hex()] for island in book.known],
        "orders": [
            [order.order_id, order.amount_micro, order.tag.hex(), order.state.value, order.sequence, order.code]
            for order in book.orders
        ],
        "fences": _pack_entries(book.fences),
        "suspense": _pack_entries(book.suspense),
        "frozen": None if book.frozen is None else book.frozen.name,
        "controls": [[pending.counter, pending.digest.hex()] for pending in book.controls],
        "seen": None if book.seen is None else [getattr(book.seen, name) for name in Seen.__dataclass_fields__],
    }
    return json.dumps(fields, separators=(",", ":"), sort_keys=True).encode()


def unpack_book(data: bytes) -> MeterBook:
    """The book of bytes that `pack_book` made; TransferRuleError for anything else."""
    try:
        fields = json.loads(data)
        if fields["version"] != BOOK_VERSION:
            raise TransferRuleError(f"book: version {fields['version']} is not allowed; allowed is {BOOK_VERSION}")
        return _unpack(fields)
    except (KeyError, TypeError, ValueError) as error:
        raise TransferRuleError(f"book: the stored bytes are not a book ({error})") from None


def _unpack(fields: dict[str, Any]) -> MeterBook:
    return MeterBook(
        **{name: fields[name] for name in _PLAIN},
        meter_id=MeterId(bytes.fromhex(fields["meter_id"])),
        body=BodyState(fields["body"]),
        settled_tag=bytes.fromhex(fields["settled_tag"]),
        body_tag=bytes.fromhex(fields["body_tag"]),
        known=tuple(Known(low, high, bytes.fromhex(tag)) for low, high, tag in fields["known"]),
        orders=tuple(
            Order(order_id, amount, bytes.fromhex(tag), OrderState(state), sequence, code)
            for order_id, amount, tag, state, sequence, code in fields["orders"]
        ),
        fences=_unpack_entries(fields["fences"]),
        suspense=_unpack_entries(fields["suspense"]),
        frozen=None if fields["frozen"] is None else FreezeReason[fields["frozen"]],
        controls=tuple(Pending(counter, bytes.fromhex(digest)) for counter, digest in fields["controls"]),
        seen=None if fields["seen"] is None else Seen(*fields["seen"]),
    )


def _pack_entries(entries: tuple[RingEntry, ...]) -> list[list[Any]]:
    return [[entry.sequence, entry.tag.hex(), entry.amount_micro] for entry in entries]


def _unpack_entries(entries: list[list[Any]]) -> tuple[RingEntry, ...]:
    return tuple(RingEntry(Sequence(sequence), bytes.fromhex(tag), amount) for sequence, tag, amount in entries)
