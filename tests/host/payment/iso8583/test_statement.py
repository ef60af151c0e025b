import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prewatt.codec.errors import DecodeError
from prewatt.host.payment.iso8583 import statement
from prewatt.host.payment.iso8583.statement import STATEMENT_HEAD, build_statement, parse_statement
from prewatt.host.payment.port import StatementRow

MINOR = {"currency": "840", "minor_micro": 10_000}
ROWS = st.lists(
    st.builds(
        StatementRow,
        st.text("0123456789AZ", min_size=12, max_size=12),
        st.text("0123456789AZ", max_size=6),
        st.integers(1, 10**12 - 1).map(lambda minor: minor * 10_000),
        st.sampled_from(["captured", "reversed"]),
    ),
    max_size=5,
)
LAWS = settings(deadline=None, max_examples=200)


@LAWS
@given(ROWS)
def test_a_list_is_read_back_as_it_was(rows):
    assert parse_statement(build_statement(rows, **MINOR), **MINOR) == rows


@LAWS
@given(ROWS, st.data())
def test_a_damaged_list_is_refused_or_is_another_list(rows, data):
    built = build_statement(rows, **MINOR)
    at = data.draw(st.integers(0, len(built) - 1))
    flipped = built[:at] + bytes([built[at] ^ data.draw(st.integers(1, 255))]) + built[at + 1 :]
    for hostile in (built[:at], built + built[at:], flipped, data.draw(st.binary(max_size=60))):
        try:
            read = parse_statement(hostile, **MINOR)
        except DecodeError:
            continue
        assert build_statement(read, **MINOR) == hostile


@pytest.mark.parametrize(
    "line",
    ["", "x", "R00000000001,1,0,840,captured", "R00000000001,1,-1,840,captured", "R00000000001,1,1.0,840,captured",
     "R00000000001,1,100,978,captured", "R00000000001,1,100,840,settled", "R0000000001,1,100,840,captured",
     "R00000000001,1,1000000000000,840,captured", "R00000000001,1,100,840,captured\r"],
)  # fmt: skip
def test_a_line_that_is_no_payment_is_named(line):
    with pytest.raises(DecodeError, match="line 2"):
        parse_statement(f"{STATEMENT_HEAD}\n{line}\n".encode(), **MINOR)


def test_a_list_at_the_limit_is_read_and_one_past_it_is_not(monkeypatch):
    monkeypatch.setattr(statement, "STATEMENT_ROWS_MAX", 3)
    rows = [StatementRow("R00000000001", "1", 10_000, "captured")] * 4
    assert len(parse_statement(build_statement(rows[:3], **MINOR), **MINOR)) == 3
    with pytest.raises(DecodeError, match="more than 3"):
        parse_statement(build_statement(rows, **MINOR), **MINOR)
