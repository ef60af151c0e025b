"""Sums that are carried forward to a newer balance: never more than the meter can be certain to have burned."""

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.host.typing_codes import type_code

from prewatt.device.meter.valuecode import CodeOutcome
from prewatt.host.meterviews import _carry, _Sums

METER = "000001"
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


def test_what_somebody_else_took_back_is_never_shown_as_burned(world):
    world.host.vending.vend(METER, "10", order="A")
    world.settle(1)
    world.spoil = lambda payload: []
    world.host.vending.vend(METER, "5", order="first", with_code=True)
    world.steal(-4_000_000)
    typed = world.host.vending.vend(METER, "5", order="typed", with_code=True).code
    assert type_code(world, typed) is CodeOutcome.STORED
    shown = []

    def look(payload):
        shown.append(world.host.registry.read_meter(METER))
        return [payload]

    world.spoil = look
    world.settle(3)
    look(b"")
    assert {each.burned_micro for each in shown} == {0}
    assert {each.received_micro - each.returned_micro == each.balance_micro for each in shown} == {True}
    assert (shown[-1].balance_micro, shown[-1].returned_micro) == (11_000_000, 4_000_000)
