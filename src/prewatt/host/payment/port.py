"""What every way to pay is: ask for a guarantee, then capture it or reverse it, and compare a day with their list.

The laws, which hold for each method through lost messages, crashes and restarts:

1. **Once.** A payment is known by the caller's id. The same id with the same amount is the same payment, whatever
   became of it, and is never asked for twice; with another amount it is refused.
2. **A time-out is never a guess.** Where nobody can know whether the payer's money is held, the payment is `Unknown`:
   the method reverses it by itself, again and again, until the other side has said that it is undone.
3. **One end.** Every payment ends captured, reversed or declined, in exactly one of them and for good. A guaranteed
   payment stays guaranteed until its owner decides; the first decision holds, and the other is refused
   (`ALREADY_SETTLED`).
4. **Durable first.** What is said to others, or to the caller, rests on rows that are durable already.

So an owner does three things: ask; commit what is bought together with the authorization number; capture. What it finds
guaranteed after a crash (`read_open`) it captures where that commit exists, and reverses where it does not.

A method is an entry point of the group `prewatt.payments`: its name is the word under which payments stand in the
books, its object is a `PaymentScheme`. Anybody's package can add one.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Final, Protocol, runtime_checkable

from prewatt.units import ValueFieldError

__all__ = [
    "ENDED_STATES",
    "NEXT_STATES",
    "PAYMENTS_GROUP",
    "Asked",
    "Captured",
    "Capturing",
    "Declined",
    "Guaranteed",
    "Means",
    "PaymentMethod",
    "PaymentOutcome",
    "PaymentRequest",
    "PaymentScheme",
    "PaymentState",
    "Pending",
    "Reversed",
    "StatementRow",
    "Unknown",
    "find_payment_scheme",
    "installed_payments",
    "is_decided",
    "outcome_has_ended",
]

PAYMENTS_GROUP: Final = "prewatt.payments"


class PaymentState(StrEnum):
    """Where a payment stands. What may follow what is `NEXT_STATES`; nothing else ever does."""

    ASKED = "asked"
    PENDING = "pending"
    GUARANTEED = "guaranteed"
    CAPTURING = "capturing"
    CAPTURED = "captured"
    REVERSING = "reversing"
    REVERSED = "reversed"
    DECLINED = "declined"


NEXT_STATES: Final[Mapping[PaymentState, frozenset[PaymentState]]] = {
    PaymentState.ASKED: frozenset(
        (PaymentState.PENDING, PaymentState.GUARANTEED, PaymentState.DECLINED, PaymentState.REVERSING)
    ),
    PaymentState.PENDING: frozenset((PaymentState.GUARANTEED, PaymentState.DECLINED, PaymentState.REVERSING)),
    PaymentState.GUARANTEED: frozenset((PaymentState.CAPTURING, PaymentState.REVERSING)),
    # Their side may refuse the completion; then what is held is given back.
    PaymentState.CAPTURING: frozenset((PaymentState.CAPTURED, PaymentState.REVERSING)),
    PaymentState.REVERSING: frozenset((PaymentState.REVERSED,)),
    PaymentState.CAPTURED: frozenset(),
    PaymentState.REVERSED: frozenset(),
    PaymentState.DECLINED: frozenset(),
}
ENDED_STATES: Final = frozenset(state for state, following in NEXT_STATES.items() if not following)


class Means:
    """What the payer pays with: a card, a wallet, a telephone number. Each method says which it takes."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class PaymentRequest:
    """``payment_id``: the caller's own. ``amount_micro``: above 0, whole minor units of the installation's currency."""

    payment_id: str
    amount_micro: int
    means: Means


@dataclass(frozen=True, slots=True)
class Asked:
    """The question is durable and on its way; nobody has answered yet. Another outcome follows by itself."""


@dataclass(frozen=True, slots=True)
class Pending:
    """Their side has it and waits for the payer (a PIN on a telephone). It ends by itself; no clock of ours ends it."""


@dataclass(frozen=True, slots=True)
class Guaranteed:
    """The payer's money is held for us. ``authorization``: the number of this guarantee, unique in the books.
    ``for_device``: what the other side says to the payer's device (for chip cards data element 55 in hex digits), given
    once with the answer and kept nowhere."""

    authorization: str
    for_device: str = field(default="", repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Declined:
    """The payment ended without money: ``reason`` for programs, ``code`` as the other side wrote it ("": it was not
    asked). Where ``asked`` is False nothing left the house, and the same id may be asked for again."""

    reason: str
    code: str = ""
    asked: bool = True
    for_device: str = field(default="", repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Unknown:
    """Nobody can know, or the owner wants it back: it is being reversed until their side has said that it is undone.
    ``reason``: why. It is no guarantee and will not become one."""

    reason: str


@dataclass(frozen=True, slots=True)
class Capturing:
    """The decision to capture is durable; their side is told until it has confirmed."""

    authorization: str


@dataclass(frozen=True, slots=True)
class Captured:
    """Ended: the money is ours."""

    authorization: str


@dataclass(frozen=True, slots=True)
class Reversed:
    """Ended: nothing is held and nothing was taken. ``reason``: why it was reversed."""

    reason: str


PaymentOutcome = Asked | Pending | Guaranteed | Declined | Unknown | Capturing | Captured | Reversed


def is_decided(outcome: PaymentOutcome) -> bool:
    """Whether whoever asked for a guarantee need not wait any longer."""
    return not isinstance(outcome, Asked | Pending)


def outcome_has_ended(outcome: PaymentOutcome) -> bool:
    """Whether nothing else will be told of this payment."""
    return isinstance(outcome, Captured | Declined | Reversed)


@dataclass(frozen=True, slots=True)
class StatementRow:
    """One payment on the other side's list of a day. ``reference``: what both sides know it by. ``authorization``:
    their number of the guarantee, "" where the list has none. ``state``: "captured" or "reversed"."""

    reference: str
    authorization: str
    amount_micro: int
    state: str


class PaymentMethod(Protocol):
    """The port of a way to pay. All methods may be called from any thread; none waits longer than it says."""

    @property
    def name(self) -> str:
        """The one word under which it stands in the books."""
        ...

    def ask(self, request: PaymentRequest) -> PaymentOutcome:
        """Asks for a guarantee and waits for it, at most as long as the method waits for an answer (its own setting).

        `Guaranteed`, `Declined` or `Unknown`; `Pending` where the payer has to act first. ValueFieldError for a request
        that cannot be one; RefusedError(EXISTS_WITH_DIFFERENT_FIELDS) for an id that has another amount.
        """
        ...

    def capture(self, payment_id: str) -> PaymentOutcome:
        """Decides to take the money, durably, and does not wait for the other side: `Capturing` or `Captured`.

        RefusedError(ALREADY_SETTLED) where it is not guaranteed any more, or never was; UNKNOWN_PAYMENT.
        """
        ...

    def reverse(self, payment_id: str) -> PaymentOutcome:
        """Decides to give the money back, durably: `Unknown` (being reversed) or `Reversed`. RefusedError as
        `capture`."""
        ...

    def read(self, payment_id: str) -> PaymentOutcome | None:
        """How a payment stands; None where it was never asked for."""
        ...

    def read_open(self) -> Mapping[str, PaymentOutcome]:
        """All payments that have not ended."""
        ...

    def statement(self, day: str) -> Iterable[StatementRow]:
        """Their list of a day, ``YYYY-MM-DD``; HostError where it cannot be had (yet)."""
        ...

    def close(self) -> None:
        """Lets go of the other side; what is open goes on after the next start."""
        ...


@runtime_checkable
class PaymentScheme(Protocol):
    """What an entry point of `prewatt.payments` names."""

    def open(self, settings: Mapping[str, str], journal: object) -> PaymentMethod:
        """An open method. ``settings``: the method's own; ``journal``: where it keeps its rows, as its page says.

        ValueFieldError names a setting that is not allowed, or is missing.
        """
        ...


def installed_payments() -> Mapping[str, EntryPoint]:
    """The ways to pay that are installed, by name, in alphabetical order."""
    found = {point.name: point for point in entry_points(group=PAYMENTS_GROUP)}
    return dict(sorted(found.items()))


def find_payment_scheme(name: str) -> PaymentScheme:
    """The way to pay of this name; ValueFieldError names all there are."""
    points = installed_payments()
    if name not in points:
        raise ValueFieldError("payment method", name, f"one of {', '.join(points) or 'none: nothing is installed'}")
    return _load(points[name])


@cache
def _load(point: EntryPoint) -> PaymentScheme:
    try:
        scheme = point.load()
    except Exception as error:
        allowed = f"a way to pay that loads; {point.value} does not: {error}"
        raise ValueFieldError("payment method", point.name, allowed) from error
    if not isinstance(scheme, PaymentScheme):
        raise ValueFieldError("payment method", point.name, f"an object with open; {point.value} is none")
    return scheme
