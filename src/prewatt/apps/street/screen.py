"""The street on a terminal: one meter's face, and all meters as a table that lives.

Both are drawn from the same JSON that the API gives for a face, so a watcher in another process sees the same.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from rich import box
from rich.align import Align
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from prewatt.apps.faces import Face
from prewatt.units import format_stamp, format_value

__all__ = ["face", "street_table"]

_BAR_WIDTH: Final = 12
_LAMP_ON: Final = "●"
_LAMP_OFF: Final = "○"
_PANEL_WIDTH: Final = 38


def face(view: Mapping[str, Any]) -> RenderableType:
    """The front of one meter: display, pulse lamp, buzzer and relay."""
    display = Panel(
        Align.center(Text("\n".join(view["lcd"]), style="bold black on green")),
        box=box.HEAVY,
        style="black on green",
        width=_PANEL_WIDTH,
    )
    lamps = Table.grid(padding=(0, 1))
    lamps.add_row(
        _lamp(bool(view["power_w"]), "red"), f"{view['power_w']} W", _lamp(view["buzzing"] != "silent", "yellow")
    )
    state = Text(f"{view['state']}", style="green" if view["relay_closed"] else "bold red")
    buzz = Text("" if view["buzzing"] == "silent" else f"♪ buzzing: {view['buzzing']}", style="yellow")
    relay = Text("contacts closed" if view["relay_closed"] else "contacts OPEN", style="dim")
    return Panel(
        Group(display, lamps, state, relay, buzz),
        title=f"meter {view['id']}",
        subtitle=format_stamp(view["clock_s"]),
        width=_PANEL_WIDTH + 4,
    )


def street_table(faces: Sequence[Face], clock_s: int, speed: int, full_micro: int) -> Table:
    """Every meter by the line. ``full_micro`` is the balance that fills a bar."""
    shown = Table(
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        title=f"{format_stamp(clock_s)} UTC  x{speed}",
        title_justify="left",
        title_style="bold",
    )
    for name, justify in (
        ("meter", "left"),
        ("balance", "right"),
        ("", "left"),
        ("power", "right"),
        ("now per kWh", "right"),
    ):
        shown.add_column(name, justify="right" if justify == "right" else "left", no_wrap=True)
    shown.add_column("light")
    shown.add_column("buzzer")
    for view in faces:
        shown.add_row(
            view["id"],
            format_value(view["balance_micro"] // 10_000 * 10_000),
            _bar(view["balance_micro"], full_micro),
            f"{view['power_w']} W",
            format_value(view["price_micro"]),
            Text(_LAMP_ON + " on", style="yellow")
            if view["relay_closed"]
            else Text(_LAMP_OFF + " " + view["state"], style="red"),
            Text("" if view["buzzing"] == "silent" else f"♪ {view['buzzing']}", style="yellow"),
        )
    return shown


def _bar(balance_micro: int, full_micro: int) -> Text:
    filled = min(_BAR_WIDTH, -(-balance_micro * _BAR_WIDTH // max(full_micro, 1)))
    return Text("█" * filled + "·" * (_BAR_WIDTH - filled), style="green" if filled > 2 else "red")


def _lamp(on: bool, colour: str) -> Text:
    return Text(_LAMP_ON if on else _LAMP_OFF, style=colour if on else "dim")
