"""What a seller knows of one contract when somebody buys: the month so far, the standing charge, the debt.

A quote takes one and gives the next, to be stored with the sale; nothing here asks a clock. Counters of the calendar
month begin anew with the first purchase of a later one.
"""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final

from prewatt.host.rates.parts import Per, StandingCharge, check_within
from prewatt.units import ValueFieldError

__all__ = ["RateStanding"]

# Beyond every sum of sales; what is below 0 or above it is a mistake of the caller.
_COUNTER_MAX: Final = 10**36
_MONTHS: Final = 12


@dataclass(frozen=True, slots=True)
class RateStanding:
    """One contract on the local day ``today``.

    ``bought_pulses``, ``entry_paid_micro`` (block charges) and ``debt_paid_micro`` are those of today's calendar month
    before this purchase. ``unpaid_from`` is the first day whose standing charge is not paid: at first the contract's
    first day. ``lifeline`` is the contract's flag.
    """

    today: date
    unpaid_from: date | None = None
    bought_pulses: int = 0
    entry_paid_micro: int = 0
    debt_micro: int = 0
    debt_paid_micro: int = 0
    lifeline: bool = False

    def __post_init__(self) -> None:
        for name in ("bought_pulses", "entry_paid_micro", "debt_micro", "debt_paid_micro"):
            check_within(f"standing.{name}", getattr(self, name), 0, _COUNTER_MAX)

    def on(self, today: date) -> "RateStanding":
        """The same contract on another day; a later month counts from nothing.

        On an earlier day, which is a clock that was put right, everything counts on: nobody is refused for it.
        """
        if _month(today) <= _month(self.today):
            return replace(self, today=today)
        return replace(self, today=today, bought_pulses=0, entry_paid_micro=0, debt_paid_micro=0)

    def count_due(self, charge: StandingCharge) -> int:
        """How many standing charges this purchase takes."""
        if self.unpaid_from is None:
            raise ValueFieldError("standing.unpaid_from", None, "a day, where the plan has a standing charge")
        if self.unpaid_from > self.today:
            return 0
        if charge.per is Per.DAY:
            due = (self.today - self.unpaid_from).days + 1
        else:
            due = _month(self.today) - _month(self.unpaid_from) + 1
        return min(due, charge.periods_most)

    def read_unpaid_after(self, charge: StandingCharge, count: int) -> date | None:
        """``unpaid_from`` once ``count`` charges more are paid."""
        if self.unpaid_from is None or not count:
            return self.unpaid_from
        if charge.per is Per.DAY:
            return self.unpaid_from + timedelta(days=count)
        year, month = divmod(_month(self.unpaid_from) + count, _MONTHS)
        return date(year, month + 1, 1)


def _month(day: date) -> int:
    return day.year * _MONTHS + day.month - 1
