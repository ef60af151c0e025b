"""Postings: what the ledger is asked to write, one immutable line each.

A single posting is done at once. A pending one only reserves; later exactly one POST or VOID, an entry of its own, says
what became of it. Nothing is ever changed or removed: a correction is a new posting.
"""

from dataclasses import dataclass
from enum import StrEnum

from prewatt.host.ledger.accounts import AccountId

__all__ = ["POSTING_ID_CHARS_MAX", "Phase", "Posting"]

# An order's id is at most 64 characters; a posting's adds what step of the order it is.
POSTING_ID_CHARS_MAX = 96


class Phase(StrEnum):
    """Which half of which kind of posting an entry is."""

    SINGLE = "single"
    PENDING = "pending"
    POST = "post"
    VOID = "void"


@dataclass(frozen=True, slots=True)
class Posting:
    """``amount_micro`` from ``debit`` to ``credit``.

    ``id`` is the originator's and unique for ever. POST and VOID name the pending posting they end in ``pending_id``
    and repeat its accounts and amount. ``cause`` is a few words for people; ``reference`` the order or meter.
    """

    id: str
    phase: Phase
    debit: AccountId
    credit: AccountId
    amount_micro: int
    cause: str
    reference: str
    pending_id: str | None = None

    def same_as(self, other: "Posting") -> bool:
        """Whether two postings of one id ask for the same thing (words for people do not count)."""
        return (self.phase, self.debit, self.credit, self.amount_micro, self.pending_id) == (
            other.phase,
            other.debit,
            other.credit,
            other.amount_micro,
            other.pending_id,
        )
