"""Customers, premises, suppliers and agents at the counter: add, change, show, list; and who has which meter.

Adding what is there already with the same fields answers it as it is, so that a lost answer can be asked for again;
with other fields it is refused. A change names the fields that change; the others stay. The money that a meter holds
stays with the meter when its customer changes: what is owed to whom is settled by a sale's own means.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from sqlalchemy import Connection, select, update

from prewatt.host.context import HostContext, log_action
from prewatt.host.customers.answers import ContactAnswer, CustomerAnswer, PremisesAnswer, TenancyAnswer
from prewatt.host.customers.kinds import CUSTOMERS, PREMISES, RecordKind, Row, check_row
from prewatt.host.customers.records import Changed, read_rows, write_rows
from prewatt.host.customers.tenancies import begin_tenancy, end_tenancy, read_tenancies
from prewatt.host.fields import check_id, check_meter, check_text
from prewatt.host.refusals import RefusalOutcome, RefusedError
from prewatt.host.store import Writing, schema

__all__ = ["LISTED_MAX", "Customers", "RecordAnswer", "move_people"]

# Rows in one answer; what follows is asked for after the last id of it.
LISTED_MAX: Final = 1_000
RecordAnswer = CustomerAnswer | PremisesAnswer | ContactAnswer


class Customers:
    """The registry's people and places."""

    def __init__(self, context: HostContext) -> None:
        self._context = context

    def add(self, kind: RecordKind, key: str, given: Mapping[str, str]) -> RecordAnswer:
        """Adds a row. RefusedError names the first field that is not allowed."""
        _check_fields(kind, given)
        row, wrong = check_row(kind, key, given)
        if wrong:
            raise wrong[0]

        def work(writing: Writing) -> None:
            found = read_rows(writing.connection, kind, [key]).get(key)
            if found is None:
                write_rows(writing, kind, [Changed(key, None, row)], self._context.now())
            elif found != row:
                allowed = f"an id that none of the {kind.name} has, or the fields that it has already"
                raise RefusedError(RefusalOutcome.EXISTS_WITH_DIFFERENT_FIELDS, kind.word, key, allowed)

        self._context.store.write(work)
        return self.read(kind, key)

    def change(self, kind: RecordKind, key: str, given: Mapping[str, str]) -> RecordAnswer:
        """Changes the fields that are given; an empty text takes one away. The same again changes nothing."""
        _check_fields(kind, given)
        check_id(key, field=kind.word)

        def work(writing: Writing) -> None:
            before = read_rows(writing.connection, kind, [key]).get(key)
            if before is None:
                raise kind.unknown_key(key)
            after, wrong = check_row(kind, key, before | dict(given))
            if wrong:
                raise wrong[0]
            if after != before:
                write_rows(writing, kind, [Changed(key, before, after)], self._context.now())

        self._context.store.write(work)
        return self.read(kind, key)

    def read(self, kind: RecordKind, key: str) -> RecordAnswer:
        """One row; RefusedError where nobody added it."""
        check_id(key, field=kind.word)
        with self._context.store.reading() as connection:
            found = read_rows(connection, kind, [key])
            if key not in found:
                raise kind.unknown_key(key)
            return _answers(connection, kind, [key], found)[0]

    def read_all(self, kind: RecordKind, *, after: str = "", limit: int = 50) -> list[RecordAnswer]:
        """Rows by id, those behind ``after``, at most ``limit`` of them."""
        if not 1 <= limit <= LISTED_MAX:
            raise RefusedError(RefusalOutcome.BAD_FIELD, "limit", limit, f"1 to {LISTED_MAX}")
        if after:
            check_id(after, field="after")
        table = kind.table
        query = select(table.c.id).where(table.c.id > after).order_by(table.c.id).limit(limit)
        with self._context.store.reading() as connection:
            keys = connection.execute(query).scalars().all()
            return _answers(connection, kind, keys, read_rows(connection, kind, keys))

    def assign(
        self, meter: str, *, customer: str | None = None, premises: str | None = None, reason: str
    ) -> list[TenancyAnswer]:
        """Gives a meter another customer, other premises, or both; what is not named stays. Gives its tenancies."""
        meter, reason = check_meter(meter), check_text(reason, field="reason")
        if customer is None and premises is None:
            allowed = "a customer, premises, or both"
            raise RefusedError(RefusalOutcome.BAD_FIELD, "customer", customer, allowed)
        now = self._context.now
        self._context.store.write(lambda writing: _assign(writing, meter, customer, premises, reason, now()))
        return self.read_tenancies(meter=meter)

    def vacate(self, meter: str, *, reason: str) -> list[TenancyAnswer]:
        """Ends the tenancy of a meter, which keeps its premises; one that nobody has stays as it is."""
        meter, reason = check_meter(meter), check_text(reason, field="reason")

        def work(writing: Writing) -> None:
            held, premises = _holder(writing.connection, meter)
            if held is not None:
                move_people(writing, meter, (held, premises), (None, premises), reason, self._context.now())

        self._context.store.write(work)
        return self.read_tenancies(meter=meter)

    def read_tenancies(
        self, *, meter: str | None = None, customer: str | None = None, premises: str | None = None
    ) -> list[TenancyAnswer]:
        """Who had a meter, or what a customer or premises had, newest first; RefusedError where that is not there."""
        with self._context.store.reading() as connection:
            if meter is not None:
                _holder(connection, check_meter(meter))
            for kind, key in ((CUSTOMERS, customer), (PREMISES, premises)):
                if key is not None:
                    _check_there(connection, kind, key)
            known = None if meter is None else check_meter(meter)
            return read_tenancies(connection, meter=known, customer=customer, premises=premises)


def move_people(
    writing: Writing,
    meter: str,
    before: tuple[str | None, str | None],
    after: tuple[str | None, str | None],
    reason: str,
    now_s: int,
) -> None:
    """Writes that a meter has another customer and premises than before, which are there and differ."""
    customer, premises = after
    end_tenancy(writing, meter, now_s)
    if customer is not None:
        begin_tenancy(writing, meter, customer, premises, now_s)
    meters = schema.meters
    moved = update(meters).where(meters.c.id == meter).values(customer=customer, premises=premises)
    writing.connection.execute(moved)
    names = ("customer", "premises")
    was, became = dict(zip(names, before, strict=True)), dict(zip(names, after, strict=True))
    log_action(writing, now_s, "meter assign", meter, reason, before=was, after=became)


def _assign(writing: Writing, meter: str, customer: str | None, premises: str | None, reason: str, now_s: int) -> None:
    before = _holder(writing.connection, meter)
    for kind, key in ((CUSTOMERS, customer), (PREMISES, premises)):
        if key is not None:
            _check_there(writing.connection, kind, key)
    after = (before[0] if customer is None else customer, before[1] if premises is None else premises)
    if after != before:
        move_people(writing, meter, before, after, reason, now_s)


def _holder(connection: Connection, meter: str) -> tuple[str | None, str | None]:
    """Customer and premises of a meter; RefusedError (unknown_meter) where none has this id."""
    meters = schema.meters
    row = connection.execute(select(meters.c.customer, meters.c.premises).where(meters.c.id == meter)).one_or_none()
    if row is None:
        allowed = "a meter that is enrolled; see `prewatt meter list`"
        raise RefusedError(RefusalOutcome.UNKNOWN_METER, "meter", meter, allowed)
    return row.customer, row.premises


def _check_there(connection: Connection, kind: RecordKind, key: str) -> None:
    check_id(key, field=kind.word)
    if not read_rows(connection, kind, [key]):
        raise kind.unknown_key(key)


def _check_fields(kind: RecordKind, given: Mapping[str, str]) -> None:
    for name in given:
        if name not in kind.checks:
            raise RefusedError(RefusalOutcome.BAD_FIELD, "field", name, f"one of {', '.join(kind.checks)}")


def _answers(
    connection: Connection, kind: RecordKind, keys: Sequence[str], found: Mapping[str, Row]
) -> list[RecordAnswer]:
    """The rows as answers, in the order of their keys, with the meters of each."""
    if kind not in (CUSTOMERS, PREMISES):
        return [ContactAnswer(key, **found[key]) for key in keys]
    meters = schema.meters
    column = meters.c.customer if kind is CUSTOMERS else meters.c.premises
    held: dict[str, list[str]] = {key: [] for key in keys}
    for key, meter in connection.execute(select(column, meters.c.id).where(column.in_(keys)).order_by(meters.c.id)):
        held[key].append(meter)
    if kind is CUSTOMERS:
        return [CustomerAnswer(key, **found[key], meters=tuple(held[key])) for key in keys]
    return [PremisesAnswer(key, **found[key], meters=tuple(held[key])) for key in keys]
