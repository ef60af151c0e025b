"""Puts the presets of the line model, their sources and what was measured into docs/reference/line.md, and draws
docs/images/line.svg: how many fragments arrive over distance.

The presets come from `prewatt.link.line.profile`, the measured day from docs/reference/line-day.json, which
`python -m bench.field_line` writes (three minutes). The curves are those of the model itself, on a receiver whose noise
is two standard deviations above the mean.
"""

import json
from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any, Final

from marked import DOCS, put
from prewatt.codec.frame import FRAME_OVERHEAD_BYTES
from prewatt.link.line import PROFILES, Line, LineProfile, message_ms, quiet_within_ms
from prewatt.link.line.medium import REACH_M_MAX

__all__ = ["day_text", "plot", "presets_text", "sources_text", "with_line"]

PAGE: Final = DOCS / "reference" / "line.md"
PICTURE: Final = DOCS / "images" / "line.svg"
DAY: Final = DOCS / "reference" / "line-day.json"
WORSE_NOISE: Final = 2
COLOURS: Final = ("#0b6e99", "#c0392b", "#2e7d32", "#8e44ad", "#b9770e", "#34495e")
WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM = 760, 340, 60, 40, 600, 290
STEP_M: Final = 50
MS: Final = 1_000

_ROWS: Final = {
    "bit_rate": "bit rate, bit/s",
    "preamble_bits": "before each frame, bits",
    "turnaround_ms": "turning from hearing to sending, ms",
    "latency_ms": "one way, ms",
    "fragment_bytes": "payload of a fragment, bytes",
    "transmit_dbuv": "sent level, dB(uV)",
    "end_loss_db": "loss at each end, dB",
    "attenuation_db_km": "attenuation, dB/km",
    "noise_dbuv": "noise in the band, dB(uV)",
    "noise_spread_db": "its spread between places, dB",
    "coding_gain_db": "gain of the code, dB",
    "impulses_s": "impulses that break a frame, a second",
    "impulse_ms": "length of an impulse, ms",
    "bit_errors_least": "least bit error rate",
    "crosstalk_db": "to the neighbour's line, dB",
    "capture_db": "stronger of two is heard from, dB",
}


def presets_text() -> str:
    """One column a preset."""
    lines = ["| figure | " + " | ".join(PROFILES) + " |", "| --- |" + " --- |" * len(PROFILES)]
    for field, what in _ROWS.items():
        values = [_value(profile, field) for profile in PROFILES.values()]
        lines.append(
            f"| {what} | "
            + " | ".join(f"{value:,g}" if value >= 1 or not value else f"{value:g}" for value in values)
            + " |"
        )
    for what, worked_out in (
        ("fragment on the line, ms", lambda profile: profile.timing.fragment_ms),
        ("message of 60 bytes, ms", lambda profile: message_ms(profile, 60)),
        ("message of 1,000 bytes, ms", lambda profile: message_ms(profile, 1_000)),
        ("message of 2,500 bytes, ms", lambda profile: message_ms(profile, 2_500)),
        ("wait on a quiet line, ms", quiet_within_ms),
    ):
        lines.append(f"| {what} | " + " | ".join(f"{worked_out(profile):,}" for profile in PROFILES.values()) + " |")
    return "\n".join(lines)


def sources_text() -> str:
    """For each preset, each figure with where it comes from."""
    parts = []
    for profile in PROFILES.values():
        lines = [f"**{profile.name}**", "", "| figure | value | from |", "| --- | --- | --- |"]
        for field, what in _ROWS.items():
            lines.append(f"| {what} | {_value(profile, field):,g} | {profile.sources[field]} |")
        parts.append("\n".join(lines))
    return "\n\n".join(parts)


def day_text(days: list[dict[str, Any]]) -> str:
    """What was measured, one column a rate."""
    rows: Mapping[str, tuple[str, ...]] = {
        "full poll of {meters} meters": tuple(_minutes(day["poll_s"]) for day in days),
        "polls begun again": tuple(str(day["retries"]) for day in days),
        "value, idle line": tuple(_seconds(day["value_idle_s"]) for day in days),
        "value in the middle of the poll, mean": tuple(_seconds(day["value_mean_s"]) for day in days),
        "value in the middle of the poll, worst of 24": tuple(_seconds(day["value_worst_s"]) for day in days),
        "alarm in the middle of the poll, mean": tuple(_seconds(day["alarm_mean_s"]) for day in days),
        "alarm in the middle of the poll, worst of 6": tuple(_seconds(day["alarm_worst_s"]) for day in days),
        "daily Reports of all at once, idle line": tuple(_minutes(day["reports_s"]) for day in days),
        "frames that were repeats": tuple(f"{day['repeated_percent']:.1f} %" for day in days),
    }
    lines = ["| | " + " | ".join(day["profile"] for day in days) + " |", "| --- |" + " --- |" * len(days)]
    lines += [f"| {what.format(**days[0])} | " + " | ".join(cells) + " |" for what, cells in rows.items()]
    return "\n".join(lines)


def with_line(document: str, days: list[dict[str, Any]]) -> str:
    """The page with its generated parts."""
    for name, text in (("presets", presets_text()), ("sources", sources_text()), ("day", day_text(days))):
        document = put(document, name, text)
    return document


def plot() -> str:
    """The share of longest fragments that arrive, over distance, for each preset."""
    marks = [
        f'<text x="{_x(metres):.0f}" y="{BOTTOM + 18}" text-anchor="middle">{metres:,} m</text>'
        for metres in range(0, REACH_M_MAX + 1, 500)
    ] + [
        f'<text x="{LEFT - 8}" y="{_y(percent) + 4:.0f}" text-anchor="end">{percent} %</text>'
        f'<line x1="{LEFT}" x2="{RIGHT}" y1="{_y(percent):.1f}" y2="{_y(percent):.1f}" stroke="#ddd"/>'
        for percent in (0, 25, 50, 75, 100)
    ]
    drawn = []
    for number, profile in enumerate(PROFILES.values()):
        points = " ".join(f"{_x(metres):.1f},{_y(percent):.1f}" for metres, percent in _curve(profile))
        colour, label_y = COLOURS[number], TOP + 20 + 22 * number
        drawn.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
        drawn.append(f'<text x="{RIGHT + 14}" y="{label_y}" fill="{colour}">{profile.name}</text>')
    body = "\n".join((*marks, *drawn))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" '
        f'font-size="12">\n<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>\n'
        f'<text x="{LEFT}" y="20">fragments that arrive, at a meter in a noisy place (two standard deviations)</text>\n'
        f"{body}\n</svg>\n"
    )


def _curve(profile: LineProfile) -> list[tuple[int, float]]:
    noisy = replace(profile, noise_dbuv=profile.noise_dbuv + WORSE_NOISE * profile.noise_spread_db, noise_spread_db=0)
    line = Line(noisy, 0)
    station = line.attach(0)
    bits = 8 * (profile.timing.fragment_bytes + FRAME_OVERHEAD_BYTES)
    exposed_s = profile.timing.fragment_ms / MS
    spared = (1 - profile.impulses_s * exposed_s) if profile.impulses_s * exposed_s < 1 else 0
    points = []
    for metres in range(0, REACH_M_MAX + 1, STEP_M):
        meter = line.attach(metres)
        points.append((metres, 100 * spared * (1 - line.read_bit_errors(station, meter)) ** bits))
        line.detach(meter)
    return points


def _value(profile: LineProfile, field: str) -> float:
    timing = {each.name for each in fields(profile.timing)}
    return float(getattr(profile.timing if field in timing else profile, field))


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds >= 600 else f"{seconds / 60:.1f} min"


def _seconds(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds >= 1 else f"{seconds:.2f} s"


def _x(metres: float) -> float:
    return LEFT + (RIGHT - LEFT) * metres / REACH_M_MAX


def _y(percent: float) -> float:
    return BOTTOM - (BOTTOM - TOP) * percent / 100


if __name__ == "__main__":
    PAGE.write_text(with_line(PAGE.read_text(), json.loads(DAY.read_text())))
    PICTURE.write_text(plot())
