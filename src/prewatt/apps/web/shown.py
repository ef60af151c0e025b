"""What a page shows of a face: every figure as the text a person reads, every look as a word for the style sheet.

Template and script both place these and format nothing themselves, so a page that was just loaded and one that has
been watching for an hour look the same.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from prewatt.apps.faces import Face
from prewatt.units import MICRO_PER_UNIT, counter_of, epoch_of, format_kwh, format_value

__all__ = ["ShownMeter", "ShownSum", "show_clock", "show_meter", "show_pace", "show_registers", "show_sum"]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICRO_PER_CENT: Final = 10_000
# The balance bar is full at this much energy at the price now: about three days of a home.
_BAR_KWH: Final = 40
_FAIR_PERCENT: Final = 10
# Steps of power that the style sheet gives a beat each: at 10,000 pulses to the kWh a lamp would flicker, so it slows
# all of them, and three flashes a second (the most that is safe to look at) is the last.
_BLINK_FROM_W: Final = (1, 100, 250, 500, 1_000, 2_000, 4_000, 7_000)
_IN_STEP_S: Final = 120
_PACES: Final = ((3_600, "hour"), (60, "minute"), (1, "second"))


@dataclass(frozen=True, slots=True)
class ShownMeter:
    """One meter: ``text`` and ``looks`` by the names that template, style sheet and script share."""

    id: str
    lcd: str
    text: dict[str, str]
    looks: dict[str, str]
    bar_percent: int


@dataclass(frozen=True, slots=True)
class ShownSum:
    """The street in a line."""

    meters: str
    light: str
    dark: str
    buzzing: str
    power: str


def show_meter(face: Face) -> ShownMeter:
    """One meter as it is shown on the street and on its own page."""
    closed, silent = bool(face["relay_closed"]), face["buzzing"] == "silent"
    percent = _bar_percent(face["balance_micro"], face["unit_price_micro"])
    low = not silent or percent == 0
    return ShownMeter(
        id=face["id"],
        lcd="\n".join(face["lcd"]),
        text={
            "state": str(face["state"]),
            "light": "light on" if closed else "no light",
            "causes": ", ".join(face["causes"]),
            "buzzing": "" if silent else str(face["buzzing"]),
            "balance": _floor(face["balance_micro"]),
            "left": _left(face["balance_micro"], face["price_micro"]),
            "price": format_value(face["price_micro"]),
            "share": _share(face),
            "notice": str(face["notice"]),
            "power": show_power(face["power_w"]),
        },
        looks={
            "light": "on" if closed else "off",
            "level": "low" if low else "fair" if percent < _FAIR_PERCENT else "good",
            "buzzing": "no" if silent else "yes",
            "blink": str(sum(face["power_w"] >= step for step in _BLINK_FROM_W)),
        },
        bar_percent=percent,
    )


def show_registers(face: Face, clock_s: int, speed: int) -> dict[str, tuple[tuple[str, str, str], ...]]:
    """The registers of one meter, by group: (name for the script, what it is, what it reads)."""
    return {
        "Value": (
            ("svm", "In the value memory", format_value(face["svm_micro"])),
            ("tank", "In the tank", format_value(face["tank_micro"])),
            ("exchanger", "In the exchanger", format_value(face["exchanger_micro"])),
            ("received", "Received", format_value(face["received_micro"])),
            ("burned", "Burned", format_value(face["burned_micro"])),
            ("returned", "Returned", format_value(face["returned_micro"])),
            ("owed", "Owed", format_value(face["owed_micro"])),
        ),
        "Meter": (
            ("clock", "Its clock (UTC)", show_clock(face["clock_s"])),
            ("step", "Against the world", _against(face["clock_s"], clock_s, speed)),
            ("contacts", "Contacts", _contacts(face)),
            ("sequence", "Last order held", _sequence(face)),
            ("control", "Last control", str(face["last_control"])),
            ("events", "Events to report", str(face["events_waiting"])),
            ("alarms", "Alarms to report", str(face["alarms_waiting"])),
            ("messages", "Messages", " / ".join(face["messages"]) or "none"),
        ),
        "Energy": (
            ("minute", "This minute", f"{format_kwh(face['minute_pulses'])} kWh"),
            ("day", "Today", f"{format_kwh(face['day_pulses'])} kWh"),
            ("month", "This month", f"{format_kwh(face['month_pulses'])} kWh"),
            ("total", "In all", f"{format_kwh(face['total_pulses'])} kWh"),
        ),
        "Price": (
            ("unit", "Unit price per kWh", format_value(face["unit_price_micro"])),
            ("percent", "Step now", f"{face['step_percent']} %"),
            ("quality", "Power quality", f"{face['quality_percent']} %"),
            ("table", "Price table", _table(face)),
        ),
    }


def show_sum(faces: list[Face]) -> ShownSum:
    """The street in a line: how many meters, with light, without, buzzing, and the power they take together."""
    light = sum(bool(face["relay_closed"]) for face in faces)
    return ShownSum(
        meters=str(len(faces)),
        light=str(light),
        dark=str(len(faces) - light),
        buzzing=str(sum(face["buzzing"] != "silent" for face in faces)),
        power=show_power(sum(face["power_w"] for face in faces)),
    )


def show_clock(second: int) -> str:
    """A UTC second as ``2026-03-01 14:05:07``."""
    return (_EPOCH + timedelta(seconds=second)).strftime("%Y-%m-%d %H:%M:%S")


def show_pace(speed: int) -> str:
    """How fast the world goes, in words."""
    if speed == 1:
        return "real time"
    unit_s, unit = next(each for each in _PACES if speed % each[0] == 0)
    count = speed // unit_s
    return f"{count:,} {unit}{'' if count == 1 else 's'} a second"


def show_power(power_w: int) -> str:
    """Watts with thousands apart."""
    return f"{power_w:,} W"


def _floor(micro: int) -> str:
    # Down to the cent: a meter never shows more than it holds.
    return format_value(micro // _MICRO_PER_CENT * _MICRO_PER_CENT)


def _bar_percent(balance_micro: int, unit_price_micro: int) -> int:
    full_micro = _BAR_KWH * (unit_price_micro or MICRO_PER_UNIT)
    return max(0, min(100, -(-balance_micro * 100 // full_micro)))


def _left(balance_micro: int, price_micro: int) -> str:
    if price_micro <= 0:
        return "no price yet"
    tenths = balance_micro * 10 // price_micro
    return f"{tenths // 10:,}.{tenths % 10} kWh at this price"


def _share(face: Face) -> str:
    step, quality = face["step_percent"], face["quality_percent"]
    return f"{step} %" if quality == 100 else f"{step} % × {quality} %"


def _table(face: Face) -> str:
    waiting = face["waiting_version"]
    return f"version {face['table_version']}" + ("" if waiting is None else f", {waiting} waiting")


def _against(own_s: int, world_s: int, speed: int) -> str:
    behind = world_s - own_s
    # A meter is stepped some times a second, and in a hurried world each step is minutes.
    if abs(behind) <= max(_IN_STEP_S, speed):
        return "in step"
    return f"{abs(behind):,} s {'behind' if behind > 0 else 'ahead'}"


def _contacts(face: Face) -> str:
    moved = ["closed" if closed else "open" for closed in face["relays_closed"]]
    causes = f" ({', '.join(face['causes'])})" if face["causes"] else ""
    return ", ".join(moved) + causes


def _sequence(face: Face) -> str:
    if not face["commissioned"]:
        return "not commissioned yet"
    return f"{counter_of(face['last_sequence'])} of epoch {epoch_of(face['last_sequence'])}"
