"""One error shape everywhere: {"error": {"outcome", "field", "given", "allowed", "text"}}, and the status that fits."""

from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from prewatt.host.keys import VaultError
from prewatt.host.refusals import HostError, RefusalOutcome, RefusedError
from prewatt.units import ValueFieldError

__all__ = ["add_error_handlers", "error_body"]

# What was given is shown, so that a person sees the slip; this much of it is enough.
_SHOWN_CHARS_MAX: Final = 500
_BAD_REQUEST: Final = 422
_CONFLICT: Final = 409
_NOT_FOUND: Final = 404
_UNAVAILABLE: Final = 503
_NOT_THERE: Final = frozenset(
    {
        RefusalOutcome.UNKNOWN_METER,
        RefusalOutcome.UNKNOWN_ORDER,
        RefusalOutcome.UNKNOWN_STATION,
        RefusalOutcome.UNKNOWN_AREA,
        RefusalOutcome.UNKNOWN_CAMPAIGN,
        RefusalOutcome.UNKNOWN_PROGRAM,
        RefusalOutcome.UNKNOWN_PAYMENT,
        RefusalOutcome.UNKNOWN_ACCOUNT,
        RefusalOutcome.UNKNOWN_CUSTOMER,
        RefusalOutcome.UNKNOWN_PREMISES,
        RefusalOutcome.UNKNOWN_SUPPLIER,
        RefusalOutcome.UNKNOWN_AGENT,
        RefusalOutcome.UNKNOWN_USER,
        RefusalOutcome.UNKNOWN_TOKEN,
        RefusalOutcome.UNKNOWN_APPROVAL,
        RefusalOutcome.UNKNOWN_RATE,
    }
)
# Not known is 401, known and not allowed 403, too many tries 429.
_WHO: Final = {
    RefusalOutcome.NOT_KNOWN: 401,
    RefusalOutcome.NOT_ALLOWED: 403,
    RefusalOutcome.NOT_APPROVED: 403,
    RefusalOutcome.LOCKED_OUT: 429,
}
# Bodies in which a password stands: nothing of one that was mistyped is told back.
_SECRET_PATHS: Final = ("/api/v1/logins", "/api/v1/users")
_BAD_FIELDS: Final = frozenset({RefusalOutcome.BAD_FIELD, RefusalOutcome.VALUE_CEILING})


def error_body(
    outcome: str, text: str, *, field: str | None = None, given: object = None, allowed: str | None = None
) -> dict[str, Any]:
    """The one shape. ``text`` is a line for a person."""
    shown = given if isinstance(given, bool | None) else _line(str(given))
    cut = None if field is None else _line(field)
    return {"error": {"outcome": outcome, "field": cut, "given": shown, "allowed": allowed, "text": _line(text)}}


def _line(text: str) -> str:
    """``text`` as one line that can be written as UTF-8, and not the whole of a book that somebody sent."""
    line = " ".join(text.split()).encode(errors="backslashreplace").decode()
    return line if len(line) <= _SHOWN_CHARS_MAX else f"{line[:_SHOWN_CHARS_MAX]}..."


def add_error_handlers(app: FastAPI) -> None:
    """Turns what the host raises into answers of the one shape."""

    @app.exception_handler(RefusedError)
    async def refused(_request: Request, error: RefusedError) -> JSONResponse:
        status = _NOT_FOUND if error.outcome in _NOT_THERE else _CONFLICT
        status = _BAD_REQUEST if error.outcome in _BAD_FIELDS else status
        status = _WHO.get(error.outcome, status)
        body = error_body(error.outcome, str(error), field=error.field, given=error.given, allowed=error.allowed)
        headers = {"WWW-Authenticate": "Bearer"} if error.outcome is RefusalOutcome.NOT_KNOWN else None
        return JSONResponse(body, status, headers=headers)

    @app.exception_handler(ValueFieldError)
    async def bad_field(_request: Request, error: ValueFieldError) -> JSONResponse:
        outcome = RefusalOutcome.BAD_FIELD
        body = error_body(outcome, str(error), field=error.field, given=error.given, allowed=error.allowed)
        return JSONResponse(body, _BAD_REQUEST)

    @app.exception_handler(RequestValidationError)
    async def bad_body(request: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        if request.url.path.startswith(_SECRET_PATHS):
            first["input"] = "***"
        field = ".".join(str(part) for part in first["loc"][1:]) or str(first["loc"][0])
        text = f"{field}: {first.get('input')!r} is not allowed; {first['msg']}"
        body = error_body(RefusalOutcome.BAD_FIELD, text, field=field, given=first.get("input"), allowed=first["msg"])
        return JSONResponse(body, _BAD_REQUEST)

    @app.exception_handler(HostError)
    @app.exception_handler(VaultError)
    async def not_possible(_request: Request, error: Exception) -> JSONResponse:
        return JSONResponse(error_body("unavailable", str(error)), _UNAVAILABLE)

    @app.exception_handler(HTTPException)
    async def http_error(_request: Request, error: HTTPException) -> JSONResponse:
        outcome = "not_found" if error.status_code == _NOT_FOUND else "refused"
        return JSONResponse(error_body(outcome, str(error.detail)), error.status_code, headers=error.headers)
