"""Signing value of a lost body over, lot by lot, each once: an order that was lost with it, or what it had left.

The balance of a lost body may grow again when a late Report shows more in it; what was signed over before is `balance
1`, the rest then `balance 2`. The database refuses the same lot twice, and a lot that goes to a meter is an order that
is known for ever by what it carries.
"""

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Row, func, insert, select

from prewatt.host.bodyanswers import SignOverAnswer, SignOverTarget
from prewatt.host.bodyvalue import change_body, level_lost, lost_epoch, raise_lost, read_body
from prewatt.host.booking import book_changes
from prewatt.host.carrying import carried_order, check_in_step, held_of, make_carried
from prewatt.host.context import HostContext, log_action
from prewatt.host.fields import check_id, check_meter
from prewatt.host.ledger import AccountId, AccountKind, Phase, Posting, account_id
from prewatt.host.money import OrderMoney, Place, post_or_fail
from prewatt.host.plans.charges import refund_order
from prewatt.host.refusals import RefusalOutcome, RefusedError
from prewatt.host.store import Hot, Writing, schema
from prewatt.host.store.books import take_book
from prewatt.protocol.transfer import TransferRuleError, ask_cancel, find_order, sign_over

__all__ = ["BALANCE", "Lot", "carry_open_orders", "read_sign_over", "sign_lot"]

BALANCE: Final = "balance"
# An order's id is its own wherever its body stands: no epoch goes into what carries it.
_NO_BODY: Final = 0


@dataclass(frozen=True, slots=True)
class Lot:
    """What is signed over (an order's id, or `balance`), and where to."""

    what: str
    target: SignOverTarget
    name: str

    def checked(self) -> "Lot":
        """The lot in its one spelling; RefusedError for a name that does not fit the target."""
        if self.target is SignOverTarget.METER:
            return Lot(self.what, self.target, check_meter(self.name, field="to_meter"))
        if self.target is SignOverTarget.WRITE_OFF:
            return Lot(self.what, self.target, check_id(self.name, field="write_off"))
        return Lot(self.what, self.target, "")


@dataclass(frozen=True, slots=True)
class _SignedLot:
    """What was signed over: its name, how much, and the order that carries it on."""

    name: str
    amount_micro: int
    order_id: str | None


def sign_lot(writing: Writing, context: HostContext, meter: str, lot: Lot, cause: str) -> SignOverAnswer:
    """Signs one lot over; nothing where it went to the same place before, RefusedError where it went elsewhere."""
    lot = lot.checked()
    sign = _sign_balance if lot.what == BALANCE else _sign_order
    done = _done(writing, meter, sign(writing, context, meter, lot, cause))
    if done is None:
        raise _refused("lot", lot.what, "what stands in `lost bodies`")
    if (done.target, done.name) != (lot.target.value, lot.name):
        allowed = f"what was not signed over; it went before: {done.target} {done.name}".rstrip()
        raise RefusedError(RefusalOutcome.ALREADY_SETTLED, "lot", lot.what, allowed)
    return read_sign_over(done)


def read_sign_over(row: Row[Any]) -> SignOverAnswer:
    """A row of `sign_overs` as an answer."""
    target = SignOverTarget(row.target)
    return SignOverAnswer(row.lot, row.amount_micro, target, row.name, row.order_id, row.cause, row.at_s)


def carry_open_orders(writing: Writing, context: HostContext, meter: str, to_meter: str) -> None:
    """Every order that is still open at a retired body goes on at another meter; RefusedError where one cannot."""
    for order in take_book(writing, meter).orders:
        before, now_s = take_book(writing, meter), context.now()
        try:
            after, changes = ask_cancel(before, order.order_id)
        except TransferRuleError as error:
            raise _refused("order", order.order_id, f"an order that can go on ({error})") from None
        if not changes:
            raise _refused("order", order.order_id, "an order of which nothing is under way; ask again later")
        book_changes(writing, meter, before, after, changes, at_s=now_s)
        _leave(writing, context, meter, order.order_id, Lot(order.order_id, SignOverTarget.METER, to_meter))


def _sign_order(writing: Writing, context: HostContext, meter: str, lot: Lot, cause: str) -> str:
    """Signs an order over where it is not yet; gives the lot's name."""
    before, now_s = take_book(writing, meter), context.now()
    if _done(writing, meter, lot.what) is not None:
        return lot.what
    if all(order.order_id != lot.what for order in before.orders):
        raise _refused("lot", lot.what, f"`{BALANCE}`, or an order that was lost with this body")
    try:
        amount = find_order(before, lot.what).amount_micro
        after, changes = sign_over(before, lot.what)
    except TransferRuleError as error:
        raise _refused("lot", lot.what, f"an order that can be signed over ({error})") from None
    book_changes(writing, meter, before, after, changes, at_s=now_s)
    order_id = _leave(writing, context, meter, lot.what, lot)
    epoch = lost_epoch(writing.connection, meter, before)
    _note(writing, context, meter, epoch, _SignedLot(lot.what, amount, order_id), lot, cause)
    return lot.what


def _leave(writing: Writing, context: HostContext, meter: str, order_id: str, lot: Lot) -> str | None:
    """The money of an order that has ended leaves it; gives the order that carries it on, where one does."""
    place, moves, amount = writing.run(Hot.ORDER_MONEY, (order_id, meter)).fetchone()
    money = OrderMoney(writing, order_id, meter, amount, Place(place), moves, context.now())
    carried = None
    if lot.target is SignOverTarget.METER:
        carried = carried_order(meter, _NO_BODY, f"order {order_id}")
        money.leave(Place.CARRIED, carried.order_id)
    elif lot.target is SignOverTarget.WRITE_OFF:
        money.leave(Place.WRITTEN_OFF, lot.name)
    else:
        refund_order(writing, money, order_id, meter, context.now())
    writing.run(Hot.ORDER_PLACE, (money.place.value, money.moves, order_id))
    if carried is None:
        return None
    make_carried(writing, context, carried, lot.name, amount)
    return carried.order_id


def _sign_balance(writing: Writing, context: HostContext, meter: str, lot: Lot, cause: str) -> str:
    """Signs over what stands of the balance; gives the lot's name, that of the last one where nothing stands."""
    book = take_book(writing, meter)
    epoch = lost_epoch(writing.connection, meter, book)
    body = read_body(writing.connection, meter, epoch)
    overs = schema.sign_overs.c
    count = select(func.count()).where(overs.meter == meter, overs.epoch == epoch, overs.lot.startswith(f"{BALANCE} "))
    signed = int(writing.connection.execute(count).scalar_one())
    name = f"{BALANCE} {signed + 1}"
    carried = carried_order(meter, epoch, name) if lot.target is SignOverTarget.METER else None
    held = held_of(writing, carried, lot.name) if carried is not None else None
    if body is None or body.kind != "lost" or not (body.lost_micro or held):
        return f"{BALANCE} {signed}"
    if carried is not None:
        check_in_step(writing, lot.name)
    if book.suspense:
        allowed = "the balance of a body without value in suspense; match or explain it first"
        raise _refused("lot", lot.what, f"{allowed}: sequence {book.suspense[0].sequence}")
    amount, now_s = body.lost_micro if held is None else held, context.now()
    # A host that was forgotten signed more over than what is known to be left: so much was in it then.
    raise_lost(writing, meter, epoch, amount - body.lost_micro, now_s)
    to = _target_account(meter, lot, carried.order_id if carried is not None else "")
    source, posting_id = account_id(AccountKind.LOST_BODIES, meter), f"{meter}:{epoch}/signed/{signed + 1}"
    text = f"{name} of epoch {epoch} signed over"
    post_or_fail(writing, Posting(posting_id, Phase.SINGLE, source, to, amount, text, meter), now_s)
    if carried is not None:
        make_carried(writing, context, carried, lot.name, amount)
    left = max(0, body.lost_micro - amount)
    change_body(writing, meter, epoch, lost_micro=left, signed_micro=body.signed_micro + amount)
    level_lost(writing, book, meter, epoch, now_s)
    order_id = carried.order_id if carried is not None else None
    _note(writing, context, meter, epoch, _SignedLot(name, amount, order_id), lot, cause)
    return name


def _target_account(meter: str, lot: Lot, order_id: str) -> AccountId:
    if lot.target is SignOverTarget.METER:
        return account_id(AccountKind.CARRIED, order_id)
    if lot.target is SignOverTarget.WRITE_OFF:
        return account_id(AccountKind.WRITE_OFF, lot.name)
    return account_id(AccountKind.REFUNDED, meter)


def _done(writing: Writing, meter: str, name: str) -> Row[Any] | None:
    overs = schema.sign_overs
    found = select(overs).where(overs.c.meter == meter, overs.c.lot == name).order_by(overs.c.number.desc()).limit(1)
    return writing.connection.execute(found).one_or_none()


def _note(
    writing: Writing, context: HostContext, meter: str, epoch: int, signed: _SignedLot, lot: Lot, cause: str
) -> None:
    now_s = context.now()
    row = {"meter": meter, "epoch": epoch, "lot": signed.name, "amount_micro": signed.amount_micro}
    more = {"target": lot.target.value, "name": lot.name, "order_id": signed.order_id, "cause": cause, "at_s": now_s}
    writing.connection.execute(insert(schema.sign_overs).values(row | more))
    what = f"{signed.name}, {signed.amount_micro} micro, {lot.target} {lot.name}".rstrip()
    log_action(writing, now_s, "value signed over", meter, f"{what}: {cause}")


def _refused(field: str, given: str, allowed: str) -> RefusedError:
    return RefusedError(RefusalOutcome.METER_BLOCKED, field, given, allowed)
