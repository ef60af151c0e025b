"""Value that follows: an order whose money comes from another order or from a body that has ended.

Such an order is known for ever by what it carries: its id and its tag are made from the meter, the body and the lot it
carries, not drawn. A host that was restored and is asked for the same move again makes the same order again; what the
meter already holds of it is found by that tag, and nothing moves twice. How much the forgotten host moved is what the
meter holds: the old body may have burned on since, or that host knew more of it. (Beside the settling of a card's
purchase, P5, these are the only tags that are not random; they need not be secret, only distinct.)
"""

from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from sqlalchemy import select

from prewatt.host.booking import book_changes, book_match
from prewatt.host.context import HostContext, log_action
from prewatt.host.fields import meter_bytes
from prewatt.host.money import OrderMoney, Place
from prewatt.host.refusals import RefusalOutcome, RefusedError
from prewatt.host.registry import check_account, unknown_meter
from prewatt.host.store import Hot, Writing, schema
from prewatt.host.store.books import take_book
from prewatt.host.tags import TAG_RANDOM_BYTES, make_tag
from prewatt.protocol.transfer import BodyState, TransferRuleError, make_order

__all__ = ["METHOD_CARRIED", "Carried", "carried_order", "check_in_step", "held_of", "make_carried"]

METHOD_CARRIED: Final = "carried"
_LABEL: Final = b"prewatt carry"


@dataclass(frozen=True, slots=True)
class Carried:
    """Id and tag of the order that carries one lot."""

    order_id: str
    tag: bytes


def carried_order(meter: str, epoch: int, lot: str) -> Carried:
    """The order that carries ``lot`` (a word and a number, or an order's id) of this body of this meter."""
    digest = sha256(_LABEL + meter_bytes(meter) + bytes((epoch,)) + lot.encode()).digest()
    tag = make_tag(digest[:TAG_RANDOM_BYTES])
    return Carried(f"M-{tag.hex().upper()}", tag)


def held_of(writing: Writing, carried: Carried, to_meter: str) -> int | None:
    """What this meter is known to hold of that value already, micro-units: a host that was forgotten moved so much."""
    if writing.run(Hot.METER_ACCOUNT, (to_meter,)).fetchone() is None:
        raise unknown_meter(to_meter)
    return next(
        (entry.amount_micro for entry in take_book(writing, to_meter).suspense if entry.tag == carried.tag), None
    )


def check_in_step(writing: Writing, to_meter: str) -> None:
    """RefusedError while a meter is out of step: nobody knows then what it holds, and how much of it."""
    book = take_book(writing, to_meter)
    if not book.synced and book.body is not BodyState.LOST:
        allowed = "a meter that is in step with its book; after a restore it may hold this very value: ask again later"
        raise RefusedError(RefusalOutcome.METER_BLOCKED, "meter", to_meter, allowed)


def make_carried(writing: Writing, context: HostContext, carried: Carried, to_meter: str, amount_micro: int) -> None:
    """Makes the order, paid from its own account of things carried, which the caller has just filled.

    RefusedError where the meter takes no order now, or holds this value already.
    """
    check_account(writing, to_meter)
    now_s = context.now()
    before = take_book(writing, to_meter)
    held = next((entry for entry in before.suspense if entry.tag == carried.tag), None)
    if held is None and before.suspense:
        # After a restore some of it may be this very value, under another lot: what followed twice is never asked back.
        allowed = f"a meter without value in suspense; it has some under sequence {before.suspense[0].sequence}"
        raise RefusedError(RefusalOutcome.METER_BLOCKED, "meter", to_meter, allowed)
    _check_unheld(writing, carried, to_meter, held.amount_micro if held is not None else None, amount_micro)
    try:
        after = make_order(before, carried.order_id, amount_micro, carried.tag)
    except TransferRuleError as error:
        raise RefusedError(
            RefusalOutcome.METER_BLOCKED, "meter", to_meter, f"a meter that takes it ({error})"
        ) from None
    row = (carried.order_id, to_meter, amount_micro, carried.tag, now_s)
    writing.run(Hot.ORDER_INSERT, row)
    payment = (carried.order_id, carried.order_id, METHOD_CARRIED, amount_micro, now_s)
    writing.run(Hot.PAYMENT_INSERT, payment)
    money = OrderMoney(writing, carried.order_id, to_meter, amount_micro, Place.WALLET, 0, now_s)
    money.carry_in()
    writing.run(Hot.ORDER_PLACE, (money.place.value, money.moves, carried.order_id))
    book_changes(writing, to_meter, before, after, (), at_s=now_s)
    log_action(writing, now_s, "value carried", to_meter, f"order {carried.order_id}, {amount_micro} micro")
    if held is not None:
        book_match(writing, to_meter, carried.order_id, held.sequence, at_s=now_s)


def _check_unheld(writing: Writing, carried: Carried, meter: str, held_micro: int | None, amount_micro: int) -> None:
    records = schema.record_file.c
    wanted = select(records.sequence).where(records.meter == meter, records.tag == carried.tag)
    sequence = writing.connection.execute(wanted).scalar()
    if sequence is not None and held_micro is None:
        allowed = f"value that this meter does not hold; it has this under sequence {sequence}"
        raise RefusedError(RefusalOutcome.ALREADY_SETTLED, "meter", meter, allowed)
    if held_micro not in (None, amount_micro):
        allowed = f"{held_micro} micro, which this meter holds of it under sequence {sequence}, not {amount_micro}"
        raise RefusedError(RefusalOutcome.ALREADY_SETTLED, "meter", meter, allowed)
