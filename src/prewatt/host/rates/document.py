"""A rate plan as a document: read from JSON or TOML, written in one canonical form, and the digest of that.

`docs/guide/rates.md` shows every field. `build_document(parse_plan(x))` says everything that was left to a default, in
one order and one spelling, so that documents that differ in those alone have the same digest.
"""

import json
from hashlib import sha256
from typing import Any, Final

from prewatt.codec.modeparts import Daylight
from prewatt.host.rates.hours import DAY_KINDS
from prewatt.host.rates.hourstext import PRICE_KEYS, WEEKDAY, build_hours, format_clock, read_hours
from prewatt.host.rates.parts import (
    BLOCKS_MAX,
    DAYS_TAKEN,
    FRIENDLY_MAX,
    LINES_MAX,
    LOAD_LIMIT_MAX_W,
    MONTHS_TAKEN,
    PERCENT_PPM_MAX,
    PERIODS_MOST,
    PPM,
    Block,
    DebtRule,
    Friendly,
    Lifeline,
    LineKind,
    MeterTerms,
    Per,
    PurchaseLimits,
    RateLine,
    Rounding,
    StandingCharge,
)
from prewatt.host.rates.plan import VERSION_MAX, RatePlan
from prewatt.host.rates.section import Section, parse_text
from prewatt.units import MICRO_DIGITS, VALUE_MAX_MICRO, ValueFieldError, format_value

__all__ = ["build_document", "parse_plan", "parse_plan_text", "plan_digest"]

_KEYS: Final = (
    *("name", "version", "valid_from", "valid_to", "digits", "rounding", "price", "blocks", "standing", "lifeline"),
    *("lines", "purchase", "debt", "meter"),
)
_BLOCK_KEYS: Final = ("until_kwh", "price", "entry")
_LINE_KEYS: Final = ("name", "kind", "percent", "of", "per_kwh", "fixed")
_TERM_KEYS: Final = ("emergency_credit", "low_balance", "load_limit_w", "friendly")
_BASES_MAX: Final = LINES_MAX + 2
_PPM_PER_PERCENT: Final = PPM // 100
_EVERY_DAY: Final = "all"
# A ten-thousandth, of a percent or of a kilowatt-hour, as what `format_value` counts.
_TEN_THOUSANDTH: Final = 100


def parse_plan_text(
    text: str, *, toml: bool = False, zone_quarters: int = 0, daylight: Daylight | None = None
) -> RatePlan:
    """The plan of a JSON text (``toml``: a TOML text); ValueFieldError names field, value and what is allowed."""
    return parse_plan(parse_text(text, toml=toml), zone_quarters=zone_quarters, daylight=daylight)


def parse_plan(document: object, *, zone_quarters: int = 0, daylight: Daylight | None = None) -> RatePlan:
    """The plan of a document; zone and daylight rule hold where it names none. ValueFieldError as above."""
    plan = Section(document, "", _KEYS)
    price = plan.section("price", PRICE_KEYS)
    unit = price.money("unit", zero=False)
    digits = plan.whole("digits", 0, MICRO_DIGITS, 2)
    return RatePlan(
        name=plan.text("name", "1 to 64 characters"),
        version=plan.whole("version", 1, VERSION_MAX, 1),
        valid_from=plan.day("valid_from"),
        valid_to=plan.day("valid_to") if "valid_to" in plan else None,
        digits=digits,
        rounding=Rounding(plan.choice("rounding", list(Rounding))) if "rounding" in plan else Rounding.HALF_UP,
        unit_price_micro=unit,
        hours=read_hours(price, unit, zone_quarters=zone_quarters, daylight=daylight),
        blocks=tuple(_read_block(each) for each in plan.sections("blocks", _BLOCK_KEYS, BLOCKS_MAX)),
        standing=_read_standing(plan),
        lifeline=_read_lifeline(plan),
        lines=tuple(_read_line(each, digits) for each in plan.sections("lines", _LINE_KEYS, LINES_MAX)),
        purchase=_read_purchase(plan, digits),
        debt=_read_debt(plan, digits),
        terms=_read_terms(plan, digits),
    )


def build_document(plan: RatePlan) -> dict[str, Any]:
    """The canonical document: every field that means something, in one order and one spelling."""
    document: dict[str, Any] = {
        "name": plan.name,
        "version": plan.version,
        "valid_from": plan.valid_from.isoformat(),
        "valid_to": plan.valid_to.isoformat() if plan.valid_to else None,
        "digits": plan.digits,
        "rounding": plan.rounding.value,
        "price": build_hours(plan.unit_price_micro, plan.hours),
        "blocks": [_build_block(each) for each in plan.blocks],
        "standing": _build_standing(plan.standing),
        "lifeline": _build_lifeline(plan.lifeline),
        "lines": [_build_line(each) for each in plan.lines],
        "purchase": _build_purchase(plan.purchase),
        "debt": _build_debt(plan.debt),
        "meter": _build_terms(plan.terms),
    }
    return {key: _without_nothing(each) for key, each in document.items() if each is not None and each != []}


def plan_digest(plan: RatePlan) -> bytes:
    """SHA-256 of the canonical document as JSON."""
    text = json.dumps(build_document(plan), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return sha256(text.encode()).digest()


def _read_block(block: Section) -> Block:
    return Block(
        until_pulses=block.kwh("until_kwh") if "until_kwh" in block else None,
        price_micro=block.money("price"),
        entry_micro=block.money("entry") if "entry" in block else 0,
    )


def _read_standing(plan: Section) -> StandingCharge | None:
    if "standing" not in plan:
        return None
    charge = plan.section("standing", ("price", "per", "periods_most"))
    per = Per(charge.choice("per", list(Per)))
    taken = DAYS_TAKEN if per is Per.DAY else MONTHS_TAKEN
    return StandingCharge(charge.money("price"), per, charge.whole("periods_most", 1, PERIODS_MOST, taken))


def _read_lifeline(plan: Section) -> Lifeline | None:
    if "lifeline" not in plan:
        return None
    lifeline = plan.section("lifeline", ("kwh", "price"))
    return Lifeline(lifeline.kwh("kwh"), lifeline.money("price"))


def _read_line(line: Section, digits: int) -> RateLine:
    bases = line.entries("of", _BASES_MAX)
    if not all(isinstance(base, str) for base in bases):
        raise ValueFieldError(line.place("of"), bases, "names of bases")
    return RateLine(
        name=line.text("name"),
        kind=LineKind(line.choice("kind", list(LineKind))),
        share_ppm=line.percent("percent", PERCENT_PPM_MAX // _PPM_PER_PERCENT) if "percent" in line else 0,
        of=tuple(bases),
        per_kwh_micro=line.money("per_kwh", zero=False) if "per_kwh" in line else 0,
        fixed_micro=line.money("fixed", digits=digits, zero=False) if "fixed" in line else 0,
    )


def _read_purchase(plan: Section, digits: int) -> PurchaseLimits | None:
    if "purchase" not in plan:
        return None
    limits = plan.section("purchase", ("smallest", "largest"))
    smallest = limits.money("smallest", digits=digits) if "smallest" in limits else 0
    largest = limits.money("largest", digits=digits, zero=False) if "largest" in limits else VALUE_MAX_MICRO
    return PurchaseLimits(smallest, largest)


def _read_debt(plan: Section, digits: int) -> DebtRule | None:
    if "debt" not in plan:
        return None
    debt = plan.section("debt", ("share", "month"))
    share = debt.percent("share", 100) if "share" in debt else PPM
    return DebtRule(share, debt.money("month", digits=digits, zero=False) if "month" in debt else None)


def _read_terms(plan: Section, digits: int) -> MeterTerms:
    if "meter" not in plan:
        return MeterTerms()
    terms = plan.section("meter", _TERM_KEYS)
    friendly = [
        each
        for hours in terms.sections("friendly", ("day", "from", "to"), FRIENDLY_MAX)
        for each in _read_friendly(hours)
    ]
    return MeterTerms(
        emergency_micro=terms.money("emergency_credit", digits=digits) if "emergency_credit" in terms else None,
        low_balance_micro=terms.money("low_balance", digits=digits) if "low_balance" in terms else None,
        load_limit_w=terms.whole("load_limit_w", 0, LOAD_LIMIT_MAX_W) if "load_limit_w" in terms else None,
        friendly=tuple(friendly),
    )


def _read_friendly(hours: Section) -> list[Friendly]:
    day = hours.choice("day", (_EVERY_DAY, WEEKDAY, *DAY_KINDS))
    kinds = {_EVERY_DAY: DAY_KINDS, WEEKDAY: DAY_KINDS[:5]}.get(day, (day,))
    return [Friendly(kind, hours.clock("from"), hours.clock("to")) for kind in kinds]


def _build_block(block: Block) -> dict[str, Any]:
    return {
        "until_kwh": None if block.until_pulses is None else _kwh(block.until_pulses),
        "price": _money(block.price_micro),
        "entry": _money(block.entry_micro) if block.entry_micro else None,
    }


def _build_standing(charge: StandingCharge | None) -> dict[str, Any] | None:
    if charge is None:
        return None
    return {"price": _money(charge.price_micro), "per": charge.per.value, "periods_most": charge.periods_most}


def _build_lifeline(lifeline: Lifeline | None) -> dict[str, Any] | None:
    return None if lifeline is None else {"kwh": _kwh(lifeline.until_pulses), "price": _money(lifeline.price_micro)}


def _build_line(line: RateLine) -> dict[str, Any]:
    return {
        "name": line.name,
        "kind": line.kind.value,
        "percent": _money(line.share_ppm * _TEN_THOUSANDTH) if line.share_ppm else None,
        "of": list(line.of) or None,
        "per_kwh": _money(line.per_kwh_micro) if line.per_kwh_micro else None,
        "fixed": _money(line.fixed_micro) if line.fixed_micro else None,
    }


def _build_purchase(limits: PurchaseLimits | None) -> dict[str, Any] | None:
    if limits is None:
        return None
    return {"smallest": _money(limits.smallest_micro), "largest": _money(limits.largest_micro)}


def _build_debt(debt: DebtRule | None) -> dict[str, Any] | None:
    if debt is None:
        return None
    month = None if debt.month_micro is None else _money(debt.month_micro)
    return {"share": _money(debt.share_ppm * _TEN_THOUSANDTH), "month": month}


def _build_terms(terms: MeterTerms) -> dict[str, Any] | None:
    built = {
        "emergency_credit": None if terms.emergency_micro is None else _money(terms.emergency_micro),
        "low_balance": None if terms.low_balance_micro is None else _money(terms.low_balance_micro),
        "load_limit_w": terms.load_limit_w,
        "friendly": [
            {"day": each.day, "from": format_clock(each.from_minute), "to": format_clock(each.until_minute)}
            for each in terms.friendly
        ],
    }
    return built if any(each not in (None, []) for each in built.values()) else None


def _money(micro: int) -> str:
    return format_value(micro, digits=0)


def _kwh(pulses: int) -> str:
    return format_value(pulses * _TEN_THOUSANDTH, digits=0)


def _without_nothing(given: Any) -> Any:  # noqa: ANN401 - any part of a document
    if isinstance(given, dict):
        return {key: _without_nothing(each) for key, each in given.items() if each is not None and each != []}
    return [_without_nothing(each) for each in given] if isinstance(given, list) else given
