"""The seller's routes: each takes its fields, strictly, and calls `prewatt.apps.selling` under the same path."""

import re
from collections.abc import Callable
from inspect import Parameter, Signature, signature
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from prewatt.apps.api.campaigns import CampaignIn, ProgramIn
from prewatt.apps.api.ledger import CloseIn
from prewatt.apps.api.places import AreaIn, LineIn, MoveIn, NameIn, NothingIn, PollingIn, RatingIn, StationIn
from prewatt.apps.api.rates import RATE_BODIES, RATE_QUESTIONS
from prewatt.apps.api.registry import REGISTRY_BODIES, REGISTRY_QUESTIONS
from prewatt.apps.api.staff import ApproveIn, LimitIn, TokenIn, UserChangeIn, UserIn
from prewatt.apps.desk import Desk
from prewatt.apps.selling import APPROVE, ROUTES, Selling
from prewatt.host.staff.log import LOG_PAGE_MAX
from prewatt.host.transfers import LISTED_MAX

__all__ = ["selling_routes"]

APPROVE_TEXT = "Does what somebody else asked for: the call is made in the name of this second person."
_DAYS_MAX = 366


class _Body(BaseModel):
    """A request body: exactly these fields."""

    model_config = ConfigDict(extra="forbid", strict=True)


class VendIn(_Body):
    """A sale for cash. ``order`` is the caller's own id: the same id again sells nothing twice."""

    meter: str
    amount: Annotated[str, Field(description="A decimal of the currency, such as 10.00.")]
    order: str | None = None
    code: Annotated[bool, Field(description="As a value code; where there can be none now, nothing is sold.")] = False


class MeterIn(_Body):
    """A meter to enrol; what is left out the host chooses."""

    meter: str
    m_id: int | None = None
    station: str | None = None
    suite: str | None = None
    customer: str | None = None
    premises: str | None = None
    kind: str | None = None


class ReasonIn(_Body):
    """Why something is done."""

    reason: str = "asked by the owner"


class ThawIn(_Body):
    """What a person found out about a frozen meter."""

    reason: str = "asked by the owner"
    back: bool = False
    """A body without an epoch answered too early, and the one before it hangs there again."""


class LossIn(_Body):
    """Why something is given up for good."""

    reason: str


class ReplaceIn(_Body):
    """The meter that follows; the next body of the same id where it is left out."""

    to_meter: str | None = None
    reason: str = "asked by the owner"


class SignOverIn(_Body):
    """A lot of a lost body (an order's id, or `balance`), and exactly one target."""

    lot: str
    reason: str
    to_meter: str | None = None
    refund: bool = False
    write_off: Annotated[str | None, Field(description="The named account that takes the loss.")] = None


class TextIn(_Body):
    """A message for a meter's display."""

    text: str


class RelayIn(_Body):
    """What the relay shall do: open, arm or close."""

    order: str


class SettingsIn(_Body):
    """Settings by name, as docs/reference/meter.md lists them."""

    settings: dict[str, int]


class KeyIn(_Body):
    """The key set that the meter shall get."""

    key_set: int


class SuspenseIn(_Body):
    """Value in suspense, by meter and sequence, and why it is explained."""

    meter: str
    sequence: int
    reason: str = "asked by the owner"


class MatchIn(_Body):
    """Value in suspense, by meter and sequence, and the open order that it was."""

    meter: str
    sequence: int
    order: str
    reason: str = "asked by the owner"


class TariffIn(_Body):
    """A price per kWh as a decimal, and a mode table: its name, or a document."""

    unit_price: str
    table: str | dict[str, Any] = "flat"
    meters: list[str] | None = None


DeskOf = Callable[..., Desk]
_Answers = Callable[..., Any]


def selling_routes(desk_of: DeskOf) -> APIRouter:
    """The routes. Handlers are plain functions, so each runs in its own thread and may wait for the store.

    ``desk_of`` is the dependency that says for whom a call is made.
    """
    routes, special = APIRouter(), _SPECIAL
    for method, path, name in ROUTES:
        if name in BODIES:
            endpoint = _with_body(name, path, BODIES[name], desk_of)
        elif name in special:
            endpoint = special[name](desk_of)
        else:
            endpoint = _with_path(name, desk_of)
        summary = getattr(Selling, name, endpoint).__doc__
        routes.add_api_route(path, endpoint, methods=[method], name=name, summary=summary, operation_id=name)
    return routes


# The calls that take a body, by name; it has the fields of its model, beside those of the path.
BODIES: Final[dict[str, type[BaseModel]]] = {
    "enrol_meter": MeterIn,
    "vend": VendIn,
    "set_tariff": TariffIn,
    "close_meter": ReasonIn,
    "block_meter": ReasonIn,
    "reopen_meter": ReasonIn,
    "reconcile_meter": ReasonIn,
    "thaw_meter": ThawIn,
    "retire_meter": ReasonIn,
    "replace_meter": ReplaceIn,
    "lose_meter": LossIn,
    "sign_over": SignOverIn,
    "match_suspense": MatchIn,
    "send_text": TextIn,
    "order_relay": RelayIn,
    "change_settings": SettingsIn,
    "change_key": KeyIn,
    "explain_suspense": SuspenseIn,
    "start_campaign": CampaignIn,
    "add_program": ProgramIn,
    "move_meter": MoveIn,
    "add_area": AreaIn,
    "rename_area": NameIn,
    "add_station": StationIn,
    "rename_station": NameIn,
    "set_station_line": LineIn,
    "set_station_rating": RatingIn,
    "change_station_polling": PollingIn,
    "inherit_polling": NothingIn,
    "book_again": NothingIn,
    "forget_unbooked": LossIn,
    "change_polling": PollingIn,
    "close_period": CloseIn,
    "add_user": UserIn,
    "change_user": UserChangeIn,
    "add_token": TokenIn,
    "change_refund_limit": LimitIn,
    APPROVE: ApproveIn,
    **RATE_BODIES,
    **REGISTRY_BODIES,
}


def _with_body(name: str, path: str, model: type[BaseModel], desk_of: DeskOf) -> _Answers:
    steps = re.findall(r"{(\w+)}", path)

    def endpoint(body: BaseModel, desk: Desk, **step: str) -> Any:  # noqa: ANN401 - JSON of the call
        return desk.call(name, **step, **body.model_dump(exclude_none=True))

    endpoint.__doc__ = APPROVE_TEXT if name == APPROVE else None
    return _signed(endpoint, {**dict.fromkeys(steps, str), "body": model}, desk_of)


def _with_path(name: str, desk_of: DeskOf) -> _Answers:
    def endpoint(desk: Desk, **given: Any) -> Any:  # noqa: ANN401 - JSON of the call
        return desk.call(name, **given)

    asked = list(signature(getattr(Selling, name)).parameters.values())[1:]
    return _signed(
        endpoint, {each.name: each.annotation for each in asked}, desk_of, {each.name: each.default for each in asked}
    )


def _signed(
    endpoint: _Answers, fields: dict[str, Any], desk_of: DeskOf, defaults: dict[str, Any] | None = None
) -> _Answers:
    """The endpoint with the parameters that its path and body have; FastAPI reads them from the signature."""
    asked = {**fields, "desk": Annotated[Desk, Depends(desk_of)]}
    known = {} if defaults is None else defaults
    made = [
        Parameter(name, Parameter.KEYWORD_ONLY, annotation=kind, default=known.get(name, Parameter.empty))
        for name, kind in asked.items()
    ]
    vars(endpoint)["__signature__"] = Signature(made)
    return endpoint


def _read_events(desk_of: DeskOf) -> _Answers:
    def endpoint(
        desk: Annotated[Desk, Depends(desk_of)], meter: str, limit: Annotated[int, Query(ge=1, le=LISTED_MAX)] = 50
    ) -> Any:  # noqa: ANN401 - JSON of the call
        return desk.call("read_events", meter=meter, limit=limit)

    return endpoint


def _read_usage(desk_of: DeskOf) -> _Answers:
    def endpoint(
        desk: Annotated[Desk, Depends(desk_of)],
        meter: str,
        by: str = "hour",
        days: Annotated[int, Query(ge=1, le=_DAYS_MAX)] = 1,
    ) -> Any:  # noqa: ANN401 - JSON of the call
        return desk.call("read_usage", meter=meter, by=by, days=days)

    return endpoint


def _read_transfers(desk_of: DeskOf) -> _Answers:
    def endpoint(
        desk: Annotated[Desk, Depends(desk_of)],
        meter: str | None = None,
        state: str | None = None,
        limit: Annotated[int, Query(ge=1, le=LISTED_MAX)] = 50,
    ) -> Any:  # noqa: ANN401 - JSON of the call
        return desk.call("read_transfers", meter=meter, state=state, limit=limit)

    return endpoint


def _read_log(desk_of: DeskOf) -> _Answers:
    def endpoint(
        desk: Annotated[Desk, Depends(desk_of)],
        subject: str | None = None,
        actor: str | None = None,
        from_s: int | None = None,
        until_s: int | None = None,
        below: int | None = None,
        limit: Annotated[int, Query(ge=1, le=LOG_PAGE_MAX)] = 50,
    ) -> Any:  # noqa: ANN401 - JSON of the call
        period = {"from_s": from_s, "until_s": until_s}
        return desk.call("read_log", subject=subject, actor=actor, below=below, limit=limit, **period)

    return endpoint


# The calls that take a query.
_SPECIAL: Final[dict[str, Callable[[DeskOf], _Answers]]] = {
    "read_events": _read_events,
    "read_usage": _read_usage,
    "read_transfers": _read_transfers,
    "read_log": _read_log,
    **RATE_QUESTIONS,
    **REGISTRY_QUESTIONS,
}
