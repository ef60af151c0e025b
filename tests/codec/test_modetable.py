"""The mode table's one encoding, and everything that is none."""

import contextlib
import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prewatt.codec.errors import DecodeError
from prewatt.codec.modeexample import EXAMPLE_TABLE
from prewatt.codec.modetable import (
    EVERY_YEAR,
    AngleBand,
    DateRange,
    Daylight,
    DayPlan,
    Holiday,
    ModeTable,
    Segment,
    SourcePrice,
    Turn,
    Week,
    flat_table,
    table_digest,
)

EUROPE = Daylight(Turn(3, 5, 6, 8), Turn(10, 5, 6, 8))
RICH = replace(
    EXAMPLE_TABLE,
    daylight=EUROPE,
    zone_quarters=-14,
    sources=(SourcePrice(percent=180), SourcePrice(unit_price_micro=320_000)),
)


@st.composite
def tables(draw):
    steps = draw(st.integers(1, 16))
    plans = draw(st.integers(1, 3))

    def plan():
        quarters = sorted(draw(st.sets(st.integers(1, 95), max_size=4)))
        segments, before = [], None
        for quarter in (0, *quarters):
            others = [step for step in range(steps) if step != before]
            if not others:
                break
            step = draw(st.sampled_from(others))
            segments.append(Segment(quarter, step))
            before = step
        return DayPlan(tuple(segments))

    def week():
        return Week(*(draw(st.integers(0, plans - 1)) for _ in range(4)))

    def date():
        return draw(st.tuples(st.integers(1, 12), st.integers(1, 28)))

    days = draw(
        st.sets(st.tuples(st.integers(2000, 2106) | st.just(EVERY_YEAR), st.integers(1, 12), st.integers(1, 28)))
    )
    angles = sorted(draw(st.sets(st.integers(-18_000, 18_000), max_size=3)))
    return ModeTable(
        version=draw(st.integers(0, 2**32 - 1)),
        valid_from_s=draw(st.integers(0, 2**32 - 1)),
        percents=tuple(draw(st.integers(0, 65_535)) for _ in range(steps)),
        plans=tuple(plan() for _ in range(plans)),
        week=week(),
        zone_quarters=draw(st.integers(-48, 56)),
        daylight=draw(st.none() | st.just(EUROPE) | st.just(Daylight(Turn(10, 1, 6, 8), Turn(4, 1, 6, 8), 2))),
        last_year=draw(st.integers(2000, 2106)),
        after_step=draw(st.integers(0, steps - 1)),
        seasons=tuple(DateRange(date(), date(), week()) for _ in range(draw(st.integers(0, 2)))),
        holidays=tuple(sorted((Holiday(*day) for day in list(days)[:20]), key=Holiday.build_number)),
        bands=tuple(AngleBand(angle, draw(st.integers(0, 155))) for angle in angles),
        sources=tuple(
            draw(st.builds(SourcePrice, percent=st.integers(0, 65_535))) for _ in range(draw(st.integers(0, 3)))
        ),
    )


@settings(max_examples=150, deadline=None)
@given(tables())
def test_a_table_reads_back_as_it_was(table):
    assert ModeTable.parse(table.build()) == table


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=80))
def test_whatever_is_accepted_is_the_one_encoding_of_it(data):
    try:
        table = ModeTable.parse(data)
    except DecodeError:
        return
    assert table.build() == data


def test_the_sources_example_with_seasons_and_holidays_fits_256_bytes():
    data = EXAMPLE_TABLE.build()
    assert len(data) == 142
    assert ModeTable.parse(data) == EXAMPLE_TABLE
    assert EXAMPLE_TABLE.percents == (50, 75, 100, 150, 200, 300)
    assert len(RICH.build()) <= 256


def test_a_table_of_more_than_256_bytes_is_refused():
    many = tuple(Holiday(EVERY_YEAR, month, day) for month in range(1, 10) for day in range(1, 12))
    with pytest.raises(ValueError, match=r"mode table: .* bytes are not allowed; allowed is 256"):
        replace(EXAMPLE_TABLE, holidays=many).build()
    with pytest.raises(DecodeError):
        ModeTable.parse(bytes(257))


def test_every_truncation_and_extension_is_refused():
    whole = RICH.build()
    for cut in range(len(whole)):
        with pytest.raises(DecodeError):
            ModeTable.parse(whole[:cut])
    for more in (b"\0", b"\xff", whole):
        with pytest.raises(DecodeError):
            ModeTable.parse(whole + more)


def test_every_flipped_bit_is_refused_or_is_another_table():
    whole = RICH.build()
    for place in range(len(whole) * 8):
        flipped = bytearray(whole)
        flipped[place // 8] ^= 1 << place % 8
        try:
            table = ModeTable.parse(bytes(flipped))
        except DecodeError:
            continue
        assert table != RICH
        assert table.build() == bytes(flipped)


def test_random_bytes_never_raise_anything_but_a_decode_error():
    chance = random.Random(2)
    for _ in range(2_000):
        data = b"\x01" + chance.randbytes(chance.randrange(256))
        with contextlib.suppress(DecodeError):
            assert ModeTable.parse(data).build() == data


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"percents": ()}, "number of percents: 0"),
        ({"percents": (70_000, *EXAMPLE_TABLE.percents[1:])}, "percent: 70000"),
        ({"after_step": 6}, "after_step: 6"),
        ({"week": Week(0, 0, 0, 3)}, "plan: 3"),
        ({"zone_quarters": 57}, "zone_quarters: 57"),
        ({"last_year": 1999}, "last_year: 1999"),
        ({"holidays": EXAMPLE_TABLE.holidays[::-1]}, "holidays: the order"),
        ({"bands": (AngleBand(10, 1), AngleBand(10, 2))}, "bands: the order"),
        ({"version": 2**32}, "version"),
    ],
)
def test_what_no_table_can_mean_is_refused(change, why):
    with pytest.raises(ValueError, match=why):
        replace(EXAMPLE_TABLE, **change)


@pytest.mark.parametrize(
    "make",
    [
        lambda: DayPlan(()),
        lambda: DayPlan((Segment(1, 0),)),
        lambda: DayPlan((Segment(0, 0), Segment(0, 1))),
        lambda: DayPlan((Segment(0, 0), Segment(5, 0))),
        lambda: DayPlan((Segment(0, 0), Segment(96, 1))),
        lambda: Holiday(EVERY_YEAR, 2, 30),
        lambda: Holiday(1999, 1, 1),
        lambda: DateRange((13, 1), (1, 1), Week(0, 0, 0, 0)),
        lambda: Turn(3, 6, 0, 0),
        lambda: Daylight(Turn(3, 5, 6, 8), Turn(3, 1, 6, 8)),
        lambda: Daylight(Turn(3, 5, 6, 8), Turn(10, 5, 6, 93)),
        lambda: SourcePrice(),
        lambda: SourcePrice(percent=100, unit_price_micro=1),
        lambda: AngleBand(18_001, 0),
        lambda: AngleBand(0, 156),
    ],
)
def test_parts_that_mean_nothing_are_refused(make):
    with pytest.raises(ValueError, match="allowed"):
        make()


def test_the_digest_is_of_the_filled_table_and_its_price():
    table = flat_table(version=3).build()
    assert table_digest(table, 5) == table_digest(table + bytes(256 - len(table)), 5)
    assert table_digest(table, 5) != table_digest(table, 6)


def test_a_source_costs_a_percentage_or_a_price_of_its_own():
    assert SourcePrice(percent=180).price_micro(150_000) == 270_000
    assert SourcePrice(unit_price_micro=320_000).price_micro(150_000) == 320_000
