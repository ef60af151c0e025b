"""The routes of the pages: the street, one meter, and what a form or a key asks.

Every page works without script: forms are posted and answered by a redirect back to where the result is shown, or by
the same page with the error beside the field. The page's script posts the same forms and takes JSON instead.
"""

import secrets
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse
from fastapi.staticfiles import StaticFiles

from prewatt.apps.faces import Face
from prewatt.apps.web.errors import PageRoute, add_error_pages
from prewatt.apps.web.guard import STATIC_PATH, PageHeaders, check_same_site, read_form
from prewatt.apps.web.lcdfont import add_lcd_font
from prewatt.apps.web.rendering import render, wants_page
from prewatt.apps.web.sales import Sale, Sales
from prewatt.apps.web.shown import show_clock, show_meter, show_pace, show_registers, show_sum
from prewatt.apps.web.source import PageSource
from prewatt.host.refusals import RefusedError
from prewatt.host.staff.rights import check_right
from prewatt.units import ValueFieldError

if TYPE_CHECKING:
    # The API's application adds these pages, so at run time the API comes first.
    from prewatt.apps.api.access import Access

__all__ = ["SPEEDS", "add_pages"]

SPEEDS: Final = (1, 60, 600, 3_600)
_SPEED_DIGITS_MAX: Final = 4
_SEE_OTHER: Final = 303
_UNAUTHORIZED: Final = 401
_FORBIDDEN: Final = 403
_UNPROCESSABLE: Final = 422
_NO_KEY: Final = "The key of this prewatt is missing or old."
_ORDER_BYTES: Final = 8
_Form = Annotated[dict[str, str], Depends(read_form)]
_Json = dict[str, Any]


def add_pages(app: FastAPI, access: "Access", pages: PageSource) -> None:
    """Adds the pages to ``app``. Call it last: pages take the errors of their own paths from the handlers there are."""

    def may(call: str) -> Any:  # noqa: ANN401 - what FastAPI makes of a dependency
        def require(request: Request) -> None:
            try:
                known = access.identify(request)
            except RefusedError:
                raise HTTPException(_UNAUTHORIZED, _NO_KEY) from None
            try:
                check_right(known[0], call)
            except RefusedError as error:
                raise HTTPException(_FORBIDDEN, str(error)) from None
            request.state.known = known

        return Depends(require)

    routes = _Pages(access, pages)
    # Without the guard: this is where a browser hands in the key.
    entrance = APIRouter(route_class=PageRoute, include_in_schema=False)
    entrance.add_api_route("/", routes.enter)
    looks = APIRouter(route_class=PageRoute, include_in_schema=False, dependencies=[may("read_faces")])
    looks.add_api_route("/street.json", routes.read_street)
    looks.add_api_route("/meter/{meter}.json", routes.read_meter)
    looks.add_api_route("/meter/{meter}", routes.show_meter_page)
    acts = APIRouter(route_class=PageRoute, include_in_schema=False)
    for path, act, call in (
        ("/meter/{meter}/sell", routes.sell, "vend"),
        ("/meter/{meter}/keys", routes.press, "press_keys"),
        ("/speed", routes.set_speed, "set_clock"),
    ):
        acts.add_api_route(path, act, methods=["POST"], dependencies=[may(call), Depends(check_same_site)])
    for router in (entrance, looks, acts):
        app.include_router(router)
    add_lcd_font(app, STATIC_PATH)
    app.mount(STATIC_PATH, StaticFiles(directory=Path(__file__).parent / "static"))
    app.add_middleware(PageHeaders)
    add_error_pages(app)


class _Pages:
    """The handlers. They are plain functions, so each runs in its own thread and may wait for the store."""

    def __init__(self, access: "Access", source: PageSource) -> None:
        self._access = access
        self._source = source
        self._sales = Sales(source)

    def enter(self, request: Request, token: str | None = None) -> Response:
        """The street; with the key of the printed address, the way in: the key moves into a cookie."""
        from prewatt.apps.api.access import COOKIE

        if token is not None and self._access.opens(request, token):
            answer = RedirectResponse("/", _SEE_OTHER)
            secure = request.url.scheme == "https"
            answer.set_cookie(COOKIE, token, httponly=True, samesite="strict", secure=secure)
            return answer
        if token is not None:
            raise HTTPException(_UNAUTHORIZED, _NO_KEY)
        self._check_entry(request)
        return self._street_page()

    def _check_entry(self, request: Request) -> None:
        try:
            self._access.identify(request)
        except RefusedError:
            raise HTTPException(_UNAUTHORIZED, _NO_KEY) from None

    def read_street(self) -> _Json:
        """What the street's script asks for about twice a second."""
        faces, sales = self._source.faces(), self._sales.look()
        return {
            "clock": self._clock(),
            "sum": asdict(show_sum(faces)),
            "meters": [_meter_json(face, sales.get(face["id"])) for face in faces],
        }

    def read_meter(self, meter: str) -> _Json:
        """The same for one meter, with its registers."""
        face, clock = self._source.face(meter), self._clock()
        shown = _meter_json(face, self._sales.look(face["id"]).get(face["id"]))
        for group in show_registers(face, clock["now_s"], clock["speed"]).values():
            shown["text"] |= {name: reads for name, _, reads in group}
        return {"clock": clock, "meters": [shown]}

    def show_meter_page(self, meter: str) -> Response:
        """One meter, large, with keys that work."""
        return self._meter_page(meter)

    def sell(self, request: Request, meter: str, form: _Form) -> Response:
        """Sells what the form says; back to the meter, or the page again with what is wrong beside the field."""
        meter = self._source.face(meter)["id"]
        amount, order = form.get("amount", ""), form.get("order") or _new_order()
        try:
            sale = self._sales.sell(meter, amount, order, self._source.acting(*request.state.known))
        except ValueFieldError as error:
            if not wants_page(request):
                raise
            wrong = {meter: (amount, str(error))}
            page = self._meter_page(meter, wrong) if _from_meter(form) else self._street_page(wrong)
            page.status_code = _UNPROCESSABLE
            return page
        if wants_page(request):
            return _back(form, meter, f"m-{meter}")
        return JSONResponse({"sale": sale.as_json(), "order": _new_order()})

    def press(self, request: Request, meter: str, form: _Form) -> Response:
        """Presses keys on a meter."""
        face = self._source.press(meter, form.get("keys", ""))
        if wants_page(request):
            return RedirectResponse(f"/meter/{face['id']}#keys", _SEE_OTHER)
        return JSONResponse(self.read_meter(face["id"]))

    def set_speed(self, request: Request, form: _Form) -> Response:
        """Changes the speed of the world's clock."""
        given = form.get("speed", "")
        number = int(given) if given.isascii() and given.isdecimal() and len(given) <= _SPEED_DIGITS_MAX else 0
        if not SPEEDS[0] <= number <= SPEEDS[-1]:
            raise ValueFieldError("speed", given, f"a whole number from {SPEEDS[0]} to {SPEEDS[-1]}")
        self._source.set_speed(number)
        if wants_page(request):
            meter = form.get("meter", "")
            return _back(form, self._source.face(meter)["id"] if meter else "", "clock")
        return JSONResponse({"clock": self._clock()})

    def _clock(self) -> _Json:
        now_s = self._source.clock_s()
        speed = self._source.speed()
        return {"now_s": now_s, "utc": show_clock(now_s), "speed": speed, "pace": show_pace(speed)}

    def _street_page(self, wrong: dict[str, tuple[str, str]] | None = None) -> Response:
        faces, sales = self._source.faces(), self._sales.look()
        return render(
            "street.html",
            clock=self._clock(),
            speeds=SPEEDS,
            sum=show_sum(faces),
            meters=[show_meter(face) for face in faces],
            sales=sales,
            wrong=wrong or {},
            new_order=_new_order,
        )

    def _meter_page(self, meter: str, wrong: dict[str, tuple[str, str]] | None = None) -> Response:
        face, clock = self._source.face(meter), self._clock()
        return render(
            "meter.html",
            clock=clock,
            speeds=SPEEDS,
            meter=show_meter(face),
            registers=show_registers(face, clock["now_s"], clock["speed"]),
            sales=self._sales.look(face["id"]),
            wrong=wrong or {},
            new_order=_new_order,
        )


def _meter_json(face: Face, sale: Sale | None) -> _Json:
    return asdict(show_meter(face)) | {"sale": None if sale is None else sale.as_json()}


def _new_order() -> str:
    return f"P-{secrets.token_hex(_ORDER_BYTES)}"


def _from_meter(form: dict[str, str]) -> bool:
    return form.get("back") == "meter"


def _back(form: dict[str, str], meter: str, place: str) -> Response:
    path = f"/meter/{meter}" if _from_meter(form) and meter else "/"
    return RedirectResponse(f"{path}#{place}", _SEE_OTHER)
