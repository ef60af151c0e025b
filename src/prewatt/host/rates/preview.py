"""A preview: what a month that was measured would have cost under a plan, and two plans side by side.

Readings of any interval are priced at the local time in which they flowed, by the plan's own zone and daylight rule;
an interval over which the price changes is taken as even. What was burned, at the unit price, is the energy that
blocks, lifeline and lines per kilowatt-hour see, as in a sale. A month without debt; surcharges for power quality are
not in it, since energy alone does not tell them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from itertools import pairwise
from typing import Final, NamedTuple

from prewatt.device.meter.calendar import LocalCalendar
from prewatt.host.rates.hours import Hours
from prewatt.host.rates.parts import Per, check_within
from prewatt.host.rates.path import buy_energy
from prewatt.host.rates.plan import RatePlan
from prewatt.host.rates.quote import ChargeKind, QuoteLine, charge_lines
from prewatt.host.rates.shares import Form, Gross, gross_of
from prewatt.units import DAY_S, MINUTE_S, PULSES_PER_KWH, UTC_MAX_S, ValueFieldError

__all__ = ["Bill", "Difference", "PricedEnergy", "Readings", "compare", "preview", "readings_of_days"]

# Readings of one preview: 35 days of minutes.
READINGS_MAX: Final = 35 * 1_440
INTERVAL_MAX_S: Final = 3_600
PURCHASES_MAX: Final = 1_000
_READING_MAX: Final = 10**9
_EPOCH_ORDINAL: Final = date(1970, 1, 1).toordinal()
_DECEMBER: Final = 12


@dataclass(frozen=True, slots=True)
class Readings:
    """Energy of equal intervals from the UTC second ``start_s`` on, in pulses of 0.1 Wh; None where it is missing."""

    start_s: int
    interval_s: int
    pulses: tuple[int | None, ...]

    def __post_init__(self) -> None:
        check_within("readings.start_s", self.start_s, 0, UTC_MAX_S)
        check_within("readings.interval_s", self.interval_s, 1, INTERVAL_MAX_S)
        check_within("number of readings", len(self.pulses), 0, READINGS_MAX)
        for each in self.pulses:
            if each is not None and not 0 <= each <= _READING_MAX:
                raise ValueFieldError("readings", each, f"0 to {_READING_MAX} pulses, or none where missing")


class PricedEnergy(NamedTuple):
    """Energy that flowed at one price."""

    price_micro: int
    pulses: int


@dataclass(frozen=True, slots=True)
class Bill:
    """Lines that sum to ``total_micro``, the value that the meter would have burned first.

    ``unit_pulses`` is the energy at the unit price (rounded down), ``missing_s`` the time without a reading.
    """

    plan: str
    version: int
    lines: tuple[QuoteLine, ...]
    total_micro: int
    energy: tuple[PricedEnergy, ...]
    unit_pulses: int
    missing_s: int

    @property
    def energy_pulses(self) -> int:
        """The energy that flowed."""
        return sum(each.pulses for each in self.energy)


class Difference(NamedTuple):
    """One line of two bills; 0 where a bill does not have it."""

    kind: ChargeKind
    name: str
    first_micro: int
    second_micro: int


def preview(
    plan: RatePlan, readings: Readings, *, year: int, month: int, lifeline: bool = False, purchases: int = 1
) -> Bill:
    """The bill of one local calendar month, in ``purchases`` purchases (for fixed lines). Other readings are left out.

    ValueFieldError for a month that does not exist or in which the plan is not valid on a single day.
    """
    check_within("purchases", purchases, 0, PURCHASES_MAX)
    check_within("month", month, 1, _DECEMBER)
    check_within("year", year, 1971, 2105)
    first, end = date(year, month, 1), date(year + month // _DECEMBER, month % _DECEMBER + 1, 1)
    days = end.toordinal() - first.toordinal()
    if not any(plan.is_valid_on(date(year, month, day)) for day in range(1, days + 1)):
        raise ValueFieldError("month", f"{year}-{month:02d}", f"one in which plan {plan.name} is valid")
    calendar = LocalCalendar(plan.hours.zone_quarters, plan.hours.daylight)
    start_s, end_s = (calendar.read_day_start_s(day.toordinal() - _EPOCH_ORDINAL) for day in (first, end))
    energy, known_s = _price(plan.hours, calendar, readings, start_s, end_s)
    burned = sum(Fraction(price * pulses, PULSES_PER_KWH) for price, pulses in energy.items())
    unit = burned * Fraction(PULSES_PER_KWH, plan.unit_price_micro)
    due = Fraction(0)
    if plan.standing is not None:
        due = Fraction(plan.standing.price_micro * (days if plan.standing.per is Per.DAY else 1))
    bought = buy_energy(plan, unit, lifeline=lifeline)
    charges = charge_lines(plan, _for_purchases(gross_of(plan.lines), purchases), bought, due, value=True)
    return Bill(
        plan=plan.name,
        version=plan.version,
        lines=charges,
        total_micro=sum(line.amount_micro for line in charges),
        energy=tuple(PricedEnergy(price, energy[price]) for price in sorted(energy) if energy[price]),
        unit_pulses=unit.numerator // unit.denominator,
        missing_s=end_s - start_s - known_s,
    )


def compare(first: Bill, second: Bill) -> tuple[Difference, ...]:
    """Both bills line by line, in the order of the first, then what only the second has."""
    amounts: dict[tuple[ChargeKind, str], list[int]] = {}
    for place, bill in enumerate((first, second)):
        for line in bill.lines:
            amounts.setdefault((line.kind, line.name), [0, 0])[place] += line.amount_micro
    return tuple(Difference(*key, *pair) for key, pair in amounts.items())


def readings_of_days(hours: Hours, days: Mapping[date, Sequence[int | None]]) -> Readings:
    """Minute readings of whole local days (1,380, 1,440 or 1,500 a day) as one row; days not there are missing.

    ValueFieldError for a day with another number of minutes.
    """
    calendar = LocalCalendar(hours.zone_quarters, hours.daylight)
    row: list[int | None] = []
    if not days:
        return Readings(0, MINUTE_S, ())
    first, last = (day.toordinal() - _EPOCH_ORDINAL for day in (min(days), max(days)))
    check_within("number of days", last - first + 1, 1, READINGS_MAX * MINUTE_S // DAY_S)
    for day in range(first, last + 1):
        minutes = (calendar.read_day_start_s(day + 1) - calendar.read_day_start_s(day)) // MINUTE_S
        given = days.get(calendar.read_date(day), (None,) * minutes)
        if len(given) != minutes:
            raise ValueFieldError(
                f"readings of {calendar.read_date(day).isoformat()}", len(given), f"{minutes} minutes"
            )
        row += given
    return Readings(calendar.read_day_start_s(first), MINUTE_S, tuple(row))


def _price(
    hours: Hours, calendar: LocalCalendar, readings: Readings, start_s: int, end_s: int
) -> tuple[dict[int, int], int]:
    """Pulses by price within these seconds, and how many seconds were read."""
    interval, known = readings.interval_s, [each or 0 for each in readings.pulses]
    present = [each is not None for each in readings.pulses]
    energy: dict[int, int] = {}
    known_s = 0
    row_end_s = readings.start_s + interval * len(known)
    for run_s, until_s, price in _runs(hours, calendar, max(start_s, readings.start_s), min(end_s, row_end_s)):
        low, low_part = divmod(run_s - readings.start_s, interval)
        high, high_part = divmod(until_s - readings.start_s, interval)
        pulses = sum(known[low:high])
        known_s += interval * sum(present[low:high])
        # The run begins or ends within an interval: what flowed in it before that second is taken off or added.
        for place, part, sign in ((low, low_part, -1), (high, high_part, 1)):
            if part:
                pulses += sign * (known[place] * part // interval)
                known_s += sign * present[place] * part
        energy[price] = energy.get(price, 0) + pulses
    return energy, known_s


def _runs(hours: Hours, calendar: LocalCalendar, start_s: int, end_s: int) -> Iterator[tuple[int, int, int]]:
    """(from, until, price) of the seconds in which one price holds: until the next change, turn or end of day."""
    second = start_s
    while second < end_s:
        day, wall_s = divmod(second + calendar.read_offset_s(second), DAY_S)
        changes = hours.read_changes(calendar.read_date(day))
        walls = [minute * MINUTE_S for minute, _ in changes] + [DAY_S]
        place = next(at for at, (low, high) in enumerate(pairwise(walls)) if low <= wall_s < high)
        until_s = min(second + walls[place + 1] - wall_s, calendar.read_next_turn_s(second), end_s)
        yield second, until_s, changes[place][1]
        second = until_s


def _for_purchases(gross: Gross, purchases: int) -> Gross:
    """The same lines with what is fixed in each purchase taken so many times."""
    times = [Form(form.fixed * purchases, form.energy, form.standing, form.pulse) for form in gross.forms]
    return Gross(tuple(times), gross.total)
