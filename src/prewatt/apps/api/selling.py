"""The seller's routes: each takes its fields, strictly, and calls `prewatt.apps.selling` under the same path."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from prewatt.apps.api.campaigns import CampaignIn, ProgramIn
from prewatt.apps.api.places import AreaIn, LineIn, MoveIn, NameIn, NothingIn, PollingIn, StationIn
from prewatt.apps.api.registry import registry_endpoints
from prewatt.apps.selling import ROUTES, Json, Selling
from prewatt.host.transfers import LISTED_MAX

__all__ = ["selling_routes"]

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


def selling_routes(selling: Selling) -> APIRouter:
    """The routes. Handlers are plain functions, so each runs in its own thread and may wait for the store."""
    routes, with_bodies = APIRouter(), _with_bodies(selling) | registry_endpoints(selling)
    for method, path, name in ROUTES:
        call = getattr(selling, name)
        endpoint = with_bodies.get(name, call)
        routes.add_api_route(path, endpoint, methods=[method], name=name, summary=call.__doc__, operation_id=name)
    return routes


def _with_bodies(selling: Selling) -> dict[str, Callable[..., Any]]:
    """The calls that take a body or a query, by name; all others take their path alone."""
    return {
        "enrol_meter": _with_body(selling.enrol_meter, MeterIn),
        "vend": _with_body(selling.vend, VendIn),
        "set_tariff": _with_body(selling.set_tariff, TariffIn),
        "close_meter": _of_meter(selling.close_meter, ReasonIn),
        "block_meter": _of_meter(selling.block_meter, ReasonIn),
        "reopen_meter": _of_meter(selling.reopen_meter, ReasonIn),
        "reconcile_meter": _of_meter(selling.reconcile_meter, ReasonIn),
        "thaw_meter": _of_meter(selling.thaw_meter, ThawIn),
        "retire_meter": _of_meter(selling.retire_meter, ReasonIn),
        "replace_meter": _of_meter(selling.replace_meter, ReplaceIn),
        "lose_meter": _of_meter(selling.lose_meter, LossIn),
        "sign_over": _of_meter(selling.sign_over, SignOverIn),
        "match_suspense": _with_body(selling.match_suspense, MatchIn),
        "send_text": _of_meter(selling.send_text, TextIn),
        "order_relay": _of_meter(selling.order_relay, RelayIn),
        "change_settings": _of_meter(selling.change_settings, SettingsIn),
        "change_key": _of_meter(selling.change_key, KeyIn),
        "explain_suspense": _with_body(selling.explain_suspense, SuspenseIn),
        "start_campaign": _with_body(selling.start_campaign, CampaignIn),
        "add_program": _with_body(selling.add_program, ProgramIn),
        "move_meter": _of_meter(selling.move_meter, MoveIn),
        "add_area": _with_body(selling.add_area, AreaIn),
        "rename_area": _of_area(selling.rename_area, NameIn),
        "add_station": _with_body(selling.add_station, StationIn),
        "rename_station": _of_station(selling.rename_station, NameIn),
        "set_station_line": _of_station(selling.set_station_line, LineIn),
        "change_station_polling": _of_station(selling.change_station_polling, PollingIn),
        "inherit_polling": _of_station(selling.inherit_polling, NothingIn),
        "book_again": _of_station(selling.book_again, NothingIn),
        "forget_unbooked": _of_station(selling.forget_unbooked, LossIn),
        "change_polling": _with_body(selling.change_polling, PollingIn),
        "read_events": _read_events(selling),
        "read_usage": _read_usage(selling),
        "read_transfers": _read_transfers(selling),
    }


def _with_body(call: Callable[..., Any], model: type[BaseModel]) -> Callable[..., Json]:
    def endpoint(body: BaseModel) -> Any:  # noqa: ANN401 - JSON of the call
        return call(**body.model_dump(exclude_none=True))

    endpoint.__annotations__["body"] = model
    return endpoint


def _of_meter(call: Callable[..., Json], model: type[BaseModel]) -> Callable[..., Json]:
    def endpoint(meter: str, body: BaseModel) -> Json:
        return call(meter, **body.model_dump(exclude_none=True))

    endpoint.__annotations__["body"] = model
    return endpoint


def _of_area(call: Callable[..., Json], model: type[BaseModel]) -> Callable[..., Json]:
    def endpoint(area: str, body: BaseModel) -> Json:
        return call(area, **body.model_dump(exclude_none=True))

    endpoint.__annotations__["body"] = model
    return endpoint


def _of_station(call: Callable[..., Any], model: type[BaseModel]) -> Callable[..., Any]:
    def endpoint(station: str, body: BaseModel) -> Any:  # noqa: ANN401 - JSON of the call
        return call(station, **body.model_dump(exclude_none=True))

    endpoint.__annotations__["body"] = model
    return endpoint


def _read_events(selling: Selling) -> Callable[..., list[Json]]:
    def endpoint(meter: str, limit: Annotated[int, Query(ge=1, le=LISTED_MAX)] = 50) -> list[Json]:
        return selling.read_events(meter, limit)

    return endpoint


def _read_usage(selling: Selling) -> Callable[..., Json]:
    def endpoint(meter: str, by: str = "hour", days: Annotated[int, Query(ge=1, le=_DAYS_MAX)] = 1) -> Json:
        return selling.read_usage(meter, by, days)

    return endpoint


def _read_transfers(selling: Selling) -> Callable[..., list[Json]]:
    def endpoint(
        meter: str | None = None, state: str | None = None, limit: Annotated[int, Query(ge=1, le=LISTED_MAX)] = 50
    ) -> list[Json]:
        return selling.read_transfers(meter, state, limit)

    return endpoint
