"""One message: a type and its data elements, laid out and read by pyiso8583, checked against the table of `fields`.

What can be read can be written again to the very same bytes, and the other way; anything else is a DecodeError that
names the element and never shows what a secret one holds. A message is shown without its secrets too, and so are its
bytes (`Wire`), which is how card numbers stay out of logs and tracebacks.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

import iso8583

from prewatt.codec.errors import DecodeError
from prewatt.host.payment.iso8583.fields import FIELDS, De, Dialect, Field, pyiso8583_spec
from prewatt.units import ValueFieldError

__all__ = ["MASKED", "MESSAGE_BYTES_MAX", "Message", "Wire", "parse_message"]

# All elements of the table at their longest are 5,000 bytes.
MESSAGE_BYTES_MAX: Final = 8_192
MASKED: Final = "***"
_TYPE: Final = re.compile(r"[0-9]{4}", re.ASCII)


class Wire(bytes):
    """The bytes of a message, shown without what is in them."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<message of {len(self)} bytes>"

    __str__ = __repr__


class Message:
    """A message: ``mti`` (its type, four digits) and its elements by number; neither can be changed."""

    __slots__ = ("_values", "mti")

    def __init__(self, mti: str, values: Mapping[De, str]) -> None:
        """ValueFieldError for an element whose value is none; of a secret one the error shows nothing."""
        if not _TYPE.fullmatch(mti):
            raise ValueFieldError("message type", mti, "four digits")
        for number, text in values.items():
            _check(FIELDS[number], text)
        self.mti = mti
        self._values = MappingProxyType(dict(sorted(values.items())))

    @property
    def values(self) -> Mapping[De, str]:
        """The elements, in ascending order."""
        return self._values

    def get(self, number: De) -> str:
        """An element's text, "" where the message has none."""
        return self._values.get(number, "")

    def build(self, dialect: Dialect) -> Wire:
        """Its bytes."""
        document = {"t": self.mti} | {str(int(number)): text for number, text in self._values.items()}
        raw, _ = iso8583.encode(document, pyiso8583_spec(dialect))
        return Wire(raw)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Message) and (self.mti, self._values) == (other.mti, other._values)

    def __repr__(self) -> str:
        shown = (f"{number.name.lower()}={_shown(FIELDS[number], text)}" for number, text in self._values.items())
        return f"<{self.mti} {' '.join(shown)}>"


def parse_message(data: bytes, dialect: Dialect) -> Message:
    """The message of ``data``; DecodeError for anything that is not exactly one."""
    if len(data) > MESSAGE_BYTES_MAX:
        raise DecodeError(0, "message", f"{len(data)} bytes, more than {MESSAGE_BYTES_MAX}")
    document = _decode(bytes(data), dialect)
    mti = document.pop("t")
    values: dict[De, str] = {}
    for key, text in document.items():
        if key.isdecimal() and key != "1":
            field = FIELDS[De(int(key))]
            if not field.allows(text):
                raise DecodeError(0, _named(field), f"{_shown(field, text)} is not {field.format}")
            values[field.number] = text
    if not _TYPE.fullmatch(mti):
        raise DecodeError(0, "message type", "not four digits")
    message = Message(mti, values)
    if message.build(dialect) != data:
        # A length with a sign, a pad that is not zero, a bitmap for nothing: two spellings of one message.
        raise DecodeError(0, "message", "not in its one spelling")
    return message


def _decode(data: bytes, dialect: Dialect) -> dict[str, Any]:
    """What pyiso8583 makes of it. Its errors hold the whole message, so nothing of them is passed on but words."""
    try:
        document, _ = iso8583.decode(data, pyiso8583_spec(dialect))
    except iso8583.DecodeError as error:
        why, at, name = error.msg, error.pos, error.field
    except KeyError as error:
        why, at, name = "is not in the table of data elements", 0, str(error.args[0])
    else:
        return dict(document)
    raise DecodeError(at, f"data element {name}", why)


def _check(field: Field, text: str) -> None:
    if not field.allows(text):
        raise ValueFieldError(_named(field), _shown(field, text), f"{field.format}")


def _named(field: Field) -> str:
    return f"data element {int(field.number)} ({field.name})"


def _shown(field: Field, text: str) -> str:
    return MASKED if field.secret else text
