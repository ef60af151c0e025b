"""Frozen dataclasses as JSON text, and back: how books of rules that live elsewhere are kept in one column.

The class itself says what its fields are; nothing has to be written twice. Bytes become hex, enums their value, tuples
lists. Reading is strict: an unknown or missing name, or a value of another type, is a ValueError, never a guess.
"""

import json
import types
import typing
from collections.abc import Callable, Hashable
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import lru_cache
from typing import Any, TypeVar

__all__ = ["dump", "load"]

T = TypeVar("T")


def dump(value: object) -> str:
    """The JSON text of a dataclass, every field written."""
    return json.dumps(_plain(value), separators=(",", ":"))


def load(kind: type[T], text: str) -> T:
    """The ``kind`` in a text that `dump` made; ValueError for any other text."""
    try:
        return typing.cast(T, _reader(typing.cast(Hashable, kind))(json.loads(text)))
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"stored {kind.__name__}: {error}") from error


def _plain(value: object) -> Any:  # noqa: ANN401 - JSON is any of six types
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    if is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    return value


@lru_cache(maxsize=256)
def _reader(kind: Any) -> Callable[[Any], Any]:  # noqa: ANN401 - an annotation is no class of its own
    kind = getattr(kind, "__supertype__", kind)
    origin = typing.get_origin(kind)
    if origin in (types.UnionType, typing.Union):
        (inner,) = (each for each in typing.get_args(kind) if each is not type(None))
        return _optional(_reader(inner))
    if origin is tuple:
        return _tuple(_reader(typing.get_args(kind)[0]))
    if is_dataclass(kind):
        hints = typing.get_type_hints(kind)
        return _dataclass(kind, {field.name: _reader(hints[field.name]) for field in fields(kind)})
    if kind is bytes:
        return bytes.fromhex
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind
    return _exactly(kind)


def _optional(inner: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda found: None if found is None else inner(found)


def _tuple(inner: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda found: tuple(inner(each) for each in found)


def _dataclass(kind: Any, readers: dict[str, Callable[[Any], Any]]) -> Callable[[Any], Any]:  # noqa: ANN401
    def read(found: dict[str, Any]) -> Any:  # noqa: ANN401
        if found.keys() != readers.keys():
            raise KeyError(f"{kind.__name__} has other fields")
        return kind(**{name: reader(found[name]) for name, reader in readers.items()})

    return read


def _exactly(kind: type) -> Callable[[Any], Any]:
    def read(found: Any) -> Any:  # noqa: ANN401
        if type(found) is not kind:
            raise TypeError(f"{type(found).__name__} is not {kind.__name__}")
        return found

    return read
