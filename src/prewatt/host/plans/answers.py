"""What the host answers about rate plans; see `prewatt.host.answers`."""

from dataclasses import dataclass
from typing import Any

from prewatt.host.answers import Answer, ChargeAnswer
from prewatt.host.rates import Problem, QuoteLine

__all__ = [
    "RateAnswer",
    "RateAssignmentAnswer",
    "RateBillAnswer",
    "RateCheckAnswer",
    "RateEnergy",
    "RateHolding",
    "RateOutline",
    "RateProblem",
    "RateQuoteAnswer",
    "charges_of",
    "problems_of",
]


@dataclass(frozen=True, slots=True)
class RateOutline(Answer):
    """One version of a rate plan. Days are local, `valid_to` is null where it has no end."""

    name: str
    version: int
    valid_from: str
    valid_to: str | None
    unit_price_micro: int
    digest: str
    made_s: int
    meters: int
    """Meters for which this version holds today."""


@dataclass(frozen=True, slots=True)
class RateAnswer(Answer):
    """One version of a rate plan, whole."""

    name: str
    version: int
    document: dict[str, Any]
    """In its one canonical form."""
    text: tuple[str, ...]
    """What it says, a sentence a line."""
    digest: str
    made_s: int
    tariffs: tuple[int, ...]
    """The tariffs that brought it to meters."""
    existed: bool = False
    """The same plan was there before; no version was made."""


@dataclass(frozen=True, slots=True)
class RateProblem(Answer):
    """Something that a plan, or a meter, cannot say: where it stands, what stands there, why or what is allowed."""

    where: str
    given: str
    why: str


@dataclass(frozen=True, slots=True)
class RateCheckAnswer(Answer):
    """What a document comes to; nothing was stored. It is taken where `problems` and `misfits` are empty."""

    document: dict[str, Any] | None
    """The plan in its canonical form; null where there is none."""
    text: tuple[str, ...]
    problems: tuple[RateProblem, ...]
    """What a plan cannot say."""
    misfits: tuple[RateProblem, ...]
    """What a plan can say and no meter can follow."""
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RateAssignmentAnswer(Answer):
    """For whom which plan holds from a local day on. A meter of null is the installation; a plan of null gives the
    meter the installation's again, or leaves the installation without one."""

    number: int
    meter: str | None
    plan: str | None
    from_day: str
    lifeline: bool
    reason: str
    made_s: int


@dataclass(frozen=True, slots=True)
class RateHolding(Answer):
    """Which plan holds for a meter on a day; without one (null) a sale is its amount and nothing else."""

    meter: str
    day: str
    plan: str | None
    version: int | None
    own: bool
    """Given to this meter, and not to the whole installation."""
    since: str | None
    """From which day that plan holds without a break."""
    lifeline: bool


@dataclass(frozen=True, slots=True)
class RateQuoteAnswer(Answer):
    """What an amount buys now. The lines, the value among them, sum to the amount. Nothing was sold."""

    meter: str
    plan: str
    version: int
    amount_micro: int
    lines: tuple[ChargeAnswer, ...]
    value_micro: int
    energy_pulses: int
    """What the value is at the unit price."""
    smallest_micro: int
    """The least that buys energy today."""
    largest_micro: int
    bought_pulses: int
    """Bought this month before, at the unit price."""


@dataclass(frozen=True, slots=True)
class RateEnergy(Answer):
    """Energy that flowed at one price per kilowatt-hour."""

    price_micro: int
    pulses: int


@dataclass(frozen=True, slots=True)
class RateBillAnswer(Answer):
    """What a month that was measured would have cost under a plan."""

    meter: str
    month: str
    plan: str
    version: int
    lines: tuple[ChargeAnswer, ...]
    total_micro: int
    energy: tuple[RateEnergy, ...]
    energy_pulses: int
    missing_s: int
    """Time without a reading; it is not guessed."""
    purchases: int
    """In how many purchases; lines with a fixed amount are in each."""


def charges_of(lines: tuple[QuoteLine, ...]) -> tuple[ChargeAnswer, ...]:
    """Lines of a quote or a bill as answers."""
    return tuple(ChargeAnswer(line.kind.value, line.name, line.amount_micro) for line in lines)


def problems_of(problems: tuple[Problem, ...]) -> tuple[RateProblem, ...]:
    """Problems of an import as answers."""
    return tuple(RateProblem(each.path, each.given, each.why) for each in problems)
