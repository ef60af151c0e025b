"""Documents read field by field: every error names the field's path, what stood there, and what is allowed.

Numbers are exact: text, whole numbers, or what `parse_text` made of a JSON or TOML text, in which a decimal is kept as
it was written. A binary fraction has already lost what was written, and is refused.
"""

import json
import re
import tomllib
from collections.abc import Collection, Iterator
from datetime import date, datetime
from typing import Any, Final

from prewatt.units import MICRO_PER_UNIT, VALUE_MAX_MICRO, ValueFieldError, parse_value

__all__ = ["DOCUMENT_CHARS_MAX", "Section", "parse_clock", "parse_text"]

# Far above any plan; a document is small.
DOCUMENT_CHARS_MAX: Final = 200_000
_NUMBER_MAX: Final = 10**30
_CLOCK: Final = re.compile(r"([01]\d|2[0-3]):([0-5]\d)\Z", re.ASCII)
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d\Z", re.ASCII)
_MINUTES: Final = 60
_MIDNIGHT: Final = "24:00"
_PERCENT_DIGITS: Final = 4
_KWH_DIGITS: Final = 4
_PRICE_DIGITS: Final = 6
_MICRO_PER_TEN_THOUSANDTH: Final = 100


class Section:
    """One object of a document. ValueFieldError for anything but an object whose keys are all ``known``."""

    def __init__(self, given: object, path: str, known: Collection[str]) -> None:
        if not isinstance(given, dict):
            raise ValueFieldError(path or "document", given, "an object")
        for key in given:
            if key not in known:
                raise ValueFieldError(f"{path}.{key}" if path else str(key), given[key], f"one of {', '.join(known)}")
        self._given: dict[str, Any] = given
        self._path = path

    def __contains__(self, key: str) -> bool:
        return self._given.get(key) is not None

    def place(self, key: str) -> str:
        """The path of a field."""
        return f"{self._path}.{key}" if self._path else key

    def read(self, key: str, allowed: str) -> object:
        """A field that must be there."""
        if key not in self:
            raise ValueFieldError(self.place(key), None, allowed)
        return self._given[key]

    def text(self, key: str, allowed: str = "a text") -> str:
        """A text."""
        given = self.read(key, allowed)
        if not isinstance(given, str):
            raise ValueFieldError(self.place(key), given, allowed)
        return given

    def choice(self, key: str, names: Collection[str]) -> str:
        """One of these words."""
        given = self.text(key, f"one of {', '.join(names)}")
        if given not in names:
            raise ValueFieldError(self.place(key), given, f"one of {', '.join(names)}")
        return given

    def whole(self, key: str, low: int, high: int, default: int | None = None) -> int:
        """A whole number from ``low`` to ``high``."""
        if key not in self and default is not None:
            return default
        given = self.read(key, f"{low} to {high}")
        if isinstance(given, bool) or not isinstance(given, int) or not low <= given <= high:
            raise ValueFieldError(self.place(key), given, f"a whole number from {low} to {high}")
        return given

    def money(self, key: str, *, digits: int = _PRICE_DIGITS, zero: bool = True) -> int:
        """Micro-units of a decimal in currency units."""
        return self._decimal(key, digits, zero, VALUE_MAX_MICRO)

    def percent(self, key: str, most: int) -> int:
        """Parts per million of a percent up to ``most`` with up to four decimals, above 0."""
        return self._decimal(key, _PERCENT_DIGITS, False, most * MICRO_PER_UNIT) // _MICRO_PER_TEN_THOUSANDTH

    def kwh(self, key: str) -> int:
        """Pulses of a number of kilowatt-hours with up to four decimals, above 0."""
        return self._decimal(key, _KWH_DIGITS, False, VALUE_MAX_MICRO) // _MICRO_PER_TEN_THOUSANDTH

    def day(self, key: str) -> date:
        """A date."""
        given = self.read(key, "a date YYYY-MM-DD")
        if isinstance(given, date) and not isinstance(given, datetime):
            return given
        if isinstance(given, str) and _DATE.match(given):
            try:
                return date.fromisoformat(given)
            except ValueError:
                pass
        raise ValueFieldError(self.place(key), given, "a date YYYY-MM-DD that exists")

    def clock(self, key: str) -> int:
        """Minutes since midnight of a time hh:mm; 24:00 is the day's end."""
        given = self.text(key, "a time hh:mm")
        return parse_clock(self.place(key), given)

    def section(self, key: str, known: Collection[str]) -> "Section":
        """An object within."""
        return Section(self.read(key, "an object"), self.place(key), known)

    def sections(self, key: str, known: Collection[str], most: int) -> Iterator["Section"]:
        """A list of objects; none where the field is not there."""
        for place, each in enumerate(self.entries(key, most)):
            yield Section(each, f"{self.place(key)}[{place}]", known)

    def entries(self, key: str, most: int) -> list[Any]:
        """A list with at most so many entries; empty where the field is not there."""
        given = self._given.get(key)
        if given is None:
            return []
        if not isinstance(given, list) or len(given) > most:
            shown = len(given) if isinstance(given, list) else given
            raise ValueFieldError(self.place(key), shown, f"a list of at most {most}")
        return given

    def items(self, key: str, most: int) -> dict[str, Any]:
        """An object with names of the writer's own, at most so many."""
        given = self.read(key, "an object")
        if not isinstance(given, dict) or not 0 < len(given) <= most:
            raise ValueFieldError(self.place(key), given, f"an object of 1 to {most} names")
        return given

    def _decimal(self, key: str, digits: int, zero: bool, most_micro: int) -> int:
        given = self.read(key, "a decimal")
        if isinstance(given, bool) or not isinstance(given, int | str):
            raise ValueFieldError(self.place(key), given, "a decimal, written as text")
        return parse_value(str(given), digits=digits, field=self.place(key), zero=zero, most_micro=most_micro)


def parse_clock(field: str, text: object) -> int:
    """Minutes since midnight of a time hh:mm, 1,440 for 24:00."""
    match = _CLOCK.match(text) if isinstance(text, str) else None
    if match is not None:
        return int(match[1]) * _MINUTES + int(match[2])
    if text == _MIDNIGHT:
        return 24 * _MINUTES
    raise ValueFieldError(field, text, "a time hh:mm from 00:00 to 24:00")


def parse_text(text: str, *, toml: bool = False) -> object:
    """The document of a JSON text (``toml``: a TOML text). Decimals become text; a name given twice is refused."""
    if len(text) > DOCUMENT_CHARS_MAX:
        raise ValueFieldError("document", len(text), f"up to {DOCUMENT_CHARS_MAX} characters")
    try:
        if toml:
            document = tomllib.loads(text, parse_float=str)
            _check_numbers(document)
            return document
        return json.loads(text, parse_float=str, parse_constant=_refuse_constant, object_pairs_hook=_refuse_twice)
    except ValueFieldError:
        raise
    except (ValueError, RecursionError) as error:
        raise ValueFieldError("document", text, f"{'TOML' if toml else 'JSON'} ({error})") from None


def _check_numbers(given: object) -> None:
    """TOML writes numbers of any length in base 16; no field takes one so long, and no error could show it."""
    if isinstance(given, int) and abs(given) > _NUMBER_MAX:
        raise ValueFieldError("document", "a number of many digits", f"numbers up to {_NUMBER_MAX}")
    for each in given.values() if isinstance(given, dict) else given if isinstance(given, list) else ():
        _check_numbers(each)


def _refuse_constant(text: str) -> object:
    raise ValueFieldError("document", text, "numbers that exist")


def _refuse_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    named = dict(pairs)
    if len(named) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueFieldError("document", twice, "each name once")
    return named
