"""A seller without a running `up`: the command works on the data folder itself, which it claims for that moment.

What needs the field waits there: a sale is pending until `up` or `host run` carries it to its meter.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, Final
from urllib.parse import unquote

from prewatt.apps.cli.seller import Json, SellerError, person
from prewatt.apps.desk import Desk
from prewatt.apps.installation import open_installation
from prewatt.apps.selling import ROUTES, Selling
from prewatt.apps.settings import Settings
from prewatt.host.host import Host
from prewatt.host.staff.actor import CLI, owner_of_folder

__all__ = ["local_seller"]

_PARAMETER: Final = re.compile(r"\\\{(\w+)\\\}")


class LocalSeller:
    """See Seller; paths are those of ROUTES."""

    running = False

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def get(self, path: str, **query: object) -> Json:
        """See Seller."""
        return self._call("GET", path, query)

    def post(self, path: str, **body: object) -> Json:
        """See Seller."""
        return self._call("POST", path, body)

    def _call(self, method: str, path: str, given: dict[str, Any]) -> Json:
        for known_method, pattern, name in _patterns():
            match = pattern.fullmatch(path) if known_method == method else None
            if match:
                fields = {field: value for field, value in given.items() if value is not None}
                steps = {field: unquote(step) for field, step in match.groupdict().items()}
                return self._desk.call(name, **steps, **fields)
        raise SellerError("no prewatt is up on this data folder; start one with `prewatt up`")


@cache
def _patterns() -> tuple[tuple[str, re.Pattern[str], str], ...]:
    return tuple(
        (method, re.compile(_PARAMETER.sub(r"(?P<\1>[^/]+)", re.escape(path))), name) for method, path, name in ROUTES
    )


@contextmanager
def local_seller(settings: Settings, *, create: bool) -> Iterator[LocalSeller]:
    """The seller of the data folder in ``settings``; HostError and VaultError say what is wrong with it."""
    with open_installation(settings, create=create) as host:
        yield LocalSeller(_desk(host, settings))


def _desk(host: Host, settings: Settings) -> Desk:
    """Whoever has a token is who it says; whoever may read the folder is the owner."""
    origin = f"{CLI} {person()}"
    if settings.token is None:
        return Desk(Selling(host), owner_of_folder(), origin)
    actor = host.logins.actor_of(settings.token.get_secret_value())
    return Desk(Selling(host), actor, f"{origin} {actor.via}")
