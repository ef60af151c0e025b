"""The record's layout: every field comes back, and nothing that is not a record is taken for one."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prewatt.codec.errors import DecodeError
from prewatt.codec.receipt import RingEntry
from prewatt.device.meter.money import ACC_PER_MICRO, Money, MoneyError
from prewatt.device.meter.record import (
    CONTROL_BYTES_MAX,
    RECORD_BYTES_MAX,
    SOURCES_MAX,
    EnergyPosition,
    Record,
)
from prewatt.units import Sequence

amounts = st.integers(0, 2**61)


@st.composite
def moneys(draw: st.DrawFn) -> Money:
    svm, tank, exchanger, burned, returned = (draw(amounts) for _ in range(5))
    owed = 0 if svm + tank + exchanger else draw(st.integers(0, min(burned, 10**15)))
    sequences = sorted(draw(st.sets(st.integers(0, 2**32 - 1), max_size=16)))
    return Money(
        svm_micro=svm,
        tank_micro=tank,
        exchanger_micro=exchanger,
        acc=draw(st.integers(0, ACC_PER_MICRO - 1)),
        received_micro=svm + tank + exchanger + burned + returned - owed,
        burned_micro=burned,
        returned_micro=returned,
        owed_micro=owed,
        ring=tuple(
            RingEntry(Sequence(n), draw(st.binary(min_size=8, max_size=8)), draw(st.integers(-(2**63), 2**63 - 1)))
            for n in sequences
        ),
        last_control=draw(st.integers(0, 2**32 - 1)),
        control_digest=draw(st.binary(min_size=8, max_size=8)),
    )


u32 = st.integers(0, 2**32 - 1)
positions = st.builds(
    EnergyPosition, u32, st.lists(u32, min_size=1, max_size=SOURCES_MAX).map(tuple), st.integers(0, 255)
)
records = st.builds(Record, moneys(), positions, st.binary(max_size=300), st.integers(0, 255))

SOME = Record(
    Money(
        svm_micro=5,
        tank_micro=4,
        received_micro=12,
        burned_micro=3,
        acc=77,
        ring=(RingEntry(Sequence(1), b"12345678", 12),),
        last_control=9,
        control_digest=b"digested",
    ),
    EnergyPosition(29_000_000, (17, 3), 2),
    b"control",
    3,
)
EMPTY = Record(Money(), EnergyPosition(0))


@settings(max_examples=200, deadline=None)
@given(records)
def test_every_field_comes_back(record: Record) -> None:
    data = record.build()
    assert Record.parse(data) == record
    assert Record.parse(data).build() == data


def test_the_largest_record_fits_what_is_promised() -> None:
    record = replace(SOME, control=bytes(CONTROL_BYTES_MAX))
    assert len(record.build()) == RECORD_BYTES_MAX
    assert Record.parse(record.build()) == record


def test_the_layout_is_the_documented_one() -> None:
    data = SOME.build()
    assert data[0] == 1
    assert data[1:5] == (9).to_bytes(4, "big")
    assert data[5:13] == b"digested"
    assert data[13:37] == b"".join(n.to_bytes(8, "big") for n in (5, 4, 0))
    assert data[37:41] == (77).to_bytes(4, "big")
    assert data[41:73] == b"".join(n.to_bytes(8, "big") for n in (12, 3, 0, 0))
    assert data[73:94] == b"\x01" + SOME.money.ring[0].build()
    assert data[394:396] == b"\x03\x02"
    assert data[396:401] == (29_000_000).to_bytes(4, "big") + b"\x02"
    assert data[417:] == b"\x00\x07control"


@pytest.mark.parametrize("record", [SOME, EMPTY])
def test_truncated_and_extended_records_are_refused(record: Record) -> None:
    data = record.build()
    for length in range(len(data)):
        with pytest.raises(DecodeError):
            Record.parse(data[:length])
    with pytest.raises(DecodeError):
        Record.parse(data + b"\0")


def test_a_flipped_bit_is_refused_or_is_another_record_that_builds_the_same_bytes() -> None:
    data = SOME.build()
    for bit in range(len(data) * 8):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        try:
            record = Record.parse(bytes(flipped))
        except DecodeError:
            continue
        assert record.build() == bytes(flipped)
        assert record != SOME


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=600))
def test_random_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(DecodeError):
        Record.parse(data)


def test_money_that_breaks_the_law_is_neither_built_nor_parsed() -> None:
    data = bytearray(SOME.build())
    data[20] += 1
    with pytest.raises(DecodeError, match="received"):
        Record.parse(bytes(data))
    with pytest.raises(MoneyError, match="received"):
        replace(SOME, money=replace(SOME.money, svm_micro=6)).build()


@pytest.mark.parametrize(
    "record",
    [
        replace(SOME, control=bytes(CONTROL_BYTES_MAX + 1)),
        replace(SOME, wrong_codes=256),
        replace(SOME, position=EnergyPosition(2**32)),
        replace(SOME, position=EnergyPosition(1, ())),
        replace(SOME, position=EnergyPosition(1, (0,) * (SOURCES_MAX + 1))),
        replace(SOME, position=EnergyPosition(1, (2**32,))),
        replace(SOME, position=EnergyPosition(1, (-1,))),
        replace(SOME, position=EnergyPosition(1, (0,), 256)),
        replace(SOME, money=replace(SOME.money, last_control=2**32)),
        replace(SOME, money=replace(SOME.money, control_digest=b"short")),
    ],
)
def test_fields_out_of_range_are_refused_before_anything_is_written(record: Record) -> None:
    with pytest.raises(MoneyError, match="is not allowed; allowed is"):
        record.build()


def test_counting_moves_one_source_of_the_position() -> None:
    assert EnergyPosition(5, (1, 2), 7).counted(1, 40) == EnergyPosition(5, (1, 42), 7)
