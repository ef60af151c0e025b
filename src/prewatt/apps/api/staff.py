"""The fields of the routes on staff, and the one route that asks nobody for a token: it gives one for a password."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from prewatt.apps.api.access import origin_of
from prewatt.host.staff.logins import Logins

__all__ = ["ApproveIn", "LimitIn", "TokenIn", "UserChangeIn", "UserIn", "login_routes"]


class _Body(BaseModel):
    """A request body: exactly these fields."""

    model_config = ConfigDict(extra="forbid", strict=True)


class UserIn(_Body):
    """A new user; without a password one that only has tokens."""

    name: str
    roles: Annotated[list[str], Field(description="owner, finance, clerk, agent, technician, auditor, api.")]
    password: Annotated[str | None, Field(description="10 to 128 characters.")] = None


class UserChangeIn(_Body):
    """What is to be changed of a user; what is left out stays."""

    roles: list[str] | None = None
    password: str | None = None
    totp: Annotated[str | None, Field(description="new: another secret for the app, answered once; off: none.")] = None


class TokenIn(_Body):
    """A token: what it is for, the scopes it is held to (none: all that the roles allow), days until it expires."""

    label: str
    scopes: Annotated[list[str], Field(description="read, sell, money, field, prices, audit, staff.")] = []
    days: int | None = None


class ApproveIn(_Body):
    """The digest of what was read, as the list of approvals shows it."""

    digest: str


class LimitIn(_Body):
    """A decimal of the currency; 0 for every refund."""

    amount: str


class LoginIn(_Body):
    """Who it is, and the code of the authenticator app where there is one."""

    name: str
    password: str
    code: str | None = None


def login_routes(logins: Callable[[], Logins]) -> APIRouter:
    """See the module."""
    routes = APIRouter()

    @routes.post("/logins", operation_id="login", name="login")
    def login(request: Request, body: LoginIn) -> dict[str, Any]:
        """A token for twelve hours, for a name with its password. After five wrong tries one waits."""
        return logins().login(body.name, body.password, body.code, origin_of(request)).as_dict()

    return routes
