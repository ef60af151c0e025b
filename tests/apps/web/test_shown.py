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
        return dict(row[1:] for row in show_registers(face, world_s)["Meter"])["Against the world"]

    own_s = face["clock_s"]
    assert [against(own_s + off_s) for off_s in (0, 120, -120)] == ["in step"] * 3
    assert against(own_s + 3_600) == "3,600 s behind"
    assert against(own_s - 121) == "121 s ahead"


def test_registers_of_a_new_meter_have_no_order(face: dict[str, Any]) -> None:
    rows = dict(row[1:] for row in show_registers(face | {"commissioned": False}, 0)["Meter"])
    assert rows["Last order held"] == "not commissioned yet"


def test_register_names_are_unique_also_beside_those_of_the_face(face: dict[str, Any]) -> None:
    names = [name for rows in show_registers(face, 0).values() for name, _, _ in rows]
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
    source.settle("confirmed")
    for _ in range(3):
        found = sales.look()
    assert {sale.state for sale in found.values()} == {"confirmed"}


def test_the_font_has_every_character_that_can_be_typed() -> None:
    glyphs = read_glyphs()
    assert set(map(chr, range(33, 127))) <= set(glyphs)
    assert all(7 <= len(rows) <= 9 and all(0 <= row < 32 for row in rows) for rows in glyphs.values())
    # No two look alike.
    padded = {rows + (0,) * (9 - len(rows)) for rows in glyphs.values()}
    assert len(padded) == len(glyphs)


def test_the_font_is_a_whole_woff() -> None:
    font = build_lcd_font(read_glyphs())
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
    glyphs = struct.unpack(">H", tables[b"maxp"][4:6])[0]
    offsets = struct.unpack(f">{glyphs + 1}I", tables[b"loca"])
    assert offsets[-1] == len(tables[b"glyf"])
    assert list(offsets) == sorted(offsets)
    assert len(tables[b"hmtx"]) == 2 + 2 * glyphs
