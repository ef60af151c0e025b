"""Accounts: the places where a paid micro-unit can be, as the law of conservation lists them.

An account is a kind and an owner (a meter's id, a cause, or nothing). Money comes in by a debit of `cash` and stands as
a credit in exactly one place. Four kinds may go to the debit side: `cash` by its nature, `suspense` because it holds
value that a meter shows and the books cannot explain, `delivered` because it follows what a meter proves, whatever that
is; the audit names one that went below zero; and `subsidy` because the seller adds from it to what a customer pays.
Every other place never gives away more than it has.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NewType

__all__ = ["PLACES", "Account", "AccountId", "AccountKind", "account_id", "kind_of", "owner_of"]

AccountId = NewType("AccountId", str)


class AccountKind(StrEnum):
    """What kind of place an account is."""

    CASH = "cash"
    WALLET = "wallet"
    IN_TRANSIT = "in_transit"
    DELIVERED = "delivered"
    ON_CARD = "on_card"
    OFFLINE_METER = "offline_meter"
    REFUNDED = "refunded"
    FEE = "fee"
    TAX = "tax"
    LEVY = "levy"
    STANDING = "standing"
    SUBSIDY = "subsidy"
    """What blocks, allowances and discounts of a rate plan bring and cost beside the unit price."""
    DEBT_REPAID = "debt_repaid"
    ROUNDING = "rounding"
    SUSPENSE = "suspense"
    LOST_BODIES = "lost_bodies"
    CARRIED = "carried"
    """From one order or body into the order that carries it on; always empty after a commit."""
    WRITE_OFF = "write_off"


_MAY_GO_BELOW_ZERO: Final = frozenset(
    {AccountKind.CASH, AccountKind.SUSPENSE, AccountKind.DELIVERED, AccountKind.SUBSIDY}
)
PLACES: Final = frozenset(AccountKind) - {AccountKind.CASH}


@dataclass(frozen=True, slots=True)
class Account:
    """Cumulative debits and credits, micro-units; the pending ones are reserved and become posted or are voided."""

    id: AccountId
    debits_micro: int = 0
    credits_micro: int = 0
    debits_pending_micro: int = 0
    credits_pending_micro: int = 0

    @property
    def kind(self) -> AccountKind:
        """The kind that the id names."""
        return kind_of(self.id)

    @property
    def balance_micro(self) -> int:
        """What stands on the credit side, posted."""
        return self.credits_micro - self.debits_micro

    @property
    def available_micro(self) -> int:
        """What may still be debited: posted, less what pending postings have reserved."""
        return self.balance_micro - self.debits_pending_micro

    def may_give(self, amount_micro: int) -> bool:
        """Whether a debit of so much leaves the account where its kind allows it to be."""
        return self.kind in _MAY_GO_BELOW_ZERO or self.available_micro >= amount_micro


def account_id(kind: AccountKind, owner: str = "") -> AccountId:
    """The id of the account of ``kind`` that belongs to ``owner`` (a meter's id, a cause; none: the house's own)."""
    return AccountId(f"{kind.value}:{owner}" if owner else kind.value)


def kind_of(account: str) -> AccountKind:
    """The kind in an account's id; ValueError where there is no such kind."""
    return AccountKind(account.partition(":")[0])


def owner_of(account: str) -> str:
    """The owner in an account's id, empty where there is none."""
    return account.partition(":")[2]
