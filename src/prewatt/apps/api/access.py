"""Who may call: staff by their tokens; and as long as there are no users, whoever has the token of this run.

That token stands in the data folder's lock file and in the address that `up` prints. Once there are users it is that of
the command line on the folder alone: taken as a bearer token from this machine, and no more from a browser. A browser
gets its token once, in an address, and keeps it in a cookie that scripts cannot read and other sites cannot use.
"""

import hmac
from collections.abc import Callable
from ipaddress import ip_address
from typing import Final, Protocol

from fastapi import Request

from prewatt.apps.desk import Desk
from prewatt.apps.selling import Selling
from prewatt.host.refusals import RefusalOutcome, RefusedError
from prewatt.host.staff.actor import CLI, Actor, owner_of_folder
from prewatt.host.staff.rights import check_right

__all__ = ["COOKIE", "PERSON_HEADER", "Access", "KnownUsers", "origin_of"]

COOKIE: Final = "prewatt"
# Who sits at the command line, by the operating system's name; believed of whoever has the folder's token.
PERSON_HEADER: Final = "Prewatt-Person"
_PERSON_CHARS_MAX: Final = 64


class KnownUsers(Protocol):
    """See `prewatt.host.staff.logins.Logins`."""

    def has_users(self) -> bool:
        """Whether there are staff accounts."""
        ...

    def actor_of(self, text: str) -> Actor:
        """Who has this token; RefusedError where nobody does."""
        ...


class Access:
    """Checks requests. ``users`` gives the staff accounts, if this host has any at all."""

    def __init__(self, token: str, users: Callable[[], KnownUsers | None] = lambda: None) -> None:
        self._token = token.encode()
        self._users = users

    def identify(self, request: Request) -> tuple[Actor, str]:
        """Who asks, and from where; RefusedError (NOT_KNOWN) where that is not said, or wrong."""
        scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
        is_bearer = scheme.lower() == "bearer"
        given = bearer if is_bearer else request.cookies.get(COOKIE)
        return self._who(request, given, is_bearer=is_bearer)

    def opens(self, request: Request, token: str) -> bool:
        """Whether a browser that hands in this token may keep it."""
        try:
            self._who(request, token, is_bearer=False)
        except RefusedError:
            return False
        return True

    def require(self, request: Request) -> None:
        """A dependency: 401 for who is not known, 403 for who has no right to the route, by its name."""
        actor, origin = self.identify(request)
        check_right(actor, request.scope["route"].name)
        request.state.actor, request.state.origin = actor, origin

    def desk(self, selling: Selling) -> Callable[[Request], Desk]:
        """A dependency: the seller, for whoever asks; the desk itself checks the right."""

        def desk_of(request: Request) -> Desk:
            return Desk(selling, *self.identify(request))

        return desk_of

    def _who(self, request: Request, given: str | None, *, is_bearer: bool) -> tuple[Actor, str]:
        users = self._users()
        staffed = users is not None and users.has_users()
        if given is not None and hmac.compare_digest(given.encode(errors="replace"), self._token):
            if not staffed or (is_bearer and _is_this_machine(request)):
                return owner_of_folder(), _owner_origin(request)
        elif given is not None and staffed and users is not None:
            actor = users.actor_of(given)
            return actor, f"{origin_of(request)} {actor.via}"
        what = "missing" if given is None else "wrong"
        allowed = "a token of your own, as a bearer token" if staffed else _FOR_OWNER
        raise RefusedError(RefusalOutcome.NOT_KNOWN, "token", what, allowed)


_FOR_OWNER: Final = "the one in the data folder's lock file, as a bearer token"


def origin_of(request: Request) -> str:
    """Where a request comes from, for the log and the lock-out."""
    return f"api {request.client.host if request.client is not None else 'unknown'}"


def _owner_origin(request: Request) -> str:
    """The command line says who sits there; a program or a page does not."""
    person = request.headers.get(PERSON_HEADER, "")
    if person and person.isprintable() and len(person) <= _PERSON_CHARS_MAX:
        return f"{CLI} {person}"
    return origin_of(request)


def _is_this_machine(request: Request) -> bool:
    """Whether the caller's address is the loopback, or the very one that it called."""
    client, server = request.client, request.scope.get("server")
    if client is None:
        return False
    try:
        loopback = ip_address(client.host).is_loopback
    except ValueError:
        return False
    return loopback or (server is not None and client.host == server[0])
