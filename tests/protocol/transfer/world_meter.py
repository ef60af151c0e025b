"""A meter for the walkers: the real money core and journal behind the real terminal session, nothing else around them.

Each `Body` is one piece of hardware; a body that was replaced or destroyed lives on in the graveyard, where it still
hears whatever the relay replays. `Truth` is the omniscient record of who holds which sequence in which body.
"""

from collections import Counter
from dataclasses import dataclass, field, replace

from prewatt.codec.bodies import Commission, Retire, Transfer
from prewatt.codec.commands import Code
from prewatt.codec.errors import DecodeError
from prewatt.codec.meter_messages import Head, Report
from prewatt.codec.reader import Reader
from prewatt.codec.receipt import RING_ENTRY_BYTES, Receipt, RingEntry, Status
from prewatt.crypto import MessageKind
from prewatt.device.meter.journal import Journal
from prewatt.device.meter.money import (
    ControlOutcome,
    Money,
    MoneyLimits,
    apply_transfer,
    check_sequence,
    commission,
    control,
    control_digest,
    retire,
)
from prewatt.device.meter.nvm import MemoryNvm, PowerCut, Torn
from prewatt.device.meter.record import EnergyPosition, Record
from prewatt.device.meter.tokens import Sam, burn, rate_of
from prewatt.device.meter.valuecode import CodeLock, CodeTerms, enter_code
from prewatt.protocol.meter_messages import seal_report
from prewatt.protocol.terminal import Answer, Execute, TerminalIdentity, TerminalSession
from prewatt.protocol.transfer import Totals

MINOR_MICRO = 1_000
LIMITS = MoneyLimits(token_micro=100, ceiling_micro=120_000, owed_max_micro=5_000)
SESSION_LIFE_MS = 60_000
RATE = rate_of(10_000_000, 100, 100)


class ViolationError(AssertionError):
    """Value moved otherwise than exactly once, or stopped moving."""


def check(holds, why):
    if not holds:
        raise ViolationError(why)


@dataclass
class Truth:
    """Who really holds what, for all bodies of all ids, and what was really paid and paid back."""

    held: dict = field(default_factory=dict)
    by_meter: dict = field(default_factory=dict)
    owners: dict = field(default_factory=dict)
    room: Counter = field(default_factory=Counter)
    applied: Counter = field(default_factory=Counter)

    def paid(self, meter_id, amount):
        self.room[meter_id, amount] += 1

    def refunded(self, meter_id, amount):
        self._use(meter_id, amount, "refunded")

    def name(self, meter_id, tag, payment):
        self.owners[meter_id, tag] = payment

    def hold(self, body, entry):
        """A body durably holds an entry: no other body may hold the number, and the payment is used up."""
        slot = (body.meter_id, entry.sequence)
        if slot in self.held:
            check(self.held[slot] == (body.number, entry), f"sequence {entry.sequence:08X} is held twice")
            return
        self.held[slot] = (body.number, entry)
        self.by_meter.setdefault(body.meter_id, []).append(entry)
        if entry.amount_micro:
            self.applied[self.owners[body.meter_id, entry.tag]] += 1
            self._use(body.meter_id, entry.amount_micro, "applied")

    def entry(self, meter_id, sequence):
        return self.held.get((meter_id, sequence), (None, None))[1]

    def entries(self, meter_id):
        return sorted(self.by_meter.get(meter_id, ()), key=lambda entry: entry.sequence)

    def _use(self, meter_id, amount, how):
        self.room[meter_id, amount] -= 1
        check(self.room[meter_id, amount] >= 0, f"{amount} {how} once more than it was paid")


class Body:
    """One meter body. `receive` answers payloads; PowerCut may come out of everything that writes."""

    def __init__(self, number, meter_id, suite, keys, truth, ring=()):
        self.number, self.meter_id, self.suite, self.keys, self.truth = number, meter_id, suite, keys, truth
        self.nvm = MemoryNvm()
        self.boots = 0
        self.seen_ring = ring
        self.factory_ring = frozenset(ring)
        self.applied_digests = set()
        self.on = True
        Journal(self.nvm).create(Record(Money(ring=ring), EnergyPosition(0)))
        self.power_up(0)

    def power_up(self, line_ms):
        """As after any cut: all that is known comes from the memory."""
        self.nvm.restore_power()
        self.on = True
        self.boots += 1
        self.journal = Journal(self.nvm)
        self.record = self.journal.load()
        self.dirty = False
        self.journalled_micro = self.money.svm_micro
        self._observe()
        identity = TerminalIdentity(self.meter_id, self.suite, self.keys, SESSION_LIFE_MS, self.boots)
        self.session = TerminalSession(identity)
        self.lock = CodeLock.resumed(self.record.wrong_codes, line_ms)

    def cut_after(self, count):
        self.nvm.cut_after(count, Torn(("old", "new", "garbage")[count % 3]))

    @property
    def money(self):
        return self.record.money

    @property
    def setting(self):
        """What the last control command set; the report counter stands before it."""
        return self.record.control[4:]

    def receive(self, payload, line_ms, random):
        """The payloads it answers with."""
        reply = self.session.receive(payload, line_ms=line_ms, random=random)
        if isinstance(reply, Answer):
            return [reply.payload]
        if isinstance(reply, Execute):
            return [self.session.result(self._execute(reply))]
        return []

    def burn(self, pulses):
        while pulses:
            sam = Sam(self.journalled_micro)
            burned = burn(self.money, RATE, pulses, LIMITS, sam)
            pulses -= burned.pulses
            self.record = replace(self.record, money=burned.money)
            self.dirty = True
            if burned.write_due:
                self._store(self.record)

    def type_code(self, digits, line_ms):
        keys = self.suite.message_keys(self.keys[0])
        terms = CodeTerms(self.meter_id, (lambda data: keys.tag(MessageKind.CODE, data),), MINOR_MICRO)
        entry = enter_code(self.money, self.lock, digits, terms, LIMITS, line_ms)
        if entry.money != self.money or entry.lock.wrong != self.lock.wrong:
            self._store(replace(self.record, money=entry.money, wrong_codes=entry.lock.wrong))
        self.lock = entry.lock
        return entry.outcome

    def report(self):
        """A sealed Report; its counter is durable before it goes out."""
        counter = int.from_bytes(self.record.control[:4], "big") + 1
        self._store(replace(self.record, control=counter.to_bytes(4, "big") + self.setting))
        head = Head(self.suite.id, 0, self.meter_id, counter)
        return seal_report(self.suite, self.keys[0], Report(head, self._standing(Status.DONE)))

    def _standing(self, status):
        money = self.money
        sums = (money.received_micro, money.burned_micro, money.returned_micro, money.owed_micro)
        return build_standing(money.receipt(self.meter_id, status), money.ring, Totals(*sums))

    def _execute(self, command):
        code, sequence, body = command.code, command.sequence, command.body
        if code == Code.VALUE:
            status = self._value(sequence, body)
        elif code in (Code.RING, Code.USAGE):
            status = Status.DONE
        else:
            status = self._control(code, sequence, body)
        if self.dirty:
            self._store(self.record)
        return self._answer(code, sequence, body, status)

    def _answer(self, code, sequence, body, status):
        if code == Code.USAGE:
            return self._standing(status)
        ring = b"".join(entry.build() for entry in self.money.ring) if code == Code.RING else b""
        return self.money.receipt(self.meter_id, status).build() + ring

    def _value(self, sequence, body):
        if body is None:
            return check_sequence(self.money, sequence) or Status.IMPOSSIBLE
        order = Transfer.parse(body)
        money, status = apply_transfer(self.money, sequence, order.amount_micro, order.tag, LIMITS)
        if status is Status.DONE:
            self._store(replace(self.record, money=money))
        return status

    def _control(self, code, counter, body):
        verdict = self._verdict(counter, code, body or b"")
        if verdict.outcome is ControlOutcome.ALREADY:
            return Status.DONE
        if verdict.outcome is ControlOutcome.STALE:
            return Status.CONTROL
        money, setting, status = verdict.money, self.setting, Status.DONE
        try:
            if code == Code.COMMISSION:
                asked = Commission.parse(body)
                money, status = commission(money, asked.epoch, asked.tag, after=asked.after)
            elif code == Code.RETIRE:
                money, status = retire(money, Retire.parse(body).tag)
            else:
                setting = body
        except DecodeError:
            status = Status.IMPOSSIBLE
        if status is Status.DONE:
            self.applied_digests.add(control_digest(code, body))
            self._store(replace(self.record, money=money, control=self.record.control[:4].ljust(4, b"\0") + setting))
        return status

    def _verdict(self, counter, code, body):
        return control(self.money, counter, code, body)

    def _store(self, record):
        self.journal.store(record)
        self.record = record
        self.dirty = False
        self.journalled_micro = record.money.svm_micro
        self._observe()

    def _observe(self):
        """Tells the truth what is durable now; the law of the meter is checked by the record at every store."""
        money = self.money
        money.check()
        if money.ring != self.seen_ring:
            for entry in money.ring:
                if entry not in self.factory_ring:
                    self.truth.hold(self, entry)
            self.seen_ring = money.ring


def build_standing(receipt, ring, totals):
    sums = (totals.received_micro, totals.burned_micro, totals.returned_micro, totals.owed_micro)
    rings = b"".join(entry.build() for entry in ring)
    return receipt.build() + b"".join(value.to_bytes(8, "big") for value in sums) + rings


def parse_standing(plain):
    reader = Reader(plain)
    receipt = Receipt.read(reader)
    totals = Totals(*(reader.u64("sum") for _ in range(4)))
    return receipt, parse_ring(reader.rest("ring")), totals


def parse_ring(data):
    reader = Reader(data)
    return tuple(RingEntry.read(reader) for _ in range(len(data) // RING_ENTRY_BYTES))


__all__ = [
    "LIMITS",
    "MINOR_MICRO",
    "Body",
    "PowerCut",
    "Truth",
    "ViolationError",
    "check",
    "parse_ring",
    "parse_standing",
]
