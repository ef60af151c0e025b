"""What a sale asks for before its commit, and cash, which needs nobody: it lies in the drawer.

A guarantor is asked under the order's own id, so that asking again after a crash guarantees the same payment and not
another. The host numbers cash itself, in the commit that makes the order.
"""

from dataclasses import dataclass
from typing import Final, Protocol

__all__ = ["CASH", "CashPayment", "Guarantee", "Guarantor", "cash_authorization"]

_CASH_DIGITS: Final = 11


@dataclass(frozen=True, slots=True)
class Guarantee:
    """The payment of one order is guaranteed. ``authorization`` None: the host numbers it (cash)."""

    method: str
    authorization: str | None


class Guarantor(Protocol):
    """Whoever guarantees the payment of an order at once."""

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
