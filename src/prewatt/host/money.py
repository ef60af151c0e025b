"""Where an order's money lies, and the postings that move it: from the customer's wallet to the meter, or back.

    cash -> wallet            the payment is guaranteed and the order is made
    wallet -> in transit      the order has a sequence (with a pending posting: in transit -> delivered)
    in transit -> delivered   the meter holds the order (the pending one is posted)
    in transit -> wallet      the order can never be applied (the pending one is voided)
    ... -> lost bodies        the order is inside a body that nobody can read
    ... -> carried            the money goes on into another order, of the meter that follows
    ... -> refunded           the customer has the money back
    lost bodies -> write off  a person took the loss, on a named account

An order's place and the number of its moves stand in its row; every move is one posting or two with an id made from
them, in the commit that stores the rules' decision. What is not in this picture is a bug and raises LedgerFaultError.
"""

from enum import StrEnum
from typing import Final

from prewatt.host.ledger import AccountId, AccountKind, Phase, Posting, account_id
from prewatt.host.refusals import HostError
from prewatt.host.store import Writing
from prewatt.host.store.postings import post

__all__ = ["LedgerFaultError", "OrderMoney", "Place", "post_match", "post_or_fail", "post_suspense"]


class LedgerFaultError(HostError):
    """The ledger refused what the rules decided; the commit is undone. A bug, never a business outcome."""


class Place(StrEnum):
    """Where the money of one order lies."""

    WALLET = "wallet"
    TRANSIT = "transit"
    DELIVERED = "delivered"
    LOST = "lost"
    REFUNDED = "refunded"
    CARRIED = "carried"
    WRITTEN_OFF = "written"


_ACCOUNTS: Final = {
    Place.WALLET: AccountKind.WALLET,
    Place.TRANSIT: AccountKind.IN_TRANSIT,
    Place.DELIVERED: AccountKind.DELIVERED,
    Place.LOST: AccountKind.LOST_BODIES,
    Place.REFUNDED: AccountKind.REFUNDED,
}
_CAUSES: Final = {
    (Place.WALLET, Place.TRANSIT): "numbered",
    (Place.TRANSIT, Place.WALLET): "cancelled",
    (Place.TRANSIT, Place.LOST): "lost with its body",
    (Place.WALLET, Place.LOST): "lost with its body",
    (Place.LOST, Place.WALLET): "found not to be in the body",
    (Place.LOST, Place.DELIVERED): "found in the body",
    (Place.WALLET, Place.REFUNDED): "refunded",
    (Place.LOST, Place.REFUNDED): "signed over: refunded",
}
_LEFT: Final = {
    Place.CARRIED: (AccountKind.CARRIED, "carried on"),
    Place.WRITTEN_OFF: (AccountKind.WRITE_OFF, "signed over: written off"),
}


class OrderMoney:
    """The money of one order inside one commit. ``place`` and ``moves`` go back into its row afterwards."""

    def __init__(
        self, writing: Writing, order_id: str, meter: str, amount_micro: int, place: Place, moves: int, at_s: int
    ) -> None:
        self._writing = writing
        self._order_id = order_id
        self._meter = meter
        self._amount_micro = amount_micro
        self._at_s = at_s
        self.place = place
        self.moves = moves

    def pay(self, authorization: str) -> None:
        """Cash comes in and stands in the wallet: the first move."""
        self._post(Phase.SINGLE, AccountKind.CASH, AccountKind.WALLET, f"paid, {authorization}")

    def carry_in(self) -> None:
        """What was put into this order's own account of things carried stands in the wallet: the first move."""
        source, wallet = account_id(AccountKind.CARRIED, self._order_id), account_id(AccountKind.WALLET, self._meter)
        self._post_between(Phase.SINGLE, source, wallet, "carried on")

    def leave(self, to: Place, owner: str) -> None:
        """The money leaves the order for good: into the order ``owner`` (CARRIED), or written off to that name."""
        if self.place not in (Place.WALLET, Place.LOST) or to not in _LEFT:
            raise LedgerFaultError(f"order {self._order_id}: no way from {self.place} to {to}")
        kind, cause = _LEFT[to]
        source = account_id(_ACCOUNTS[self.place], self._meter)
        self._post_between(Phase.SINGLE, source, account_id(kind, owner), cause)
        self.place = to

    def move(self, to: Place) -> None:
        """Moves the money where it is not yet; LedgerFaultError for a way that does not exist."""
        if to is self.place:
            return
        if to is Place.DELIVERED and self.place is Place.WALLET:
            self.move(Place.TRANSIT)
        if to is Place.DELIVERED and self.place is Place.TRANSIT:
            self._end_pending(Phase.POST, "delivered")
        else:
            self._move_plain(to)
        self.place = to

    def _move_plain(self, to: Place) -> None:
        cause = _CAUSES.get((self.place, to))
        if cause is None:
            raise LedgerFaultError(f"order {self._order_id}: no way from {self.place} to {to}")
        if self.place is Place.TRANSIT:
            self._end_pending(Phase.VOID, cause)
        self._post(Phase.SINGLE, _ACCOUNTS[self.place], _ACCOUNTS[to], cause)
        if to is Place.TRANSIT:
            self._post(Phase.PENDING, AccountKind.IN_TRANSIT, AccountKind.DELIVERED, "to be delivered")

    def _end_pending(self, phase: Phase, cause: str) -> None:
        # The pending posting is always the move before: money in transit does nothing else.
        pending_id = f"{self._order_id}/{self.moves}"
        self._post(phase, AccountKind.IN_TRANSIT, AccountKind.DELIVERED, cause, pending_id)

    def _post(
        self, phase: Phase, debit: AccountKind, credit: AccountKind, cause: str, pending_id: str | None = None
    ) -> None:
        source = account_id(debit, "" if debit is AccountKind.CASH else self._meter)
        self._post_between(phase, source, account_id(credit, self._meter), cause, pending_id)

    def _post_between(
        self, phase: Phase, debit: AccountId, credit: AccountId, cause: str, pending_id: str | None = None
    ) -> None:
        self.moves += 1
        posting = Posting(
            id=f"{self._order_id}/{self.moves}",
            phase=phase,
            debit=debit,
            credit=credit,
            amount_micro=self._amount_micro,
            cause=cause,
            reference=self._order_id,
            pending_id=pending_id,
        )
        post_or_fail(self._writing, posting, self._at_s)


def post_suspense(writing: Writing, meter: str, sequence: int, amount_micro: int, at_s: int) -> None:
    """Value that a meter proves to hold and no order explains: once per (meter, sequence).

    The meter's `delivered` follows the proof; `suspense` has the other side until a person explains it.
    """
    suspense, delivered = account_id(AccountKind.SUSPENSE, meter), account_id(AccountKind.DELIVERED, meter)
    debit, credit = (suspense, delivered) if amount_micro > 0 else (delivered, suspense)
    posting = Posting(
        id=f"{meter}:{sequence:08X}/suspense",
        phase=Phase.SINGLE,
        debit=debit,
        credit=credit,
        amount_micro=abs(amount_micro),
        cause=f"held by the meter under sequence {sequence:08X}, unexplained",
        reference=meter,
    )
    post_or_fail(writing, posting, at_s)


def post_match(writing: Writing, meter: str, sequence: int, amount_micro: int, at_s: int) -> None:
    """A person said which order value in suspense was: the order itself delivers it, so suspense lets it go."""
    suspense, delivered = account_id(AccountKind.SUSPENSE, meter), account_id(AccountKind.DELIVERED, meter)
    debit, credit = (delivered, suspense) if amount_micro > 0 else (suspense, delivered)
    cause = f"sequence {sequence:08X} was an order"
    posting_id = f"{meter}:{sequence:08X}/matched"
    post_or_fail(writing, Posting(posting_id, Phase.SINGLE, debit, credit, abs(amount_micro), cause, meter), at_s)


def post_or_fail(writing: Writing, posting: Posting, at_s: int) -> None:
    """Posts; LedgerFaultError unless the entry stands in the books afterwards."""
    outcome = post(writing, posting, at_s=at_s)
    if not outcome.done:
        raise LedgerFaultError(f"posting {posting.id}: {outcome}")
