import json
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prewatt.codec.errors import DecodeError
from prewatt.host.payment.iso8583.rows import (
    ROW_BYTES_MAX,
    PaymentRow,
    Trace,
    card_authorization,
    make_rrn,
    outcome_of,
    parse_row,
    parse_trace,
    resolve_day,
    transmitted,
)
from prewatt.host.payment.port import Asked, Captured, Capturing, Declined, Guaranteed, PaymentState, Reversed, Unknown

ASKED = PaymentRow(
    payment_id="p1", state=PaymentState.ASKED, amount_minor=1_000, currency="840", terminal="T 1", merchant="M",
    acquirer_id="1", rrn="632519000001", stan="000001", asked_s=1_780_000_000, token="h-0", last4="0006",
)  # fmt: skip
GUARANTEED = replace(ASKED, state=PaymentState.GUARANTEED, approval="A1", code="00")
CAPTURING = replace(GUARANTEED, state=PaymentState.CAPTURING, completion_stan="000002", completion_s=1)
REVERSING = replace(ASKED, state=PaymentState.REVERSING, reason="x", reversal_stan="000003", reversal_s=2)
ROWS = {
    ASKED: Asked(),
    GUARANTEED: Guaranteed("AA1-632519000001"),
    CAPTURING: Capturing("AA1-632519000001"),
    replace(CAPTURING, state=PaymentState.CAPTURED, settled_day="2026-06-15", ended_s=3): Captured("AA1-632519000001"),
    REVERSING: Unknown("x"),
    replace(CAPTURING, state=PaymentState.REVERSING, reason="x", reversal_stan="000003"): Unknown("x"),
    replace(REVERSING, state=PaymentState.REVERSED, ended_s=3): Reversed("x"),
    replace(ASKED, state=PaymentState.DECLINED, reason="y", code="51", ended_s=3): Declined("y", "51"),
}
LAWS = settings(deadline=None, max_examples=200)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.state.value)
def test_a_row_is_read_back_as_it_was_and_says_how_the_payment_stands(row):
    assert parse_row(row.build()) == row
    assert outcome_of(row) == ROWS[row]
    assert row.token not in repr(row)


@LAWS
@given(st.data())
def test_a_row_that_was_damaged_is_refused_or_is_its_own_row(data):
    built = data.draw(st.sampled_from([row.build() for row in ROWS]))
    at = data.draw(st.integers(0, len(built) - 1))
    hostile = data.draw(
        st.sampled_from(
            [built[:at], built + built[at:], built[:at] + bytes([built[at] ^ (1 << at % 8)]) + built[at + 1 :]]
        )
    )
    with suppress(DecodeError):
        assert parse_row(hostile).build() == hostile


@LAWS
@given(st.binary(max_size=200))
def test_anything_else_is_no_row_and_no_trace(data):
    for parse in (parse_row, parse_trace):
        with pytest.raises(DecodeError):
            parse(data)


VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(-2, 10**13), st.text(max_size=70), st.lists(st.integers(), max_size=2),
    st.sampled_from(list(PaymentState)), st.floats(allow_nan=False),
)  # fmt: skip


@LAWS
@given(st.sampled_from(sorted(ROWS, key=lambda row: row.state)), st.data())
def test_a_field_that_holds_what_it_must_not_is_refused(row, data):
    document = json.loads(row.build())
    name = data.draw(st.sampled_from(sorted(document)))
    document[name] = data.draw(VALUES)
    hostile = json.dumps(document, separators=(",", ":"), sort_keys=True).encode()
    try:
        assert parse_row(hostile).build() == hostile
    except DecodeError as error:
        assert error.field


@pytest.mark.parametrize(
    "changes",
    [{"state": PaymentState.GUARANTEED}, {"reversal_stan": "000009"}, {"ended_s": 5}, {"settled_day": "2026-01-01"},
     {"state": PaymentState.CAPTURING, "approval": "1"}, {"state": PaymentState.DECLINED},
     {"state": PaymentState.REVERSING, "reversal_stan": "000009"}, {"state": PaymentState.PENDING}],
)  # fmt: skip
def test_fields_that_do_not_belong_to_the_state_are_refused(changes):
    with pytest.raises(DecodeError):
        parse_row(replace(ASKED, **changes).build())


def test_other_keys_and_long_rows_are_refused():
    document = json.loads(ASKED.build())
    for hostile in ({**document, "pan": "1"}, {name: document[name] for name in list(document)[1:]}, [], 1, None):
        with pytest.raises(DecodeError):
            parse_row(json.dumps(hostile, separators=(",", ":"), sort_keys=True).encode())
    with pytest.raises(DecodeError, match="more than"):
        parse_row(b" " * (ROW_BYTES_MAX + 1))
    with pytest.raises(DecodeError, match="JSON"):
        parse_row(b"[" * ROW_BYTES_MAX)


@pytest.mark.parametrize("trace", [Trace(), Trace(999_999, "632519", 900_000)])
def test_a_trace_is_read_back(trace):
    assert parse_trace(trace.build()) == trace


@pytest.mark.parametrize(
    "trace", [Trace(1_000_000), Trace(-1), Trace(1, "63251"), Trace(1, "632519", -1), Trace(True), Trace(1, "63251x")]
)
def test_a_trace_with_other_numbers_is_refused(trace):
    with pytest.raises(DecodeError):
        parse_trace(trace.build())


def test_an_rrn_tells_year_day_hour_and_number():
    # 2026-11-21 19:40:00 UTC, day 325.
    assert make_rrn("000042", 1_795_290_000) == "632519000042"
    assert transmitted(1_795_290_000) == "1121194000"


def test_an_authorization_number_names_approval_and_payment():
    assert card_authorization("12B456", "632519000042") == "A12B456-632519000042"


@pytest.mark.parametrize(
    ("month_day", "utc_s", "day"),
    [
        ("1121", 1_795_290_000, "2026-11-21"),
        ("0101", 1_798_761_600 - 3_600, "2027-01-01"),
        ("1231", 1_798_761_600 + 3_600, "2026-12-31"),
        ("", 1_795_290_000, "2026-11-21"),
        ("1332", 1_795_290_000, "2026-11-21"),
        ("0229", 1_709_164_800, "2024-02-29"),
    ],
)
def test_a_day_without_a_year_is_the_nearest(month_day, utc_s, day):
    assert resolve_day(month_day, utc_s) == day
