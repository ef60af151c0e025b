import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prewatt.host.payment.port import PaymentState, StatementRow
from prewatt.host.payment.reconcile import DifferenceKind, OurPayment, reconcile

DAY = "2026-06-15"
CAPTURED, REVERSED = PaymentState.CAPTURED, PaymentState.REVERSED


def ours(number, amount=100, state=CAPTURED, day=DAY, approval=None):
    approval = f"{number:06d}" if approval is None else approval
    return OurPayment(f"p{number}", f"R{number:011d}", approval, amount, state, day if state is CAPTURED else "")


def theirs(number, amount=100, state="captured", reference=None):
    return StatementRow(reference or f"R{number:011d}", f"{number:06d}", amount, state)


def kinds(found):
    return [(each.kind, each.payment_id, each.reference) for each in found.differences]


def test_two_books_that_agree_have_no_differences():
    found = reconcile(DAY, [ours(1), ours(2, 250), ours(3, state=REVERSED)], [theirs(2, 250), theirs(1)])
    assert (found.matched, found.matched_micro, found.differences) == (2, 350, ())


def test_each_kind_of_difference_is_named_with_both_sides():
    found = reconcile(
        DAY,
        [ours(1), ours(2), ours(3, state=REVERSED), ours(4), ours(5, state=PaymentState.DECLINED)],
        [theirs(2, 101), theirs(3), theirs(9), theirs(4), theirs(4), theirs(5)],
    )
    assert kinds(found) == [
        (DifferenceKind.AMOUNT, "p2", "R00000000002"),
        (DifferenceKind.STATE, "p3", "R00000000003"),
        (DifferenceKind.MISSING_OURS, "", "R00000000009"),
        (DifferenceKind.DOUBLE, "p4", "R00000000004"),
        (DifferenceKind.STATE, "p5", "R00000000005"),
        (DifferenceKind.MISSING_THEIRS, "p1", "R00000000001"),
    ]
    amount, state, missing_ours = found.differences[:3]
    assert (amount.our_amount_micro, amount.their_amount_micro) == (100, 101)
    assert (state.our_state, state.their_state) == ("reversed", "captured")
    assert (missing_ours.our_amount_micro, missing_ours.our_state) == (None, "")
    missing_theirs = found.differences[-1]
    assert (missing_theirs.their_amount_micro, missing_theirs.their_state) == (None, "")


def test_a_payment_of_another_day_is_not_missed_and_is_found_where_they_list_it():
    found = reconcile(DAY, [ours(1, day="2026-06-14"), ours(2, day="2026-06-16")], [theirs(2)])
    assert (found.matched, found.differences) == (1, ())


def test_a_capture_whose_confirmation_is_under_way_fits_their_list():
    assert reconcile(DAY, [ours(1, state=PaymentState.CAPTURING)], [theirs(1)]).differences == ()


def test_a_list_that_names_another_reference_is_matched_by_a_number_that_only_one_payment_has():
    assert reconcile(DAY, [ours(1), ours(2)], [theirs(1, reference="X" * 12), theirs(2)]).differences == ()
    twice = [ours(1, approval="000001"), ours(2, approval="000001")]
    found = reconcile(DAY, twice, [theirs(1, reference="X" * 12)])
    assert [each.kind for each in found.differences] == [
        DifferenceKind.MISSING_OURS, DifferenceKind.MISSING_THEIRS, DifferenceKind.MISSING_THEIRS,
    ]  # fmt: skip


def test_no_number_at_all_matches_nothing():
    row = StatementRow("X" * 12, "", 100, "captured")
    found = reconcile(DAY, [ours(1, approval="", state=REVERSED)], [row])
    assert kinds(found) == [(DifferenceKind.MISSING_OURS, "", "X" * 12)]


@pytest.mark.parametrize(("ours_is", "theirs_is"), [(CAPTURED, "reversed"), (REVERSED, "captured"), (CAPTURED, "odd")])
def test_states_that_do_not_fit_are_a_difference(ours_is, theirs_is):
    found = reconcile(DAY, [ours(1, state=ours_is)], [theirs(1, state=theirs_is)])
    assert [each.kind for each in found.differences] == [DifferenceKind.STATE]


@settings(deadline=None, max_examples=200)
@given(
    st.lists(st.tuples(st.integers(1, 30), st.integers(1, 5)), unique_by=lambda each: each[0]),
    st.sets(st.integers(1, 30)), st.sets(st.integers(1, 30)), st.sets(st.integers(31, 40)),
)  # fmt: skip
def test_exactly_what_was_changed_is_found(payments, dropped, changed, added):
    rows = [theirs(n, amount + (n in changed)) for n, amount in payments if n not in dropped]
    rows += [theirs(n) for n in sorted(added)]
    found = reconcile(DAY, [ours(n, amount) for n, amount in payments], rows)
    expected = {(DifferenceKind.AMOUNT, f"p{n}") for n, _ in payments if n in changed - dropped}
    expected |= {(DifferenceKind.MISSING_THEIRS, f"p{n}") for n, _ in payments if n in dropped}
    assert {(e.kind, e.payment_id) for e in found.differences if e.kind is not DifferenceKind.MISSING_OURS} == expected
    assert sum(each.kind is DifferenceKind.MISSING_OURS for each in found.differences) == len(added)
    assert found.matched == len([n for n, _ in payments if n not in dropped | changed])
