"""The font of the displays: five by seven dots a character, as the character displays of real meters draw them.

The dots are ours (lcdglyphs.txt: a character, then seven rows of five bits, and up to two more below the line). A font
is made of them once, when the pages are added: each glyph is a composite of one dot, moved (OpenType, the `glyf`
table), and the tables are wrapped as WOFF 1.0 (W3C, 2012), so that no binary stands beside the sources. What it has no
glyph for falls to the browser's own monospace font.
"""

import struct
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from fastapi import FastAPI, Response

__all__ = ["FONT_NAME", "add_lcd_font", "build_lcd_font", "read_glyphs"]

FONT_NAME: Final = "lcd.woff"
_GLYPHS: Final = Path(__file__).parent / "lcdglyphs.txt"
_ROWS: Final = 7
_BELOW: Final = 2
_COLUMNS: Final = 5
# Font units. A cell is six dots wide (one stays empty) and ten high (one above); the gaps make it an LCD.
_PITCH: Final = 100
_DOT: Final = 88
_EM: Final = 1_000
_ADVANCE: Final = (_COLUMNS + 1) * _PITCH
_ASCENT: Final = 800
_DESCENT: Final = -200
_FIRST_CHAR: Final = " "
# glyf flags: points on the curve; composite arguments are words and offsets, and more components follow.
_ON_CURVE: Final = 0x01
_XY_WORDS: Final = 0x0003
_MORE: Final = 0x0020
_CHECK_MAGIC: Final = 0xB1B0AFBA


def read_glyphs() -> dict[str, tuple[int, ...]]:
    """Rows of dots by character, the leftmost dot in the highest of five bits."""
    lines = _GLYPHS.read_text(encoding="utf-8").splitlines()
    return {line[0]: tuple(int(row, 16) for row in line[2:].split()) for line in lines}


def add_lcd_font(app: FastAPI, folder: str) -> None:
    """Serves the font under ``folder``."""
    font = build_lcd_font(read_glyphs())

    @app.get(f"{folder}/{FONT_NAME}", include_in_schema=False)
    async def lcd_font() -> Response:
        return Response(font, media_type="font/woff")


def build_lcd_font(glyphs: Mapping[str, tuple[int, ...]]) -> bytes:
    """A WOFF of these glyphs. Glyph 0 is what is missing, 1 the dot, 2 the space, then the rest by code."""
    chars = sorted(glyphs)
    outlines = [b"", _dot(), b"", *(_composite(glyphs[char]) for char in chars)]
    bearings = [0, 0, 0, *(_bearing(glyphs[char]) for char in chars)]
    offsets = [0]
    for outline in outlines:
        offsets.append(offsets[-1] + len(outline))
    count = len(outlines)
    tables = {
        b"OS/2": _os2(chars),
        b"cmap": _cmap(chars),
        b"glyf": b"".join(outlines),
        b"head": _head(),
        b"hhea": struct.pack(
            ">IhhhHhhhhhh8xhH", 0x10000, _ASCENT, _DESCENT, 0, _ADVANCE, 0, 0, _ADVANCE, 1, 0, 0, 0, 1
        ),
        b"hmtx": struct.pack(f">H{count}h", _ADVANCE, *bearings),
        b"loca": struct.pack(f">{count + 1}I", *offsets),
        b"maxp": _maxp(count),
        b"name": _names(),
        b"post": struct.pack(">IIhhI16x", 0x30000, 0, 0, 0, 1),
    }
    return _woff(tables)


def _dot() -> bytes:
    points = ((0, 0), (0, _DOT), (_DOT, 0), (0, -_DOT))
    outline = struct.pack(">hhhhh", 1, 0, 0, _DOT, _DOT) + struct.pack(">HH", 3, 0) + bytes((_ON_CURVE,)) * 4
    outline += b"".join(struct.pack(">h", x) for x, _ in points) + b"".join(struct.pack(">h", y) for _, y in points)
    return _even(outline)


def _composite(rows: tuple[int, ...]) -> bytes:
    dots = _dots(rows)
    xs, ys = [x for x, _ in dots], [y for _, y in dots]
    parts = [struct.pack(">hhhhh", -1, min(xs), min(ys), max(xs) + _DOT, max(ys) + _DOT)]
    for number, (x, y) in enumerate(dots, 1):
        parts.append(struct.pack(">HHhh", _XY_WORDS | (_MORE if number < len(dots) else 0), 1, x, y))
    return b"".join(parts)


def _dots(rows: tuple[int, ...]) -> list[tuple[int, int]]:
    return [
        (column * _PITCH, (_ROWS - 1 - row) * _PITCH)
        for row, bits in enumerate(rows)
        for column in range(_COLUMNS)
        if bits >> (_COLUMNS - 1 - column) & 1
    ]


def _bearing(rows: tuple[int, ...]) -> int:
    return min(x for x, _ in _dots(rows))


def _head() -> bytes:
    box = (0, -_BELOW * _PITCH, _ADVANCE, _ROWS * _PITCH)
    times = bytes(16)
    # The check sum of the whole file is left out: readers do not ask it of a WOFF.
    return (
        struct.pack(">IIIIHH", 0x10000, 0x10000, 0, 0x5F0F3CF5, 0x000B, _EM)
        + times
        + struct.pack(">hhhhHHhhh", *box, 0, 6, 2, 1, 0)
    )


def _maxp(count: int) -> bytes:
    dots = (_ROWS + _BELOW) * _COLUMNS
    return struct.pack(">IH13H", 0x10000, count, 4, 1, 4 * dots, dots, 1, 0, 0, 0, 0, 0, 0, dots, 1)


def _os2(chars: list[str]) -> bytes:
    return (
        struct.pack(">HhHHH", 3, _ADVANCE, 400, 5, 0)
        + struct.pack(">10hh", *(0,) * 10, 0)
        + bytes((2, 0, 5, 9, 0, 0, 0, 0, 0, 0))
        + struct.pack(">4I4s", 1, 0, 0, 0, b"PWAT")
        + struct.pack(">HHHhhhHH", 0x40, ord(_FIRST_CHAR), ord(chars[-1]), _ASCENT, _DESCENT, 0, _ASCENT, -_DESCENT)
        + struct.pack(">IIhhHHH", 1, 0, 5 * _PITCH, _ROWS * _PITCH, 0, ord(_FIRST_CHAR), 0)
    )


def _cmap(chars: list[str]) -> bytes:
    codes = [(ord(_FIRST_CHAR), 2), *((ord(char), 3 + index) for index, char in enumerate(chars))]
    # Format 12: one group a run of codes whose glyphs run as well.
    groups: list[list[int]] = []
    for code, glyph in codes:
        if groups and code == groups[-1][1] + 1 and glyph == groups[-1][2] + code - groups[-1][0]:
            groups[-1][1] = code
        else:
            groups.append([code, code, glyph])
    body = b"".join(struct.pack(">III", *group) for group in groups)
    table = struct.pack(">HHIII", 12, 0, 16 + len(body), 0, len(groups)) + body
    return struct.pack(">HHHHI", 0, 1, 3, 10, 12) + table


def _names() -> bytes:
    names = {1: "Prewatt LCD", 2: "Regular", 3: "Prewatt LCD 1", 4: "Prewatt LCD", 5: "Version 1.0", 6: "PrewattLCD"}
    records, text = b"", b""
    for number, name in names.items():
        coded = name.encode("utf-16-be")
        records += struct.pack(">HHHHHH", 3, 1, 0x409, number, len(coded), len(text))
        text += coded
    return struct.pack(">HHH", 0, len(names), 6 + len(records)) + records + text


def _woff(tables: Mapping[bytes, bytes]) -> bytes:
    entries, body = b"", b""
    start = 44 + 20 * len(tables)
    plain_bytes = 12 + 16 * len(tables)
    for tag, table in tables.items():
        packed = min(zlib.compress(table, 9), table, key=len)
        entries += struct.pack(">4sIIII", tag, start + len(body), len(packed), len(table), _checksum(tag, table))
        body += _even(packed, 4)
        plain_bytes += len(_even(table, 4))
    total = start + len(body)
    header = struct.pack(">4sIIHHIHHIIIII", b"wOFF", 0x10000, total, len(tables), 0, plain_bytes, 1, 0, 0, 0, 0, 0, 0)
    return header + entries + body


def _checksum(tag: bytes, table: bytes) -> int:
    padded = _even(table, 4)
    words: tuple[int, ...] = struct.unpack(f">{len(padded) // 4}I", padded)
    return sum(words) % 2**32


def _even(data: bytes, of: int = 2) -> bytes:
    return data + bytes(-len(data) % of)
