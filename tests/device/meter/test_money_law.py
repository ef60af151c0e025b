"""The law of value on arbitrary loads, prices, orders, codes and power cuts, with the real journal and minute memory.

An auditor that knows only what the meter answered predicts what was received and returned; the minute memory and the
energy position predict, by themselves, what was burned. Any cut may come inside any write, and again on the way up.
"""

import hashlib
from collections.abc import Callable
from contextlib import suppress

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from prewatt.codec.receipt import Status
from prewatt.codec.valuecode import ValueCode, check_input, check_of
from prewatt.device.meter.journal import Journal
from prewatt.device.meter.minutes import NO_POWER, READING_MAX, MinuteMemory, close_minute, plan_resume, turn_back
from prewatt.device.meter.money import (
    ACC_PER_MICRO,
    ControlOutcome,
    Money,
    MoneyLimits,
    apply_transfer,
    commission,
    control,
)
from prewatt.device.meter.nvm import MemoryNvm, PowerCut, Torn
from prewatt.device.meter.record import EnergyPosition, Record
from prewatt.device.meter.tokens import Rate, Sam, burn, burn_through
from prewatt.device.meter.valuecode import CodeLock, CodeOutcome, CodeTerms, enter_code
from prewatt.units import MeterId

METER = MeterId(b"\x00\x00\x07")
LIMITS = MoneyLimits(token_micro=5, ceiling_micro=20_000, owed_max_micro=10**15)
BURN = b"\x80" + bytes(7)
FIRST_MINUTE = 29_000_000


def mac(data: bytes) -> bytes:
    return hashlib.sha256(b"Kc" + data).digest()[:8]


TERMS = CodeTerms(METER, (mac,), minor_micro=100)


class MeterUnderCuts(RuleBasedStateMachine):
    """One meter's money, driven as the meter drives it."""

    def __init__(self) -> None:
        super().__init__()
        self.nvm = MemoryNvm()
        self.memory = MinuteMemory(self.nvm)
        self.journal = Journal(self.nvm)
        money, status = commission(Money(), 3, BURN)
        assert status is Status.DONE
        self.journal.create(Record(money, EnergyPosition(FIRST_MINUTE)))
        self.rates: dict[tuple[int, int], Rate] = {}
        self.rate_now = Rate(90_000_000)
        self.burned_by_old_eras = 0
        self.answered: dict[int, tuple[bytes, int]] = {}
        self.asked: dict[int, set[tuple[bytes, int]]] = {}
        self.wrong_answered = 0
        self.line_ms = 0
        self.tags = 0
        self.control_answered = 0
        self.load_record()
        self.position = EnergyPosition(FIRST_MINUTE)

    # the meter's own steps

    def load_record(self) -> None:
        record = self.journal.load()
        self.money, self.position = record.money, record.position
        self.journalled_svm_micro = self.money.svm_micro
        self.lock = CodeLock.resumed(record.wrong_codes, self.line_ms)

    def store(self) -> None:
        self.journal.store(Record(self.money, self.position, b"", self.lock.wrong))
        self.journalled_svm_micro = self.money.svm_micro

    def rate_of_minute(self) -> Rate:
        return self.rates.setdefault((self.position.era, self.position.minute), self.rate_now)

    def carry_price(self, next_minute: int) -> None:
        """The auditor has one price a minute: what is carried takes the price it was burned at along."""
        if self.position.pulses[0] > READING_MAX:
            self.rates[self.position.era, next_minute] = self.rate_of_minute()

    def power_up(self, minutes_off: int) -> None:
        self.journal = Journal(self.nvm)
        self.load_record()
        plan = plan_resume(self.position, [self.memory])
        sam = Sam(self.journalled_svm_micro)
        for replay in plan.replays:
            rate = self.rates[self.position.era, replay.minute]
            self.money = burn_through(self.money, rate, replay.total - replay.first, LIMITS, sam).money
        if plan.position.minute != self.position.minute and any(plan.position.pulses):
            self.rates[self.position.era, plan.position.minute] = self.rates[self.position.era, self.position.minute]
        self.position = plan.position
        if minutes_off:
            next_minute = self.position.minute + minutes_off
            self.carry_price(next_minute)
            self.position = close_minute([self.memory], self.position, 0, next_minute, cut_short=True).position
        self.store()

    def run(self, step: Callable[[], None]) -> None:
        """A step that power may cut: then the meter is what its memory says, after up to three more cuts."""
        try:
            step()
        except PowerCut:
            self.nvm.restore_power()
            for cut_after in (self.tags * 37 % 500, self.tags * 11 % 30):
                self.nvm.cut_after(cut_after, Torn.GARBAGE, self.tags * 71 % 256)
                with suppress(PowerCut):
                    self.power_up(self.tags % 3)
                self.nvm.restore_power()
            self.power_up(self.tags % 3)

    # what happens to it

    @rule(after=st.integers(0, 1_500), torn=st.sampled_from(Torn), garbage=st.integers(0, 255))
    def power_will_go(self, after: int, torn: Torn, garbage: int) -> None:
        self.nvm.cut_after(after, torn, garbage)

    @rule(rate=st.one_of(st.just(0), st.integers(1, 10**6), st.integers(10**7, 4 * 10**9)))
    def set_price(self, rate: int) -> None:
        self.rate_now = Rate(rate)

    @rule(pulses=st.one_of(st.integers(0, 60), st.integers(0, 3_000), st.integers(READING_MAX - 2, 200_000)))
    def take_load(self, pulses: int) -> None:
        def step() -> None:
            left = pulses
            while left:
                burned = burn(self.money, self.rate_of_minute(), left, LIMITS, Sam(self.journalled_svm_micro))
                self.money, left = burned.money, left - burned.pulses
                self.position = self.position.counted(0, burned.pulses)
                if burned.write_due:
                    self.store()

        if self.rate_of_minute() * pulses < 4_000 * ACC_PER_MICRO:
            self.run(step)

    @rule(gap=st.sampled_from([1, 1, 1, 1, 5]))
    def end_minute(self, gap: int) -> None:
        def step() -> None:
            self.carry_price(self.position.minute + gap)
            closed = close_minute([self.memory], self.position, 0, self.position.minute + gap)
            self.position = closed.position
            if closed.write_due:
                self.store()

        self.rate_of_minute()
        self.run(step)

    @rule(amount=st.integers(-9_000, 9_000), early=st.sampled_from([0, 0, 0, 1, -1]), repeat=st.booleans())
    def send_order(self, amount: int, early: int, repeat: bool) -> None:
        self.send(amount, early, repeat)

    @rule(percent=st.one_of(st.integers(1, 100), st.integers(90, 101)))
    def take_back(self, percent: int) -> None:
        """Most of a random return would be more than there is; this one reaches tank and exchanger."""
        self.send(-(self.money.balance_micro * percent // 100), 0, False)

    def send(self, amount: int, early: int, repeat: bool) -> None:
        self.tags += 1
        tag = (BURN[:1] if amount == 0 else b"\x00") + self.tags.to_bytes(7, "big")
        sequence = self.money.last_sequence + 1 + early
        for _ in range(2 if repeat else 1):
            self.run(lambda: self.answer_order(sequence, amount, tag))

    def answer_order(self, sequence: int, amount: int, tag: bytes) -> None:
        self.asked.setdefault(sequence, set()).add((tag, amount))
        before = self.money
        self.money, status = apply_transfer(self.money, sequence, amount, tag, LIMITS)
        assert status is Status.DONE or self.money is before
        self.store()
        receipt = self.money.receipt(METER, status)
        assert status is not Status.DONE or (receipt.last_tag, receipt.last_amount_micro) == (tag, amount)
        if self.asked.get(receipt.last_sequence):
            self.answered[receipt.last_sequence] = (receipt.last_tag, receipt.last_amount_micro)

    @rule(minor=st.integers(1, 90), sequence_ahead=st.integers(-2, 4), wrong=st.booleans())
    def type_code(self, minor: int, sequence_ahead: int, wrong: bool) -> None:
        sequence = max(3 << 24, self.money.last_sequence + sequence_ahead)
        check = check_of(mac(check_input(METER, sequence, minor))) ^ wrong
        self.line_ms += 2_000_000
        self.run(lambda: self.answer_code(ValueCode(sequence & 0xFF, minor, check), sequence, wrong))

    def answer_code(self, code: ValueCode, sequence: int, wrong: bool) -> None:
        self.asked.setdefault(sequence, set()).add((code.build_tag(), code.amount_minor * 100))
        entry = enter_code(self.money, self.lock, code.build(), TERMS, LIMITS, self.line_ms)
        assert (entry.outcome is CodeOutcome.WRONG) == wrong
        self.money, self.lock = entry.money, entry.lock
        self.store()
        self.wrong_answered = self.lock.wrong
        if entry.outcome is CodeOutcome.STORED:
            self.answered[sequence] = (code.build_tag(), entry.amount_micro)

    @rule(body=st.binary(max_size=3))
    def send_control(self, body: bytes) -> None:
        counter = self.money.last_control + 1

        def step() -> None:
            verdict = control(self.money, counter, 9, body)
            if verdict.outcome is ControlOutcome.APPLY:
                self.money = verdict.money
                self.store()
            self.control_answered = counter

        self.run(step)
        assert control(self.money, self.control_answered, 9, body).outcome is not ControlOutcome.APPLY

    @precondition(lambda self: self.position.minute > FIRST_MINUTE + 3 and self.position.pulses[0] <= READING_MAX)
    @rule(back=st.integers(1, 3))
    def set_clock_back(self, back: int) -> None:
        def step() -> None:
            self.position = close_minute([self.memory], self.position, 0, self.position.minute + 1).position
            first_again = self.position.minute - 1 - back
            # Readings of the minutes that come again leave the memory: the auditor keeps what they burned.
            kept.append(self.burned_by_old_eras + self.new_energy_acc())
            self.position = turn_back(self.position, first_again)
            self.store()

        kept: list[int] = []
        self.rate_of_minute()
        era = self.position.era
        self.run(step)
        if self.position.era != era:
            self.burned_by_old_eras = kept[0]

    # what must hold

    def new_energy_acc(self) -> int:
        """What the energy stored in this era, and that of the running minute, should have added to acc."""
        era, total = self.position.era, 0
        for (of_era, minute), rate in self.rates.items():
            stored = self.memory.read_minute(minute)
            if of_era == era and minute < self.position.minute and stored is not None and stored.era == era:
                total += stored.reading * rate
        return total + self.position.pulses[0] * self.rates.get((era, self.position.minute), 0)

    @invariant()
    def the_law_holds(self) -> None:
        self.money.check()

    @invariant()
    def every_known_pulse_is_burned_once(self) -> None:
        burned = self.money.burned_micro * ACC_PER_MICRO + self.money.acc
        assert burned == self.burned_by_old_eras + self.new_energy_acc()

    @invariant()
    def what_was_answered_is_held_and_what_is_held_was_asked(self) -> None:
        for entry in self.money.ring[1:]:
            assert (entry.tag, entry.amount_micro) in self.asked[entry.sequence]
            assert self.answered.get(entry.sequence, (entry.tag, entry.amount_micro)) == (
                entry.tag,
                entry.amount_micro,
            )
            self.answered[entry.sequence] = (entry.tag, entry.amount_micro)
        amounts = [amount for _, amount in self.answered.values()]
        assert self.money.received_micro == sum(amount for amount in amounts if amount > 0)
        assert self.money.returned_micro == -sum(amount for amount in amounts if amount < 0)

    @invariant()
    def counters_never_fall_behind_what_was_answered(self) -> None:
        assert self.money.last_control >= self.control_answered
        assert self.lock.wrong >= min(self.wrong_answered, 255) or self.lock.wrong == 0
        assert self.memory.read(self.position.minute, 1)[0] == NO_POWER or self.position.era > 0


TestMeterUnderCuts = MeterUnderCuts.TestCase
TestMeterUnderCuts.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
