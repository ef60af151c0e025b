"""A rate plan in plain lines, for a person who is about to put it into force or to ask what it says."""

from prewatt.host.rates.hours import DAY_KINDS, Hours, Season
from prewatt.host.rates.hourstext import format_clock, format_holiday
from prewatt.host.rates.parts import PPM, Block, DebtRule, LineKind, MeterTerms, RateLine, Rounding
from prewatt.host.rates.plan import RatePlan
from prewatt.units import MICRO_PER_UNIT, PULSES_PER_KWH, format_value

__all__ = ["explain"]

_TEN_THOUSANDTH = MICRO_PER_UNIT // PULSES_PER_KWH
_ROUNDINGS = {Rounding.HALF_UP: "half up", Rounding.DOWN: "down", Rounding.UP: "up"}


def explain(plan: RatePlan) -> tuple[str, ...]:
    """What the plan says, a sentence a line, in the order in which a purchase meets it."""
    digits = plan.digits
    end = f"to {plan.valid_to.isoformat()}" if plan.valid_to else "on"
    lines = [f"{plan.name}, version {plan.version}, valid from {plan.valid_from.isoformat()} {end}."]
    lines.append(f"A kWh is {_money(plan.unit_price_micro, digits)} at the unit price.")
    lines += _explain_hours(plan.hours, plan.unit_price_micro, digits)
    if plan.purchase is not None:
        smallest, largest = (
            _money(each, digits) for each in (plan.purchase.smallest_micro, plan.purchase.largest_micro)
        )
        lines.append(f"One purchase is {smallest} to {largest}.")
    if plan.standing is not None:
        charge = plan.standing
        most = f"; one purchase takes at most {charge.periods_most}"
        lines.append(f"Each {charge.per.value} that begins costs {_money(charge.price_micro, digits)}{most}.")
    lines += [_explain_line(line, digits) for line in plan.lines]
    if plan.debt is not None:
        lines.append(_explain_debt(plan.debt, digits))
    if plan.lifeline is not None:
        allowance = _kwh(plan.lifeline.until_pulses)
        price = _money(plan.lifeline.price_micro, digits)
        lines.append(f"Flagged contracts pay {price} a kWh for the first {allowance} kWh of each month.")
    lines += _explain_blocks(plan.blocks, plan.unit_price_micro, digits)
    lines += _explain_terms(plan.terms, digits)
    lines.append(f"Charges are rounded {_ROUNDINGS[plan.rounding]} to {_money(plan.minor_micro, digits)}.")
    return tuple(lines)


def _explain_hours(hours: Hours, unit_micro: int, digits: int) -> list[str]:
    lines = []
    if hours.prices != (unit_micro,):
        for name, week in (("Ordinarily", hours.week), *((_season(each), each.week) for each in hours.seasons)):
            for place in sorted(set(week)):
                kinds = [kind for kind, each in zip(DAY_KINDS, week, strict=True) if each == place]
                prices = ", ".join(
                    f"{_money(price, digits)} from {format_clock(minute)}"
                    for minute, price in hours.days[place].changes
                )
                lines.append(f"{name}, {_kinds(kinds)}: {prices}.")
        if hours.holidays:
            lines.append(f"Holidays: {', '.join(format_holiday(each) for each in hours.holidays)}.")
        lines.append(f"After {hours.last_year} a kWh is {_money(hours.after_micro, digits)} at all times.")
    for band in hours.surcharges:
        degrees = format_value(band.from_cdeg * PULSES_PER_KWH, digits=0)
        lines.append(f"From a mean phase angle of {degrees} degrees on it costs {band.surcharge_percent} % more.")
    return lines


def _explain_blocks(blocks: tuple[Block, ...], unit_micro: int, digits: int) -> list[str]:
    lines = []
    start = "0"
    for block in blocks:
        reach = "on" if block.until_pulses is None else f"to {_kwh(block.until_pulses)} kWh"
        entry = f", after {_money(block.entry_micro, digits)} once a month" if block.entry_micro else ""
        difference = block.price_micro - unit_micro
        settled = "the unit price"
        if difference:
            settled = f"{'a surcharge' if difference > 0 else 'a subsidy'} of {_money(abs(difference), digits)}"
        price = _money(block.price_micro, digits)
        lines.append(f"From {start} kWh a month {reach} a kWh is {price} ({settled}){entry}.")
        start = "" if block.until_pulses is None else _kwh(block.until_pulses)
    return lines


def _explain_line(line: RateLine, digits: int) -> str:
    kind = line.kind.value.capitalize()
    word = "off" if line.kind is LineKind.DISCOUNT else "on"
    if line.fixed_micro:
        return f"{kind} {line.name}: {_money(line.fixed_micro, digits)} for each purchase."
    if line.per_kwh_micro:
        return f"{kind} {line.name}: {_money(line.per_kwh_micro, digits)} {word} each kWh."
    return f"{kind} {line.name}: {_percent(line.share_ppm)} {word} {' + '.join(line.of)}."


def _explain_debt(debt: DebtRule, digits: int) -> str:
    most = "" if debt.month_micro is None else f", at most {_money(debt.month_micro, digits)} a month"
    return f"Debt takes {_percent(debt.share_ppm)} of what fees and standing charges leave{most}."


def _explain_terms(terms: MeterTerms, digits: int) -> list[str]:
    lines = []
    if terms.emergency_micro is not None:
        lines.append(f"The meter lends {_money(terms.emergency_micro, digits)} at zero.")
    if terms.low_balance_micro is not None:
        lines.append(f"The meter warns at {_money(terms.low_balance_micro, digits)}.")
    if terms.load_limit_w is not None:
        limit = f"parts above {terms.load_limit_w} W" if terms.load_limit_w else "has no load limit"
        lines.append(f"The meter {limit}.")
    for each in terms.friendly:
        hours = f"from {format_clock(each.from_minute)} to {format_clock(each.until_minute)}"
        lines.append(f"On {each.day} {hours} nobody is cut off.")
    return lines


def _season(season: Season) -> str:
    return "From {:02d}-{:02d} to {:02d}-{:02d}".format(*season.first, *season.last)


def _kinds(kinds: list[str]) -> str:
    return "every day" if len(kinds) == len(DAY_KINDS) else " ".join(kinds)


def _money(micro: int, digits: int) -> str:
    return format_value(micro, digits=digits)


def _kwh(pulses: int) -> str:
    return format_value(pulses * _TEN_THOUSANDTH, digits=0)


def _percent(ppm: int) -> str:
    return f"{format_value(ppm * (PPM // PULSES_PER_KWH), digits=0)} %"
