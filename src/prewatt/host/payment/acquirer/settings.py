"""The settings of a card acquirer as text by name, as an owner's configuration has them."""

import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final

from prewatt.host.payment.acquirer.connection import AcquirerPlace
from prewatt.host.payment.acquirer.framing import Framing
from prewatt.host.payment.iso8583.card import TokenKey
from prewatt.host.payment.iso8583.fields import Dialect
from prewatt.host.payment.iso8583.profile import AcquirerProfile
from prewatt.units import ValueFieldError

__all__ = ["SANDBOX", "AcquirerSettings", "read_settings"]

SANDBOX: Final = "sandbox"
_PORT_MAX: Final = 65_535
_TRUTHS: Final = {"yes": True, "no": False}


@dataclass(frozen=True, slots=True)
class AcquirerSettings:
    """What was read. ``place``: None is the sandbox of this process, whose books are kept in ``sandbox_file``."""

    place: AcquirerPlace | None
    profile: AcquirerProfile
    key: TokenKey
    statements: Path | None
    sandbox_file: Path | None


def read_settings(given: Mapping[str, str]) -> AcquirerSettings:
    """Reads and checks all settings; ValueFieldError names the first that is not allowed, is missing or is unknown."""
    left = dict(given)
    host = left.pop("place", SANDBOX)
    key = _read_key(left.pop("token_key_file", ""))
    statements, sandbox_file = left.pop("statements", ""), left.pop("sandbox_file", "")
    place = _read_place(host, left)
    if place is None:
        defaults = {"terminal": "SANDBOX1", "merchant": "PREWATT", "acquirer_id": "999999"}
        left = defaults | left
    profile = _read_profile(left)
    return AcquirerSettings(place, profile, key, _path(statements), _path(sandbox_file))


def _read_profile(left: dict[str, str]) -> AcquirerProfile:
    kinds: dict[str, Callable[[str, str], Any]] = {"bool": _truth, "int": _number, "Dialect": _dialect}
    known = {
        field.name: kinds.get(getattr(field.type, "__name__", str(field.type)), _text)
        for field in fields(AcquirerProfile)
    }
    for name, text in left.items():
        if name not in known:
            raise ValueFieldError("acquirer setting", name, f"one of {', '.join(sorted(known))}")
        if not text:
            raise ValueFieldError(name, text, "a value")
    for name in ("terminal", "merchant", "acquirer_id", "currency"):
        if name not in left:
            raise ValueFieldError(name, "", "what the acquirer gave; it has no default")
    return AcquirerProfile(**{name: known[name](name, text) for name, text in left.items()})


def _read_place(host: str, left: dict[str, str]) -> AcquirerPlace | None:
    """``HOST:PORT``; ``tls``: "yes" trusts the system's authorities, a path the ones in that file, "no" is plain
    TCP."""
    tls, tls_name = left.pop("tls", ""), left.pop("tls_name", "")
    length, counts = left.pop("length_bytes", "2"), left.pop("length_counts_itself", "no")
    prefix = left.pop("prefix", "")
    try:
        framing = Framing(
            _number("length_bytes", length), _truth("length_counts_itself", counts), bytes.fromhex(prefix)
        )
    except ValueError as error:
        raise error if isinstance(error, ValueFieldError) else ValueFieldError("prefix", prefix, "hex digits") from None
    if host == SANDBOX:
        return None
    address, colon, port = host.rpartition(":")
    if not colon or not address or not port.isdecimal() or not 0 < int(port) <= _PORT_MAX:
        raise ValueFieldError("place", host, f"HOST:PORT, or {SANDBOX}")
    if not tls:
        raise ValueFieldError("tls", tls, "yes, a file of authorities, or no where the line is a private one")
    return AcquirerPlace(address.strip("[]"), int(port), framing, _tls(tls), tls_name)


def _tls(text: str) -> ssl.SSLContext | None:
    if text in _TRUTHS:
        return ssl.create_default_context() if _TRUTHS[text] else None
    try:
        return ssl.create_default_context(cafile=text)
    except (OSError, ssl.SSLError) as error:
        raise ValueFieldError("tls", text, f"a file of certificates in PEM ({error})") from None


def _read_key(path: str) -> TokenKey:
    """The key of tokens from a file of its own."""
    try:
        return TokenKey(Path(path).read_bytes() if path else b"")
    except OSError as error:
        raise ValueFieldError("token_key_file", path, f"a file that can be read ({error.strerror})") from None


def _path(text: str) -> Path | None:
    return Path(text) if text else None


def _text(name: str, text: str) -> str:
    return text


def _number(name: str, text: str) -> int:
    if not text.isascii() or not text.isdecimal():
        raise ValueFieldError(name, text, "a whole number")
    return int(text)


def _truth(name: str, text: str) -> bool:
    if text not in _TRUTHS:
        raise ValueFieldError(name, text, "yes or no")
    return _TRUTHS[text]


def _dialect(name: str, text: str) -> Dialect:
    try:
        return Dialect(text)
    except ValueError:
        raise ValueFieldError(name, text, f"one of {', '.join(Dialect)}") from None
