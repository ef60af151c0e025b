"""`prewatt registry`: customers, premises, suppliers, agents, stations and meters as CSV files, out and in.

An import of a hundred thousand rows takes a minute; meanwhile its progress is asked for beside it, and drawn where
there is a terminal.
"""

import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.status import Status

from prewatt.apps.cli.options import Data, JsonOut
from prewatt.apps.cli.seller import Seller, in_path, open_seller
from prewatt.apps.cli.show import print_json, say, table
from prewatt.apps.settings import Settings, read_settings
from prewatt.units import ValueFieldError

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="The registry as CSV files: export, import.")

_Kind = Annotated[
    str, typer.Argument(metavar="KIND", help="customers, premises, suppliers, agents, stations or meters.")
]
_LOOK_EVERY_S: Final = 0.2
_BOM: Final = "\ufeff"


@app.command("export")
def export_registry(
    kind: _Kind,
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="Where to write it; else it is printed.", show_default=False)
    ] = None,
    data: Data = None,
    json_out: JsonOut = False,
) -> None:
    """Write all rows of a kind as a CSV file.

    In a file, a byte order mark stands in front, so that spreadsheets see that it is UTF-8.
    """
    with open_seller(read_settings(data=data)) as seller:
        found = seller.get(f"/registry/{in_path('kind', kind)}/export")
    if file is not None:
        _write(file, _BOM + found["text"])
    if json_out:
        print_json(found if file is None else {"kind": found["kind"], "rows": found["rows"], "file": str(file)})
    elif file is None:
        sys.stdout.write(found["text"])
    else:
        say(f"{found['rows']:,} {kind} are in {file}")


@app.command("import")
def import_registry(
    kind: _Kind,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The CSV file, UTF-8; - for standard input.")],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Change nothing; list every bad row and what is allowed.")
    ] = False,
    data: Data = None,
    json_out: JsonOut = False,
) -> int:
    """Take a CSV file in: all of its rows in one commit, or none.

    Rows that are there already stay as they are; those with other fields change. The same file twice changes nothing.
    """
    from prewatt.host.customers.sheets import decode_sheet

    text = decode_sheet(sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes())
    settings, place = read_settings(data=data), f"/registry/{in_path('kind', kind)}/import"
    with open_seller(settings) as seller, ThreadPoolExecutor(1) as pool:
        answer = pool.submit(lambda: seller.post(place, text=text, dry_run=dry_run))
        with _beside(settings, seller) as other, Console(stderr=True).status(f"{kind}: reading") as status:
            while not answer.done():
                _tell(status, other.get("/registry/import"))
                time.sleep(_LOOK_EVERY_S)
        found = answer.result()
    if json_out:
        print_json(found)
    else:
        _print(found)
    return 1 if found["bad"] else 0


@contextmanager
def _beside(settings: Settings, seller: Seller) -> Iterator[Seller]:
    """Whom to ask while ``seller`` is busy: a second connection, or the same object where all is in this process."""
    if not seller.running:
        yield seller
        return
    with open_seller(settings) as other:
        yield other


def _tell(status: Status, progress: dict[str, Any]) -> None:
    if progress["step"]:
        counted = f"{progress['done']:,} of {progress['rows']:,}"
        status.update(f"{progress['kind']}: {progress['step']} {counted} rows")


def _print(found: dict[str, Any]) -> None:
    if found["bad"]:
        columns = ("line", "field", "value", "allowed")
        table(columns, [tuple(each[name] for name in columns) for each in found["bad"]], right=("line",))
        lines = len({each["line"] for each in found["bad"]})
        say(f"{lines:,} bad rows; an import of this file would change nothing")
        return
    counts = f"{found['added']:,} added, {found['changed']:,} changed, {found['unchanged']:,} as they were"
    what = "would change nothing" if found["dry_run"] else "changed nothing"
    if not found["added"] + found["changed"]:
        say(f"{found['rows']:,} {found['kind']}: the file {what}; all are there already")
        return
    say(f"{found['rows']:,} {found['kind']}: {'would be ' if found['dry_run'] else ''}{counts}")


def _write(file: Path, text: str) -> None:
    """The whole file or none of it."""
    if file.is_dir():
        raise ValueFieldError("FILE", str(file), "the name of a file")
    half = file.with_name(f".{file.name}.part")
    try:
        half.write_text(text, encoding="utf-8", newline="")
        half.replace(file)
    finally:
        half.unlink(missing_ok=True)
