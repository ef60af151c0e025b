"""Plans for the tests: one to vary by hand, and any plan at all."""

from datetime import date, timedelta
from fractions import Fraction

from hypothesis import strategies as st

from prewatt.host.rates.hours import flat_hours
from prewatt.host.rates.parts import (
    Block,
    DebtRule,
    Lifeline,
    LineKind,
    Per,
    PurchaseLimits,
    RateLine,
    Rounding,
    StandingCharge,
)
from prewatt.host.rates.plan import RatePlan
from prewatt.host.rates.standing import RateStanding
from prewatt.units import ValueFieldError

UNIT = 1_000_000
CENT = 10_000
KWH = 10_000
FIRST = date(2026, 1, 1)
TODAY = date(2026, 3, 10)


def make_plan(unit: int = 300_000, **changed) -> RatePlan:
    """A plain plan: 0.30 a kWh, valid from 2026 on."""
    parts = {"name": "plain", "version": 1, "valid_from": FIRST, "hours": flat_hours(unit)}
    return RatePlan(unit_price_micro=unit, **{**parts, **changed})


def levy(name: str, ppm: int, *of: str, kind: LineKind = LineKind.LEVY) -> RateLine:
    return RateLine(name, kind, share_ppm=ppm, of=of or ("energy",))


@st.composite
def any_lines(draw, *, fixed: bool = True, digits: int = 2) -> tuple[RateLine, ...]:
    lines, names = [], ["energy", "standing"]
    for place in range(draw(st.integers(0, 4))):
        name = f"line {place}"
        kind = draw(st.sampled_from([LineKind.TAX, LineKind.LEVY, LineKind.FEE, LineKind.DISCOUNT]))
        shape = draw(st.sampled_from(["share", "share", "kwh", "fixed"] if fixed else ["share", "share", "kwh"]))
        if shape == "share":
            of = tuple(draw(st.lists(st.sampled_from(names), min_size=1, max_size=3, unique=True)))
            most = 300_000 if kind is LineKind.DISCOUNT else 1_500_000
            lines.append(RateLine(name, kind, share_ppm=draw(st.integers(1, most)), of=of))
        elif shape == "kwh":
            lines.append(RateLine(name, kind, per_kwh_micro=draw(st.integers(1, 100_000))))
        elif kind is not LineKind.DISCOUNT:
            lines.append(RateLine(name, kind, fixed_micro=draw(st.integers(1, 300)) * UNIT // 10**digits))
        if lines and lines[-1].name == name:
            names.append(name)
    return tuple(lines)


@st.composite
def any_blocks(draw) -> tuple[Block, ...]:
    ends = sorted(draw(st.sets(st.integers(1, 300 * KWH), max_size=3)))
    free = draw(st.booleans())
    blocks = []
    for place, end in enumerate([*ends, None]):
        price = 0 if free and place == 0 and ends else draw(st.integers(50_000, 900_000))
        entry = draw(st.sampled_from([0, 0, 0, 690_000, 5 * UNIT])) if price else 0
        blocks.append(Block(end, price, entry))
    return tuple(blocks) if draw(st.booleans()) else ()


@st.composite
def any_plan(draw, *, fixed: bool = True) -> RatePlan:
    """Plans of every shape; those that a plan refuses are drawn anew."""
    digits = draw(st.integers(0, 6))
    charge = draw(st.none() | st.builds(
        StandingCharge, st.integers(0, 3 * UNIT), st.sampled_from(Per), st.integers(1, 100)
    ))  # fmt: skip
    month = draw(st.none() | st.integers(1, 50).map(lambda units: units * UNIT))
    debt = draw(st.none() | st.builds(DebtRule, st.integers(1, 1_000_000) | st.just(1_000_000), st.just(month)))
    lifeline = draw(st.none() | st.builds(Lifeline, st.integers(1, 100 * KWH), st.integers(50_000, 300_000)))
    try:
        return make_plan(
            draw(st.integers(100_000, 900_000)),
            digits=digits,
            rounding=draw(st.sampled_from(Rounding)),
            blocks=draw(any_blocks()),
            standing=charge,
            lifeline=lifeline,
            lines=draw(any_lines(fixed=fixed, digits=digits)),
            purchase=PurchaseLimits(0, 100_000 * UNIT),
            debt=debt,
        )
    except ValueFieldError:
        return make_plan(digits=digits, debt=debt, standing=charge)


@st.composite
def any_standing(draw) -> RateStanding:
    return RateStanding(
        today=TODAY,
        unpaid_from=TODAY + timedelta(days=draw(st.integers(-60, 40))),
        bought_pulses=draw(st.sampled_from([0, 1]) | st.integers(0, 400 * KWH)),
        entry_paid_micro=draw(st.sampled_from([0, 690_000, 20 * UNIT])),
        debt_micro=draw(st.integers(0, 100 * UNIT)),
        debt_paid_micro=draw(st.sampled_from([0, 2 * UNIT])),
        lifeline=draw(st.booleans()),
    )


def slopes(plan: RatePlan) -> list[Fraction]:
    """What a further pulse costs with every line on it, of each block and the lifeline, worked out line by line."""
    prices = [block.price_micro for block in plan.month_blocks]
    if plan.lifeline:
        prices.append(plan.lifeline.price_micro)
    return [cost_of_pulses(plan, Fraction(price, KWH), Fraction(1)) for price in prices]


def cost_of_pulses(
    plan: RatePlan, energy: Fraction, pulses: Fraction, standing: Fraction = Fraction(0), *, fixed: bool = False
) -> Fraction:
    """Bases and every line on them, as a person would add them up on paper."""
    worth = {"energy": energy, "standing": standing}
    total = energy + standing
    for line in plan.lines:
        amount = sum((worth[base] for base in line.of), Fraction(0)) * line.share_ppm / 1_000_000
        amount += pulses * line.per_kwh_micro / KWH + (line.fixed_micro if fixed else 0)
        worth[line.name] = -amount if line.kind is LineKind.DISCOUNT else amount
        total += worth[line.name]
    return total
