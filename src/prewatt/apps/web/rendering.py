"""Templates to pages: autoescaped, and strict about names that are not there."""

from typing import Any, Final

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

__all__ = ["error_page", "render", "wants_page"]

_ENVIRONMENT: Final = Environment(
    loader=PackageLoader("prewatt.apps.web"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
# What went wrong, and what to do about it.
_ADVICE: Final = {
    401: (
        "This page needs its key",
        "Open the address that prewatt up printed when it started; it carries the key once, and this browser keeps it"
        " until prewatt stops. Each start prints a new one.",
    ),
    403: ("Asked from elsewhere", "Open the street here and press the button on that page."),
    404: ("Nothing here", "Check the address, or choose a meter on the street."),
    405: ("Not like this", "This address takes only forms. Go to the street and use the buttons there."),
    422: ("Not allowed", "Go back, correct it and send it again. Nothing was changed."),
    503: ("Not possible now", "Try again in a moment. If it stays so, read what prewatt up says in its terminal."),
}
_ANY_ADVICE: Final = ("Something broke", "It is written in the terminal of prewatt up. Go back to the street.")


def render(name: str, status: int = 200, **given: Any) -> HTMLResponse:  # noqa: ANN401 - what the template takes
    """The page of a template."""
    return HTMLResponse(_ENVIRONMENT.get_template(name).render(given), status)


def error_page(status: int, what: str) -> HTMLResponse:
    """A page that says what is wrong (``what``, a line) and what to do."""
    title, advice = _ADVICE.get(status, _ANY_ADVICE)
    return render("error.html", status, code=status, title=title, what=what, advice=advice)


def wants_page(request: Request) -> bool:
    """Whether a person reads the answer, and not the page's own script."""
    wants_json = request.headers.get("accept", "").startswith("application/json")
    return not wants_json and not request.url.path.endswith(".json")
