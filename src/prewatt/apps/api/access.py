"""Who may call: until staff accounts exist, whoever can read the token in the data folder's lock file.

Programs send it as a bearer token. A browser gets it once, in the address that `up` prints, and keeps it in a cookie
that scripts cannot read and other sites cannot use.
"""

import hmac
from typing import Final

from fastapi import HTTPException, Request

__all__ = ["COOKIE", "Access"]

COOKIE: Final = "prewatt"
_UNAUTHORIZED: Final = 401


class Access:
    """Checks requests against the token of this run."""

    def __init__(self, token: str) -> None:
        self._token = token.encode()

    def matches(self, given: str | None) -> bool:
        """Whether ``given`` is the token; takes the same time for every wrong one."""
        return given is not None and hmac.compare_digest(given.encode(), self._token)

    def allowed(self, request: Request) -> bool:
        """Whether the request carries the token, as bearer or as cookie."""
        scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
        return self.matches(bearer if scheme.lower() == "bearer" else request.cookies.get(COOKIE))

    async def require(self, request: Request) -> None:
        """A dependency: 401 without the token."""
        if not self.allowed(request):
            raise HTTPException(
                _UNAUTHORIZED,
                "token: missing or wrong; allowed is the one in the data folder's lock file, as a bearer token",
                headers={"WWW-Authenticate": "Bearer"},
            )
