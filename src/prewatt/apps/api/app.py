"""The HTTP application of a running `up`: health, API, and the pages."""

from importlib.metadata import version
from typing import Any

from fastapi import Depends, FastAPI

from prewatt.apps.api.access import Access
from prewatt.apps.api.errors import add_error_handlers
from prewatt.apps.api.selling import selling_routes
from prewatt.apps.api.street import street_routes
from prewatt.apps.pages import StreetPages
from prewatt.apps.selling import Selling
from prewatt.apps.street.street import Street
from prewatt.apps.web import add_pages

__all__ = ["API_PREFIX", "build_app"]

API_PREFIX = "/api/v1"


def build_app(selling: Selling, street: Street | None, token: str) -> FastAPI:
    """The application. ``token`` opens everything but /healthz and /openapi.json; without a street there are no faces
    to show, and so no pages."""
    app = FastAPI(
        title="Prewatt",
        version=version("prewatt"),
        summary="Sell electricity before it is used",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    add_error_handlers(app)
    access = Access(token)
    guard = [Depends(access.require)]
    app.include_router(selling_routes(selling), prefix=API_PREFIX, dependencies=guard)
    if street is not None:
        app.include_router(street_routes(street), prefix=API_PREFIX, dependencies=guard)

    @app.get("/healthz")
    def health() -> dict[str, Any]:
        """200 when the host takes orders."""
        return {"ok": True, "version": version("prewatt")}

    if street is not None:
        add_pages(app, access, StreetPages(selling, street))
    return app
