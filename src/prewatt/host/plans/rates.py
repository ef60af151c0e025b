"""The service: plans by name and version, for whom they hold, what an amount buys, what a month would have cost.

Nothing here is ever changed: a plan that is wrong gets a version above it, an assignment that is wrong another one.
What is assigned, or added to a plan that holds, goes to the meters as a tariff in the same commit.
"""

from collections import Counter
from dataclasses import replace
from datetime import date

from sqlalchemy import Connection

from prewatt.codec.modeparts import Daylight
from prewatt.host.context import HostContext
from prewatt.host.days import local_day
from prewatt.host.fields import check_meter
from prewatt.host.plans.answers import (
    RateAnswer,
    RateAssignmentAnswer,
    RateBillAnswer,
    RateCheckAnswer,
    RateEnergy,
    RateHolding,
    RateOutline,
    RateQuoteAnswer,
    charges_of,
)
from prewatt.host.plans.assigning import Assigned, assign, check_home, read_all_assignments
from prewatt.host.plans.bill import count_purchases, last_month, parse_month, read_month
from prewatt.host.plans.importing import parse_day
from prewatt.host.plans.keeping import add_plan, answer_of, check_document, find_version, read_stored
from prewatt.host.plans.sale import begin_pricing, price_sale
from prewatt.host.plans.selling import largest_of, read_amount, smallest_of
from prewatt.host.plans.sending import read_holdings
from prewatt.host.plans.stored import (
    Holding,
    choose_stored,
    date_of,
    day_text,
    plan_of_day,
    read_holding,
    read_versions,
)
from prewatt.host.rates import RatePlan
from prewatt.host.rates.preview import preview
from prewatt.host.refusals import RefusalOutcome, RefusedError

__all__ = ["Rates"]


class Rates:
    """Rate plans of this installation."""

    def __init__(self, context: HostContext) -> None:
        self._context = context

    def check(self, document: object, *, zone_quarters: int = 0, daylight: Daylight | None = None) -> RateCheckAnswer:
        """What a document comes to; changes nothing. A document that is none is a problem of the answer, too."""
        return check_document(self._context, document, zone_quarters, daylight)

    def add(self, document: object, *, zone_quarters: int = 0, daylight: Daylight | None = None) -> RateAnswer:
        """Makes a version of a document; one without a version gets the next. The same plan again is the same version.

        ValueFieldError and RefusedError for what is not allowed, MisfitError for what no meter can follow.
        """
        stored, existed, meters = self._context.store.write(
            lambda writing: add_plan(writing, self._context, document, zone_quarters, daylight)
        )
        for meter in meters:
            self._context.wake(meter)
        return replace(self.read(stored.plan.name, stored.plan.version), existed=existed)

    def read_all(self) -> list[RateOutline]:
        """Every version, by name."""
        today = self._today()
        with self._context.store.reading() as connection:
            holding = Counter(each.name for each in read_holdings(connection, today).values() if each is not None)
            found = read_stored(connection)
            chosen = {name: choose_stored(read_versions(connection, name), today) for name in holding}
        return [
            RateOutline(
                name=each.plan.name,
                version=each.plan.version,
                valid_from=each.plan.valid_from.isoformat(),
                valid_to=each.plan.valid_to.isoformat() if each.plan.valid_to is not None else None,
                unit_price_micro=each.plan.unit_price_micro,
                digest=each.digest.hex(),
                made_s=each.made_s,
                meters=holding[each.plan.name] if chosen.get(each.plan.name) == each else 0,
            )
            for each in found
        ]

    def read(self, name: str, version: int | None = None) -> RateAnswer:
        """One version (None: the highest); RefusedError (unknown_rate) where there is none."""
        with self._context.store.reading() as connection:
            return answer_of(connection, find_version(connection, name, version))

    def assign(
        self,
        plan: str | None,
        *,
        meter: str | None = None,
        from_day: str | None = None,
        lifeline: bool = False,
        reason: str,
    ) -> RateAssignmentAnswer:
        """From a local day on (None: today) a plan holds for a meter (None: the installation). A plan of None takes
        it back: the meter has the installation's again, or the installation none.

        RefusedError for a day that has begun, a plan without a version on it, a meter to which nothing is sold.
        """
        wanted = Assigned(meter, plan, from_day, lifeline, reason)
        answer, meters = self._context.store.write(lambda writing: assign(writing, self._context, wanted))
        for each in meters:
            self._context.wake(each)
        return answer

    def read_assignments(self, meter: str | None = None) -> list[RateAssignmentAnswer]:
        """What was assigned, newest first; of one meter, with what the installation has."""
        meter = None if meter is None else check_meter(meter)
        with self._context.store.reading() as connection:
            return read_all_assignments(connection, meter)

    def read_holding(self, meter: str, day: str | None = None) -> RateHolding:
        """Which plan holds for a meter on a local day (None: today)."""
        meter = check_meter(meter)
        number = self._today() if day is None else parse_day("day", day).toordinal() - date(1970, 1, 1).toordinal()
        with self._context.store.reading() as connection:
            check_home(connection, meter)
            found = read_holding(connection, meter, number)
            chosen = None if found is None else choose_stored(read_versions(connection, found.name), number)
        if found is None:
            return RateHolding(meter, date_of(number).isoformat(), None, None, False, None, False)
        version = None if chosen is None else chosen.plan.version
        since = day_text(found.since_day)
        return RateHolding(meter, date_of(number).isoformat(), found.name, version, found.own, since, found.lifeline)

    def quote(self, meter: str, amount: str | None = None, *, kwh: str | None = None) -> RateQuoteAnswer:
        """What an amount buys for a meter now, or what so many kilowatt-hours at the unit price cost. Posts nothing.

        RefusedError (no_rate) where no plan holds; ValueFieldError for what is not sold.
        """
        meter = check_meter(meter)
        with self._context.store.reading() as connection:
            check_home(connection, meter)
            begun = begin_pricing(connection, self._context, meter)
            if begun is None:
                raise no_rate(meter)
            plan, standing = begun[0].plan, begun[2]
            amount_micro = read_amount(self._context, plan, standing, amount, kwh)
            sale = price_sale(connection, self._context, meter, amount_micro)
        if sale is None:
            raise no_rate(meter)
        return RateQuoteAnswer(
            meter=meter,
            plan=plan.name,
            version=plan.version,
            amount_micro=amount_micro,
            lines=charges_of(sale.quote.lines),
            value_micro=sale.quote.value_micro,
            energy_pulses=sale.quote.energy_pulses,
            smallest_micro=smallest_of(plan, standing),
            largest_micro=largest_of(self._context, plan),
            bought_pulses=standing.bought_pulses,
        )

    def preview(
        self,
        meter: str,
        *,
        plan: str | None = None,
        version: int | None = None,
        month: str | None = None,
        purchases: int | None = None,
        lifeline: bool | None = None,
    ) -> RateBillAnswer:
        """What a local month (None: the last one) would have cost under a plan (None: the one that holds now), also
        under one that was not valid then. ``purchases``: None is as often as something was bought."""
        meter = check_meter(meter)
        year, number = last_month(self._context) if month is None else parse_month(month)
        first = date(year, number, 1)
        with self._context.store.reading() as connection:
            check_home(connection, meter)
            holding = read_holding(connection, meter, self._today())
            chosen = self._choose(connection, meter, holding, plan, version)
            then = replace(chosen, valid_from=min(chosen.valid_from, first), valid_to=None)
            readings = read_month(connection, self._context, meter, then, first)
            count = count_purchases(connection, meter, then, first) if purchases is None else purchases
        flag = lifeline if lifeline is not None else holding is not None and holding.lifeline
        bill = preview(then, readings, year=year, month=number, lifeline=flag, purchases=count)
        return RateBillAnswer(
            meter=meter,
            month=f"{year}-{number:02d}",
            plan=bill.plan,
            version=bill.version,
            lines=charges_of(bill.lines),
            total_micro=bill.total_micro,
            energy=tuple(RateEnergy(each.price_micro, each.pulses) for each in bill.energy),
            energy_pulses=bill.energy_pulses,
            missing_s=bill.missing_s,
            purchases=count,
        )

    def _choose(
        self, connection: Connection, meter: str, holding: Holding | None, plan: str | None, version: int | None
    ) -> RatePlan:
        """The plan that was named, or the one that holds."""
        if plan is None and holding is None:
            raise no_rate(meter)
        if plan is None and version is None and holding is not None:
            return plan_of_day(read_versions(connection, holding.name), meter, holding, self._today()).plan
        named = plan if plan is not None else holding.name if holding is not None else ""
        return find_version(connection, named, version).plan

    def _today(self) -> int:
        return local_day(self._context.now(), self._context.zone)


def no_rate(meter: str) -> RefusedError:
    """No plan holds: a sale is its amount and nothing else."""
    allowed = "a meter for which a rate plan holds; give it one with `prewatt rate assign`"
    return RefusedError(RefusalOutcome.NO_RATE, "meter", meter, allowed)
