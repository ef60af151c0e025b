"""Vending: an amount and a meter in, an order out, with its payment and its tag in one commit.

The order's id comes from the caller, so that a sale asked for twice (a lost answer, a nervous finger) is made once.
From the commit on the sale exists: it is pending, visible, retried and cancellable until the meter has shown that it
holds the value or that it never will.

Where a rate plan holds for the meter, the order carries only the value; everything else that was paid stands in lines
of its own from the same commit on.
"""

import time
from dataclasses import replace
from typing import Final

from prewatt.host.answers import TransferAnswer, TransferState, VendAnswer
from prewatt.host.booking import book_changes
from prewatt.host.codes import write_code
from prewatt.host.context import HostContext, Installation, log_action
from prewatt.host.fields import check_id, check_meter
from prewatt.host.money import OrderMoney, Place
from prewatt.host.payment import CASH, Guarantee, Guarantor, cash_authorization
from prewatt.host.plans.answers import charges_of
from prewatt.host.plans.charges import read_charges
from prewatt.host.plans.sale import book_priced, price_in
from prewatt.host.refusals import RefusalOutcome, RefusedError
from prewatt.host.registry import check_account
from prewatt.host.store import Hot, Writing
from prewatt.host.store.books import take_book
from prewatt.host.tags import TAG_RANDOM_BYTES, make_tag
from prewatt.host.transfers import read_transfer
from prewatt.protocol.transfer import TransferRuleError, make_order
from prewatt.units import ValueFieldError, format_value, parse_value

__all__ = ["Vending"]

# How often a waiting caller looks whether its transfer has settled.
_LOOK_S: Final = 0.02


class Vending:
    """Sales of value."""

    def __init__(self, context: HostContext) -> None:
        self._context = context

    def vend(
        self,
        meter: str,
        amount: str,
        *,
        order: str | None = None,
        method: Guarantor = CASH,
        with_code: bool = False,
    ) -> VendAnswer:
        """Sells ``amount`` (a decimal in currency units) to a meter. ``order``: the caller's id (None: a fresh one).
        ``with_code``: as a value code, in the same commit; where there can be none now, nothing is sold.

        Where a rate plan holds, the amount is what is paid, and the meter gets what the plan leaves of it. RefusedError
        or ValueFieldError where it is not allowed; then nothing was changed and nothing is to be paid.
        """
        meter = check_meter(meter)
        settings = self._context.installation
        amount_micro = _parse_amount(amount, settings)
        if amount_micro > settings.vend_ceiling_micro:
            ceiling = format_value(settings.vend_ceiling_micro, digits=settings.currency_digits)
            raise RefusedError(RefusalOutcome.VALUE_CEILING, "amount", amount, f"up to {ceiling} in one sale")
        order_id = check_id(order, field="order") if order is not None else self._fresh_id()
        if method is not CASH:
            # Somebody else guarantees: the payer is not asked for a sale that exists already, or cannot be.
            existing = self._context.store.write(lambda writing: self._ready(writing, order_id, meter, amount_micro))
            if existing is not None and not with_code:
                return existing
        guarantee = method.guarantee(order_id, amount_micro)
        tag = make_tag(self._context.random(TAG_RANDOM_BYTES))
        answer = self._context.store.write(
            lambda writing: self._coded(
                writing, self._make(writing, order_id, meter, amount_micro, tag, guarantee), with_code
            )
        )
        self._context.wake(meter)
        return answer

    def wait(self, order: str, timeout_s: float) -> TransferAnswer:
        """The transfer once it is confirmed or cancelled, or as it stands when the time is over."""
        deadline = time.monotonic() + timeout_s
        while True:
            with self._context.store.reading() as connection:
                found = read_transfer(connection, order)
            settled = found.state in (TransferState.CONFIRMED, TransferState.CANCELLED)
            if settled or time.monotonic() >= deadline:
                return found
            time.sleep(_LOOK_S)

    def _fresh_id(self) -> str:
        return f"V-{self._context.random(TAG_RANDOM_BYTES).hex()}"

    def _ready(self, writing: Writing, order_id: str, meter: str, amount_micro: int) -> VendAnswer | None:
        existing = _check(writing, order_id, meter, amount_micro)
        if existing is None:
            price_in(writing, self._context, meter, amount_micro)
        return existing

    def _coded(self, writing: Writing, sale: VendAnswer, with_code: bool) -> VendAnswer:
        """The sale with its value code where that is wanted."""
        if not with_code or sale.state in (TransferState.CONFIRMED, TransferState.CANCELLED):
            return sale
        return replace(sale, code=write_code(writing, self._context, sale.meter, sale.order).digits)

    def _make(
        self, writing: Writing, order_id: str, meter: str, paid_micro: int, tag: bytes, guarantee: Guarantee
    ) -> VendAnswer:
        existing = _check(writing, order_id, meter, paid_micro)
        if existing is not None:
            return existing
        priced = price_in(writing, self._context, meter, paid_micro)
        amount_micro = paid_micro if priced is None else priced.quote.value_micro
        now_s, run = self._context.now(), writing.run
        before = take_book(writing, meter)
        try:
            after = make_order(before, order_id, amount_micro, tag)
        except TransferRuleError as error:
            allowed = f"a meter that takes orders now ({error})"
            raise RefusedError(RefusalOutcome.METER_BLOCKED, "meter", meter, allowed) from None
        (number,) = run(Hot.ORDER_INSERT, (order_id, meter, amount_micro, tag, now_s)).fetchone()
        authorization = guarantee.authorization or cash_authorization(number)
        run(Hot.PAYMENT_INSERT, (authorization, order_id, guarantee.method, paid_micro, now_s))
        money = OrderMoney(writing, order_id, meter, amount_micro, Place.WALLET, 0, now_s)
        money.pay(authorization)
        run(Hot.ORDER_PLACE, (money.place.value, money.moves, order_id))
        if priced is not None:
            book_priced(writing, order_id, meter, priced, now_s)
        book_changes(writing, meter, before, after, (), at_s=now_s)
        log_action(writing, now_s, "vend", meter, f"order {order_id}, {paid_micro} micro, {authorization}")
        sold = VendAnswer(order_id, str(number), TransferState.PENDING, meter, amount_micro, authorization, now_s)
        lines = () if priced is None else charges_of(priced.quote.lines)
        return replace(sold, paid_micro=paid_micro, lines=lines)


def _parse_amount(amount: str, settings: Installation) -> int:
    """The amount in micro-units; what is allowed is said with the ceiling of a sale, not with that of money."""
    try:
        return parse_value(amount, digits=settings.currency_digits)
    except ValueFieldError:
        return parse_value(amount, digits=settings.currency_digits, most_micro=settings.vend_ceiling_micro)


def _check(writing: Writing, order_id: str, meter: str, paid_micro: int) -> VendAnswer | None:
    """What became of this sale where it was made before; RefusedError where it cannot be made."""
    if writing.run(Hot.ORDER_EXISTS, (order_id,)).fetchone() is None:
        check_account(writing, meter)
        return None
    found = read_transfer(writing.connection, order_id)
    if (found.meter, found.paid_micro) != (meter, paid_micro):
        allowed = f"its own sale of {format_value(found.paid_micro)} to meter {found.meter}, or a new order id"
        raise RefusedError(RefusalOutcome.EXISTS_WITH_DIFFERENT_FIELDS, "order", order_id, allowed)
    return VendAnswer(
        order=found.order,
        transfer=found.transfer,
        state=found.state,
        meter=found.meter,
        amount_micro=found.amount_micro,
        authorization=found.authorization or "",
        at_s=found.made_s,
        existed=True,
        paid_micro=found.paid_micro,
        lines=read_charges(writing.connection, order_id),
    )
