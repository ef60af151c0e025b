"""Errors under the paths of the pages as pages; those of the API stay as they are.

What the pages' own routes raise is caught around the route. What no route has (unknown paths, wrong methods, a
missing key) and what nobody foresaw comes by the application's handlers, which are kept for everything else.
"""

import inspect
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from prewatt.apps.web.guard import is_page_path
from prewatt.apps.web.rendering import error_page, wants_page
from prewatt.host.keys import VaultError
from prewatt.host.refusals import HostError
from prewatt.units import ValueFieldError

__all__ = ["PageRoute", "add_error_pages"]

_UNPROCESSABLE: Final = 422
_NOT_FOUND: Final = 404
_UNAVAILABLE: Final = 503
_BROKEN: Final = 500
_Handler = Callable[[Request, Any], Response | Awaitable[Response]]


class PageRoute(APIRoute):
    """A route that answers people with a page where it fails, and scripts as the API does."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """See FastAPI's custom route classes."""
        handle = super().get_route_handler()

        async def handle_as_page(request: Request) -> Response:
            try:
                return await handle(request)
            except ValueFieldError as error:
                if not wants_page(request):
                    raise
                return error_page(_NOT_FOUND if error.field == "meter" else _UNPROCESSABLE, str(error))
            except (HostError, VaultError) as error:
                if not wants_page(request):
                    raise
                return error_page(_UNAVAILABLE, str(error))

        return handle_as_page


def add_error_pages(app: FastAPI) -> None:
    """Takes over the errors of pages from the handlers that ``app`` has now."""
    before_http: _Handler | None = app.exception_handlers.get(HTTPException)
    before_any: _Handler | None = app.exception_handlers.get(Exception)

    @app.exception_handler(HTTPException)
    async def http_error(request: Request, error: HTTPException) -> Response:
        if is_page_path(request.url.path) and wants_page(request):
            return error_page(error.status_code, str(error.detail))
        return await _handled(before_http, request, error, error.status_code)

    @app.exception_handler(Exception)
    async def broken(request: Request, error: Exception) -> Response:
        if is_page_path(request.url.path) and wants_page(request):
            return error_page(_BROKEN, "prewatt could not make this page")
        return await _handled(before_any, request, error, _BROKEN)


async def _handled(before: _Handler | None, request: Request, error: Exception, status: int) -> Response:
    if before is None:
        from prewatt.apps.api.errors import error_body

        return JSONResponse(error_body("broken", "prewatt could not answer; its terminal says why"), status)
    answer = before(request, error)
    return await answer if inspect.isawaitable(answer) else answer
