"""Figures as people read them, and the font they are read in."""

import struct
import zlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prewatt.apps.web.lcdfont import build_lcd_font, read_glyphs
from prewatt.apps.web.sales import Sales
from prewatt.apps.web.shown import show_clock, show_meter, show_pace, show_registers


@pytest.fixture
def face(source: Any) -> dict[str, Any]:
    return dict(source.face("000001"))


@settings(max_examples=100, deadline=None)
@given(
    balance_micro=st.integers(0, 10**15),
    price_micro=st.integers(0, 10**12),
    power_w=st.integers(0, 100_000),
)
def test_any_figures_can_be_shown(balance_micro: int, price_micro: int, power_w: int) -> None:
    face = {
        "id": "000001",
        "lcd": [],
        "state": "supplying",
        "relay_closed": True,
        "causes": [],
        "buzzing": "silent",
        "notice": "",
        "step_percent": 100,
        "quality_percent": 100,
        "unit_price_micro": price_micro,
        "balance_micro": balance_micro,
        "price_micro": price_micro,
        "power_w": power_w,
    }
    shown = show_meter(face)
    assert 0 <= shown.bar_percent <= 100
    assert (shown.bar_percent == 0) == (balance_micro == 0)
    assert int(shown.text["balance"].replace(".", "")) == balance_micro // 10_000
    assert shown.looks["blink"] in "012345678"
    assert (shown.looks["blink"] == "0") == (power_w == 0)


def test_a_balance_is_never_shown_above_what_the_meter_holds(face: dict[str, Any]) -> None:
    assert show_meter(face | {"balance_micro": 999_999}).text["balance"] == "0.99"


def test_a_meter_without_a_price_says_so(face: dict[str, Any]) -> None:
    assert show_meter(face | {"price_micro": 0, "unit_price_micro": 0}).text["left"] == "no price yet"


def test_power_quality_is_named_only_where_it_changes_the_price(face: dict[str, Any]) -> None:
    assert show_meter(face).text["share"] == "100 %"
    assert show_meter(face | {"quality_percent": 105}).text["share"] == "100 % × 105 %"


def test_registers_tell_a_clock_that_is_off(face: dict[str, Any]) -> None:
    def against(world_s: int) -> str:
        return dict(row[1:] for row in show_registers(face, world_s, 1)["Meter"])["Against the world"]

    own_s = face["clock_s"]
    assert [against(own_s + off_s) for off_s in (0, 120, -120)] == ["in step"] * 3
    assert against(own_s + 3_600) == "3,600 s behind"
    assert against(own_s - 121) == "121 s ahead"
    hurried = dict(row[1:] for row in show_registers(face, own_s + 600, 600)["Meter"])
    assert hurried["Against the world"] == "in step"


def test_registers_of_a_new_meter_have_no_order(face: dict[str, Any]) -> None:
    rows = dict(row[1:] for row in show_registers(face | {"commissioned": False}, 0, 1)["Meter"])
    assert rows["Last order held"] == "not commissioned yet"


def test_register_names_are_unique_also_beside_those_of_the_face(face: dict[str, Any]) -> None:
    names = [name for rows in show_registers(face, 0, 1).values() for name, _, _ in rows]
    assert len({*names, *show_meter(face).text}) == len(names) + len(show_meter(face).text)


@pytest.mark.parametrize(
    ("speed", "words"),
    [
        (1, "real time"),
        (2, "2 seconds a second"),
        (60, "1 minute a second"),
        (90, "90 seconds a second"),
        (600, "10 minutes a second"),
        (3_600, "1 hour a second"),
        (3_599, "3,599 seconds a second"),
    ],
)
def test_the_pace_of_the_world_in_words(speed: int, words: str) -> None:
    assert show_pace(speed) == words


def test_the_clock_reaches_the_last_second_it_can_count() -> None:
    assert show_clock(2**32 - 1) == "2106-02-07 06:28:15"


def test_each_look_asks_for_a_few_unsettled_sales_and_all_in_turn(source: Any) -> None:
    sales = Sales(source)
    for number in range(40):
        sales.sell(f"{0x100 + number:06X}", "1", f"P-{number}")
    sales.look()
    assert source.reads == 16
    # The others stay unsettled, and do not stand in the way of the last.
    source.orders["P-39"]["state"] = "confirmed"
    for _ in range(2):
        found = sales.look()
    assert [meter for meter, sale in found.items() if sale.state == "confirmed"] == [f"{0x100 + 39:06X}"]


def test_a_sale_that_cannot_be_read_does_not_stand_in_the_way_of_others(source: Any) -> None:
    sales = Sales(source)
    for number in range(40):
        sales.sell(f"{0x100 + number:06X}", "1", f"P-{number}")
    source.broken = RuntimeError("every read fails")
    for _ in range(2):
        sales.look()
    source.broken = None
    source.settle("confirmed")
    assert sales.look()[f"{0x100 + 39:06X}"].state == "confirmed"


def test_the_font_has_every_character_that_can_be_typed() -> None:
    glyphs = read_glyphs()
    assert set(map(chr, range(33, 127))) <= set(glyphs)
    assert all(7 <= len(rows) <= 9 and all(0 <= row < 32 for row in rows) for rows in glyphs.values())
    # No two look alike.
    padded = {rows + (0,) * (9 - len(rows)) for rows in glyphs.values()}
    assert len(padded) == len(glyphs)


def read_tables(font: bytes) -> dict[bytes, bytes]:
    signature, flavor, length, count = struct.unpack(">4sIIH", font[:14])
    assert (signature, flavor, length) == (b"wOFF", 0x10000, len(font))
    tables = {}
    for index in range(count):
        tag, offset, packed, plain, checksum = struct.unpack(">4sIIII", font[44 + 20 * index : 64 + 20 * index])
        table = font[offset : offset + packed]
        table = zlib.decompress(table) if packed < plain else table
        assert len(table) == plain
        padded = table + bytes(-plain % 4)
        assert sum(struct.unpack(f">{len(padded) // 4}I", padded)) % 2**32 == checksum
        tables[tag] = table
    return tables


def test_the_font_is_a_whole_woff() -> None:
    tables = read_tables(build_lcd_font(read_glyphs()))
    glyphs = struct.unpack(">H", tables[b"maxp"][4:6])[0]
    offsets = struct.unpack(f">{glyphs + 1}I", tables[b"loca"])
    assert offsets[-1] == len(tables[b"glyf"])
    assert list(offsets) == sorted(offsets)
    assert len(tables[b"hmtx"]) == 2 + 2 * glyphs


def test_each_glyph_is_drawn_by_its_own_dots() -> None:
    rows_by_char = read_glyphs()
    tables = read_tables(build_lcd_font(rows_by_char))
    count = len(rows_by_char) + 3
    offsets = struct.unpack(f">{count + 1}I", tables[b"loca"])
    bearings = struct.unpack(f">{count}h", tables[b"hmtx"][2:])
    for glyph, char in enumerate(sorted(rows_by_char), 3):
        outline = tables[b"glyf"][offsets[glyph] : offsets[glyph + 1]]
        parts = [struct.unpack(">HHhh", outline[at : at + 8]) for at in range(10, len(outline), 8)]
        assert [bool(flags & 0x20) for flags, *_ in parts] == [True] * (len(parts) - 1) + [False]
        assert {dot for _, dot, _, _ in parts} == {1}
        rows = [0] * 9
        for _, _, x, y in parts:
            rows[6 - y // 100] |= 1 << (4 - x // 100)
        assert tuple(rows[: len(rows_by_char[char])]) == rows_by_char[char]
        assert bearings[glyph] == min(x for _, _, x, _ in parts)
