"""Trial balance, statements and exports: counted from the entries each time, never from a stored sum.

Only what is posted counts; a pending entry reserves, and moves nothing.
"""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, and_, false, func, or_, select, true

from prewatt.host.accounting.answers import (
    BalanceAnswer,
    BalanceRow,
    ExportAnswer,
    ExportForm,
    StatementAnswer,
    StatementRow,
)
from prewatt.host.accounting.days import end_s, read_period
from prewatt.host.accounting.export import Opened, export_part
from prewatt.host.context import HostContext
from prewatt.host.fields import check_meter
from prewatt.host.ledger import AccountKind, Entry, account_id, kind_of
from prewatt.host.refusals import RefusalOutcome, RefusedError
from prewatt.host.store import schema

__all__ = ["ACCOUNTS_MAX", "EXPORT_ENTRIES", "STATEMENT_ROWS_MAX", "Accounting"]

# Rows of one answer; beyond it a person asks for less, and a program for the export.
ACCOUNTS_MAX: Final = 10_000
STATEMENT_ROWS_MAX: Final = 10_000
# Entries of one part of an export: a megabyte or two.
EXPORT_ENTRIES: Final = 5_000
_NUMBER_MAX: Final = 2**63 - 1
_BY: Final = ("kind", "account")
_KINDS: Final = ", ".join(AccountKind)

_entries = schema.entries.c
_posted = _entries.phase.in_(("single", "post"))


class Accounting:
    """Reads the books; changes nothing."""

    def __init__(self, context: HostContext) -> None:
        self._context = context

    def balance(self, last_day: str | None = None, *, by: str = "kind") -> BalanceAnswer:
        """The trial balance at the end of ``last_day`` (None: now), by kind of account or account by account."""
        if by not in _BY:
            raise RefusedError(RefusalOutcome.BAD_FIELD, "by", by, " or ".join(_BY))
        until_s = end_s(last_day, self._context.zone, "last_day")
        with self._context.store.reading() as connection:
            debits = _sums(connection, _entries.debit, until_s)
            credits_ = _sums(connection, _entries.credit, until_s)
        if by == "kind":
            debits, credits_ = _by_kind(debits), _by_kind(credits_)
        names = sorted({*debits, *credits_})
        if len(names) > ACCOUNTS_MAX:
            raise RefusedError(RefusalOutcome.BAD_FIELD, "by", by, f"kind, beyond {ACCOUNTS_MAX} accounts")
        rows = tuple(_balance_row(name, debits.get(name, 0), credits_.get(name, 0)) for name in names)
        sums = sum(debits.values()), sum(credits_.values())
        return BalanceAnswer(until_s, rows, *sums, self._context.installation.currency)

    def statement(
        self, account: str, first_day: str | None = None, last_day: str | None = None
    ) -> list[StatementAnswer]:
        """One account, or each account of a meter, over a period; both days included. RefusedError for none such."""
        period = read_period(first_day, last_day, self._context.zone)
        with self._context.store.reading() as connection:
            return [self._statement(connection, name, *period) for name in _accounts_of(connection, account)]

    def export(
        self, form: str, first_day: str | None = None, last_day: str | None = None, *, after: int = 0
    ) -> ExportAnswer:
        """The next part of the entries of a period, by number, beyond entry ``after``."""
        if form not in set(ExportForm):
            raise RefusedError(RefusalOutcome.BAD_FIELD, "form", form, ", ".join(ExportForm))
        if not 0 <= after <= _NUMBER_MAX:
            raise RefusedError(RefusalOutcome.BAD_FIELD, "after", after, f"0 to {_NUMBER_MAX}")
        within = _within(*read_period(first_day, last_day, self._context.zone))
        with self._context.store.reading() as connection:
            query = select(*(schema.entries.c[name] for name in Entry._fields)).where(within, _entries.number > after)
            rows = connection.execute(query.order_by(_entries.number).limit(EXPORT_ENTRIES + 1)).all()
            part = [Entry._make(row) for row in rows[:EXPORT_ENTRIES]]
            opened = _opened(connection, within, part) if form == ExportForm.BEANCOUNT else []
        is_last = len(rows) <= EXPORT_ENTRIES
        text = export_part(
            ExportForm(form), part, opened, self._context.installation, self._context.zone, after == 0, is_last
        )
        return ExportAnswer(ExportForm(form), len(part), None if is_last else part[-1].number, text)

    def _statement(
        self, connection: Connection, account: str, from_s: int | None, until_s: int | None
    ) -> StatementAnswer:
        opening_micro = 0
        if from_s is not None:
            before = and_(_posted, _entries.at_s < from_s)
            for side, sign in ((_entries.credit, 1), (_entries.debit, -1)):
                query = select(func.coalesce(func.sum(_entries.amount_micro), 0)).where(before, side == account)
                opening_micro += sign * int(connection.execute(query).scalar_one())
        ours = or_(_entries.debit == account, _entries.credit == account)
        query = select(schema.entries).where(_posted, ours, _within(from_s, until_s))
        found = connection.execute(query.order_by(_entries.at_s, _entries.number).limit(STATEMENT_ROWS_MAX + 1)).all()
        if len(found) > STATEMENT_ROWS_MAX:
            allowed = f"a period of at most {STATEMENT_ROWS_MAX} entries"
            raise RefusedError(RefusalOutcome.BAD_FIELD, "last_day", account, allowed)
        rows, balance_micro = [], opening_micro
        for each in found:
            came_in = each.credit == account
            amount_micro = each.amount_micro if came_in else -each.amount_micro
            balance_micro += amount_micro
            other = each.debit if came_in else each.credit
            words = each.cause, each.reference
            rows.append(StatementRow(each.number, each.id, each.at_s, other, amount_micro, balance_micro, *words))
        currency = self._context.installation.currency
        return StatementAnswer(account, from_s, until_s, opening_micro, tuple(rows), balance_micro, currency)


def _within(from_s: int | None, until_s: int | None) -> ColumnElement[bool]:
    after = true() if from_s is None else _entries.at_s >= from_s
    return and_(after, true() if until_s is None else _entries.at_s < until_s)


def _sums(connection: Connection, side: ColumnElement[str], until_s: int | None) -> dict[str, int]:
    query = select(side, func.sum(_entries.amount_micro)).where(_posted, _within(None, until_s)).group_by(side)
    return {name: int(amount) for name, amount in connection.execute(query)}


def _by_kind(sums: dict[str, int]) -> dict[str, int]:
    found: dict[str, int] = {}
    for name, amount in sums.items():
        kind = name.partition(":")[0]
        found[kind] = found.get(kind, 0) + amount
    return found


def _balance_row(name: str, debits_micro: int, credits_micro: int) -> BalanceRow:
    return BalanceRow(name, debits_micro, credits_micro, credits_micro - debits_micro)


def _accounts_of(connection: Connection, account: str) -> Sequence[str]:
    """The account of this name, or those of the meter of this id."""
    wanted = [account]
    if account.partition(":")[0] not in set(AccountKind):
        try:
            meter = check_meter(account, field="account")
        except RefusedError:
            allowed = f"a meter's id, or an account: a kind ({_KINDS}), and for most a colon and an owner"
            raise RefusedError(RefusalOutcome.BAD_FIELD, "account", account, allowed) from None
        wanted = [account_id(kind, meter) for kind in AccountKind]
    known = schema.accounts.c.id
    # A zero, or half a character, is in no account's name, and no database takes it as a parameter.
    here = known.in_(wanted) if account.isprintable() else false()
    found = connection.execute(select(known).where(here).order_by(known)).scalars().all()
    if not found:
        raise RefusedError(RefusalOutcome.UNKNOWN_ACCOUNT, "account", account, "an account that was posted to")
    return found


def _opened(connection: Connection, within: ColumnElement[bool], part: Sequence[Entry]) -> list[Opened]:
    """Accounts whose first posted entry of the period stands in this part, with their earliest date."""
    if not part:
        return []
    found: dict[str, Any] = {}
    for side in (_entries.debit, _entries.credit):
        query = select(side, func.min(_entries.number), func.min(_entries.at_s)).where(_posted, within).group_by(side)
        for name, number, at_s in connection.execute(query):
            before = found.get(name, (number, at_s))
            found[name] = min(number, before[0]), min(at_s, before[1])
    ends = part[0].number, part[-1].number
    return [
        Opened(name, kind_of(name), at_s)
        for name, (number, at_s) in sorted(found.items())
        if ends[0] <= number <= ends[1]
    ]
