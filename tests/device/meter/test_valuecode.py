"""Codes typed at the meter: used once, in order, and useless to a guesser even one who pulls the plug."""

import hashlib
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prewatt.codec.receipt import RingEntry, Status
from prewatt.codec.valuecode import ValueCode, check_input, check_of
from prewatt.crypto import MessageKind, suite
from prewatt.device.meter.money import Money, MoneyLimits, apply_transfer, commission
from prewatt.device.meter.valuecode import (
    LOCK_LONGEST_S,
    CodeEntry,
    CodeLock,
    CodeOutcome,
    CodeTerms,
    enter_code,
)
from prewatt.units import MeterId, Sequence, sequence_of

METER = MeterId(b"\x00\x00\x2a")
LIMITS = MoneyLimits(ceiling_micro=10**9)
BURN = b"\xff" * 8


def mac_of(key: bytes, data: bytes) -> bytes:
    return hashlib.sha256(key + data).digest()[:16]


TERMS = CodeTerms(METER, (lambda data: mac_of(b"set 0", data), lambda data: mac_of(b"set 1", data)))
NEW = commission(Money(), 0, BURN)[0]


def code_for(sequence: int, amount_minor: int = 1_000, *, key: bytes = b"set 0", meter: bytes = METER) -> str:
    check = check_of(mac_of(key, check_input(MeterId(meter), sequence, amount_minor)))
    return ValueCode(sequence & 0xFF, amount_minor, check).build()


def type_code(money: Money, digits: str, lock: CodeLock | None = None, line_ms: int = 0) -> CodeEntry:
    return enter_code(money, lock or CodeLock(), digits, TERMS, LIMITS, line_ms)


@pytest.mark.parametrize("key", [b"set 0", b"set 1"])
def test_a_right_code_stores_its_value_under_any_live_key_set(key: bytes) -> None:
    digits = code_for(1, key=key)
    entry = type_code(NEW, digits, CodeLock(wrong=2))
    assert entry.outcome is CodeOutcome.STORED
    assert (entry.amount_micro, entry.money.balance_micro) == (10_000_000, 10_000_000)
    tag = int(digits).to_bytes(8, "big")
    assert entry.money.ring[-1] == entry.entry == RingEntry(Sequence(1), tag, 10_000_000)
    assert entry.lock == CodeLock()
    entry.money.check()


def test_a_code_typed_again_is_already_used_and_neither_counts_nor_clears() -> None:
    money = type_code(NEW, code_for(1)).money
    again = type_code(money, code_for(1), CodeLock(wrong=2))
    assert again.outcome is CodeOutcome.ALREADY_USED
    assert (again.money, again.lock) == (money, CodeLock(wrong=2))


def test_a_code_whose_order_came_by_transfer_or_was_cancelled_is_already_used() -> None:
    for amount, tag in ((10_000_000, b"\x01" * 8), (0, BURN)):
        money, status = apply_transfer(NEW, 1, amount, tag, LIMITS)
        assert status is Status.DONE
        entry = type_code(money, code_for(1))
        assert entry.outcome is CodeOutcome.ALREADY_USED
        assert entry.entry == RingEntry(Sequence(1), tag, amount)
        assert entry.money is money


def test_after_the_code_its_transfer_changes_nothing() -> None:
    money = type_code(NEW, code_for(1)).money
    assert apply_transfer(money, 1, 10_000_000, b"\x01" * 8, LIMITS) == (money, Status.SEQUENCE)


def test_eight_codes_are_typed_in_order_and_a_later_one_waits() -> None:
    money = NEW
    for sequence in range(2, 9):
        early = type_code(money, code_for(sequence), CodeLock(wrong=1))
        assert early.outcome is CodeOutcome.EARLY
        assert (early.money, early.lock) == (NEW, CodeLock(wrong=1))
    assert type_code(money, code_for(9)).outcome is CodeOutcome.WRONG
    for sequence in range(1, 9):
        entry = type_code(money, code_for(sequence))
        assert entry.outcome is CodeOutcome.STORED
        money = entry.money
    assert money.balance_micro == 80_000_000


def test_a_code_that_left_the_ring_is_wrong() -> None:
    money = NEW
    for sequence in range(1, 19):
        money = type_code(money, code_for(sequence)).money
    assert type_code(money, code_for(3)).outcome is CodeOutcome.ALREADY_USED
    assert type_code(money, code_for(2)).outcome is CodeOutcome.WRONG


def test_the_sequence_is_found_across_a_multiple_of_256() -> None:
    money = replace(NEW, ring=(RingEntry(sequence_of(3, 511), BURN, 0),))
    entry = type_code(money, code_for(sequence_of(3, 512)))
    assert entry.outcome is CodeOutcome.STORED
    assert entry.money.last_sequence == sequence_of(3, 512)


def test_a_code_of_another_epoch_meter_or_key_is_wrong() -> None:
    for digits in (
        code_for(sequence_of(1, 1)),
        code_for(1 + 256),
        code_for(1, meter=b"\x00\x00\x2b"),
        code_for(1, key=b"set 2"),
    ):
        assert type_code(NEW, digits).outcome is CodeOutcome.WRONG


def test_a_body_without_epoch_and_a_retired_one_take_no_code() -> None:
    assert type_code(Money(), code_for(1)).outcome is CodeOutcome.WRONG
    retired = replace(NEW, ring=(RingEntry(sequence_of(0, 2**24 - 1), BURN, 0),))
    for sequence in (1, 2**24):
        assert type_code(retired, code_for(sequence)).outcome is CodeOutcome.WRONG


def test_a_right_code_above_the_ceiling_is_refused_and_not_counted() -> None:
    tight = MoneyLimits(ceiling_micro=9_999_999)
    entry = enter_code(NEW, CodeLock(wrong=2), code_for(1), TERMS, tight, 0)
    assert entry.outcome is CodeOutcome.REFUSED
    assert (entry.money, entry.lock) == (NEW, CodeLock(wrong=2))


@pytest.mark.parametrize("digits", ["", "1" * 19, "1" * 21, "99999999999999999999", "0" * 20, "abc"])
def test_what_can_never_be_a_code_is_not_counted(digits: str) -> None:
    entry = type_code(NEW, digits)
    assert (entry.outcome, entry.lock) == (CodeOutcome.MALFORMED, CodeLock())


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 63))
def test_one_flipped_bit_makes_a_right_code_wrong(bit: int) -> None:
    digits = f"{int(code_for(1)) ^ 1 << bit:020d}"
    entry = type_code(NEW, digits)
    assert entry.outcome is CodeOutcome.WRONG
    assert entry.money is NEW


def test_the_third_wrong_code_locks_for_ten_seconds_and_each_further_one_twice_as_long() -> None:
    wrong, lock, line_ms, locks = code_for(1, key=b"guess"), CodeLock(), 0, []
    for _ in range(12):
        lock = type_code(NEW, wrong, lock, line_ms).lock
        locks.append(lock.read_left_s(line_ms))
        line_ms = max(line_ms, lock.until_ms)
    assert locks == [0, 0, 10, 20, 40, 80, 160, 320, 640, 1_280, 1_280, 1_280]
    assert locks[-1] == LOCK_LONGEST_S


def test_while_locked_not_even_a_right_code_is_looked_at() -> None:
    lock = CodeLock(wrong=2).failed(5_000)
    for line_ms in (5_000, 14_999):
        entry = type_code(NEW, code_for(1), lock, line_ms)
        assert (entry.outcome, entry.lock, entry.money) == (CodeOutcome.LOCKED, lock, NEW)
    assert type_code(NEW, code_for(1), lock, 15_000).outcome is CodeOutcome.STORED


def test_power_that_goes_and_comes_starts_the_whole_lock_again() -> None:
    lock = CodeLock(wrong=4).failed(0)
    assert lock.read_left_s(39_000) == 1
    assert CodeLock.resumed(lock.wrong, 40_000).read_left_s(40_000) == 40
    assert CodeLock.resumed(2, 40_000).read_left_s(40_000) == 0


def test_the_durable_count_stays_inside_its_byte() -> None:
    lock = CodeLock(wrong=255).failed(0)
    assert lock.wrong == 255
    assert lock.read_left_s(0) == LOCK_LONGEST_S


@pytest.mark.parametrize(("name", "key_bytes"), [("tdes-1998", 16), ("aes-2026", 32)])
def test_codes_work_under_the_keys_of_both_suites(name: str, key_bytes: int) -> None:
    key = bytes(range(key_bytes))
    keys = suite(name).message_keys(key)
    check = check_of(keys.tag(MessageKind.CODE, check_input(METER, 1, 500)))
    terms = CodeTerms(METER, (lambda data: keys.tag(MessageKind.CODE, data),))
    digits = ValueCode(1, 500, check).build()
    assert enter_code(NEW, CodeLock(), digits, terms, LIMITS, 0).outcome is CodeOutcome.STORED
    for wrong in (ValueCode(1, 501, check), ValueCode(2, 500, check), ValueCode(1, 500, check ^ 1)):
        assert enter_code(NEW, CodeLock(), wrong.build(), terms, LIMITS, 0).outcome is CodeOutcome.WRONG


def test_terms_do_not_show_their_keys() -> None:
    assert "macs" not in repr(TERMS)
