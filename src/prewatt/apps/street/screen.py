"""The street on the terminal of `prewatt up`: a table that lives, and a line for whatever happens to a home.

On a terminal the table is drawn anew a few times a second, with the newest happenings below it; into a file or a pipe
only the happenings go. One meter's face is drawn from the same JSON that the API gives, so that a watcher in another
process sees the same.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from rich import box
from rich.align import Align
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from prewatt.apps.boxes.clock import BoxClock
from prewatt.apps.faces import Face
from prewatt.apps.settings import Settings
from prewatt.units import MICRO_PER_UNIT, format_value

__all__ = ["Screen", "Shown", "face", "happenings", "street_table"]

_REFRESH_S: Final = 0.25
_NEWS_SHOWN: Final = 6
# The store is asked for the remark at every fourth look: once a second.
_REMARK_LOOKS: Final = 4
_BAR_WIDTH: Final = 12
_FACE_WIDTH: Final = 42
# The balance that fills a bar: what a customer buys at a time.
_FULL_MICRO: Final = 10 * MICRO_PER_UNIT
_CENT_MICRO: Final = 10_000
_LAMP_ON: Final = "●"
_LAMP_OFF: Final = "○"
_SILENT: Final = "silent"


class Shown(Protocol):
    """Homes whose meters are shown."""

    @property
    def clock(self) -> BoxClock:
        """The clock of their world."""
        ...

    def faces(self) -> list[Face]:
        """The face of every meter, by id."""
        ...


class Screen:
    """What `up` tells the person who started it."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(highlight=False)

    @contextmanager
    def busy(self, what: str) -> Iterator[None]:
        """Says what is being done while it is done."""
        with self._console.status(f"{what} ..."):
            yield
        self.say(f"{what}: done")

    def say(self, text: str) -> None:
        """One line."""
        self._console.print(text, soft_wrap=True)

    def greet(self, address: str, settings: Settings) -> None:
        """Where the page is, and what to try first."""
        data = "" if settings.data.name == "prewatt-data" else f" --data {settings.data}"
        self.say(f"\n[bold]Prewatt is up.[/bold] The page: {address}")
        self.say("In a second terminal:")
        self.say(f"  .venv/bin/prewatt vend 000001 10.00{data}      sell value to a meter")
        self.say(f"  .venv/bin/prewatt meter watch 000001{data}     watch its face")
        self.say(f"  .venv/bin/prewatt clock --speed 3600{data}     hurry the street's clock")
        self.say("Ctrl-C stops; the next start goes on.\n")

    async def show(self, street: Shown, remark: Callable[[], str] = lambda: "") -> None:
        """Shows the street until cancelled. ``remark``: what else there is to say, such as how many meters were read
        today, or that nothing reaches the station; may read the store."""
        said, looks = "", 0
        before: dict[str, Face] = {}
        news: deque[str] = deque(maxlen=_NEWS_SHOWN)
        live = Live(console=self._console, auto_refresh=False) if self._console.is_terminal else None
        if live:
            live.start()
        try:
            while True:
                faces = street.faces()
                for line in happenings(before, faces):
                    news.append(line)
                    if live is None:
                        self.say(line)
                before = {face["id"]: face for face in faces}
                if live:
                    if looks % _REMARK_LOOKS == 0:
                        said = await asyncio.to_thread(remark)
                    looks += 1
                    table = street_table(faces, street.clock.now_s(), street.clock.speed, said)
                    live.update(Group(table, Text.from_markup("\n".join(news))), refresh=True)
                await asyncio.sleep(_REFRESH_S)
        finally:
            if live:
                live.stop()


def happenings(before: Mapping[str, Face], faces: Sequence[Face]) -> Iterator[str]:
    """A line for each home whose light, buzzer or received value changed since ``before``."""
    for view in faces:
        old = before.get(view["id"])
        if old is None:
            continue
        stamp, meter = _time(view["clock_s"]), view["id"]
        gained = view["received_micro"] - old["received_micro"]
        if gained > 0:
            shows = _cents(view["balance_micro"])
            yield f"{stamp} {meter} [green]received {format_value(gained)}[/green], shows {shows}"
        if view["relay_closed"] and not old["relay_closed"]:
            yield f"{stamp} {meter} [yellow]{_LAMP_ON} light on[/yellow]"
        if old["relay_closed"] and not view["relay_closed"]:
            yield f"{stamp} {meter} [red]{_LAMP_OFF} light off: {view['state']}[/red]"
        if view["buzzing"] not in (_SILENT, old["buzzing"]):
            yield f"{stamp} {meter} [yellow]♪ buzzer: {view['buzzing']}[/yellow]"


def street_table(faces: Sequence[Face], clock_s: int, speed: int, remark: str = "") -> Table:
    """Every home's meter by the line; ``remark`` stands beside the time."""
    shown = Table(
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        title=f"{_time(clock_s)} UTC, {speed} times as fast{remark and ', '}{remark}",
        title_justify="left",
        title_style="bold",
    )
    for name in ("meter", "balance", "", "power", "per kWh now", "light", "buzzer"):
        shown.add_column(name, justify="right" if name in ("balance", "power", "per kWh now") else "left", no_wrap=True)
    for view in faces:
        off = Text(f"{_LAMP_OFF} {view['state']}", style="red")
        shown.add_row(
            view["id"],
            _cents(view["balance_micro"]),
            _bar(view["balance_micro"]),
            f"{view['power_w']} W",
            format_value(view["price_micro"]),
            Text(f"{_LAMP_ON} on", style="yellow") if view["relay_closed"] else off,
            Text("" if view["buzzing"] == _SILENT else f"♪ {view['buzzing']}", style="yellow"),
        )
    return shown


def face(view: Mapping[str, Any]) -> RenderableType:
    """The front of one meter: display, pulse lamp, buzzer and relay."""
    display = Panel(
        Align.center(Text("\n".join(view["lcd"]), style="bold black on green")),
        box=box.HEAVY,
        style="black on green",
        width=_FACE_WIDTH - 4,
    )
    on = view["relay_closed"]
    power = Text.assemble((_LAMP_ON, "red" if view["power_w"] else "dim"), f" {view['power_w']} W")
    buzzer = Text("" if view["buzzing"] == _SILENT else f"♪ buzzing: {view['buzzing']}", style="yellow")
    state = Text(view["state"], style="green" if on else "bold red")
    relay = Text("contacts closed" if on else "contacts OPEN", style="dim")
    title, subtitle = f"meter {view['id']}", f"{_time(view['clock_s'])} UTC"
    return Panel(Group(display, power, state, relay, buzzer), title=title, subtitle=subtitle, width=_FACE_WIDTH)


def _time(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _cents(micro: int) -> str:
    """A balance to the cent, rounded down, as a meter shows it."""
    return format_value(micro // _CENT_MICRO * _CENT_MICRO)


def _bar(balance_micro: int) -> Text:
    filled = min(_BAR_WIDTH, -(-balance_micro * _BAR_WIDTH // _FULL_MICRO))
    return Text("█" * filled + "·" * (_BAR_WIDTH - filled), style="green" if filled > 2 else "red")
