"""Transfers of value: seen, cancelled, refunded, and what a meter holds unexplained.

Nothing here decides whether value moved; that is the meter's word and the rules' (`protocol.transfer`). A cancel is a
wish: it ends at once where nothing can be under way, and else when the meter has shown who holds the sequence.
"""

from typing import Any, Final

from sqlalchemy import Connection, Row, or_, select

from prewatt.host.answers import ChargeAnswer, SuspenseAnswer, TransferAnswer, TransferState
from prewatt.host.bodyvalue import follow_bodies
from prewatt.host.booking import book_changes, book_match
from prewatt.host.context import HostContext, log_action
from prewatt.host.fields import check_meter, check_text
from prewatt.host.ledger import AccountKind, Phase, Posting, account_id
from prewatt.host.money import OrderMoney, Place, post_or_fail
from prewatt.host.plans.charges import read_charges, refund_order
from prewatt.host.refusals import RefusalOutcome, RefusedError
from prewatt.host.store import Hot, Writing, schema
from prewatt.host.store.books import read_book, take_book
from prewatt.protocol.transfer import BodyState, OrderState, TransferRuleError, ask_cancel, close_suspense
from prewatt.units import epoch_of

__all__ = ["LISTED_MAX", "Transfers", "read_transfer"]

# Transfers in one answer; older ones are asked for by `before`.
LISTED_MAX: Final = 1_000
_STATES: Final = {
    OrderState.CONFIRMED: TransferState.CONFIRMED,
    OrderState.CANCELLED: TransferState.CANCELLED,
    OrderState.REFUSED: TransferState.REFUSED,
}
_STEPS: Final = {OrderState.REFUSED: "refused by meter"}


class Transfers:
    """What became of every order."""

    def __init__(self, context: HostContext) -> None:
        self._context = context

    def read(self, transfer: str) -> TransferAnswer:
        """One transfer, by its number or its order's id; RefusedError (unknown_order) where there is none."""
        with self._context.store.reading() as connection:
            return read_transfer(connection, transfer)

    def read_charges(self, transfer: str) -> list[ChargeAnswer]:
        """What was paid for with it, line by line, the value first; none where it was sold without a rate plan."""
        with self._context.store.reading() as connection:
            return list(read_charges(connection, read_transfer(connection, transfer).order))

    def read_all(
        self,
        *,
        meter: str | None = None,
        state: TransferState | None = None,
        before: int | None = None,
        limit: int = 100,
    ) -> list[TransferAnswer]:
        """Transfers, newest first; ``before``: only those with a lower number."""
        if not 1 <= limit <= LISTED_MAX:
            raise RefusedError(RefusalOutcome.BAD_FIELD, "limit", limit, f"1 to {LISTED_MAX}")
        orders = schema.orders
        wanted = _joined().order_by(orders.c.number.desc()).limit(limit)
        if meter is not None:
            wanted = wanted.where(orders.c.meter == check_meter(meter))
        if state is not None:
            wanted = wanted.where(orders.c.step.in_([step.value for step in OrderState if _state(step) is state]))
        if before is not None:
            wanted = wanted.where(orders.c.number < before)
        with self._context.store.reading() as connection:
            return [_answer(row) for row in connection.execute(wanted)]

    def cancel(self, transfer: str) -> TransferAnswer:
        """Asks for a cancel. The answer is cancelled, or pending (step `cancelling`) until the meter has decided.

        RefusedError (already_settled) where it is confirmed or cancelled.
        """
        found = self.read(transfer)
        self._context.store.write(lambda writing: self._cancel(writing, found))
        self._context.wake(found.meter)
        return self.read(found.order)

    def refund(self, transfer: str) -> TransferAnswer:
        """Pays a cancelled order back: wallet -> refunded, and every line of a rate plan that was paid with it.

        RefusedError unless it is cancelled and not refunded.
        """
        found = self.read(transfer)
        self._context.store.write(lambda writing: self._refund(writing, found))
        return self.read(found.order)

    def read_suspense(self) -> list[SuspenseAnswer]:
        """Value that meters hold and no order explains, by meter and sequence."""
        # An account that comes to nothing may still hold what was taken and what was given back, both unexplained.
        holding = select(schema.accounts.c.id).where(
            schema.accounts.c.id.startswith(f"{AccountKind.SUSPENSE.value}:"),
            schema.accounts.c.debits_micro + schema.accounts.c.credits_micro > 0,
        )
        with self._context.store.reading() as connection:
            meters = sorted(account.partition(":")[2] for account in connection.execute(holding).scalars())
            return [
                SuspenseAnswer(meter, int(entry.sequence), entry.amount_micro)
                for meter in meters
                for entry in sorted(read_book(connection, meter).suspense, key=lambda entry: entry.sequence)
            ]

    def explain_suspense(self, meter: str, sequence: int, note: str) -> None:
        """A person says that value in suspense was sold for cash whose record was lost: cash -> suspense."""
        meter, note = check_meter(meter), check_text(note, field="note")
        self._context.store.write(lambda writing: self._explain(writing, meter, sequence, note))

    def match_suspense(self, meter: str, sequence: int, transfer: str, note: str) -> TransferAnswer:
        """A person says that value in suspense was this open order, typed as a code that a restore forgot."""
        meter, note, found = check_meter(meter), check_text(note, field="note"), self.read(transfer)
        if found.meter != meter:
            raise RefusedError(RefusalOutcome.UNKNOWN_ORDER, "transfer", transfer, f"a transfer to meter {meter}")

        def work(writing: Writing) -> None:
            now_s = self._context.now()
            book_match(writing, meter, found.order, sequence, at_s=now_s)
            follow_bodies(writing, meter, take_book(writing, meter), epoch_of(sequence), now_s)
            log_action(writing, now_s, "suspense match", meter, f"sequence {sequence} was order {found.order}: {note}")

        self._context.store.write(work)
        self._context.wake(meter)
        return self.read(found.order)

    def _explain(self, writing: Writing, meter: str, sequence: int, note: str) -> None:
        before, now_s = take_book(writing, meter), self._context.now()
        entry = next((each for each in before.suspense if each.sequence == sequence), None)
        if entry is None:
            allowed = "a sequence that is in suspense; see `prewatt transfer suspense`"
            raise RefusedError(RefusalOutcome.UNKNOWN_ORDER, "sequence", sequence, allowed)
        cash, suspense = account_id(AccountKind.CASH), account_id(AccountKind.SUSPENSE, meter)
        debit, credit = (cash, suspense) if entry.amount_micro > 0 else (suspense, cash)
        posting_id = f"{meter}:{sequence:08X}/explained"
        amount = abs(entry.amount_micro)
        post_or_fail(writing, Posting(posting_id, Phase.SINGLE, debit, credit, amount, note, meter), now_s)
        after = close_suspense(before, sequence)
        book_changes(writing, meter, before, after, (), at_s=now_s)
        # What nothing explained was not counted as left in a lost body; now it is.
        follow_bodies(writing, meter, after, epoch_of(sequence), now_s)
        log_action(writing, now_s, "suspense explained", meter, f"sequence {sequence}: {note}")

    def _cancel(self, writing: Writing, found: TransferAnswer) -> None:
        before, now_s = take_book(writing, found.meter), self._context.now()
        if all(order.order_id != found.order for order in before.orders):
            allowed = "a transfer that has not been settled"
            raise RefusedError(RefusalOutcome.ALREADY_SETTLED, "transfer", found.order, allowed)
        try:
            after, changes = ask_cancel(before, found.order)
        except TransferRuleError as error:
            raise RefusedError(RefusalOutcome.METER_BLOCKED, "transfer", found.order, str(error)) from None
        book_changes(writing, found.meter, before, after, changes, at_s=now_s)
        log_action(writing, now_s, "transfer cancel", found.meter, f"order {found.order}")

    def _refund(self, writing: Writing, found: TransferAnswer) -> None:
        now_s = self._context.now()
        place, moves, amount = writing.run(Hot.ORDER_MONEY, (found.order, found.meter)).fetchone()
        cancelled = read_transfer(writing.connection, found.order).state is TransferState.CANCELLED
        if not cancelled or place != Place.WALLET:
            allowed = "a cancelled transfer that was not refunded; cancel it first"
            raise RefusedError(RefusalOutcome.ALREADY_SETTLED, "transfer", found.order, allowed)
        book = take_book(writing, found.meter)
        settled = (book.synced and not book.reconciling) or book.body is BodyState.LOST
        if not settled or any(entry.amount_micro == amount for entry in book.suspense):
            # After a restore the same sale may have been made again and delivered, by a host that was forgotten.
            allowed = "a transfer to a meter in step, reconciled, and without this amount in suspense"
            raise RefusedError(RefusalOutcome.METER_BLOCKED, "transfer", found.order, allowed)
        money = OrderMoney(writing, found.order, found.meter, amount, Place(place), moves, now_s)
        refund_order(writing, money, found.order, found.meter, now_s)
        writing.run(Hot.ORDER_PLACE, (money.place.value, money.moves, found.order))
        log_action(writing, now_s, "transfer refund", found.meter, f"order {found.order}")


def read_transfer(connection: Connection, transfer: str) -> TransferAnswer:
    """One transfer, by its number or its order's id."""
    orders = schema.orders
    by_id = orders.c.id == transfer
    # Longer digits would not fit the column; they can only be an order's id.
    number = int(transfer) if transfer.isascii() and transfer.isdecimal() and len(transfer) <= 18 else None
    wanted = _joined().where(by_id if number is None else or_(by_id, orders.c.number == number))
    rows = connection.execute(wanted.order_by(by_id.desc()).limit(1)).all()
    if not rows:
        allowed = "the number of a transfer or the id of an order; see `prewatt transfer list`"
        raise RefusedError(RefusalOutcome.UNKNOWN_ORDER, "transfer", transfer, allowed)
    return _answer(rows[0])


def _joined() -> Any:  # noqa: ANN401 - a Select of many columns
    orders, payments = schema.orders, schema.payments
    paid = payments.c.amount_micro.label("paid_micro")
    return select(orders, payments.c.authorization, paid).select_from(
        orders.outerjoin(payments, payments.c.order_id == orders.c.id)
    )


def _state(step: OrderState) -> TransferState:
    return _STATES.get(step, TransferState.PENDING)


def _answer(row: Row[Any]) -> TransferAnswer:
    step = OrderState(row.step)
    return TransferAnswer(
        order=row.id,
        transfer=str(row.number),
        state=_state(step),
        step=_STEPS.get(step, step.value),
        meter=row.meter,
        amount_micro=row.amount_micro,
        paid_micro=row.amount_micro if row.paid_micro is None else row.paid_micro,
        sequence=row.sequence,
        authorization=row.authorization,
        place=row.place,
        refunded=row.place == Place.REFUNDED,
        made_s=row.made_s,
        settled_s=row.settled_s,
    )
