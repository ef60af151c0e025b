"""The record of papers: who holds what until when, and when somebody is told to renew."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prewatt.apps.boxes.issued import ISSUED_NAME, Issued, IssuedPapers, RevokedBox, Standing, read_issued
from prewatt.host.refusals import StoreError
from prewatt.link.validity import PAPERS_WARN_DAYS
from prewatt.units import DAY_S

NOW_S = 1_795_000_000
steps = st.lists(
    st.tuples(st.sampled_from(["issue", "revoke"]), st.sampled_from(["area 0", "station 0.1"])), max_size=20
)


@settings(deadline=None, max_examples=100)
@given(steps)
def test_papers_hold_from_the_edition_after_the_last_one_revoked(history):
    record, editions, held = Issued(), {}, {}
    for number, (step, box) in enumerate(history):
        if step == "issue":
            edition = record.edition_of(box)
            record = record.adding(IssuedPapers(box, edition, f"{number:x}", NOW_S, NOW_S + number + 1))
            held.setdefault(box, []).append(number)
        elif held.get(box):
            record = record.revoking(RevokedBox(box, record.edition_of(box), len(held[box]), NOW_S, "lost"))
            editions[box], held[box] = editions.get(box, 0) + 1, []
        for each in ("area 0", "station 0.1"):
            assert record.edition_of(each) == editions.get(each, 0)
            assert [int(papers.serial, 16) for papers in record.holding(each)] == held.get(each, [])
            until_s = NOW_S + held[each][-1] + 1 if held.get(each) else None
            assert record.standing(each, NOW_S) == Standing(until_s, each in editions, NOW_S)


def test_a_record_is_read_back_as_it_was_written(tmp_path):
    assert read_issued(tmp_path) == Issued()
    record = Issued().adding(IssuedPapers("area 0", 0, "ff", NOW_S, NOW_S + DAY_S))
    record = record.revoking(RevokedBox("area 0", 0, 1, NOW_S, "stolen: a „dark“ night"))
    (tmp_path / ISSUED_NAME).write_bytes(record.build())
    assert read_issued(tmp_path) == record


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"papers": 1, "revoked": []}', '{"papers": [{}], "revoked": []}', "\x00", '{"papers"']
)
def test_a_damaged_record_is_one_line_that_names_it(tmp_path, content):
    (tmp_path / ISSUED_NAME).write_text(content)
    with pytest.raises(StoreError, match=ISSUED_NAME) as caught:
        read_issued(tmp_path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("left_s", "soon", "text"),
    [
        (PAPERS_WARN_DAYS * DAY_S, False, "2027"),
        (PAPERS_WARN_DAYS * DAY_S - 1, True, "renew"),
        (1, True, "renew"),
        (0, True, "ended"),
        (-DAY_S, True, "ended"),
    ],
)
def test_papers_are_to_be_renewed_from_so_many_days_before_their_end(left_s, soon, text):
    standing = Standing(NOW_S + left_s, False, NOW_S)
    assert standing.soon is soon
    assert text in standing.text or not soon
    assert ("renew" in standing.text or "ended" in standing.text) is soon


def test_a_box_without_papers_is_told_from_one_whose_papers_are_revoked():
    assert (Standing(None, False, NOW_S).text, Standing(None, True, NOW_S).text) == ("-", "revoked")
    assert not Standing(None, True, NOW_S).soon


def test_papers_that_ended_long_ago_are_forgotten_and_those_of_last_year_are_not():
    old, recent = (IssuedPapers("area 0", 0, "1", 0, NOW_S - days * DAY_S) for days in (731, 700))
    record = Issued((old, recent)).adding(IssuedPapers("area 0", 0, "2", NOW_S, NOW_S + DAY_S))
    assert [each.until_s for each in record.papers] == [recent.until_s, NOW_S + DAY_S]


def test_boxes_are_listed_by_what_they_are_and_their_number():
    record = Issued()
    for box in ("station 10.2", "area 10", "station 2.11", "area 9", "host", "server 1", "station 2.2"):
        record = record.adding(IssuedPapers(box, 0, "1", NOW_S, NOW_S + DAY_S))
    assert record.boxes() == ["host", "area 9", "area 10", "server 1", "station 2.2", "station 2.11", "station 10.2"]
    assert [box for box, _ in record.ending(NOW_S)] == record.boxes()
    assert json.loads(record.build())["revoked"] == []
