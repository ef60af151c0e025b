"""Ways to pay: an order is made only against a payment that somebody guarantees, and names its authorization number.

A method is asked before the order's commit, under the order's own id, so that asking again after a crash guarantees
the same payment and not another. Cash needs nobody: it lies in the drawer, and the host numbers it itself in the
commit that makes the order. Acquirers, banks and mobile money implement the same port.
"""

from dataclasses import dataclass
from typing import Final, Protocol

__all__ = ["CASH", "CashPayment", "Guarantee", "PaymentMethod", "cash_authorization"]

_CASH_DIGITS: Final = 11


@dataclass(frozen=True, slots=True)
class Guarantee:
    """The payment of one order is guaranteed. ``authorization`` None: the host numbers it (cash)."""

    method: str
    authorization: str | None


class PaymentMethod(Protocol):
    """The port of a way to pay."""

    @property
    def name(self) -> str:
        """The one word under which it stands in the books."""
        ...

    def guarantee(self, order_id: str, amount_micro: int) -> Guarantee:
        """Guarantees the payment of an order; the same order again gives the same guarantee.

        RefusedError where the payer's side refuses: then no order is made.
        """
        ...


class CashPayment:
    """Cash at the counter."""

    name = "cash"

    def guarantee(self, order_id: str, amount_micro: int) -> Guarantee:
        """Cash in the hand is its own guarantee."""
        return Guarantee(self.name, None)


CASH: Final = CashPayment()


def cash_authorization(order_number: int) -> str:
    """The authorization number of a cash payment: C and the order's number."""
    return f"C{order_number:0{_CASH_DIGITS}d}"
