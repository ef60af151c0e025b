"""Events and effects of the acquirer machine.

Effects are carried out in their order, with one rule: **every `Save` of a step is durable before anything behind it is
done**. Steps may be taken together: then first all their saves in one commit, then the rest. Where a save fails,
nothing behind it may be done, and the machine is given up: a new one starts from the rows.
"""

from dataclasses import dataclass, field

from prewatt.host.payment.iso8583.card import Card, CardOnFile
from prewatt.host.payment.iso8583.messages import Wire
from prewatt.host.payment.iso8583.rows import PaymentRow, Trace
from prewatt.host.payment.port import PaymentOutcome, PaymentState
from prewatt.host.refusals import RefusalOutcome

__all__ = [
    "Answer",
    "Ask",
    "Capture",
    "Dial",
    "Effect",
    "Event",
    "HangUp",
    "LineLost",
    "LineUp",
    "Note",
    "Received",
    "Refuse",
    "Reverse",
    "Save",
    "SaveTrace",
    "Send",
    "SignOver",
    "Started",
    "Tell",
    "Tick",
]


@dataclass(frozen=True, slots=True)
class Started:
    """The first event: what was open before the start is taken up."""


@dataclass(frozen=True, slots=True)
class Ask:
    """Somebody asks for a guarantee. ``call`` comes back in `Answer` or `Refuse`. ``known``: the stored row of this
    id where it has ended (what is open the machine knows itself)."""

    call: int
    payment_id: str
    amount_minor: int
    card: Card | CardOnFile
    known: PaymentRow | None = None


@dataclass(frozen=True, slots=True)
class Capture:
    """The owner decides to take the money; ``known`` as in `Ask`."""

    call: int
    payment_id: str
    known: PaymentRow | None = None


@dataclass(frozen=True, slots=True)
class Reverse:
    """The owner decides to give the money back; ``known`` as in `Ask`."""

    call: int
    payment_id: str
    known: PaymentRow | None = None


@dataclass(frozen=True, slots=True)
class SignOver:
    """A person has the acquirer's word, on paper, how a payment ended that its machine would not confirm."""

    call: int
    payment_id: str
    state: PaymentState
    known: PaymentRow | None = None


@dataclass(frozen=True, slots=True)
class LineUp:
    """A connection is there."""


@dataclass(frozen=True, slots=True)
class LineLost:
    """The connection is gone, or could not be made."""


@dataclass(frozen=True, slots=True)
class Received:
    """A message of theirs, whole."""

    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Tick:
    """Time has passed; due at the machine's ``wake_ms``, harmless earlier."""


Event = Started | Ask | Capture | Reverse | SignOver | LineUp | LineLost | Received | Tick


@dataclass(frozen=True, slots=True)
class Save:
    """Make this row durable. ``before``: the state its stored row has now (compare and set), None: there is none
    yet."""

    row: PaymentRow
    before: PaymentState | None


@dataclass(frozen=True, slots=True)
class SaveTrace:
    """Make the number of the last message durable, in the same commit as the rows beside it."""

    trace: Trace


@dataclass(frozen=True, slots=True)
class Send:
    """Hand these bytes to the connection, if it is still there. They may hold a card number: drop them afterwards."""

    data: Wire


@dataclass(frozen=True, slots=True)
class Answer:
    """What a call is told at once."""

    call: int
    outcome: PaymentOutcome


@dataclass(frozen=True, slots=True)
class Refuse:
    """Why a call is refused; nothing was changed."""

    call: int
    outcome: RefusalOutcome
    field: str
    given: str
    allowed: str


@dataclass(frozen=True, slots=True)
class Tell:
    """What became of a payment, for whoever waits for it."""

    payment_id: str
    outcome: PaymentOutcome


@dataclass(frozen=True, slots=True)
class Dial:
    """Make a connection; `LineUp` or `LineLost` follows."""


@dataclass(frozen=True, slots=True)
class HangUp:
    """Give the connection up; `LineLost` follows."""

    why: str


@dataclass(frozen=True, slots=True)
class Note:
    """Something for the log and for people: ``what`` in words that stay the same, and whose. Never a card number."""

    what: str
    payment_id: str = ""
    rrn: str = ""
    code: str = ""


Effect = Save | SaveTrace | Send | Answer | Refuse | Tell | Dial | HangUp | Note
