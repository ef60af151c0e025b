"""What stands between these pages and other sites: who may ask, from where, and what a page may load.

The cookie is HttpOnly and SameSite=Strict, and a request that changes something must say that it comes from this very
site (Sec-Fetch-Site of W3C Fetch Metadata, or the Origin of RFC 6454). The Content-Security-Policy lets a page load
only what this server sends, and run no script that stands in the page itself.
"""

from typing import Final
from urllib.parse import parse_qs, urlsplit

from fastapi import HTTPException, Request
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from prewatt.units import ValueFieldError

__all__ = ["API_PATHS", "STATIC_PATH", "PageHeaders", "check_same_site", "is_page_path", "read_form"]

STATIC_PATH: Final = "/static"
API_PATHS: Final = ("/api/", "/healthz", "/openapi.json")
_FORBIDDEN: Final = 403
_TOO_LARGE: Final = 413
_WRONG_TYPE: Final = 415
# A form of these pages has three short fields.
_FORM_BYTES_MAX: Final = 4_096
_FORM_FIELDS_MAX: Final = 8
_FORM_TYPE: Final = "application/x-www-form-urlencoded"
_POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)
_HEADERS: Final = {
    "content-security-policy": _POLICY,
    "x-content-type-options": "nosniff",
    # Not no-referrer: that would make a browser send its own forms with the Origin "null".
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


def is_page_path(path: str) -> bool:
    """Whether the path belongs to the pages, and not to the API."""
    return not path.startswith(API_PATHS)


def check_same_site(request: Request) -> None:
    """403 unless the request comes from a page of this server, or carries its own bearer token."""
    # No page of another site can send a bearer token; Basic it can, by an address with a name in it.
    if request.headers.get("authorization", "").lower().startswith("bearer "):
        return
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        same = site == "same-origin"
    else:
        host, origin = request.headers.get("host", ""), request.headers.get("origin", "")
        same = bool(host) and urlsplit(origin).netloc == host
    if not same:
        raise HTTPException(_FORBIDDEN, "this was asked from another site; open the page itself and ask there")


async def read_form(request: Request) -> dict[str, str]:
    """The fields of a posted form, each once; errors where it is no such form or too long."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM_TYPE:
        raise HTTPException(_WRONG_TYPE, f"a form of the type {_FORM_TYPE} is needed here")
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _FORM_BYTES_MAX:
            raise HTTPException(_TOO_LARGE, f"the form is longer than {_FORM_BYTES_MAX} bytes")
    try:
        fields = parse_qs(
            body.decode(), keep_blank_values=True, errors="strict", max_num_fields=_FORM_FIELDS_MAX, separator="&"
        )
    except ValueError:
        raise ValueFieldError("form", body.decode(errors="replace")[:80], "UTF-8, with at most 8 fields") from None
    twice = [name for name, values in fields.items() if len(values) > 1]
    if twice:
        raise ValueFieldError(twice[0], fields[twice[0]], "one value")
    return {name: values[0] for name, values in fields.items()}


class PageHeaders:
    """Puts the headers above on every answer under a page's path. Pages are never kept; assets are asked for anew."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See the ASGI specification."""
        if scope["type"] != "http" or not is_page_path(scope["path"]):
            await self._app(scope, receive, send)
            return
        keep = "no-cache" if scope["path"].startswith(STATIC_PATH + "/") else "no-store"

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update({**_HEADERS, "cache-control": keep})
            await send(message)

        await self._app(scope, receive, send_with_headers)
