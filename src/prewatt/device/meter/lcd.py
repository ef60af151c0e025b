"""The display: pages of fixed lines, four of twenty characters or two of sixteen.

A page is a heading, its figure, and two lines more that a small display leaves out; so the first two lines always say
it. What is being typed comes before any page; what came of it stands, until the next key, in the last line of a large
display and in place of the heading of a small one. Every line is padded or cut to the width: nothing ever wraps.
"""

from collections.abc import Callable
from typing import Final

from prewatt.device.meter.events import Buzzing
from prewatt.device.meter.view import MeterView
from prewatt.units import format_kwh, format_value

__all__ = ["PAGES", "render_lcd"]

_WIDE: Final = (4, 20)
_NARROW: Final = (2, 16)
_PRICE_DIGITS: Final = 4


def render_lcd(
    view: MeterView, page: int, *, wide: bool, digits: int, prompt: tuple[str, str] | None = None
) -> tuple[str, ...]:
    """The lines of a page (any number, taken round), or of what is being typed."""
    rows, width = _WIDE if wide else _NARROW
    lines = _prompt(prompt, width) if prompt is not None else PAGES[page % len(PAGES)](view, digits, width)
    lines = [*lines, *("",) * rows][:rows]
    if view.notice and prompt is None:
        lines[rows - 1 if wide else 0] = view.notice
    return tuple(_clean(line)[:width].ljust(width) for line in lines)


def _clean(line: str) -> str:
    return "".join(char if char.isprintable() else " " for char in line)


def _prompt(prompt: tuple[str, str], width: int) -> list[str]:
    asked, typed = prompt
    return [asked, typed[-width:], typed[:-width]]


def _balance(view: MeterView, digits: int, width: int) -> list[str]:
    warning = "" if view.buzzing is Buzzing.SILENT else str(view.buzzing.value)
    owed = f"owed {format_value(view.owed_micro, digits=digits)}" if view.owed_micro else warning
    return ["Balance", _money(view.balance_micro, digits).rjust(width), owed, view.state]


def _money(micro: int, digits: int) -> str:
    """Rounded down to the currency's digits: the display never shows more than there is."""
    step = 10 ** (6 - digits)
    return format_value(micro - micro % step, digits=digits)


def _transfer(view: MeterView, digits: int, width: int) -> list[str]:
    amount = format_value(view.last_amount_micro, digits=digits).rjust(width)
    return ["Last transfer", amount, f"number {view.last_sequence & 0xFFFFFF}"]


def _power(view: MeterView, digits: int, width: int) -> list[str]:
    relay = "contacts closed" if view.relay_closed else "contacts open"
    return ["Power", f"{view.power_w} W".rjust(width), relay, view.state]


def _cumulative(view: MeterView, digits: int, width: int) -> list[str]:
    received = f"paid {format_value(view.received_micro, digits=digits)}"
    return ["Energy in all", f"{format_kwh(view.total_pulses)} kWh".rjust(width), received]


def _monthly(view: MeterView, digits: int, width: int) -> list[str]:
    day = f"today {format_kwh(view.day_pulses)}"
    return ["Energy this month", f"{format_kwh(view.month_pulses)} kWh".rjust(width), day]


def _price(view: MeterView, digits: int, width: int) -> list[str]:
    price = f"{format_value(view.price_micro, digits=_PRICE_DIGITS)}/kWh".rjust(width)
    return ["Price now", price, f"step {view.step_percent} %", f"quality {view.quality_percent} %"]


def _alarms(view: MeterView, digits: int, width: int) -> list[str]:
    causes = ", ".join(view.causes) or "no cause"
    return [f"Alarms {view.alarms_waiting}", causes, f"events {view.events_waiting}"]


def _messages(view: MeterView, digits: int, width: int) -> list[str]:
    text = " ".join(view.messages)
    lines = [text[start : start + width] for start in range(0, len(text), width)] or ["none"]
    return ["Message", *lines]


def _clock(view: MeterView, digits: int, width: int) -> list[str]:
    stamp = view.clock_stamp
    return [f"Clock {view.meter_id.hex().upper()}", stamp.rjust(width), view.state]


PAGES: Final[tuple[Callable[[MeterView, int, int], list[str]], ...]] = (
    *(_balance, _transfer, _power, _cumulative, _monthly, _price, _alarms, _messages, _clock),
)
