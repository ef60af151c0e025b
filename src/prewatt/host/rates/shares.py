"""What each line comes to, as a linear form: so much fixed, so much of each base, so much for each pulse.

Lines name bases and lines above them, so that a tax on a levy on energy is still one share of energy. Worked out once,
exactly (ratios of integers, no rounding), the forms turn every question about a plan into one straight line per block.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Final

from prewatt.host.rates.parts import ENERGY_BASE, PPM, STANDING_BASE, LineKind, RateLine
from prewatt.units import PULSES_PER_KWH

__all__ = ["Form", "Gross", "gross_of", "line_forms", "pulse_cost"]

_ZERO: Final = Fraction(0)
# Plans whose lines are worked out once; a seller has a handful.
_GROSS_KEPT: Final = 256


@dataclass(frozen=True, slots=True)
class Form:
    """fixed + energy x (paid for energy) + standing x (standing and block charges) + pulse x (pulses bought)."""

    fixed: Fraction = _ZERO
    energy: Fraction = _ZERO
    standing: Fraction = _ZERO
    pulse: Fraction = _ZERO

    def scaled(self, share: Fraction) -> "Form":
        """The form times ``share``."""
        return Form(self.fixed * share, self.energy * share, self.standing * share, self.pulse * share)

    def worth(self, energy: Fraction, standing: Fraction, pulses: Fraction) -> Fraction:
        """Micro-units for these bases."""
        return self.fixed + self.energy * energy + self.standing * standing + self.pulse * pulses


@dataclass(frozen=True, slots=True)
class Gross:
    """What a customer pays in all: the bases themselves and every line on them."""

    forms: tuple[Form, ...]
    total: Form


@lru_cache(maxsize=_GROSS_KEPT)
def gross_of(lines: tuple[RateLine, ...]) -> Gross:
    """The forms of a plan's lines, in their order, and their sum with the bases."""
    forms = line_forms(lines)
    return Gross(forms, _sum((Form(energy=Fraction(1), standing=Fraction(1)), *forms)))


def line_forms(lines: Iterable[RateLine]) -> tuple[Form, ...]:
    """One form a line; a discount's is negative."""
    known = {ENERGY_BASE: Form(energy=Fraction(1)), STANDING_BASE: Form(standing=Fraction(1))}
    forms = []
    for line in lines:
        form = _sum(known[base] for base in line.of).scaled(Fraction(line.share_ppm, PPM))
        own = Form(fixed=Fraction(line.fixed_micro), pulse=Fraction(line.per_kwh_micro, PULSES_PER_KWH))
        form = _sum((form, own)).scaled(Fraction(-1 if line.kind is LineKind.DISCOUNT else 1))
        known[line.name] = form
        forms.append(form)
    return tuple(forms)


def pulse_cost(total: Form, price_micro: int) -> Fraction:
    """What one more pulse costs in all where a kilowatt-hour costs ``price_micro`` before lines."""
    return total.energy * Fraction(price_micro, PULSES_PER_KWH) + total.pulse


def _sum(forms: Iterable[Form]) -> Form:
    fixed = energy = standing = pulse = _ZERO
    for form in forms:
        fixed += form.fixed
        energy += form.energy
        standing += form.standing
        pulse += form.pulse
    return Form(fixed, energy, standing, pulse)
