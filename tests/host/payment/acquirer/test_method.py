"""The port over a real channel, from other threads, with the sandbox of this process."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from tests.host.payment.sqlite_journal import SqliteJournal

from prewatt.host.payment.acquirer.method import ACQUIRER, AcquirerMethod
from prewatt.host.payment.acquirer.settings import read_settings
from prewatt.host.payment.iso8583.card import Card
from prewatt.host.payment.iso8583.reasons import Reason
from prewatt.host.payment.iso8583.statement import our_payment
from prewatt.host.payment.port import (
    Captured,
    Capturing,
    Declined,
    Guaranteed,
    Means,
    PaymentRequest,
    PaymentState,
    Reversed,
    Unknown,
    find_payment_scheme,
    installed_payments,
    outcome_has_ended,
)
from prewatt.host.payment.reconcile import reconcile
from prewatt.host.refusals import HostError, RefusedError
from prewatt.units import ValueFieldError

CARD = Card("9999990000000006", "3012")
POOR = Card("9999990000000014", "3012")


@pytest.fixture
def settings(tmp_path):
    (tmp_path / "token.key").write_bytes(bytes(range(32)))
    return {
        "currency": "840", "token_key_file": str(tmp_path / "token.key"),
        "sandbox_file": str(tmp_path / "sandbox.jsonl"), "answer_wait_ms": "20000", "advice_wait_ms": "20000",
        "repeat_first_ms": "20", "dial_first_ms": "10",
    }  # fmt: skip


@pytest.fixture
def opening(settings, tmp_path):
    opened = []

    def opening(**changes):
        method = find_payment_scheme("acquirer").open({**settings, **changes}, SqliteJournal(tmp_path / "payments.db"))
        opened.append(method)
        assert method.wait_ready(20)
        return method

    yield opening
    for method in opened:
        method.close()


def ended(method, payment_id):
    deadline = time.monotonic() + 20
    while not outcome_has_ended(outcome := method.read(payment_id)):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return outcome


def test_the_acquirer_is_an_entry_point_and_others_are_named():
    assert "acquirer" in installed_payments()
    assert find_payment_scheme("acquirer") is ACQUIRER
    with pytest.raises(ValueFieldError, match="acquirer"):
        find_payment_scheme("cheque")


def test_a_day_at_the_counter(opening):
    method = opening()
    assert method.read("p1") is None
    outcome = method.ask(PaymentRequest("p1", 10_000_000, CARD))
    assert isinstance(outcome, Guaranteed)
    assert method.ask(PaymentRequest("p2", 10_000_000, POOR)) == Declined(Reason.FUNDS.value, "51")
    assert isinstance(method.ask(PaymentRequest("p3", 20_000_000, CARD)), Guaranteed)
    assert set(method.read_open()) == {"p1", "p3"}
    assert method.capture("p1") == Capturing(outcome.authorization)
    assert method.reverse("p3") == Unknown(Reason.WITHDRAWN.value)
    assert method.reverse("p2") == Declined(Reason.FUNDS.value, "51")
    assert ended(method, "p1") == Captured(outcome.authorization)
    assert ended(method, "p3") == Reversed(Reason.WITHDRAWN.value)
    assert method.read_open() == {}
    for refused in (method.capture, method.reverse):
        with pytest.raises(RefusedError):
            refused("p9")


def test_the_list_of_the_day_matches_and_a_changed_one_does_not(opening, tmp_path):
    method = opening()
    for number in range(3):
        assert isinstance(method.ask(PaymentRequest(f"p{number}", 1_000_000 + number * 10_000, CARD)), Guaranteed)
        method.capture(f"p{number}")
        ended(method, f"p{number}")
    rows = SqliteJournal(tmp_path / "payments.db").read_all()
    day = rows[0].settled_day
    ours = [our_payment(row, 10_000) for row in rows]
    theirs = [row for each in {row.settled_day for row in rows} for row in method.statement(each)]
    assert reconcile(day, ours, theirs).matched == 3
    assert [each.kind for each in reconcile(day, ours, theirs[1:]).differences] == ["missing_theirs"]


def test_lists_are_read_from_a_folder_where_there_is_one(opening, tmp_path):
    method = opening(statements=str(tmp_path))
    (tmp_path / "2026-06-15.csv").write_text(
        "rrn,approval,amount_minor,currency,state\n616612000001,000001,1000,840,captured\n"
    )
    (row,) = method.statement("2026-06-15")
    assert (row.reference, row.amount_micro, row.state) == ("616612000001", 10_000_000, "captured")
    (tmp_path / "2026-06-16.csv").write_text("something else")
    for day in ("2026-06-16", "2026-06-17", "../payments"):
        with pytest.raises((HostError, ValueFieldError)):
            method.statement(day)


def test_what_is_open_goes_on_after_a_restart_and_the_sandbox_keeps_its_books(opening):
    first = opening()
    outcome = first.ask(PaymentRequest("p1", 10_000_000, CARD))
    first.close()
    second = opening()
    assert second.read_open() == {"p1": outcome}
    assert second.ask(PaymentRequest("p1", 10_000_000, CARD)) == outcome
    second.capture("p1")
    assert ended(second, "p1") == Captured(outcome.authorization)


def test_many_threads_ask_at_once_and_each_payment_is_asked_for_once(opening):
    method = opening()
    with ThreadPoolExecutor(16) as pool:
        outcomes = list(
            pool.map(lambda number: method.ask(PaymentRequest(f"p{number % 20}", 1_000_000, CARD)), range(60))
        )
    assert all(isinstance(outcome, Guaranteed) for outcome in outcomes)
    assert len({outcome.authorization for outcome in outcomes}) == 20
    assert method.sandbox.received["0100"] == 20


def test_a_disk_that_was_full_for_a_while_stops_nothing_for_good(opening):
    method = opening()
    assert isinstance(method.ask(PaymentRequest("p1", 1_000_000, CARD)), Guaranteed)
    method._journal.fail_after = 0
    with pytest.raises(HostError):
        method.ask(PaymentRequest("p2", 1_000_000, CARD))
    method._journal.fail_after = None
    deadline = time.monotonic() + 20
    while True:
        assert time.monotonic() < deadline
        try:
            outcome = method.ask(PaymentRequest("p2", 1_000_000, CARD))
        except HostError:
            outcome = None
        if isinstance(outcome, Guaranteed):
            break
        time.sleep(0.05)
    assert set(method.read_open()) == {"p1", "p2"}


def test_a_method_that_is_closed_says_so_and_may_be_closed_twice(opening):
    method = opening()
    method.close()
    method.close()
    with pytest.raises(HostError):
        method.ask(PaymentRequest("p1", 1_000_000, CARD))


@pytest.mark.parametrize(
    "payment",
    [PaymentRequest("p 1", 1_000_000, CARD), PaymentRequest("", 1_000_000, CARD), PaymentRequest("p1", 0, CARD),
     PaymentRequest("p1", 10_001, CARD), PaymentRequest("p1", 1_000_000, Means())],
)  # fmt: skip
def test_a_request_that_cannot_be_asks_for_nothing(opening, payment):
    method = opening()
    with pytest.raises(ValueFieldError):
        method.ask(payment)
    assert method.read_open() == {}


def test_a_sandbox_whose_file_is_none_is_said_at_once(settings, tmp_path):
    (tmp_path / "sandbox.jsonl").write_text('{"rrn":{}}\n')
    with pytest.raises(HostError, match="sandbox"):
        ACQUIRER.open(settings, SqliteJournal(tmp_path / "payments.db"))


def test_a_person_may_sign_over(opening):
    method = opening()
    method.ask(PaymentRequest("p1", 1_000_000, CARD))
    with pytest.raises(RefusedError):
        method.sign_over("p1", PaymentState.REVERSED)


def test_a_journal_that_is_none_is_refused(settings):
    with pytest.raises(ValueFieldError, match="journal"):
        ACQUIRER.open(settings, object())


def test_an_acquirer_that_nobody_reaches_is_said_at_once(settings, tmp_path):
    away = {**settings, "place": "127.0.0.1:1", "tls": "no", "terminal": "T", "merchant": "M", "acquirer_id": "1"}
    method = AcquirerMethod(
        read_settings(away),
        SqliteJournal(tmp_path / "payments.db"),
    )
    try:
        assert not method.wait_ready(0.1)
        request = PaymentRequest("p1", 1_000_000, CARD)
        assert method.ask(request) == Declined(Reason.UNREACHABLE.value, asked=False)
        assert method.read("p1") is None
        with pytest.raises(HostError, match="statements"):
            method.statement("2026-06-15")
    finally:
        method.close()
