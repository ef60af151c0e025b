"""What the accounting answers. Balances are credits less debits: positive where the house owes, negative for `cash`."""

from dataclasses import dataclass
from enum import StrEnum

from prewatt.host.answers import Answer

__all__ = [
    "BalanceAnswer",
    "BalanceRow",
    "ExportAnswer",
    "ExportForm",
    "PeriodAnswer",
    "StatementAnswer",
    "StatementRow",
]


class ExportForm(StrEnum):
    """In which form entries leave the books."""

    CSV = "csv"
    BEANCOUNT = "beancount"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class BalanceRow(Answer):
    """An account, or all accounts of a kind."""

    account: str
    debits_micro: int
    credits_micro: int
    balance_micro: int


@dataclass(frozen=True, slots=True)
class BalanceAnswer(Answer):
    """The trial balance: what was posted until a moment. The books balance where both sums are the same."""

    until_s: int | None
    """Entries dated before this second; null: all."""
    rows: tuple[BalanceRow, ...]
    debits_micro: int
    credits_micro: int
    currency: str


@dataclass(frozen=True, slots=True)
class StatementRow(Answer):
    """An entry that moved money into an account (positive) or out of it, and what it held then."""

    entry: int
    id: str
    at_s: int
    other: str
    amount_micro: int
    balance_micro: int
    cause: str
    reference: str


@dataclass(frozen=True, slots=True)
class StatementAnswer(Answer):
    """One account over a period: opening balance, every entry, closing balance."""

    account: str
    from_s: int | None
    until_s: int | None
    opening_micro: int
    rows: tuple[StatementRow, ...]
    closing_micro: int
    currency: str


@dataclass(frozen=True, slots=True)
class PeriodAnswer(Answer):
    """A close: everything dated before ``until_s`` stands as it is."""

    number: int
    until_s: int
    last_day: str
    """The last day of the closed period, in the installation's calendar."""
    last_entry: int
    """Number of the last entry that was in the books then."""
    head: str
    """Hash of the last link of the chain before the close, in hex."""
    actor: str
    at_s: int


@dataclass(frozen=True, slots=True)
class ExportAnswer(Answer):
    """A part of the exported text; the parts one behind the other are the document."""

    form: ExportForm
    entries: int
    """Entries in this part."""
    after: int | None
    """Number of its last entry, to ask for what follows; null where this was the last part."""
    text: str
