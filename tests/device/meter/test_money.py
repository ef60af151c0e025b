"""Receipts, transfers, returns, burns, epochs and the control counter: the transitions of the meter's money."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prewatt.codec.commands import control_digest
from prewatt.codec.receipt import RING_ENTRIES_MAX, RingEntry, Status
from prewatt.device.meter.money import (
    MONEY_MAX_MICRO,
    OWED_MAX_MICRO,
    ControlOutcome,
    Money,
    MoneyError,
    MoneyLimits,
    apply_code,
    apply_transfer,
    check_sequence,
    commission,
    control,
    retire,
)
from prewatt.units import MeterId, Sequence, sequence_of

ORDER = bytes.fromhex("0102030405060708")
OTHER = bytes.fromhex("1112131415161718")
BURN = bytes.fromhex("8102030405060708")
LIMITS = MoneyLimits(token_micro=1_000, ceiling_micro=1_000_000, owed_max_micro=50_000)
I64_MIN, I64_MAX = -(2**63), 2**63 - 1

NEW = commission(Money(), 0, BURN)[0]


def money_with(svm: int = 0, tank: int = 0, exchanger: int = 0, owed: int = 0) -> Money:
    """Commissioned money with these parts, as value that was received and energy that was burned into owed."""
    return replace(
        NEW,
        svm_micro=svm,
        tank_micro=tank,
        exchanger_micro=exchanger,
        received_micro=svm + tank + exchanger,
        burned_micro=owed,
        owed_micro=owed,
    )


amounts = st.one_of(
    st.integers(-2_000_000, 2_000_000), st.sampled_from([0, 1, -1, I64_MIN, I64_MAX]), st.integers(I64_MIN, I64_MAX)
)
parts = st.integers(0, 400_000)
moneys = st.one_of(
    st.builds(money_with, parts, st.integers(0, 100_000), st.integers(0, 10_000)),
    st.builds(money_with, owed=st.integers(0, 60_000)),
)
tags = st.binary(min_size=8, max_size=8)


@settings(max_examples=400, deadline=None)
@given(moneys, st.integers(0, 3), amounts, tags, st.booleans())
def test_the_law_holds_after_every_order_and_nothing_changes_unless_it_was_done(
    money: Money, sequence: int, amount: int, tag: bytes, by_code: bool
) -> None:
    apply = apply_code if by_code else apply_transfer
    after, status = apply(money, sequence, amount, tag, LIMITS)
    after.check()
    if status is not Status.DONE:
        assert after is money
        return
    assert (after.last_sequence, after.last_tag, after.last_amount_micro) == (sequence, tag, amount)
    assert after.balance_micro - after.owed_micro == money.balance_micro - money.owed_micro + amount
    assert after.received_micro == money.received_micro + max(0, amount)
    assert after.returned_micro == money.returned_micro + max(0, -amount)
    assert after.burned_micro == money.burned_micro
    assert after.acc == money.acc


def test_a_stored_order_is_in_the_svm_the_receipt_and_the_ring() -> None:
    money, status = apply_transfer(NEW, 1, 5_000, ORDER, LIMITS)
    assert status is Status.DONE
    assert money.svm_micro == money.received_micro == 5_000
    assert money.ring[-1] == RingEntry(Sequence(1), ORDER, 5_000)
    receipt = money.receipt(MeterId(b"\0\0\1"), status)
    assert (receipt.balance_micro, receipt.last_sequence, receipt.last_tag) == (5_000, 1, ORDER)
    assert receipt.last_amount_micro == 5_000


@pytest.mark.parametrize("sequence", [0, 1, 3, 2**24 + 2, 2**32 - 1])
@pytest.mark.parametrize(("amount", "tag"), [(5, ORDER), (0, ORDER), (5, BURN), (-(10**9), ORDER), (10**9, ORDER)])
def test_a_sequence_out_of_turn_is_answered_before_the_body_is_judged(sequence: int, amount: int, tag: bytes) -> None:
    money, _ = apply_transfer(NEW, 1, 5_000, ORDER, LIMITS)
    assert check_sequence(money, sequence) is Status.SEQUENCE
    assert apply_transfer(money, sequence, amount, tag, LIMITS) == (money, Status.SEQUENCE)


def test_the_same_order_again_changes_nothing() -> None:
    money, _ = apply_transfer(NEW, 1, 5_000, ORDER, LIMITS)
    assert apply_transfer(money, 1, 5_000, ORDER, LIMITS) == (money, Status.SEQUENCE)


def test_a_body_without_epoch_answers_impossible_to_every_order() -> None:
    for sequence in (0, 1, 2**32 - 1):
        assert check_sequence(Money(), sequence) is Status.IMPOSSIBLE
        assert apply_transfer(Money(), sequence, 5, ORDER, LIMITS) == (Money(), Status.IMPOSSIBLE)
        assert apply_code(Money(), sequence, 5, ORDER, LIMITS) == (Money(), Status.IMPOSSIBLE)


@pytest.mark.parametrize(("amount", "tag"), [(0, ORDER), (5, BURN), (-5, BURN)])
def test_an_amount_that_contradicts_the_tags_first_bit_is_impossible(amount: int, tag: bytes) -> None:
    money = money_with(svm=100)
    assert apply_transfer(money, 1, amount, tag, LIMITS) == (money, Status.IMPOSSIBLE)


def test_a_burn_holds_its_sequence_and_moves_nothing() -> None:
    money = money_with(svm=100, tank=10)
    after, status = apply_transfer(money, 1, 0, BURN, LIMITS)
    assert status is Status.DONE
    assert replace(after, ring=money.ring) == money
    assert after.ring[-1] == RingEntry(Sequence(1), BURN, 0)
    assert apply_transfer(after, 1, 5_000, ORDER, LIMITS) == (after, Status.SEQUENCE)


def test_a_burn_is_never_impossible_not_even_above_the_ceiling_or_while_owing() -> None:
    tight = MoneyLimits(ceiling_micro=10)
    for money in (money_with(svm=100), money_with(owed=7), money_with(svm=MONEY_MAX_MICRO)):
        assert apply_transfer(money, 1, 0, BURN, tight)[1] is Status.DONE


def test_owed_is_paid_first_and_only_the_rest_counts_for_the_ceiling() -> None:
    owing = money_with(owed=30_000)
    part, status = apply_transfer(owing, 1, 20_000, ORDER, LIMITS)
    assert (status, part.owed_micro, part.balance_micro, part.received_micro) == (Status.DONE, 10_000, 0, 20_000)
    full, status = apply_transfer(owing, 1, 1_030_000, ORDER, LIMITS)
    assert (status, full.owed_micro, full.balance_micro) == (Status.DONE, 0, 1_000_000)
    assert apply_transfer(owing, 1, 1_030_001, ORDER, LIMITS) == (owing, Status.IMPOSSIBLE)


def test_the_balance_may_reach_its_ceiling_and_not_pass_it() -> None:
    money = money_with(svm=400_000, tank=90_000, exchanger=9_000)
    assert apply_transfer(money, 1, 501_000, ORDER, LIMITS)[1] is Status.DONE
    assert apply_transfer(money, 1, 501_001, ORDER, LIMITS) == (money, Status.IMPOSSIBLE)


def test_what_was_ever_received_stays_inside_its_field() -> None:
    wide = MoneyLimits(ceiling_micro=MONEY_MAX_MICRO)
    money = replace(NEW, received_micro=MONEY_MAX_MICRO - 5, burned_micro=MONEY_MAX_MICRO - 5)
    assert apply_transfer(money, 1, 5, ORDER, wide)[1] is Status.DONE
    assert apply_transfer(money, 1, 6, ORDER, wide) == (money, Status.IMPOSSIBLE)


@pytest.mark.parametrize(
    ("amount", "left"),
    [
        (-1, (299, 20, 3)),
        (-300, (0, 20, 3)),
        (-301, (0, 19, 3)),
        (-320, (0, 0, 3)),
        (-321, (0, 0, 2)),
        (-323, (0, 0, 0)),
    ],
)
def test_a_return_takes_from_svm_then_tank_then_exchanger(amount: int, left: tuple[int, int, int]) -> None:
    money, status = apply_transfer(money_with(300, 20, 3), 1, amount, ORDER, LIMITS)
    assert status is Status.DONE
    assert (money.svm_micro, money.tank_micro, money.exchanger_micro) == left
    assert money.returned_micro == -amount


def test_more_than_the_balance_is_never_returned() -> None:
    money = money_with(300, 20, 3)
    for amount in (-324, I64_MIN):
        assert apply_transfer(money, 1, amount, ORDER, LIMITS) == (money, Status.IMPOSSIBLE)


def test_nothing_is_returned_while_anything_is_owed() -> None:
    owing = money_with(owed=1)
    assert apply_transfer(owing, 1, -1, ORDER, LIMITS) == (owing, Status.IMPOSSIBLE)


def test_the_sequence_never_wraps() -> None:
    money, status = commission(Money(), 255, BURN)
    assert status is Status.DONE
    money = replace(money, ring=(RingEntry(sequence_of(255, 2**24 - 2), ORDER, 5),))
    last, status = apply_transfer(money, 2**32 - 1, 5, OTHER, LIMITS)
    assert status is Status.DONE
    assert last.retired
    for sequence in (0, 1, 2**32 - 1, 2**32):
        assert apply_transfer(last, sequence, 5, ORDER, LIMITS) == (last, Status.SEQUENCE)


def test_the_end_of_an_epoch_is_not_followed_by_the_next_epoch() -> None:
    money = replace(NEW, ring=(RingEntry(sequence_of(0, 2**24 - 1), ORDER, 5),))
    assert apply_transfer(money, 2**24, 5, OTHER, LIMITS) == (money, Status.SEQUENCE)


def test_the_ring_keeps_the_last_sixteen() -> None:
    money = NEW
    for sequence in range(1, 21):
        money, _ = apply_transfer(money, sequence, sequence, sequence.to_bytes(8, "big"), LIMITS)
    assert [entry.sequence for entry in money.ring] == list(range(5, 21))
    assert len(money.ring) == RING_ENTRIES_MAX


def test_commission_begins_an_epoch_in_a_new_body_or_above_the_old_one() -> None:
    money, status = commission(Money(), 3, BURN)
    assert status is Status.DONE
    assert money.ring == (RingEntry(sequence_of(3, 0), BURN, 0),)
    for epoch in (0, 2, 3):
        assert commission(money, epoch, BURN, after=3 << 24) == (money, Status.IMPOSSIBLE)
    raised, status = commission(money, 4, BURN, after=3 << 24)
    assert (status, raised.last_sequence, raised.last_tag) == (Status.DONE, 4 << 24, BURN)
    assert commission(money, 256, BURN, after=3 << 24) == (money, Status.IMPOSSIBLE)


def test_commission_is_for_the_body_that_is_meant_and_no_other() -> None:
    money, _ = apply_transfer(commission(Money(), 3, BURN)[0], (3 << 24) + 1, 5_000, ORDER, LIMITS)
    gone, _ = retire(money, BURN)
    for after in (0, money.last_sequence, gone.last_sequence - 1):
        assert commission(gone, 4, BURN, after=after) == (gone, Status.IMPOSSIBLE)
    assert commission(gone, 4, BURN, after=gone.last_sequence)[1] is Status.DONE
    assert commission(Money(), 4, BURN, after=gone.last_sequence) == (Money(), Status.IMPOSSIBLE)


def test_epoch_zero_is_an_epoch() -> None:
    assert NEW.commissioned
    assert NEW.last_sequence == 0
    assert apply_transfer(NEW, 1, 5, ORDER, LIMITS)[1] is Status.DONE


def test_retire_jumps_to_the_end_and_leaves_the_money() -> None:
    money, _ = apply_transfer(NEW, 1, 5_000, ORDER, LIMITS)
    gone, status = retire(money, BURN)
    assert (status, gone.last_sequence, gone.last_tag, gone.last_amount_micro) == (Status.DONE, 0xFFFFFF, BURN, 0)
    assert gone.balance_micro == 5_000
    assert [entry.sequence for entry in gone.ring] == [0, 1, 0xFFFFFF]
    assert apply_transfer(gone, 2, 5, OTHER, LIMITS) == (gone, Status.SEQUENCE)
    assert retire(gone, BURN) == (gone, Status.IMPOSSIBLE)
    assert commission(gone, 1, BURN, after=0xFFFFFF)[1] is Status.DONE


def test_epochs_change_only_under_a_tag_whose_first_bit_is_set() -> None:
    assert commission(Money(), 1, ORDER) == (Money(), Status.IMPOSSIBLE)
    assert retire(NEW, ORDER) == (NEW, Status.IMPOSSIBLE)
    assert retire(Money(), BURN) == (Money(), Status.IMPOSSIBLE)


def test_a_control_command_is_applied_once_and_then_already_done() -> None:
    first = control(NEW, 7, 2, b"table")
    assert first.outcome is ControlOutcome.APPLY
    assert first.money.last_control == 7
    assert first.money.control_digest == control_digest(2, b"table")
    assert replace(first.money, last_control=0, control_digest=bytes(8)) == NEW
    again = control(first.money, 7, 2, b"table")
    assert again.outcome is ControlOutcome.ALREADY
    assert again.money is first.money


@pytest.mark.parametrize(
    ("counter", "code", "body"), [(7, 2, b"other"), (7, 6, b"table"), (6, 2, b"table"), (0, 2, b"")]
)
def test_an_equal_counter_with_another_digest_or_a_lower_one_is_stale(counter: int, code: int, body: bytes) -> None:
    money = control(NEW, 7, 2, b"table").money
    verdict = control(money, counter, code, body)
    assert verdict.outcome is ControlOutcome.STALE
    assert verdict.money is money


def test_zero_is_no_counter() -> None:
    planted = replace(NEW, control_digest=control_digest(2, b"x"))
    assert control(planted, 0, 2, b"x").outcome is ControlOutcome.STALE


@pytest.mark.parametrize(
    "broken",
    [
        replace(NEW, received_micro=1),
        replace(NEW, svm_micro=-1, received_micro=-1),
        replace(NEW, acc=-1),
        replace(NEW, acc=10**8),
        replace(NEW, svm_micro=1, owed_micro=1, burned_micro=1, received_micro=1),
        replace(NEW, svm_micro=2**64, received_micro=2**64),
        replace(NEW, ring=(NEW.ring[0], NEW.ring[0])),
        replace(NEW, ring=tuple(RingEntry(Sequence(n), ORDER, 0) for n in range(17))),
    ],
)
def test_money_that_breaks_the_law_or_its_fields_is_found(broken: Money) -> None:
    with pytest.raises(MoneyError):
        broken.check()


@pytest.mark.parametrize(
    ("token", "ceiling", "owed"),
    [(0, 1, 1), (10**12 + 1, 1, 1), (1, -1, 1), (1, MONEY_MAX_MICRO + 1, 1), (1, 1, -1), (1, 1, OWED_MAX_MICRO + 1)],
)
def test_limits_out_of_range_are_refused(token: int, ceiling: int, owed: int) -> None:
    with pytest.raises(MoneyError, match="is not allowed; allowed is"):
        MoneyLimits(token, ceiling, owed)


def test_a_tag_of_another_length_is_a_fault_of_the_program() -> None:
    with pytest.raises(MoneyError, match="tag"):
        apply_transfer(NEW, 1, 5, b"short", LIMITS)
