"""Many pieces of work as one commit: a round's choices, or everything that came back at once.

Each runs in a savepoint of its own, so that one meter's trouble undoes only its own changes; all become durable
together, and nobody is answered before.
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

from prewatt.host.store import Store, Writing

__all__ = ["attempt", "write_together"]

T = TypeVar("T")


def write_together(store: Store, works: Sequence[Callable[[Writing], T]]) -> list[T | Exception]:
    """What each work gave or raised, once the one commit that carries them all is durable.

    StoreError where the commit itself failed (disk full): then nothing of it was written.
    """

    def run(writing: Writing) -> list[T | Exception]:
        return [attempt(writing, work) for work in works]

    return store.write(run) if works else []


def attempt(writing: Writing, work: Callable[[Writing], T]) -> T | Exception:
    """What a piece of work gave, or what it raised, with everything undone that it had written."""
    value, error = writing.attempt(work)
    # Without an error there is a value, which may be None.
    return error if error is not None else value  # type: ignore[return-value]
