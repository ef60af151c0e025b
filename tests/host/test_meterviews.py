"""Sums that are carried forward to a newer balance: never more than the meter can be certain to have burned."""

from hypothesis import given, settings
from hypothesis import strategies as st

from prewatt.host.meterviews import _carry, _Sums

AMOUNTS = st.integers(0, 10**9)


def test_a_debt_that_a_newer_purchase_paid_is_owed_no_more():
    said = _Sums(received_micro=0, burned_micro=1_000_000, returned_micro=0, owed_micro=1_000_000)
    assert _carry(said, 1_510_000, 0, 0) == _Sums(1_510_000, 1_510_000, 0, 0)
    assert _carry(said, 400_000, 0, 0) == _Sums(400_000, 1_000_000, 0, 600_000)


@given(before=AMOUNTS, bought=st.lists(AMOUNTS, max_size=4), used=st.lists(AMOUNTS, max_size=4))
@settings(deadline=None)
def test_what_is_shown_adds_up_and_is_never_more_than_was_burned(before, bought, used):
    said = _Sums(before, before + 7, 0, 7)
    received, burned = before + sum(bought), before + 7 + sum(used)
    balance, owed = max(received - burned, 0), max(burned - received, 0)
    shown = _carry(said, received, 0, balance)
    assert shown.received_micro + shown.owed_micro == balance + shown.burned_micro
    assert said.burned_micro <= shown.burned_micro <= burned
    assert 0 <= shown.owed_micro <= owed
