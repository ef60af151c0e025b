"""The parts of a rate plan: blocks, standing charge, lifeline, lines, debt rule, limits of a purchase, a meter's terms.

Each refuses by itself what it cannot mean; what they must not be together is for `prewatt.host.rates.plan`. Shares are
parts per million, so that a percent may have four decimals.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from prewatt.host.rates.hours import DAY_KINDS, DAY_MINUTES
from prewatt.units import VALUE_MAX_MICRO, ValueFieldError, format_value

__all__ = [
    "BLOCKS_MAX",
    "DAYS_TAKEN",
    "ENERGY_BASE",
    "ENERGY_MAX_PULSES",
    "FRIENDLY_MAX",
    "LINES_MAX",
    "LOAD_LIMIT_MAX_W",
    "MONTHS_TAKEN",
    "NAME_CHARS_MAX",
    "PERCENT_PPM_MAX",
    "PERIODS_MOST",
    "PPM",
    "STANDING_BASE",
    "Block",
    "DebtRule",
    "Friendly",
    "Lifeline",
    "LineKind",
    "MeterTerms",
    "Per",
    "PurchaseLimits",
    "RateLine",
    "Rounding",
    "StandingCharge",
    "check_name",
    "check_within",
]

PPM: Final = 1_000_000
PERCENT_PPM_MAX: Final = 10 * PPM
BLOCKS_MAX: Final = 12
LINES_MAX: Final = 16
FRIENDLY_MAX: Final = 64
# Standing charges that one purchase takes at most: two years of days, and a year unless a plan says otherwise.
PERIODS_MOST: Final = 731
MONTHS_TAKEN: Final = 12
DAYS_TAKEN: Final = 366
LOAD_LIMIT_MAX_W: Final = 2**32 - 1
# A gigawatt-hour a month: far above any home, far below what integers bear.
ENERGY_MAX_PULSES: Final = 10**10
# The bases that a line may name beside the lines above it.
ENERGY_BASE: Final = "energy"
STANDING_BASE: Final = "standing"
NAME_CHARS_MAX: Final = 64


class LineKind(StrEnum):
    """What a line is booked as. A discount is taken off, the others are put on."""

    TAX = "tax"
    LEVY = "levy"
    FEE = "fee"
    DISCOUNT = "discount"


class Per(StrEnum):
    """What a standing charge is for; months are calendar months."""

    DAY = "day"
    MONTH = "month"


class Rounding(StrEnum):
    """To which whole minor unit the charges of a purchase are rounded."""

    HALF_UP = "half_up"
    DOWN = "down"
    UP = "up"


@dataclass(frozen=True, slots=True)
class Block:
    """A step of the calendar month up to and including ``until_pulses`` bought in it (None: the last, without end).

    ``entry_micro`` is paid once a month, before the first energy of the block.
    """

    until_pulses: int | None
    price_micro: int
    entry_micro: int = 0

    def __post_init__(self) -> None:
        if self.until_pulses is not None:
            check_within("blocks.until_kwh", self.until_pulses, 1, ENERGY_MAX_PULSES)
        check_within("blocks.price", self.price_micro, 0, VALUE_MAX_MICRO)
        check_within("blocks.entry", self.entry_micro, 0, VALUE_MAX_MICRO)


@dataclass(frozen=True, slots=True)
class StandingCharge:
    """``price_micro`` for each day or calendar month that began; a purchase takes at most ``periods_most`` of them."""

    price_micro: int
    per: Per
    periods_most: int = MONTHS_TAKEN

    def __post_init__(self) -> None:
        check_within("standing.price", self.price_micro, 0, VALUE_MAX_MICRO)
        check_within("standing.periods_most", self.periods_most, 1, PERIODS_MOST)


@dataclass(frozen=True, slots=True)
class Lifeline:
    """The first energy of each calendar month at a price of its own, for contracts that are flagged."""

    until_pulses: int
    price_micro: int

    def __post_init__(self) -> None:
        check_within("lifeline.kwh", self.until_pulses, 1, ENERGY_MAX_PULSES)
        check_within("lifeline.price", self.price_micro, 0, VALUE_MAX_MICRO)


@dataclass(frozen=True, slots=True)
class RateLine:
    """A tax, levy, fee or discount: ``share_ppm`` of the bases ``of``, ``per_kwh_micro``, or ``fixed_micro`` a sale.

    ``of`` names `energy` (what is paid for energy), `standing` (standing and block charges) and lines above this one.
    """

    name: str
    kind: LineKind
    share_ppm: int = 0
    of: tuple[str, ...] = ()
    per_kwh_micro: int = 0
    fixed_micro: int = 0

    def __post_init__(self) -> None:
        check_name("lines.name", self.name)
        field = f"lines.{self.name}"
        amounts = {"percent": self.share_ppm, "per_kwh": self.per_kwh_micro, "fixed": self.fixed_micro}
        given = [name for name, amount in amounts.items() if amount]
        if len(given) != 1:
            raise ValueFieldError(field, given, "one of percent, per_kwh and fixed, above 0")
        check_within(f"{field}.percent", self.share_ppm, 0, PERCENT_PPM_MAX)
        check_within(f"{field}.per_kwh", self.per_kwh_micro, 0, VALUE_MAX_MICRO)
        check_within(f"{field}.fixed", self.fixed_micro, 0, VALUE_MAX_MICRO)
        if bool(self.share_ppm) != bool(self.of) or len(set(self.of)) < len(self.of):
            raise ValueFieldError(f"{field}.of", self.of, "the bases of a percent, each once, and none otherwise")
        if self.kind is LineKind.DISCOUNT and self.fixed_micro:
            shown = format_value(self.fixed_micro)
            raise ValueFieldError(f"{field}.fixed", shown, "a percent or per_kwh: else whoever buys often gains")


@dataclass(frozen=True, slots=True)
class PurchaseLimits:
    """The smallest and the largest amount of one purchase."""

    smallest_micro: int
    largest_micro: int

    def __post_init__(self) -> None:
        check_within("purchase.smallest", self.smallest_micro, 0, VALUE_MAX_MICRO)
        check_within("purchase.largest", self.largest_micro, 1, VALUE_MAX_MICRO)
        if self.largest_micro < self.smallest_micro:
            shown, smallest = format_value(self.largest_micro), format_value(self.smallest_micro)
            raise ValueFieldError("purchase.largest", shown, f"the smallest or more, {smallest}")


@dataclass(frozen=True, slots=True)
class DebtRule:
    """Debt is taken as a share of what fees and standing charges leave, at most ``month_micro`` a calendar month."""

    share_ppm: int
    month_micro: int | None = None

    def __post_init__(self) -> None:
        check_within("debt.share", self.share_ppm, 1, PPM)
        check_within("debt.month", self.month_micro or 0, 0, VALUE_MAX_MICRO)


@dataclass(frozen=True, slots=True)
class Friendly:
    """Local minutes of a kind of day in which the supply is not cut off."""

    day: str
    from_minute: int
    until_minute: int

    def __post_init__(self) -> None:
        if self.day not in DAY_KINDS or not 0 <= self.from_minute < self.until_minute <= DAY_MINUTES:
            shown = f"{self.day} from minute {self.from_minute} to {self.until_minute}"
            raise ValueFieldError("meter.friendly", shown, f"times that rise, of one of {', '.join(DAY_KINDS)}")


@dataclass(frozen=True, slots=True)
class MeterTerms:
    """What the meter must know. None leaves a meter's setting as it is."""

    emergency_micro: int | None = None
    low_balance_micro: int | None = None
    load_limit_w: int | None = None
    friendly: tuple[Friendly, ...] = ()

    def __post_init__(self) -> None:
        check_within("meter.emergency_credit", self.emergency_micro or 0, 0, VALUE_MAX_MICRO)
        check_within("meter.low_balance", self.low_balance_micro or 0, 0, VALUE_MAX_MICRO)
        check_within("meter.load_limit_w", self.load_limit_w or 0, 0, LOAD_LIMIT_MAX_W)
        check_within("number of meter.friendly", len(self.friendly), 0, FRIENDLY_MAX)


def check_name(field: str, name: str) -> None:
    """ValueFieldError for what is no name of a plan or a line."""
    if not 0 < len(name) <= NAME_CHARS_MAX or name != name.strip() or not name.isprintable() or ":" in name:
        raise ValueFieldError(field, name, f"1 to {NAME_CHARS_MAX} printable characters without a colon")


def check_within(field: str, given: int, low: int, high: int) -> None:
    """ValueFieldError that names the field, unless ``given`` is within."""
    if not low <= given <= high:
        raise ValueFieldError(field, given, f"{low} to {high}")
