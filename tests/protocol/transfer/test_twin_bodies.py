"""Two bodies with one memory, and a body hung too early: what their answers betray, and what a person may say of it."""

import json

import pytest

import prewatt.protocol.transfer as rules
from prewatt.codec.commands import Code
from prewatt.codec.receipt import Receipt, RingEntry, Status
from prewatt.protocol.transfer import BodyState, FreezeReason
from prewatt.protocol.transfer_book import burn_tag
from prewatt.units import MeterId, Sequence

METER = MeterId(b"\x00\x00\x07")
START = 1 << 24
RANDOM = b"\x55" * 8
BEGUN = RingEntry(Sequence(START), burn_tag(b"\x21" * 8), 0)
NOBODY = RingEntry(Sequence(0), bytes(8), 0)


def receipt(held):
    return Receipt(0, METER, Status.DONE, held.sequence, held.tag, held.amount_micro, 1)


def shown(book, received, burned, work=None):
    """The book after a query that shows these sums; ``work``: one that was asked earlier."""
    work = work or rules.query_work(book, Code.USAGE, b"")
    totals = rules.Totals(received, burned, 0, 0)
    return rules.learn(book, rules.ResultFact(work, receipt(BEGUN), None, totals))[0]


@pytest.fixture
def live():
    book = rules.ask_commission(rules.new_book(METER), 1, b"\x21" * 8)
    book, work = rules.next_work(book, RANDOM)
    return rules.learn(book, rules.ResultFact(work, receipt(BEGUN)))[0]


def test_sums_that_go_back_in_a_session_begun_after_freeze_the_meter(live):
    book = shown(live, 100, 40)
    assert shown(book, 100, 40).frozen is None
    assert shown(book, 100, 41).frozen is None
    assert shown(book, 100, 39).frozen is FreezeReason.WENT_BACK


def test_an_old_memory_that_has_bought_since_more_than_was_burned_is_noticed(live):
    book = shown(live, 100, 40)
    assert shown(book, 150, 39).frozen is FreezeReason.WENT_BACK
    assert shown(book, 150, 40).frozen is None


def test_a_book_that_was_stored_before_the_parts_of_its_sums_were_kept_can_be_read(live):
    book = shown(live, 100, 40)
    stored = json.loads(rules.pack_book(book))
    stored["seen"] = stored["seen"][:6]
    old = rules.unpack_book(json.dumps(stored).encode())
    assert (old.seen.sums_micro, old.seen.burned_micro) == (140, 0)
    assert shown(old, 100, 40).frozen is None
    assert shown(old, 100, 39).frozen is FreezeReason.WENT_BACK


def test_an_answer_that_was_asked_before_may_be_older_than_what_is_shown(live):
    early = rules.query_work(live, Code.USAGE, b"")
    book = shown(live, 100, 40)
    assert shown(book, 100, 39, early).frozen is None
    report = rules.ReportFact(receipt(BEGUN), None, rules.Totals(100, 39, 0, 0))
    assert rules.learn(book, report)[0].frozen is None


@pytest.mark.parametrize(("back", "body"), [(True, BodyState.LIVE), (False, BodyState.RETIRED)])
def test_of_a_body_that_was_hung_too_early_a_person_says_whether_the_old_one_is_back(live, back, body):
    query = rules.query_work(live, Code.USAGE, b"")
    book, _ = rules.learn(live, rules.ResultFact(query, receipt(NOBODY), ()))
    assert book.frozen is FreezeReason.NO_EPOCH
    book, _ = rules.thaw(book, back=back)
    assert (book.frozen, book.body) == (None, body)
    _, work = rules.next_work(book, RANDOM)
    book, _ = rules.learn(book, rules.ResultFact(work, receipt(BEGUN), (BEGUN,)))
    # The old body is believed only where it was said to be back.
    assert (book.frozen is None) is back
