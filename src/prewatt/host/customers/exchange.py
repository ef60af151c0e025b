"""The registry as files: a table of a kind goes out as CSV, and comes in all at once or not at all.

A dry run looks only, and names every bad row. An import looks again inside the commit that writes, so that what another
clerk did in between is seen, and writes all rows in that one commit: a cut leaves all of them or none. Rows that are
there already with the same fields are not touched, so the same file twice changes nothing.
"""

from typing import Any, Final, Protocol

from sqlalchemy import Connection

from prewatt.host.context import HostContext, log_action
from prewatt.host.customers.answers import BadRow, ImportAnswer, ImportProgress, SheetAnswer
from prewatt.host.customers.kinds import RECORD_KINDS
from prewatt.host.customers.meterplans import MeterSheet
from prewatt.host.customers.plans import Plan, RecordSheet, Told
from prewatt.host.customers.sheets import Line, build_sheet, parse_sheet
from prewatt.host.customers.stationplans import StationSheet
from prewatt.host.refusals import RefusalOutcome, RefusedError
from prewatt.host.staff.rights import check_import
from prewatt.host.store import Writing

__all__ = ["SHEETS", "Exchange", "Watch"]


class Sheet(Protocol):
    """One kind of file."""

    columns: tuple[str, ...]

    def check(self, lines: list[Line], told: Told) -> tuple[list[Any], list[BadRow]]:
        """The rows by themselves and against each other."""
        ...

    def plan(self, connection: Connection, context: HostContext, good: list[Any], told: Told) -> Plan:
        """The rows against what is there."""
        ...

    def rows(self, connection: Connection) -> Any:  # noqa: ANN401 - an iterable of rows
        """Every row as the file has it."""
        ...


SHEETS: Final[dict[str, Sheet]] = {
    **{name: RecordSheet(kind) for name, kind in RECORD_KINDS.items()},
    "stations": StationSheet(),
    "meters": MeterSheet(),
}
_IDLE: Final = ImportProgress("", "", 0, 0)


class Watch:
    """How far the import that runs has come, for whoever asks: one for the host, whoever imports."""

    def __init__(self) -> None:
        self.progress = _IDLE


class Exchange:
    """Export and import."""

    def __init__(self, context: HostContext, watch: Watch) -> None:
        self._context, self._watch = context, watch

    @property
    def progress(self) -> ImportProgress:
        """How far the import that runs now has come, be it somebody else's."""
        return self._watch.progress

    def export(self, kind: str) -> SheetAnswer:
        """All rows of a kind, as they are at one moment."""
        sheet = _sheet(kind)
        with self._context.store.reading() as connection:
            rows = list(sheet.rows(connection))
        return SheetAnswer(kind, len(rows), build_sheet(sheet.columns, rows))

    def take(self, kind: str, text: str, *, dry_run: bool) -> ImportAnswer:
        """Imports a file, or says what importing it would do.

        RefusedError (bad_rows) names the first bad row and how many there are; a dry run answers with all of them.
        """
        try:
            return self._take(kind, text, dry_run=dry_run)
        finally:
            self._watch.progress = _IDLE

    def _take(self, kind: str, text: str, *, dry_run: bool) -> ImportAnswer:
        sheet = _sheet(kind)
        check_import(self._context.actor, kind)
        self._tell(kind, "reading", 0, 0)
        lines, bad = parse_sheet(text, sheet.columns, lambda rows: self._tell(kind, "reading", rows, rows))
        rows = len(lines)

        def told(step: str, done: int) -> None:
            self._tell(kind, step, done, rows)

        good, wrong = sheet.check(lines, told)
        bad += wrong
        if dry_run:
            with self._context.store.reading() as connection:
                plan = sheet.plan(connection, self._context, good, told)
            return _answer(kind, rows, plan, bad, dry_run=True)
        _refuse(bad)
        plan = self._context.store.write(lambda writing: self._write(writing, kind, sheet, good, told))
        for station in sorted(plan.stations):
            self._context.note_place(station)
        for meter in plan.meters:
            self._context.wake(meter)
        return _answer(kind, rows, plan, [], dry_run=False)

    def _write(self, writing: Writing, kind: str, sheet: Sheet, good: list[Any], told: Told) -> Plan:
        plan = sheet.plan(writing.connection, self._context, good, told)
        _refuse(plan.bad)
        now_s = self._context.now()
        for number, step in enumerate(plan.steps, 1):
            step(writing, now_s)
            told("writing", len(good) * number // len(plan.steps))
        if plan.steps:
            counts = f"{plan.added} added, {plan.changed} changed, {plan.unchanged} as they were"
            log_action(writing, now_s, "registry import", kind, counts)
        return plan

    def _tell(self, kind: str, step: str, done: int, rows: int) -> None:
        self._watch.progress = ImportProgress(kind, step, done, rows)


def _sheet(kind: str) -> Sheet:
    if kind not in SHEETS:
        raise RefusedError(RefusalOutcome.BAD_FIELD, "kind", kind, f"one of {', '.join(SHEETS)}")
    return SHEETS[kind]


def _refuse(bad: list[BadRow]) -> None:
    if not bad:
        return
    first = min(bad, key=lambda each: each.line)
    more = len({each.line for each in bad}) - 1
    others = f"; bad rows besides this one: {more}, a dry run lists them all" if more else ""
    allowed = f"{first.allowed}; no row was imported{others}"
    raise RefusedError(RefusalOutcome.BAD_ROWS, f"line {first.line}, {first.field}", first.value, allowed)


def _answer(kind: str, rows: int, plan: Plan, bad: list[BadRow], *, dry_run: bool) -> ImportAnswer:
    listed = sorted([*bad, *plan.bad], key=lambda each: (each.line, each.field))
    return ImportAnswer(kind, dry_run, rows, plan.added, plan.changed, plan.unchanged, tuple(listed))
