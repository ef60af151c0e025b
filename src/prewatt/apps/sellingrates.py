"""The calls about rate plans; a part of `Selling`."""

from typing import Any

from prewatt.apps.zones import installation_rule
from prewatt.host.host import Host
from prewatt.host.plans.answers import RateCheckAnswer, problems_of
from prewatt.host.plans.importing import ImportOptions, import_record
from prewatt.host.rates import build_document

__all__ = ["SellingRates"]

Json = dict[str, Any]


class SellingRates:
    """See `prewatt.apps.selling.Selling`."""

    _host: Host

    def read_rates(self) -> list[Json]:
        """Every version of every rate plan."""
        return [each.as_dict() for each in self._host.rates.read_all()]

    def read_rate(self, plan: str, version: int | None = None) -> Json:
        """One version of a rate plan, whole; without a version the highest."""
        return self._host.rates.read(plan, version).as_dict()

    def check_rate(self, document: Json) -> Json:
        """What a document comes to, and all that no meter can follow; stores nothing."""
        zone = installation_rule(self._host)
        checked = self._host.rates.check(document, zone_quarters=zone.zone_quarters, daylight=zone.daylight)
        return checked.as_dict()

    def add_rate(self, document: Json) -> Json:
        """Makes a version of a document."""
        zone = installation_rule(self._host)
        made = self._host.rates.add(document, zone_quarters=zone.zone_quarters, daylight=zone.daylight)
        return made.as_dict()

    def import_rate(self, format: str, record: Json, name: str | None = None, **options: Any) -> Json:  # noqa: ANN401
        """What a published record comes to as a plan, and all that cannot be said; stores nothing. `document` is what
        `add_rate` takes."""
        zone = installation_rule(self._host)
        wanted = ImportOptions(**options)
        found = import_record(format, record, wanted, zone_quarters=zone.zone_quarters, daylight=zone.daylight)
        if found.plan is None:
            return RateCheckAnswer(None, (), problems_of(found.problems), (), found.notes).as_dict()
        document = build_document(found.plan)
        # The next version of its name, whenever it is added.
        del document["version"]
        checked = self.check_rate(document | ({"name": name} if name is not None else {}))
        if checked["document"] is not None:
            del checked["document"]["version"]
        return checked | {"notes": list(found.notes)}

    def read_rate_assignments(self, meter: str | None = None) -> list[Json]:
        """For whom which plan holds from when, newest first."""
        return [each.as_dict() for each in self._host.rates.read_assignments(meter)]

    def assign_rate(
        self,
        plan: str | None = None,
        meter: str | None = None,
        from_day: str | None = None,
        lifeline: bool = False,
        reason: str = "asked by the owner",
    ) -> Json:
        """From a day on a plan holds for a meter, or for the installation; without a plan it is taken back."""
        made = self._host.rates.assign(plan, meter=meter, from_day=from_day, lifeline=lifeline, reason=reason)
        return made.as_dict()

    def read_meter_rate(self, meter: str, day: str | None = None) -> Json:
        """Which plan holds for a meter on a day."""
        return self._host.rates.read_holding(meter, day).as_dict()

    def quote(self, meter: str, amount: str | None = None, kwh: str | None = None) -> Json:
        """What an amount buys for a meter now, line by line; sells nothing."""
        return self._host.rates.quote(meter, amount, kwh=kwh).as_dict()

    def preview_rate(
        self,
        meter: str,
        plan: str | None = None,
        version: int | None = None,
        month: str | None = None,
        purchases: int | None = None,
        lifeline: bool | None = None,
    ) -> Json:
        """What a month that was measured would have cost under a plan."""
        found = self._host.rates.preview(
            meter, plan=plan, version=version, month=month, purchases=purchases, lifeline=lifeline
        )
        return found.as_dict()

    def read_charges(self, order: str) -> list[Json]:
        """What was paid for with a transfer, line by line; none where it was sold without a plan."""
        return [each.as_dict() for each in self._host.transfers.read_charges(order)]
