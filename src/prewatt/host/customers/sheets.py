"""CSV files of the registry (RFC 4180, with what spreadsheets make of it): text in, rows out, and back; no database.

The header's names are fixed, in any order; every one must be there and no other. Comma or semicolon is told by the
header. A byte order mark may stand in front. Spaces around a cell do not count. A cell that a spreadsheet would run as
a formula goes out behind an apostrophe, and so does one that begins with an apostrophe; one apostrophe before such a
character is taken away when the file comes back, so that every text comes back as it was.
"""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final

from prewatt.host.customers.answers import BadRow
from prewatt.host.refusals import RefusalOutcome, RefusedError

__all__ = ["ROWS_MAX", "TEXT_CHARS_MAX", "Line", "bad_row", "build_sheet", "decode_sheet", "parse_sheet"]

# Ten times the largest file that is measured; more is imported as several files.
ROWS_MAX: Final = 1_000_000
# As many characters as such a file of customers has.
TEXT_CHARS_MAX: Final = 256 * 1024 * 1024
_BOM: Final = "\ufeff"
# Their full-width forms are run by spreadsheets of some languages too; a tab or a return never gets into a field.
_RUN: Final = frozenset("=+-@\uff1d\uff0b\uff0d\uff20")
_GUARD: Final = "'"
_GUARDED: Final = _RUN | {_GUARD}
_SHOWN_CHARS: Final = 80
_TOLD_EVERY: Final = 1_000

# A row: the line it begins at, and its cells in the order of the columns that were asked for.
Line = tuple[int, tuple[str, ...]]


def bad_row(line: int, error: RefusedError) -> BadRow:
    """A refusal as a line of the list of bad rows, which can be written as UTF-8 whatever was given."""
    given = str(error.given)
    shown = given if len(given) <= _SHOWN_CHARS else f"{given[:_SHOWN_CHARS]}..."
    return BadRow(line, error.field, shown.encode(errors="backslashreplace").decode(), error.allowed)


def decode_sheet(content: bytes) -> str:
    """The text of a file; RefusedError names the line where it is not UTF-8."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        given = f"byte {content[error.start]:02X} in line {line}"
        allowed = "UTF-8, with or without a byte order mark; save it as `CSV UTF-8`"
        raise RefusedError(RefusalOutcome.BAD_FIELD, "file", given, allowed) from None


def parse_sheet(
    text: str, columns: Sequence[str], told: Callable[[int], None] = lambda rows: None
) -> tuple[list[Line], list[BadRow]]:
    """All rows, and what is wrong with the file's form, row by row; ``told`` is called with how many were read.

    RefusedError where the header is not what it must be: then no row means anything.
    """
    if len(text) > TEXT_CHARS_MAX:
        raise RefusedError(RefusalOutcome.BAD_FIELD, "file", f"{len(text)} characters", f"at most {TEXT_CHARS_MAX}")
    lines: list[Line] = []
    bad: list[BadRow] = []
    places: list[int] = []
    for line, cells in _records(text.removeprefix(_BOM), bad):
        if not places:
            places = _places([cell.strip() for cell in cells], columns)
        elif cells:
            if len(lines) >= ROWS_MAX:
                raise RefusedError(RefusalOutcome.BAD_FIELD, "file", f"more than {ROWS_MAX} rows", "several files")
            if len(cells) != len(columns):
                bad.append(BadRow(line, "row", f"{len(cells)} cells", f"{len(columns)} cells, as the header has"))
            else:
                lines.append((line, tuple(_unguarded(cells[place]) for place in places)))
            if len(lines) % _TOLD_EVERY == 0:
                told(len(lines))
    if not places and not bad:
        _places([], columns)
    return lines, bad


def _records(text: str, bad: list[BadRow]) -> Iterator[tuple[int, list[str]]]:
    """Line and cells of every record, the header's too; ends where one cannot be read, which it adds to ``bad``."""
    first = text.partition("\n")[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=";" if ";" in first else ",", strict=True)
    line = 1
    try:
        for cells in reader:
            yield line, cells
            line = reader.line_num + 1
    except csv.Error as error:
        # Where a quote is open, nobody knows what the rest means.
        bad.append(BadRow(line, "row", "", f"cells of a CSV file ({error}); nothing behind this line was read"))


def build_sheet(columns: Sequence[str], rows: Iterable[Mapping[str, str]]) -> str:
    """The text of a file with these rows, lines ended by CR LF."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([_guarded(row[column]) for column in columns] for row in rows)
    return out.getvalue()


def _places(header: list[str], columns: Sequence[str]) -> list[int]:
    """Where each column stands in a row."""
    allowed = f"each of the columns {', '.join(columns)} once, and no other"
    for name in header:
        if name not in columns:
            raise RefusedError(RefusalOutcome.BAD_FIELD, "column", name[:_SHOWN_CHARS], allowed)
        if header.count(name) > 1:
            raise RefusedError(RefusalOutcome.BAD_FIELD, "column", f"{name} twice", allowed)
    missing = [name for name in columns if name not in header]
    if missing:
        raise RefusedError(RefusalOutcome.BAD_FIELD, "column", f"no {', '.join(missing)}", allowed)
    return [header.index(name) for name in columns]


def _guarded(cell: str) -> str:
    return _GUARD + cell if cell[:1] in _GUARDED else cell


def _unguarded(cell: str) -> str:
    stripped = cell.strip()
    return stripped[1:] if stripped[:1] == _GUARD and stripped[1:2] in _GUARDED else stripped
