"""What bounds a meter's money: the most its fields hold, and the settings that a seller chooses inside that."""

from dataclasses import dataclass
from typing import Final

__all__ = ["MONEY_MAX_MICRO", "OWED_MAX_MICRO", "TOKEN_MAX_MICRO", "MoneyError", "MoneyLimits"]

# Received value of one body, ever: the i64 of a transfer body; nine million million currency units.
MONEY_MAX_MICRO: Final = 2**63 - 1
# The most that may ever be owed; burned is at most received + owed and so stays below the u64 of the record.
OWED_MAX_MICRO: Final = 10**15
# A hundred tokens then are 10^14 micro-units, far below MONEY_MAX_MICRO.
TOKEN_MAX_MICRO: Final = 10**12


class MoneyError(ValueError):
    """Money that breaks the law or leaves its fields: a fault of the program or of the memory."""


@dataclass(frozen=True, slots=True)
class MoneyLimits:
    """Settings that bound the money: a unit token, the ceiling of the balance, and how much may be owed."""

    token_micro: int = 1_000
    ceiling_micro: int = 10**12
    owed_max_micro: int = 1_000_000

    def __post_init__(self) -> None:
        for field, given, low, high in (
            ("token_micro", self.token_micro, 1, TOKEN_MAX_MICRO),
            ("ceiling_micro", self.ceiling_micro, 0, MONEY_MAX_MICRO),
            ("owed_max_micro", self.owed_max_micro, 0, OWED_MAX_MICRO),
        ):
            if not low <= given <= high:
                raise MoneyError(f"{field}: {given} is not allowed; allowed is {low} to {high}")

    @property
    def ten_micro(self) -> int:
        """Ten tokens: what the exchanger holds at most, and the step of journal writes."""
        return 10 * self.token_micro

    @property
    def hundred_micro(self) -> int:
        """A hundred tokens: what the tank holds at most, and one authorization of the SAM."""
        return 100 * self.token_micro
