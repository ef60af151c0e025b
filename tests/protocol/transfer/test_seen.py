"""Which of two facts is shown: the later session, also where no sum has moved in between."""

from dataclasses import replace

from prewatt.codec.commands import Code
from prewatt.codec.receipt import Receipt, Status
from prewatt.protocol.transfer import Measured, ReportFact, ResultFact, Totals, learn, new_book, query_work
from prewatt.units import MeterId

METER = MeterId(bytes.fromhex("000001"))
DARK = Totals(received_micro=0, burned_micro=0, returned_micro=0, owed_micro=0)
RECEIPT = Receipt(0, METER, Status.DONE, 0, bytes(8), 0, 0)


def shown(changes):
    return [change.totals for change in changes if isinstance(change, Measured) and change.totals is not None]


def test_a_dark_home_is_shown_as_the_later_session_saw_it():
    book = new_book(METER)
    for _ in range(3):
        work = query_work(book, Code.USAGE, b"")
        book, changes = learn(book, ResultFact(work, RECEIPT, totals=DARK))
        assert shown(changes) == [DARK]


def test_a_report_that_moves_no_sum_is_not_shown_over_a_session():
    book = new_book(METER)
    book, _ = learn(book, ResultFact(query_work(book, Code.USAGE, b""), RECEIPT, totals=DARK))
    assert shown(learn(book, ReportFact(RECEIPT, totals=DARK))[1]) == []


def test_a_session_that_began_before_what_is_shown_was_heard_is_not_shown_over_it():
    book = new_book(METER)
    early = query_work(book, Code.USAGE, b"")
    book, _ = learn(book, ResultFact(early, RECEIPT, totals=DARK))
    assert shown(learn(book, ResultFact(early, RECEIPT, totals=DARK))[1]) == []
    more = replace(DARK, received_micro=5, burned_micro=5)
    assert shown(learn(book, ResultFact(early, RECEIPT, totals=more))[1]) == [more]
