"""Bodies behind ids: asked to retire, replaced by another, lost, and their value signed over (R8).

    retire     the body is asked to take no more value; what is under way settles or gets no number there any more
    replace    its last balance follows, as an order: to the new body under the same id, or to a meter with a new id
    lost       nobody can read it any more: what may be in it waits in account `lost bodies`
    sign over  a person says where value of a lost body goes: a meter, a refund, or a named account as a loss

Nothing moves before the old body's standing is final: retired, in step, everything it holds explained, and read since.
Every step is one commit with its postings and a line in the audit log; the same step asked again changes nothing.
"""

from collections.abc import Callable
from typing import Final, TypeVar

from sqlalchemy import insert, select, update

from prewatt.host.bodyanswers import BodyAnswer, SignOverAnswer, SignOverTarget
from prewatt.host.bodyvalue import BodyRow, body_epoch, change_body, final_balance, level_lost, read_body, value_left
from prewatt.host.booking import book_changes
from prewatt.host.campaigns.progress import leave_campaigns
from prewatt.host.carrying import carried_order, check_in_step, held_of, make_carried
from prewatt.host.context import HostContext, log_action
from prewatt.host.fields import check_meter, check_text
from prewatt.host.ledger import AccountKind, Phase, Posting, account_id
from prewatt.host.money import post_or_fail
from prewatt.host.refusals import RefusalOutcome, RefusedError
from prewatt.host.registry import unknown_meter
from prewatt.host.signing import Lot, carry_open_orders, read_sign_over, sign_lot
from prewatt.host.store import Writing, schema
from prewatt.host.store.books import read_book, take_book
from prewatt.host.tags import TAG_RANDOM_BYTES, make_tag
from prewatt.protocol.transfer import BodyState, MeterBook, OrderState, ask_retire, body_lost, reconciled
from prewatt.units import epoch_of, sequence_of
from prewatt.units.ids import SEQUENCE_COUNTER_MAX

__all__ = ["Bodies"]

T = TypeVar("T")

_NO_VALUE: Final = {"lost_micro": 0, "signed_micro": 0, "voided_micro": 0, "unreported_micro": 0}


class Bodies:
    """Retiring, replacing, losing bodies."""

    def __init__(self, context: HostContext) -> None:
        self._context = context

    def read(self, meter: str) -> list[BodyAnswer]:
        """Every body of this id that was asked to retire or was lost, the newest first."""
        meter, bodies = check_meter(meter), schema.bodies
        with self._context.store.reading() as connection:
            if not connection.execute(select(schema.meters.c.id).where(schema.meters.c.id == meter)).scalar():
                raise unknown_meter(meter)
            book = read_book(connection, meter)
            wanted = select(bodies).where(bodies.c.meter == meter).order_by(bodies.c.epoch.desc())
            found = [BodyRow.of(row) for row in connection.execute(wanted).all()]
            signed: dict[int, list[SignOverAnswer]] = {}
            overs = schema.sign_overs
            for row in connection.execute(select(overs).where(overs.c.meter == meter).order_by(overs.c.number)):
                signed.setdefault(row.epoch, []).append(read_sign_over(row))
            left = {
                body.epoch: final_balance(connection, meter, body.epoch)
                if body.kind == "retired"
                else value_left(connection, meter, body.epoch, book.suspense, body.voided_micro)
                for body in found
            }
        return [_answer(body, book, left[body.epoch], tuple(signed.get(body.epoch, ()))) for body in found]

    def retire(self, meter: str, reason: str) -> BodyAnswer:
        """Asks the body to take no more value. RefusedError where there is none in use."""
        return self._step(meter, reason, self._retire)

    def replace(self, meter: str, reason: str, *, to_meter: str | None = None) -> BodyAnswer:
        """The value of the retired body follows: to the next body of the same id, or to ``to_meter``.

        RefusedError names what its standing lacks to be final; then nothing was changed.
        """
        target = check_meter(meter) if to_meter is None else check_meter(to_meter, field="to_meter")
        answer = self._step(meter, reason, lambda writing, old, why: self._replace(writing, old, target, why))
        self._context.wake(target)
        return answer

    def lose(self, meter: str, reason: str) -> BodyAnswer:
        """A person says that this body can never be read again: nothing is sent or sold to this id any more."""
        return self._step(meter, reason, self._lose)

    def sign_over(self, meter: str, lot: str, target: SignOverTarget, name: str, cause: str) -> SignOverAnswer:
        """A person says where value of a lost body goes. ``lot``: the id of a lost order, or `balance`.

        ``name``: the meter that gets it, the account it is written off to, empty for a refund. RefusedError where
        there is no such value, or where it went elsewhere already.
        """
        chosen = Lot(lot, target, name)
        answer = self._write(meter, cause, lambda writing, old, why: sign_lot(writing, self._context, old, chosen, why))
        if target is SignOverTarget.METER:
            self._context.wake(check_meter(name))
        return answer

    def _step(self, meter: str, reason: str, step: Callable[[Writing, str, str], None]) -> BodyAnswer:
        self._write(meter, reason, step)
        return self.read(meter)[0]

    def _write(self, meter: str, reason: str, step: Callable[[Writing, str, str], T]) -> T:
        """One step in one commit, for a meter that is enrolled."""
        meter, reason = check_meter(meter), check_text(reason, field="reason")

        def work(writing: Writing) -> T:
            known = select(schema.meters.c.id).where(schema.meters.c.id == meter)
            if writing.connection.execute(known).scalar() is None:
                raise unknown_meter(meter)
            return step(writing, meter, reason)

        done = self._context.store.write(work)
        self._context.wake(meter)
        return done

    def _retire(self, writing: Writing, meter: str, reason: str) -> None:
        before, now_s = take_book(writing, meter), self._context.now()
        epoch = body_epoch(before)
        known = read_body(writing.connection, meter, epoch) is not None
        if before.body is BodyState.LIVE:
            after = ask_retire(before, make_tag(self._context.random(TAG_RANDOM_BYTES)))
            book_changes(writing, meter, before, after, (), at_s=now_s)
        elif before.body not in (BodyState.RETIRING, BodyState.RETIRED):
            allowed = f"a meter whose body is in use; this one is {before.body}"
            raise _refused(meter, allowed)
        elif known:
            return
        if not known:
            self._add(writing, meter, epoch, "retired", reason, now_s)
        log_action(writing, now_s, "meter retire", meter, f"epoch {epoch}: {reason}")

    def _add(self, writing: Writing, meter: str, epoch: int, kind: str, reason: str, now_s: int) -> None:
        row = {"meter": meter, "epoch": epoch, "kind": kind, "reason": reason, "made_s": now_s}
        writing.connection.execute(insert(schema.bodies).values(row | _NO_VALUE))

    def _replace(self, writing: Writing, meter: str, target: str, reason: str) -> None:
        body, book = self._ended(writing, meter), take_book(writing, meter)
        if body.moved_s is not None:
            if body.to_meter != target:
                raise _refused(meter, f"meter {body.to_meter}, where its value went before", "to_meter", target)
            return
        balance, now_s = _final(writing, meter, body.epoch, book), self._context.now()
        carried, order_id = carried_order(meter, body.epoch, "balance 1"), None
        check_in_step(writing, target)
        held = held_of(writing, carried, target)
        unreported, balance = (0, balance) if held is None else (max(0, held - balance), held)
        if balance:
            order_id = carried.order_id
            source, way = account_id(AccountKind.DELIVERED, meter), account_id(AccountKind.CARRIED, order_id)
            cause = f"the balance of epoch {body.epoch} follows to meter {target}"
            posting_id = f"{meter}:{body.epoch}/moved"
            post_or_fail(writing, Posting(posting_id, Phase.SINGLE, source, way, balance, cause, meter), now_s)
            make_carried(writing, self._context, carried, target, balance)
        moved = {"to_meter": target, "order_id": order_id, "moved_micro": balance, "moved_s": now_s}
        change_body(writing, meter, body.epoch, **moved, unreported_micro=unreported)
        if target != meter:
            carry_open_orders(writing, self._context, meter, target)
            _block(writing, meter, f"replaced by {target}", now_s)
        log_action(writing, now_s, "meter replace", meter, f"{balance} micro follow to meter {target}: {reason}")

    def _ended(self, writing: Writing, meter: str) -> BodyRow:
        """The oldest retired body whose value has not followed, else the newest whose value has."""
        bodies, book = schema.bodies, take_book(writing, meter)
        if book.body is BodyState.RETIRED and read_body(writing.connection, meter, body_epoch(book)) is None:
            # It was retired by a host that was forgotten, or simply used up its epoch.
            self._add(writing, meter, body_epoch(book), "retired", "found retired", self._context.now())
        wanted = select(bodies).where(bodies.c.meter == meter, bodies.c.kind == "retired").order_by(bodies.c.epoch)
        found = [BodyRow.of(row) for row in writing.connection.execute(wanted).all()]
        if not found:
            raise _refused(meter, f"a body that was retired; retire it first with `prewatt meter retire {meter}`")
        return next((body for body in found if body.moved_s is None), found[-1])

    def _lose(self, writing: Writing, meter: str, reason: str) -> None:
        before, now_s = take_book(writing, meter), self._context.now()
        if before.body is BodyState.LOST:
            return
        epoch = body_epoch(before)
        body = read_body(writing.connection, meter, epoch)
        if body is not None and body.moved_s is not None:
            if before.epoch <= epoch:
                raise _refused(meter, f"a body whose value is still its own; it went to meter {body.to_meter}")
            # A restored host never heard of the next one, and knows by the state folder alone that there was one.
            epoch, body = before.epoch, None
        after, changes = body_lost(before)
        if after.synced and after.reconciling and not (after.orders or after.suspense):
            after, _ = reconciled(after)
        book_changes(writing, meter, before, after, changes, at_s=now_s)
        if body is None:
            self._add(writing, meter, epoch, "lost", reason, now_s)
        else:
            change_body(writing, meter, epoch, kind="lost", reason=reason)
        level_lost(writing, after, meter, epoch, now_s)
        controls = schema.controls
        waiting = update(controls).where(controls.c.meter == meter, controls.c.state == "waiting")
        writing.connection.execute(waiting.values(state="dropped", settled_s=now_s))
        _block(writing, meter, f"body lost: {reason}", now_s)
        log_action(writing, now_s, "meter lost", meter, f"epoch {epoch}: {reason}")


def _answer(body: BodyRow, book: MeterBook, left: int | None, signed: tuple[SignOverAnswer, ...]) -> BodyAnswer:
    state = "lost" if body.kind == "lost" else "moved" if body.moved_s is not None else "retired"
    if state == "retired" and book.body is BodyState.RETIRING and body.epoch == body_epoch(book):
        state = "retiring"
    lost = tuple(order.order_id for order in book.orders if order.state is OrderState.LOST)
    return BodyAnswer(
        meter=body.meter,
        epoch=body.epoch,
        state=state,
        reason=body.reason,
        made_s=body.made_s,
        balance_micro=left,
        moved_micro=body.moved_micro,
        to_meter=body.to_meter,
        order=body.order_id,
        moved_s=body.moved_s,
        lost_micro=body.lost_micro,
        lost_orders=lost if body.kind == "lost" else (),
        signed_over=signed,
        unreported_micro=body.unreported_micro,
    )


def _final(writing: Writing, meter: str, epoch: int, book: MeterBook) -> int:
    """The last balance of a body whose standing is final; RefusedError says what it lacks."""
    lacks = None
    # What the next body holds is not this one's, also where payments are still to be reconciled after a restore: it may
    # be this very value, which followed before.
    suspense = [entry for entry in book.suspense if epoch_of(entry.sequence) <= epoch]
    if book.settled < sequence_of(epoch, SEQUENCE_COUNTER_MAX):
        lacks = "has not shown yet that it takes no more value"
    elif book.frozen is not None:
        lacks = f"is frozen: {book.frozen}"
    elif not book.synced or (book.reconciling and epoch_of(book.settled) == epoch):
        lacks = "is out of step with its book, or with the payments"
    elif suspense:
        lacks = f"holds value in suspense, under sequence {suspense[0].sequence}; match or explain it first"
    balance = final_balance(writing.connection, meter, epoch) if lacks is None else None
    if balance is None:
        raise _refused(
            meter, f"a body whose standing is final; this one {lacks or 'was not read since it was retired'}"
        )
    return balance


def _block(writing: Writing, meter: str, reason: str, now_s: int) -> None:
    meters = schema.meters
    blocked = update(meters).where(meters.c.id == meter).values(account="blocked", reason=reason)
    writing.connection.execute(blocked)
    leave_campaigns(writing, meter, now_s, reason)


def _refused(meter: str, allowed: str, field: str = "meter", given: str | None = None) -> RefusedError:
    return RefusedError(RefusalOutcome.METER_BLOCKED, field, given or meter, allowed)
