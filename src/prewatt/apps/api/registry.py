"""The bodies and questions of the routes on customers, premises, who has which meter, search, and files."""

from collections.abc import Callable
from typing import Annotated, Any, Final

from fastapi import Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from prewatt.apps.desk import Desk
from prewatt.host.customers.customers import LISTED_MAX
from prewatt.host.customers.finding import FOUND_MAX

__all__ = ["REGISTRY_BODIES", "REGISTRY_QUESTIONS"]


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


class ContactChangeIn(_Body):
    """What changes of a supplier or an agent; what is left out stays."""

    name: str | None = None
    phone: Annotated[str | None, Field(description="As E.164 has it: +33612345678.")] = None
    email: str | None = None


class SupplierIn(ContactChangeIn):
    """Who sells energy to the seller."""

    supplier: str


class AgentIn(ContactChangeIn):
    """Who sells for the seller."""

    agent: str


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


REGISTRY_BODIES: Final[dict[str, type[BaseModel]]] = {
    "add_customer": CustomerIn,
    "change_customer": CustomerChangeIn,
    "add_premises": PremisesIn,
    "change_premises": AddressIn,
    "add_supplier": SupplierIn,
    "change_supplier": ContactChangeIn,
    "add_agent": AgentIn,
    "change_agent": ContactChangeIn,
    "assign_meter": AssignIn,
    "vacate_meter": VacateIn,
    "import_registry": ImportIn,
}

_Endpoint = Callable[..., Any]
_Question = Callable[[Callable[..., Desk]], _Endpoint]
_After = Annotated[str, Query(description="The last id of the page before.")]
_Limit = Annotated[int, Query(ge=1, le=LISTED_MAX)]


def _listed(call: str) -> _Question:
    def question(desk_of: Callable[..., Desk]) -> _Endpoint:
        def endpoint(desk: Annotated[Desk, Depends(desk_of)], after: _After = "", limit: _Limit = 50) -> Any:  # noqa: ANN401 - JSON of the call
            return desk.call(call, after=after, limit=limit)

        return endpoint

    return question


def _find(desk_of: Callable[..., Desk]) -> _Endpoint:
    def endpoint(
        desk: Annotated[Desk, Depends(desk_of)], text: str, limit: Annotated[int, Query(ge=1, le=FOUND_MAX)] = 20
    ) -> Any:  # noqa: ANN401 - JSON of the call
        return desk.call("find", text=text, limit=limit)

    return endpoint


# The calls that take a query with bounds.
REGISTRY_QUESTIONS: Final[dict[str, _Question]] = {
    **{call: _listed(call) for call in ("read_customers", "read_all_premises", "read_suppliers", "read_agents")},
    "find": _find,
}
