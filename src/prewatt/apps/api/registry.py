"""The fields of the routes on customers, premises, who has which meter, search, and files; and what takes them."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field

from prewatt.apps.selling import Json, Selling
from prewatt.host.customers.customers import LISTED_MAX
from prewatt.host.customers.finding import FOUND_MAX

__all__ = ["registry_endpoints"]


class _Body(BaseModel):
    """A request body: exactly these fields."""

    model_config = ConfigDict(extra="forbid", strict=True)


class CustomerChangeIn(_Body):
    """What changes; what is left out stays."""

    name: str | None = None
    locale: Annotated[str | None, Field(description="en, fr, ko or sw.")] = None
    phone: Annotated[str | None, Field(description="As E.164 has it: +33612345678.")] = None
    email: str | None = None
    notices: Annotated[str | None, Field(description="email, sms, or both with a space between.")] = None


class CustomerIn(CustomerChangeIn):
    """A customer."""

    customer: str


class AddressIn(_Body):
    """Where premises are."""

    address: str


class PremisesIn(AddressIn):
    """A place where meters hang."""

    premises: str


class AssignIn(_Body):
    """Who has a meter from now on, and where; what is left out stays."""

    customer: str | None = None
    premises: str | None = None
    reason: str = "asked by the owner"


class VacateIn(_Body):
    """Why a tenancy ends."""

    reason: str = "asked by the owner"


class ImportIn(_Body):
    """A CSV file, and whether it is only looked at."""

    text: str
    dry_run: bool = False


After = Annotated[str, Query(description="The last id of the page before.")]
Limit = Annotated[int, Query(ge=1, le=LISTED_MAX)]


def registry_endpoints(selling: Selling) -> dict[str, Callable[..., Any]]:
    """The calls that take a body or a query, by name."""
    listed = ("read_customers", "read_all_premises", "read_suppliers", "read_agents")
    return {name: _listed(getattr(selling, name)) for name in listed} | {
        "add_customer": _added(selling.add_customer, CustomerIn),
        "add_premises": _added(selling.add_premises, PremisesIn),
        "change_customer": _change_customer(selling),
        "change_premises": _change_premises(selling),
        "assign_meter": _of_meter(selling.assign_meter, AssignIn),
        "vacate_meter": _of_meter(selling.vacate_meter, VacateIn),
        "import_registry": _import(selling),
        "find": _find(selling),
    }


def _listed(call: Callable[[str, int], list[Json]]) -> Callable[..., list[Json]]:
    def endpoint(after: After = "", limit: Limit = 50) -> list[Json]:
        return call(after, limit)

    return endpoint


def _added(call: Callable[..., Json], model: type[BaseModel]) -> Callable[..., Json]:
    def endpoint(body: BaseModel) -> Json:
        return call(**body.model_dump(exclude_none=True))

    endpoint.__annotations__["body"] = model
    return endpoint


def _of_meter(call: Callable[..., list[Json]], model: type[BaseModel]) -> Callable[..., list[Json]]:
    def endpoint(meter: str, body: BaseModel) -> list[Json]:
        return call(meter, **body.model_dump(exclude_none=True))

    endpoint.__annotations__["body"] = model
    return endpoint


def _change_customer(selling: Selling) -> Callable[..., Json]:
    def endpoint(customer: str, body: CustomerChangeIn) -> Json:
        return selling.change_customer(customer, **body.model_dump(exclude_none=True))

    return endpoint


def _change_premises(selling: Selling) -> Callable[..., Json]:
    def endpoint(premises: str, body: AddressIn) -> Json:
        return selling.change_premises(premises, **body.model_dump(exclude_none=True))

    return endpoint


def _import(selling: Selling) -> Callable[..., Json]:
    def endpoint(kind: str, body: ImportIn) -> Json:
        return selling.import_registry(kind, body.text, body.dry_run)

    return endpoint


def _find(selling: Selling) -> Callable[..., list[Json]]:
    def endpoint(text: str, limit: Annotated[int, Query(ge=1, le=FOUND_MAX)] = 20) -> list[Json]:
        return selling.find(text, limit)

    return endpoint
