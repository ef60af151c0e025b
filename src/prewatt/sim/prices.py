"""What the office charges: the price of a kWh at a second, read from its tables by rule and not by the meter's code.

A pulse is 0.1 Wh and costs (price of a kWh) x (step, percent) x (quality, percent) / 10^8 micro-units. Which
step holds is a matter of the local date and quarter of an hour; which quality, of the mean phase angle of the minute
before.
"""

from collections.abc import Callable
from datetime import date
from typing import Any, Final, NamedTuple

from prewatt.codec.modetable import EVERY_YEAR, ModeTable, Week, flat_table, table_digest
from prewatt.units import DAY_S, QUARTER_S

__all__ = ["MADE_WITH_MICRO", "PARTS", "Price", "Prices", "percent_at", "surcharge_of"]

# Parts of a micro-unit: what percent times percent times a tenth of a watt-hour makes of one.
PARTS: Final = 10**8
# A kWh before the first price of the office; micro-units.
MADE_WITH_MICRO: Final = 2_500_000
_EPOCH: Final = date(1970, 1, 1).toordinal()
_SATURDAY: Final = 5
_SUNDAY: Final = 6


class Price(NamedTuple):
    """A price that people set: micro-units a kWh, and the table of its steps."""

    unit_micro: int
    table: ModeTable


class Prices:
    """Every price that a host ever gave out, by its digest. ``rows`` reads the host's database past it."""

    def __init__(self, rows: Callable[[str], list[Any]]) -> None:
        self._rows = rows
        made = Price(MADE_WITH_MICRO, flat_table())
        self._known = {table_digest(made.table.build(), made.unit_micro): made}

    def note(self) -> None:
        """What the host has of them now: a database that is put back forgets some."""
        for digest, unit_micro, table in self._rows("SELECT digest, unit_price_micro, mode_table FROM tariffs"):
            if digest not in self._known:
                self._known[digest] = Price(unit_micro, ModeTable.parse(table))

    def find(self, digest: bytes) -> Price | None:
        """The price of a digest; None where no host that is left knows it."""
        if digest not in self._known:
            self.note()
        return self._known.get(digest)


def percent_at(table: ModeTable, second: int) -> int | None:
    """The step that holds at a UTC second, in percent; None where the table has daylight time, which is not reckoned
    here."""
    if table.daylight is not None:
        return None
    day, wall_s = divmod(second + table.zone_quarters * QUARTER_S, DAY_S)
    today = date.fromordinal(_EPOCH + day)
    if today.year > table.last_year:
        return table.percents[table.after_step]
    week, now = table.week, (today.month, today.day)
    for season in table.seasons:
        turned = season.first > season.last
        if (season.first <= now <= season.last) if not turned else (now >= season.first or now <= season.last):
            week = season.week
            break
    plan = table.plans[_plan_of(table, week, today)]
    begun = [segment for segment in plan.segments if segment.from_quarter * QUARTER_S <= wall_s]
    return table.percents[begun[-1].step]


def _plan_of(table: ModeTable, week: Week, today: date) -> int:
    if any((each.month, each.day) == (today.month, today.day) and each.year in (EVERY_YEAR, today.year)
           for each in table.holidays):  # fmt: skip
        return week.holiday
    return {_SATURDAY: week.saturday, _SUNDAY: week.sunday}.get(today.weekday(), week.weekday)


def surcharge_of(table: ModeTable, angle_sum: int, angle_s: int) -> int:
    """Percent on top after a minute in which so many seconds had this sum of angles; none without current."""
    passed = [each.surcharge_percent for each in table.bands if angle_s and each.from_cdeg <= angle_sum // angle_s]
    return passed[-1] if passed else 0
