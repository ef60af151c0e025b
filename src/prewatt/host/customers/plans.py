"""What a file of customers, premises, suppliers or agents does: each row added, changed, or there already.

A plan is made by looking alone: first each row by itself, then the rows against each other, then against what is there.
It names everything that is wrong; only a plan without a fault is carried out, in the commit that it was made in.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from sqlalchemy import Connection, select

from prewatt.host.context import HostContext
from prewatt.host.customers.answers import BadRow
from prewatt.host.customers.kinds import RecordKind, Row, check_row
from prewatt.host.customers.records import CHUNK, Changed, chunks, read_rows, write_rows
from prewatt.host.customers.sheets import Line, bad_row
from prewatt.host.refusals import RefusalOutcome, RefusedError
from prewatt.host.store import Writing

__all__ = ["Plan", "RecordSheet", "Told", "twice"]

Told = Callable[[str, int], None]


@dataclass
class Plan:
    """What is to be done, in parts of at most CHUNK rows, and what is wrong."""

    steps: list[Callable[[Writing, int], None]] = field(default_factory=list)
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    bad: list[BadRow] = field(default_factory=list)
    stations: set[str] = field(default_factory=set)
    """Below which something changes."""
    meters: list[str] = field(default_factory=list)
    """That have work afterwards."""


def twice(field_name: str, value: str, line: int) -> RefusedError:
    """The refusal of something that a row before says already."""
    allowed = f"something that no row before it has; line {line} has it already"
    return RefusedError(RefusalOutcome.BAD_FIELD, field_name, value, allowed)


class RecordSheet:
    """A CSV file of one kind of record."""

    def __init__(self, kind: RecordKind) -> None:
        self.kind = kind
        self.columns = kind.columns

    def check(self, lines: Iterable[Line], told: Told) -> tuple[list[tuple[int, str, Row]], list[BadRow]]:
        """The rows by themselves and against each other: those without a fault, and all faults."""
        good: list[tuple[int, str, Row]] = []
        bad: list[BadRow] = []
        seen: dict[str, int] = {}
        for number, (line, (key, *cells)) in enumerate(lines, 1):
            row, wrong = check_row(self.kind, key, dict(zip(self.columns[1:], cells, strict=True)))
            if key in seen:
                wrong.append(twice(self.kind.word, key, seen[key]))
            seen.setdefault(key, line)
            bad += [bad_row(line, error) for error in wrong]
            if not wrong:
                good.append((line, key, row))
            if number % CHUNK == 0:
                told("checking", number)
        return good, bad

    def plan(self, connection: Connection, context: HostContext, good: list[tuple[int, str, Row]], told: Told) -> Plan:
        """The rows against what is there."""
        plan, done = Plan(), 0
        for chunk in chunks(good):
            there = read_rows(connection, self.kind, [key for _, key, _ in chunk])
            changed = [Changed(key, there.get(key), row) for _, key, row in chunk if there.get(key) != row]
            plan.unchanged += len(chunk) - len(changed)
            plan.changed += sum(each.before is not None for each in changed)
            plan.added += sum(each.before is None for each in changed)
            if changed:
                plan.steps.append(_writes(self.kind, changed))
            done += len(chunk)
            told("checking", done)
        return plan

    def rows(self, connection: Connection) -> Iterable[Row]:
        """Every row as the file has it, by id."""
        table = self.kind.table
        for row in connection.execute(select(table).order_by(table.c.id)):
            yield {self.kind.word: row.id} | {column: getattr(row, column) for column in self.kind.checks}


def _writes(kind: RecordKind, changed: list[Changed]) -> Callable[[Writing, int], None]:
    return lambda writing, now_s: write_rows(writing, kind, changed, now_s)
