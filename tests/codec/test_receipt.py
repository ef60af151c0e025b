"""Receipt, ring entry and event: fixed layouts, each byte where the protocol puts it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prewatt.codec import DecodeError, Reader
from prewatt.codec.events import EventRecord
from prewatt.codec.receipt import RECEIPT_BYTES, RING_ENTRY_BYTES, Receipt, RingEntry, Status
from prewatt.units import MeterId, Micro, Sequence

receipts = st.builds(
    Receipt,
    st.integers(0, 2**64 - 1).map(Micro),
    st.binary(min_size=3, max_size=3).map(MeterId),
    st.sampled_from(Status),
    st.integers(0, 2**32 - 1).map(Sequence),
    st.binary(min_size=8, max_size=8),
    st.integers(-(2**63), 2**63 - 1),
    st.integers(0, 2**32 - 1),
)


@given(receipts)
def test_a_receipt_is_36_bytes_and_comes_back(receipt: Receipt) -> None:
    data = receipt.build()
    assert len(data) == RECEIPT_BYTES
    assert Receipt.parse(data) == receipt


@given(st.binary(max_size=50))
def test_bytes_are_a_receipt_only_with_36_of_them_and_a_known_status(data: bytes) -> None:
    try:
        receipt = Receipt.parse(data)
    except DecodeError:
        assert len(data) != RECEIPT_BYTES or data[11] > 3
    else:
        assert receipt.build() == data


def test_the_layout_is_balance_id_status_sequence_tag_amount_control(receipt: Receipt) -> None:
    assert receipt.build().hex() == ("000000024cb016ea00000100010000071122334455667788ffffffffffb3b4c00000002a")


@given(st.integers(0, 2**32 - 1), st.binary(min_size=8, max_size=8), st.integers(-(2**63), 2**63 - 1))
def test_a_ring_entry_comes_back(sequence: int, tag: bytes, amount: int) -> None:
    entry = RingEntry(Sequence(sequence), tag, amount)
    reader = Reader(entry.build())
    assert len(entry.build()) == RING_ENTRY_BYTES
    assert RingEntry.read(reader) == entry
    reader.end()


def test_an_event_with_more_detail_than_allowed_is_refused() -> None:
    data = EventRecord(1, 2, 3, bytes(16)).build()
    assert EventRecord.read(Reader(data)) == EventRecord(1, 2, 3, bytes(16))
    with pytest.raises(DecodeError, match="detail length"):
        EventRecord.read(Reader(data[:10] + b"\x11" + bytes(17)))


def test_an_error_names_byte_field_and_reason() -> None:
    reader = Reader(b"\x01\x02\x03", base=10)
    reader.u8("first")
    with pytest.raises(DecodeError, match="byte 11, second: needs 4 bytes, 2 are left"):
        reader.u32("second")
    with pytest.raises(DecodeError, match="byte 11, end: 2 bytes too many"):
        reader.end()
