"""The one page of a host without a street: what runs here, and where a person goes from it.

It tells nothing of the installation, so that it needs no key.
"""

from importlib.metadata import version
from pathlib import Path

from fastapi import APIRouter, FastAPI, Response
from fastapi.staticfiles import StaticFiles

from prewatt.apps.web.guard import STATIC_PATH, PageHeaders
from prewatt.apps.web.rendering import render

__all__ = ["add_host_page"]


def add_host_page(app: FastAPI) -> None:
    """Adds the page, and what it looks like, to ``app``."""
    pages = APIRouter(include_in_schema=False)
    pages.add_api_route("/", _show)
    app.include_router(pages)
    app.mount(STATIC_PATH, StaticFiles(directory=Path(__file__).parent / "static"))
    app.add_middleware(PageHeaders)


def _show() -> Response:
    return render("host.html", version=version("prewatt"))
