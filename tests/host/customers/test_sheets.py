"""CSV: any text comes back as it went, nothing runs in a spreadsheet, and a broken file is named by its line."""

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prewatt.host.customers import sheets
from prewatt.host.customers.sheets import build_sheet, decode_sheet, parse_sheet
from prewatt.host.refusals import RefusedError

COLUMNS = ("one", "two", "three")
# What may be in a field of the registry: printable, no space at an end.
CELL = st.text().filter(lambda text: text.isprintable() and text == text.strip())
RUN = ("=1+1", "+33612345678", "-2", "@SUM(A1)", "＝1+1", "'", "'=1+1", "''", "'x", "=", '="a";b,c')


def rows_of(text):
    lines, bad = parse_sheet(text, COLUMNS)
    assert bad == []
    return [dict(zip(COLUMNS, cells, strict=True)) for _, cells in lines]


@settings(deadline=None, max_examples=200)
@given(st.lists(st.fixed_dictionaries({name: CELL | st.sampled_from(RUN) for name in COLUMNS}), max_size=6))
def test_what_goes_out_comes_back(rows):
    text = build_sheet(COLUMNS, rows)
    assert rows_of(text) == rows
    assert rows_of(decode_sheet(b"\xef\xbb\xbf" + text.encode())) == rows


@settings(deadline=None, max_examples=100)
@given(CELL | st.sampled_from(RUN))
def test_no_cell_of_a_file_is_run_by_a_spreadsheet(cell):
    text = build_sheet(COLUMNS, [dict.fromkeys(COLUMNS, cell)])
    (_, seen) = csv.reader(io.StringIO(text, newline=""))
    assert all(each[:1] not in sheets._RUN for each in seen if each)


@settings(deadline=None, max_examples=300)
@given(st.text() | st.text(alphabet="one,two;three\"'\r\n=\x00"))
def test_any_text_is_a_table_a_refusal_or_bad_rows(text):
    for given_text in (text, f"one,two,three\n{text}", f"one;two;three\r\n{text}"):
        try:
            lines, bad = parse_sheet(given_text, COLUMNS)
        except RefusedError as error:
            assert error.field in {"column", "file"}
        else:
            assert all(len(cells) == len(COLUMNS) for _, cells in lines)
            assert all(each.line >= 1 and each.allowed for each in bad)


def test_comma_or_semicolon_any_order_spaces_and_empty_lines():
    expected = [{"one": "1", "two": "a;b", "three": ""}]
    assert rows_of('two,one,three\r\n"a;b", 1 ,\r\n\r\n') == expected
    assert rows_of('\ufeff three ;two;one\n;"a;b";1\n') == expected


@pytest.mark.parametrize(
    ("header", "given"),
    [
        ("one,two", "no three"),
        ("one,two,three,four", "four"),
        ("one,two,three,two", "two twice"),
        ("", "no one, two, three"),
        ("One,two,three", "One"),
        ("one\ttwo\tthree", "one\ttwo\tthree"),
        ("one,two,three,", ""),
    ],
)
def test_columns_that_are_unknown_missing_or_twice_are_refused_by_name(header, given):
    with pytest.raises(RefusedError) as caught:
        parse_sheet(f"{header}\n1,2,3\n", COLUMNS)
    assert (caught.value.field, caught.value.given) == ("column", given)


def test_rows_of_another_width_are_named_by_their_line_and_the_rest_is_read():
    lines, bad = parse_sheet('one,two,three\n1,2\n"a\nb",2,3\n1,2,3,4\n1,2,3\n', COLUMNS)
    assert [line for line, _ in lines] == [3, 6]
    assert [(each.line, each.field, each.value) for each in bad] == [(2, "row", "2 cells"), (5, "row", "4 cells")]


@pytest.mark.parametrize("broken", ['1,"2,3\n4,5,6\n', '1,"2"x,3\n', f"1,{'x' * 200_000},3\n"])
def test_where_a_row_cannot_be_read_its_line_is_named(broken):
    lines, bad = parse_sheet(f"one,two,three\n1,2,3\n{broken}", COLUMNS)
    assert [line for line, _ in lines] == [2]
    assert [(each.line, each.field) for each in bad] == [(3, "row")]


def test_a_file_that_is_not_utf_8_is_refused_by_its_line():
    with pytest.raises(RefusedError, match="byte E9 in line 2") as caught:
        decode_sheet("one,two,three\né,2,3".encode("latin-1"))
    assert caught.value.field == "file"
    with pytest.raises(RefusedError, match="byte FF in line 1"):
        decode_sheet("one".encode("utf-16"))


def test_a_file_has_a_most_of_rows_and_of_characters(monkeypatch):
    monkeypatch.setattr(sheets, "ROWS_MAX", 2)
    text = "one,two,three\n" + "1,2,3\n" * 2
    assert len(rows_of(text)) == 2
    with pytest.raises(RefusedError, match="several files"):
        parse_sheet(text + "1,2,3\n", COLUMNS)
    monkeypatch.setattr(sheets, "TEXT_CHARS_MAX", len(text))
    assert len(rows_of(text)) == 2
    with pytest.raises(RefusedError, match="characters"):
        parse_sheet(text + "\n", COLUMNS)
