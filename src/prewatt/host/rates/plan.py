"""A rate plan: everything a seller asks for energy, as one frozen value with a version and the days it is valid.

The meter knows a unit price and the hours at which price holds. What it does not know is settled when value is
bought: blocks of a calendar month, a standing charge, a lifeline allowance, taxes, levies, fees, discounts, debt. Every
kilowatt-hour of a plan is one *at the unit price*: value / unit price. Money is micro-units, energy is pulses of
0.1 Wh. `docs/guide/rates.md` tells it to a seller.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise
from typing import Final

from prewatt.host.rates.hours import Hours
from prewatt.host.rates.parts import (
    BLOCKS_MAX,
    ENERGY_BASE,
    LINES_MAX,
    STANDING_BASE,
    Block,
    DebtRule,
    Lifeline,
    MeterTerms,
    PurchaseLimits,
    RateLine,
    Rounding,
    StandingCharge,
    check_name,
    check_within,
)
from prewatt.host.rates.shares import gross_of, pulse_cost
from prewatt.units import MICRO_DIGITS, MICRO_PER_UNIT, VALUE_MAX_MICRO, ValueFieldError, format_kwh, format_value

__all__ = ["VERSION_MAX", "RatePlan", "choose_plan"]

VERSION_MAX: Final = 2**31 - 1


@dataclass(frozen=True, slots=True)
class RatePlan:
    """See the module. ``valid_from`` and ``valid_to`` are local days, both included; None is without end."""

    name: str
    version: int
    valid_from: date
    unit_price_micro: int
    hours: Hours
    valid_to: date | None = None
    digits: int = 2
    rounding: Rounding = Rounding.HALF_UP
    blocks: tuple[Block, ...] = ()
    standing: StandingCharge | None = None
    lifeline: Lifeline | None = None
    lines: tuple[RateLine, ...] = ()
    purchase: PurchaseLimits | None = None
    debt: DebtRule | None = None
    terms: MeterTerms = field(default_factory=MeterTerms)

    def __post_init__(self) -> None:
        check_name("name", self.name)
        check_within("version", self.version, 1, VERSION_MAX)
        check_within("price.unit", self.unit_price_micro, 1, VALUE_MAX_MICRO)
        check_within("digits", self.digits, 0, MICRO_DIGITS)
        if self.valid_to is not None and self.valid_to < self.valid_from:
            raise ValueFieldError("valid_to", self.valid_to.isoformat(), "a day from valid_from on")
        self._check_blocks()
        self._check_amounts()
        self._check_lines()
        self._check_slopes()
        self._check_largest()

    @property
    def minor_micro(self) -> int:
        """A minor unit of the currency, in micro-units; amounts and lines are whole ones."""
        return int(MICRO_PER_UNIT // 10**self.digits)

    @property
    def month_blocks(self) -> tuple[Block, ...]:
        """The blocks of a month; one without end at the unit price where the plan has none."""
        return self.blocks or (Block(None, self.unit_price_micro),)

    def is_valid_on(self, day: date) -> bool:
        """Whether the plan covers this local day."""
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)

    def _check_blocks(self) -> None:
        check_within("number of blocks", len(self.blocks), 0, BLOCKS_MAX)
        for place, block in enumerate(self.blocks):
            last = place == len(self.blocks) - 1
            if (block.until_pulses is None) != last:
                allowed = "nothing in the last block" if last else "a number in each block but the last"
                shown = None if block.until_pulses is None else format_kwh(block.until_pulses)
                raise ValueFieldError(f"blocks[{place}].until_kwh", shown, allowed)
        ends = [block.until_pulses for block in self.blocks if block.until_pulses is not None]
        if any(after <= before for before, after in pairwise(ends)):
            raise ValueFieldError("blocks", [format_kwh(end) for end in ends], "ends that rise")

    def _check_amounts(self) -> None:
        """Amounts that change hands are whole minor units; prices may be finer."""
        debt_micro = self.debt.month_micro if self.debt is not None else None
        limits = self.purchase
        for name, micro in (
            ("debt.month", debt_micro or 0),
            ("purchase.smallest", limits.smallest_micro if limits is not None else 0),
            ("purchase.largest", limits.largest_micro if limits is not None else 0),
        ):
            if micro % self.minor_micro:
                raise ValueFieldError(name, format_value(micro), f"whole minor units, {format_value(self.minor_micro)}")

    def _check_lines(self) -> None:
        check_within("number of lines", len(self.lines), 0, LINES_MAX)
        above = {ENERGY_BASE, STANDING_BASE}
        for line in self.lines:
            if line.name in above:
                raise ValueFieldError(f"lines.{line.name}.name", line.name, "a name that no other line or base has")
            for base in line.of:
                if base not in above:
                    raise ValueFieldError(f"lines.{line.name}.of", base, f"one of {', '.join(sorted(above))}")
            above.add(line.name)

    def _check_slopes(self) -> None:
        """More energy never costs less, and what is free stands before all that is paid for."""
        total = gross_of(self.lines).total
        if total.standing < 0 or total.fixed < 0:
            raise ValueFieldError("lines", "the discounts", "less than what they are taken off")
        paid = False
        if self.lifeline is not None:
            slope = pulse_cost(total, self.lifeline.price_micro)
            paid = slope > 0
            if slope < 0:
                shown = format_value(self.lifeline.price_micro)
                raise ValueFieldError("lifeline.price", shown, "more than the discounts take off")
        for place, block in enumerate(self.month_blocks):
            slope = pulse_cost(total, block.price_micro)
            last = place == len(self.month_blocks) - 1
            paid = paid or slope > 0 or block.entry_micro > 0
            if slope < 0 or (slope == 0 and (paid or last)):
                where = f"blocks[{place}].price" if self.blocks else "price.unit"
                allowed = "more than the discounts take off; free energy only before any that is paid for"
                raise ValueFieldError(where, format_value(block.price_micro), allowed)

    def _check_largest(self) -> None:
        """What may come before energy fits in one purchase, or nothing could be sold to who was away."""
        if self.purchase is None:
            return
        total, charge = gross_of(self.lines).total, self.standing
        first = total.fixed + total.standing * (charge.price_micro * charge.periods_most if charge else 0)
        if first > self.purchase.largest_micro:
            least = format_value(-(-first.numerator // first.denominator), digits=self.digits)
            shown = format_value(self.purchase.largest_micro, digits=self.digits)
            allowed = f"{least} or more, what fees and all standing charges of one purchase come to"
            raise ValueFieldError("purchase.largest", shown, allowed)


def choose_plan(plans: Iterable[RatePlan], day: date) -> RatePlan | None:
    """The highest version that is valid on this local day; None where none is."""
    return max((plan for plan in plans if plan.is_valid_on(day)), key=lambda plan: plan.version, default=None)
