"""What an importer gives: a plan, or a list of everything in the record that a plan cannot say, each with its path."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Final, NamedTuple

from prewatt.host.rates.plan import RatePlan
from prewatt.units import MICRO_PER_UNIT, VALUE_MAX_MICRO

__all__ = ["Imported", "Importing", "Problem"]

_SHOWN_MAX: Final = 80
_DIGITS_MAX: Final = 40


class Problem(NamedTuple):
    """A field of the record, by its path, what stands there, and why it cannot be said or read."""

    path: str
    given: str
    why: str


@dataclass(frozen=True, slots=True)
class Imported:
    """``plan`` is None exactly where there are problems; ``notes`` say what was decided or left out."""

    plan: RatePlan | None
    problems: tuple[Problem, ...]
    notes: tuple[str, ...]


@dataclass(slots=True)
class Importing:
    """Problems and notes as they are found."""

    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def refuse(self, path: str, given: object, why: str) -> None:
        """One thing that a plan cannot say."""
        shown = str(given)
        self.problems.append(Problem(path, shown if len(shown) <= _SHOWN_MAX else f"{shown[:_SHOWN_MAX]}...", why))

    def read_micro(self, path: str, given: object, *, parts: Iterable[object] = ()) -> int:
        """Exact micro-units of a decimal and of what is added to it; a problem, and 0, for anything else."""
        return self.read_scaled(path, (given, *parts), MICRO_PER_UNIT, VALUE_MAX_MICRO)

    def read_scaled(self, path: str, parts: Iterable[object], scale: int, most: int) -> int:
        """The sum of decimals times ``scale``; a problem, and 0, where it is not whole or beyond ``most``."""
        given = tuple(parts)
        try:
            total = sum((_read_exact(each) for each in given), Fraction(0)) * scale
        except (InvalidOperation, ValueError):
            self.refuse(path, given[0], "is no number")
            return 0
        if total.denominator != 1 or abs(total) > most:
            self.refuse(path, given[0], f"is finer than 1/{scale}, or beyond {most // scale}")
            return 0
        return total.numerator

    def finish(self, plan: RatePlan | None) -> Imported:
        """The result; no plan where there are problems."""
        return Imported(None if self.problems else plan, tuple(self.problems), tuple(self.notes))


def _read_exact(given: object) -> Fraction:
    """What was written: a binary fraction by its shortest decimal, which is what the record's text said."""
    if isinstance(given, bool) or not isinstance(given, int | str | float):
        raise ValueError("no number")
    value = Decimal(str(given))
    if not value.is_finite() or abs(value.adjusted()) > _DIGITS_MAX:
        raise ValueError("no number")
    return Fraction(value)
