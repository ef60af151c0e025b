"""Whom a command talks to: the running `up` over its API where there is one, else the data folder itself.

Both answer with the same JSON, so a command does not know the difference. The lock file in the data folder says which
it is, and carries the token of a running one. Where somebody has the folder who does not serve (yet), be it an `up`
that is starting or another command, a command waits for that a while, as a person would.
"""

import json
import os
import pwd
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Final, Protocol
from urllib.parse import quote, urlencode

from prewatt.apps.settings import Settings
from prewatt.host.folder import LockHolder, read_holder
from prewatt.host.refusals import FolderBusyError
from prewatt.units import ValueFieldError

__all__ = ["BUSY_WAIT_S", "Json", "Seller", "SellerError", "in_path", "open_seller", "person"]

Json = Any
# How long a command waits for an `up` that is starting, or for another command to end.
BUSY_WAIT_S: Final = 15.0
_BUSY_LOOK_S: Final = 0.05
_ANSWER_WITHIN_S: Final = 30.0
# A whole file is one call: a million rows take minutes.
_FILE_WITHIN_S: Final = 3_600.0
_FILES_BELOW: Final = "/registry/"
_API_PREFIX: Final = "/api/v1"
_REFUSED: Final = 300
# As `prewatt.apps.api.access`, which would load the whole server.
_PERSON_HEADER: Final = "Prewatt-Person"


class SellerError(Exception):
    """The seller refused or could not be reached; the text is one line for a person."""


class Seller(Protocol):
    """What commands ask. ``get`` changes nothing; ``post`` does. Paths are those of the API under /api/v1."""

    running: bool

    def get(self, path: str, **query: object) -> Json:
        """The JSON at ``path``."""
        ...

    def post(self, path: str, **body: object) -> Json:
        """The JSON that answers ``body`` sent to ``path``."""
        ...


def person() -> str:
    """The operating system's name for whoever sits here; its number where it has none."""
    try:
        name = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())
    return name if name.isascii() and name.isprintable() else str(os.getuid())


def in_path(field: str, given: str) -> str:
    """An id as one step of a path. ValueFieldError for what can be no step; whose id it is the seller says."""
    if not given or "/" in given or not given.isprintable():
        raise ValueFieldError(field, given, f"the id of a {field}")
    return quote(given, safe="")


class RemoteSeller:
    """A running `up`, over HTTP on this machine."""

    running = True

    def __init__(self, holder: LockHolder, token: str | None = None) -> None:
        """``token``: of whoever asks; without one it is the owner, by the token of the run."""
        # The standard library's client, imported here: a command answers sooner than a larger client is loaded.
        from http.client import HTTPConnection, HTTPException

        self._errors = (HTTPException, OSError)
        self._connection = HTTPConnection(holder.address, holder.port, timeout=_ANSWER_WITHIN_S)
        shown = holder.token if token is None else token
        self._headers = {"Authorization": f"Bearer {shown}", "Content-Type": "application/json"}
        self._headers |= {_PERSON_HEADER: person()}

    def get(self, path: str, **query: object) -> Json:
        """See Seller."""
        asked = {name: str(value) for name, value in query.items() if value is not None}
        return self._ask("GET", f"{path}?{urlencode(asked, errors='backslashreplace')}" if asked else path)

    def post(self, path: str, **body: object) -> Json:
        """See Seller."""
        return self._ask("POST", path, json.dumps(body).encode())

    def close(self) -> None:
        """Ends the connection."""
        self._connection.close()

    def _ask(self, method: str, path: str, body: bytes | None = None) -> Json:
        if path.startswith(_FILES_BELOW):
            self._connection.timeout = _FILE_WITHIN_S
            if self._connection.sock is not None:
                self._connection.sock.settimeout(_FILE_WITHIN_S)
        try:
            self._connection.request(method, _API_PREFIX + path, body, self._headers)
            answer = self._connection.getresponse()
            content = json.loads(answer.read())
        except self._errors as error:
            raise SellerError(f"the running prewatt does not answer ({error or type(error).__name__})") from error
        except ValueError as error:
            text = f"the running prewatt answers something that is not JSON ({answer.status})"
            raise SellerError(text) from error
        if answer.status < _REFUSED:
            return content
        raise SellerError(content.get("error", {}).get("text", f"refused with status {answer.status}"))


@contextmanager
def open_seller(settings: Settings, *, create: bool = False) -> Iterator[Seller]:
    """The seller of the data folder in ``settings``. ``create`` makes a new installation where there is none."""
    until_s = time.monotonic() + BUSY_WAIT_S
    with ExitStack() as stack:
        seller = _enter(stack, settings, create=create, last=False)
        while seller is None:
            time.sleep(_BUSY_LOOK_S)
            seller = _enter(stack, settings, create=create, last=time.monotonic() >= until_s)
        yield seller


def _enter(stack: ExitStack, settings: Settings, *, create: bool, last: bool) -> Seller | None:
    """The seller there is at this moment; where there is none, None, or FolderBusyError at the ``last`` try."""
    holder = read_holder(settings.data)
    if holder is not None and holder.port is not None:
        token = None if settings.token is None else settings.token.get_secret_value()
        remote = RemoteSeller(holder, token)
        stack.callback(remote.close)
        return remote
    if holder is not None and not last:
        return None
    from prewatt.apps.cli.local import local_seller

    try:
        return stack.enter_context(local_seller(settings, create=create))
    except FolderBusyError:
        if last:
            raise
        return None
