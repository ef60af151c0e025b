"""The HTTP application of a running `up`: health, API, and the pages."""

from importlib.metadata import version
from typing import Any

from fastapi import Depends, FastAPI

from prewatt.apps.api.access import Access
from prewatt.apps.api.errors import add_error_handlers
from prewatt.apps.api.selling import selling_routes
from prewatt.apps.api.staff import login_routes
from prewatt.apps.api.street import street_routes
from prewatt.apps.pages import StreetPages
from prewatt.apps.selling import Selling
from prewatt.apps.street.street import Street
from prewatt.apps.web import add_host_page, add_pages

__all__ = ["API_PREFIX", "build_app", "build_host_app"]

API_PREFIX = "/api/v1"


def build_app(selling: Selling, street: Street, token: str) -> FastAPI:
    """The application. ``token`` opens everything but /healthz and /openapi.json."""
    app, access = _begin(selling, token)
    app.include_router(street_routes(street), prefix=API_PREFIX, dependencies=[Depends(access.require)])
    add_pages(app, access, StreetPages(selling, street))
    return app


def build_host_app(selling: Selling, token: str) -> FastAPI:
    """The application of a host without a street: there are no faces to show, and so one page that says so."""
    app, _ = _begin(selling, token)
    add_host_page(app)
    return app


def _begin(selling: Selling, token: str) -> tuple[FastAPI, Access]:
    """What every application has."""
    app = FastAPI(
        title="Prewatt",
        version=version("prewatt"),
        summary="Sell electricity before it is used",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    add_error_handlers(app)
    access = Access(token, lambda: selling.host.logins)
    app.include_router(selling_routes(access.desk(selling)), prefix=API_PREFIX)
    app.include_router(login_routes(lambda: selling.host.logins), prefix=API_PREFIX)

    @app.get("/healthz")
    def health() -> dict[str, Any]:
        """200 when the host takes orders."""
        return {"ok": True, "version": version("prewatt")}

    return app, access
