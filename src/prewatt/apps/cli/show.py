"""How answers look on a terminal: JSON for programs, tables and small charts for people.

Money is shown as decimals of the currency, energy in kWh, times in the local time of the computer.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from prewatt.units import format_kwh, format_value

__all__ = [
    "bar_chart",
    "console",
    "fields",
    "kwh",
    "local_time",
    "print_json",
    "say",
    "state_text",
    "table",
    "value",
]

_PIPED_WIDTH: Final = 120
_STATE_STYLES: Final = {
    "active": "green",
    "done": "green",
    "running": "yellow",
    "paused": "yellow",
    "closed": "dim",
    "confirmed": "green",
    "pending": "yellow",
    "cancelled": "dim",
    "refused": "red",
    "blocked": "red",
    "frozen": "red",
    "unsynced": "yellow",
}
_BLOCKS: Final = " ▏▎▍▌▋▊▉█"
_EIGHTHS: Final = 8


def console() -> Console:
    """Where results are printed; wide enough for a table when it is not a terminal."""
    plain = Console()
    return plain if plain.is_terminal else Console(width=_PIPED_WIDTH)


def print_json(answer: Any) -> None:  # noqa: ANN401 - JSON is any of six types
    """One JSON document on stdout."""
    print(json.dumps(answer, indent=2))  # noqa: T201 - this is the output


def say(text: str) -> None:
    """One line on stdout."""
    console().print(text, highlight=False)


def value(micro: int | None) -> str:
    """Money, or a dash where it is not known."""
    return "-" if micro is None else format_value(micro)


def kwh(pulses: int | None) -> str:
    """Energy, or a dash."""
    return "-" if pulses is None else f"{format_kwh(pulses)} kWh"


def local_time(second: int | None) -> str:
    """A UTC second in local time, or a dash."""
    return "-" if second is None else datetime.fromtimestamp(second).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def state_text(state: str | None) -> Text:
    """A state in its colour."""
    return Text(state or "-", style=_STATE_STYLES.get(state or "", ""))


def table(columns: Sequence[str], rows: Iterable[Sequence[Any]], *, right: Sequence[str] = ()) -> None:
    """A table with the columns named in ``right`` set flush right; says so when there are no rows."""
    shown = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in columns:
        # What does not fit goes on in the next line: half an order's id would be no use to anybody.
        shown.add_column(name, justify="right" if name in right else "left", no_wrap=name in right, overflow="fold")
    for row in rows:
        shown.add_row(*(cell if isinstance(cell, Text) else str(cell) for cell in row))
    if not shown.row_count:
        say("nothing to show")
        return
    console().print(shown)


def fields(pairs: Mapping[str, Any]) -> None:
    """Name and value by the line."""
    shown = Table(box=None, show_header=False, pad_edge=False)
    shown.add_column(style="dim")
    shown.add_column()
    for name, given in pairs.items():
        shown.add_row(name, given if isinstance(given, Text) else str(given))
    console().print(shown)


def bar_chart(rows: Sequence[tuple[str, int | None]], unit: str, *, width: int = 48) -> None:
    """A bar for each row (label, amount or None), scaled to the largest; ``unit`` names what the numbers are."""
    most = max((amount or 0 for _, amount in rows), default=0)
    shown = Table(box=None, pad_edge=False, header_style="dim")
    shown.add_column("")
    shown.add_column(unit, justify="right")
    shown.add_column("")
    for label, amount in rows:
        eighths = 0 if not most or not amount else max(1, amount * width * _EIGHTHS // most)
        whole, part = divmod(eighths, _EIGHTHS)
        bar = Text(_BLOCKS[-1] * whole + (_BLOCKS[part] if part else ""), style="cyan")
        shown.add_row(label, "-" if amount is None else format_kwh(amount), bar)
    console().print(shown)
