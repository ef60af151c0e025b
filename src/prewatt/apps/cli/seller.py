"""Whom a command talks to: the running `up` over its API where there is one, else the data folder itself.

Both answer with the same JSON, so a command does not know the difference. The lock file in the data folder says which
it is, and carries the token of a running one.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, Protocol

from prewatt.apps.settings import Settings
from prewatt.host.folder import LockHolder, read_holder

__all__ = ["Json", "Seller", "SellerError", "open_seller"]

Json = Any
_ANSWER_WITHIN_S: Final = 30.0


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


class RemoteSeller:
    """A running `up`, over HTTP on this machine."""

    running = True

    def __init__(self, address: str, holder: LockHolder) -> None:
        # Imported here: a command that works on the folder itself need not load an HTTP client.
        import httpx

        self._errors = httpx.HTTPError
        self._client = httpx.Client(
            base_url=f"http://{address}:{holder.port}/api/v1",
            headers={"Authorization": f"Bearer {holder.token}"},
            timeout=_ANSWER_WITHIN_S,
            trust_env=False,
        )

    def get(self, path: str, **query: object) -> Json:
        """See Seller."""
        return self._ask("GET", path, params={name: str(value) for name, value in query.items() if value is not None})

    def post(self, path: str, **body: object) -> Json:
        """See Seller."""
        return self._ask("POST", path, json=body)

    def _ask(self, method: str, path: str, **how: Any) -> Json:  # noqa: ANN401 - passed on
        try:
            answer = self._client.request(method, path, **how)
            content = answer.json()
        except self._errors as error:
            raise SellerError(f"the running prewatt does not answer ({type(error).__name__})") from error
        except ValueError as error:
            raise SellerError(
                f"the running prewatt answers something that is not JSON ({answer.status_code})"
            ) from error
        if answer.is_success:
            return content
        raise SellerError(content.get("error", {}).get("text", f"refused with status {answer.status_code}"))


@contextmanager
def open_seller(settings: Settings, *, create: bool = False) -> Iterator[Seller]:
    """The seller of the data folder in ``settings``. ``create`` makes a new installation where there is none."""
    holder = read_holder(settings.data)
    if holder is not None and holder.port is not None:
        yield RemoteSeller(settings.address, holder)
        return
    from prewatt.apps.cli.local import local_seller

    with local_seller(settings, create=create) as seller:
        yield seller
