"""What the host answers about bodies that ended, value codes and matched suspense; see `prewatt.host.answers`."""

from dataclasses import dataclass
from enum import StrEnum

from prewatt.host.answers import Answer

__all__ = ["BodyAnswer", "CodeAnswer", "SignOverAnswer", "SignOverTarget"]


class SignOverTarget(StrEnum):
    """Where a person may sign value over to."""

    METER = "meter"
    REFUND = "refund"
    WRITE_OFF = "write off"


@dataclass(frozen=True, slots=True)
class SignOverAnswer(Answer):
    """One lot of a lost body that a person signed over: an order, or `balance 1`, `balance 2`, ..."""

    lot: str
    amount_micro: int
    target: SignOverTarget
    name: str
    """The meter it went to, or the account it was written off to; empty for a refund."""
    order: str | None
    cause: str
    at_s: int


@dataclass(frozen=True, slots=True)
class BodyAnswer(Answer):
    """A body that was asked to retire, retired, or was lost, and where its value is."""

    meter: str
    epoch: int
    state: str
    """`retiring`, `retired`, `moved` (its value followed) or `lost`."""
    reason: str
    made_s: int
    balance_micro: int | None
    """What it has left by its newest word; null while a retired one was not read."""
    moved_micro: int | None
    to_meter: str | None
    order: str | None
    """The order that carries its balance."""
    moved_s: int | None
    lost_micro: int
    """Of its balance, what stands in `lost bodies` and waits for a person."""
    lost_orders: tuple[str, ...]
    """Orders that nobody can say whether it holds; they too wait for a person."""
    signed_over: tuple[SignOverAnswer, ...]
    unreported_micro: int
    """Burned by the body after its value had moved on: a case for a person."""


@dataclass(frozen=True, slots=True)
class CodeAnswer(Answer):
    """An order on paper: twenty digits for the customer to type at the meter."""

    order: str
    meter: str
    digits: str
    """The twenty digits; people read them in groups of four."""
    sequence: int
    amount_micro: int
    open: int
    """How many orders of this meter are open as codes; they have to be typed in the order of their sequences."""
