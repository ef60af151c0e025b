"""Calls on customers, premises, suppliers, agents, who has which meter, search, and files; part of `Selling`."""

from typing import Any, Final

from prewatt.host.customers.kinds import AGENTS, CUSTOMERS, PREMISES, SUPPLIERS, RecordKind
from prewatt.host.host import Host

__all__ = ["SellingRegistry"]

Json = dict[str, Any]
_REASON: Final = "asked by the owner"


class SellingRegistry:
    """See `prewatt.apps.selling.Selling`."""

    _host: Host

    def read_customers(self, after: str = "", limit: int = 50) -> list[Json]:
        """Customers by id, those behind ``after``."""
        return self._read_all(CUSTOMERS, after, limit)

    def read_customer(self, customer: str) -> Json:
        """One customer, with the meters that the customer has now."""
        return self._host.customers.read(CUSTOMERS, customer).as_dict()

    def add_customer(self, customer: str, **given: str) -> Json:
        """Adds a customer; the same again answers the same."""
        return self._host.customers.add(CUSTOMERS, customer, given).as_dict()

    def change_customer(self, customer: str, **given: str) -> Json:
        """Changes the fields that are given; an empty text takes one away."""
        return self._host.customers.change(CUSTOMERS, customer, given).as_dict()

    def read_customer_tenancies(self, customer: str) -> list[Json]:
        """The meters that a customer has or had, newest first."""
        return [each.as_dict() for each in self._host.customers.read_tenancies(customer=customer)]

    def read_all_premises(self, after: str = "", limit: int = 50) -> list[Json]:
        """Premises by id, those behind ``after``."""
        return self._read_all(PREMISES, after, limit)

    def read_premises(self, premises: str) -> Json:
        """One place, with the meters that hang there now."""
        return self._host.customers.read(PREMISES, premises).as_dict()

    def add_premises(self, premises: str, **given: str) -> Json:
        """Adds a place where meters hang; the same again answers the same."""
        return self._host.customers.add(PREMISES, premises, given).as_dict()

    def change_premises(self, premises: str, **given: str) -> Json:
        """Changes an address."""
        return self._host.customers.change(PREMISES, premises, given).as_dict()

    def read_suppliers(self, after: str = "", limit: int = 50) -> list[Json]:
        """Who sells energy to the seller, by id, those behind ``after``."""
        return self._read_all(SUPPLIERS, after, limit)

    def read_supplier(self, supplier: str) -> Json:
        """One supplier."""
        return self._host.customers.read(SUPPLIERS, supplier).as_dict()

    def add_supplier(self, supplier: str, **given: str) -> Json:
        """Adds somebody who sells energy to the seller; the same again answers the same."""
        return self._host.customers.add(SUPPLIERS, supplier, given).as_dict()

    def change_supplier(self, supplier: str, **given: str) -> Json:
        """Changes the fields that are given; an empty text takes one away."""
        return self._host.customers.change(SUPPLIERS, supplier, given).as_dict()

    def read_agents(self, after: str = "", limit: int = 50) -> list[Json]:
        """Who sells for the seller, by id, those behind ``after``."""
        return self._read_all(AGENTS, after, limit)

    def read_agent(self, agent: str) -> Json:
        """One agent."""
        return self._host.customers.read(AGENTS, agent).as_dict()

    def add_agent(self, agent: str, **given: str) -> Json:
        """Adds somebody who sells for the seller; the same again answers the same."""
        return self._host.customers.add(AGENTS, agent, given).as_dict()

    def change_agent(self, agent: str, **given: str) -> Json:
        """Changes the fields that are given; an empty text takes one away."""
        return self._host.customers.change(AGENTS, agent, given).as_dict()

    def assign_meter(
        self, meter: str, customer: str | None = None, premises: str | None = None, reason: str = _REASON
    ) -> list[Json]:
        """Gives a meter another customer, other premises, or both; gives all its tenancies, newest first."""
        found = self._host.customers.assign(meter, customer=customer, premises=premises, reason=reason)
        return [each.as_dict() for each in found]

    def vacate_meter(self, meter: str, reason: str = _REASON) -> list[Json]:
        """Ends the tenancy of a meter, which keeps its premises; gives all its tenancies, newest first."""
        return [each.as_dict() for each in self._host.customers.vacate(meter, reason=reason)]

    def read_tenancies(self, meter: str) -> list[Json]:
        """Who has or had a meter, newest first."""
        return [each.as_dict() for each in self._host.customers.read_tenancies(meter=meter)]

    def find(self, text: str, limit: int = 20) -> list[Json]:
        """People, places and meters that have a text in an id, a name, a phone number or an address."""
        return [each.as_dict() for each in self._host.finding.find(text, limit=limit)]

    def export_registry(self, kind: str) -> Json:
        """All customers, premises, suppliers, agents, stations or meters as one CSV file."""
        return self._host.exchange.export(kind).as_dict()

    def import_registry(self, kind: str, text: str, dry_run: bool = False) -> Json:
        """Takes a CSV file in, all rows or none; a dry run changes nothing and lists every bad row."""
        return self._host.exchange.take(kind, text, dry_run=dry_run).as_dict()

    def read_import(self) -> Json:
        """How far the import that runs now has come."""
        return self._host.exchange.progress.as_dict()

    def _read_all(self, kind: RecordKind, after: str, limit: int) -> list[Json]:
        return [each.as_dict() for each in self._host.customers.read_all(kind, after=after, limit=limit)]
