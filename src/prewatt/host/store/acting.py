"""A store as one person has it: whatever is handed in through it is written in that person's name.

So no service has to be told who asks, and none can forget to say so: the name goes with the piece of work to the
writer, and from there into the audit log.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import TypeVar

from sqlalchemy import Connection

from prewatt.host.refusals import HostError
from prewatt.host.store.store import Store, Writing
from prewatt.host.store.trail import HOST, By

__all__ = ["ActingStore"]

T = TypeVar("T")


class ActingStore(Store):
    """See the module. Everything but the name is the store behind it, which goes on when this one is forgotten."""

    def __init__(self, store: Store, by: By, also: Callable[[Writing], None] | None = None) -> None:
        """``also`` is done in the commit of the first piece of work that is handed in, behind it."""
        self.dialect = store.dialect
        self._store, self._by, self._also = store, by, also

    def submit(self, work: Callable[[Writing], T], by: By = HOST) -> "Future[T]":
        """See Store."""
        also, self._also = self._also, None
        if also is not None:
            work = _followed(work, also)
        return self._store.submit(work, self._by if by is HOST else by)

    def finish(self) -> None:
        """Does what was to be done also, where nothing was handed in with which it could have been."""
        if self._also is not None:
            self.submit(lambda writing: None).result()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """See Store."""
        with self._store.reading() as connection:
            yield connection

    def check_sound(self) -> None:
        """See Store."""
        self._store.check_sound()

    def failed(self, error: Exception) -> HostError:
        """See Store."""
        return self._store.failed(error)

    def close(self) -> None:
        """See Store: the one behind it ends, for everybody."""
        self._store.close()


def _followed(work: Callable[[Writing], T], also: Callable[[Writing], None]) -> Callable[[Writing], T]:
    def both(writing: Writing) -> T:
        value = work(writing)
        also(writing)
        return value

    return both
