"""The path through a month: which price each further pulse has, and what block charges stand in the way.

Buying walks it by money, billing walks it by energy; both end with the same account of what was paid for what. All
figures are exact ratios of integers; who rounds is the quote.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from prewatt.host.rates.plan import RatePlan
from prewatt.host.rates.shares import Form, pulse_cost
from prewatt.units import PULSES_PER_KWH

__all__ = ["Bought", "Stretch", "buy_energy", "buy_money", "stretches"]


@dataclass(frozen=True, slots=True)
class Stretch:
    """From ``start`` to ``until`` (pulses of the month; None: without end) a kilowatt-hour costs ``price_micro``.

    ``entry_micro`` is the sum of the block charges up to here, of which those that are paid are not asked again.
    """

    start: int
    until: int | None
    price_micro: int
    is_lifeline: bool
    entry_micro: int


@dataclass(slots=True)
class Bought:
    """Energy, and what is paid for it beside the unit price (micro-units, before any line)."""

    unit_price_micro: int
    pulses: Fraction = Fraction(0)
    surcharge: Fraction = Fraction(0)
    subsidy: Fraction = Fraction(0)
    lifeline: Fraction = Fraction(0)
    entry: Fraction = Fraction(0)

    @property
    def value(self) -> Fraction:
        """What the meter needs for the energy, at the unit price."""
        return self.pulses * Fraction(self.unit_price_micro, PULSES_PER_KWH)

    @property
    def energy(self) -> Fraction:
        """What is paid for energy."""
        return self.value + self.surcharge + self.subsidy + self.lifeline

    def take(self, stretch: Stretch, pulses: Fraction) -> None:
        """Adds energy of one stretch."""
        difference = pulses * Fraction(stretch.price_micro - self.unit_price_micro, PULSES_PER_KWH)
        self.pulses += pulses
        if stretch.is_lifeline:
            self.lifeline += difference
        elif difference > 0:
            self.surcharge += difference
        else:
            self.subsidy += difference


def stretches(plan: RatePlan, start: int, *, lifeline: bool) -> Iterator[Stretch]:
    """What follows after ``start`` pulses bought this month."""
    allowance = plan.lifeline if lifeline else None
    entry_micro = 0
    for block in plan.month_blocks:
        entry_micro += block.entry_micro
        if block.until_pulses is not None and block.until_pulses <= start:
            continue
        if allowance is not None and start < allowance.until_pulses:
            until = min(allowance.until_pulses, block.until_pulses or allowance.until_pulses)
            yield Stretch(start, until, allowance.price_micro, True, entry_micro)
            start = until
        if block.until_pulses is None or start < block.until_pulses:
            yield Stretch(start, block.until_pulses, block.price_micro, False, entry_micro)
            start = block.until_pulses or start


def buy_money(
    plan: RatePlan, total: Form, start: int, money: Fraction, *, entry_paid_micro: int, lifeline: bool
) -> Bought:
    """As much as ``money`` (0 or more, what fees, standing charges and debt have left) pays for with all lines."""
    bought = Bought(plan.unit_price_micro)
    for stretch in stretches(plan, start, lifeline=lifeline):
        owed = max(Fraction(0), stretch.entry_micro - entry_paid_micro - bought.entry)
        paid = owed if owed * total.standing <= money else money * _inverse(total.standing)
        bought.entry += paid
        money -= paid * total.standing
        if paid < owed:
            break
        slope = pulse_cost(total, stretch.price_micro)
        most = None if stretch.until is None else Fraction(stretch.until - stretch.start)
        pulses = most if most is not None and most * slope <= money else money * _inverse(slope)
        bought.take(stretch, pulses)
        money -= pulses * slope
        if most is None or pulses < most:
            break
    return bought


def buy_energy(plan: RatePlan, pulses: Fraction, *, lifeline: bool) -> Bought:
    """What a whole month of ``pulses`` is paid with, block charges included."""
    bought = Bought(plan.unit_price_micro)
    for stretch in stretches(plan, 0, lifeline=lifeline):
        left = pulses - bought.pulses
        if not left:
            break
        bought.entry = Fraction(stretch.entry_micro)
        most = left if stretch.until is None else Fraction(stretch.until - stretch.start)
        bought.take(stretch, min(left, most))
    return bought


def _inverse(ratio: Fraction) -> Fraction:
    return Fraction(ratio.denominator, ratio.numerator)
