"""Info: lossless in any number of parts, each within the source's budget, strict on what it reads."""

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prewatt.codec import DecodeError
from prewatt.codec.events import EventRecord
from prewatt.codec.info import INFO_PLAIN_MAX, Info, InfoPart, TablePart, build_parts, join_parts, parse_part
from prewatt.codec.minutelog import MINUTES_MAX, NO_POWER
from prewatt.codec.receipt import Receipt
from prewatt.codec.standing import Standing

Days = dict[str, tuple[int, ...]]

events = st.builds(
    EventRecord, st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1), st.integers(0, 2**16 - 1), st.binary(max_size=16)
)


def parse_all(parts: tuple[bytes, ...]) -> list[InfoPart]:
    parsed = [parse_part(part) for part in parts]
    assert all(isinstance(part, InfoPart) for part in parsed)
    assert tuple(part.build() for part in parsed) == parts
    return [part for part in parsed if isinstance(part, InfoPart)]


def test_every_real_day_goes_whole_in_the_first_part(
    house_days: Days, feeder_days: Days, receipt: Receipt, full_standing: Standing
) -> None:
    real_days = [day for day in house_days.values() if NO_POWER not in day] + list(feeder_days.values())
    for day in real_days:
        info = Info(receipt, full_standing, day=13_545, day_start_s=1_170_284_400, minutes=day)
        parts = build_parts(info)
        assert len(parts) == 1
        assert len(parts[0]) <= INFO_PLAIN_MAX
        assert join_parts(parse_all(parts)) == info


@given(
    st.lists(st.integers(0, NO_POWER), max_size=MINUTES_MAX),
    st.lists(events, max_size=60),
    st.lists(st.binary(max_size=64), max_size=20),
    st.integers(700, INFO_PLAIN_MAX),
)
@settings(max_examples=60, deadline=None)
def test_any_info_comes_back_from_its_parts(
    receipt: Receipt,
    full_standing: Standing,
    minutes: list[int],
    log: list[EventRecord],
    cards: list[bytes],
    plain_max: int,
) -> None:
    info = Info(receipt, full_standing, 20_000, 1_728_000_000, tuple(minutes), tuple(log), tuple(cards))
    parts = build_parts(info, plain_max=plain_max)
    assert all(len(part) <= plain_max for part in parts)
    assert join_parts(parse_all(parts)) == info


def test_the_noisiest_day_goes_in_parts_and_nothing_is_dropped(receipt: Receipt, full_standing: Standing) -> None:
    noise = random.Random(7)
    minutes = tuple(noise.randrange(NO_POWER + 1) for _ in range(MINUTES_MAX))
    log = tuple(EventRecord(n, n, 0x0101, bytes(16)) for n in range(1, 600))
    info = Info(receipt, full_standing, 20_000, 1_728_000_000, minutes, log)
    parts = build_parts(info)
    assert 2 < len(parts) < 12
    assert join_parts(parse_all(parts)) == info


def test_every_cut_and_every_tail_is_refused(house_days: Days, receipt: Receipt, full_standing: Standing) -> None:
    log = (EventRecord(1, 2, 3, b"four"),)
    (part,) = build_parts(Info(receipt, full_standing, 1, 2, house_days["2007-03-01"], log, (b"tac",)))
    for cut in range(0, len(part), 5):
        with pytest.raises(DecodeError):
            parse_part(part[:cut])
    with pytest.raises(DecodeError, match="too many"):
        parse_part(part + b"\0")


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_a_changed_byte_is_refused_or_is_itself_the_code_of_another_info(
    receipt: Receipt, full_standing: Standing, data: st.DataObject
) -> None:
    (part,) = build_parts(Info(receipt, full_standing, 1, 2, (5, 5, 6, NO_POWER, 400), (EventRecord(1, 2, 3),)))
    at = data.draw(st.integers(0, len(part) - 1))
    changed = part[:at] + bytes((part[at] ^ data.draw(st.integers(1, 255)),)) + part[at + 1 :]
    try:
        parsed = parse_part(changed)
    except DecodeError:
        return
    assert parsed.build() == changed


def test_parts_of_another_day_or_with_one_missing_do_not_join(receipt: Receipt, full_standing: Standing) -> None:
    noise = random.Random(8)
    minutes = tuple(noise.randrange(NO_POWER) for _ in range(1_440))
    parts = parse_all(build_parts(Info(receipt, full_standing, 9, 100, minutes)))
    assert len(parts) >= 2
    for broken in ([], parts[1:], parts[:-1], [parts[0], *parts], [parts[0], replace(parts[1], day=10)]):
        with pytest.raises(DecodeError):
            join_parts(broken)


def test_the_table_travels_as_part_255(receipt: Receipt) -> None:
    part = TablePart(receipt, bytes(range(256)), 250_000)
    assert parse_part(part.build()) == part
    with pytest.raises(DecodeError):
        parse_part(part.build()[:-1])


def test_an_info_that_needs_too_many_parts_is_an_error(receipt: Receipt, full_standing: Standing) -> None:
    log = tuple(EventRecord(n, n, 1, bytes(16)) for n in range(30_000))
    with pytest.raises(ValueError, match="255 parts"):
        build_parts(Info(receipt, full_standing, events=log))
