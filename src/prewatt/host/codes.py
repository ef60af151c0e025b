"""Value codes: an order on paper, as twenty digits, for a meter that cannot be reached.

The code holds the same sequence as the transfer of the same order: whichever arrives first is applied, the other
changes nothing. The digits leave this module only after the commit that gave the order its number and its code is on
the disk: a code that the books forgot could be typed, and sold again. Asked again, an order has the same code, until
its number went to somebody else; then the old code can never be applied, and a new one is made.

A meter looks a code up under the key sets that it has. So a code is made under a set that is certain to be there, and
no meter is told to drop one that an open code rests on.
"""

import json
from typing import Final

from sqlalchemy import select

from prewatt.codec.commands import Code
from prewatt.codec.receipt import TAG_BYTES
from prewatt.codec.settings import Settings, SettingsChange
from prewatt.codec.valuecode import CODE_AMOUNT_MINOR_MAX, CODE_DIGITS, ValueCode, check_input, check_of
from prewatt.crypto import MessageKind, suite
from prewatt.host.bodyanswers import CodeAnswer
from prewatt.host.booking import book_changes
from prewatt.host.context import HostContext, log_action
from prewatt.host.fields import meter_bytes
from prewatt.host.keys import KeySetMissingError, KeySetState
from prewatt.host.meterkeys import read_held
from prewatt.host.refusals import RefusalOutcome, RefusedError
from prewatt.host.store import Writing, schema
from prewatt.host.store.books import take_book
from prewatt.host.transfers import read_transfer
from prewatt.protocol.transfer import Order, TransferRuleError, find_order, issue_code
from prewatt.units import Sequence, format_value

__all__ = ["Codes", "code_rests_on", "write_code"]

_MINOR: Final = "minor_micro"


class Codes:
    """Orders as value codes."""

    def __init__(self, context: HostContext) -> None:
        self._context = context

    def issue(self, transfer: str) -> CodeAnswer:
        """The code of an open order (its id, or its transfer's number).

        RefusedError where there can be none now: a return, an amount that is no whole number of minor units, a meter
        that is out of step, eight codes open, another transfer under way.
        """
        with self._context.store.reading() as connection:
            found = read_transfer(connection, transfer)
        answer = self._context.store.write(lambda writing: write_code(writing, self._context, found.meter, found.order))
        self._context.wake(found.meter)
        return answer


def write_code(writing: Writing, context: HostContext, meter: str, order_id: str) -> CodeAnswer:
    """Gives the order its code in this commit. The answer may be shown once the commit is durable, never before."""
    before, now_s = take_book(writing, meter), context.now()
    try:
        new = find_order(before, order_id).code is None
        after, order = issue_code(before, order_id, lambda *given: _build(writing, context, meter, *given))
    except TransferRuleError as error:
        raise RefusedError(RefusalOutcome.METER_BLOCKED, "order", order_id, f"an order for a code ({error})") from None
    if order.code is None or order.sequence is None:
        raise RefusedError(RefusalOutcome.METER_BLOCKED, "order", order_id, "an order that has a sequence")
    if new:
        book_changes(writing, meter, before, after, (), at_s=now_s)
        log_action(writing, now_s, "value code", meter, f"order {order_id}, sequence {order.sequence}")
    return CodeAnswer(
        order=order_id,
        meter=meter,
        digits=f"{order.code:0{CODE_DIGITS}d}",
        sequence=order.sequence,
        amount_micro=order.amount_micro,
        open=sum(each.code is not None for each in after.orders),
    )


def _minor_micro(writing: Writing, meter: str) -> int:
    """The meter's own minor unit: what it was last set to, or had from its making. TransferRuleError while it changes:
    then nobody knows yet which amount a code would give."""
    controls = schema.controls.c
    asked = select(controls.what, controls.state).where(controls.meter == meter, controls.code == int(Code.SETTINGS))
    for row in writing.connection.execute(asked.order_by(controls.number.desc())):
        values = SettingsChange.parse(bytes.fromhex(json.loads(row.what)["settings"])).values
        if _MINOR not in values or row.state in ("dropped", "refused"):
            continue
        if row.state == "waiting":
            raise TransferRuleError(f"the meter is about to change its {_MINOR}; wait until it has")
        return values[_MINOR]
    return Settings().minor_micro


def _build(writing: Writing, context: HostContext, meter: str, sequence: Sequence, amount_micro: int) -> int:
    """The 64 bits, under one of the key sets that the meter is certain to hold, also when it hears of nothing more."""
    minor_micro = _minor_micro(writing, meter)
    minor, rest = divmod(amount_micro, minor_micro)
    if rest or not 0 < minor <= CODE_AMOUNT_MINOR_MAX:
        most = format_value(CODE_AMOUNT_MINOR_MAX * minor_micro, digits=context.installation.currency_digits)
        raise TransferRuleError(f"{format_value(amount_micro)} does not fit a code; allowed is up to {most}")
    held = read_held(writing.connection, meter)
    try:
        key_set = context.vault.choose(sorted(held.sure), context.random(TAG_BYTES))
    except KeySetMissingError:
        raise TransferRuleError("no active key set is certain to be in the meter; it has to be reached first") from None
    return _bits(writing, context, meter, key_set, sequence, minor)


def code_rests_on(writing: Writing, context: HostContext, meter: str, key_set: int) -> bool:
    """Whether an open code of the meter would be useless without this set: it is right under no other that stays."""
    orders = [order for order in take_book(writing, meter).orders if order.code is not None]
    if not orders:
        return False
    active = {each.index for each in context.vault.sets() if each.state is KeySetState.ACTIVE}
    others = (read_held(writing.connection, meter).sure & active) - {key_set}
    return not all(any(_is_under(writing, context, meter, order, each) for each in others) for order in orders)


def _is_under(writing: Writing, context: HostContext, meter: str, order: Order, key_set: int) -> bool:
    if order.code is None or order.sequence is None:
        return False
    minor = ValueCode.parse(f"{order.code:0{CODE_DIGITS}d}").amount_minor
    return _bits(writing, context, meter, key_set, order.sequence, minor) == order.code


def _bits(writing: Writing, context: HostContext, meter: str, key_set: int, sequence: Sequence, minor: int) -> int:
    meters, meter_id = schema.meters.c, meter_bytes(meter)
    name = writing.connection.execute(select(meters.suite).where(meters.id == meter)).scalar_one()
    message_keys = suite(name).message_keys(context.vault.terminal_key(key_set, meter_id))
    check = check_of(message_keys.tag(MessageKind.CODE, check_input(meter_id, sequence, minor)))
    return ValueCode(sequence & 0xFF, minor, check).build_bits()
