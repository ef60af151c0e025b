"""Puts the data elements, the settings and the test cards of card payments into docs/operating/card-payments.md."""

from dataclasses import MISSING, fields

from marked import DOCS, put
from prewatt.host.payment.iso8583.fields import FIELDS
from prewatt.host.payment.iso8583.profile import AcquirerProfile
from prewatt.host.payment.iso8583.reasons import DECLINES
from prewatt.host.payment.sandbox.behaviour import TEST_CARDS

__all__ = ["with_payments"]

PAGE = DOCS / "operating" / "card-payments.md"


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def elements_text() -> str:
    """The data elements."""
    rows: list[tuple[str, ...]] = []
    for field in FIELDS.values():
        what = f"{field.what} (shown nowhere)" if field.secret else field.what
        rows.append((f"{int(field.number)}", f"`{field.name}`", field.format, what))
    return _table(("", "name", "format", ""), rows)


def settings_text() -> str:
    """The settings of an acquirer with a default."""
    rows: list[tuple[str, ...]] = []
    for field in fields(AcquirerProfile):
        if field.default is not MISSING:
            shown = f"{field.default:,}" if field.type is int else f"{field.default}"
            rows.append((f"`{field.name}`", {"True": "yes", "False": "no"}.get(shown, shown)))
    return _table(("setting", "else"), rows)


def reasons_text() -> str:
    """The codes that decline."""
    return _table(("code", "reason"), [(code, f"`{reason.value}`") for code, reason in sorted(DECLINES.items())])


def cards_text() -> str:
    """The test cards of the sandbox."""
    return _table(("number", "what it does"), [(f"`{pan}`", script.what) for pan, script in TEST_CARDS.items()])


def with_payments(document: str) -> str:
    """``document`` with all tables as they are."""
    for name, text in (
        ("elements", elements_text()),
        ("settings", settings_text()),
        ("reasons", reasons_text()),
        ("cards", cards_text()),
    ):
        document = put(document, name, text)
    return document


if __name__ == "__main__":
    PAGE.write_text(with_payments(PAGE.read_text()))
