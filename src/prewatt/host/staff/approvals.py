"""Four eyes: what gives value away or cannot be undone is asked by one person and done by another.

The call becomes a row: who asked, from where, the call and its arguments, and a digest of both. Somebody else who has
the right names row and digest, and the host makes the call in that person's name. The row's end stands in the same
commit as the first thing that the call writes, and the database takes only one end: two persons who approve at once, or
a power cut, cannot make it happen twice. As long as there are no staff accounts there is nobody to ask.
"""

import json
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any, Final, NamedTuple

from sqlalchemy import Row, insert, select

from prewatt.host.context import HostContext, log_action
from prewatt.host.fields import is_id
from prewatt.host.refusals import RefusalOutcome, RefusedError
from prewatt.host.staff.answers import ApprovalAnswer
from prewatt.host.store import Writing, schema
from prewatt.host.transfers import read_transfer
from prewatt.units import DAY_S, MICRO_PER_UNIT, format_value

__all__ = ["ALWAYS_TWO", "APPROVAL_LIFE_S", "REFUND_LIMIT_MICRO", "Approvals", "Approved"]

APPROVAL_LIFE_S: Final = DAY_S
# Calls that always need two: value for which nobody paid here, and keys.
ALWAYS_TWO: Final = frozenset({"explain_suspense", "sign_over", "retire_key_set"})
# A refund above this, unless the installation says otherwise.
REFUND_LIMIT_MICRO: Final = 100 * MICRO_PER_UNIT
_REFUND_LIMIT: Final = "refund"
_REFUND_CALL: Final = "refund_transfer"
_LIMIT_MAX_MICRO: Final = 2**62
_ID_BYTES: Final = 8
# Open ones of one person; more is a program that asks in a loop.
OPEN_MAX: Final = 100
_LISTED_MAX: Final = 500


class Approved(NamedTuple):
    """What a second person may now do."""

    id: str
    call: str
    arguments: dict[str, Any]
    asked_by: str


class Approvals:
    """See the module."""

    def __init__(self, context: HostContext) -> None:
        self._context = context

    def needed(self, call: str, arguments: Mapping[str, Any]) -> bool:
        """Whether this call needs a second person."""
        if call in ALWAYS_TWO:
            return True
        if call != _REFUND_CALL:
            return False
        with self._context.store.reading() as connection:
            return read_transfer(connection, str(arguments["order"])).amount_micro > _read_limit(connection)

    def ask(self, call: str, arguments: Mapping[str, Any]) -> ApprovalAnswer:
        """Writes down that the actor asks for this; the same again while it is open is the same row."""
        text = json.dumps(arguments, sort_keys=True)
        digest = _digest(call, text)

        def write(writing: Writing) -> Row[Any]:
            rows, now_s, actor = schema.approvals, self._context.now(), self._context.actor
            mine = [
                row
                for row in writing.connection.execute(_joined().where(rows.c.asked_by == actor.name))
                if _state(row, now_s) == "open"
            ]
            for row in mine:
                if row.digest == digest:
                    return row
            if len(mine) >= OPEN_MAX:
                raise RefusedError(RefusalOutcome.NOT_ALLOWED, "call", call, f"fewer than {OPEN_MAX} open approvals")
            approval = self._context.random(_ID_BYTES).hex()
            values = {"id": approval, "call": call, "arguments": text, "digest": digest, "asked_by": actor.name}
            times = {"asked_from": self._context.origin, "asked_s": now_s, "expires_s": now_s + APPROVAL_LIFE_S}
            writing.connection.execute(insert(rows).values(**values, **times))
            log_action(writing, now_s, "approval ask", approval, call, after=dict(arguments))
            return writing.connection.execute(_joined().where(rows.c.id == approval)).one()

        row = self._context.store.write(write)
        return _answer(row, self._context.now())

    def read_all(self) -> list[ApprovalAnswer]:
        """The newest, whatever became of them."""
        wanted = _joined().order_by(schema.approvals.c.asked_s.desc(), schema.approvals.c.id).limit(_LISTED_MAX)
        with self._context.store.reading() as connection:
            rows = connection.execute(wanted).all()
        return [_answer(row, self._context.now()) for row in rows]

    def read(self, approval: str) -> ApprovalAnswer:
        """One of them."""
        row = None
        if is_id(approval):
            with self._context.store.reading() as connection:
                row = connection.execute(_joined().where(schema.approvals.c.id == approval)).one_or_none()
        if row is None:
            allowed = "the id of an approval; see `prewatt approve list`"
            raise RefusedError(RefusalOutcome.UNKNOWN_APPROVAL, "approval", approval, allowed)
        return _answer(row, self._context.now())

    def take(self, approval: str, digest: str) -> Approved:
        """What the actor, as the second person, may do now. RefusedError for the first one, and for what is over."""
        found = self.read(approval)
        if found.state != "open":
            raise _not_approved(approval, f"one that is open; this one is {found.state}")
        if found.asked_by == self._context.actor.name:
            raise _not_approved(approval, f"by somebody else than {found.asked_by}, who asked for it")
        text = json.dumps(found.arguments, sort_keys=True)
        if digest != found.digest or _digest(found.call, text).hex() != digest:
            raise _not_approved(approval, "with the digest of what was asked; read it again, it is not what was shown")
        return Approved(approval, found.call, found.arguments, found.asked_by)

    def withdraw(self, approval: str) -> ApprovalAnswer:
        """It will not be done; anybody who may see it may say so."""
        found = self.read(approval)
        if found.state != "open":
            raise _not_approved(approval, f"one that is open; this one is {found.state}")
        self._context.store.write(lambda writing: self._end(writing, approval, "withdrawn", found.call))
        return self.read(approval)

    def ending(self, approved: Approved) -> Callable[[Writing], None]:
        """What belongs into the commit of the call itself."""
        detail = f"{approved.call}, asked by {approved.asked_by}"
        return lambda writing: self._end(writing, approved.id, "done", detail)

    def read_limit(self) -> int:
        """Refunds above this need two persons, in micro-units."""
        with self._context.store.reading() as connection:
            return _read_limit(connection)

    def change_limit(self, amount_micro: int) -> int:
        """Changes it; 0 is every refund."""
        if not 0 <= amount_micro <= _LIMIT_MAX_MICRO:
            raise RefusedError(RefusalOutcome.BAD_FIELD, "amount", amount_micro, f"0 to {_LIMIT_MAX_MICRO}")

        def write(writing: Writing) -> None:
            before = _read_limit(writing.connection)
            put = writing.insert(schema.staff_limits).values(name=_REFUND_LIMIT, amount_micro=amount_micro)
            change = put.on_conflict_do_update(index_elements=["name"], set_={"amount_micro": amount_micro})
            writing.connection.execute(change)
            shown = {"before": {"micro": before}, "after": {"micro": amount_micro}}
            log_action(writing, self._context.now(), "limit change", _REFUND_LIMIT, format_value(amount_micro), **shown)

        self._context.store.write(write)
        return amount_micro

    def _end(self, writing: Writing, approval: str, state: str, detail: str) -> None:
        now_s, ends = self._context.now(), schema.approval_ends
        if writing.connection.execute(select(ends.c.id).where(ends.c.id == approval)).scalar() is not None:
            raise _not_approved(approval, "one that is open; somebody else was quicker")
        actor = self._context.actor.name
        values = {"id": approval, "state": state, "decided_by": actor, "decided_s": now_s}
        writing.connection.execute(insert(ends).values(**values))
        log_action(writing, now_s, f"approval {state}", approval, detail)


def _read_limit(connection: Any) -> int:  # noqa: ANN401 - a connection of either use
    limits = schema.staff_limits.c
    found = connection.execute(select(limits.amount_micro).where(limits.name == _REFUND_LIMIT)).scalar()
    return REFUND_LIMIT_MICRO if found is None else int(found)


def _joined() -> Any:  # noqa: ANN401 - a select of two tables' columns
    ends = schema.approval_ends
    columns = ends.c.state, ends.c.decided_by, ends.c.decided_s
    return select(schema.approvals, *columns).join_from(
        schema.approvals, ends, schema.approvals.c.id == ends.c.id, isouter=True
    )


def _digest(call: str, arguments: str) -> bytes:
    return sha256(json.dumps([call, arguments]).encode()).digest()


def _state(row: Row[Any], now_s: int) -> str:
    if row.state is not None:
        return str(row.state)
    # A clock that was set back does not make it live for longer.
    return "open" if row.asked_s <= now_s < row.expires_s else "expired"


def _answer(row: Row[Any], now_s: int) -> ApprovalAnswer:
    what = row.id, row.call, json.loads(row.arguments), row.digest.hex()
    asked = row.asked_by, row.asked_from, row.asked_s, row.expires_s
    return ApprovalAnswer(*what, *asked, _state(row, now_s), row.decided_by, row.decided_s)


def _not_approved(approval: str, allowed: str) -> RefusedError:
    return RefusedError(RefusalOutcome.NOT_APPROVED, "approval", approval, allowed)
