"""What goes into the rules of transfer and what comes out: work for a session, facts from a meter, ledger changes.

The host turns `Work` into a command, keeps `Work.begun` beside the session, and gives it back with the Result. Each
`Change` is one thing to post in the commit that stores the new book, and nothing else moves money.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from prewatt.codec.commands import Code
from prewatt.codec.receipt import Receipt, RingEntry
from prewatt.protocol.transfer_book import FreezeReason, Order, UnsyncReason
from prewatt.units import Sequence

__all__ = [
    "Begun",
    "Cancelled",
    "Change",
    "Commissioned",
    "Confirmed",
    "ControlDone",
    "ControlImpossible",
    "ControlStale",
    "Fact",
    "Frozen",
    "Lost",
    "Measured",
    "Refused",
    "Renumbered",
    "ReportFact",
    "ResultFact",
    "Retired",
    "SignedOver",
    "Suspense",
    "Synced",
    "Totals",
    "Unsynced",
    "Work",
    "WorkKind",
]


class WorkKind(StrEnum):
    """What a session is for."""

    TRANSFER = "transfer"
    BURN = "burn"
    FENCE = "fence"
    RING = "ring"
    COMMISSION = "commission"
    RETIRE = "retire"
    CONTROL = "control"
    QUERY = "query"


@dataclass(frozen=True, slots=True)
class Begun:
    """What the book knew when the session's Hello was made, so that its Result can be told from an older one."""

    floor: int
    heard: int
    episode: int


@dataclass(frozen=True, slots=True)
class Work:
    """One command to send in a fresh session: H is (code, sequence), ``body`` the plain body, never
    shown (that of code 05 holds a key).

    ``order_id`` is set for TRANSFER and BURN. ``numbered`` says that this call gave the order its number.
    """

    kind: WorkKind
    code: Code
    sequence: Sequence
    body: bytes = field(repr=False)
    begun: Begun
    order_id: str | None = None
    numbered: bool = False


@dataclass(frozen=True, slots=True)
class Totals:
    """The sums of an authenticated Info. Each only grows in one body (owed aside), so their sum orders Infos."""

    received_micro: int
    burned_micro: int
    returned_micro: int
    owed_micro: int


@dataclass(frozen=True, slots=True)
class ResultFact:
    """A session that reached Done. ``ring`` where the Result carries one (04, and part 1 of 03's Info), oldest first,
    complete; ``totals`` where it carries Info."""

    work: Work
    receipt: Receipt
    ring: tuple[RingEntry, ...] | None = None
    totals: Totals | None = None


@dataclass(frozen=True, slots=True)
class ReportFact:
    """A Report that opened: authentic, of any age, in any order."""

    receipt: Receipt
    ring: tuple[RingEntry, ...] | None = None
    totals: Totals | None = None


Fact = ResultFact | ReportFact


@dataclass(frozen=True, slots=True)
class Confirmed:
    """The meter holds the order: in transit -> delivered (a return: the reverse). ``too_late``: a cancel was asked."""

    order: Order
    sequence: Sequence
    too_late: bool = False


@dataclass(frozen=True, slots=True)
class Cancelled:
    """The order can never be applied any more: in transit -> wallet."""

    order: Order


@dataclass(frozen=True, slots=True)
class Renumbered:
    """The order's number went to somebody else or to nobody; the order stays, and gets a new number when work is
    next chosen. ``code_void``: a value code on paper for it can never be applied; tell the customer."""

    order: Order
    was: Sequence
    code_void: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    """The meter cannot take the order now (status 2): shown as "refused by meter"; it is tried again."""

    order: Order


@dataclass(frozen=True, slots=True)
class Suspense:
    """Value that the meter holds and no order explains: post the amount to suspense; once per (meter, sequence)."""

    entry: RingEntry


@dataclass(frozen=True, slots=True)
class Frozen:
    """Nothing more is sent until a person has decided (`thaw`, `body_lost`)."""

    reason: FreezeReason
    detail: str


@dataclass(frozen=True, slots=True)
class Unsynced:
    """Only fences go out from here; sessions begun earlier prove nothing about freshness."""

    reason: UnsyncReason


@dataclass(frozen=True, slots=True)
class Synced:
    """Everything the meter holds is booked and nothing forgotten can still arrive: reconcile payments now, then call
    `reconciled`."""

    last_sequence: Sequence


@dataclass(frozen=True, slots=True)
class Commissioned:
    """The body takes value in this epoch."""

    epoch: int


@dataclass(frozen=True, slots=True)
class Retired:
    """The body takes no more value, and everything it ever held is booked."""

    epoch: int


@dataclass(frozen=True, slots=True)
class Lost:
    """Nobody can say whether the meter holds the order: in transit -> lost bodies, until a later fact or a person
    decides (Confirmed, Cancelled, Renumbered and SignedOver of an order that was lost take it out of there)."""

    order: Order


@dataclass(frozen=True, slots=True)
class SignedOver:
    """A person took the order of a lost body out of the book: lost bodies -> where that person says."""

    order: Order


@dataclass(frozen=True, slots=True)
class ControlDone:
    """The control command of this digest took effect, now or earlier."""

    digest: bytes


@dataclass(frozen=True, slots=True)
class ControlStale:
    """The counter was behind the meter's; ask `next_control` again and send under the new counter."""

    digest: bytes


@dataclass(frozen=True, slots=True)
class ControlImpossible:
    """The meter understood and could not do it; no counter was used."""

    digest: bytes


@dataclass(frozen=True, slots=True)
class Measured:
    """What is newer than everything known before: the receipt's balance, the sums, or both. Show it; never less."""

    receipt: Receipt | None
    totals: Totals | None


Change = (
    Confirmed
    | Cancelled
    | Renumbered
    | Refused
    | Suspense
    | Frozen
    | Unsynced
    | Synced
    | Commissioned
    | Retired
    | Lost
    | SignedOver
    | ControlDone
    | ControlStale
    | ControlImpossible
    | Measured
)
