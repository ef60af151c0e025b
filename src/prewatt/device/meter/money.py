"""The meter's money: one frozen value and the pure transitions that are the only way to change it.

Value enters the SVM and leaves towards the load through tank and token exchanger (tokens.py). Each transition returns
the new money and a status; with any status but DONE the money that comes back is the one that was given. The law holds
before and after each of them:

    received = balance + burned + returned - owed        balance = SVM + tank + exchanger
    owed > 0 only when balance = 0

Transfers run under a sequence, epoch(8) | counter(24). The ring keeps the last sixteen holders of a sequence, and the
newest of them is the meter's last sequence, tag and amount: there is no second place that could disagree. A body that
holds no entry has no epoch yet. Whoever stores the new money writes one journal record before any answer goes out.

The rules are R2, R3, R8 and R10 of docs/protocol.md.
"""

from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

from prewatt.codec.commands import CONTROL_DIGEST_BYTES, control_digest
from prewatt.codec.receipt import NO_TAG, RING_ENTRIES_MAX, TAG_BYTES, Receipt, RingEntry, Status
from prewatt.device.meter.moneylimits import MONEY_MAX_MICRO, OWED_MAX_MICRO, TOKEN_MAX_MICRO, MoneyError, MoneyLimits
from prewatt.units import EPOCH_LAST, MeterId, Micro, Sequence, epoch_of, epoch_start, next_sequence, sequence_of
from prewatt.units.ids import SEQUENCE_COUNTER_MAX

__all__ = [
    "ACC_PER_MICRO",
    "MONEY_MAX_MICRO",
    "OWED_MAX_MICRO",
    "TOKEN_MAX_MICRO",
    "ControlOutcome",
    "ControlVerdict",
    "Money",
    "MoneyError",
    "MoneyLimits",
    "apply_code",
    "apply_transfer",
    "check_sequence",
    "commission",
    "control",
    "retire",
]

# A pulse is 1/10,000 kWh and the two percents multiply to 10,000 at 100 %, so this much of acc is one micro-unit.
ACC_PER_MICRO: Final = 100_000_000
_NO_DIGEST: Final = bytes(CONTROL_DIGEST_BYTES)
_BURN_BIT: Final = 0x80


@dataclass(frozen=True, slots=True)
class Money:
    """The whole money state of a meter. All amounts are micro-units; ``acc`` is the part of one not yet burned."""

    svm_micro: int = 0
    tank_micro: int = 0
    exchanger_micro: int = 0
    acc: int = 0
    received_micro: int = 0
    burned_micro: int = 0
    returned_micro: int = 0
    owed_micro: int = 0
    ring: tuple[RingEntry, ...] = ()
    last_control: int = 0
    control_digest: bytes = _NO_DIGEST

    @property
    def balance_micro(self) -> Micro:
        """What the customer still has: SVM, tank and exchanger together."""
        return Micro(self.svm_micro + self.tank_micro + self.exchanger_micro)

    @property
    def commissioned(self) -> bool:
        """Whether the body has an epoch; without one it takes no transfer."""
        return bool(self.ring)

    @property
    def retired(self) -> bool:
        """Whether no sequence is left in the epoch: retired, or used up."""
        return self.commissioned and next_sequence(self.last_sequence) is None

    @property
    def last_sequence(self) -> Sequence:
        """The newest sequence that is held; 0 without an epoch."""
        return self.ring[-1].sequence if self.ring else Sequence(0)

    @property
    def last_tag(self) -> bytes:
        """The tag that holds it; eight zeros without an epoch."""
        return self.ring[-1].tag if self.ring else NO_TAG

    @property
    def last_amount_micro(self) -> int:
        """The amount it moved, signed."""
        return self.ring[-1].amount_micro if self.ring else 0

    def receipt(self, meter_id: MeterId, status: Status) -> Receipt:
        """The receipt with which every Result and Report starts (R1)."""
        return Receipt(
            balance_micro=self.balance_micro,
            meter_id=meter_id,
            status=status,
            last_sequence=self.last_sequence,
            last_tag=self.last_tag,
            last_amount_micro=self.last_amount_micro,
            last_control=self.last_control,
        )

    def check(self) -> None:
        """Raises MoneyError where the law or a field's range is broken; run before every durable write."""
        amounts = (
            *(self.svm_micro, self.tank_micro, self.exchanger_micro),
            *(self.received_micro, self.burned_micro, self.returned_micro, self.owed_micro),
        )
        if min(amounts) < 0 or max(amounts) > MONEY_MAX_MICRO + OWED_MAX_MICRO:
            raise MoneyError(f"money: an amount is outside its field: {amounts}")
        if not 0 <= self.acc < ACC_PER_MICRO:
            raise MoneyError(f"acc: {self.acc} is not allowed; allowed is 0 to {ACC_PER_MICRO - 1}")
        if self.received_micro + self.owed_micro != self.balance_micro + self.burned_micro + self.returned_micro:
            raise MoneyError(
                f"money: received {self.received_micro} is not balance {self.balance_micro} + burned "
                f"{self.burned_micro} + returned {self.returned_micro} - owed {self.owed_micro}"
            )
        if self.owed_micro and self.balance_micro:
            raise MoneyError(f"money: {self.owed_micro} is owed beside a balance of {self.balance_micro}")
        held = [entry.sequence for entry in self.ring]
        if len(held) > RING_ENTRIES_MAX or held != sorted(set(held)):
            raise MoneyError(f"ring: {held} are not at most {RING_ENTRIES_MAX} sequences that rise")


def check_sequence(money: Money, sequence: int) -> Status:
    """DONE when it is this sequence's turn; otherwise what a command 01 with it is answered, whatever its body.

    A body that could not be decoded is answered this, or IMPOSSIBLE when this is DONE.
    """
    if not money.commissioned:
        return Status.IMPOSSIBLE
    return Status.DONE if sequence == next_sequence(money.last_sequence) else Status.SEQUENCE


def apply_transfer(
    money: Money, sequence: int, amount_micro: int, tag: bytes, limits: MoneyLimits
) -> tuple[Money, Status]:
    """Command 01: stores (positive), takes back (negative), or burns the sequence (0 and the tag's first bit set)."""
    status = check_sequence(money, sequence)
    if status is not Status.DONE:
        return money, status
    if _is_burn_tag(tag) != (amount_micro == 0):
        return money, Status.IMPOSSIBLE
    return _hold(money, RingEntry(Sequence(sequence), tag, amount_micro), limits)


def apply_code(
    money: Money, sequence: int, amount_micro: int, code: bytes, limits: MoneyLimits
) -> tuple[Money, Status]:
    """A value code whose check was right: the same order as a transfer, with the code's 64 bits as its tag.

    A code is known by its exact bits, so its first bit says nothing; it always stores.
    """
    status = check_sequence(money, sequence)
    if status is not Status.DONE:
        return money, status
    if amount_micro <= 0:
        return money, Status.IMPOSSIBLE
    return _hold(money, RingEntry(Sequence(sequence), code, amount_micro), limits)


def retire(money: Money, tag: bytes) -> tuple[Money, Status]:
    """R8: jumps to the end of the epoch, so that nothing numbered in it can be applied here any more.

    A body without epoch, one that has no sequence left, or a tag whose first bit is clear: IMPOSSIBLE.
    """
    if not money.commissioned or money.retired or not _is_burn_tag(tag):
        return money, Status.IMPOSSIBLE
    end = sequence_of(epoch_of(money.last_sequence), SEQUENCE_COUNTER_MAX)
    return _enter(money, RingEntry(end, tag, 0)), Status.DONE


def commission(money: Money, epoch: int, tag: bytes, *, after: int = 0) -> tuple[Money, Status]:
    """R8: begins an epoch above its own; only in the body whose last sequence is ``after`` (0: one without an epoch).

    Else IMPOSSIBLE: a retired body that a relay still reaches must not take the epoch of the body that follows it.
    """
    if after != (money.last_sequence if money.commissioned else 0):
        return money, Status.IMPOSSIBLE
    above = not money.commissioned or epoch > epoch_of(money.last_sequence)
    if not above or not 0 <= epoch <= EPOCH_LAST or not _is_burn_tag(tag):
        return money, Status.IMPOSSIBLE
    return _enter(money, RingEntry(epoch_start(epoch), tag, 0)), Status.DONE


class ControlOutcome(Enum):
    """What the control counter says about a command."""

    APPLY = "apply"
    ALREADY = "already"
    STALE = "stale"


@dataclass(frozen=True, slots=True)
class ControlVerdict:
    """APPLY: do it, and store ``money`` (counter and digest moved) in the same write as the effect; when the effect
    turns out impossible, store nothing. ALREADY: answer DONE, do nothing. STALE: answer CONTROL."""

    outcome: ControlOutcome
    money: Money


def control(money: Money, counter: int, code: int, plain_body: bytes) -> ControlVerdict:
    """R10: whether a command of the given code with this counter is new, the one already done, or too old."""
    digest = control_digest(code, plain_body)
    if counter > money.last_control:
        return ControlVerdict(ControlOutcome.APPLY, replace(money, last_control=counter, control_digest=digest))
    # Zero is no counter: nothing was done under it, so nothing can be "already done" under it either.
    if counter == money.last_control != 0 and digest == money.control_digest:
        return ControlVerdict(ControlOutcome.ALREADY, money)
    return ControlVerdict(ControlOutcome.STALE, money)


def _is_burn_tag(tag: bytes) -> bool:
    if len(tag) != TAG_BYTES:
        raise MoneyError(f"tag: {len(tag)} bytes are not allowed; allowed is {TAG_BYTES}")
    return bool(tag[0] & _BURN_BIT)


def _enter(money: Money, entry: RingEntry) -> Money:
    return replace(money, ring=(*money.ring, entry)[-RING_ENTRIES_MAX:])


def _hold(money: Money, entry: RingEntry, limits: MoneyLimits) -> tuple[Money, Status]:
    if entry.amount_micro >= 0:
        moved = _receive(money, entry.amount_micro, limits)
    else:
        moved = _give_back(money, -entry.amount_micro)
    return (money, Status.IMPOSSIBLE) if moved is None else (_enter(moved, entry), Status.DONE)


def _receive(money: Money, amount_micro: int, limits: MoneyLimits) -> Money | None:
    """Money with the amount received, by whichever way it came: what is owed is paid first, the rest enters the SVM.

    None where the balance would pass its ceiling.
    """
    paid = min(money.owed_micro, amount_micro)
    received = money.received_micro + amount_micro
    balance = money.balance_micro + amount_micro - paid
    if (amount_micro > paid and balance > limits.ceiling_micro) or received > MONEY_MAX_MICRO:
        return None
    return replace(
        money,
        svm_micro=money.svm_micro + amount_micro - paid,
        owed_micro=money.owed_micro - paid,
        received_micro=received,
    )


def _give_back(money: Money, amount_micro: int) -> Money | None:
    """Money with the amount taken from SVM, then tank, then exchanger; None for more than there is, or while owing."""
    if money.owed_micro or amount_micro > money.balance_micro:
        return None
    from_svm = min(money.svm_micro, amount_micro)
    from_tank = min(money.tank_micro, amount_micro - from_svm)
    return replace(
        money,
        svm_micro=money.svm_micro - from_svm,
        tank_micro=money.tank_micro - from_tank,
        exchanger_micro=money.exchanger_micro - (amount_micro - from_svm - from_tank),
        returned_micro=money.returned_micro + amount_micro,
    )
