"""The bodies and questions of the routes about rate plans."""

from collections.abc import Callable
from typing import Annotated, Any, Final

from fastapi import Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from prewatt.apps.desk import Desk
from prewatt.host.plans.importing import FORMATS
from prewatt.host.rates.plan import VERSION_MAX
from prewatt.host.rates.preview import PURCHASES_MAX

__all__ = ["RATE_BODIES", "RATE_QUESTIONS", "RateAssignIn", "RateImportIn", "RateIn"]

_KW_MAX = 1_000_000
_Version = Annotated[int | None, Query(ge=1, le=VERSION_MAX)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class RateIn(_Body):
    """A rate plan as docs/guide/rates.md describes it."""

    document: dict[str, Any]


class RateImportIn(_Body):
    """A published record, and what its format needs to be read."""

    format: Annotated[str, Field(description=f"One of {', '.join(FORMATS)}.")]
    record: dict[str, Any]
    name: Annotated[str | None, Field(description="Another name for the plan.")] = None
    leave_out: Annotated[list[str], Field(description="Fields of a URDB record to pass over.")] = []
    voltage: Annotated[str | None, Field(description="low or high, for kepco-residential.")] = None
    month: Annotated[str | None, Field(description="2026-03, for kepco-residential.")] = None
    contract: Annotated[str | None, Field(description="Such as F1-low, for kepco-general.")] = None
    kw: Annotated[int | None, Field(ge=1, le=_KW_MAX, description="The contract's power, for kepco-general.")] = None
    day: Annotated[str | None, Field(description="The day whose prices count, for kepco-general.")] = None


class RateAssignIn(_Body):
    """For a meter (none: the installation) a plan holds (none: its own is taken back) from a local day on."""

    plan: str | None = None
    meter: str | None = None
    from_day: Annotated[str | None, Field(description="2026-03-01; today where it is left out.")] = None
    lifeline: bool = False
    reason: str = "asked by the owner"


RATE_BODIES: Final[dict[str, type[BaseModel]]] = {
    "add_rate": RateIn,
    "check_rate": RateIn,
    "import_rate": RateImportIn,
    "assign_rate": RateAssignIn,
}


def _read_rate(desk_of: Callable[..., Desk]) -> Callable[..., Any]:
    def endpoint(desk: Annotated[Desk, Depends(desk_of)], plan: str, version: _Version = None) -> Any:  # noqa: ANN401 - JSON of the call
        return desk.call("read_rate", plan=plan, version=version)

    return endpoint


def _preview_rate(desk_of: Callable[..., Desk]) -> Callable[..., Any]:
    def endpoint(
        desk: Annotated[Desk, Depends(desk_of)],
        meter: str,
        plan: str | None = None,
        version: _Version = None,
        month: str | None = None,
        purchases: Annotated[int | None, Query(ge=0, le=PURCHASES_MAX)] = None,
        lifeline: bool | None = None,
    ) -> Any:  # noqa: ANN401 - JSON of the call
        asked = {"plan": plan, "version": version, "month": month, "purchases": purchases, "lifeline": lifeline}
        return desk.call("preview_rate", meter=meter, **asked)

    return endpoint


# The calls that take a query with bounds.
RATE_QUESTIONS: Final[dict[str, Callable[[Callable[..., Desk]], Callable[..., Any]]]] = {
    "read_rate": _read_rate,
    "preview_rate": _preview_rate,
}
