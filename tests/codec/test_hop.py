"""Box messages: one encoding each, every limit at and one past it, nothing cut, longer or flipped slips through."""

import re
from dataclasses import fields
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prewatt.codec.errors import DecodeError
from prewatt.codec.hop import (
    DETAIL_BYTES_MAX,
    HOP_BYTES_MAX,
    KEPT_NUMBER_MAX,
    MEMBERS_SENT_MAX,
    Answers,
    AreaHealth,
    Health,
    HopKind,
    HopMessage,
    Kept,
    KeptAck,
    Members,
    Plan,
    Refused,
    RefusedReason,
    Round,
    StationState,
    build_hop,
    parse_head,
    parse_hop,
)
from prewatt.units import Address, MeterId

HERE = Address(3, 17)
SPOOL = bytes(range(8))

addresses = st.builds(Address, st.integers(0, 255), st.integers(0, 255))
u32 = st.integers(0, 2**32 - 1)
u64 = st.integers(0, 2**64 - 1)
ids = st.binary(min_size=3, max_size=3).map(MeterId)
items = st.lists(st.tuples(ids, st.binary(min_size=1, max_size=40)), max_size=6).map(tuple)
once = st.lists(st.tuples(ids, st.binary(min_size=1, max_size=40)), max_size=6, unique_by=lambda item: item[0]).map(
    tuple
)
spools = st.binary(min_size=8, max_size=8)
states = st.builds(StationState, st.integers(0, 255), st.booleans(), u32, u32, st.integers(0, 65_535))
messages: st.SearchStrategy[HopMessage] = st.one_of(
    st.builds(Round, addresses, u32, st.booleans(), once),
    st.builds(Members, addresses, u32, st.lists(st.tuples(ids, st.integers(0, 255)), max_size=6).map(tuple)),
    st.builds(KeptAck, addresses, spools, u64),
    st.builds(Plan, addresses, u32, u32, u32, u32, u32, u32, u32, u32, u32, u32),
    st.builds(Answers, addresses, u32, st.booleans(), items),
    st.builds(
        lambda address, spool, a, b, found: Kept(address, spool, max(a, b), min(a, b), found),
        addresses,
        spools,
        st.integers(1, KEPT_NUMBER_MAX - 256),
        st.integers(1, KEPT_NUMBER_MAX - 256),
        items.filter(len),
    ),
    st.builds(Health, addresses, u32, u32, u32, u32, u32, u32, u32, st.lists(ids, max_size=6).map(tuple)),
    st.builds(Refused, addresses, st.integers(0, 255), st.sampled_from(RefusedReason), st.text(max_size=20)),
    st.builds(
        AreaHealth,
        addresses,
        u32,
        u32,
        u32,
        st.lists(states, max_size=6, unique_by=lambda state: state.station).map(
            lambda found: tuple(sorted(found, key=lambda state: state.station))
        ),
    ),
)


def meter(number: int) -> MeterId:
    return MeterId(number.to_bytes(3, "big"))


@settings(max_examples=300, deadline=None)
@given(messages)
def test_a_message_is_what_it_was(message: HopMessage) -> None:
    assert parse_hop(build_hop(message)) == message


@settings(max_examples=100, deadline=None)
@given(messages, st.binary(min_size=1, max_size=4))
def test_a_message_cut_or_extended_anywhere_is_refused(message: HopMessage, more: bytes) -> None:
    data = build_hop(message)
    for length in range(len(data)):
        with pytest.raises(DecodeError):
            parse_hop(data[:length])
    with pytest.raises(DecodeError):
        parse_hop(data + more)


@settings(max_examples=300, deadline=None)
@given(messages, st.data())
def test_a_flipped_bit_makes_another_message_or_none_and_one_encoding_each(
    message: HopMessage, data: st.DataObject
) -> None:
    encoded = bytearray(build_hop(message))
    bit = data.draw(st.integers(0, 8 * len(encoded) - 1))
    encoded[bit // 8] ^= 1 << bit % 8
    try:
        found = parse_hop(bytes(encoded))
    except DecodeError:
        return
    assert found != message
    assert build_hop(found) == encoded


@settings(max_examples=300, deadline=None)
@given(
    st.binary(max_size=200), st.sampled_from([b"", *(bytes((1, kind)) for kind in (1, 2, 3, 4, *range(0x81, 0x86)))])
)
def test_random_bytes_are_a_message_or_a_decode_error(data: bytes, head: bytes) -> None:
    try:
        found = parse_hop(head + data)
    except DecodeError:
        return
    assert build_hop(found) == head + data


def test_the_bytes_are_those_of_the_document() -> None:
    assert build_hop(
        Round(HERE, 5, True, ((meter(1), b"\x10x"),))
    ).hex() == "01010311 00000005 01 01 0001 000001 0002 1078".replace(" ", "")
    assert build_hop(Members(HERE, 7, ((meter(1), 9),))).hex() == "01020311 00000007 0001 000001 09".replace(" ", "")
    assert build_hop(KeptAck(HERE, SPOOL, 258)).hex() == "01030311 0001020304050607 0000000000000102".replace(" ", "")
    assert build_hop(Answers(HERE, 5, True, ())).hex() == "01810311 00000005 01 02 0000".replace(" ", "")
    kept = "01820311 0001020304050607 0000000000000003 0000000000000002 02 0001 000001 0001 15".replace(" ", "")
    assert build_hop(Kept(HERE, SPOOL, 3, 2, ((meter(1), b"\x15"),))).hex() == kept
    health = "01830311" + "".join(f"{n:08x}" for n in range(1, 8)) + "0001000009"
    assert build_hop(Health(HERE, 1, 2, 3, 4, 5, 6, 7, (meter(9),))).hex() == health
    assert build_hop(Refused(HERE, 1, RefusedReason.AWAY, "ö")).hex() == "01840311 01 09 02 c3b6".replace(" ", "")
    area = "01850300 00000001 00000002 00000003 0001 11 01 00000004 00000005 0006".replace(" ", "")
    assert build_hop(AreaHealth(Address(3, 0), 1, 2, 3, (StationState(17, True, 4, 5, 6),))).hex() == area
    assert build_hop(Plan(HERE, 1, *range(2, 11))).hex() == "01040311" + "".join(f"{n:08x}" for n in range(1, 11))


@pytest.mark.parametrize(
    ("data", "field"),
    [
        (b"\x02\x81\0\0", "version"),
        (b"\x01\x05\0\0", "kind"),
        (b"\x01\x00\0\0", "kind"),
        (build_hop(Round(HERE, 1, False, ()))[:8] + b"\x02\x01\0\0", "urgent"),
        (build_hop(Answers(HERE, 1, False, ()))[:8] + b"\x02\x02\0\0", "done"),
        (build_hop(Answers(HERE, 1, False, ()))[:9] + b"\x01\0\0", "kind"),
        (b"\x01\x82\0\0" + bytes(24) + b"\x02\0\1\0\0\1\0\1x", "lowest"),
        (b"\x01\x82\0\0" + bytes(15) + b"\1" + bytes(7) + b"\2\x02\0\1\0\0\1\0\1x", "lowest"),
        (b"\x01\x84\0\0\x01\x00\x00", "reason"),
        (b"\x01\x84\0\0\x01\x0d\x00", "reason"),
        (b"\x01\x84\0\0\x01\x01\x01\xff", "detail"),
    ],
)
def test_an_error_names_the_field(data: bytes, field: str) -> None:
    with pytest.raises(DecodeError, match=f"{field}:"):
        parse_hop(data)


def test_the_offset_of_a_broken_item_counts_from_the_messages_first_byte() -> None:
    data = build_hop(Answers(HERE, 1, False, ((meter(1), b"x"),)))
    with pytest.raises(DecodeError) as refused:
        parse_hop(data[:-3] + b"\0\0x")
    assert refused.value.offset == len(data) - 3


def test_the_largest_messages_fit_and_one_more_is_refused() -> None:
    most = tuple((meter(1 + n), bytes(2_600)) for n in range(256))
    for message in (Round(HERE, 1, False, most), Answers(HERE, 1, True, most), Kept(HERE, SPOOL, 1, 1, most)):
        data = build_hop(message)
        assert len(data) <= HOP_BYTES_MAX
        assert parse_hop(data) == message
    more = (*most, (meter(300), b"x"))
    for message in (Round(HERE, 1, False, more), Answers(HERE, 1, True, more), Kept(HERE, SPOOL, 1, 1, more)):
        with pytest.raises(ValueError, match="256"):
            build_hop(message)
    for parse in (parse_hop, parse_head):
        with pytest.raises(DecodeError, match="at most"):
            parse(b"\x01\x81" + bytes(HOP_BYTES_MAX - 1))
    assert parse_head(b"\x01\x81" + bytes(HOP_BYTES_MAX - 2)) == (HopKind.ANSWERS, Address(0, 0))


def test_items_are_1_to_256_where_kept_and_up_to_256_where_answered() -> None:
    with pytest.raises(ValueError, match="1 to 256"):
        build_hop(Kept(HERE, SPOOL, 1, 1, ()))
    with pytest.raises(DecodeError, match="items"):
        parse_hop(b"\x01\x82\x03\x11" + bytes(15) + b"\1" + bytes(7) + b"\1" + b"\x02\0\0")
    for head in (b"\x01\x82\x03\x11" + bytes(15) + b"\1" + bytes(7) + b"\1", b"\x01\x81\x03\x11" + bytes(5)):
        item = bytes(3) + b"\0\x01x"
        assert parse_hop(head + b"\x02\x01\x00" + 256 * item)
        with pytest.raises(DecodeError, match="257 is not"):
            parse_hop(head + b"\x02\x01\x01" + 257 * item)


def test_members_silent_stations_and_detail_hold_their_limits() -> None:
    members = tuple((meter(n), n % 256) for n in range(MEMBERS_SENT_MAX))
    assert parse_hop(build_hop(Members(HERE, 1, members))) == Members(HERE, 1, members)
    silent = tuple(meter(n) for n in range(256))
    assert parse_hop(build_hop(Health(HERE, 1, 1, 1, 0, 0, 0, 0, silent)))
    stations = tuple(StationState(n, True, 0, 0, 256) for n in range(256))
    assert parse_hop(build_hop(AreaHealth(Address(3, 0), 1, 0, 0, stations)))
    assert parse_hop(build_hop(Refused(HERE, 1, RefusedReason.FULL, "x" * DETAIL_BYTES_MAX)))
    for message in (
        Members(HERE, 1, (*members, (meter(9), 9))),
        Health(HERE, 1, 1, 1, 0, 0, 0, 0, (*silent, meter(300))),
        AreaHealth(Address(3, 0), 1, 0, 0, stations[::-1]),
        AreaHealth(Address(3, 0), 1, 0, 0, stations[:1] * 2),
        Refused(HERE, 1, RefusedReason.FULL, "x" * (DETAIL_BYTES_MAX + 1)),
        KeptAck(HERE, b"short", 1),
        Kept(HERE, SPOOL, 1, 0, ((meter(1), b"x"),)),
        Kept(HERE, SPOOL, 1, 2, ((meter(1), b"x"),)),
        Members(HERE, 1, ((MeterId(b"\1"), 1),)),
        Health(HERE, 1, 1, 1, 0, 0, 0, 0, (MeterId(b"\1"),)),
    ):
        with pytest.raises(ValueError, match="allowed"):
            build_hop(message)
    for data in (
        b"\x01\x02\0\0" + bytes(4) + b"\x04\x01" + bytes(4 * 1_025),
        b"\x01\x83\0\0" + bytes(28) + b"\x01\x01" + bytes(3 * 257),
        b"\x01\x85\0\0" + bytes(12) + b"\x01\x01" + bytes(12 * 257),
        b"\x01\x84\0\0\x01\x01\xc9" + bytes(201),
    ):
        with pytest.raises(DecodeError, match="above"):
            parse_hop(data)


def test_kept_numbers_stay_below_what_a_database_holds() -> None:
    last = KEPT_NUMBER_MAX - 256
    kept = Kept(HERE, SPOOL, last, 1, ((meter(1), b"x"),))
    data = build_hop(kept)
    assert parse_hop(data) == kept
    with pytest.raises(ValueError, match="first"):
        build_hop(Kept(HERE, SPOOL, last + 1, 1, ((meter(1), b"x"),)))
    at = data.index(last.to_bytes(8, "big"))
    with pytest.raises(DecodeError, match="too large"):
        parse_hop(data[:at] + (last + 1).to_bytes(8, "big") + data[at + 8 :])


@pytest.mark.parametrize("number", [-1, 2**32])
def test_a_number_that_does_not_fit_is_an_error(number: int) -> None:
    with pytest.raises(OverflowError):
        build_hop(Round(HERE, number, False, ()))


def test_the_protocols_page_names_every_kind_and_every_reason() -> None:
    page = (Path(__file__).parents[2] / "docs" / "protocol.md").read_text()
    page = page[page.index("## Box messages") : page.index("## Transfer rules")]
    kinds = dict(re.findall(r"^\| ([0-9A-F]{2}) \| (\w+) \|", page, re.MULTILINE))
    assert {int(kind, 16): name for kind, name in kinds.items()} == {
        kind: "".join(word.capitalize() for word in kind.name.split("_")) for kind in HopKind
    }
    reasons = page[page.index("| reason |") :]
    assert [int(reason) for reason in re.findall(r"^\| (\d+) \|", reasons, re.MULTILINE)] == list(RefusedReason)
    for name in (field.name for field in fields(Plan) if field.name not in ("address", "version")):
        assert f"{name}(4)" in page
